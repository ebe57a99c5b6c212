"""The groups of one start date as rows: the metric by days since the start, and the totals.

What is masked keeps its number and its flag; what is not reached has no number whatever was sent; null is not zero.
Made column by column, because a report has millions of values.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from analytics_assets.lake.stream import Typed
from analytics_assets.lake.table import DATE, Table
from analytics_assets.sources.airbridge.cells import Cells, SubRows
from analytics_assets.sources.airbridge.numbers import withheld
from analytics_assets.sources.airbridge.report_spec import ReportSpec
from analytics_assets.sources.airbridge.tables import (
    ADDITIVE_METRICS,
    cohort_totals_table,
    cohorts_table,
    group_columns,
    is_sum_up_to_interval,
)

_SUMMED: Final = (0, 7, 30)


def cohort_rows(day: date, sent: SubRows, spec: ReportSpec, *, reached: int, currency: str) -> Typed:
    """`spec.intervals` + 1 rows a group, of which the first `reached` have their values; figures as in `transform.typed_days`."""
    table, groups, each = cohorts_table(spec), len(sent.labels), spec.intervals + 1
    masked, missing = sent.cells.masked, pc.and_not(sent.cells.values.is_null(), sent.cells.masked).true_count
    values, about_scale = (sent.cells.values, {}) if sent.scale is None else withheld(sent.cells.values, sent.scale)
    rows = groups * each
    content = {
        DATE: pa.repeat(pa.scalar(day, pa.date32()), rows),
        **_labels(sent.labels, spec, each),
        "days_since_start": _intervals(groups, each),
        "value": values,
        "currency": pa.repeat(pa.scalar(currency, pa.string()), rows),
        "is_masked": masked,
        "is_reached": pa.repeat(pa.scalar(value=True), rows),
    }
    if reached < each:
        places = _places(groups, each, reached)
        is_masked = masked.take(places).fill_null(False)
        content |= {"value": values.take(places), "is_masked": is_masked, "is_reached": places.is_valid()}
    figures = {
        "groups": groups,
        "masked_share": round(masked.true_count / len(masked), 4) if len(masked) else 0.0,
        "missing_values": missing,
        **({"complete_through_interval": reached - 1} if groups and reached else {}),
        **({"is_mature": reached == each} if groups else {}),
        **(
            {"mature_since" if reached == each else "mature_on": (day + timedelta(days=each)).isoformat()}
            if groups
            else {}
        ),
        **(_falling(values, masked, reached) if is_sum_up_to_interval(spec) else {}),
        **(_sums(sent.cells, reached) if spec.metric in ADDITIVE_METRICS else {}),
        **_rounded(sent.cells.rounded),
        **about_scale,
    }
    return Typed(_table(table, content), figures)


def total_rows(day: date, sent: SubRows, spec: ReportSpec, *, currency: str) -> Typed:
    """One row a group, from the totals of its sub-row."""
    groups = len(sent.labels)
    columns: dict[str, pa.Array] = {
        DATE: pa.repeat(pa.scalar(day, pa.date32()), groups),
        **_labels(sent.labels, spec, 1),
        "currency": pa.repeat(pa.scalar(currency, pa.string()), groups),
    }
    figures: dict[str, Any] = {"groups": groups}
    for name, total in sent.totals.items():
        columns |= {name: total.values, f"{name}_is_masked": total.masked}
        figures |= _sum(name, total.values, total.masked)
    rounded = sum(total.rounded for total in sent.totals.values())
    return Typed(_table(cohort_totals_table(spec), columns), figures | _rounded(rounded))


# Days of a report mostly have as many groups as the day before.
@lru_cache(maxsize=4)
def _intervals(groups: int, each: int) -> pa.Array:
    return pa.array(list(range(each)) * groups, pa.int16())


@lru_cache(maxsize=4)
def _groups(groups: int, each: int) -> pa.Array:
    """Each row's group."""
    return pa.array([group for group in range(groups) for _ in range(each)], pa.int64())


@lru_cache(maxsize=4)
def _follows(groups: int, reached: int) -> pa.Array:
    """Whether a reached cell, but the first of all, has the one before it in the same group."""
    return pa.array([at % reached != 0 for at in range(1, groups * reached)], pa.bool_())


@lru_cache(maxsize=4)
def _places(groups: int, each: int, reached: int) -> pa.Array:
    """Each row's place among the reached cells; none where it is not reached, so that taking it gives null."""
    return pa.array(
        [group * reached + at if at < reached else None for group in range(groups) for at in range(each)], pa.int64()
    )


def _labels(labels: Sequence[Sequence[str]], spec: ReportSpec, each: int) -> dict[str, pa.Array]:
    """The columns of the group-by fields, each value for `each` rows."""
    groups = _groups(len(labels), each)
    return {
        name: pa.array([values[number] for values in labels], pa.string()).take(groups)
        for number, name in enumerate(group_columns(spec))
    }


def _table(table: Table, columns: Mapping[str, pa.Array]) -> pa.Table:
    return pa.Table.from_arrays([columns[name] for name in table.schema.names], schema=table.schema)


def _sums(cells: Cells, reached: int) -> dict[str, float]:
    """Sums over the groups at the few ages that are reached."""
    sums: dict[str, float] = {}
    for age in (age for age in _SUMMED if age < reached):
        at_age = pa.array(range(age, len(cells.values), reached), pa.int64())
        sums |= _sum(f"d{age}", cells.values.take(at_age), cells.masked.take(at_age))
    return sums


def _sum(name: str, values: pa.Array, masked: pa.Array) -> dict[str, float]:
    """The sum as a figure, where every number is there. Masked ones are in none: the sum of the others goes by another name."""
    if masked.true_count:
        name, values = f"{name}_unmasked", values.filter(pc.invert(masked))
    if not len(values) or values.null_count:
        return {}
    total = pc.sum(values).as_py()
    return {name: total if isinstance(total, int) else float(total)}


def fallen(
    values: pa.Array | pa.ChunkedArray, masked: pa.Array | pa.ChunkedArray, follows: pa.Array | pa.ChunkedArray
) -> int:
    """How many values are below the one before, neither of them masked.

    Args:
        values: Values in the order of their groups and intervals.
        masked: Whether each is masked.
        follows: Of each but the first, whether the one before it is of the same group and the interval before.
    """
    falls = pc.less(values[1:], values[:-1]).fill_null(False)
    falls = pc.and_(falls, pc.invert(pc.or_(masked[1:], masked[:-1])))
    return pc.sum(pc.and_(falls, follows)).as_py() or 0


def _falling(values: pa.Array, masked: pa.Array, reached: int) -> dict[str, int]:
    """The figure of the values that fall; nothing where none does."""
    falling = fallen(values, masked, _follows(len(values) // reached, reached)) if len(values) else 0
    return {"falling_values": falling} if falling else {}


def _rounded(count: int) -> dict[str, int]:
    return {"rounded_values": count} if count else {}
