"""Files with the columns of an earlier version: refused by every reader, replaced by loads that lose nothing, converted by the script of the page."""

import re
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import analytics_assets
from analytics_assets.cli.lake import declared_tables
from analytics_assets.errors import EarlierSchemaError, UnexpectedPayloadError
from analytics_assets.lake.content import content_hash
from analytics_assets.lake.footer import encoded, footer_of
from analytics_assets.lake.load import DayResult
from analytics_assets.lake.parquet import parquet
from analytics_assets.lake.raw import RawDay
from analytics_assets.lake.store import Lake
from analytics_assets.lake.stream import DayFetcher, Stream
from analytics_assets.lake.table import MONEY, Column, Table
from analytics_assets.operations.verify.files import OutdatedError, examine_file
from analytics_assets.sources.airbridge.report_spec import spec_hash
from analytics_assets.sources.airbridge.restatements import history, restatements_table
from analytics_assets.sources.airbridge.tables import (
    cohort_totals_table,
    cohorts_table,
    group_columns,
    report_raw_table,
)
from analytics_assets.sources.airbridge.transform import typed_days
from analytics_assets_tests.lake.sample import files
from analytics_assets_tests.lake.vendor import NOW, brought
from analytics_assets_tests.sources.airbridge.days import DAY, read
from analytics_assets_tests.sources.airbridge.vendor import group, report, spec, sub_row

OLD_NAMES = {"days_since_start": "interval", "series": "group"}
OLD_AMOUNT = pa.decimal128(38, 9)
REPORT = spec()
RAW, COHORTS, TOTALS = report_raw_table(REPORT), cohorts_table(REPORT), cohort_totals_table(REPORT)
RESTATEMENTS = restatements_table(REPORT)
ALL = {table.name for table in (RAW, COHORTS, TOTALS, RESTATEMENTS)}
DEFS = Path(analytics_assets.__file__).parent / "defs"
REMEDY = 'Convert the lake, as described in docs/lake.md under "A lake of an earlier version".'


def earlier(table: Table) -> Table:
    """The declaration of a table before its columns were renamed and its amounts became narrower."""

    def column(now: Column) -> Column:
        return replace(now, name=OLD_NAMES.get(now.name, now.name), type=OLD_AMOUNT if now.type == MONEY else now.type)

    return replace(
        table, columns=[column(now) for now in table.columns], key=[OLD_NAMES.get(name, name) for name in table.key]
    )


def make_earlier(lake: Lake, account: str, table: Table, day: date) -> None:
    """Writes the file of a day as the earlier version did."""
    path = lake.path(account, table.name, day)
    with lake.files.opened(path) as file:
        body = pa.BufferReader(file.read())
    before = earlier(table)
    content = pq.read_table(body).rename_columns(before.schema.names).cast(before.schema)
    footer = footer_of(pq.read_metadata(body))
    footer = msgspec.structs.replace(footer, content_hash=content_hash(before, content))
    lake.files.put(path, parquet(content, encoded(footer)))


async def load(lake: Lake, number: int, value: int, selected: Collection[str] = ALL) -> tuple[DayResult, list[date]]:
    """Loads the day, whose last cell has a value; what became of it, and the days that were requested."""
    requested: list[date] = []

    async def fetch(day: date) -> RawDay:
        requested.append(day)
        body = report([group(["a"], sub_row(str(DAY), 1, 2, value))])
        return read([body], REPORT, requested_at=NOW + timedelta(hours=number))[DAY]

    stream = Stream(
        account="shop",
        raw=RAW,
        typed=[COHORTS, TOTALS],
        request_hash=lambda _day: spec_hash(REPORT),
        transform=lambda day, content: typed_days(day, content, REPORT, zone="UTC", currency="EUR"),
        final_at=lambda _day: datetime(2026, 3, 2, tzinfo=UTC),
        history=history(REPORT, zone="UTC"),
    )
    [result] = await brought(lake, stream, [DAY], DayFetcher(fetch), attempt_group=str(number), selected=selected)
    return result, requested


