"""What is on the disk when a day counts as stored: the bytes of its files and their names."""

import os
import threading
from datetime import date, timedelta
from pathlib import Path

import pytest

from analytics_assets.lake.identity import create_identity
from analytics_assets.lake.store import Lake
from analytics_assets_tests.lake.sample import DAY, land, row
from analytics_assets_tests.lake.test_sleeping_writers import Interrupted, store
from analytics_assets_tests.lake.vendor import NOW, START, Vendor, brought

TABLES = ("numbers_raw", "numbers", "sums")


class Disk:
    """Remembers what was synced, in order: files aside, and folders with the day files they named then."""

    def __init__(self) -> None:
        self.synced: list[tuple[str, bool]] = []
        self._lock = threading.Lock()

    def fsync(self, descriptor: int) -> None:
        """Syncs, and remembers the path, and for a folder whether a day file is there."""
        path = Path(f"/proc/self/fd/{descriptor}").resolve()
        with self._lock:
            self.synced.append((str(path), path.is_dir() and (path / "data.parquet").exists()))
        os.fsync(descriptor)


@pytest.fixture
def power(disk: Lake) -> Disk:
    """What the lake syncs."""
    watched = Disk()
    disk.files.fsync = watched.fsync
    return watched


def synced_when_stored(disk: Lake, power: Disk, table: str, day: date) -> tuple[bool, bool, bool]:
    """Whether the bytes of a day file were synced before its name was there, then the name, then the folder that names the day."""
    folder = disk.path("shop", table, day).rpartition("/")[0]
    bytes_at = [number for number, (path, _) in enumerate(power.synced) if path.startswith(f"{folder}/_")]
    names_at = [number for number, one in enumerate(power.synced) if one == (folder, True)]
    above = folder.rpartition("/")[0] in {path for path, _ in power.synced}
    return bool(bytes_at), bool(names_at) and bytes_at[0] < names_at[0], above


async def test_files_and_folders_are_synced_before_a_day_counts_as_stored(disk: Lake, power: Disk) -> None:
    """The ledger is told afterwards, and not while a power cut could still take a file away."""
    found = list[tuple[bool, bool, bool]]()

    def stored(day: date) -> None:
        found.extend(synced_when_stored(disk, power, table, day) for table in TABLES)

    await brought(disk, Vendor().stream(on_stored=stored), [START])
    assert found == [(True, True, True)] * 3


async def test_an_equal_file_costs_no_sync(disk: Lake, power: Disk) -> None:
    """Of a day that changes in one table, only that and raw are synced, and no folder above, for their names are known."""
    await brought(disk, Vendor({START: ["2", "5"]}).stream(), [START])
    power.synced.clear()
    again = Vendor({START: ["3", "4"]}, requested_at=NOW + timedelta(hours=1))
    await brought(disk, again.stream(), [START], attempt_group="second")
    # Beside the file that probes the lake.
    synced = sorted(path for path, _ in power.synced if path.startswith(f"{disk.root}/shop/"))
    folders = [disk.path("shop", name, START).rpartition("/")[0] for name in ("numbers", "numbers_raw")]
    assert [path for path in synced if not path.endswith(".tmp")] == folders
    assert [path.rpartition("/")[0] for path in synced if path.endswith(".tmp")] == folders


def test_a_day_whose_sync_fails_is_not_stored(disk: Lake) -> None:
    """A disk says at the sync that it is full or broken; the existing day stays."""
    land(disk, row())

    def fails(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    disk.files.fsync = fails
    with pytest.raises(Exception, match=r"cannot be written \(No space left on device\)"):
        land(disk, row(clicks=8))
    assert disk.held("airbridge", "revenue", DAY)["clicks"].to_pylist() == [7]


def test_the_history_of_a_table_is_on_the_disk_before_the_table_changes(disk: Lake) -> None:
    """A power cut between the two would lose the change for good."""
    store(disk, 1, 0, "first")
    watched, folder = Disk(), disk.path("shop", "changes", START).rpartition("/")[0]
    found = list[bool]()
    lake = Interrupted(disk.root, "numbers", lambda: found.append((folder, True) in watched.synced))
    lake.files.fsync = watched.fsync
    assert store(lake, 2, 1, "second") == "numbers numbers_raw sums"
    assert found == [True]


def test_the_identity_is_on_the_disk_before_anything_knows_it(disk: Lake, power: Disk) -> None:
    """An empty or missing identity after a power cut would stop every run until a person accepts the lake."""
    create_identity(disk.files)
    (aside, _), *folders = power.synced
    assert aside.startswith(f"{disk.root}/_")
    assert disk.root in {folder for folder, _ in folders}
