"""The client against the simulated vendor and against scripted answers: tasks, states, rows, both envelopes."""

from datetime import UTC, date, datetime
from typing import Any

import httpx
import msgspec
import pytest

from analytics_assets.sources.airbridge.client import (
    METADATA,
    TaskState,
)
from analytics_assets.sources.airbridge.report_spec import body
from analytics_assets_tests.sources.airbridge.samples import (
    CREATED,
    EVENTS,
    GROUP_BYS,
    METRICS,
    NOTIFICATION,
    REPORT,
    REQUEST,
    SUB_ROW,
)
from analytics_assets_tests.sources.airbridge.vendor import Sandboxed, Scripted, always, group, report, spec, sub_row

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 14)
CHANNELS = ("facebook.business", "google.adwords", "newsletter", "tiktok", "unattributed", "youtube")


async def state_of(said: Any) -> TaskState:
    """What the client makes of a response to a look."""
    return await always(said).client().report_state("t-1")


@pytest.mark.parametrize("envelope", ["data", "task"])
async def test_a_report_is_asked_for_looked_at_and_read(envelope: str):
    """The whole life of a task in the sandbox, in either envelope; the app's name is one segment of the path."""
    sandbox = Sandboxed({"airbridge_envelope": envelope})
    client = sandbox.client
    handle = await client.request_report(body(spec(), FIRST, LAST))
    seen = []
    for seconds in (0.0, 1.0, 1.0):
        sandbox.wait(seconds)
        seen.append((await client.report_state(handle.task_id)).status)
    pages = await client.report_pages(handle.task_id, 2)
    channels = [one.values for page in pages for one in page.groups]
    assert (handle.status, seen) == (None, ["PENDING", "RUNNING", "SUCCESS"])
    assert channels == [(name,) for name in CHANNELS]
    assert {(min(one.days), max(one.days)) for page in pages for one in page.groups} == {(FIRST, LAST)}
    assert await sandbox.control("GET", "/counts") == {
        "airbridge POST /reports/api/v3/apps/{app}/revenue/query": 1,
        "airbridge GET /reports/api/v3/apps/{app}/revenue/query/{task_id}": 6,
    }


async def test_requests_are_sent_as_the_page_shows_them():
    """Path, query and headers of all five endpoints; names are percent-encoded, and each requests English."""

    def answer(request: httpx.Request) -> Any:
        named = {"metrics": METRICS, "groupbys": GROUP_BYS, "events": EVENTS}
        return CREATED if request.method == "POST" else named.get(request.url.path.rsplit("/")[-1], REPORT)

    vendor = Scripted(answer)
    client = vendor.client("my/app")
    await client.request_report(REQUEST)
    await client.report_state("a/b")
    await client.report_page("a/b", skip=200, size=100)
    await client.metrics()
    await client.group_bys()
    await client.events()
    app = "/apps/my%2Fapp/revenue"
    assert [f"{one.method} {one.url.raw_path.decode()}" for one in vendor.requests] == [
        f"POST /reports/api/v3{app}/query",
        f"GET /reports/api/v3{app}/query/a%2Fb?skip=0&size=1",
        f"GET /reports/api/v3{app}/query/a%2Fb?skip=200&size=100",
        f"GET /dataspec/v1{app}-report/metrics",
        f"GET /dataspec/v1{app}-report/groupbys",
        f"GET /dataspec/v1{app}-report/events",
    ]
    names = ("authorization", "accept-language", "content-type")
    sent = {tuple(one.headers[name] for name in names) for one in vendor.requests}
    assert sent == {("Bearer secret-token", "en", "application/json")}
    assert msgspec.json.decode(vendor.requests[0].content) == REQUEST


async def test_the_sample_of_a_created_task_is_read():
    """The id is opaque; the sample tells no status."""
    handle = await always(CREATED).client().request_report(REQUEST)
    assert (handle.task_id, handle.status) == ("5e286bd4-b4b1-4c04-8f6a-asdf1234zxcv", None)


async def test_a_task_of_the_sibling_envelope_is_read_with_its_status():
    """Sibling reports answer with `task`, and may already be finished."""
    handle = await always({"task": {"taskId": "t-9", "status": "SUCCESS"}}).client().request_report(REQUEST)
    assert (handle.task_id, handle.status) == ("t-9", "SUCCESS")


async def test_the_sample_report_is_read_key_for_key():
    """Its one group, what it says of paging, its notification, and the sub-row with the text it was sent with."""
    page = await always(REPORT).client().report_page("t-1")
    (only,) = page.groups
    assert (page.total_count, page.has_next, only.values) == (48, False, ("<groupBy>",))
    assert {day: msgspec.json.decode(text) for day, text in only.days.items()} == {date(2021, 11, 1): SUB_ROW}
    assert msgspec.json.decode(only.total) == REPORT["data"]["stats"]["rows"][0]["total"]
    assert [msgspec.json.decode(one) for one in page.notifications] == [NOTIFICATION]


