"""The client against the simulated Bento: every endpoint, every refusal, and that nothing secret gets out."""

from base64 import b64encode
from dataclasses import fields
from typing import Any

import pytest

from analytics_assets.errors import (
    AccessRefusedError,
    BlockedError,
    Evidence,
    PermanentError,
    TransientError,
    UnexpectedPayloadError,
)
from analytics_assets.http.response import JsonResponse
from analytics_assets.http.retries import backoff
from analytics_assets.sandbox.credentials import BENTO_PUBLISHABLE_KEY, BENTO_SECRET_KEY, BENTO_SITE_UUID
from analytics_assets.sources.bento.client import DIMENSIONS, RETRIES, AdsQuery, BentoClient, BentoCredentials
from analytics_assets.sources.bento.responses import ReportBody, read_ads, read_counts, read_report
from analytics_assets_tests.sources.bento.samples import ADS, COUNTS
from analytics_assets_tests.sources.bento.vendor import CREDENTIALS, NOW, changed, part, site

QUERY = AdsQuery("source", "all_revenue", "2026-03-01", "2026-03-02")


async def ask(client: BentoClient, path: str) -> JsonResponse:
    """The response of an endpoint by its path."""
    if path == "/stats/site":
        return await client.site()
    if path == "/stats/segment":
        return await client.segment("segment_1")
    if path == "/stats/report":
        return await client.report("report_1")
    return await client.ads(QUERY)


PATHS = ("/stats/site", "/stats/segment", "/stats/report", "/stats/ads")
every_endpoint = pytest.mark.parametrize("path", PATHS)


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/stats/site", ()),
        ("/stats/segment", (("segment_id", "segment_1"),)),
        ("/stats/report", (("report_id", "report_1"),)),
        ("/stats/ads", tuple(QUERY.params().items())),
    ],
)
async def test_an_answer_says_what_was_asked_but_not_at_which_site(path, params):
    """One request a response, and the site's id, which is sent, is not in what is kept."""
    async with site() as bento:
        answer = await ask(bento.client, path)
        counts, queries = await bento.counts(), await bento.queries()
    expected = JsonResponse(f"GET {path}", path, params, 200, answer.body, NOW, NOW, attempts=1, vendor="Bento")
    sent = {field.name: getattr(answer, field.name) for field in fields(JsonResponse)}
    assert (sent, counts) == (vars(expected), {f"bento GET {path}": 1})
    assert queries == [{**dict(params), "site_uuid": BENTO_SITE_UUID}]


async def test_the_counts_of_a_segment_are_not_those_of_the_site():
    """Both have three numbers; a segment holds some of the site's people."""
    async with site() as bento:
        whole = read_counts((await bento.client.site()).body, "GET /stats/site")
        some = read_counts((await bento.client.segment("segment_1")).body, "GET /stats/segment")
    assert 0 < (some.user_count or 0) < (whole.user_count or 0)


async def test_a_report_in_the_old_wrapping_reads_as_the_plain_one():
    """`report_data` around the report makes no difference."""
    async with site() as bento:
        plain = read_report((await bento.client.report("counter")).body, "GET /stats/report")
        wrapped_answer = await bento.client.report("counter_wrapped")
        wrapped = read_report(wrapped_answer.body, "GET /stats/report")
    assert wrapped_answer.body.startswith(b'{"report_data":')
    kind = "Reporting::Reports::VisitorCountReport"
    assert plain == ReportBody(plain.data, "counter", kind, "New subscribers", "counter")
    assert wrapped == ReportBody(wrapped.data, "counter", kind, "New subscribers", None)
    assert bytes(plain.data).isdigit()
    assert bytes(wrapped.data).isdigit()


@pytest.mark.parametrize("dimension", DIMENSIONS)
async def test_ads_answers_by_every_dimension(dimension):
    """The five dimensions of the vendor's page."""
    query = AdsQuery(dimension, "first_revenue", "2026-03-01", "2026-03-02")
    async with site() as bento:
        answer = await bento.client.ads(query)
    stats = read_ads(answer.body, query.params(), answer.endpoint)
    assert stats.dimension == dimension
    assert stats.breakdown


