"""Files in a day's place that cannot be used: refused by readers with path and day, replaced by loads, missing for whoever counts days."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics_assets.errors import LakeError, UnusableFileError
from analytics_assets.lake.footer import encoded, footer_of
from analytics_assets.lake.parquet import parquet
from analytics_assets.lake.store import Lake
from analytics_assets.lake.table import DATE
from analytics_assets_tests.lake.sample import DAY, NEXT, TABLE, files, land, row
from analytics_assets_tests.lake.vendor import NOW, NUMBERS, RAW, START, SUMS, Vendor, brought, days, outcomes

ALL = "numbers numbers_raw sums"


def put(lake: Lake, path: str, content: bytes) -> None:
    """Overwrites a file."""
    with lake.files.fs.open(path, "wb") as file:
        file.write(content)


def of_another_tool() -> bytes:
    """A Parquet file without our footer."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"x": [1]}), sink)
    return sink.getvalue().to_pybytes()


def as_of_an_earlier_version(content: bytes) -> bytes:
    """A file whose footer does not name account, table and day."""
    table = pq.read_table(pa.BufferReader(content))
    footer = msgspec.structs.replace(
        footer_of(pq.read_metadata(pa.BufferReader(content))), account="", table="", day=None
    )
    return parquet(table, encoded(footer)).to_pybytes()


def spoilt(content: bytes) -> bytes:
    """A file with a whole footer and another byte among its rows."""
    return content[:60] + bytes([content[60] ^ 255]) + content[61:]


def make_unreadable(path: Path) -> None:
    """A link to itself cannot be opened, whoever reads."""
    path.unlink()
    path.symlink_to(path)