async def test_the_state_in_the_sample_is_read_key_for_key():
    """`endedAt` has an offset of its own, whatever the app's zone."""
    seen = await state_of(REPORT)
    ended = datetime(2022, 1, 17, 10, 10, 0, 286939, tzinfo=UTC)
    assert (seen.status, seen.word, seen.reason, seen.trace_id, seen.ended_at) == (
        "SUCCESS",
        "SUCCESS",
        None,
        None,
        ended,
    )


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("PENDING", "PENDING"),
        ("RUNNING", "RUNNING"),
        ("SUCCESS", "SUCCESS"),
        ("FAILURE", "FAILURE"),
        ("FAILED", "FAILURE"),
        ("CANCELED", "CANCELED"),
        ("ARCHIVED", "UNKNOWN"),
    ],
)
@pytest.mark.parametrize("envelope", ["data", "task"])
async def test_every_word_for_a_state_has_its_meaning(word: str, status: str, envelope: str):
    """FAILED is what some clients of sibling reports write; a new word is not taken for any of the known ones."""
    seen = await state_of({envelope: {"taskId": "t-1", "status": word}})
    assert (seen.status, seen.word) == (status, word)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"data": {"status": "PENDING"}}, None),
        ({"data": {"status": "FAILURE", "message": "query too large"}}, "query too large"),
        ({"task": {"status": "FAILURE", "error": {"code": 7}}, "traceId": "1-a-b"}, '{"code":7} [trace 1-a-b]'),
        ({"task": {"status": "FAILURE"}, "detail": "no quota"}, "no quota"),
        ({"data": {"status": "PAUSED"}}, "the vendor says 'PAUSED'"),
        ({"data": {"status": "FAILURE", "reason": "token secret-token expired"}}, "token [redacted] expired"),
    ],
)
async def test_what_a_state_says_is_told_in_words(said: Any, words: str | None):
    """No page names the field of a reason, so several are looked at; a secret in it stays secret."""
    assert (await state_of(said)).words == words


@pytest.mark.parametrize("ended", ["yesterday", "2026-03-20T10:00:00", ""])
async def test_an_end_without_a_known_instant_is_left_out(ended: str):
    """Nothing depends on it, so it is no reason to refuse the state."""
    assert (await state_of({"data": {"status": "SUCCESS", "endedAt": ended}})).ended_at is None


async def test_looking_at_a_state_never_minds_the_rows():
    """A look requests one group and reads none, so rows of an unknown shape fail no look."""
    assert (await state_of({"data": {"status": "SUCCESS", "stats": {"rows": "?"}}})).status == "SUCCESS"


@pytest.mark.parametrize("nothing", [{"stats": None}, {"stats": {"rows": None}}, {"stats": {"rows": []}}, {}])
async def test_a_report_of_no_groups_has_no_rows_in_whatever_way_it_says_so(nothing: dict[str, Any]):
    """A count of zero is what makes a missing list believable."""
    said = {"data": {"status": "SUCCESS", "metadata": {"totalCount": 0}, **nothing}}
    assert [page.groups for page in await always(said).client().report_pages("t-1")] == [()]


async def test_group_values_are_text_however_they_are_sent():
    """An absent value is empty, and a boolean dimension may come as a JSON boolean."""
    said = report([group([None, True, 1.50, "x"]), group(None)])
    page = await always(said).client().report_page("t-1")
    assert [one.values for one in page.groups] == [("", "true", "1.5", "x"), ()]


async def test_a_date_time_counts_as_its_date():
    """A sibling report sends the start date with a time and an offset; the date is the app's own."""
    page = await always(report([group(["a"], sub_row("2026-03-01T00:00:00+09:00", 1))])).client().report_page("t-1")
    assert list(page.groups[0].days) == [date(2026, 3, 1)]


async def test_numbers_as_text_and_fields_not_known_are_accepted():
    """Both are kept as sent; neither is a reason to lose a day."""
    text = '{"date": "2026-03-01", "values": [{"value": "1.50", "rate": 2}], "newThing": {}}'
    said = (
        msgspec.json.encode(report([group(["a"])], total=1)).decode().replace('"rows":[],', f'"rows":[{text}],"x":1,')
    )
    page = await always(said).client().report_page("t-1")
    assert bytes(page.groups[0].days[date(2026, 3, 1)]).decode() == text


async def test_the_samples_of_the_metadata_are_accepted():
    """Answers are handed on as sent, with the template of their endpoint."""
    answers = [
        await always(METRICS).client().metrics(),
        await always(GROUP_BYS).client().group_bys(),
        await always(EVENTS).client().events(),
    ]
    assert [(one.endpoint, one.plain()) for one in answers] == [
        (f"GET {METADATA}/metrics", METRICS),
        (f"GET {METADATA}/groupbys", GROUP_BYS),
        (f"GET {METADATA}/events", EVENTS),
    ]