async def test_a_value_is_sent_only_where_one_is_set():
    """An unset parameter is left out, as the vendor's own client does."""
    async with site() as bento:
        await bento.client.ads(QUERY)
        await bento.client.ads(AdsQuery("source", "all_revenue", "2026-03-01", "2026-03-02", value="google ads"))
        queries = await bento.queries()
    asked = {
        "dimension": "source",
        "start_date": "2026-03-01",
        "end_date": "2026-03-02",
        "revenue_mode": "all_revenue",
        "site_uuid": BENTO_SITE_UUID,
    }
    assert queries == [asked, {**asked, "value": "google ads"}]


@every_endpoint
async def test_refused_keys_are_asked_with_once_and_named_by_their_variables(path):
    """A 401 is not retried, names the variables and shows no key."""
    wrong = BentoCredentials("pk_wrong", "sk_wrong", BENTO_SITE_UUID, variables=("SHOP_PK", "SHOP_SK", "SHOP_SITE"))
    async with site(credentials=wrong) as bento:
        with pytest.raises(AccessRefusedError) as caught:
            await ask(bento.client, path)
        counts = await bento.counts()
    assert str(caught.value) == (
        f"Bento GET {path}: HTTP 401 (Unauthorized). The credentials are refused: check SHOP_PK, SHOP_SK, SHOP_SITE."
    )
    assert counts == {f"bento GET {path}": 1}


async def test_a_firewall_in_front_of_the_api_is_not_taken_for_wrong_keys():
    """A 403 with an HTML page says nothing about the keys; it is repeated after a pause that these bounds do not allow."""
    async with site() as bento:
        await bento.fault(kind="html", status=403)
        with pytest.raises(BlockedError, match="This is not Bento's API, but a proxy, a firewall or a bot wall"):
            await bento.client.site()
        counts = await bento.counts()
    assert counts == {"bento GET /stats/site": 1}


@every_endpoint
@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_fault_that_may_pass_is_tried_again(path, status):
    """Two bad answers and then a good one make one response of three attempts."""
    async with site() as bento:
        await bento.fault(kind="status", status=status, times=2)
        answer = await ask(bento.client, path)
        counts = await bento.counts()
    assert (answer.attempts, counts) == (3, {f"bento GET {path}": 3})


async def test_a_fault_that_stays_ends_after_the_attempts_allowed():
    """Three attempts, no fourth."""
    async with site() as bento:
        await bento.fault(kind="status", status=500)
        with pytest.raises(TransientError, match=r"Bento GET /stats/ads: HTTP 500"):
            await bento.client.ads(QUERY)
        counts = await bento.counts()
    assert counts == {"bento GET /stats/ads": 3}


def test_throttling_without_a_hint_is_waited_out_in_minutes():
    """The limit counts by the hour: 60 s, doubling, 900 s at most, half an hour in all."""
    throttled = TransientError("", evidence=Evidence("GET /stats/site", status=429))
    waits = [backoff(RETRIES, attempt=lambda no=no: no)(throttled) for no in range(1, RETRIES.attempts)]
    assert (waits, RETRIES.patience_s) == ([60.0, 120.0, 240.0, 480.0, 900.0], 1800.0)


@pytest.mark.parametrize(
    ("kind", "name"), [("segment", "unknown_segment"), ("report", "unknown_report")], ids=["segment", "report"]
)
async def test_an_unknown_id_is_named_after_one_request(kind, name):
    """A 404 says which id of the YAML the site does not know, and keeps the response as evidence."""
    async with site() as bento:
        with pytest.raises(PermanentError) as caught:
            await getattr(bento.client, kind)(name)
        counts = await bento.counts()
    assert str(caught.value) == (
        f"Bento GET /stats/{kind}: HTTP 404, no {kind} '{name}' at this site. Check `{kind}s` in the YAML, "
        "and that the keys are those of the site it belongs to."
    )
    assert caught.value.evidence == Evidence(
        f"GET /stats/{kind}", status=404, body=f'{{"error":"{kind.capitalize()} not found"}}'
    )
    assert counts == {f"bento GET /stats/{kind}": 1}


@every_endpoint
@pytest.mark.parametrize("body", [{"status": "ok"}, {}, [], None, 7], ids=repr)
async def test_a_success_that_is_not_of_the_documented_shape_is_refused_at_once(path, body):
    """A body without what the vendor's page names never becomes raw and is not requested again."""
    async with site() as bento:
        await bento.fault(kind="body", body=body)
        with pytest.raises(UnexpectedPayloadError) as caught:
            await ask(bento.client, path)
        counts = await bento.counts()
    assert caught.value.evidence is not None
    assert caught.value.evidence.endpoint == f"GET {path}"
    assert counts == {f"bento GET {path}": 1}


