"""Raw and typed days of reports typed in by a test. No assertions here."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from typing import Any

from analytics_assets.lake.raw import RawDay
from analytics_assets.lake.stream import Typed
from analytics_assets.sources.airbridge.paging import Page
from analytics_assets.sources.airbridge.report_days import FinishedTask, ReportDays
from analytics_assets.sources.airbridge.report_spec import ReportSpec
from analytics_assets.sources.airbridge.tables import daily_tables
from analytics_assets.sources.airbridge.transform import typed_days
from analytics_assets_tests.sources.airbridge.vendor import days, group, page, report, spec

DAY = date(2026, 3, 1)
LATER = datetime(2026, 6, 1, tzinfo=UTC)


def read(
    bodies: Sequence[Any],
    of: ReportSpec,
    *,
    first: date = DAY,
    last: date = DAY,
    task_id: str = "t-1",
    requested_at: datetime = LATER,
    zone: str = "UTC",
) -> dict[date, RawDay]:
    """The raw days of a task that answered with these pages."""
    task = FinishedTask(task_id, requested_at, first, last)
    return split(list(map(page, bodies)), of, task, zone=zone)


def split(
    pages: Sequence[Page],
    of: ReportSpec,
    task: FinishedTask,
    *,
    zone: str = "UTC",
    wanted: Sequence[date] | None = None,
    memory_bytes: int = 2**20,
) -> dict[date, RawDay]:
    """The days of a report from its pages, by default all of the task's."""
    wanted = days(task.first_day, task.last_day) if wanted is None else wanted
    with closing(ReportDays(wanted, task, of, zone=zone, memory_bytes=memory_bytes)) as report:
        report.finish([report.take(one) for one in pages])
        return {day: report.day(day) for day in wanted}


def typed(
    *sub_rows: Any,
    of: ReportSpec | None = None,
    requested_at: datetime = LATER,
    zone: str = "UTC",
    **more: Any,
) -> tuple[Typed, Typed]:
    """Cohorts and totals of `DAY`, valid ones, from one sub-row a group; groups are called a, b, c and so on."""
    of = of or spec()
    groups = [group([name], one) for name, one in zip("abcdef", sub_rows, strict=False)]
    raw = read([{**report(groups), **more}], of, requested_at=requested_at, zone=zone)[DAY]
    return valid(typed_days(DAY, raw.content, of, zone=zone, currency="EUR"), of)


def valid(made: Mapping[str, Typed], of: ReportSpec) -> tuple[Typed, Typed]:
    """The two typed tables as they would land."""
    _, cohorts, totals = daily_tables(of)
    assert set(made) == {cohorts.name, totals.name}
    return (
        Typed(cohorts.validated(made[cohorts.name].content, DAY), made[cohorts.name].figures),
        Typed(totals.validated(made[totals.name].content, DAY), made[totals.name].figures),
    )


def columns(table: Typed, *names: str) -> list[tuple[Any, ...]]:
    """Some columns of a table, a tuple a row."""
    return list(zip(*(table.content[name].to_pylist() for name in names), strict=True))
