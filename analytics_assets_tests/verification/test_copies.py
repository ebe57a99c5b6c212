"""Copies of months that are not what their footers or their days say, one kind after the other, and what `lake verify` tells and does."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics_assets.__main__ import main
from analytics_assets.lake.footer import encoded
from analytics_assets.lake.months import CopiedDay, CopyFooter, copy_path, copy_schema
from analytics_assets.lake.parquet import parquet
from analytics_assets.lake.store import Lake
from analytics_assets.lake.table import Column, Table
from analytics_assets.sources.bento.tables import ADS_TOTALS
from analytics_assets.upkeep.months import keep_copies
from analytics_assets.verification.copies import StaleError, examine_copy
from analytics_assets.verification.files import DamagedError
from analytics_assets_tests.lake.sample import DAY, NEXT, TABLE, land, row
from analytics_assets_tests.lake.vendor import NUMBERS, SUMS, days
from analytics_assets_tests.shop import Shop
from analytics_assets_tests.verification.scene import file, look, told

MARCH = date(2026, 3, 1)
FIRST, SECOND, THIRD = days(3)
REMEDY = "remove the file, and the next housekeeping makes it anew from the days"


def copy(lake: Lake, *tables: Table, account: str = "airbridge", is_sandbox: bool = False) -> Path:
    """Brings the copies of an account up to date; returns where March's of the last table stands."""
    named = {(account, table.name): table for table in tables}
    keep_copies(lake, named, is_wanted=lambda _: True, is_sandbox=is_sandbox, say=lambda _: None)
    return Path(copy_path(lake, account, tables[-1].name, MARCH))


def planted(lake: Lake, content: pa.Table, table: Table = TABLE, *, is_sandbox: bool = False) -> None:
    """Puts a file in the copy's place that says it is a copy of the day that stands, of one row."""
    landed = lake.landed("airbridge", TABLE.name, DAY)
    assert landed is not None
    held = {DAY: CopiedDay(landed.footer.content_hash, "mark", rows=1)}
    said = encoded(CopyFooter(content_hash="", is_sandbox=is_sandbox, days=held))
    path = copy_path(lake, "airbridge", TABLE.name, MARCH)
    lake.files.promote(path, parquet(content.cast(copy_schema(table)), said))


def examine(lake: Lake) -> None:
    """Looks at the copy of March."""
    examine_copy(lake, "airbridge", TABLE, MARCH, lake.marks("airbridge", TABLE.name), is_sandbox=False)


FEWER = replace(TABLE, columns=[column for column in TABLE.columns if column.name != "clicks"])
STALE: dict[str, tuple[Callable[[Lake], object], str]] = {
    "landed anew": (
        lambda lake: land(lake, row(clicks=8)),
        "it is not what the files of 2026-03-01 are by now",
    ),
    "gone": (
        lambda lake: lake.files.remove(lake.path("airbridge", TABLE.name, NEXT)),
        "it is not what the files of 2026-03-02 are by now",
    ),
    "come": (
        lambda lake: [land(lake, row(date=day), day=day) for day in (date(2026, 3, 3), date(2026, 3, 4))],
        "it is not what the files of 2026-03-03 to 2026-03-04 are by now",
    ),
    "of the other mode": (
        lambda lake: planted(lake, TABLE.rows([row()]), is_sandbox=True),
        "it was made from sandbox numbers",
    ),
    "of a table with fewer columns": (
        lambda lake: planted(lake, TABLE.rows([row()]).drop_columns(["clicks"]), FEWER),
        "its columns are not those its table declares by now",
    ),
}
DAMAGED: dict[str, tuple[Callable[[Lake], object], str]] = {
    "fewer rows": (
        lambda lake: planted(lake, TABLE.rows([])),
        "its rows of 2026-03-01 are not what its footer says",
    ),
    "more rows": (
        lambda lake: planted(lake, TABLE.rows([row(), row(campaign="winter")])),
        "it has more rows than its footer says",
    ),
    "other rows": (
        lambda lake: planted(lake, TABLE.rows([row(clicks=8)])),
        "its rows of 2026-03-01 are not what its footer says",
    ),
    "no copy at all": (
        lambda lake: lake.files.promote(
            copy_path(lake, "airbridge", TABLE.name, MARCH), Path(lake.path("airbridge", TABLE.name, DAY)).read_bytes()
        ),
        "its footer says nothing of a month",
    ),
}


@pytest.fixture
def copied(disk: Lake) -> Lake:
    """A lake with two days and the copy of their month."""
    land(disk, row())
    land(disk, row(date=NEXT), day=NEXT)
    copy(disk, TABLE)
    return disk


@pytest.mark.parametrize("change", STALE)
def test_a_copy_that_is_not_what_its_days_are_is_stale(copied: Lake, change: str) -> None:
    """Whatever has become of them."""
    examine(copied)
    make, words = STALE[change]
    make(copied)
    with pytest.raises(StaleError) as caught:
        examine(copied)
    assert str(caught.value) == words


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_copy_that_is_not_what_it_says_is_damaged(copied: Lake, damage: str) -> None:
    """Its rows are held against the data versions it names."""
    make, words = DAMAGED[damage]
    make(copied)
    with pytest.raises(DamagedError) as caught:
        examine(copied)
    assert str(caught.value) == words


