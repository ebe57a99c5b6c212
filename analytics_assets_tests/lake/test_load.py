"""Bringing days in: order, memory, and what one bad day means for the others."""

import asyncio
import gc
from collections.abc import Callable, Mapping
from contextlib import aclosing
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from analytics_assets.errors import (
    AccessRefusedError,
    NotFinalError,
    PermanentError,
    SourceError,
    TransientError,
    UnreachableError,
)
from analytics_assets.lake.load import DayResult
from analytics_assets.lake.store import Lake
from analytics_assets.lake.stream import Typed
from analytics_assets_tests.lake.vendor import NOW, NUMBERS, START, Vendor, brought, days, landing, numbers, outcomes

ALL = "numbers numbers_raw sums"


def _others() -> set["asyncio.Task[object]"]:
    return asyncio.all_tasks() - {asyncio.current_task()}


async def test_days_land_in_order_though_they_are_read_ahead(disk: Lake) -> None:
    """The first response comes last; each day still lands after the one before it."""
    later = asyncio.Event()

    async def before(day: date) -> None:
        if day == START:
            await later.wait()
        elif day == START + timedelta(days=2):
            later.set()

    vendor = Vendor(before=before)
    results = await brought(disk, vendor.stream(), days(5))
    assert vendor.answered[:3] == [days(3)[1], days(3)[2], START]
    assert outcomes(results) == {str(day): ALL for day in days(5)}
    assert (vendor.announced, vendor.stored) == ([days(5)], days(5))
    assert disk.read("shop", NUMBERS).to_pylist() == [{"date": day, "part": 0, "number": day.day} for day in days(5)]


async def test_a_landed_day_is_told_in_full(disk: Lake) -> None:
    """What stands, its figures, and that the vendor was asked."""
    vendor = Vendor({START: ["4", "-1"]})
    [result] = await brought(disk, vendor.stream(), [START])
    expected = DayResult(
        START,
        tables={name: result.tables[name] for name in ("numbers_raw", "numbers", "sums")},
        figures={"numbers_raw": {"bodies": 2}, "numbers": {"biggest": 4}, "sums": {"sum": 3}},
        requested_at=NOW,
        was_requested=True,
    )
    assert result == expected
    assert {name: (table.rows, table.is_changed) for name, table in result.tables.items()} == {
        "numbers_raw": (2, True),
        "numbers": (2, True),
        "sums": (1, True),
    }
    footer = result.tables["numbers_raw"].footer
    assert (footer.request_hash, footer.attempt_group, footer.requested_at, footer.is_sandbox) == (
        "v1",
        "first",
        NOW,
        False,
    )
    typed = result.tables["sums"].footer
    assert (typed.request_hash, typed.attempt_group, typed.requested_at, typed.is_sandbox) == ("", "", None, False)


@pytest.mark.parametrize("ahead", [1, 2, 4])
async def test_never_more_days_than_allowed_are_in_memory(disk: Lake, ahead: int) -> None:
    """Reading ahead stops at the window, also while whoever reads the results takes a long time over one."""

    async def let_go(below: int) -> None:
        # The threads that made and landed a day let go of it a moment after they have said so.
        for _ in range(2000):
            if vendor.held() < below:
                return
            await asyncio.sleep(0.005)

    vendor, held = Vendor(before=lambda _day: let_go(ahead)), list[int]()
    stream = vendor.stream(ahead=ahead)
    async with aclosing(landing(disk).load(stream, days(8), stream.fetcher)) as results:
        async for _ in results:
            await asyncio.sleep(0.03)
            held.append(vendor.held())
    assert vendor.most_held == ahead
    assert max(held) <= ahead
    await let_go(1)
    assert vendor.held() == 0


async def test_one_bad_day_of_ten_fails_alone(disk: Lake) -> None:
    """The other nine land, and nobody tells the ledger that the bad one did."""
    bad = days(10)[4]
    vendor = Vendor({bad: TransientError("Timed out after 60 s.")})
    results = await brought(disk, vendor.stream(), days(10))
    assert outcomes(results) == {
        str(day): "TransientError: Timed out after 60 s." if day == bad else ALL for day in days(10)
    }
    good = [day for day in days(10) if day != bad]
    assert [disk.days("shop", name) for name in ("numbers_raw", "numbers", "sums")] == [good, good, good]
    assert vendor.stored == good


