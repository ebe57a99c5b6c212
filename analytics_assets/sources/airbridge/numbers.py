"""Numbers of an Airbridge report as columns: exact money, whole counts, and ROAS in percent whatever scale it was sent in.

No page says how many decimal places money has, or whether 250 % is sent as 250 or as 2.5; the first is kept as far as a column holds it, the
second is found out from the revenue and cost of the same row. A ROAS whose scale nothing shows is not known.
Source: https://help.airbridge.io/en/guides/revenue-report-calcualtion-method (the vendor's spelling), where ROAS is in percent.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal
from operator import ne
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.compute as pc

from analytics_assets.errors import UnexpectedPayloadError

Scale = Literal["percent", "ratio"]
_FACTORS: Final[dict[Scale, int]] = {"percent": 1, "ratio": 100}
_EXACT: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)
_MOST_DIGITS: Final = 19
_SHARE_OFF, _OFF = Decimal("0.01"), Decimal("0.01")


@dataclass(frozen=True)
class Numbers:
    """A column, and how many numbers had more decimal places than it holds."""

    values: pa.Array
    rounded: int = 0


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
        # Always quantized: for an exponent, or a long tail, Arrow looks up powers of ten beyond the end of its table, and the process may end there.
        places = Decimal(1).scaleb(-kind.scale)
        held = [None if value is None else _EXACT.quantize(value, places) for value in values]
        rounded = 0 if held == values else sum(map(ne, values, held))
        return Numbers(pa.array(held, kind), rounded)
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
    """What ROAS as sent must be multiplied by to be percent, None where that is not known, and how it was found out.

    Figures: `roas_scale` is `percent`, `ratio` or, where nothing tells, `undecided`; `roas_rows_unexplained` counts rows that fit neither.
    """

    factor: int | None
    figures: dict[str, Any]


@dataclass(frozen=True)
class Votes:
    """How many rows fit percent only, how many a ratio only, and the final ones that fit neither."""

    percent: int = 0
    ratio: int = 0
    unexplained: list[RoasRow] = field(default_factory=list)

    def __add__(self, other: "Votes") -> "Votes":
        """The votes of two parts of a response; unexplained rows are of use in their own part only."""
        return Votes(self.percent + other.percent, self.ratio + other.ratio)

    @property
    def word(self) -> Scale | None:
        """The scale they agree on, if they do."""
        if bool(self.percent) == bool(self.ratio):
            return None
        return "percent" if self.percent else "ratio"


def roas_scale(rows: Iterable[RoasRow], *, told: Scale | None, of: str) -> RoasScale:
    """The scale that the rows of a day show, within 1 % and 0.01; where they show none, the one that the whole response has `told`.

    Raises:
        UnexpectedPayloadError: No row fits either reading though some should, or some fit one and some the other.
    """
    votes = votes_of(rows)
    if votes.percent and votes.ratio:
        raise UnexpectedPayloadError(
            f"{of}: ROAS is percent in {votes.percent} rows and a ratio in {votes.ratio}, going by their revenue and cost."
        )
    if votes.unexplained and not votes.percent and not votes.ratio:
        first = votes.unexplained[0]
        raise UnexpectedPayloadError(
            f"{of}: ROAS fits revenue and cost of its row neither as percent nor as ratio: {first.value} with revenue {first.revenue} and "
            f"cost {first.cost}, and so in {len(votes.unexplained)} rows."
        )
    word = votes.word or told
    figures: dict[str, Any] = {"roas_scale": word or "undecided"}
    if votes.unexplained:
        figures["roas_rows_unexplained"] = len(votes.unexplained)
    return RoasScale(None if word is None else _FACTORS[word], figures)


def withheld(values: pa.Array, scale: RoasScale) -> tuple[pa.Array, dict[str, Any]]:
    """ROAS without the numbers that may be a hundred times too small, where the scale is not known, and the figures of it.

    A zero is zero in percent and as a ratio. `roas_values_withheld` counts the others.
    """
    if scale.factor is not None:
        return values, scale.figures
    kept = pc.if_else(pc.equal(values, 0), values, pa.scalar(None, values.type))
    count = kept.null_count - values.null_count
    return kept, scale.figures | ({"roas_values_withheld": count} if count else {})


def votes_of(rows: Iterable[RoasRow]) -> Votes:
    """What rows with a value, revenue and cost show the scale of ROAS to be."""
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
    return Votes(percent, ratio, unexplained)


def _fits(value: Decimal, expected: Decimal) -> bool:
    return abs(value - expected) <= abs(expected) * _SHARE_OFF + _OFF


def _whole(value: Decimal | None) -> int | None:
    if value is None:
        return None
    # What has more digits than any count is not written out first: 1e999999999 would fill the memory.
    if value.adjusted() >= _MOST_DIGITS or value != int(value):
        raise ValueError(f"{value} is not whole, or out of range")
    return int(value)


def _finite(value: Decimal | None, factor: int) -> float | None:
    if value is None:
        return None
    number = float(value * factor)
    if not math.isfinite(number):
        raise ValueError(f"{value} is no number")
    return number