SPOILING: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda _: b"", "it cannot be read to its end"),
    "cut short": (lambda content: content[: len(content) // 2], "it cannot be read to its end"),
    "another tool's": (lambda _: of_another_tool(), "it was not written by a lake"),
}


@pytest.mark.parametrize("kind", SPOILING)
def test_every_reader_refuses_a_file_that_is_no_day_with_path_and_day(lake: Lake, kind: str) -> None:
    """Reading all days too: rows would be lost without a word."""
    stored = land(lake, row())
    land(lake, row(date=NEXT), day=NEXT)
    spoil, why = SPOILING[kind]
    put(lake, stored.path, spoil(lake.files.fs.cat_file(stored.path)))
    readers: list[Callable[[], object]] = [
        lambda: lake.stored_day("airbridge", "revenue", DAY),
        lambda: lake.held("airbridge", "revenue", DAY),
        lambda: lake.read("airbridge", TABLE),
        lambda: lake.read("airbridge", TABLE, [DAY], ["clicks"]),
        lambda: lake.read_pandas("airbridge", TABLE),
    ]
    for reader in readers:
        with pytest.raises(UnusableFileError) as caught:
            reader()
        assert str(caught.value).startswith(f"{stored.path} cannot be used: {why}")


def test_rows_that_were_changed_on_the_disk_are_refused(lake: Lake) -> None:
    """One letter of a value differs, and the file can be decoded: only the checksum of the page shows it."""
    stored = land(lake, row(raw='{"a": "first"}'))
    whole = lake.files.fs.cat_file(stored.path)
    assert whole.count(b"first") == 1
    put(lake, stored.path, whole.replace(b"first", b"fifth"))
    with pytest.raises(UnusableFileError, match="cannot be used: it cannot be read to its end"):
        lake.read_pandas("airbridge", TABLE)


@pytest.mark.parametrize(
    ("account", "table", "day"),
    [("airbridge", "other", DAY), ("bento", "revenue", DAY), ("airbridge", "revenue", NEXT)],
)
def test_a_file_of_another_place_is_refused(lake: Lake, account: str, table: str, day: date) -> None:
    """Also where its columns are the same, and where it has no rows that could tell."""
    content = TABLE.schema.empty_table()
    there = lake.store_day(account, replace(TABLE, name=table), day, content)
    here = land(lake, row())
    put(lake, here.path, lake.files.fs.cat_file(there.path))
    with pytest.raises(UnusableFileError, match=f"cannot be used: it is the file of {account}/{table} {day}"):
        lake.read_pandas("airbridge", TABLE)


def test_a_file_of_an_earlier_version_is_read_and_one_of_another_place_refused(lake: Lake) -> None:
    """Its footer names no place; the statistics of its date and its key columns tell."""
    stored = land(lake, row())
    old = as_of_an_earlier_version(lake.files.fs.cat_file(stored.path))
    put(lake, stored.path, old)
    assert lake.read("airbridge", TABLE).to_pylist() == [row()]
    other = lake.store_day("shop", SUMS, DAY, SUMS.rows([{DATE: DAY, "sum": 4}]))
    put(lake, stored.path, as_of_an_earlier_version(lake.files.fs.cat_file(other.path)))
    with pytest.raises(UnusableFileError, match="it has no column of the key of revenue"):
        lake.read_pandas("airbridge", TABLE)
    land_next = lake.store_day("airbridge", TABLE, NEXT, TABLE.rows([row(date=NEXT)]))
    put(lake, stored.path, as_of_an_earlier_version(lake.files.fs.cat_file(land_next.path)))
    with pytest.raises(UnusableFileError, match="cannot be used: its rows are of 2026-03-02"):
        lake.stored_day("airbridge", "revenue", DAY)


def test_a_folder_with_a_day_that_never_was_is_passed_over(lake: Lake) -> None:
    """It is no day of the table, and listing goes on."""
    stored = land(lake, row())
    path = stored.path.replace("2026-03-01", "2026-02-31")
    lake.files.fs.makedirs(path.rpartition("/")[0], exist_ok=True)
    put(lake, path, b"")
    assert lake.days("airbridge", "revenue") == [DAY]


def test_an_empty_file_is_a_missing_day(lake: Lake) -> None:
    """As a power cut leaves it."""
    stored = land(lake, row())
    land(lake, row(date=NEXT), day=NEXT)
    put(lake, stored.path, b"")
    assert lake.days("airbridge", "revenue") == [NEXT]
    assert lake.usable("airbridge", "revenue", DAY) is None


@pytest.mark.parametrize("kind", SPOILING)
@pytest.mark.parametrize("table", ["numbers_raw", "numbers"])
async def test_a_load_moves_the_file_to_the_quarantine_and_stores_the_day(lake: Lake, table: str, kind: str) -> None:
    """The days around it are stored too, and the metadata says where the file is."""
    await brought(lake, Vendor().stream(), days(3))
    path = lake.path("shop", table, days(3)[1])
    spoilt_file = SPOILING[kind][0](lake.files.fs.cat_file(path))
    put(lake, path, spoilt_file)
    results = await brought(
        lake, Vendor(requested_at=NOW + timedelta(hours=1)).stream(), days(3), attempt_group="second"
    )
    assert outcomes(results) == {str(day): ALL for day in days(3)}
    kept = results[1].figures[table]["unusable_file_kept_in"]
    assert lake.files.fs.cat_file(kept) == spoilt_file
    assert lake.read("shop", NUMBERS)["number"].to_pylist() == [1, 2, 3]
    assert [name for name in files(lake) if "_quarantine" in name] == [
        f"_quarantine/shop/20260401-120000-{table}-2026-03-02.parquet"
    ]


async def test_rows_that_cannot_be_read_are_compared_with_nothing(lake: Lake) -> None:
    """A typed file with a whole footer and spoilt rows is moved away, and the day counts as a new one."""
    await brought(lake, Vendor().stream(), [START])
    path = lake.path("shop", "numbers", START)
    put(lake, path, spoilt(lake.files.fs.cat_file(path)))
    later = Vendor({START: ["7"]}, requested_at=NOW + timedelta(hours=1))
    [result] = await brought(lake, later.stream(), [START], attempt_group="second")
    assert result.figures["numbers"].keys() == {"biggest", "unusable_file_kept_in"}
    assert lake.read("shop", NUMBERS)["number"].to_pylist() == [7]


async def test_raw_rows_that_cannot_be_read_fail_the_day_once_and_are_requested_by_the_next_attempt(lake: Lake) -> None:
    """The footer says that these attempts have them, so they were not requested again."""
    await brought(lake, Vendor().stream(), [START])
    path = lake.path("shop", "numbers_raw", START)
    put(lake, path, spoilt(lake.files.fs.cat_file(path)))
    [first] = await brought(lake, Vendor().stream(), [START])
    assert isinstance(first.error, UnusableFileError)
    again = Vendor()
    [second] = await brought(lake, again.stream(), [START])
    assert (again.asked, second.error) == ([START], None)


async def test_typed_tables_alone_leave_an_unusable_raw_file_where_it_is(lake: Lake) -> None:
    """They do not replace it; the error names it and the remedy."""
    await brought(lake, Vendor().stream(), [START])
    path = lake.path("shop", "numbers_raw", START)
    put(lake, path, b"")
    [result] = await brought(lake, Vendor().stream(), [START], selected={"numbers"})
    assert isinstance(result.error, UnusableFileError)
    assert "Materialize the day, as with `analytics-assets load shop --from 2026-03-01 --to 2026-03-01`: " in str(
        result.error
    )
    assert lake.files.fs.cat_file(path) == b""


async def test_a_disk_that_fails_is_no_reason_to_move_a_file_away(disk: Lake) -> None:
    """What could not be read now can be whole."""
    await brought(disk, Vendor().stream(), [START])
    make_unreadable(Path(disk.path("shop", "numbers", START)))
    [result] = await brought(disk, Vendor({START: ["7"]}).stream(), [START], attempt_group="second")
    assert isinstance(result.error, LakeError)
    assert [name for name in files(disk) if "_quarantine" in name] == []
    assert disk.read("shop", RAW).num_rows == 1