@pytest.mark.parametrize("kind", [AccessRefusedError, UnreachableError])
async def test_what_no_other_day_can_pass_ends_the_asking(disk: Lake, kind: type[SourceError]) -> None:
    """Days in flight are let go, days behind them are never requested, and each has the same error."""
    refused = days(10)[2]

    async def before(day: date) -> None:
        if day > refused:
            await asyncio.sleep(60)

    vendor = Vendor({refused: kind("Not with this key.")}, before=before)
    results = await asyncio.wait_for(brought(disk, vendor.stream(), days(10)), 20)
    assert outcomes(results) == {
        str(day): ALL if day < refused else f"{kind.__name__}: Not with this key." for day in days(10)
    }
    assert vendor.asked == days(4)
    assert [result.was_requested for result in results] == [True] * 3 + [False] * 7


async def test_answers_that_are_there_when_the_asking_ends_still_land(disk: Lake) -> None:
    """They were paid for; requesting them again would cost the budget a second time."""
    ready = asyncio.Event()

    async def before(day: date) -> None:
        if day == START:
            await ready.wait()
        elif day == days(3)[2]:
            ready.set()

    vendor = Vendor({START: UnreachableError("No connection.")}, before=before)
    results = await brought(disk, vendor.stream(), days(6))
    told = "UnreachableError: No connection."
    assert outcomes(results) == {
        "2026-03-01": "UnreachableError: No connection.",
        "2026-03-02": ALL,
        "2026-03-03": ALL,
        "2026-03-04": told,
        "2026-03-05": told,
        "2026-03-06": told,
    }
    assert vendor.asked == days(3)


async def test_days_that_need_no_asking_land_though_the_vendor_is_gone(disk: Lake) -> None:
    """What the same attempts have read before is made into tables again."""
    kept = days(4)[2:]
    await brought(disk, Vendor().stream(), kept)
    vendor = Vendor({START: UnreachableError("No connection.")})
    results = await brought(disk, vendor.stream(ahead=1), days(4))
    assert outcomes(results) == {
        "2026-03-01": "UnreachableError: No connection.",
        "2026-03-02": "UnreachableError: No connection.",
        "2026-03-03": ALL,
        "2026-03-04": ALL,
    }


async def test_a_day_that_is_not_final_is_refused_with_the_instant(disk: Lake) -> None:
    """It is not requested, not even by those who want the typed tables only."""
    now = datetime(2026, 3, 3, 1, 59, tzinfo=UTC)
    vendor = Vendor()
    refusal = "NotFinalError: The day is not final yet. Request it from 2026-03-03 02:00 UTC on."
    assert outcomes(await brought(disk, vendor.stream(), days(2), clock=lambda: now)) == {
        "2026-03-01": ALL,
        "2026-03-02": refusal,
    }
    typed = await brought(disk, vendor.stream(), days(2), clock=lambda: now, selected={"sums"})
    assert outcomes(typed) == {"2026-03-01": "sums", "2026-03-02": refusal}
    assert (vendor.asked, vendor.announced) == ([START], [[START], []])


async def test_a_day_is_asked_for_from_its_instant_on(disk: Lake) -> None:
    """The instant itself is not too early."""
    vendor = Vendor()
    at = datetime(2026, 3, 2, 2, tzinfo=UTC)
    assert outcomes(await brought(disk, vendor.stream(), [START], clock=lambda: at)) == {str(START): ALL}


async def test_a_day_that_becomes_final_while_the_run_works_stays_refused(disk: Lake) -> None:
    """It was not requested, so it neither fails for want of raw rows nor stands as if it had been read."""
    now = [datetime(2026, 3, 3, 1, 59, tzinfo=UTC)]

    async def before(_day: date) -> None:
        now[0] = datetime(2026, 3, 3, 2, 30, tzinfo=UTC)

    results = await brought(disk, Vendor(before=before).stream(), days(2), clock=lambda: now[0])
    assert [type(result.error) for result in results] == [type(None), NotFinalError]


