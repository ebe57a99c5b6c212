"""The groups of one start date as rows: the metric by days since the start, and the totals.

What is masked keeps its number and its flag; what is not reached has no number whatever was sent; null is not zero.
Made column by column, because a report has millions of values. Keep JSON out of here (`payloads.py`), days and pages too (`transform.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from analytics_assets.lake.stream import Typed
from analytics_assets.lake.table import DATE, MONEY, Table
from analytics_assets.sources.airbridge.numbers import RoasRow, RoasScale, numbers, roas_scale
from analytics_assets.sources.airbridge.payloads import Cell, Totals
from analytics_assets.sources.airbridge.request import ReportSpec
from analytics_assets.sources.airbridge.tables import (
    ADDITIVE_METRICS,
    cohort_totals_table,
    cohorts_table,
    group_columns,
)

_SUMMED: Final = (0, 7, 30)
_NOTHING: Final = Cell()


@dataclass(frozen=True)
class Line:
    """One group of the day: its values, its cells from interval 0 on as far as sent, and its totals."""

    values: Sequence[str]
    cells: Sequence[Cell | None]
    total: Totals


def cohort_rows(day: date, lines: Sequence[Line], spec: ReportSpec, *, reached: int, currency: str) -> Typed:
    """`spec.intervals` + 1 rows a group, of which the first `reached` have their values; figures as in `transform.typed_days`."""
    table, each = cohorts_table(spec), spec.intervals + 1
    cells = [cell for line in lines for cell in _first(line.cells, reached)]
    scale = _scale(lines, spec, reached=reached, of=f"{table.name} {day}")
    held = numbers(
        [cell.value for cell in cells],
        table.schema.field("value").type,
        of=f"{table.name} {day}",
        factor=scale.factor,
    )
    masked = pa.array([bool(cell.is_masked) for cell in cells], pa.bool_())
    places = _places(len(lines), each, reached)
    content = _table(
        table,
        {
            DATE: pa.repeat(pa.scalar(day, pa.date32()), len(places)),
            **_labels(lines, spec, each),
            "interval": pa.array(list(range(each)) * len(lines), pa.int16()),
            "value": held.values.take(places),
            "currency": pa.repeat(pa.scalar(currency, pa.string()), len(places)),
            "is_masked": masked.take(places).fill_null(False),
            "is_reached": places.is_valid(),
        },
    )
    figures = {
        "groups": len(lines),
        "masked_share": masked.true_count / len(cells) if cells else 0.0,
        "missing_values": pc.and_not(held.values.is_null(), masked).true_count,
        **({"complete_through_interval": reached - 1} if lines and reached else {}),
        **({"is_mature": reached == each} if lines else {}),
        **(
            {"mature_since" if reached == each else "mature_on": (day + timedelta(days=each)).isoformat()}
            if lines
            else {}
        ),
        **_falling(held.values, masked, spec, reached),
        **(_sums(held.values, reached) if spec.metric in ADDITIVE_METRICS else {}),
        **held.figures,
        **scale.figures,
    }
    return Typed(content, figures)


def total_rows(day: date, lines: Sequence[Line], spec: ReportSpec, *, currency: str) -> Typed:
    """One row a group, from the totals of its sub-row."""
    table = cohort_totals_table(spec)
    columns: dict[str, pa.Array] = {
        DATE: pa.repeat(pa.scalar(day, pa.date32()), len(lines)),
        **_labels(lines, spec, 1),
        "currency": pa.repeat(pa.scalar(currency, pa.string()), len(lines)),
    }
    figures: dict[str, Any] = {"groups": len(lines)}
    rounded = 0
    for name, sent, kind in (
        ("cost", "total_cost", MONEY),
        ("revenue", "total_revenue", MONEY),
        ("users", "total_unique_users", pa.int64()),
    ):
        cells: list[Cell] = [getattr(line.total, sent) or _NOTHING for line in lines]
        held = numbers([cell.value for cell in cells], kind, of=f"{table.name} {day}, {name}")
        rounded += held.figures.get("rounded_values", 0)
        columns[name] = held.values
        columns[f"{name}_is_masked"] = pa.array([bool(cell.is_masked) for cell in cells], pa.bool_())
        if lines and not held.values.null_count:
            figures[name] = _number(held.values)
    return Typed(_table(table, columns), figures | ({"rounded_values": rounded} if rounded else {}))


def _first(cells: Sequence[Cell | None], count: int) -> list[Cell]:
    """The first `count` cells; one that was not sent holds nothing."""
    sent = [cell or _NOTHING for cell in cells[:count]]
    return sent + [_NOTHING] * (count - len(sent))


def _places(groups: int, each: int, reached: int) -> pa.Array:
    """Each row's place among the reached cells; none where it is not reached, so that taking it gives null."""
    if reached == each:
        return pa.array(range(groups * each), pa.int64())
    return pa.array(
        [group * reached + at if at < reached else None for group in range(groups) for at in range(each)], pa.int64()
    )


