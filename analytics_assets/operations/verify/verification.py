"""The lake and Dagster's record side by side: what is wrong with which day of which table, and what to do.

A table is looked at a few files at a time, so that memory stays flat. Where the two disagree they are read once more, because a day may have
landed meanwhile: a file stands a moment before Dagster knows of it. Keep printing
out of here (`cli/lake.py`).
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
    examined,
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
    OTHERWISE = "recorded otherwise"
    EARLIER = "earlier definition"
    OUTDATED = "earlier version"


# What a load of the day repairs, and what `--record-again` does.
LOADED_AGAIN = (ProblemKind.DAMAGED, ProblemKind.FOREIGN, ProblemKind.MISSING, ProblemKind.UNRELATED)
RECORDED_AGAIN = (ProblemKind.UNRECORDED, ProblemKind.OTHERWISE)

_REMEDIES: Mapping[ProblemKind, str] = {
    ProblemKind.DAMAGED: "load the day again: the file moves to the quarantine",
    ProblemKind.FOREIGN: "sandbox and live numbers must not be in one lake: load the day again, and the file moves to the quarantine",
    ProblemKind.MISSING: "load the day again",
    ProblemKind.UNRELATED: "load the day again from its raw day, which needs no request",
    ProblemKind.UNRECORDED: f"{_RECORD} records what stands",
    ProblemKind.OTHERWISE: f"{_RECORD} records what stands; materialize the day for a new answer",
    ProblemKind.OUTDATED: f"{CONVERT[0].lower()}{CONVERT[1:]}",
    ProblemKind.EARLIER: "nothing has to be done: columns declared since are null, and others are not read; materialize the day to load it again, as far as "
    "the vendor still has it",
}
_LOST = (
    "the vendor keeps no history of it, so only a back-up has that day. Without one, remove the file if it is damaged and launch the job "
    "`snapshots`, which stores the present day"
)


@dataclass(frozen=True)
class TableProblem:
    """One day of one table that is not as it should be.

    Attributes:
        account: The table's account.
        table: The table's name.
        day: The day.
        kind: What is wrong.
        words: What was seen.
        remedy: What to do.
        stored: What stands, where it is whole.
    """

    account: str
    table: str
    day: date
    kind: ProblemKind
    words: str
    remedy: str
    stored: StoredDay | None = None


@dataclass(frozen=True)
class FileProblem:
    """What is wrong with a file by itself.

    Attributes:
        kind: What is wrong.
        words: What was seen.
        stored: The file, where it is whole.
    """

    kind: ProblemKind
    words: str
    stored: StoredDay | None = None


Seen = Mapping[date, StoredDay | FileProblem | None]


@dataclass(frozen=True)
class LakeScope:
    """What is looked at.

    Attributes:
        lake: The lake.
        is_sandbox: Whether its numbers are invented.
        instance: Where Dagster's record is.
        tables: Every declared table, by account and name.
        daily: Those of them whose days can be asked for; the others are snapshots.
        chosen: Those to look at.
        first: The first day to look at, or None for all before `last`.
        last: The last day to look at, or None for all from `first` on.
    """

    lake: Lake
    is_sandbox: bool
    instance: dg.DagsterInstance
    tables: Mapping[Name, Table]
    daily: frozenset[Name]
    chosen: Sequence[Name]
    first: date | None = None
    last: date | None = None

    def within(self, days: Iterable[date]) -> list[date]:
        """Those of some days that are looked at, oldest first."""
        return sorted(
            day for day in days if (self.first is None or day >= self.first) and (self.last is None or day <= self.last)
        )


@dataclass
class Verification:
    """What a look has found.

    Attributes:
        wrong: The days that are not as they should be, table by table.
        inventory: All files of the lake.
        files: Files that were read.
        days: Different days they are of.
        size: Bytes of them that were found right.
        expired: Raw days without a file whose typed days are all stored.
    """

    wrong: list[TableProblem]
    inventory: Inventory
    files: int = 0
    days: set[date] = field(default_factory=set)
    size: int = 0
    expired: dict[Name, list[date]] = field(default_factory=dict)

    @property
    def is_well(self) -> bool:
        """Whether nothing has to be done: days of an earlier definition stay as they are."""
        return all(one.kind is ProblemKind.EARLIER for one in self.wrong)


def verify_tables(place: LakeScope, say: Callable[[str], None]) -> Verification:
    """Looks at every chosen table; `say` is told of each before it is read.

    Raises:
        LakeError: The lake cannot be read.
        PermanentError: It is empty where Dagster shows days, or a lake of the other mode.
    """
    found = Verification([], inventory(place.lake, place.tables))
    for number, name in enumerate(place.chosen, start=1):
        days = place.within(found.inventory.days[name])
        say(f"{number} of {len(place.chosen)}: {'/'.join(name)}, {len(days)} files")
        files = by_day(days, lambda day, name=name: _file(place, name, day))  # type: ignore[misc]
        found.files += len(files)
        found.days.update(days)
        right = [one.stored if isinstance(one, FileProblem) else one for one in files.values()]
        found.size += sum(one.size for one in right if one is not None)
        wrong = list(_compared(place, name, files))
        expired = _expired(found.inventory, place, wrong)
        if expired:
            found.expired[name] = [one.day for one in expired]
        found.wrong += [one for one in wrong if one not in expired]
    _refuse_wrong_settings(place, found)
    return found


def _expired(there: Inventory, place: LakeScope, wrong: Sequence[TableProblem]) -> list[TableProblem]:
    """Missing days of a raw table that every table made from it has."""
    missing = [one for one in wrong if one.kind is ProblemKind.MISSING]
    if not missing:
        return []
    account, raw = missing[0].account, missing[0].table
    made = [name for name in place.daily if name[0] == account and _origin(place.tables[name]) == raw]
    days = set.intersection(*(set(there.days[name]) for name in made)) if made else set()
    return [one for one in missing if one.day in days]


def _origin(table: Table) -> str | None:
    return None if table.origin is None else table.origin.table.name


def _refuse_wrong_settings(place: LakeScope, found: Verification) -> None:
    """What is wrong with all of a lake is wrong with the settings: nothing of it must be put away or asked for again."""
    where, kinds = place.lake.files.named(place.lake.root), {one.kind for one in found.wrong}
    if not any(found.inventory.days.values()) and ProblemKind.MISSING in kinds:
        raise PermanentError(
            f"No table has a file in {where}, and Dagster shows {len(found.wrong)} that have landed.",
            remedy="Set ANALYTICS_LAKE and ANALYTICS_MODE to "
            "the lake of this instance; one that is lost is put back from a back-up, or loaded again with `analytics-assets load`.",
        )
    foreign = [one for one in found.wrong if one.kind is ProblemKind.FOREIGN]
    if foreign and len(foreign) == found.files:
        raise PermanentError(
            f"Every file of {where}: {foreign[0].words}.",
            remedy="Set ANALYTICS_MODE or ANALYTICS_LAKE to what belongs together.",
        )


def _file(place: LakeScope, name: Name, day: date) -> StoredDay | FileProblem | None:
    """What stands for a day, or what is wrong with it, or None."""
    account, _ = name
    table = place.tables[name]
    try:
        stored = examined(place.lake, account, table, day, is_sandbox=place.is_sandbox)
    except DamagedError as error:
        return FileProblem(ProblemKind.DAMAGED, str(error))
    except EarlierError as error:
        return FileProblem(ProblemKind.EARLIER, str(error), error.stored)
    except OutdatedError as error:
        return FileProblem(ProblemKind.OUTDATED, str(error))
    except ForeignError as error:
        return FileProblem(ProblemKind.FOREIGN, str(error))
    raw = place.lake.usable(account, table.origin.table.name, day) if stored and table.origin else None
    if stored and raw and not belongs_to(stored.footer, raw.footer, table.name):
        return FileProblem(
            ProblemKind.UNRELATED, "it was not made from the raw day that is stored, and differs from what was"
        )
    return stored


def is_sound(place: LakeScope, name: Name, day: date) -> bool:
    """Whether the file of a day is there, whole and of this mode."""
    found = _file(place, name, day)
    return found.kind is ProblemKind.EARLIER if isinstance(found, FileProblem) else found is not None


def _compared(place: LakeScope, name: Name, files: Seen) -> Iterator[TableProblem]:
    doubtful = {day for day, _, _ in _differences(place, name, files)}
    again = {**files, **{day: _file(place, name, day) for day in doubtful}}
    for day, kind, words in _differences(place, name, again) if doubtful else ():
        stored = again.get(day)
        held = stored.stored if isinstance(stored, FileProblem) else stored
        yield TableProblem(*name, day, kind, words, _remedy(place, name, kind), held)


def _differences(place: LakeScope, name: Name, files: Seen) -> Iterator[tuple[date, ProblemKind, str]]:
    versions = recorded_versions(place.instance, dg.AssetKey(name), is_daily=name in place.daily)
    standing = {day: one for day, one in files.items() if one is not None}
    # Of a snapshot Dagster remembers the last reading alone.
    newest = max(standing, default=None)
    for day in sorted({*standing, *place.within(versions)}):
        held = standing.get(day)
        if isinstance(held, FileProblem):
            yield day, held.kind, held.words
            held = held.stored
            if held is None:
                continue
        if held is None:
            yield day, ProblemKind.MISSING, "Dagster shows it as materialized, and there is no file"
        elif day in versions:
            if versions[day] != held.footer.content_hash:
                yield (
                    day,
                    ProblemKind.OTHERWISE,
                    "Dagster's newest materialization has another data version than the file",
                )
        elif name in place.daily or (not versions and day == newest):
            yield day, ProblemKind.UNRECORDED, "the file stands, and Dagster has no materialization of it"


def _remedy(place: LakeScope, name: Name, kind: ProblemKind) -> str:
    if kind in LOADED_AGAIN and name not in place.daily:
        return _LOST
    words = _REMEDIES[kind]
    if kind in LOADED_AGAIN and kind is not ProblemKind.UNRELATED and place.tables[name].only_grows:
        words += ", empty: what earlier readings had added is in no later one"
    return words