async def test_a_slot_is_given_back_when_its_day_is_stored(disk: Lake) -> None:
    """With one slot the second day is fetched only then; a lost slot would stop the run for ever."""
    async with asyncio.timeout(10):
        results = await brought(disk, Vendor().stream(ahead=1), days(3))
    assert outcomes(results) == {str(day): ALL for day in days(3)}


async def test_whoever_stops_reading_leaves_no_task_behind(disk: Lake) -> None:
    """Days in flight are let go when the results are closed in the middle."""

    async def before(day: date) -> None:
        if day > START:
            await asyncio.sleep(60)

    vendor = Vendor(before=before)
    stream = vendor.stream()
    async with aclosing(landing(disk).load(stream, days(9), stream.fetcher)) as results:
        async for result in results:
            assert result.day == START
            for _ in range(3):
                await asyncio.sleep(0)
            # Those being read, and the making of the next one, which waits for it.
            assert len(_others()) == 8 + 1
            break
    assert _others() == set()


async def test_a_cancelled_run_leaves_no_task_behind(disk: Lake) -> None:
    """Neither the day it waits for nor those ahead of it."""
    was_requested = asyncio.Event()

    async def before(day: date) -> None:
        if day == days(3)[2]:
            was_requested.set()
        await asyncio.sleep(60)

    vendor = Vendor(before=before)
    run = asyncio.ensure_future(brought(disk, vendor.stream(), days(9)))
    await was_requested.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert (_others(), vendor.asked, disk.days("shop", "numbers_raw")) == (set(), days(3), [])


@pytest.mark.parametrize("place", ["fetch", "transform", "on_stored"])
async def test_a_fault_of_the_program_is_not_taken_for_a_bad_day(disk: Lake, place: str) -> None:
    """It ends the whole, with nothing left running; what landed before stands."""
    vendor = Vendor()
    fault = ZeroDivisionError("division by zero")

    def fails(day: date) -> None:
        if day == days(4)[1]:
            raise fault

    def transform(day: date, raw: pa.Table | None) -> Mapping[str, Typed]:
        fails(day)
        return numbers(day, raw)

    if place == "fetch":
        vendor.answers[days(4)[1]] = fault
    changes = {"transform": transform, "on_stored": fails}
    stream = vendor.stream(**{name: change for name, change in changes.items() if name == place})
    with pytest.raises(ZeroDivisionError):
        await brought(disk, stream, days(4))
    gc.collect()
    assert _others() == set()
    assert disk.days("shop", "sums") == days(4)[: 2 if place == "on_stored" else 1]


async def test_a_stream_without_raw_asks_nobody(disk: Lake) -> None:
    """Its days are derived from the lake of the load, which is read once for all of them."""
    vendor, lakes = Vendor(), list[Lake]()

    def derive(lake: Lake) -> Callable[[date], Mapping[str, Typed]]:
        lakes.append(lake)
        return lambda day: numbers(day, _numbers_of(day))

    stream = vendor.stream(raw=None, derive=derive, typed=(NUMBERS,))
    results = await brought(disk, stream, days(2))
    assert lakes == [disk]
    assert outcomes(results) == {str(day): "numbers" for day in days(2)}
    assert [(result.was_requested, result.tables["numbers"].footer.requested_at) for result in results] == [
        (False, None)
    ] * 2
    assert (vendor.asked, vendor.stored, vendor.announced) == ([], [], [[]])


def _numbers_of(day: date) -> pa.Table:
    rows = [{"date": day, "part": 0, "body": "5", "requested_at": NOW}]
    raw = Vendor().stream().raw
    assert raw is not None
    return raw.rows(rows)


async def test_typed_tables_without_raw_rows_are_told_how_to_get_them(disk: Lake) -> None:
    """A message with the remedy, and no request."""
    vendor = Vendor()
    results = await brought(disk, vendor.stream(), [START], selected={"numbers"})
    assert isinstance(results[0].error, PermanentError)
    assert outcomes(results) == {
        "2026-03-01": "PermanentError: The day is not stored in shop/numbers_raw, so there is nothing to make the typed tables from. "
        "Materialize numbers_raw together with them."
    }
    assert vendor.asked == []