def test_no_byte_of_a_copy_can_change_unseen(copied: Lake) -> None:
    """As of a day's file; and none that is cut off passes."""
    path = Path(copy_path(copied, "airbridge", TABLE.name, MARCH))
    whole = path.read_bytes()
    held = pq.read_table(path).to_pylist()
    of_footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    unseen = []
    for position in range(4, of_footer, 11):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x10]) + whole[position + 1 :])
        try:
            examine(copied)
        except DamagedError:
            continue
        unseen += [] if pq.read_table(path).to_pylist() == held else [position]
    assert unseen == []
    for length in (0, 3, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(DamagedError, match="it cannot be read to its end"):
            examine(copied)


def test_a_damaged_day_leaves_its_copy_well(copied: Lake) -> None:
    """It is told by itself, and the copy is what had landed."""
    Path(copied.path("airbridge", TABLE.name, DAY)).write_bytes(b"PAR1")
    examine(copied)
    path = Path(copy_path(copied, "airbridge", TABLE.name, MARCH))
    path.unlink()
    examine(copied)


def test_files_that_have_the_marks_of_their_copy_are_not_read(copied: Lake) -> None:
    """A listing tells that they stand as they were copied: it costs nothing that they could not be read."""
    marks = copied.marks("airbridge", TABLE.name)
    for day in marks:
        Path(copied.path("airbridge", TABLE.name, day)).unlink()
    examine_copy(copied, "airbridge", TABLE, MARCH, marks, is_sandbox=False)


def test_a_column_that_a_file_lacks_is_no_damage_of_its_copy(disk: Lake) -> None:
    """Its data version is over the columns the file has."""
    later = replace(TABLE, columns=[*TABLE.columns, Column("colour", pa.string(), "Of the banner.")])
    land(disk, row())
    copy(disk, later)
    examine_copy(disk, "airbridge", later, MARCH, disk.marks("airbridge", TABLE.name), is_sandbox=False)


def test_copies_are_looked_at_beside_their_days_and_told_as_months(shop: Shop) -> None:
    """A stale and a damaged one; those of days that are not looked at are left alone, and nothing is asked for."""
    copy(shop.lake, NUMBERS, SUMS, account="shop")
    assert (look(shop).wrong, look(shop).copies) == ([], 2)
    file(shop, "numbers", SECOND).unlink()
    Path(copy_path(shop.lake, "shop", "sums", MARCH)).write_bytes(b"PAR1")
    found = look(shop)
    assert told(found) == [
        ("numbers", "02", "missing"),
        ("numbers", "01", "stale copy"),
        ("sums", "01", "damaged copy"),
    ]
    assert [one.remedy for one in found.wrong[1:]] == [
        "the next housekeeping makes it anew, or launch the job `housekeeping` now",
        REMEDY,
    ]
    assert told(look(shop, first=THIRD, last=THIRD)) == told(found)[1:]
    assert look(shop, first=date(2026, 4, 1)).copies == 0


def test_the_command_names_the_month_of_a_damaged_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """It is not counted among files of no table; without it all is well."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home/dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ANALYTICS_LAKE", str(tmp_path / "lake"))
    lake, report = Lake(str(tmp_path / "lake")), tmp_path / "found.json"
    lake.land("bento", ADS_TOTALS, DAY, ADS_TOTALS.rows([]), is_sandbox=True)
    path = copy(lake, ADS_TOTALS, account="bento", is_sandbox=True)
    verify = ("lake", "verify", "--select", "bento/ads_totals")
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    main((*verify, "--record-again"), clock=lambda: now)
    assert main(verify, clock=lambda: now) == 0
    well = ": 1 files of 1 days in 1 tables, 0.0 MiB, and 1 copies of months: all well.\n"
    assert capsys.readouterr().out.endswith(f"{lake.root}{well}")
    path.write_bytes(b"PAR1")

    assert main((*verify, "--json", str(report)), clock=lambda: now) == 1

    words = (
        "it cannot be read to its end (Parquet file size is 4 bytes, smaller than the minimum file footer (8 bytes))"
    )
    assert capsys.readouterr().out.splitlines() == [
        "bento/ads_totals",
        f"  2026-03-01 to 2026-03-31: damaged copy: {words}. {REMEDY.capitalize()}.",
        f"{lake.root}: 1 files of 1 days in 1 tables, 0.0 MiB, and 1 copies of months: 1 findings (1 damaged copy).",
    ]
    [one] = json.loads(report.read_text())
    assert (one["day"], one["kind"], one["words"], one["remedy"]) == ("2026-03-01", "damaged copy", words, REMEDY)
    path.unlink()
    assert main(verify, clock=lambda: now) == 0
