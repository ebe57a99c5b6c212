"""Whether days stand: each that was requested, as its table declares it, and none left out up to the newest that could.

A day whose columns, types, keys or dates are not right never becomes visible (`lake/load.py`); here it is told, with the place of
the response that was kept. Days before the oldest that stands were never wanted, so nobody misses them.
"""

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Final

import pyarrow as pa

from analytics_assets.checks.check import Check, CheckContext, CheckResult, CheckResults, by_day
from analytics_assets.dates import days_between, spans
from analytics_assets.errors import SourceError
from analytics_assets.lake.table import Table

DAYS_STORED: Final = "days_stored"
LATEST_DAY: Final = "latest_day_stored"
READING: Final = "snapshot_stored"
# Of a source with report tasks: repeats what the ledger says, so alerts read the ledger.
REPORTS: Final = "reports_arrive"
LOAD_LATE_DAYS: Final = "See whether the account's schedule is on and its last run was green; then materialize the days named, as one range."
_DAY: Final = timedelta(days=1)


def days_stored(table: Table) -> Check:
    """Whether each requested day is stored and is a valid day of its table."""

    def valid(context: CheckContext, day: date) -> CheckResult:
        try:
            stored = context.lake.stored_day(context.account, table.name, day)
            if stored is None:
                return CheckResult()
            if not context.is_run:
                table.valid_day(context.read(table, day), day)
        except (SourceError, pa.ArrowException) as error:
            return CheckResult(str(error), "error")
        if before := stored.footer.losses.get(table.name):
            message = f"{stored.rows} rows where {before} were stored for the same request; the loss was accepted"
            return CheckResult(message, "warning", {"rows": stored.rows, "rows_before": before})
        return CheckResult(numbers={"rows": stored.rows})

    def find(context: CheckContext) -> CheckResults:
        errors = context.errors(table.name)
        failed = {day: CheckResult(errors[day], "error") for day in context.days if day in errors}
        files = context.files(table.name)
        stored = by_day(
            [day for day in context.days if day in files and day not in failed], lambda day: valid(context, day)
        )
        return dict(sorted({**failed, **stored}.items()))

    return Check(
        DAYS_STORED,
        table.name,
        "A day that was requested was not stored: its request was refused, or the response had other columns or types, a key twice or rows of "
        "another day. What stood before stands still. Or a file of the lake is damaged, or older than a column of its table. A warning says that a "
        "person accepted a response with far fewer rows than were stored for the same request.",
        "Read the reason; a response that could not be used is kept under the path named. Fix the cause and re-execute the run from failure: "
        "only these days are requested. A damaged file goes to the quarantine when its day is loaded again, as with `analytics-assets load`; one that "
        "is older than a column is made anew by materializing the typed tables alone. After a loss that was accepted by mistake, materialize the "
        "day again; the raw day that was replaced is in the quarantine.",
        find,
    )


def latest_day_stored(table: Table, derived: Collection[Table] = ()) -> Check:
    """Whether the newest day that could be stored has, and no day before it is left out.

    Args:
        table: The table.
        derived: The tables made from it. A day that all of them have needs no file of this one.
    """
    names = [derived_table.name for derived_table in derived]
    return Check(
        LATEST_DAY,
        table.name,
        "Days that the vendor has finished are not in the lake: an error where they are the newest, a warning where others stand on both "
        "sides, or right after a run, which may have been for older days alone. Days before the first that was ever stored or before the account's first day do not "
        "count, nor does a day in its hours of grace.",
        LOAD_LATE_DAYS,
        lambda context: late_days(context, table.name, names),
    )


def late_days(context: CheckContext, table: str, derived: Collection[str] = ()) -> Mapping[date, CheckResult]:
    """The days of a table that could be stored and are not; without one the newest as fine, and nothing where none was ever stored.

    A raw day without a file has expired, and is not missing, where all tables that are `made` from it have the day.
    """
    expired = set.intersection(*(set(context.all_days(name)) for name in derived)) if derived else set()
    stored = set(context.all_days(table)) | expired
    if not stored or context.newest is None:
        return {}
    first, last = max(min(stored), context.begins), max(stored)
    missing = [day for day in days_between(first, context.newest) if day not in stored]
    results: dict[date, CheckResult] = {}
    for span in spans(missing, longest=max(1, len(missing))):
        message = f"missing; could be stored since {context.due_at(span[0]):%Y-%m-%d %H:%M %Z}"
        results |= {
            day: CheckResult(message, "error" if day > last and not context.is_run else "warning") for day in span
        }
    return results or {context.newest: CheckResult()}


def snapshot_stored(table: Table) -> Check:
    """Whether the newest day that is over was looked at, of a table that has no past days."""

    def find(context: CheckContext) -> CheckResults:
        stored = context.all_days(table.name)
        if not stored or context.newest is None:
            return {}
        if stored[-1] >= context.newest:
            return {stored[-1]: CheckResult()}
        missing = days_between(stored[-1] + _DAY, context.newest)
        return {day: CheckResult("no reading was taken, and none can be taken any more", "error") for day in missing}

    return Check(
        READING,
        table.name,
        "Nobody looked on the last day that is over. The vendor tells these numbers only as they stand, so that day stays empty.",
        "Switch the schedule `snapshots` on and see why its last run failed; launch the job `snapshots` for a reading of the present day.",
        find,
    )
