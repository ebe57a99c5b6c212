"""What is asked of Bento for a day and for a snapshot, and that a day not proved by its chart is not kept."""

import asyncio
from collections import Counter
from datetime import UTC, date, datetime

import httpx
import pytest

from analytics_assets.errors import AccessRefusedError, PermanentError, UnexpectedPayloadError
from analytics_assets.orchestration.stream import utc_day
from analytics_assets.sandbox.app import Options
from analytics_assets.sandbox.credentials import BENTO_SITE_UUID
from analytics_assets.sources.bento.client import AdsQuery, BentoClient
from analytics_assets.sources.bento.responses import read_ads
from analytics_assets.sources.bento.source import ads_stream, audience_stream, reports_stream
from analytics_assets.sources.bento.streams import (
    AdsSpec,
    AudienceSpec,
    ReportsSpec,
    WindowSpec,
    fetch_ads,
    fetch_audience,
    fetch_reports,
)
from analytics_assets.sources.bento.tables import ADS_ATTRIBUTION, ADS_RAW, ADS_TOTALS, AUDIENCE_COUNTS, REPORT_POINTS
from analytics_assets_tests.sources.bento.samples import ADS, DAY
from analytics_assets_tests.sources.bento.vendor import NOW, changed, site, typed_site


def test_a_day_is_asked_once_per_dimension_and_revenue_mode():
    """In the order of the YAML; the end is the day after."""
    spec = AdsSpec(dimensions=("source", "ad"), revenue_modes=("all_revenue", "subscriptions"))
    assert spec.queries(DAY) == [
        AdsQuery("source", "all_revenue", "2026-03-01", "2026-03-02"),
        AdsQuery("source", "subscriptions", "2026-03-01", "2026-03-02"),
        AdsQuery("ad", "all_revenue", "2026-03-01", "2026-03-02"),
        AdsQuery("ad", "subscriptions", "2026-03-01", "2026-03-02"),
    ]


def test_an_inclusive_end_is_the_day_itself():
    """And a value goes with every question."""
    spec = AdsSpec(value="google", window=WindowSpec(end="inclusive"))
    assert spec.queries(date(2026, 12, 31)) == [
        AdsQuery("source", "all_revenue", "2026-12-31", "2026-12-31", value="google")
    ]


def test_what_is_asked_has_a_name_that_changes_with_the_question_only():
    """Zone and waiting time change what a day means, not what is requested for it."""

    def asked(spec: AdsSpec, day: date = DAY) -> str:
        return ads_stream("shop", spec).request_hash(day)

    same = {asked(AdsSpec()), asked(AdsSpec(final_after_hours=5, window=WindowSpec(zone="Asia/Tokyo")))}
    others = {
        asked(AdsSpec(), date(2026, 3, 2)),
        asked(AdsSpec(value="google")),
        asked(AdsSpec(dimensions=("ad",))),
        asked(AdsSpec(revenue_modes=("subscriptions",))),
        asked(AdsSpec(window=WindowSpec(end="inclusive"))),
    }
    assert (len(same), len(others), same & others) == (1, 5, set())


@pytest.mark.parametrize(
    ("zone", "hours", "final_at"),
    [
        ("UTC", 1, datetime(2026, 3, 30, 1, tzinfo=UTC)),
        ("UTC", 0, datetime(2026, 3, 30, tzinfo=UTC)),
        ("America/New_York", 0.5, datetime(2026, 3, 30, 4, 30, tzinfo=UTC)),
        ("Europe/Berlin", 1, datetime(2026, 3, 29, 23, tzinfo=UTC)),
    ],
)
def test_a_day_is_final_some_hours_after_it_ends_in_its_zone(zone, hours, final_at):
    """Also on the day on which Berlin's clocks change."""
    spec = AdsSpec(window=WindowSpec(zone=zone), final_after_hours=hours)
    assert ads_stream("shop", spec).final_at(date(2026, 3, 29)) == final_at


@pytest.mark.parametrize(("requests", "ahead"), [(1, 32), (3, 12), (15, 4)])
def test_as_many_days_are_read_at_once_as_keep_all_connections_in_use_while_as_many_land(requests, ahead):
    """Sixteen connections are in use by sixteen days of one request or by two of fifteen; as many again wait for their landing."""
    dimensions = ("source", "campaign", "medium", "content", "ad")
    modes = ("all_revenue", "first_revenue", "subscriptions")
    spec = AdsSpec(
        dimensions=dimensions if requests == 15 else dimensions[:1], revenue_modes=modes[: 1 if requests == 1 else 3]
    )
    assert ads_stream("shop", spec).ahead == ahead


