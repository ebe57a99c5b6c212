"""Writers that are stopped in the middle of a day and go on after another one has stored it: what is newer stays.

The pause points are calls of the lake that a test interrupts with a whole load of the other writer; nothing sleeps.
"""

import asyncio
import os
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from analytics_assets.errors import TransientError
from analytics_assets.lake.disk import locked
from analytics_assets.lake.files import Staged
from analytics_assets.lake.footer import belongs_to
from analytics_assets.lake.store import Lake, Packed, StoredDay
from analytics_assets.lake.stream import Change, History, Stream
from analytics_assets.lake.table import DATE, MOMENT, Column, Table
from analytics_assets_tests.lake.vendor import NOW, NUMBERS, RAW, START, SUMS, Vendor, brought, outcomes

CHANGES = Table(
    "changes",
    "One row a changed number.",
    (
        Column(DATE, pa.date32(), "The day."),
        Column("part", pa.int32(), "Position."),
        Column("old", pa.int64(), "Before."),
        Column("new", pa.int64(), "Now."),
        Column("seen_at", MOMENT, "Instant of the request."),
    ),
    key=("part", "seen_at"),
    only_grows=True,
)
TYPED = ("changes", "numbers", "sums")
ORDER = ["numbers_raw", *TYPED]


def grown(change: Change) -> tuple[pa.Table, Mapping[str, Any]]:
    """The history with the first number's change, once for each request."""
    old, new = change.before["number"][0].as_py(), change.after["number"][0].as_py()
    row = {DATE: START, "part": 0, "old": old, "new": new, "seen_at": change.requested_at}
    rows = {one["seen_at"]: one for one in [*change.kept.to_pylist(), row]}
    return CHANGES.rows(rows.values()), {}


def stream(number: int, requested_at: datetime) -> Stream:
    """One part of the day, and a history of its changes."""
    vendor = Vendor({START: [str(number)]}, requested_at=requested_at)
    return vendor.stream(history=History(CHANGES, "numbers", grown))


def store(lake: Lake, number: int, hours: int, attempt_group: str) -> str:
    """Stores the day as requested so many hours after noon; returns the outcome."""
    results = brought(lake, stream(number, NOW + timedelta(hours=hours)), [START], attempt_group=attempt_group)
    return outcomes(asyncio.run(results))[str(START)]


class Interrupted(Lake):
    """A lake that calls something once, before it publishes a certain table, or between the comparison and the renaming."""

    def __init__(self, root: str, table: str, call: Callable[[], object], *, is_within: bool = False) -> None:
        super().__init__(root)
        self.table, self.call, self.is_within, self.is_called = table, call, is_within, False

    def _interrupt(self) -> None:
        if not self.is_called:
            self.is_called = True
            self.call()

    def publish(self, packed: Packed, staged: Staged, *, unchanged: Mapping[str, str | None]) -> StoredDay:
        """As any lake, interrupted once."""
        if packed.footer.table != self.table:
            return super().publish(packed, staged, unchanged=unchanged)
        if not self.is_within:
            self._interrupt()
            return super().publish(packed, staged, unchanged=unchanged)

        def publish(path: str) -> None:
            self._interrupt()
            staged.publish(path)

        return super().publish(packed, Staged(publish, staged.sync), unchanged=unchanged)


def rows(lake: Lake, table: Table, *names: str) -> list[tuple[Any, ...]]:
    """Some columns of the day."""
    content = lake.read("shop", table, [START])
    return list(zip(*(content[name].to_pylist() for name in names), strict=True))


def is_whole(lake: Lake) -> bool:
    """True if every typed file belongs to the raw day."""
    raw = lake.stored_day("shop", "numbers_raw", START)
    assert raw is not None
    typed = {name: lake.stored_day("shop", name, START) for name in TYPED}
    return all(one is not None and belongs_to(one.footer, raw.footer, name) for name, one in typed.items())


