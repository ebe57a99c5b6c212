"""Files of a lake: what a folder that fails, a bucket that fails and a writer that was killed leave behind, and what is said of it."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from analytics_assets.errors import LakeError
from analytics_assets.lake.files import Files
from analytics_assets.lake.store import Lake
from analytics_assets_tests.lake.vendor import Vendor, brought, days

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


class Unreachable(Exception):  # noqa: N818 - it stands for an exception of somebody else's client
    """As a bucket's client says that it cannot be reached; no kind of OSError."""


class Bucket(MemoryFileSystem):
    """A bucket that takes nothing; whether it tells what it holds is its maker's choice."""

    protocol = ("bucket",)

    def pipe_file(self, path, value, mode="overwrite", **kwargs):
        """Takes no upload."""
        raise Unreachable("connect timeout")


def unreachable(path: str) -> int:
    """Tells nothing either."""
    raise Unreachable("connect timeout")


def failing(size: Callable[[str], int] = unreachable) -> Files:
    """A lake in a bucket that cannot be reached, or not be written alone."""
    files = Files("memory://lake")
    files.fs = Bucket()
    files.fs.info = size
    return files


@pytest.mark.parametrize(
    ("ask", "done"),
    [
        (lambda files: files.put("/lake/a", b""), "written"),
        (lambda files: files.listed_file("/lake/a"), "read"),
        (Files.check_writable, "written"),
    ],
)
def test_a_bucket_out_of_reach_is_told_in_our_words(ask: Callable[[Files], object], done: str) -> None:
    """A client's own exceptions have no common class, and end no run with a traceback."""
    with pytest.raises(LakeError) as caught:
        ask(failing())

    assert str(caught.value).endswith(
        f" cannot be {done} (Unreachable: connect timeout). Check that the bucket of ANALYTICS_LAKE can be reached from here."
    )


async def test_nothing_is_asked_for_where_it_could_not_be_kept() -> None:
    """The vendor hears nothing of it."""
    vendor, lake = Vendor(), Lake("memory://lake")
    lake.files = failing(size=MemoryFileSystem().info)

    with pytest.raises(LakeError, match="cannot be written"):
        await brought(lake, vendor.stream(), days(3))

    assert vendor.asked == []


def test_what_killed_writers_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    """Only files aside, and only old ones: a writer at work keeps its own."""
    files = Files(str(tmp_path))
    files.put(f"{tmp_path}/a/t/dt=2026-03-01/data.parquet", b"a day")
    folder = tmp_path / "a" / "t" / "dt=2026-03-01"
    old, young, probe = folder / f"_{'a' * 32}.tmp", folder / f"_{'b' * 32}.tmp", tmp_path / f"_probe_{'c' * 32}"
    ours = folder / "_mine.tmp"
    for left in (old, young, probe, ours):
        left.write_bytes(b"half")
    for left in (old, probe, ours):
        os.utime(left, ((NOW - timedelta(days=2)).timestamp(),) * 2)

    swept = files.sweep(before=NOW - timedelta(days=1))

    assert sorted(swept) == sorted(map(str, (old, probe)))
    assert sorted(path.name for path in folder.iterdir()) == sorted([young.name, ours.name, "data.parquet"])


def test_probing_a_lake_leaves_nothing(tmp_path: Path) -> None:
    """Neither in a new folder nor in one that stands."""
    files = Files(f"{tmp_path}/new/lake")
    for _ in range(2):
        files.check_writable()
    assert list((tmp_path / "new" / "lake").iterdir()) == []
