"""What can be asked of a report's cohorts once they are stored: curves, intervals, masks, movements, and days that will not come.

Masked values are left out wherever numbers are compared.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from analytics_assets.checks.check import (
    Check,
    CheckContext,
    CheckResult,
    CheckResults,
    Level,
    Limits,
    by_day,
    each_day,
)
from analytics_assets.checks.completeness import REPORTS
from analytics_assets.checks.fields import Fields, fields_as_known
from analytics_assets.checks.volume import Figure, volume_as_usual
from analytics_assets.http.fields import sent_fields, unknown_fields
from analytics_assets.lake.confirmations import last_request
from analytics_assets.lake.footer import Footer
from analytics_assets.lake.loss import RESPONSES
from analytics_assets.lake.table import MOMENT
from analytics_assets.sources.airbridge.cohorts import fallen
from analytics_assets.sources.airbridge.report_spec import ReportSpec
from analytics_assets.sources.airbridge.responses import CatalogEntry, SubRow
from analytics_assets.sources.airbridge.restatements import restatements_table
from analytics_assets.sources.airbridge.snapshot_tables import CATALOG
from analytics_assets.sources.airbridge.tables import (
    cohort_totals_table,
    cohorts_table,
    is_sum_up_to_interval,
    report_raw_table,
)
from analytics_assets.sources.airbridge.task_decisions import troubles
from analytics_assets.state.requests import Request

MASKED_SHARE: Final = 0.5


def report_checks(account: str, spec: ReportSpec, limits: Limits, *, masked_share: float) -> list[Check]:
    """The checks of a report's tables.

    Args:
        account: The account.
        spec: The report.
        limits: From where on volume is odd.
        masked_share: Share of a day's reached values that the vendor may mask.
    """
    return [
        fields_as_known(report_raw_table(spec), _fields),
        _groups_as_declared(spec),
        _totals_add_up(spec),
        *([_curves_do_not_fall(spec)] if is_sum_up_to_interval(spec) else []),
        _intervals_present(spec),
        _few_masked(spec, masked_share),
        _cohorts_stand(spec),
        reports_arrive(account, spec),
        volume_as_usual(Figure(cohorts_table(spec).name), limits),
        volume_as_usual(Figure(cohort_totals_table(spec).name), limits),
    ]


def catalog_checks() -> list[Check]:
    """The checks of the catalogue, whose entries are kept as sent."""
    return [fields_as_known(CATALOG, lambda raw: _fields_of(raw["entry"], CatalogEntry))]


def _fields(raw: pa.Table) -> Fields:
    return _fields_of(raw["sub_row"], SubRow)


def _fields_of(texts: pa.ChunkedArray, kind: type[msgspec.Struct]) -> Fields:
    held = texts.to_pylist()
    known, unknown = (sent_fields(text, kind) for text in held), (unknown_fields(text, kind) for text in held)
    return Fields(frozenset[str]().union(*known), frozenset[str]().union(*unknown))


def _groups_as_declared(spec: ReportSpec) -> Check:
    def judged(content: pa.Table) -> CheckResult:
        declared, read = (next(iter(content[name].to_pylist()), None) for name in ("groups_declared", "groups_read"))
        if declared is None or read is None:
            return CheckResult()
        words = f"{read} groups were read and {declared} are declared" if declared != read else ""
        return CheckResult(words, "warning" if words else "fine", {"groups_declared": declared, "groups_read": read})

    table = report_raw_table(spec)
    return Check(
        "groups_as_declared",
        table.name,
        "The report has another number of groups than the vendor declares in `totalCount`. Groups are missing, or the number counts something "
        f"else. Where the two were equal in the last {RESPONSES} stored responses, the days fail instead.",
        "Compare the groups with Airbridge's dashboard. Where some are missing, materialize the days again and ask Airbridge with the `task_id` of "
        "the raw rows.",
        each_day(table, judged, ["groups_declared", "groups_read"]),
    )


def _totals_add_up(spec: ReportSpec) -> Check:
    def judged(content: pa.Table) -> CheckResult:
        found = content.filter(content["total_difference"].is_valid()).to_pylist()
        first = f": {found[0]['group_values']}: {found[0]['total_difference']}" if found else ""
        words = f"{len(found)} groups differ from their own total{first}" if found else ""
        return CheckResult(words, "warning" if words else "fine", {"groups_that_differ": len(found)})

    table = report_raw_table(spec)
    return Check(
        "totals_add_up",
        table.name,
        "A group's own total of cost, revenue or an interval is not the sum of its sub-rows, over all days of the task. In cumulative "
        "intervals a cohort that is too young counts with its last value. Masked numbers are not compared. The vendor promises no equality; "
        "days or groups may be missing.",
        "See `total_difference` and `group_total` in the raw table, on the last day of each group. Compare the group with Airbridge's dashboard; "
        "where a day is missing there too, ask Airbridge with the `task_id` of the raw rows.",
        each_day(table, judged, ["group_values", "total_difference"]),
    )


def _curves_do_not_fall(spec: ReportSpec) -> Check:
    """Rows of a day stand in the order of their key, so that the intervals of a group follow each other."""

    def judged(content: pa.Table) -> CheckResult:
        interval = content["days_since_start"]
        falling = fallen(content["value"], content["is_masked"], pc.equal(interval[1:], pc.add(interval[:-1], 1)))
        words = f"{falling} cumulative values are lower than the interval before" if falling else ""
        return CheckResult(words, "warning" if words else "fine", {"falling_values": falling})

    table = cohorts_table(spec)
    return Check(
        "curves_do_not_fall",
        table.name,
        "A cumulative value is lower than that of the interval before, which a sum of what happened cannot be; refunds, and corrections by "
        "the vendor, can make it so. Masked values are left out.",
        "Look at the groups concerned in Airbridge's dashboard. Where it agrees, the vendor counts refunds into the report; else "
        "materialize the day again.",
        each_day(table, judged, ["days_since_start", "value", "is_masked"]),
    )


def _intervals_present(spec: ReportSpec) -> Check:
    table = cohorts_table(spec)
    columns = ["days_since_start", "value", "is_masked", "is_reached"]

    def judged(content: pa.Table, day: date, newest: date | None) -> CheckResult:
        reached = content.filter(content["is_reached"])
        missing = pc.sum(pc.and_(reached["value"].is_null(), pc.invert(reached["is_masked"]))).as_py() or 0
        through = pc.max(reached["days_since_start"]).as_py()
        through = -1 if through is None else through
        age = through if newest is None else min(spec.intervals, (newest - day).days)
        words = [
            *([f"{missing} reached values were not sent"] if missing else []),
            *([f"read up to interval {through}, old enough for {age}"] if content.num_rows and through < age else []),
        ]
        numbers = {"complete_through_interval": through, "missing_values": missing}
        return CheckResult("; ".join(words), "warning" if words else "fine", numbers)

    def find(context: CheckContext) -> CheckResults:
        return by_day(
            context.standing(table.name), lambda day: judged(context.read(table, day, columns), day, context.newest)
        )

    return Check(
        "intervals_present",
        table.name,
        "A cohort lacks numbers that its age says are there: the vendor sent none, or the cohort was last read before they were. Sums over "
        "groups at such an interval are too low.",
        "Materialize the days named, raw included; the daily schedule does so for each cohort that still changes. If the vendor sends no "
        "number again, ask Airbridge with the `task_id` of the raw rows.",
        find,
    )


def _few_masked(spec: ReportSpec, masked_share: float) -> Check:
    def judged(content: pa.Table) -> CheckResult:
        reached = content.filter(content["is_reached"])
        share = (pc.sum(reached["is_masked"]).as_py() or 0) / reached.num_rows if reached.num_rows else 0.0
        words = f"{share:.0%} of the reached values are masked" if share > masked_share else ""
        return CheckResult(words, "warning" if words else "fine", {"masked_share": round(share, 4)})

    table = cohorts_table(spec)
    return Check(
        "few_masked",
        table.name,
        f"Airbridge masks more than {masked_share:.0%} of a day's values for privacy. Masked numbers are kept with their flag, but what is made "
        "of them is not exact.",
        "Group by fewer fields, so that groups are larger, or raise `checks.masked_share` in defs.yaml if this is usual here.",
        each_day(table, judged, ["is_masked", "is_reached"]),
    )


def _cohorts_stand(spec: ReportSpec) -> Check:
    table, raw, history = cohorts_table(spec), report_raw_table(spec), restatements_table(spec)

    def find(context: CheckContext) -> CheckResults:
        told, read = set(context.all_days(history.name)), set(context.all_days(raw.name))
        days = [day for day in context.standing(table.name) if day in told & read]
        confirmed = context.lake.confirmed(context.account, raw.name, days)
        return by_day(days, lambda day: moved(context, day, confirmed.get(day)))

    def moved(context: CheckContext, day: date, confirmation: Footer | None) -> CheckResult:
        reading = context.lake.stored_day(context.account, raw.name, day)
        rows = context.read(history, day)
        seen_at = None if reading is None else last_request(reading.footer, confirmation).requested_at
        settled_at = context.due_at(day + timedelta(days=spec.intervals + spec.settle_days + 1))
        is_settling = seen_at is not None and seen_at < settled_at
        return _moved(rows.filter(pc.equal(rows["seen_at"], pa.scalar(seen_at, MOMENT))), spec, is_settling=is_settling)

    return Check(
        "cohorts_stand",
        table.name,
        "The newest reading changed numbers that should be final: values of a mature cohort after its `settle_days` "
        f"({spec.settle_days}), or cumulative values that became lower. Reports made before then no longer agree with the table. "
        "Masked values are left out.",
        f"See `{history.name}` for old and new values; make what rests on these days anew. If it goes on, ask Airbridge with the `task_id` there.",
        find,
    )


def _moved(rows: pa.Table, spec: ReportSpec, *, is_settling: bool) -> CheckResult:
    """Values of a mature cohort may change while it settles, and that is information; a fallen cumulative value is a warning at any age."""
    plain = rows.filter(pc.invert(rows["is_masked"]))
    mature = pc.sum(plain["was_mature"]).as_py() or 0
    lower = pc.less(plain["new_value"], plain["old_value"])
    fell = (pc.sum(lower).as_py() or 0) if is_sum_up_to_interval(spec) else 0
    words = [
        *(
            [f"{mature} values of a mature cohort moved{' within its settle_days' if is_settling else ''}"]
            if mature
            else []
        ),
        *([f"{fell} cumulative values are lower than they were"] if fell else []),
    ]
    numbers = {"restated_values": rows.num_rows, "mature_values_moved": mature, "values_fell": fell}
    level: Level = "warning" if fell or (mature and not is_settling) else "information" if mature else "fine"
    return CheckResult(", ".join(words), level, numbers)


def failing_requests(requests: Sequence[Request]) -> CheckResults:
    """The requests that people are alerted to, by their days in words."""
    return {days: CheckResult(words, "warning") for days, words in troubles(requests).items()}


def reports_arrive(account: str, spec: ReportSpec) -> Check:
    """Whether no open request is in trouble; the sensor evaluates it too, the moment one is."""

    def find(context: CheckContext) -> CheckResults:
        return failing_requests(context.resource.ledger().open_requests(account, spec.name))

    return Check(
        REPORTS,
        cohorts_table(spec).name,
        "The task of a report is refused, or has failed often, so its days do not come; with the vendor's reason.",
        "Fix what is refused: the token, or the report in defs.yaml. The sensor goes on by itself when either changes, and after failures "
        "with growing pauses.",
        find,
    )