def with_totals(**changes: Any) -> str:
    """The sample with changed totals."""
    return changed(ADS, totals={**part(ADS, "totals"), **changes})


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (changed(ADS, chartData=...), "it has neither `chart` nor `chartData`"),
        (changed(ADS, dimension="ad"), "it is grouped by 'ad' where 'source' was requested"),
        (
            changed(ADS, revenueMode={"mode": "subscriptions"}),
            "it counts 'subscriptions' where 'all_revenue' was requested",
        ),
        (with_totals(revenueCents=5051), "totals has revenueCents 5051 and revenueByCurrency 5050 USD"),
        (
            changed(ADS, breakdown=[{**part(ADS, "breakdown")[0], "revenueByCurrency": {"USD": 1}}]),
            "'google' has revenueCents 5050 and revenueByCurrency 1 USD",
        ),
        (
            with_totals(revenueByCurrency={"EUR": 1200, "GBP": 7}),
            "totals has revenueCents 5050 USD and revenueByCurrency 1200 EUR, 7 GBP",
        ),
        (
            with_totals(revenueCurrency=None, revenueByCurrency={"EUR": 1200}),
            "totals has revenueCents 5050 and revenueByCurrency 1200 EUR",
        ),
    ],
    ids=[
        "no chart",
        "another dimension",
        "another mode",
        "totals",
        "breakdown",
        "a sum in no currency",
        "no currency named",
    ],
)
def test_an_answer_that_contradicts_itself_or_the_question_is_refused(body, problem):
    """The message says what contradicts what; the body is the evidence."""
    with pytest.raises(UnexpectedPayloadError) as caught:
        read_ads(body, QUERY.params(), "GET /stats/ads")
    assert str(caught.value) == (
        f"Bento GET /stats/ads: the response is not as documented: {problem}. Compare it with https://bentonow.com/stats."
    )
    assert caught.value.evidence == Evidence("GET /stats/ads", body=body)


@pytest.mark.parametrize("value", [5050.5, "much", True, 2**63])
def test_cents_that_are_no_whole_number_are_refused(value):
    """Money is whole cents; nothing is rounded."""
    with pytest.raises(UnexpectedPayloadError, match=r"revenueCents"):
        read_ads(with_totals(revenueCents=value), QUERY.params(), "GET /stats/ads")


@pytest.mark.parametrize("name", ["user_count", "subscriber_count", "unsubscriber_count"])
def test_counts_need_all_three_numbers(name):
    """The vendor's page promises all of them."""
    with pytest.raises(UnexpectedPayloadError, match=f"missing required field `{name}`"):
        read_counts(changed(COUNTS, **{name: ...}), "GET /stats/site")


def test_credentials_show_nothing_of_what_they_hold():
    """Neither the text of the object nor anything else for people has a key or the site in it."""
    assert repr(CREDENTIALS) == (
        "BentoCredentials(variables=('BENTO_PUBLISHABLE_KEY', 'BENTO_SECRET_KEY', 'BENTO_SITE_UUID'))"
    )
    token = b64encode(f"{BENTO_PUBLISHABLE_KEY}:{BENTO_SECRET_KEY}".encode()).decode()
    assert CREDENTIALS.secrets() == (token, BENTO_SECRET_KEY, BENTO_PUBLISHABLE_KEY, BENTO_SITE_UUID)
    assert CREDENTIALS.headers() == {
        "Authorization": f"Basic {token}",
        "User-Agent": f"analytics_assets/0.1 (+{BENTO_SITE_UUID})",
    }


async def test_a_vendor_that_echoes_secrets_gets_them_into_no_message():
    """What a refusal quotes and keeps as evidence is redacted."""
    echoed = f"{BENTO_SECRET_KEY} of {BENTO_SITE_UUID}"
    async with site() as bento:
        await bento.fault(kind="status", status=400, body={"error": echoed})
        with pytest.raises(PermanentError) as caught:
            await bento.client.site()
    assert str(caught.value) == (
        "Bento GET /stats/site: HTTP 400 ([redacted] of [redacted]). The request is refused: check the parameters in the YAML."
    )
    assert caught.value.evidence == Evidence("GET /stats/site", status=400, body='{"error":"[redacted] of [redacted]"}')
