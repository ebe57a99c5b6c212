"""Cohort days that a later task returned unchanged: the files stay, and what depends on the last request is right."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from analytics_assets.lake.load import DayResult
from analytics_assets.lake.raw import RawDay
from analytics_assets.lake.store import Lake
from analytics_assets.lake.stream import DayFetcher
from analytics_assets.orchestration.lake_binding import StateConfirmations
from analytics_assets.sources.airbridge.maturity import first_changing
from analytics_assets.sources.airbridge.report_loader import Waiting
from analytics_assets.sources.airbridge.restatements import restatements_table
from analytics_assets.sources.airbridge.source import report_stream
from analytics_assets.sources.airbridge.streams import App
from analytics_assets.sources.airbridge.tables import daily_tables, report_raw_table
from analytics_assets.sources.airbridge.task_decisions import REQUESTS_TAG, TaskPolicy
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.lake.vendor import brought
from analytics_assets_tests.opened import work
from analytics_assets_tests.sources.airbridge.days import DAY, read
from analytics_assets_tests.sources.airbridge.vendor import group, paged, report, spec, sub_row

APP = App("app", "UTC", "EUR", 4)
# Its intervals are over when the fourth day begins, its days to settle when the sixth does.
OF = spec(settle_days=2)
RAW = report_raw_table(OF)
LIMIT = [{"code": "SAN_PERIOD_LIMIT", "type": "info", "message": "data older than 175 days is removed."}]
ROW = sub_row(str(DAY), 1, 2, 4)


def after(days: int) -> datetime:
    """Noon so many days after the cohort's day."""
    return datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(days=days)


def lake_of(folder: Path) -> Lake:
    """The lake with its state database, as a new process opens it."""
    lake = Lake(str(folder / "lake"))
    lake.confirmations = StateConfirmations(lake.files, f"sqlite:///{folder}/state.db")
    return lake


async def stored(
    folder: Path,
    at: datetime,
    groups: Sequence[Any] | None,
    *,
    task: str = "t-1",
    notices: Sequence[Any] = (),
    **more: Any,
) -> DayResult:
    """Stores the day by a task requested at an instant that returned these groups; without groups, as a run whose task another run has stored."""
    lake = lake_of(folder)

    async def fetch(_day: date) -> RawDay:
        body = {**report(groups or [], **more), "notification": list(notices)}
        return read([body], OF, requested_at=at, task_id=task)[DAY]

    stream = report_stream("shop", APP, OF, Waiting(0, 92, 100, TaskPolicy()))
    tags = {REQUESTS_TAG: "7"} if groups is None else {}
    run = work(paged([]).client(), lake, lambda: at, ledger=Ledger(f"sqlite:///{folder}/state.db"), tags=tags)
    async with stream.open(run) as opened:
        fetcher = opened if groups is None else DayFetcher(fetch)
        tables = {table.name for table in (*daily_tables(OF), restatements_table(OF))}
        [result] = await brought(lake, stream, [DAY], fetcher, attempt_group=str(at), selected=tables, clock=lambda: at)
    assert result.error is None
    return result


def written(result: DayResult) -> list[str]:
    """The tables whose files were written."""
    return sorted(name for name, stored_day in result.tables.items() if stored_day.is_changed)


def first(folder: Path) -> date | None:
    """The first day that a schedule requests, where the day is the newest."""
    return first_changing(lake_of(folder), "shop", APP, OF, newest=DAY, lookback_days=9)


async def test_a_cohort_that_was_confirmed_after_its_settle_days_is_not_requested_again(tmp_path: Path) -> None:
    """Confirmed before, it is. The rows and their task are those of the first response."""
    await stored(tmp_path, after(3), [group(["a"], ROW)])
    assert first(tmp_path) == DAY
    assert written(await stored(tmp_path, after(4), [group(["a"], ROW)], task="t-2")) == []
    assert first(tmp_path) == DAY
    assert written(await stored(tmp_path, after(5), [group(["a"], ROW)], task="t-3")) == []
    assert first(tmp_path) is None
    rows = lake_of(tmp_path).read("shop", RAW).to_pylist()
    assert [(row["task_id"], row["requested_at"]) for row in rows] == [("t-1", after(3))]
    (tmp_path / "state.db").unlink()
    assert first(tmp_path) == DAY