def stored(lake: Lake) -> dict[str, list[dict[str, Any]]]:
    """The rows of the typed tables."""
    return {table.name: lake.read("shop", table).to_pylist() for table in (COHORTS, TOTALS, RESTATEMENTS)}


def quarantined(lake: Lake) -> list[str]:
    """Tables of the files in the quarantine."""
    return [name.split("-")[2] for name in files(lake) if name.startswith("_quarantine/")]


@pytest.mark.parametrize("is_empty", [False, True], ids=["rows", "no rows"])
@pytest.mark.parametrize(("table", "columns"), [(COHORTS, "interval, value"), (TOTALS, "cost, revenue")])
def test_every_reader_refuses_a_file_of_the_earlier_schema(
    lake: Lake, table: Table, columns: str, *, is_empty: bool
) -> None:
    """With path and remedy, whichever columns are read; nothing is null that has a value."""
    rows = [] if is_empty else [filled(table, 0)]
    path = lake.store_day("shop", table, DAY, table.rows(rows)).path
    make_earlier(lake, "shop", table, DAY)
    readers: list[Callable[[], object]] = [
        lambda: lake.stored_day("shop", table.name, DAY),
        lambda: lake.held("shop", table.name, DAY),
        lambda: lake.read("shop", table),
        lambda: lake.read("shop", table, [DAY], ["date"]),
        lambda: lake.read_pandas("shop", table),
    ]
    for reader in readers:
        with pytest.raises(EarlierSchemaError) as refused:
            reader()
        assert str(refused.value) == f"{path} cannot be used: an earlier version wrote its columns {columns}. {REMEDY}"
    assert lake.usable("shop", table.name, DAY) is None
    with pytest.raises(OutdatedError, match=f"^an earlier version wrote its columns {columns}$"):
        examine_file(lake, "shop", table, DAY, is_sandbox=False)


async def test_typed_tables_are_made_again_from_raw_without_a_request(lake: Lake) -> None:
    """With the values they had; the files of the earlier schema are in the quarantine, also one without a restatement."""
    await load(lake, 0, 3)
    before = stored(lake)
    for table in (COHORTS, TOTALS, RESTATEMENTS):
        make_earlier(lake, "shop", table, DAY)
    result, requested = await load(lake, 1, 9, {COHORTS.name, TOTALS.name})
    assert (result.error, requested) == (None, [])
    assert stored(lake) == before
    assert sorted(quarantined(lake)) == sorted([TOTALS.name, COHORTS.name, RESTATEMENTS.name])


@pytest.mark.parametrize("selected", [ALL, {COHORTS.name}], ids=["with a request", "without"])
async def test_a_load_never_replaces_restatements_of_the_earlier_schema(lake: Lake, selected: set[str]) -> None:
    """The day fails and says what to do; no file is changed."""
    await load(lake, 0, 3)
    await load(lake, 1, 4)
    make_earlier(lake, "shop", RESTATEMENTS, DAY)
    path = lake.path("shop", RESTATEMENTS.name, DAY)
    before = lake.files.fs.cat_file(path)
    result, _ = await load(lake, 2, 5, selected)
    assert isinstance(result.error, EarlierSchemaError)
    assert (result.error.table, result.error.remedy) == (RESTATEMENTS.name, REMEDY)
    assert lake.files.fs.cat_file(path) == before
    assert quarantined(lake) == []


@pytest.mark.parametrize("table", [COHORTS, TOTALS], ids=["cohorts", "totals"])
async def test_rows_of_the_earlier_schema_are_compared_before_a_new_response_replaces_them(
    disk: Lake, table: Table
) -> None:
    """A load with a request fails until they are made again; then it records the restatement."""
    await load(disk, 0, 3)
    make_earlier(disk, "shop", table, DAY)
    result, _ = await load(disk, 1, 4)
    assert isinstance(result.error, EarlierSchemaError)
    assert quarantined(disk) == []
    assert (await load(disk, 2, 4, {table.name}))[0].error is None
    assert (await load(disk, 3, 4))[0].error is None
    [row] = disk.read("shop", RESTATEMENTS).to_pylist()
    assert (row["days_since_start"], row["old_value"], row["new_value"]) == (2, Decimal(3), Decimal(4))


