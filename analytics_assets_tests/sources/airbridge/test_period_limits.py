"""Reports from which Airbridge has removed old data of self-attributing networks: they never replace a day that has it."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from analytics_assets.lake.load import DayResult
from analytics_assets.lake.raw import RawDay
from analytics_assets.lake.store import Lake
from analytics_assets.lake.stream import DayFetcher
from analytics_assets.sources.airbridge.report_loader import Waiting
from analytics_assets.sources.airbridge.report_spec import ReportSpec
from analytics_assets.sources.airbridge.source import report_stream
from analytics_assets.sources.airbridge.streams import App
from analytics_assets.sources.airbridge.tables import cohorts_table, daily_tables, report_raw_table
from analytics_assets.sources.airbridge.task_decisions import TaskPolicy
from analytics_assets_tests.lake.vendor import NOW, brought
from analytics_assets_tests.sources.airbridge.days import DAY, read
from analytics_assets_tests.sources.airbridge.vendor import group, report, spec, sub_row

LIMIT = {"code": "SAN_PERIOD_LIMIT", "type": "info", "message": "data older than 175 days is removed."}
MASKED = {"code": "AGG_DATA_MASKING_BY_FACEBOOK", "type": "info", "message": "some data is masked."}
APP = App("app", "UTC", "EUR", 4)


async def stored(folder: Path, of: ReportSpec, hours: int, value: int, *notifications: dict[str, Any]) -> DayResult:
    """Stores the day by a report of one group, as requested so many hours later; the stream is the one of a run."""
    lake = Lake(str(folder / "lake"))

    async def fetch(_day: date) -> RawDay:
        body = {**report([group(["a"], sub_row(str(DAY), 1, 2, value))]), "notification": list(notifications)}
        return read([body], of, requested_at=NOW + timedelta(hours=hours))[DAY]

    stream = report_stream("shop", APP, of, Waiting(0, 92, 100, TaskPolicy()))
    tables = {one.name for one in daily_tables(of)}
    [result] = await brought(lake, stream, [DAY], DayFetcher(fetch), attempt_group=str(hours), selected=tables)
    assert result.error is None
    return result


@pytest.mark.parametrize(
    ("first", "second", "is_kept"),
    [
        ([], [LIMIT], True),
        ([MASKED], [MASKED, LIMIT], True),
        ([LIMIT], [LIMIT], False),
        ([LIMIT], [], False),
        ([], [MASKED], False),
    ],
)
async def test_a_day_with_old_data_is_kept(tmp_path: Path, first: Any, second: Any, *, is_kept: bool) -> None:
    """The metadata says why; other codes and days that were limited before are replaced as always."""
    of = spec()
    await stored(tmp_path, of, 0, 4, *first)
    result = await stored(tmp_path, of, 1, 5, *second)
    figures = result.figures[report_raw_table(of).name]
    assert figures.get("kept_without") == ("SAN_PERIOD_LIMIT" if is_kept else None)
    values = Lake(str(tmp_path / "lake")).read("shop", cohorts_table(of))["value"].to_pylist()
    assert values[-1] == (4 if is_kept else 5)
