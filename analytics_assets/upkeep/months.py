"""Copies of months, made when a month is long over and made anew whenever a file of its days is another one.

A copy is derived and there is no lock: it is written whole from a listing and what is read after it, so whatever lands meanwhile, and whoever
else makes it at the same time, it is right or its footer names a file that is no more, and the next time finds that. What has no day any more, or
is no longer wanted, is removed. What a copy is, is `lake/months.py`'s; when this runs is `housekeeping.py`'s. Keep Dagster out of here.

Tables that only grow are copied as any other: their day files are as much the truth, and grow by landing anew.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq

from analytics_assets.checks.finding import by_day
from analytics_assets.errors import LakeError
from analytics_assets.lake.months import (
    Day,
    NoCopyError,
    copies,
    copy_footer,
    copy_path,
    copy_schema,
    month_of,
    write_copy,
)
from analytics_assets.lake.store import Lake
from analytics_assets.lake.table import Table
from analytics_assets.verification.files import DamagedError, EarlierError, ForeignError, read_whole

Name = tuple[str, str]

# Days of a month that are read at once, because a bucket answers slowly; no more than these are held in memory.
_AT_ONCE = 4


class UnusableDayError(Exception):
    """The file of a day cannot be copied; says which and why."""


class MixedMonthError(Exception):
    """A day was stored for an earlier definition of its table, so no one copy has the columns of all days; says which."""


@dataclass
class Copied:
    """What became of the copies.

    Attributes:
        written: Copies made, or made anew.
        equal: Copies whose days are as they were.
        removed: Copies whose days have gone, or that nobody wants any more.
        files: Copies that stand now.
        size: Bytes of them.
        unusable: Why a month was not copied, by table and month; a copy it has stays as it was.
        mixed: The same for months with days of an earlier definition of their table.
    """

    written: int = 0
    equal: int = 0
    removed: int = 0
    files: int = 0
    size: int = 0
    unusable: list[str] = field(default_factory=list)
    mixed: list[str] = field(default_factory=list)


def keep_copies(
    lake: Lake,
    tables: Mapping[Name, Table],
    *,
    is_wanted: Callable[[date], bool] | None,
    is_sandbox: bool,
    say: Callable[[str], None],
) -> Copied:
    """Makes every copy that is wanted and not as its days are, and removes what else stands of these accounts.

    Args:
        lake: The lake.
        tables: What is copied, by account and name: all typed daily tables of some accounts.
        is_wanted: Whether a month has a copy, given its first day; None where no month has one.
        is_sandbox: Whether the numbers are invented; days of the other mode are not copied.
        say: Told of each copy that is made or removed.

    Raises:
        LakeError: The lake cannot be read or written.
    """
    done, accounts = Copied(), dict.fromkeys(account for account, _ in tables)
    others = {(account, name, month) for account in accounts for name, month in copies(lake, account)}
    for (account, name), table in tables.items():
        months = _months(lake.marks(account, name), is_wanted) if is_wanted else {}
        others -= {(account, name, month) for month in months}
        held = by_day(list(months), partial(_marks_held, lake, account, table, is_sandbox=is_sandbox))
        for month, marks in months.items():
            if held[month] == marks:
                done.equal += 1
                continue
            try:
                days = _days(lake, account, table, marks, is_sandbox=is_sandbox)
                write_copy(lake, account, table, month, days, is_sandbox=is_sandbox)
            except UnusableDayError as error:
                done.unusable.append(f"{account}/{name} {error}")
                continue
            except MixedMonthError as error:
                done.mixed.append(f"{account}/{name} {error}")
                continue
            done.written += 1
            say(f"{account}/{name}: the copy of {month:%Y-%m} was made, of {len(marks)} days.")
    for account, name, month in sorted(others):
        lake.files.remove(copy_path(lake, account, name, month))
        done.removed += 1
        say(f"{account}/{name}: the copy of {month:%Y-%m} was removed.")
    sizes = [size for account in accounts for size in copies(lake, account).values()]
    done.files, done.size = len(sizes), sum(sizes)
    return done


def _months(marks: Mapping[date, str], is_wanted: Callable[[date], bool]) -> dict[date, dict[date, str]]:
    """The marks of days, by their month."""
    months: dict[date, dict[date, str]] = {}
    for day, mark in marks.items():
        if is_wanted(month := month_of(day)):
            months.setdefault(month, {})[day] = mark
    return months


def _marks_held(lake: Lake, account: str, table: Table, month: date, *, is_sandbox: bool) -> dict[date, str] | None:
    """The marks of the files that the copy of a month was made from; None where it has to be made, whatever they are."""
    try:
        with lake.files.opened(copy_path(lake, account, table.name, month)) as file:
            held = pq.ParquetFile(file)
            footer = copy_footer(held)
    except (FileNotFoundError, NoCopyError, LakeError, pa.ArrowException):
        # One that cannot be read, for whatever reason, is not worth a word: it is made anew.
        return None
    is_as_declared = footer.is_sandbox == is_sandbox and held.schema_arrow.equals(copy_schema(table))
    return {day: one.mark for day, one in footer.days.items()} if is_as_declared else None


def _days(lake: Lake, account: str, table: Table, marks: Mapping[date, str], *, is_sandbox: bool) -> Iterator[Day]:
    """The days of a month, oldest first, a few in memory at once; one that has gone since it was listed is left out.

    Raises:
        UnusableDayError: The file of a day is damaged, or of the other mode.
        MixedMonthError: A day was stored for an earlier definition of the table.
    """

    def read(day: date) -> Day | None:
        try:
            whole = read_whole(lake, account, table, day, is_sandbox=is_sandbox)
        except (DamagedError, ForeignError) as error:
            raise UnusableDayError(f"{day}: {error}") from error
        except EarlierError as error:
            raise MixedMonthError(f"{day}: {error}") from error
        return whole and Day(day, whole[0].footer.content_hash, marks[day], whole[1])

    days = list(marks)
    for first in range(0, len(days), _AT_ONCE):
        some = by_day(days[first : first + _AT_ONCE], read)
        for day in list(some):
            # Nothing keeps a day in memory once it is written.
            if (one := some.pop(day)) is not None:
                yield one