async def test_typed_rows_without_raw_rows_stay_where_they_are(disk: Lake) -> None:
    """Old raw files may be deleted; nothing could be made in the place of the typed ones."""
    await load(disk, 0, 3)
    make_earlier(disk, "shop", COHORTS, DAY)
    disk.files.remove(disk.path("shop", RAW.name, DAY))
    before = files(disk)
    result, requested = await load(disk, 1, 4, {COHORTS.name, TOTALS.name})
    assert isinstance(result.error, EarlierSchemaError)
    assert (requested, files(disk)) == ([], before)


def filled(table: Table, number: int) -> dict[str, Any]:
    """A row with a value in each column, other ones for another number; every second row is null where null is allowed."""
    values: dict[pa.DataType, Any] = {
        pa.date32(): DAY,
        pa.string(): f"text {number}",
        pa.bool_(): bool(number % 2),
        MONEY: Decimal("123456789012.123456") - number,
        pa.float64(): number / 8,
        pa.timestamp("us", "UTC"): NOW + timedelta(microseconds=number),
    }
    row = {column.name: values.get(column.type, number) for column in table.columns}
    return {column.name: None if column.nullable and number % 2 else row[column.name] for column in table.columns}


def run_script(lake: Lake) -> None:
    """Runs the script of docs/lake.md."""
    page = (DEFS.parents[1] / "docs" / "lake.md").read_text()
    [script] = [code for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "lake.pack(" in code]
    assert '"data/live"' in script
    assert '"analytics_assets/defs"' in script
    exec(script.replace('"data/live"', repr(lake.root)).replace('"analytics_assets/defs"', repr(str(DEFS))), {})


def test_the_script_of_the_page_keeps_every_value(disk: Lake) -> None:
    """Of restatements, snapshots, cohorts and totals; each file has the hash and the columns it would be stored with now."""
    tables = declared_tables(DEFS)
    names = [("airbridge", f"revenue_{what}") for what in ("restatements", "cohorts", "cohort_totals")]
    changed = {name: tables[name] for name in [*names, ("bento", "report_points")]}
    unchanged = ("bento", "ads_totals")
    for (account, name), table in {**changed, unchanged: tables[unchanged]}.items():
        rows = table.rows([filled(table, number) for number in range(4)])
        disk.store_day(account, table, DAY, rows, requested_at=NOW, is_sandbox=True)
        if (account, name) in changed:
            make_earlier(disk, account, table, DAY)
    path = Path(disk.path(*unchanged, DAY))
    before = path.stat().st_mtime_ns
    run_script(disk)
    for (account, _), table in changed.items():
        rows = table.valid_day(table.rows([filled(table, number) for number in range(4)]), DAY).content
        assert disk.read(account, table).to_pylist() == rows.to_pylist()
        stored = examine_file(disk, account, table, DAY, is_sandbox=True)
        assert stored is not None
        assert (stored.footer.content_hash, stored.footer.requested_at) == (content_hash(table, rows), NOW)
    assert path.stat().st_mtime_ns == before


def test_the_script_of_the_page_rounds_nothing(disk: Lake) -> None:
    """An amount that fits no column any more stops it with the day; the file stays."""
    table = declared_tables(DEFS)["airbridge", "revenue_cohort_totals"]
    before = earlier(table)
    row = {**filled(table, 0), "cost": Decimal("0.123456789")}
    path = Path(disk.store_day("airbridge", before, DAY, before.rows([row])).path)
    body = path.read_bytes()
    with pytest.raises(UnexpectedPayloadError, match="revenue_cohort_totals: column cost: Rescaling") as stopped:
        run_script(disk)
    assert (stopped.value.day, path.read_bytes()) == (DAY, body)


def test_a_group_by_field_never_becomes_a_column_of_the_earlier_schema() -> None:
    """Or files of the present one would be refused."""
    assert group_columns(spec(group_by=("Interval", "group"))) == ["_interval", "_group"]
