"""What a check is: a name, what its failure means, what to do then, and a look at the lake that gives a finding a day.

A check is read from the lake alone, so that a run says of its days what the daily job says of them later.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Literal, TypeVar

import pyarrow as pa

from analytics_assets.lake.parquet_reader import LEAST_BYTES
from analytics_assets.lake.store import Lake
from analytics_assets.lake.table import Table

T = TypeVar("T")
Level = Literal["fine", "information", "warning", "error"]
_AT_ONCE: Final = 8


@dataclass(frozen=True)
class CheckResult:
    """What a check says of a day.

    Attributes:
        words: What was found; empty where there is nothing to say.
        level: True if the check fails by it: warnings and errors do, the others are told only.
        numbers: What was measured, by name.
    """

    words: str = ""
    level: Level = "fine"
    numbers: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def is_failure(self) -> bool:
        """True if the check fails by it."""
        return self.level in {"warning", "error"}


# By day, or by days in words where that is how they are known.
CheckResults = Mapping[date, CheckResult] | Mapping[str, CheckResult]


@dataclass(frozen=True)
class Limits:
    """From where on a difference is worth a warning, and how far back the daily job looks.

    Attributes:
        days: Days the daily job looks at, the newest that ought to stand included.
        grace_hours: Hours after a day is final in which nobody misses it.
        volume_least: Share of its usual volume that a day has at least.
        volume_most: Multiple of its usual volume that a day has at most.
        loss_most: Share of its rows that a day may lose to another response to the same request.
    """

    days: int = 35
    grace_hours: float = 3.0
    volume_least: float = 0.5
    volume_most: float = 2.0
    loss_most: float = 0.5


USUAL = Limits()


@dataclass(frozen=True)
class CheckContext:
    """What a check looks at.

    Attributes:
        lake: Where the tables stand.
        account: The account they belong to.
        days: The days in question, oldest first: those of the run, or the last ones.
        newest: The newest day that ought to stand, or None.
        due_at: From when on a day could be stored.
        errors: Of a table the days that were not stored when they were requested last, with the reason.
        is_run: True if these are the days of a run that has just found them valid.
        resource: The account's resource.
        begins: First day of all daily tables; days before it can be requested no more, whatever stands of them.
    """

    lake: Lake
    account: str
    days: Sequence[date]
    newest: date | None
    due_at: Callable[[date], datetime]
    errors: Callable[[str], Mapping[date, str]] = lambda _table: {}
    is_run: bool = False
    resource: Any = None
    begins: date = date.min
    _listed: dict[str, dict[date, int]] = field(default_factory=dict)

    def files(self, table: str) -> dict[date, int]:
        """Bytes of each file of a table, by day, also of one that cannot be a day; listed once."""
        if table not in self._listed:
            listed = self.lake.listed(self.account, table)
            self._listed[table] = {day: file.size for day, file in listed.items()}
        return self._listed[table]

    def all_days(self, table: str) -> list[date]:
        """All days of a table that stand, oldest first."""
        return sorted(day for day, size in self.files(table).items() if size >= LEAST_BYTES)

    def standing(self, table: str) -> list[date]:
        """The days in question that stand in a table."""
        stored = set(self.all_days(table))
        return [day for day in self.days if day in stored]

    def read(self, table: Table, day: date, columns: Sequence[str] | None = None) -> pa.Table:
        """One day of a table."""
        return self.lake.read(self.account, table, [day], columns)


@dataclass(frozen=True)
class Check:
    """One check of one table.

    Attributes:
        name: Its name, for good: history and alerts hang on it.
        table: The table it is of.
        means: What a failure means.
        remedy: What to do then.
        find: What it finds.
    """

    name: str
    table: str
    means: str
    remedy: str
    find: Callable[[CheckContext], CheckResults]


def by_day(days: Sequence[date], find: Callable[[date], T]) -> dict[date, T]:
    """What is made of each day. A few are read at once, because a bucket answers slowly, and no more than these are held in memory."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(days, pool.map(find, days), strict=True))


def each_day(
    table: Table, find: Callable[[pa.Table], CheckResult], columns: Sequence[str]
) -> Callable[[CheckContext], CheckResults]:
    """What is found in each standing day by itself."""

    def found(context: CheckContext) -> CheckResults:
        return by_day(context.standing(table.name), lambda day: find(context.read(table, day, columns)))

    return found
