"""Copies of months while something else happens: another housekeeping, a landing, an end half-way; and who reads beside them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import IO

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from analytics_assets.clock import utc_now
from analytics_assets.errors import LakeError
from analytics_assets.lake.content import content_hash
from analytics_assets.lake.files import Files
from analytics_assets.lake.months import Day, copies, copy_path, days_of, write_copy
from analytics_assets.lake.store import Lake
from analytics_assets.upkeep.months import keep_copies
from analytics_assets.verification.copies import StaleError, examine_copy
from analytics_assets_tests.lake.sample import TABLE, files
from analytics_assets_tests.lake.vendor import NUMBERS
from analytics_assets_tests.upkeep.copied import (
    APRIL,
    FIRST,
    MARCH,
    SECOND,
    copied,
    counts,
    follows,
    keep,
    page_query,
    put,
)


class Crossed(Files):
    """Files with which something else happens once, when one that was opened has been read."""

    def __init__(self, root: str, path: str, then: Callable[[], object]) -> None:
        super().__init__(root)
        self._path, self._then = path, [then]

    @contextmanager
    def opened(self, path: str) -> Iterator[IO[bytes]]:
        """The file, and then what happens."""
        with super().opened(path) as file:
            yield file
        if path == self._path and self._then:
            self._then.pop()()


def crossed(lake: Lake, day: date, then: Callable[[], object]) -> Lake:
    """The lake to somebody who reads a day a moment before something happens."""
    other = Lake(lake.files.named(lake.root))
    other.files = Crossed(lake.files.named(lake.root), other.path("airbridge", "revenue", day), then)
    return other


def test_two_at_once_and_a_landing_in_between_leave_a_copy_that_the_next_one_mends(lake: Lake) -> None:
    """The slower one puts what it had read over the newer copy, and its footer tells."""
    put(lake, FIRST)
    put(lake, SECOND)

    def faster() -> None:
        put(lake, FIRST, clicks=8)
        assert counts(keep(lake)) == (1, 0, 0)
        assert follows(lake)

    assert counts(keep(crossed(lake, FIRST, faster))) == (1, 0, 0)

    assert not follows(lake)
    assert counts(keep(lake)) == (1, 0, 0)
    assert follows(lake)
    assert counts(keep(lake)) == (0, 1, 0)


def test_a_day_that_goes_while_its_month_is_copied_is_left_out(lake: Lake) -> None:
    """As one that never was; the next time finds nothing to do."""
    for day in (FIRST, *(SECOND + timedelta(days=number) for number in range(5))):
        put(lake, day)
    last = lake.days("airbridge", "revenue")[-1]
    slow = crossed(lake, FIRST, lambda: lake.files.remove(lake.path("airbridge", "revenue", last)))

    assert counts(keep(slow)) == (1, 0, 0)

    assert follows(lake)
    assert counts(keep(lake)) == (0, 1, 0)


@pytest.mark.parametrize("number", range(3))
def test_an_end_at_any_day_leaves_what_stood(lake: Lake, number: int) -> None:
    """The first copy as well as a later one."""

    def ends(content: pa.Table) -> Iterator[Day]:
        yield from (Day(day, "v", "m", content) for day in days_of(MARCH)[:number])
        raise KeyboardInterrupt

    put(lake, FIRST)
    content = lake.read("airbridge", TABLE)
    for before in ([], ["_months/airbridge/revenue/2026-03.parquet"]):
        with pytest.raises(KeyboardInterrupt):
            write_copy(lake, "airbridge", TABLE, MARCH, ends(content), is_sandbox=False)
        assert [name for name in files(lake) if name.startswith("_months")] == before
        if not before:
            keep(lake)
    assert follows(lake)


def test_a_month_of_large_days_is_never_whole_in_memory(disk: Lake) -> None:
    """Each has a row group of its own, which a reader can skip, and is let go as soon as it is written."""
    rows, sizes = 2**17, set()

    def made() -> Iterator[Day]:
        before = pa.total_allocated_bytes()
        for day in days_of(MARCH)[:8]:
            content = NUMBERS.of_columns({"date": [day] * rows, "part": range(rows), "number": [day.day] * rows})
            sizes.add(content.nbytes)
            yield Day(day, content_hash(NUMBERS, content), "m", content)
            del content
            assert pa.total_allocated_bytes() < before + 2 * max(sizes)

    held = write_copy(disk, "shop", NUMBERS, MARCH, made(), is_sandbox=False)

    groups = pq.ParquetFile(copy_path(disk, "shop", "numbers", MARCH)).metadata
    assert (
        [groups.row_group(number).num_rows for number in range(groups.num_row_groups)]
        == [rows] * 8
        == [one.rows for one in held.values()]
    )
    with pytest.raises(StaleError, match="the files of 2026-03-01 to 2026-03-08"):
        examine_copy(disk, "shop", NUMBERS, MARCH, disk.marks("shop", NUMBERS.name), is_sandbox=False)


def test_what_a_killed_housekeeping_left_aside_is_swept(disk: Lake) -> None:
    """As of any other writer."""
    put(disk, FIRST)
    keep(disk)
    aside = Path(copy_path(disk, "airbridge", "revenue", MARCH)).with_name(f"_{'a' * 32}.tmp")
    aside.write_bytes(b"half")

    assert copies(disk, "airbridge").keys() == {("revenue", MARCH)}
    assert disk.files.sweep(before=utc_now() + timedelta(minutes=1)) == [str(aside)]
    assert follows(disk)


def test_what_cannot_be_listed_is_told_and_not_taken_for_gone(disk: Lake) -> None:
    """Or a copy would be made without its days, or removed."""
    put(disk, FIRST)
    keep(disk)
    folder = Path(disk.folder("airbridge", "revenue"))
    folder.rename(folder.with_name("elsewhere"))
    folder.symlink_to(folder)

    with pytest.raises(LakeError, match=r"airbridge/revenue cannot be listed \(Too many levels of symbolic links\)"):
        keep(disk)

    assert copied(disk).num_rows == 2


def test_readers_of_a_table_see_no_copy(disk: Lake) -> None:
    """Neither this program nor DuckDB, whatever the pattern, nor a dataset of the whole account."""
    for day in (FIRST, SECOND):
        put(disk, day)
    keep(disk)
    root = disk.root

    assert disk.days("airbridge", "revenue") == [FIRST, SECOND]
    assert disk.read("airbridge", TABLE).num_rows == 4
    for pattern in (
        "airbridge/revenue/*/data.parquet",
        "*/revenue/*/data.parquet",
        "**/revenue/*/data.parquet",
        "**/data.parquet",
    ):
        counted = duckdb.execute(
            "select count(*) from read_parquet(?, hive_partitioning = false)", [f"{root}/{pattern}"]
        )
        assert counted.fetchone() == (4,)
    assert ds.dataset(root, format="parquet").count_rows() == 4
    # Who names the folder reads the copies alone.
    assert ds.dataset(f"{root}/_months/airbridge/revenue", format="parquet").count_rows() == 4
    assert disk.folder("airbridge", "revenue") not in copy_path(disk, "airbridge", "revenue", MARCH)


def test_the_query_of_the_page_reads_each_day_once(disk: Lake) -> None:
    """From the copy of its month where there is one; with months before, between and after those that have one."""
    days = [day for month in (date(2026, 2, 1), MARCH, APRIL) for day in days_of(month)[::9]]
    for day in days:
        put(disk, day, clicks=day.toordinal())
    query = page_query(disk, "airbridge", "revenue")
    every = sorted([(day, day.toordinal()) for day in days] * 2)
    for wanted, read in (((), 0), ((MARCH,), 1), ((date(2026, 2, 1), APRIL), 2), ((), 0)):
        keep_copies(
            disk,
            {("airbridge", "revenue"): TABLE},
            is_wanted=wanted.__contains__,
            is_sandbox=False,
            say=lambda _words: None,
        )
        with duckdb.connect() as connection:
            connection.execute(query)
            found = connection.execute("select date, clicks from revenue").fetchall()
            [(paths,)] = connection.execute("select getvariable('files')").fetchall()
        assert sorted(found) == every
        assert sum("_months" in path for path in paths) == read