@pytest.mark.parametrize(
    ("bento_zone", "bento_end"),
    [("UTC", "exclusive"), ("UTC", "inclusive"), ("America/New_York", "exclusive"), ("Asia/Tokyo", "inclusive")],
)
async def test_a_day_asked_as_bento_reads_it_comes_whole_and_proved(bento_zone, bento_end):
    """Raw, then typed; signups by key add up to the total, money per currency too, and the site is not stored."""
    spec = AdsSpec(dimensions=("source", "campaign"), window=WindowSpec(zone=bento_zone, end=bento_end))
    options = Options(now=lambda: NOW, bento_zone=bento_zone, bento_end=bento_end)
    async with site(options) as bento:
        raw = await fetch_ads(bento.client, spec, DAY)
        counts = await bento.counts()
    content = ADS_RAW.validated(raw.content, DAY)
    stream = ads_stream("shop", spec)
    typed = stream.transform(DAY, content)
    tables = {table.name: table.validated(typed[table.name].content, DAY).to_pylist() for table in stream.typed}
    assert (counts, raw.notes, raw.requested_at) == ({"bento GET /stats/ads": 2}, {}, NOW)
    assert BENTO_SITE_UUID not in str(content.to_pylist())
    for dimension in spec.dimensions:
        rows = [row for row in tables["ads_attribution"] if row["dimension"] == dimension]
        totals = [row for row in tables["ads_totals"] if row["dimension"] == dimension]
        signups = sum(row["signups"] for row in rows if row["is_main_currency"])
        assert [signups] == [row["signups"] for row in totals if row["is_main_currency"]]
        assert signups > 0
        cents = Counter[str]()
        for row in rows:
            cents[row["currency"]] += row["revenue_cents"]
        assert cents == {row["currency"]: row["revenue_cents"] for row in totals}
        points = [row["signups"] for row in tables["ads_chart"] if row["dimension"] == dimension]
        assert sum(points) == signups


@pytest.mark.parametrize(
    ("bento_zone", "bento_end"), [("UTC", "inclusive"), ("America/New_York", "exclusive"), ("Asia/Tokyo", "exclusive")]
)
async def test_a_wrong_guess_of_zone_or_end_fails_before_anything_is_kept(bento_zone, bento_end):
    """Bento reads the dates otherwise than the YAML says: its chart has points outside the day."""
    async with site(Options(now=lambda: NOW, bento_zone=bento_zone, bento_end=bento_end)) as bento:
        with pytest.raises(
            UnexpectedPayloadError, match=r"for the day in UTC .* `window` in the YAML: zone, end, format; "
        ):
            await fetch_ads(bento.client, AdsSpec(), DAY)


async def test_a_day_that_nothing_proves_is_noted():
    """The other wrong guess, a day taken as inclusive where Bento leaves the end out, gives empty days: they are marked."""
    spec = AdsSpec(window=WindowSpec(end="inclusive"))
    async with site(Options(now=lambda: NOW, bento_end="exclusive")) as bento:
        raw = await fetch_ads(bento.client, spec, DAY)
    assert raw.notes == {"window_unverified": True}
    typed = ads_stream("shop", spec).transform(DAY, raw.content)
    assert {name: table.figures["window_unverified"] for name, table in typed.items()} == {
        "ads_attribution": True,
        "ads_totals": True,
        "ads_chart": True,
    }


async def test_typed_tables_are_made_from_kept_raw_as_from_fresh_raw():
    """Raw holds all that the transform needs, whatever the YAML requests by now."""
    async with site() as bento:
        raw = await fetch_ads(bento.client, AdsSpec(dimensions=("ad",)), DAY)
    later = ads_stream("shop", AdsSpec(dimensions=("source", "medium")))
    typed = later.transform(DAY, ADS_RAW.validated(raw.content, DAY))
    stats = read_ads(
        raw.content["body"][0].as_py(), {"dimension": "ad", "revenue_mode": "all_revenue"}, "GET /stats/ads"
    )
    assert {row["key"] for row in typed[ADS_ATTRIBUTION.name].content.to_pylist()} == {
        row.key for row in stats.breakdown
    }
    assert {row["dimension"] for row in typed[ADS_TOTALS.name].content.to_pylist()} == {"ad"}