async def test_a_cohort_that_reached_another_interval_is_stored_again(tmp_path: Path) -> None:
    """Its sub-row is the same, and its null has become a number that is missing."""
    await stored(tmp_path, after(2), [group(["a"], sub_row(str(DAY), 1, 2))])
    result = await stored(tmp_path, after(3), [group(["a"], sub_row(str(DAY), 1, 2))])
    assert written(result) == ["revenue_cohorts", "revenue_raw"]


async def test_a_group_that_comes_after_an_empty_day_was_confirmed_as_mature_is_a_restatement(tmp_path: Path) -> None:
    """Only the instant of the last request says which intervals of an empty day had been reached."""
    await stored(tmp_path, after(1), [])
    assert written(await stored(tmp_path, after(4), [])) == []
    await stored(tmp_path, after(5), [group(["a"], ROW)], task="t-3")
    rows = lake_of(tmp_path).read("shop", restatements_table(OF)).to_pylist()
    assert [(row["seen_at"], row["task_id"], row["was_mature"]) for row in rows] == [(after(5), "t-3", True)] * 3


@pytest.mark.parametrize(
    ("before", "later", "is_written"),
    [
        ({}, {"task": "t-2"}, False),
        ({"total": 1}, {"total": 1, "task": "t-2"}, False),
        ({"total": 1}, {"total": 2}, True),
        ({"total": 2}, {"total": 1}, True),
        ({"total": 1}, {}, True),
        ({"notices": LIMIT}, {}, True),
    ],
    ids=["task", "same totals", "groups missing", "groups found", "total no longer declared", "limit gone"],
)
async def test_what_checks_read_of_a_response_is_stored_though_its_rows_are_equal(
    tmp_path: Path, before: dict[str, Any], later: dict[str, Any], *, is_written: bool
) -> None:
    """The id of a task and its instants are not worth a file; a warning of the vendor is."""
    await stored(tmp_path, after(7), [group(["a"], ROW)], **before)
    result = await stored(tmp_path, after(8), [group(["a"], ROW)], **later)
    assert written(result) == (["revenue_raw"] if is_written else [])


@pytest.mark.parametrize("is_declared", [False, True])
async def test_groups_of_other_days_write_no_file_of_this_one(tmp_path: Path, *, is_declared: bool) -> None:
    """The number of groups is that of the whole task, whether the vendor declares it or not."""
    for number, groups in enumerate([[], [group(["b"])]]):
        total = 1 + len(groups) if is_declared else None
        result = await stored(tmp_path, after(7 + number), [group(["a"], ROW), *groups], total=total)
    assert written(result) == []


async def test_a_total_that_differs_is_stored(tmp_path: Path) -> None:
    """Also one that agrees again, so that no warning stays for ever."""
    row, whole = sub_row(str(DAY), 1, 2, 4, cost=99), group(["a"], sub_row(str(DAY), 1, 2, 4, cost=99))
    other = {**group(["a"], row), "total": {"totalCost": {"value": 200}}}
    found = [
        await stored(tmp_path, after(7 + number), [one]) for number, one in enumerate([whole, other, whole, whole])
    ]
    assert [written(result) for result in found[1:]] == [["revenue_raw"], ["revenue_raw"], []]


async def test_a_response_with_old_data_is_kept_after_the_limit_was_gone(tmp_path: Path) -> None:
    """The stored day says that the limit is gone, so a later limited response does not replace it."""
    await stored(tmp_path, after(7), [group(["a"], ROW)], notices=LIMIT)
    await stored(tmp_path, after(8), [group(["a"], ROW)])
    result = await stored(tmp_path, after(9), [group(["a"], sub_row(str(DAY), 1, 2, 3))], notices=LIMIT)
    assert (written(result), result.figures["revenue_raw"]["kept_without"]) == ([], "SAN_PERIOD_LIMIT")


async def test_a_day_that_another_run_has_confirmed_is_taken_with_the_instant_of_that_request(tmp_path: Path) -> None:
    """The run of the sensor sends no request, and its re-execution none either."""
    await stored(tmp_path, after(7), [group(["a"], ROW)])
    await stored(tmp_path, after(8), [group(["a"], ROW)], task="t-2")
    result = await stored(tmp_path, after(9), None)
    lake = lake_of(tmp_path)
    stored_day = lake.stored_day("shop", RAW.name, DAY)
    assert stored_day is not None
    last = lake.last_request("shop", RAW.name, DAY, stored_day.footer)
    assert (written(result), result.requested_at) == ([], after(8))
    assert (last.requested_at, last.attempt_group) == (after(8), str(after(9)))
