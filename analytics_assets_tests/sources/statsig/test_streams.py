"""What is requested for a day, when a day is final, and wrong specs."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from analytics_assets.errors import AccessRefusedError, PermanentError, TransientError
from analytics_assets.lake.raw import RawDay
from analytics_assets.lake.store import Lake
from analytics_assets.lake.table import DATE
from analytics_assets.orchestration.source_component import ScheduleConfig
from analytics_assets.sandbox.options import Options
from analytics_assets.sources.statsig.client import StatsigClient, event_of
from analytics_assets.sources.statsig.source import StatsigMetrics, listing_stream, values_stream
from analytics_assets.sources.statsig.streams import (
    ListingSpec,
    ValuesSpec,
    end_of_day,
    fetch_listing,
    fetch_values,
)
from analytics_assets.sources.statsig.tables import LISTING_RAW, METRIC_VALUES, VALUES_RAW
from analytics_assets.sources.statsig.totals import ListTotals
from analytics_assets.sources.statsig.transform import definitions, event_metrics
from analytics_assets_tests.sources.statsig.vendor import NOW, Sandboxed, Scripted, clock, metric, page, paged, value

DAY = date(2026, 7, 8)
END = datetime(2026, 7, 9, 8, 0, tzinfo=UTC)


# Nothing is ever stored there.
NOWHERE = Lake("/nonexistent/lake")


async def fetch(client: StatsigClient, day: date = DAY) -> RawDay:
    """A day of values of an account whose lake is empty."""
    return await fetch_values(client, ValuesSpec(), ListTotals(NOWHERE, "statsig", VALUES_RAW), day, clock=clock)


async def walk(client: StatsigClient, spec: ListingSpec, day: date = DAY) -> RawDay:
    """An observation of the definitions of an account whose lake is empty."""
    return await fetch_listing(client, spec, ListTotals(NOWHERE, "statsig", LISTING_RAW), day)


def hours(number: float) -> datetime:
    """An instant so many hours after the end of the day."""
    return END + timedelta(hours=number)


async def test_a_day_of_values_is_asked_for_by_its_name_and_typed():
    """From the simulated vendor to rows of that day: three unit types of every metric, one of them overall."""
    raw = await fetch(Sandboxed(Options(now=clock, statsig_max_limit=40)).client)
    typed = values_stream("statsig", ValuesSpec()).transform(DAY, VALUES_RAW.validated(raw.content, DAY))[
        "metric_values"
    ]
    rows = METRIC_VALUES.validated(typed.content, DAY)
    assert raw.content["part"].to_pylist() == list(range(raw.content.num_rows))
    assert (raw.requested_at, raw.notes) == (NOW, {})
    assert rows.num_rows == 3 * typed.figures["metrics"] > 0
    assert rows["is_overall"].to_pylist().count(True) == typed.figures["metrics"]
    assert set(rows[DATE].to_pylist()) == {DAY}


async def test_a_total_that_is_not_the_number_of_rows_is_noted():
    """It decides nothing, but a person can see it."""
    raw = await fetch(paged(page([value("a")], total=3)).client(), DAY)
    assert raw.notes == {"total_items_declared": 3}


def test_a_day_is_final_twelve_hours_after_its_end_at_utc_minus_8():
    """20:00 UTC of the following day, in summer and winter alike; both numbers are settings."""
    final_at = ValuesSpec().final_at
    assert final_at(DAY) == hours(12)
    assert final_at(date(2026, 7, 1)) == datetime(2026, 7, 2, 20, 0, tzinfo=UTC)
    assert final_at(date(2026, 12, 31)) == datetime(2027, 1, 1, 20, 0, tzinfo=UTC)
    moved = ValuesSpec(day_utc_offset_hours=9, final_after_hours=1.5)
    assert moved.final_at(date(2026, 7, 1)) == datetime(2026, 7, 1, 16, 30, tzinfo=UTC)


def test_values_and_definitions_of_a_day_are_final_at_the_same_instant():
    """One run of the schedule loads both; both numbers are settings of the account."""
    schedule = ScheduleConfig(cron="0 0 * * *", lookback_days=1, days_per_run=31)
    account = StatsigMetrics(schedule=schedule, day_utc_offset_hours=0, final_after_hours=5)
    final_at = {stream.name: stream.final_at and stream.final_at(DAY) for stream in account.streams("statsig")}
    due = datetime(2026, 7, 9, 5, tzinfo=UTC)
    assert final_at == {"values": due, "definitions": due, "listing": None}


def test_each_day_is_asked_with_a_hash_of_its_own():
    """A raw day is only a response to its own question."""
    asked = values_stream("statsig", ValuesSpec()).request_hash
    assert asked(DAY) == asked(DAY) != asked(DAY + timedelta(days=1))


async def test_an_empty_recent_day_counts_as_not_computed_yet():
    """2026-07-08 is final since 25 hours at the time of asking: to be asked again later."""
    with pytest.raises(TransientError, match=r"the day is not computed yet.*From 2026-07-11 20:00 UTC on"):
        await fetch(paged(page([])).client(), DAY)


@pytest.mark.parametrize(("day", "is_late"), [(date(2026, 7, 7), False), (date(2026, 7, 8), True)])
async def test_an_empty_day_lands_from_two_days_after_it_is_final(day: date, is_late: bool):
    """2026-07-07 is final since 49 hours: nothing happened on it."""
    client = paged(page([])).client()
    if is_late:
        with pytest.raises(TransientError):
            await fetch(client, day)
        return
    raw = await fetch(client, day)
    assert (
        values_stream("statsig", ValuesSpec()).transform(day, raw.content)["metric_values"].figures["is_empty"] is True
    )


@pytest.mark.parametrize("status", [400, 404])
@pytest.mark.parametrize(
    ("day", "kind", "advice"),
    [
        (
            date(2026, 7, 7),
            PermanentError,
            "If the project has no data that early, set `start_date` in the account's YAML to its first day. Otherwise check `base_url`.",
        ),
        (date(2026, 7, 8), TransientError, "The day may not be computed yet. Request it again later."),
    ],
    ids=["old", "recent"],
)
async def test_a_day_that_statsig_refuses_is_told_as_a_day_without_values(
    status: int, day: date, kind: type[Exception], advice: str
):
    """No page says how a day that is not computed, or from before the project, answers; nothing is wrong with the ids in the YAML."""
    vendor = Scripted(lambda _: (status, {"status": status, "message": "Data is not available"}))
    with pytest.raises(kind) as caught:
        await fetch(vendor.client(), day)
    assert str(caught.value) == (
        f"Statsig GET /metrics/values: HTTP {status} (Data is not available), so there are no values for the day. {advice}"
    )
    assert len(vendor.requests) == 1


@pytest.mark.parametrize("body", ["[]", '{"message": 7}', ""])
async def test_a_refused_day_is_told_whatever_the_body_says(body: str):
    """The vendor's words are left out where there are none."""
    vendor = Scripted(lambda _: (404, body))
    with pytest.raises(PermanentError, match=r"HTTP 404, so there are no values for the day\."):
        await fetch(vendor.client(), date(2026, 7, 7))


