"""What a later reading of a cohort day changed in intervals that had been reached before: rows of `<report>_restatements`. Pure.

A cohort grows: an interval is reached, and null becomes a number. That is no restatement. A number that becomes another one, goes away, or
comes late in a group nobody had seen, is one, and is kept for good. Numbers that the vendor masks are kept with their flag and never
counted as moved.
"""

from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from analytics_assets.errors import PermanentError
from analytics_assets.lake.diff import differing, matched
from analytics_assets.lake.stream import Change, History
from analytics_assets.lake.table import DATE, MOMENT, Column, Table
from analytics_assets.sources.airbridge.report_spec import ReportSpec, reached_intervals
from analytics_assets.sources.airbridge.tables import (
    ADDITIVE_METRICS,
    DOCS_URL,
    cohorts_table,
    group_columns,
    is_sum_up_to_interval,
)
from analytics_assets.sources.airbridge.wording import UNITS

_AGES: Final = (0, 7, 30)


def restatements_table(spec: ReportSpec) -> Table:
    """`<report>_restatements`: what later readings changed."""
    cohorts = cohorts_table(spec)
    labels, kind = group_columns(spec), cohorts.schema.field("value").type
    return Table(
        name=f"{spec.name}_restatements",
        description=(
            f"What later readings changed in `{cohorts.name}`, by start date of the cohort: one row for a value of an interval that had been "
            "reached before. It only grows. Reaching an interval is no restatement, and neither is the response to another question: the first "
            "reading after the report's specification has changed is compared with nothing, and rows that the table can then hold no more are kept "
            "in the quarantine."
        ),
        docs_url=DOCS_URL,
        origin=cohorts.origin,
        key=("seen_at", *labels, "days_since_start"),
        only_grows=True,
        columns=(
            *(column for column in cohorts.columns if column.name in {DATE, *labels, "days_since_start"}),
            Column(
                "old_value",
                kind,
                "The value that stood; null where the group had not been there.",
                nullable=True,
                unit=UNITS[spec.metric],
            ),
            Column("new_value", kind, "The value now; null where it is gone.", nullable=True, unit=UNITS[spec.metric]),
            Column("is_masked", pa.bool_(), "True if the vendor masked one of the two for privacy."),
            Column(
                "task_id",
                pa.string(),
                "Task that showed the new value; null if its day is empty.",
                nullable=True,
                made_from=("task_id",),
            ),
            Column("seen_at", MOMENT, "Instant that task was requested.", made_from=("requested_at",)),
            Column(
                "was_mature",
                pa.bool_(),
                "True if all intervals had been reached before this reading. Within `settle_days` such a value may still move; after them it should not. "
                "Null where not kept.",
                nullable=True,
            ),
        ),
    )


def history(spec: ReportSpec, *, zone: str) -> History:
    """How the report keeps its restatements; `zone` is the app's.

    Figures for the day of the cohorts: `restated_values`; `mature_values_moved` where the cohort was mature before; `values_fell` for
    cumulative sums; `d0_moved`, `d7_moved`, `d30_moved` (sums over groups; for ratios `d0_largest_move` and so on). Masked values are in
    `restated_values` and in nothing else.
    """
    table = restatements_table(spec)
    return History(table, cohorts_table(spec).name, lambda change: _grown(change, spec, table, zone))


def _grown(change: Change, spec: ReportSpec, table: Table, zone: str) -> tuple[pa.Table, dict[str, Any]]:
    if change.requested_at is None:
        raise PermanentError(
            f"The raw file of {spec.name} does not say when its report was requested, so restatements cannot be dated.",
            remedy=f"Materialize {spec.name}_raw together with the tables made from it.",
        )
    last = _last_reached(change, spec, zone)
    found = _restated(change, spec, table, last)
    return _appended(change.kept, found, table, pa.scalar(change.requested_at, MOMENT)), _figures(
        found, spec, reached=last
    )


