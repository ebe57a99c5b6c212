"""Numbers of an Airbridge report as columns: exact money, whole counts, and ROAS in percent whatever scale it was sent in.

No page says how many decimal places money has, or whether 250 % is sent as 250 or as 2.5; the first is kept as far as a column holds it, the
second is found out from the revenue and cost of the same row. Keep payloads out of here (`payloads.py`), rows too (`cohorts.py`).
Source: https://help.airbridge.io/en/guides/revenue-report-calcualtion-method (the vendor's spelling), where ROAS is in percent.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, Final

import pyarrow as pa

from analytics_assets.errors import UnexpectedPayloadError

_EXACT: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)
_SHARE_OFF, _OFF = Decimal("0.01"), Decimal("0.01")


@dataclass(frozen=True)
class Numbers:
    """A column and what there is to say of it: `rounded_values` counts those with more decimal places than it holds."""

    values: pa.Array
    figures: dict[str, Any] = field(default_factory=dict)


def numbers(values: Sequence[Decimal | None], kind: pa.DataType, *, of: str, factor: int = 1) -> Numbers:
    """Numbers as sent as a column of `kind`: decimal, whole or floating; null stays null. `of` names the place in messages.

    Money beyond the column's decimal places is rounded half to even and counted: sums of binary numbers arrive with such tails. Nothing else
    is rounded.

    Raises:
        UnexpectedPayloadError: A count is not whole, or a number is none or out of range.
    """
    try:
        if pa.types.is_integer(kind):
            return Numbers(pa.array([_whole(value) for value in values], kind))
        if pa.types.is_floating(kind):
            return Numbers(pa.array([_finite(value, factor) for value in values], kind))
        try:
            return Numbers(pa.array(values, kind))
        except pa.ArrowInvalid:
            places = Decimal(1).scaleb(-kind.scale)
            held = [None if value is None else _EXACT.quantize(value, places) for value in values]
            rounded = sum(value != kept for value, kept in zip(values, held, strict=True))
            return Numbers(pa.array(held, kind), {"rounded_values": rounded} if rounded else {})
    except (pa.ArrowException, ArithmeticError, ValueError) as error:
        raise UnexpectedPayloadError(f"{of}: a number does not fit {kind}: {error}.") from error


@dataclass(frozen=True)
class RoasRow:
    """A group's ROAS at an instant and the revenue and cost of the same instant; a masked one is None.

    `is_final` says that no later day counts into any of them; otherwise the revenue may be newer than the ROAS.
    """

    value: Decimal | None
    revenue: Decimal | None
    cost: Decimal | None
    is_final: bool


@dataclass(frozen=True)
class RoasScale:
    """What ROAS as sent must be multiplied by to be percent, and how that was found out.

    Figures: `roas_scale` is `percent`, `ratio` or, where no row tells, `undecided` (then as in the vendor's guide: percent);
    `roas_rows_unexplained` counts rows that fit neither.
    """

    factor: int
    figures: dict[str, Any]


def roas_scale(rows: Iterable[RoasRow], *, of: str) -> RoasScale:
    """The scale that the rows show, within 1 % and 0.01.

    Raises:
        UnexpectedPayloadError: No row fits either reading though some should, or some fit one and some the other.
    """
    percent = ratio = 0
    unexplained: list[RoasRow] = []
    for row in rows:
        if row.value is None or row.revenue is None or not row.cost or row.cost < 0:
            continue
        expected = row.revenue / row.cost
        is_percent, is_ratio = _fits(row.value, expected * 100), _fits(row.value, expected)
        # Close to zero both fit, and such a row tells nothing.
        percent += is_percent and not is_ratio
        ratio += is_ratio and not is_percent
        if row.is_final and not is_percent and not is_ratio:
            unexplained.append(row)
    figures: dict[str, Any] = {"roas_scale": "percent" if percent else "ratio" if ratio else "undecided"}
    if percent and ratio:
        raise UnexpectedPayloadError(
            f"{of}: ROAS is percent in {percent} rows and a ratio in {ratio}, going by their revenue and cost."
        )
    if unexplained and not percent and not ratio:
        first = unexplained[0]
        raise UnexpectedPayloadError(
            f"{of}: ROAS fits revenue and cost of its row neither as percent nor as ratio: {first.value} with revenue {first.revenue} and "
            f"cost {first.cost}, and so in {len(unexplained)} rows."
        )
    if unexplained:
        figures["roas_rows_unexplained"] = len(unexplained)
    return RoasScale(100 if ratio else 1, figures)


def _fits(value: Decimal, expected: Decimal) -> bool:
    return abs(value - expected) <= abs(expected) * _SHARE_OFF + _OFF


def _whole(value: Decimal | None) -> int | None:
    if value is None:
        return None
    number = int(value)
    if number != value:
        raise ValueError(f"{value} is not whole")
    return number


def _finite(value: Decimal | None, factor: int) -> float | None:
    if value is None:
        return None
    number = float(value * factor)
    if not math.isfinite(number):
        raise ValueError(f"{value} is no number")
    return number