@pytest.mark.parametrize(
    ("status", "body"),
    [(401, {}), (403, {}), (422, {}), (400, {"errors": [{"property": "limit", "errorMessage": "x"}]})],
)
async def test_other_refusals_are_not_about_the_day(status: int, body: dict[str, Any]):
    """A key, a role, a parameter."""
    with pytest.raises(PermanentError) as caught:
        await fetch(Scripted(lambda _: (status, {"message": "no", **body})).client(), DAY)
    assert "no values" not in str(caught.value)


async def test_a_walk_discovers_the_events_and_reads_each_of_them():
    """The union of all lineages, in order of name; raw keeps the pages that discovered them."""
    sandbox = Sandboxed()
    day = listing_stream("statsig", ListingSpec()).day_of(NOW)
    raw = await walk(sandbox.client, ListingSpec(), day)
    paths = LISTING_RAW.validated(raw.content, day)["path"].to_pylist()
    names = {"a/b läuft", "ad_click", "ad_impression", "add_to_cart", "checkout", "deeplink_open", "deeplink_pageview"}
    names |= {"page view", "sign_in", "sign_up"}
    assert paths[0] == "/metrics/list"
    assert [event_of(path) for path in paths[1:]] == sorted(names)
    assert raw.notes == {"events": 10}
    assert "person@example.com" not in str(raw.content["body"].to_pylist())


