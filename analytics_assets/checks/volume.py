"""Whether a day is as large as its table usually is: against the median of the same weekdays before it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from statistics import median
from typing import Final, Literal

import pyarrow as pa
import pyarrow.compute as pc

from analytics_assets.checks.check import Check, CheckContext, CheckResult, CheckResults, Limits, by_day
from analytics_assets.errors import PermanentError
from analytics_assets.lake.store import Lake

Aggregation = Literal["rows", "sum", "min", "max"]
Value = str | int | float | bool

_WEEK: Final = timedelta(days=7)
_WEEKS: Final = 8
_LEAST_WEEKS: Final = 4
# Counts differ by chance by about their root; three times that is no chance.
_ROOTS: Final = 3.0


@dataclass(frozen=True)
class Figure:
    """A number of a day, taken from a table as its file has it.

    Attributes:
        table: Name of the table.
        aggregation: What is made of the rows.
        column: Of which column; unset for `rows`.
        where: Only rows whose columns have these values.
    """

    table: str
    aggregation: Aggregation = "rows"
    column: str | None = None
    where: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuses a figure of no column, or rows of one."""
        if (self.aggregation == "rows") != (self.column is None):
            if self.column is None:
                raise PermanentError(
                    f"The figure of {self.table}: `rows` takes no column, and `{self.aggregation}` needs one.",
                    remedy="Name the column, or count rows.",
                )
            raise PermanentError(
                f"The figure of {self.table}: rows are counted without a column.",
                remedy=f"Take {self.column!r} out, or use sum.",
            )

    def rows(self, lake: Lake, account: str, day: date, *more: str) -> pa.Table | None:
        """The rows it is made from with their column, and more columns where the file has them; None where the day does not stand.

        Raises:
            PermanentError: The table has no such column, or the value does not fit it.
        """
        content = lake.held(account, self.table, day)
        if content is None:
            return None
        named = [*self.where, *([self.column] if self.column else [])]
        if absent := [name for name in named if name not in content.schema.names]:
            raise PermanentError(
                f"{account}/{self.table} has no column {', '.join(absent)}.",
                remedy=f"Use one of {', '.join(content.schema.names)}.",
            )
        for name, value in self.where.items():
            try:
                is_match = pc.equal(content[name], pa.scalar(value, content.schema.field(name).type))
            except (pa.ArrowException, TypeError, ValueError) as error:
                raise PermanentError(
                    f"{account}/{self.table}: {name} is never {value!r} ({error}).",
                    remedy="Correct `where` in defs.yaml.",
                ) from error
            content = content.filter(is_match)
        kept_names = dict.fromkeys([*named, *(name for name in more if name in content.schema.names)])
        return content.select(list(kept_names)) if kept_names else content

    def of(self, rows: pa.Table) -> Decimal | None:
        """The number, exact where the column is; None where there is no value, or one of them is missing: null is not zero.

        Raises:
            PermanentError: The column holds no numbers.
        """
        if self.column is None:
            return Decimal(rows.num_rows)
        if rows[self.column].null_count:
            return None
        try:
            aggregate = {"sum": pc.sum, "min": pc.min, "max": pc.max}[self.aggregation](rows[self.column]).as_py()
            return None if aggregate is None else Decimal(str(aggregate))
        except (pa.ArrowException, ArithmeticError) as error:
            raise PermanentError(
                f"{self.table}: {self.column} holds no numbers to take the {self.aggregation} of.",
                remedy="Name a column of numbers, or count rows.",
            ) from error


def volume_as_usual(figure: Figure, limits: Limits) -> Check:
    """Whether a day is as large as the same weekdays of the last weeks, where enough of them stand."""

    def find(context: CheckContext) -> CheckResults:
        stored_days, stored = context.standing(figure.table), set(context.all_days(figure.table))
        before = {day: [day - _WEEK * number for number in range(1, _WEEKS + 1)] for day in stored_days}
        needed = {*stored_days, *(one for days in before.values() for one in days if one in stored)}
        volumes = by_day(sorted(needed), lambda day: _volume(figure, context, day))
        results: dict[date, CheckResult] = {}
        for day in stored_days:
            usual = [one for one in (volumes.get(earlier) for earlier in before[day]) if one is not None]
            volume = volumes[day]
            if volume is not None and len(usual) >= _LEAST_WEEKS:
                results[day] = _judged(volume, median(usual), len(usual), limits)
        return results

    unit = "rows" if figure.column is None else f"`{figure.column}`"
    return Check(
        "volume_as_usual",
        figure.table,
        f"A day is far smaller or larger than usual: its {unit} are less than {limits.volume_least:g} or more than {limits.volume_most:g} times "
        f"the median of the same weekday in the {_WEEKS} weeks before, and by more than chance explains. Without {_LEAST_WEEKS} such days "
        "nothing is said.",
        "Ask whether the business had such a day. If not, see whether tracking or the report's settings changed, then materialize the day "
        "again. The bounds are `checks` in defs.yaml.",
        find,
    )


def _volume(figure: Figure, context: CheckContext, day: date) -> float | None:
    """From the footer where rows are counted, which opens no column."""
    if figure.column is None and not figure.where:
        stored = context.lake.stored_day(context.account, figure.table, day)
        return None if stored is None else float(stored.rows)
    rows = figure.rows(context.lake, context.account, day)
    number = None if rows is None else figure.of(rows)
    return None if number is None else float(number)


def _judged(volume: float, usual: float, weeks: int, limits: Limits) -> CheckResult:
    numbers = {"volume": volume, "usual": usual, "weeks": weeks}
    is_odd = not limits.volume_least * usual <= volume <= limits.volume_most * usual
    if not is_odd or abs(volume - usual) <= _ROOTS * math.sqrt(max(usual, 0)):
        return CheckResult(numbers=numbers)
    return CheckResult(f"{volume:g} instead of about {usual:g}", "warning", numbers)