def _labels(lines: Sequence[Line], spec: ReportSpec, each: int) -> dict[str, pa.Array]:
    """The columns of the group-by fields, each value for `each` rows."""
    groups = pa.array([group for group in range(len(lines)) for _ in range(each)], pa.int64())
    return {
        name: pa.array([line.values[number] for line in lines], pa.string()).take(groups)
        for number, name in enumerate(group_columns(spec))
    }


def _table(table: Table, columns: Mapping[str, pa.Array]) -> pa.Table:
    return pa.Table.from_arrays([columns[name] for name in table.schema.names], schema=table.schema)


def _sums(values: pa.Array, reached: int) -> dict[str, float]:
    """Sums over the groups at a few ages, each only where it is reached and every number is there."""
    at_age = {age: values.take(pa.array(range(age, len(values), reached))) for age in _SUMMED if age < reached}
    return {f"d{age}": _number(column) for age, column in at_age.items() if len(column) and not column.null_count}


def _falling(values: pa.Array, masked: pa.Array, spec: ReportSpec, reached: int) -> dict[str, int]:
    """How many sums up to an interval are below the one before, neither of them masked; nothing where there is none."""
    if spec.aggregation == "on-day" or spec.metric not in ADDITIVE_METRICS or len(values) <= 1:
        return {}
    falls = pc.less(values[1:], values[:-1]).fill_null(False)
    falls = pc.and_(falls, pc.invert(pc.or_(masked[1:], masked[:-1])))
    is_same_group = pa.array([at % reached != 0 for at in range(1, len(values))], pa.bool_())
    falling = pc.sum(pc.and_(falls, is_same_group)).as_py()
    return {"falling_values": falling} if falling else {}


def _number(column: pa.Array) -> float:
    total = pc.sum(column).as_py()
    return total if isinstance(total, int) else float(total)


def _scale(lines: Sequence[Line], spec: ReportSpec, *, reached: int, of: str) -> RoasScale:
    if spec.metric != "app_roas":
        return RoasScale(1, {})
    return roas_scale((_roas_row(line, spec, reached) for line in lines), of=of)


def _roas_row(line: Line, spec: ReportSpec, reached: int) -> RoasRow:
    """The ROAS that stands beside the row's totals.

    The totals run up to the moment of the report. So does the last interval once all are reached, and before that the unfinished one after
    the reached ones: if it was sent and is no padding, which a cumulative value below the one before it would be.
    """
    is_final = reached > spec.intervals
    *_, before, last = (None, None, *_first(line.cells, reached if is_final else reached + 1))
    value = None if last is None else _plain(last)
    if not is_final and value is not None and before is not None and value < (before.value or 0):
        value = None
    return RoasRow(value, _plain(line.total.total_revenue), _plain(line.total.total_cost), is_final)


def _plain(cell: Cell | None) -> Decimal | None:
    """The number of a cell that is not masked."""
    if cell is None or cell.is_masked or cell.value is None or not cell.value.is_finite():
        return None
    return cell.value