async def test_a_walk_over_named_events_asks_for_them_alone_and_types_as_an_observation():
    """No discovery; the observation gives the day before it, hidden and indirect metrics included."""
    sandbox = Sandboxed()
    spec = ListingSpec(events=("checkout", "a/b läuft"))
    raw = await walk(sandbox.client, spec, DAY + timedelta(days=1))
    typed = event_metrics(DAY, definitions(raw.content, NOW), is_reconstructed=False)
    rows = [(row["event_name"], row["metric_name"], row["is_indirect"]) for row in typed.content.to_pylist()]
    assert await sandbox.control("GET", "/counts") == {"statsig GET /events/{eventName}/metrics": 2}
    assert ("checkout", "test funnel 1", True) in rows
    assert [row for row in rows if row[0] == "a/b läuft"] == [
        ("a/b läuft", "a/b läuft", False),
        ("a/b läuft", "a/b läuft", False),
        ("a/b läuft", "läuft pro view/a", False),
    ]


async def test_people_are_in_the_walk_only_where_the_yaml_says_so():
    """Raw included."""
    body = page([metric("a", creatorEmail="person@example.com")])
    told = {}
    for keep in (False, True):
        spec = ListingSpec(events=("checkout",), keep_personal_fields=keep)
        raw = await walk(paged(body).client(), spec, DAY)
        told[keep] = "person@example.com" in raw.content["body"][0].as_py()
    assert told == {False: False, True: True}


async def test_a_discovered_name_no_address_can_hold_is_noted_and_miscounts_too():
    """The vendor's own sample of all metrics has an event called `.`."""

    def answer(request: httpx.Request) -> Any:
        if request.url.path.endswith("/metrics/list"):
            lineages = ({"events": ["checkout", "."]}, {"events": None}, None)
            return page([metric(f"m{number}", lineage=lineage) for number, lineage in enumerate(lineages)])
        return page([metric("a")], total=1254)

    vendor = Scripted(answer)
    raw = await walk(vendor.client(), ListingSpec(), DAY)
    assert len(vendor.requests) == 2
    assert raw.notes == {
        "events": 1,
        "events_not_askable": ["."],
        "total_items_declared": {"/events/checkout/metrics": 1254},
    }


@pytest.mark.parametrize("events", [None, ("checkout", "sign_up", "sign_in")])
async def test_a_refused_key_costs_a_walk_one_request(events: tuple[str, ...] | None):
    """The first request of a walk goes alone."""
    sandbox = Sandboxed(key="console-wrong")
    with pytest.raises(AccessRefusedError):
        await walk(sandbox.client, ListingSpec(events=events), DAY)
    assert sum((await sandbox.control("GET", "/counts")).values()) == 1


async def test_one_event_that_fails_fails_the_walk():
    """Half a walk is no observation: the missing event would look as if it had no metrics."""
    sandbox = Sandboxed()
    await sandbox.control("POST", "/faults", [{"kind": "status", "status": 500, "contains": "/sign_in/"}])
    with pytest.raises(TransientError, match="HTTP 500"):
        await walk(sandbox.client, ListingSpec(), DAY)


def test_an_observation_belongs_to_the_metric_day_it_was_made_in():
    """The day turns at 08:00 UTC, or where the company has moved it."""
    moments = [datetime(2026, 7, 9, 7, 59, 59, tzinfo=UTC), datetime(2026, 7, 9, 8, 0, tzinfo=UTC)]
    usual = listing_stream("statsig", ListingSpec())
    moved = listing_stream("statsig", ListingSpec(day_utc_offset_hours=0))
    assert [usual.day_of(moment) for moment in moments] == [date(2026, 7, 8), date(2026, 7, 9)]
    assert [moved.day_of(moment) for moment in moments] == [date(2026, 7, 9)] * 2
    assert (end_of_day(DAY), end_of_day(DAY, 5.5)) == (END, datetime(2026, 7, 8, 18, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ValuesSpec(day_utc_offset_hours=-13), "statsig values: day_utc_offset_hours is -13; .* Use -12 to 14"),
        (lambda: ValuesSpec(final_after_hours=-1), "statsig values: final_after_hours is -1, .* Use 0 or more"),
        (lambda: ListingSpec(day_utc_offset_hours=15), "statsig listing: day_utc_offset_hours is 15"),
        (lambda: ListingSpec(events=()), "statsig listing: events is empty.* leave it out to discover them"),
        (lambda: ListingSpec(events=("a", "b", "a")), "statsig listing: events names 'a' twice"),
        (lambda: ListingSpec(events=("a", "", "..")), r"statsig listing: events names '', '\.\.', which no address"),
    ],
)
def test_a_wrong_spec_is_refused_with_place_reason_and_remedy(make, said: str):
    """Before anything is asked."""
    with pytest.raises(PermanentError, match=said):
        make()
