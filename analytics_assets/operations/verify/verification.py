"""Compares the lake with Dagster's record: the problems of each table's days, with remedies.

A few files are read at a time, so that memory stays flat. Days that differ are read a second time, because a file is stored a moment before
Dagster records it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum

import dagster as dg

from analytics_assets.checks.check import by_day
from analytics_assets.errors import PermanentError
from analytics_assets.lake.footer import belongs_to
from analytics_assets.lake.parquet_reader import CONVERT
from analytics_assets.lake.store import Lake, StoredDay
from analytics_assets.lake.table import Table
from analytics_assets.operations.verify.files import (
    DamagedError,
    EarlierError,
    ForeignError,
    Inventory,
    Name,
    OutdatedError,
    examine_file,
    inventory,
)
from analytics_assets.operations.verify.record import recorded_versions

_RECORD = "`analytics-assets lake verify --record-again`"


class ProblemKind(Enum):
    """What is wrong with a day; the value is its name in JSON."""

    DAMAGED = "damaged"
    FOREIGN = "of the other mode"
    MISSING = "missing"
    UNRELATED = "of another raw day"
    UNRECORDED = "not recorded"
    RECORDED_DIFFERENTLY = "recorded otherwise"
    EARLIER = "earlier definition"
    OUTDATED = "earlier version"


# What a load of the day repairs, and what `--record-again` does.
LOADED_AGAIN = (ProblemKind.DAMAGED, ProblemKind.FOREIGN, ProblemKind.MISSING, ProblemKind.UNRELATED)
RECORDED_AGAIN = (ProblemKind.UNRECORDED, ProblemKind.RECORDED_DIFFERENTLY)

_REMEDIES: Mapping[ProblemKind, str] = {
    ProblemKind.DAMAGED: "load the day again: the file moves to the quarantine",
    ProblemKind.FOREIGN: "sandbox and live numbers must not be in one lake: load the day again, and the file moves to the quarantine",
    ProblemKind.MISSING: "load the day again",
    ProblemKind.UNRELATED: "load the day again from its raw day, which needs no request",
    ProblemKind.UNRECORDED: f"{_RECORD} records the stored file",
    ProblemKind.RECORDED_DIFFERENTLY: f"{_RECORD} records the stored file; materialize the day to load it again",
    ProblemKind.OUTDATED: f"{CONVERT[0].lower()}{CONVERT[1:]}",
    ProblemKind.EARLIER: "nothing has to be done: columns declared since are null, and dropped columns are not read; materialize the day to load it again, if "
    "the vendor still has it",
}
_LOST = (
    "the vendor keeps no history of it, so only a back-up has that day. Without one, remove the damaged file and launch the job "
    "`snapshots`, which stores the present day"
)


@dataclass(frozen=True)
class TableProblem:
    """A day of a table that is not as it should be.

    Attributes:
        account: The table's account.
        table: The table's name.
        day: The day.
        kind: Its kind.
        description: What is wrong, for people.
        remedy: What to do.
        stored: The stored day, where it is whole.
    """

    account: str
    table: str
    day: date
    kind: ProblemKind
    description: str
    remedy: str
    stored: StoredDay | None = None


@dataclass(frozen=True)
class FileProblem:
    """What is wrong with a file by itself.

    Attributes:
        kind: Its kind.
        description: What is wrong, for people.
        stored: The file, where it is whole.
    """

    kind: ProblemKind
    description: str
    stored: StoredDay | None = None


FilesByDay = Mapping[date, StoredDay | FileProblem | None]


@dataclass(frozen=True)
class LakeScope:
    """What is verified.

    Attributes:
        lake: The lake.
        is_sandbox: True if its numbers are invented.
        instance: The instance with Dagster's record.
        tables: Every declared table, by account and name.
        daily: Names of daily tables; the others are snapshots.
        selected: Tables to verify.
        first: First day; None for all before `last`.
        last: Last day; None for all from `first` on.
    """

    lake: Lake
    is_sandbox: bool
    instance: dg.DagsterInstance
    tables: Mapping[Name, Table]
    daily: frozenset[Name]
    selected: Sequence[Name]
    first: date | None = None
    last: date | None = None

    def within(self, days: Iterable[date]) -> list[date]:
        """The days within `first` and `last`, oldest first."""
        return sorted(
            day for day in days if (self.first is None or day >= self.first) and (self.last is None or day <= self.last)
        )


@dataclass
class Verification:
    """The result of a verification.

    Attributes:
        problems: Problems, table by table.
        inventory: All files of the lake.
        files: Number of files read.
        days: Their days.
        size: Bytes of the files that are right.
        expired: Raw days without a file whose typed days are all stored, by table.
    """

    problems: list[TableProblem]
    inventory: Inventory
    files: int = 0
    days: set[date] = field(default_factory=set)
    size: int = 0
    expired: dict[Name, list[date]] = field(default_factory=dict)

    @property
    def is_sound(self) -> bool:
        """True if nothing has to be done: days of an earlier definition may stay."""
        return all(problem.kind is ProblemKind.EARLIER for problem in self.problems)


def verify_tables(scope: LakeScope, say: Callable[[str], None]) -> Verification:
    """Verifies every selected table; `say` gets a line of progress before each.

    Raises:
        LakeError: The lake cannot be read.
        PermanentError: It is empty where Dagster shows days, or a lake of the other mode.
    """
    result = Verification([], inventory(scope.lake, scope.tables))
    for number, name in enumerate(scope.selected, start=1):
        days = scope.within(result.inventory.days[name])
        say(f"{number} of {len(scope.selected)}: {'/'.join(name)}, {len(days)} files")
        files = by_day(days, lambda day, name=name: _examine_day(scope, name, day))  # type: ignore[misc]
        result.files += len(files)
        result.days.update(days)
        right = [file.stored if isinstance(file, FileProblem) else file for file in files.values()]
        result.size += sum(file.size for file in right if file is not None)
        problems = list(_find_problems(scope, name, files))
        expired = _expired_problems(result.inventory, scope, problems)
        if expired:
            result.expired[name] = [problem.day for problem in expired]
        result.problems += [problem for problem in problems if problem not in expired]
    _refuse_wrong_settings(scope, result)
    return result


def _expired_problems(listing: Inventory, scope: LakeScope, problems: Sequence[TableProblem]) -> list[TableProblem]:
    """Missing days of a raw table that every table made from it has."""
    missing = [problem for problem in problems if problem.kind is ProblemKind.MISSING]
    if not missing:
        return []
    account, raw = missing[0].account, missing[0].table
    derived = [name for name in scope.daily if name[0] == account and _origin(scope.tables[name]) == raw]
    days = set.intersection(*(set(listing.days[name]) for name in derived)) if derived else set()
    return [problem for problem in missing if problem.day in days]


def _origin(table: Table) -> str | None:
    return None if table.origin is None else table.origin.table.name


def _refuse_wrong_settings(scope: LakeScope, result: Verification) -> None:
    """Refuses where every file has the same problem: then the settings are wrong, and no repair must begin."""
    where, kinds = scope.lake.files.named(scope.lake.root), {problem.kind for problem in result.problems}
    if not any(result.inventory.days.values()) and ProblemKind.MISSING in kinds:
        raise PermanentError(
            f"No table has a file in {where}, and Dagster shows {len(result.problems)} stored days.",
            remedy="Set ANALYTICS_LAKE and ANALYTICS_MODE to the lake of this instance. Restore a lost lake from a back-up, or load it again with "
            "`analytics-assets load`.",
        )
    foreign = [problem for problem in result.problems if problem.kind is ProblemKind.FOREIGN]
    if foreign and len(foreign) == result.files:
        raise PermanentError(
            f"Every file of {where}: {foreign[0].description}.",
            remedy="Set ANALYTICS_MODE and ANALYTICS_LAKE to values that belong together.",
        )


def _examine_day(scope: LakeScope, name: Name, day: date) -> StoredDay | FileProblem | None:
    """The stored day, its problem, or None where there is no file."""
    account, _ = name
    table = scope.tables[name]
    try:
        stored = examine_file(scope.lake, account, table, day, is_sandbox=scope.is_sandbox)
    except DamagedError as error:
        return FileProblem(ProblemKind.DAMAGED, str(error))
    except EarlierError as error:
        return FileProblem(ProblemKind.EARLIER, str(error), error.stored)
    except OutdatedError as error:
        return FileProblem(ProblemKind.OUTDATED, str(error))
    except ForeignError as error:
        return FileProblem(ProblemKind.FOREIGN, str(error))
    raw = scope.lake.usable(account, table.origin.table.name, day) if stored and table.origin else None
    if stored and raw and not belongs_to(stored.footer, raw.footer, table.name):
        return FileProblem(
            ProblemKind.UNRELATED, "it was not made from the stored raw day, and differs from the table that was"
        )
    return stored


def is_sound(scope: LakeScope, name: Name, day: date) -> bool:
    """True if the day is stored, whole and of this mode."""
    file = _examine_day(scope, name, day)
    return file.kind is ProblemKind.EARLIER if isinstance(file, FileProblem) else file is not None


def _find_problems(scope: LakeScope, name: Name, files: FilesByDay) -> Iterator[TableProblem]:
    doubtful = {day for day, _, _ in _differences(scope, name, files)}
    again = {**files, **{day: _examine_day(scope, name, day) for day in doubtful}}
    for day, kind, description in _differences(scope, name, again) if doubtful else ():
        stored = again.get(day)
        stored_day = stored.stored if isinstance(stored, FileProblem) else stored
        yield TableProblem(*name, day, kind, description, _remedy(scope, name, kind), stored_day)


def _differences(scope: LakeScope, name: Name, files: FilesByDay) -> Iterator[tuple[date, ProblemKind, str]]:
    versions = recorded_versions(scope.instance, dg.AssetKey(name), is_daily=name in scope.daily)
    existing = {day: file for day, file in files.items() if file is not None}
    # Dagster remembers only the newest day of a snapshot.
    newest = max(existing, default=None)
    for day in sorted({*existing, *scope.within(versions)}):
        stored = existing.get(day)
        if isinstance(stored, FileProblem):
            yield day, stored.kind, stored.description
            stored = stored.stored
            if stored is None:
                continue
        if stored is None:
            yield day, ProblemKind.MISSING, "Dagster shows it as materialized, and there is no file"
        elif day in versions:
            if versions[day] != stored.footer.content_hash:
                yield (
                    day,
                    ProblemKind.RECORDED_DIFFERENTLY,
                    "Dagster's newest materialization has another data version than the file",
                )
        elif name in scope.daily or (not versions and day == newest):
            yield day, ProblemKind.UNRECORDED, "the file is stored, and Dagster has no materialization of it"


def _remedy(scope: LakeScope, name: Name, kind: ProblemKind) -> str:
    if kind in LOADED_AGAIN and name not in scope.daily:
        return _LOST
    remedy = _REMEDIES[kind]
    if kind in LOADED_AGAIN and kind is not ProblemKind.UNRELATED and scope.tables[name].only_grows:
        remedy += ", but without the rows that earlier loads added, which no later load has"
    return remedy
