"""Copies of months follow the files of their days, whatever becomes of these; in a folder, and behind fsspec."""

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import IO

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from analytics_assets.clock import utc_now
from analytics_assets.errors import LakeError
from analytics_assets.lake.files import Files
from analytics_assets.lake.months import Day, copies, copy_footer, copy_path, copy_schema, days_of, write_copy
from analytics_assets.lake.store import Lake
from analytics_assets.lake.table import Table
from analytics_assets.upkeep.months import Copied, keep_copies
from analytics_assets_tests.lake.sample import TABLE, files, land, row

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
FIRST, SECOND, THIRD = (MARCH + timedelta(days=number) for number in range(3))
PAGE = Path(__file__).parents[2] / "docs" / "lake.md"
COLUMNS = [column for column in TABLE.columns if column.name != "raw"]
SMALL = Table(TABLE.name, TABLE.description, COLUMNS, TABLE.key)


@pytest.fixture(params=["disk", "memory"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    """An empty lake."""
    return Lake(str(tmp_path / "lake") if request.param == "disk" else f"memory://lake-{uuid.uuid4().hex}")


@pytest.fixture
def disk(tmp_path: Path) -> Lake:
    """An empty lake on the disk."""
    return Lake(str(tmp_path / "lake"))


def put(lake: Lake, day: date, table: Table = TABLE, **changes: object) -> None:
    """Lands a day of two rows."""
    given = {name: value for name, value in row(date=day, **changes).items() if name in table.schema.names}
    land(lake, given, {**given, "campaign": "winter"}, day=day, table=table)


def keep(lake: Lake, table: Table = TABLE, *, last: date = MARCH, is_sandbox: bool = False) -> Copied:
    """Brings the copies up to date, of months up to one."""
    return keep_copies(
        lake,
        {("airbridge", table.name): table},
        is_wanted=lambda month: month <= last,
        is_sandbox=is_sandbox,
        say=lambda _words: None,
    )


def counts(done: Copied) -> tuple[int, int, int]:
    """Copies made, left and removed."""
    return done.written, done.equal, done.removed


def copied(lake: Lake, month: date = MARCH) -> pa.Table:
    """The rows of a copy."""
    with lake.files.opened(copy_path(lake, "airbridge", TABLE.name, month)) as file:
        return pq.ParquetFile(file, page_checksum_verification=True).read()


def follows(lake: Lake, table: Table = TABLE) -> bool:
    """Whether the copy of March is what the files of its days are, row for row."""
    days = [day for day in lake.days("airbridge", table.name) if day < APRIL]
    return bool(copied(lake).to_pylist() == lake.read("airbridge", table, days).to_pylist())


def test_a_copy_holds_the_days_of_its_month_and_nothing_else(lake: Lake) -> None:
    """A row group a day, oldest first, in the table's order, with what each was copied from; day files stay as they are."""
    for day in (THIRD, FIRST, APRIL):
        put(lake, day)
    land(lake, day=SECOND)
    before = {path: lake.files.fs.cat_file(path) for path in lake.files.fs.find(lake.root)}

    done = keep(lake)

    path = copy_path(lake, "airbridge", "revenue", MARCH)
    assert path == f"{lake.root}/_months/airbridge/revenue/2026-03.parquet"
    assert done == Copied(written=1, files=1, size=lake.files.size(path))
    assert {one: lake.files.fs.cat_file(one) for one in before} == before
    assert files(lake) == sorted(
        [path.removeprefix(f"{lake.root}/"), *(one.removeprefix(f"{lake.root}/") for one in before)]
    )
    assert copied(lake).to_pylist() == lake.read("airbridge", TABLE, [FIRST, THIRD]).to_pylist()
    with lake.files.opened(path) as file:
        held = pq.ParquetFile(file)
        footer = copy_footer(held)
        assert held.schema_arrow.equals(copy_schema(TABLE))
        assert [held.read_row_group(number)["date"].unique().to_pylist() for number in range(held.num_row_groups)] == [
            [FIRST],
            [THIRD],
        ]
    standing = {day: lake.landed("airbridge", "revenue", day) for day in (FIRST, SECOND, THIRD)}
    assert [(day, one.version, one.rows, one.lacking) for day, one in footer.days.items()] == [
        (day, landed and landed.footer.content_hash, landed and landed.rows, []) for day, landed in standing.items()
    ]
    assert not footer.is_sandbox


def test_a_copy_is_made_anew_only_where_a_day_of_it_is_another_one(lake: Lake) -> None:
    """Landed anew, come, gone, emptied of rows; what lands equal changes nothing, and a month without days has no copy."""
    put(lake, FIRST)
    put(lake, SECOND)
    assert counts(keep(lake)) == (1, 0, 0)
    written = lake.files.listed(lake.root)
    put(lake, FIRST)
    assert counts(keep(lake)) == (0, 1, 0)
    assert lake.files.listed(lake.root) == written

    def restated() -> None:
        put(lake, FIRST, clicks=8)

    def came() -> None:
        put(lake, THIRD)

    def without_rows() -> None:
        land(lake, day=SECOND)

    def gone() -> None:
        lake.files.remove(lake.path("airbridge", "revenue", FIRST))

    for change in (restated, came, without_rows, gone):
        change()
        assert not follows(lake)
        assert counts(keep(lake)) == (1, 0, 0)
        assert follows(lake)
    for day in (SECOND, THIRD):
        lake.files.remove(lake.path("airbridge", "revenue", day))
    assert counts(keep(lake)) == (0, 0, 1)
    assert files(lake) == []


def test_a_day_that_came_back_to_the_same_content_is_copied_as_it_was_read_last(disk: Lake) -> None:
    """Its data version is that of before and says nothing of when it was read; the mark of its file does."""
    later = datetime(2026, 5, 1, tzinfo=UTC)
    put(disk, FIRST)
    keep(disk)
    put(disk, FIRST, clicks=8)
    put(disk, FIRST, fetched_at=later)

    assert counts(keep(disk)) == (1, 0, 0)

    assert copied(disk)["fetched_at"].to_pylist() == [later, later]


def test_a_column_declared_later_is_null_where_the_file_is_older(lake: Lake) -> None:
    """The copy has it at once, also where no day has landed since."""
    later = Table(
        TABLE.name,
        TABLE.description,
        [replace(column, nullable=column.nullable and column.name != "raw") for column in TABLE.columns],
        TABLE.key,
    )
    put(lake, FIRST, SMALL)
    assert counts(keep(lake, SMALL)) == (1, 0, 0)
    assert counts(keep(lake, later)) == (1, 0, 0)
    put(lake, SECOND, later)
    assert counts(keep(lake, later)) == (1, 0, 0)

    assert copied(lake).schema.names == TABLE.schema.names
    assert copied(lake)["raw"].to_pylist() == [None, None, row()["raw"], row()["raw"]]
    assert follows(lake, later)
    assert counts(keep(lake, later)) == (0, 1, 0)


def test_a_damaged_day_is_named_and_its_copy_stays_as_it_was(lake: Lake) -> None:
    """Other months go on; where the day is mended, the copy follows."""
    put(lake, FIRST)
    put(lake, APRIL)
    keep(lake, last=APRIL)
    before = copied(lake).to_pylist()
    lake.files.promote(lake.path("airbridge", "revenue", FIRST), b"PAR1, and then nothing")
    put(lake, APRIL, clicks=8)

    done = keep(lake, last=APRIL)

    assert (counts(done), len(done.unusable)) == ((1, 0, 0), 1)
    assert done.unusable[0].startswith("airbridge/revenue 2026-03-01: it cannot be read to its end (")
    assert copied(lake).to_pylist() == before
    assert copied(lake, APRIL)["clicks"].to_pylist() == [8, 8]
    lake.files.remove(lake.path("airbridge", "revenue", FIRST))
    put(lake, FIRST, clicks=9)
    assert counts(keep(lake, last=APRIL)) == (1, 1, 0)
    assert follows(lake)


def test_numbers_of_the_other_mode_are_not_copied(lake: Lake) -> None:
    """Neither into a new copy nor into one that stands."""
    put(lake, FIRST)
    other = TABLE.rows([row(date=SECOND)])
    lake.land("airbridge", TABLE, SECOND, other, is_sandbox=True)

    done = keep(lake)

    words = "it holds sandbox numbers, and ANALYTICS_MODE is live"
    assert (counts(done), done.unusable) == ((0, 0, 0), [f"airbridge/revenue 2026-03-02: {words}"])
    assert copies(lake, "airbridge") == {}


@pytest.mark.parametrize(
    "damage", [b"", b"PAR1", b"PAR1" + bytes(64) + b"PAR1", None], ids=["empty", "four letters", "no footer", "cut off"]
)
def test_a_copy_that_cannot_be_opened_is_made_anew(lake: Lake, damage: bytes | None) -> None:
    """Nothing is lost with it."""
    put(lake, FIRST)
    keep(lake)
    path = copy_path(lake, "airbridge", "revenue", MARCH)
    lake.files.promote(path, lake.files.fs.cat_file(path)[:-9] if damage is None else damage)

    assert counts(keep(lake)) == (1, 0, 0)

    assert follows(lake)


def test_what_nobody_wants_any_more_is_removed_and_what_is_no_copy_stays(lake: Lake) -> None:
    """Months that are no longer over long enough, and tables no longer declared; other accounts are somebody else's."""
    put(lake, FIRST)
    put(lake, APRIL)
    keep(lake, last=APRIL)
    for name in ("airbridge/gone/2026-03.parquet", "airbridge/revenue/notes.txt", "other/table/2026-03.parquet"):
        lake.files.promote(f"{lake.root}/_months/{name}", b"")

    assert counts(keep(lake)) == (0, 1, 2)

    assert [name for name in files(lake) if name.startswith("_months")] == [
        "_months/airbridge/revenue/2026-03.parquet",
        "_months/airbridge/revenue/notes.txt",
        "_months/other/table/2026-03.parquet",
    ]


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


def test_the_query_of_the_page_reads_each_day_once(disk: Lake) -> None:
    """From the copy of its month where there is one; with months before, between and after those that have one."""
    days = [day for month in (date(2026, 2, 1), MARCH, APRIL) for day in days_of(month)[::9]]
    for day in days:
        put(disk, day, clicks=day.toordinal())
    [query] = re.findall(r"```sql\n(-- [^`]*_months[^`]*)```", PAGE.read_text())
    query = query.replace("data/live/", f"{disk.root}/").replace("bento/ads_totals", "airbridge/revenue")
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
            found = connection.execute("select date, clicks from ads_totals").fetchall()
            [(paths,)] = connection.execute("select getvariable('files')").fetchall()
        assert sorted(found) == every
        assert sum("_months" in path for path in paths) == read