async def test_one_refused_answer_fails_the_day_and_drops_the_others():
    """No half day, and no request goes on in the background."""
    dropped, all_asked = set[str](), asyncio.Event()

    async def answer(request: httpx.Request) -> httpx.Response:
        dimension = request.url.params["dimension"]
        if dimension == "ad":
            all_asked.set()
        if dimension == "source":
            await all_asked.wait()
            return httpx.Response(401, json={"error": "Unauthorized"})
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            dropped.add(dimension)
            raise
        raise AssertionError

    async with typed_site(answer) as client, asyncio.timeout(10):
        spec = AdsSpec(dimensions=("source", "campaign", "ad"))
        with pytest.raises(AccessRefusedError):
            await fetch_ads(client, spec, DAY)
        assert dropped == {"campaign", "ad"}


async def test_answers_are_kept_in_the_order_asked_whichever_comes_first():
    """The first part belongs to the first dimension, so that the figures are always those of the same response."""

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            200,
            text=changed(ADS, dimension=request.url.params["dimension"]),
            headers={"content-type": "application/json"},
        )

    async with typed_site(answer) as client:
        raw = await fetch_ads(client, AdsSpec(dimensions=("medium", "ad", "source")), DAY)
    assert [row["params"] for row in raw.content.sort_by("part").to_pylist()] == [
        f'{{"dimension":"{dimension}","start_date":"2026-03-01","end_date":"2026-03-02","revenue_mode":"all_revenue"}}'
        for dimension in ("medium", "ad", "source")
    ]


async def test_the_audience_is_the_site_and_each_segment_as_of_now():
    """One request each, filed under the UTC day of the observation."""
    async with site() as bento:
        spec = AudienceSpec(segments=("vip", "new"))
        snapshot = audience_stream("shop", spec)
        day = snapshot.day_of(NOW)
        raw = await fetch_audience(bento.client, spec, day)
        counts = await bento.counts()
    typed = snapshot.transform(day, snapshot.raw.validated(raw.content, day))
    rows = AUDIENCE_COUNTS.validated(typed[AUDIENCE_COUNTS.name].content, day).to_pylist()
    assert (snapshot.account, [table.name for table in snapshot.typed]) == ("shop", ["audience_counts"])
    assert counts == {"bento GET /stats/segment": 2, "bento GET /stats/site": 1}
    assert [(row["date"], row["kind"], row["id"], row["observed_at"]) for row in rows] == [
        (date(2026, 3, 10), "segment", "new", NOW),
        (date(2026, 3, 10), "segment", "vip", NOW),
        (date(2026, 3, 10), "site", "", NOW),
    ]
    assert all(row["user_count"] > row["subscriber_count"] > 0 for row in rows)


async def test_reports_are_read_as_of_now():
    """A number, points, and the old wrapping side by side."""
    async with site() as bento:
        spec = ReportsSpec(reports=("counter", "chart", "counter_wrapped"))
        snapshot = reports_stream("shop", spec)
        day = snapshot.day_of(NOW)
        raw = await fetch_reports(bento.client, spec, day)
        counts = await bento.counts()
    typed = snapshot.transform(day, snapshot.raw.validated(raw.content, day))
    points = REPORT_POINTS.validated(typed[REPORT_POINTS.name].content, day)
    of_report = Counter(points["report_id"].to_pylist())
    assert counts == {"bento GET /stats/report": 3}
    assert (of_report["counter"], of_report["counter_wrapped"], of_report["chart"] > 14) == (1, 1, True)
    assert typed[REPORT_POINTS.name].figures == {"reports": 3, "points": points.num_rows}


@pytest.mark.parametrize("kind", ["segment", "report"])
async def test_a_snapshot_with_an_unknown_id_fails_and_names_it(kind):
    """The other answers are not kept without it."""

    def fetch(client: BentoClient):
        if kind == "segment":
            return fetch_audience(client, AudienceSpec(("vip", "unknown_one")), DAY)
        return fetch_reports(client, ReportsSpec(("counter", "unknown_one")), DAY)

    async with site() as bento:
        with pytest.raises(PermanentError, match=f"no {kind} 'unknown_one' at this site"):
            await fetch(bento.client)


def test_an_observation_belongs_to_its_utc_day():
    """Whatever zone the clock is in."""
    east = datetime.fromisoformat("2026-03-02T08:59:00+09:00")
    assert (utc_day(east), utc_day(NOW)) == (date(2026, 3, 1), date(2026, 3, 10))