@pytest.mark.parametrize("table", ORDER)
def test_a_writer_that_slept_between_two_files_replaces_nothing_newer(lake: Lake, table: str) -> None:
    """It makes the day again from the newer raw day, finds everything equal, and says so."""
    root = lake.files.named(lake.root)
    store(lake, 1, 0, "before")
    others = list[str]()
    sleeping = Interrupted(root, table, lambda: others.append(store(lake, 3, 2, "awake")))
    assert store(sleeping, 2, 1, "asleep") == "numbers numbers_raw sums"
    assert (others, sleeping.is_called) == (["numbers numbers_raw sums"], True)
    assert rows(lake, RAW, "body") == [("3",)]
    assert (rows(lake, NUMBERS, "number"), rows(lake, SUMS, "sum")) == ([(3,)], [(3,)])
    # The history has what the files were changed by, in order, and ends with the newest number.
    changes = rows(lake, CHANGES, "old", "new")
    assert (
        changes
        == {
            "numbers_raw": [(1, 3)],
            "changes": [(1, 3)],
            "numbers": [(1, 2), (1, 3)],
            "sums": [(1, 2), (2, 3)],
        }[table]
    )
    assert is_whole(lake)


@pytest.mark.parametrize("table", ORDER)
def test_nobody_comes_between_comparison_and_renaming_on_a_disk(disk: Lake, table: str) -> None:
    """The other writer waits for the lock and fails in words; its next attempt stores the newer day."""
    store(disk, 1, 0, "before")
    other = Lake(disk.root)
    other.files.lock_wait_s = 0.0
    others = list[str]()
    sleeping = Interrupted(disk.root, table, lambda: others.append(store(other, 3, 2, "awake")), is_within=True)
    assert store(sleeping, 2, 1, "asleep") == "numbers numbers_raw sums"
    [told] = others
    assert told.startswith("TransientError: Another process has been replacing a file of ")
    assert rows(disk, SUMS, "sum") == [(2,)]
    store(other, 3, 2, "awake")
    assert (rows(disk, RAW, "body"), rows(disk, SUMS, "sum"), is_whole(disk)) == ([("3",)], [(3,)], True)
    assert rows(disk, CHANGES, "old", "new") == [(1, 2), (2, 3)]


@pytest.mark.parametrize("table", ["numbers", "sums"])
def test_a_bucket_is_looked_at_again_after_the_upload(table: str) -> None:
    """It has no locks: a typed file that came late is made again from the newer raw day."""
    root = f"memory://lake-{table}-{id(object())}"
    lake = Lake(root)
    store(lake, 1, 0, "before")
    sleeping = Interrupted(root, table, lambda: store(lake, 3, 2, "awake"), is_within=True)
    assert store(sleeping, 2, 1, "asleep") == "numbers numbers_raw sums"
    assert (rows(lake, NUMBERS, "number"), rows(lake, SUMS, "sum"), is_whole(lake)) == ([(3,)], [(3,)], True)


def test_a_day_that_is_replaced_again_and_again_fails_in_words(disk: Lake) -> None:
    """Rather than for ever."""

    class Restless(Lake):
        def publish(self, packed: Packed, staged: Staged, *, unchanged: Mapping[str, str | None]) -> StoredDay:
            """As any lake, after someone else."""
            number = disk.read("shop", RAW)["body"].to_pylist()
            store(disk, int(number[0]) + 1 if number else 1, 3 + len(number), "other")
            return super().publish(packed, staged, unchanged={**unchanged, "/nowhere": "another"})

    results = asyncio.run(brought(Restless(disk.root), stream(0, NOW), [START], attempt_group="ours"))
    assert isinstance(results[0].error, TransientError)
    assert "replaced the files of shop 5 times" in str(results[0].error)


def test_a_lock_ends_with_its_holder(disk: Lake) -> None:
    """The next writer waits no longer than that."""
    store(disk, 1, 0, "before")
    disk.files.lock_wait_s = 0.0
    folder = disk.path("shop", "numbers_raw", START).rpartition("/")[0]
    with locked(Path(folder), wait_s=0.0):
        assert store(disk, 2, 1, "second").startswith("TransientError: Another process has been replacing")
    assert store(disk, 2, 1, "second") == "numbers numbers_raw sums"


def test_a_lock_ends_although_another_process_inherited_it(tmp_path: Path) -> None:
    """A process that was forked meanwhile has the locked folder open as well, which a duplicate of the descriptor shows."""
    with locked(tmp_path, wait_s=0):
        [held] = [one for one in Path("/proc/self/fd").iterdir() if one.is_symlink() and one.readlink() == tmp_path]
        inherited = os.dup(int(held.name))
    try:
        with locked(tmp_path, wait_s=0):
            pass
    finally:
        os.close(inherited)
