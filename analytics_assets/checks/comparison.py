"""Whether two figures that somebody declares to be the same are, day by day and within a tolerance.

Nothing is compared unless it is declared: vendors count days in zones of their own, and what they call a sign-up need not be one thing.
Money compares with money of the same currency alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pyarrow as pa

from analytics_assets.checks.check import Check, CheckContext, CheckResult, CheckResults, by_day
from analytics_assets.checks.volume import Figure
from analytics_assets.errors import PermanentError
from analytics_assets.lake.store import Lake


@dataclass(frozen=True)
class Side:
    """One of two figures.

    Attributes:
        account: Account of its table.
        figure: What is taken of a day.
        divide_by: What it is divided by, such as 100 for cents.
        currency: What money it is, where its table does not say so itself.
    """

    account: str
    figure: Figure
    divide_by: float = 1.0
    currency: str | None = None

    @property
    def name(self) -> str:
        """For messages."""
        figure = self.figure
        column = f" of {figure.column}" if figure.column else ""
        where = (
            f" where {', '.join(f'{name} is {value}' for name, value in figure.where.items())}" if figure.where else ""
        )
        return f"{self.account}/{figure.table}: {figure.aggregation}{column}{where}"

    def declared_currency(self) -> str | None:
        """The currency that the declaration alone tells, or None."""
        named = self.figure.where.get("currency", self.currency)
        return None if named is None else str(named)

    def read(self, lake: Lake, day: date) -> tuple[Decimal | None, str | None] | None:
        """The number, None where it or a part of it is missing, and, of money, its currency; None where the day does not stand.

        Raises:
            PermanentError: The table cannot give this figure, or holds several currencies.
        """
        rows = self.figure.rows(lake, self.account, day, "currency")
        if rows is None:
            return None
        number = self.figure.of(rows)
        return None if number is None else number / Decimal(str(self.divide_by)), self._currency(rows)

    def _currency(self, rows: pa.Table) -> str | None:
        column = self.figure.column
        if column is None or "currency" not in rows.schema.names or not _is_money(column, rows):
            return self.currency
        currencies = sorted({str(currency) for currency in rows["currency"].to_pylist()})
        if len(currencies) > 1:
            raise PermanentError(
                f"{self.name} adds up {', '.join(currencies)}, and currencies are never added.",
                remedy="Name one as `currency` in `where`.",
            )
        return currencies[0] if currencies else self.declared_currency()


@dataclass(frozen=True)
class Comparison:
    """Two figures that ought to be the same.

    Attributes:
        name: Its name.
        left: One figure.
        right: The other.
        absolute: By how much they may differ.
        relative: By what share of the larger they may differ; the wider of the two bounds holds.
    """

    name: str
    left: Side
    right: Side
    absolute: float = 0.0
    relative: float = 0.0

    def __post_init__(self) -> None:
        """Refuses what can never agree or always does."""
        if (
            min(self.absolute, self.relative) < 0
            or self.relative >= 1
            or 0 in (self.left.divide_by, self.right.divide_by)
        ):
            raise PermanentError(
                f"comparison {self.name!r} has a tolerance or a divisor out of range.",
                remedy="Use `absolute` from 0, `relative` from 0 to below 1, and `divide_by` other than 0.",
            )
        named = self.left.declared_currency(), self.right.declared_currency()
        if None not in named and named[0] != named[1]:
            raise _other_money(self, *named)

    def check(self) -> Check:
        """Whether they agree."""
        return Check(
            "figures_agree",
            self.name,
            f"{self.left.name}, and {self.right.name}, differ by more than {self.absolute:g} and more than {self.relative:.3g} of the larger. One "
            "of the two sources lost or doubled something, or they no longer count the same.",
            "Look which of the two left its usual level on the days named, and at its own checks. If the difference is as it should be, widen "
            "the tolerance in defs.yaml.",
            self._find,
        )

    def _find(self, context: CheckContext) -> CheckResults:
        names = {
            f"{side.account}/{side.figure.table}": context.lake.days(side.account, side.figure.table)
            for side in self._sides()
        }
        empty = [name for name, days in names.items() if not days]
        if empty and len(empty) < len(names):
            raise PermanentError(
                f"{', '.join(empty)} has no day, so nothing can be compared.",
                remedy="Is it the name of a table that is loaded?",
            )
        both = set.intersection(*(set(days) for days in names.values()))
        return by_day([day for day in context.days if day in both], lambda day: self._compared(context.lake, day))

    def _sides(self) -> Sequence[Side]:
        return self.left, self.right

    def _compared(self, lake: Lake, day: date) -> CheckResult:
        left, right = (side.read(lake, day) for side in self._sides())
        if left is None or right is None or left[0] is None or right[0] is None:
            return CheckResult("not compared: one of the two lacks a number", "information")
        if left[1] != right[1]:
            raise _other_money(self, left[1], right[1])
        difference = abs(left[0] - right[0])
        bound = max(Decimal(str(self.absolute)), Decimal(str(self.relative)) * max(abs(left[0]), abs(right[0])))
        numbers = {"left": float(left[0]), "right": float(right[0]), "difference": float(difference)}
        message = f"{float(left[0]):.10g} against {float(right[0]):.10g}" if difference > bound else ""
        return CheckResult(message, "warning" if message else "fine", numbers)


def _other_money(comparison: Comparison, left: str | None, right: str | None) -> PermanentError:
    return PermanentError(
        f"comparison {comparison.name!r}: the left is {left or 'no money'} and the right is {right or 'no money'}, and these never compare.",
        remedy="Choose one currency in `where`, or say with `currency` what a figure is in whose table does not.",
    )


def _is_money(column: str, rows: pa.Table) -> bool:
    """Amounts are decimals, or whole cents that say so in their name."""
    return pa.types.is_decimal(rows.schema.field(column).type) or column.endswith("_cents")
