"""A group's own total beside the sums of its sub-rows.

No page promises that the two are equal, so nothing is refused for it. What the vendor says of them: a total of cost or revenue spans all
start dates; in a cumulative column a cohort that is too young counts with its last value.
Source: https://help.airbridge.io/en/guides/revenue-report-calcualtion-method (the vendor's spelling).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal, Protocol

import msgspec

# A few columns show what all would: a lost start date is missing in each.
_INTERVALS: Final = (0, 7, 30)
_MOST_PLACES: Final = 6
_MOST_DIGITS: Final = 30
_HALF: Final = Decimal("0.5")
# Sums of binary floats differ from sums of decimals by less.
_FLOAT_TAIL: Final = 1e-12

What = Literal["cost", "revenue", "column", "carried column"]


class MaskableNumber(msgspec.Struct, rename="camel", gc=False):
    """A number and whether it is masked; a missing flag means that it is not."""

    value: Decimal | None = None
    is_masked: bool | None = None


class LightCell(msgspec.Struct, rename="camel", gc=False):
    """A cell whose number is only compared."""

    value: float | None = None
    is_masked: bool | None = None


AnyCell = MaskableNumber | LightCell | None


class _Total(msgspec.Struct, rename="camel"):
    rows: list[MaskableNumber | None] | None = None
    total_cost: MaskableNumber | None = None
    total_revenue: MaskableNumber | None = None


class AnySubRow(Protocol):
    """A sub-row, as far as it is compared."""

    values: Any
    total: Any


@dataclass(frozen=True)
class Difference:
    """A number of a group's own total that is not the sum of its sub-rows.

    Attributes:
        what: Which number; of a column, added up as sent or with young cohorts carried forward.
        interval: The column's interval; None for cost and revenue.
        total: The number of the group's own total.
        summed: The sum of its sub-rows.
        rounding: How far the two can be apart because each number was rounded.
    """

    what: What
    interval: int | None
    total: Decimal
    summed: Decimal
    rounding: Decimal

    def words(self) -> str:
        """Both numbers, for people."""
        name = self.what if self.interval is None else f"interval {self.interval}"
        return f"{name} {self.total:f} in its own total and {self.summed:f} in its sub-rows"


def differences(total: msgspec.Raw, sub_rows: Sequence[AnySubRow]) -> tuple[Difference, ...]:
    """Where a group's own total, JSON text, differs from the sums of its sub-rows; masked and missing numbers are not compared."""
    try:
        own = msgspec.json.decode(total, type=_Total, strict=False)
    except (msgspec.DecodeError, RecursionError):
        return ()
    found = [
        _difference("cost", None, own.total_cost, [getattr(row.total, "total_cost", None) for row in sub_rows]),
        _difference(
            "revenue", None, own.total_revenue, [getattr(row.total, "total_revenue", None) for row in sub_rows]
        ),
    ]
    columns, values = own.rows or [], [row.values or () for row in sub_rows]
    as_sent = [(cells, _length(cells, (None,))) for cells in values]
    for interval in sorted({one for one in (*_INTERVALS, len(columns) - 1) if 0 <= one < len(columns)}):
        cell = columns[interval]
        found.append(_difference("column", interval, cell, [_at(cells, interval, end) for cells, end in as_sent]))
        carried = _difference("carried column", interval, cell, [_last(cells, interval, end) for cells, end in as_sent])
        if carried is not None:
            # Whether young cohorts end early, or with zeros, is not documented: one of the two has to fit.
            ends = [(cells, _length(cells, (None, 0))) for cells in values]
            is_padded = (
                _difference("column", interval, cell, [_last(cells, interval, end) for cells, end in ends]) is None
            )
            found += [] if is_padded else [carried]
    return tuple(filter(None, found))


def _difference(what: What, interval: int | None, total: AnyCell, cells: Sequence[AnyCell]) -> Difference | None:
    own, numbers = _number(total), [_number(cell) for cell in cells]
    known = [number for number in numbers if number is not None]
    if own is None or len(known) < len(numbers) or math.isclose(own, math.fsum(known), rel_tol=_FLOAT_TAIL):
        return None
    exact = [_exact(number) for number in (own, *known)]
    places = min(_MOST_PLACES, max(map(_places, exact)))
    return Difference(what, interval, exact[0], sum(exact[1:], Decimal(0)), len(exact) * _HALF.scaleb(-places))


def _number(cell: AnyCell) -> Decimal | float | None:
    """The number of a cell, unless it is masked or no amount or count."""
    if cell is None or cell.is_masked or cell.value is None:
        return None
    value = cell.value
    is_usual = abs(value.adjusted()) <= _MOST_DIGITS if isinstance(value, Decimal) else abs(value) < 10.0**_MOST_DIGITS
    return value if is_usual and math.isfinite(value) else None


def _exact(value: Decimal | float) -> Decimal:
    """The number; of a float the digits as JSON writes them."""
    return value if isinstance(value, Decimal) else Decimal(repr(value)).normalize()


def _places(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


_ZERO: Final = MaskableNumber(Decimal(0))


def _at(cells: Sequence[AnyCell], interval: int, end: int) -> AnyCell:
    """The cell of an interval; a cohort that has not reached it adds nothing."""
    return cells[interval] if interval < end else _ZERO


def _last(cells: Sequence[AnyCell], interval: int, end: int) -> AnyCell:
    """The cell of an interval, or the last one before `end` where that is earlier."""
    return cells[min(interval, end - 1)] if end else _ZERO


def _length(cells: Sequence[AnyCell], padding: tuple[int | None, ...]) -> int:
    """The number of cells before those that only fill the list up."""
    length = len(cells)
    while length and ((cell := cells[length - 1]) is None or (not cell.is_masked and cell.value in padding)):
        length -= 1
    return length
