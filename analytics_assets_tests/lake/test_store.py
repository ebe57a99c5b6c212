"""Days promoted whole, left alone when equal, and read back; on a disk and on a file system behind fsspec."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics_assets.errors import PermanentError, UnexpectedPayloadError
from analytics_assets.lake.content import content_hash
from analytics_assets.lake.files import address
from analytics_assets.lake.footer import Footer, encoded
from analytics_assets.lake.parquet import parquet
from analytics_assets.lake.store import Lake, StoredDay
from analytics_assets.lake.table import DATE, Column
from analytics_assets_tests.lake.sample import DAY, NEXT, NOON, TABLE, empty_row, files, land, row


def test_a_landed_day_reads_back_as_it_was(lake: Lake) -> None:
    """Decimals to the ninth place, lists with null, null, instants to the microsecond, large texts, and the schema."""
    rows = [row(campaign="a"), empty_row(campaign="b"), row(campaign="c", codes=[], raw="x" * 100_000)]
    stored = land(lake, *rows[::-1])
    assert lake.read("airbridge", TABLE).to_pylist() == rows
    assert lake.read("airbridge", TABLE).schema.equals(TABLE.schema, check_metadata=True)
    path = f"{lake.root}/airbridge/revenue/dt=2026-03-01/data.parquet"
    version = content_hash(TABLE, TABLE.validated(TABLE.rows(rows), DAY))
    footer = Footer(version, account="airbridge", table="revenue", day=DAY)
    assert stored == StoredDay(lake.files.named(path), 3, lake.files.fs.size(path), footer, is_changed=True)
    assert lake.stored_day("airbridge", "revenue", DAY) == replace(stored, is_changed=False)
    assert files(lake) == ["airbridge/revenue/dt=2026-03-01/data.parquet"]


def test_the_metadata_of_a_file_is_its_footer_and_the_schema_of_arrow(disk: Lake) -> None:
    """Neither columns nor the file carry descriptions, which the catalogue has."""
    schema = pq.read_schema(land(disk, row()).path)
    assert list(schema.metadata) == [b"analytics_assets"]
    # Parquet numbers its fields.
    assert {name for field in schema for name in field.metadata or {}} <= {b"PARQUET:field_id"}


def test_the_footer_says_what_was_asked_when_and_by_whom(lake: Lake) -> None:
    """Everything given is read back."""
    content = TABLE.rows([row()])
    lake.store_day(
        "airbridge", TABLE, DAY, content, request_hash="q", attempt_group="run-1", requested_at=NOON, is_sandbox=True
    )
    existing = lake.stored_day("airbridge", "revenue", DAY)
    assert existing is not None
    place = {"account": "airbridge", "table": "revenue", "day": DAY}
    assert existing.footer == Footer(content_hash(TABLE, content), "q", "run-1", NOON, is_sandbox=True, **place)


def test_an_equal_day_of_an_earlier_version_is_not_written_again(lake: Lake) -> None:
    """Its footer lacks account, table and day; the rows and the request are the same."""
    content = TABLE.rows([row()])
    packed = lake.pack("airbridge", TABLE, DAY, content, Footer("", "q", "run-1", NOON), existing=None)
    earlier = msgspec.structs.replace(packed.footer, account="", table="", day=None)
    lake.files.put(packed.path, parquet(content, encoded(earlier)))
    again = lake.store_day("airbridge", TABLE, DAY, content, request_hash="q", attempt_group="run-1", requested_at=NOON)
    assert (again.is_changed, again.footer) == (False, earlier)


def test_an_equal_day_changes_no_byte_and_no_time(disk: Lake) -> None:
    """Landing the same numbers again, read later and in another order, leaves the file alone."""
    first = land(disk, row(campaign="a"), row(campaign="b"))
    before = Path(first.path).read_bytes(), Path(first.path).stat().st_mtime_ns, Path(first.path).stat().st_ino
    later = NOON + timedelta(days=1)
    again = land(disk, row(campaign="b", fetched_at=later), row(campaign="a", fetched_at=later))
    assert (
        Path(first.path).read_bytes(),
        Path(first.path).stat().st_mtime_ns,
        Path(first.path).stat().st_ino,
    ) == before
    assert again == replace(first, is_changed=False)


def test_an_equal_answer_to_another_asking_is_written_anew(lake: Lake) -> None:
    """For raw files the footer is what a later attempt looks at, so it must speak of the last asking."""
    content = TABLE.rows([row()])
    lake.store_day("airbridge", TABLE, DAY, content, request_hash="q", attempt_group="run-1", requested_at=NOON)
    same = lake.store_day("airbridge", TABLE, DAY, content, request_hash="q", attempt_group="run-1", requested_at=NOON)
    other = lake.store_day("airbridge", TABLE, DAY, content, request_hash="q", attempt_group="run-2", requested_at=NOON)
    assert (same.is_changed, other.is_changed, other.footer.attempt_group) == (False, True, "run-2")
    assert lake.stored_day("airbridge", "revenue", DAY) == replace(other, is_changed=False)


def test_a_changed_day_replaces_the_one_before(lake: Lake) -> None:
    """No row of the former stays."""
    land(lake, row(campaign="a"), row(campaign="b"))
    assert land(lake, row(campaign="c")).is_changed
    assert lake.read("airbridge", TABLE).to_pylist() == [row(campaign="c")]


def test_a_refused_day_leaves_the_standing_one(lake: Lake) -> None:
    """Double keys never reach the file, and nothing else is left behind."""
    existing = land(lake, row())
    with pytest.raises(UnexpectedPayloadError, match="1 keys occur more than once"):
        land(lake, row(), row())
    assert lake.stored_day("airbridge", "revenue", DAY) == replace(existing, is_changed=False)
    assert files(lake) == ["airbridge/revenue/dt=2026-03-01/data.parquet"]


def test_invented_numbers_and_real_ones_never_replace_each_other(lake: Lake) -> None:
    """Both ways; the message says how to keep them apart."""
    content = TABLE.rows([row()])
    lake.store_day("airbridge", TABLE, DAY, content, is_sandbox=True)
    with pytest.raises(PermanentError) as caught:
        lake.store_day("airbridge", TABLE, DAY, content)
    assert str(caught.value) == (
        f"{lake.files.named(lake.path('airbridge', 'revenue', DAY))} holds sandbox numbers; "
        "live numbers are not put in their place. Set ANALYTICS_LAKE to another folder."
    )
    lake.store_day("airbridge", TABLE, NEXT, TABLE.rows([row(date=NEXT)]))
    with pytest.raises(PermanentError, match="holds live numbers; sandbox numbers are not put in their place"):
        lake.store_day("airbridge", TABLE, NEXT, TABLE.rows([row(date=NEXT)]), is_sandbox=True)


def test_an_empty_day_lands_typed_and_stands(lake: Lake) -> None:
    """Nothing happened that day is something else than nobody asked."""
    stored = land(lake)
    assert (stored.rows, stored.is_changed, lake.days("airbridge", "revenue")) == (0, True, [DAY])
    assert pq.read_schema(lake.files.fs.open(stored.path)).equals(TABLE.schema)
    assert lake.read("airbridge", TABLE).equals(TABLE.schema.empty_table())
    assert not land(lake).is_changed


def test_nothing_stands_in_an_empty_lake(lake: Lake) -> None:
    """No day, no rows, and no error."""
    assert lake.days("airbridge", "revenue") == []
    assert lake.stored_day("airbridge", "revenue", DAY) is None
    assert lake.read("airbridge", TABLE).equals(TABLE.schema.empty_table())


def test_days_are_read_oldest_first_and_only_those_asked_for(lake: Lake) -> None:
    """A day that does not stand is left out."""
    for day in (date(2026, 3, 5), DAY, NEXT):
        land(lake, row(date=day), day=day)
    assert lake.days("airbridge", "revenue") == [DAY, NEXT, date(2026, 3, 5)]
    assert lake.read("airbridge", TABLE)[DATE].to_pylist() == [DAY, NEXT, date(2026, 3, 5)]
    chosen = lake.read("airbridge", TABLE, [date(2026, 3, 5), date(2026, 3, 4), DAY], columns=["clicks", "date"])
    assert chosen.to_pylist() == [{"clicks": 7, "date": DAY}, {"clicks": 7, "date": date(2026, 3, 5)}]


def test_columns_declared_later_are_null_in_older_files(lake: Lake) -> None:
    """Even a column without null cannot have had a value then; newer days keep theirs."""
    later = replace(
        TABLE,
        columns=(
            *TABLE.columns,
            Column("cost", pa.int64(), "Cost."),
            Column("tags", pa.list_(pa.string()), "T.", nullable=True),
        ),
    )
    land(lake, row())
    land(lake, row(date=NEXT, cost=5, tags=["t"]), day=NEXT, table=later)
    old, new = row(cost=None, tags=None), row(date=NEXT, cost=5, tags=["t"])
    assert lake.read("airbridge", later).to_pylist() == [old, new]
    assert lake.read("airbridge", later, [DAY]).to_pylist() == [old]
    assert lake.read("airbridge", later, [NEXT]).schema.equals(later.schema, check_metadata=True)
    assert lake.read("airbridge", later, columns=["cost"]).to_pylist() == [{"cost": None}, {"cost": 5}]


def test_columns_no_longer_declared_are_left_out(lake: Lake) -> None:
    """The file keeps them; the reader requests what is declared."""
    land(lake, row())
    fewer = replace(TABLE, columns=TABLE.columns[:2], key=("campaign",))
    assert lake.read("airbridge", fewer).to_pylist() == [{"date": DAY, "campaign": "spring"}]


def test_a_data_frame_keeps_null_decimals_and_instants(lake: Lake) -> None:
    """Pandas with Arrow types: no float, no NaN where a number was not known."""
    land(lake, row(campaign="a"), empty_row(campaign="b"))
    frame = lake.read_pandas("airbridge", TABLE)
    assert list(frame["revenue"]) == [Decimal("123456789012.123456"), pd.NA]
    assert list(frame["clicks"]) == [7, pd.NA]
    assert [str(frame[name].dtype) for name in ("clicks", "seen_at", "codes")] == [
        "int64[pyarrow]",
        "timestamp[us, tz=UTC][pyarrow]",
        "list<item: string>[pyarrow]",
    ]


def test_other_tools_read_the_lake_as_it_is(disk: Lake) -> None:
    """DuckDB finds days by the folder's `dt` and the column's `date`, and the money to the last digit."""
    land(disk, row())
    land(disk, row(date=NEXT, revenue=None), day=NEXT)
    query = "select dt, date, revenue, len(codes) from read_parquet(?, hive_partitioning=true) order by dt"
    with duckdb.connect() as database:
        found = database.execute(query, [f"{disk.root}/*/revenue/dt=*/*.parquet"]).fetchall()
    assert found == [(DAY, DAY, row()["revenue"], 3), (NEXT, NEXT, None, 3)]


def test_a_lake_is_named_as_any_reader_finds_it_and_without_a_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folders from the root of the disk, URLs as they are; a user's name and password left out."""
    monkeypatch.chdir(tmp_path)
    named = {
        "data/lake": f"{tmp_path}/data/lake",
        "file:///srv/lake/": "/srv/lake",
        "s3://bucket/lake/": "s3://bucket/lake",
        "sftp://ana:p@ss@host/lake": "sftp://host/lake",
    }
    assert {root: address(root) for root in named} == named