def _appended(kept: pa.Table, found: pa.Table, table: Table, seen_at: pa.Scalar) -> pa.Table:
    """The history with the rows found.

    One reading has one row for each value. When its day is derived again with other rules, the row spans from the first old value to the
    last new one. Only rows of the same reading are compared, so the cost does not depend on earlier readings.
    """
    found = found.select(table.schema.names)
    is_same_reading = pc.equal(kept["seen_at"], seen_at)
    if not pc.any(is_same_reading).as_py():
        return pa.concat_tables([kept, found.cast(kept.schema)])
    earlier, others = kept.filter(is_same_reading), kept.filter(pc.invert(is_same_reading))
    rows = matched([name for name in table.key if name != "seen_at"], earlier, found)
    again = found.take(rows.after)
    again = again.set_column(
        again.schema.get_field_index("old_value"), "old_value", earlier["old_value"].take(rows.before)
    )
    parts = [others, earlier.take(rows.removed), again, found.take(rows.added)]
    return pa.concat_tables([part.cast(kept.schema) for part in parts])


def _restated(change: Change, spec: ReportSpec, table: Table, last: int) -> pa.Table:
    """The rows this change adds."""
    before, after = change.before, change.after
    labels = [DATE, *group_columns(spec), "days_since_start"]
    rows = matched([*group_columns(spec), "days_since_start"], before, after)
    old, new = before.take(rows.before), after.take(rows.after)
    was_there = pc.and_(old["value"].is_valid(), differing(old["value"], new["value"]))
    old, new = old.filter(was_there), new.filter(was_there)
    gone = before.take(rows.removed)
    gone = gone.filter(gone["value"].is_valid())
    late = after.take(rows.added)
    late = late.filter(pc.and_(late["value"].is_valid(), pc.less_equal(late["days_since_start"], last)))
    nothing = table.schema.field("old_value").type
    parts = [
        _part(old.select(labels), old["value"], new["value"], pc.or_(old["is_masked"], new["is_masked"])),
        _part(gone.select(labels), gone["value"], pa.nulls(gone.num_rows, nothing), gone["is_masked"]),
        _part(late.select(labels), pa.nulls(late.num_rows, nothing), late["value"], late["is_masked"]),
    ]
    found = pa.concat_tables(parts)
    tasks = [] if change.raw is None else change.raw["task_id"].to_pylist()[:1]
    found = found.append_column("task_id", pa.repeat(pa.scalar(tasks[0] if tasks else None, pa.string()), len(found)))
    found = found.append_column("seen_at", pa.repeat(pa.scalar(change.requested_at, MOMENT), len(found)))
    was_mature = pa.scalar(last == spec.intervals)
    return found.append_column("was_mature", pa.repeat(was_mature, len(found)))


def _part(labels: pa.Table, old: pa.ChunkedArray, new: pa.ChunkedArray, masked: pa.ChunkedArray) -> pa.Table:
    names = [*labels.schema.names, "old_value", "new_value", "is_masked"]
    return pa.table([*labels.columns, old, new, masked], names=names)


def _last_reached(change: Change, spec: ReportSpec, zone: str) -> int:
    """The last interval that the reading before had reached, or -1; of an empty one only the instant of its asking tells."""
    before = change.before
    if before.num_rows:
        last = pc.max(before.filter(before["is_reached"])["days_since_start"]).as_py()
        return -1 if last is None else int(last)
    return reached_intervals(change.after[DATE][0].as_py(), change.before_at, spec, zone) - 1


def _figures(found: pa.Table, spec: ReportSpec, *, reached: int) -> dict[str, Any]:
    plain = found.filter(pc.invert(found["is_masked"]))
    figures: dict[str, Any] = {"restated_values": found.num_rows}
    if reached == spec.intervals:
        figures["mature_values_moved"] = plain.num_rows
    if is_sum_up_to_interval(spec):
        figures["values_fell"] = pc.sum(pc.less(plain["new_value"], plain["old_value"])).as_py() or 0
    for age in (age for age in _AGES if age <= reached):
        moved = plain.filter(pc.equal(plain["days_since_start"], age))
        if spec.metric in ADDITIVE_METRICS:
            figures[f"d{age}_moved"] = _moved(moved)
        else:
            pairs = zip(moved["old_value"].to_pylist(), moved["new_value"].to_pylist(), strict=True)
            moves = (abs(new - old) for old, new in pairs if None not in (old, new))
            figures[f"d{age}_largest_move"] = float(max(moves, default=0))
    return figures


def _moved(values: pa.Table) -> float:
    """By how much the sum moved; subtracted before it becomes a float, so that cents stay cents."""
    moved = (pc.sum(values["new_value"]).as_py() or 0) - (pc.sum(values["old_value"]).as_py() or 0)
    return moved if isinstance(moved, int) else float(moved)
