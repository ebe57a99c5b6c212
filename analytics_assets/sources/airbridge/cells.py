"""The sub-rows of one start date as columns: numbers and masks of all cells reached, the totals of each group, and the scale of ROAS.

msgspec reads each sub-row, with decimals as sent. Arrow's JSON reader is not used: a number with an exponent can become another number there, or
end the process. With it a whole load took 0.86 times the processor's time (measured 2026-12-01). Rows of tables are in `cohorts.py`, columns of numbers in
`numbers.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

import msgspec
import pyarrow as pa

from analytics_assets.errors import UnexpectedPayloadError
from analytics_assets.lake.table import MONEY
from analytics_assets.sources.airbridge.group_totals import MaskableNumber
from analytics_assets.sources.airbridge.numbers import RoasRow, RoasScale, numbers, roas_scale
from analytics_assets.sources.airbridge.report_spec import ReportSpec
from analytics_assets.sources.airbridge.responses import GroupTotals, SubRow, day_of, known_sub_row
from analytics_assets.sources.airbridge.tables import ROAS_SCALE, cohort_totals_table, cohorts_table

TOTALS: Final[Mapping[str, tuple[str, pa.DataType]]] = {
    "cost": ("total_cost", MONEY),
    "revenue": ("total_revenue", MONEY),
    "users": ("total_unique_users", pa.int64()),
}
_NOTHING: Final = MaskableNumber()
_LABELS: Final = msgspec.json.Decoder(list[list[str]])


@dataclass(frozen=True)
class Cells:
    """Numbers, which of them are masked, and how many had more decimal places than are kept."""

    values: pa.Array
    masked: pa.Array
    rounded: int = 0


@dataclass(frozen=True)
class SubRows:
    """The sub-rows of a day.

    Attributes:
        labels: Of each group its values of the group-by fields.
        cells: Of each group the reached intervals from 0 on; what was not sent is null.
        totals: One of each group, by the names of `TOTALS`.
        scale: What ROAS was sent in; None for other metrics.
        unknown: Paths of fields that are not known here.
    """

    labels: list[list[str]]
    cells: Cells
    totals: Mapping[str, Cells]
    scale: RoasScale | None
    unknown: set[str]


def sub_rows(day: date, content: pa.Table, spec: ReportSpec, *, reached: int) -> SubRows:
    """The sub-rows of a raw day, of which `reached` intervals count.

    Raises:
        UnexpectedPayloadError: A sub-row is not as documented, or a number fits no column.
    """
    labels = _LABELS.decode(f"[{','.join(content['group_values'].to_pylist())}]")
    rows, unknown = [], set[str]()
    for values, text in zip(labels, content["sub_row"].to_pylist(), strict=True):
        try:
            rows.append(_row(day, text, spec, unknown))
        except ValueError as error:
            shown = msgspec.json.encode(values).decode()
            raise UnexpectedPayloadError(
                f"{spec.name}: the sub-row of {shown} is not as documented: {error}.", day=day
            ) from error
    of_cohorts, of_totals = cohorts_table(spec).name, cohort_totals_table(spec).name
    scale = None
    if spec.metric == "app_roas":
        told = next(iter(content[ROAS_SCALE].to_pylist()), None)
        scale = roas_scale((roas_row(row, spec, reached=reached) for row in rows), told=told, of=of_cohorts)
    cells = [cell for row in rows for cell in _first(row.values or (), reached)]
    totals = {
        name: _held([getattr(row.total, sent, None) or _NOTHING for row in rows], of, of=f"{of_totals}, {name}")
        for name, (sent, of) in TOTALS.items()
    }
    kind = cohorts_table(spec).schema.field("value").type
    held = _held(cells, kind, of=of_cohorts, factor=(scale.factor or 1) if scale else 1)
    return SubRows(labels, held, totals, scale, unknown)


def roas_row(row: SubRow, spec: ReportSpec, *, reached: int) -> RoasRow:
    """The ROAS that stands beside the row's totals.

    The totals run up to the moment of the report. So does the last interval once all are reached, and before that the unfinished one after
    the reached ones: if it was sent and is no padding, which a cumulative value below the one before it would be.
    """
    is_final, total = reached > spec.intervals, row.total or GroupTotals()
    *_, before, last = (None, None, *_first(row.values or (), reached if is_final else reached + 1))
    value = None if last is None else _plain(last)
    if not is_final and value is not None and before is not None and value < (before.value or 0):
        value = None
    return RoasRow(value, _plain(total.total_revenue), _plain(total.total_cost), is_final)


def _plain(cell: MaskableNumber | None) -> Decimal | None:
    """The number of a cell that is not masked."""
    if cell is None or cell.is_masked or cell.value is None or not cell.value.is_finite():
        return None
    return cell.value


def _row(day: date, text: str, spec: ReportSpec, unknown: set[str]) -> SubRow:
    row, strange = known_sub_row(text)
    unknown |= strange
    if day_of(row) != day:
        raise ValueError(f"it is of {row.date}")
    if len(row.values or ()) > spec.intervals + 1:
        raise ValueError(f"it has {len(row.values or ())} values for the intervals 0 to {spec.intervals}")
    return row


def _held(cells: Sequence[MaskableNumber], kind: pa.DataType, *, of: str, factor: int = 1) -> Cells:
    held = numbers([cell.value for cell in cells], kind, of=of, factor=factor)
    return Cells(held.values, pa.array([bool(cell.is_masked) for cell in cells], pa.bool_()), held.rounded)


def _first(cells: Sequence[MaskableNumber | None], count: int) -> list[MaskableNumber]:
    """The first `count` cells; one that was not sent holds nothing."""
    sent = [cell or _NOTHING for cell in cells[:count]]
    return sent + [_NOTHING] * (count - len(sent))
