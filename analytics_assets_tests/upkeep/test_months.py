"""Copies of months follow the files of their days, whatever becomes of these; in a folder, and behind fsspec."""

from dataclasses import replace
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest

from analytics_assets.lake.months import copies, copy_footer, copy_path, copy_schema
from analytics_assets.lake.store import Lake
from analytics_assets.lake.table import Table
from analytics_assets.upkeep.months import Copied
from analytics_assets_tests.lake.sample import TABLE, files, land, row
from analytics_assets_tests.upkeep.copied import APRIL, FIRST, MARCH, SECOND, THIRD, copied, counts, follows, keep, put

SMALL = replace(TABLE, columns=[column for column in TABLE.columns if column.name != "raw"])


def test_a_copy_holds_the_days_of_its_month_and_nothing_else(lake: Lake) -> None:
    """Oldest first, each in the table's order, with what it was copied from; day files stay as they are."""
    for day in (THIRD, FIRST, APRIL):
        put(lake, day)
    land(lake, day=SECOND)
    before = {path: lake.files.fs.cat_file(path) for path in lake.files.fs.find(lake.root)}

    done = keep(lake)

    path = copy_path(lake, "airbridge", "revenue", MARCH)
    assert path == f"{lake.root}/_months/airbridge/revenue/2026-03.parquet"
    assert done == Copied(written=1, files=1, size=lake.files.listed_file(path).size)
    assert {one: lake.files.fs.cat_file(one) for one in before} == before
    assert files(lake) == sorted(
        [path.removeprefix(f"{lake.root}/"), *(one.removeprefix(f"{lake.root}/") for one in before)]
    )
    assert copied(lake).to_pylist() == lake.read("airbridge", TABLE, [FIRST, THIRD]).to_pylist()
    with lake.files.opened(path) as file:
        held = pq.ParquetFile(file)
        footer = copy_footer(held)
        assert held.schema_arrow.equals(copy_schema(TABLE))
        assert held.num_row_groups == 1
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
