"""Which cohorts still change: the days a schedule requests.

A cohort is mature when it was requested after the day of its last interval was over, and settled when `settle_days` more were over: vendors
correct late. Stored days say when they were requested, so the lake shows what to request: all that is not settled, and all that is missing
in between. Schedules are in `orchestration/schedules.py`.
"""

from datetime import date, timedelta
from typing import Final

from analytics_assets.lake.store import Lake
from analytics_assets.sources.airbridge.report_spec import ReportSpec, spec_hash
from analytics_assets.sources.airbridge.streams import App
from analytics_assets.sources.airbridge.tables import cohorts_table, report_raw_table

# Days after a cohort is settled in which a schedule still finds what an outage left out.
GRACE_DAYS: Final = 30


def first_changing(
    lake: Lake, account: str, app: App, spec: ReportSpec, *, newest: date, lookback_days: int
) -> date | None:
    """The first day to ask for, so that up to `newest` every cohort that changes or is missing is asked for; None where all are settled.

    Where nothing stands in the last intervals, `settle_days` and days of grace it is the first of `lookback_days`. Days before the oldest that stands
    there were never wanted. After a gap the days from it on are requested, settled or not: a task takes 92 days.
    """
    oldest = newest - timedelta(days=spec.intervals + spec.settle_days + GRACE_DAYS)
    standing = {day for day in lake.days(account, cohorts_table(spec).name) if oldest <= day <= newest}
    if not standing:
        return newest - timedelta(days=lookback_days - 1)
    day = min(standing)
    while day <= newest:
        if day not in standing or not _is_settled(lake, account, app, spec, day):
            return day
        day += timedelta(days=1)
    return None


def _is_settled(lake: Lake, account: str, app: App, spec: ReportSpec, day: date) -> bool:
    raw = lake.usable(account, report_raw_table(spec).name, day)
    if raw is None or raw.footer.requested_at is None or raw.footer.asked != spec_hash(spec):
        return False
    return app.day_of(raw.footer.requested_at) > day + timedelta(days=spec.intervals + spec.settle_days)
