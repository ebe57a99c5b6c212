"""Which cohorts still change: the days a schedule requests.

A cohort is mature when it was requested after the day of its last interval was over, and settled when `settle_days` more were over: vendors
correct late. The lake says when each stored day was last requested, so it shows what to request: all that is not settled, and all that is missing
in between. Schedules are in `orchestration/schedules.py`.
"""

from datetime import date, timedelta
from typing import Final

from analytics_assets.lake.confirmations import last_request
from analytics_assets.lake.footer import Footer
from analytics_assets.lake.store import Lake
from analytics_assets.sources.airbridge.report_spec import ReportSpec, spec_hash
from analytics_assets.sources.airbridge.streams import App
from analytics_assets.sources.airbridge.tables import cohorts_table, report_raw_table

# Days after a cohort is settled in which a schedule still finds what an outage left out.
GRACE_DAYS: Final = 30


def first_changing(
    lake: Lake, account: str, app: App, spec: ReportSpec, *, newest: date, lookback_days: int
) -> date | None:
    """The first day to request, so that up to `newest` every cohort that changes or is missing is requested; None where all are settled.

    Where nothing stands in the last intervals, `settle_days` and days of grace it is the first of `lookback_days`. Days before the oldest that stands
    there were never wanted. After a gap the days from it on are requested, settled or not: a task takes 92 days.
    """
    oldest = newest - timedelta(days=spec.intervals + spec.settle_days + GRACE_DAYS)
    standing = {day for day in lake.days(account, cohorts_table(spec).name) if oldest <= day <= newest}
    if not standing:
        return newest - timedelta(days=lookback_days - 1)
    raw_table = report_raw_table(spec).name
    confirmed = lake.confirmed(account, raw_table, standing)
    day = min(standing)
    while day <= newest:
        raw = lake.usable(account, raw_table, day) if day in standing else None
        if raw is None or not _is_settled(last_request(raw.footer, confirmed.get(day)), app, spec, day):
            return day
        day += timedelta(days=1)
    return None


def _is_settled(last: Footer, app: App, spec: ReportSpec, day: date) -> bool:
    if last.requested_at is None or last.request_hash != spec_hash(spec):
        return False
    return app.day_of(last.requested_at) > day + timedelta(days=spec.intervals + spec.settle_days)
