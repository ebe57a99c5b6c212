"""Days that were stored for an earlier definition of their report: whole, and neither damaged nor requested again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import msgspec
import pyarrow as pa
import pytest

from analytics_assets.lake.parquet import parquet
from analytics_assets.lake.store import Lake, StoredDay
from analytics_assets.lake.table import Column, Table
from analytics_assets.operations.verify.files import DamagedError, EarlierError, examine_file
from analytics_assets.operations.verify.verification import (
    LOADED_AGAIN,
    LakeScope,
    ProblemKind,
    Verification,
    verify_tables,
)
from analytics_assets.orchestration.asset_specs import materialization
from analytics_assets.sources.airbridge.tables import cohorts_table
from analytics_assets_tests.lake.test_earlier_schema import make_earlier
from analytics_assets_tests.lake.vendor import days
from analytics_assets_tests.sources.airbridge.vendor import spec

FIRST, SECOND, THIRD = days(3)
NAME = ("app", "revenue_cohorts")
NOTHING_TO_DO = (
    "nothing has to be done: columns declared since are null, and dropped columns are not read; materialize the day to load it again, if the "
    "vendor still has it"
)


def cohorts(*group_by: str) -> Table:
    """The cohorts of a report that is grouped so."""
    return cohorts_table(spec(group_by=group_by))


def rows(table: Table, day: date, **groups: str) -> pa.Table:
    """A day with one group."""
    values = {"days_since_start": 0, "value": Decimal(3), "currency": "KRW", "is_masked": False, "is_reached": True}
    return table.rows([{"date": day, **groups, **values, "days_since_start": number} for number in range(2)])


def stored(lake: Lake, table: Table, day: date, **groups: str) -> StoredDay:
    """A day as a run stores it."""
    return lake.store_day(NAME[0], table, day, rows(table, day, **groups), is_sandbox=True)


def verify(lake: Lake, instance: dg.DagsterInstance, table: Table, **changes: Any) -> Verification:
    """What `lake verify` finds under a definition."""
    tables = {NAME: table}
    scope_of_lake = LakeScope(lake, True, instance, tables, frozenset(tables), list(tables))
    return verify_tables(replace(scope_of_lake, **changes), lambda _words: None)


CHANGES: dict[str, tuple[Sequence[str], Sequence[str], str]] = {
    "one field less": (["channel", "campaign"], ["channel"], "campaign no longer declared"),
    "one field more": (["channel"], ["channel", "campaign"], "campaign declared since"),
    "another field": (["campaign"], ["channel"], "campaign no longer declared; channel declared since"),
    "another order": (["channel", "campaign"], ["campaign", "channel"], "its columns have another order now"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_regrouped_report_leaves_its_past_whole(disk: Lake, change: str) -> None:
    """The days are named with the way in which they differ; status and summary are good, and nothing would be quarantined."""
    before, now, words = CHANGES[change]
    earlier, today = cohorts(*before), cohorts(*now)
    with dg.DagsterInstance.ephemeral() as instance:
        for table, day in ((earlier, FIRST), (earlier, SECOND), (today, THIRD)):
            stored_day = stored(disk, table, day, **dict.fromkeys(("channel", "campaign"), "x"))
            instance.report_runless_asset_event(
                materialization(dg.AssetKey(NAME), stored_day, {}, partition=day.isoformat(), requested_at=None)
            )
        result = verify(disk, instance, today)
    assert [(problem.day, problem.kind, problem.description, problem.remedy) for problem in result.problems] == [
        (day, ProblemKind.EARLIER, f"stored for an earlier definition of this report: {words}", NOTHING_TO_DO)
        for day in (FIRST, SECOND)
    ]
    assert (result.is_sound, result.files) == (True, 3)


def test_a_day_of_an_earlier_definition_is_still_compared_with_the_record(disk: Lake) -> None:
    """What Dagster does not know of it is a finding of its own, and can be recorded."""
    stored_day = stored(disk, cohorts("channel", "campaign"), FIRST, channel="x", campaign="y")
    with dg.DagsterInstance.ephemeral() as instance:
        result = verify(disk, instance, cohorts("channel"))
    assert [(problem.kind, problem.stored and problem.stored.path) for problem in result.problems] == [
        (ProblemKind.EARLIER, stored_day.path),
        (ProblemKind.UNRECORDED, stored_day.path),
    ]
    assert not result.is_sound


def test_a_damaged_file_of_an_earlier_definition_is_damaged(disk: Lake) -> None:
    """Another value, another day, no day at all, and a column that somebody else has added: its footer proves none of them."""
    earlier, today = cohorts("channel", "campaign"), cohorts("channel")
    footer = stored(disk, earlier, FIRST, channel="x", campaign="y").footer
    whole = rows(earlier, FIRST, channel="x", campaign="y")
    path = disk.path(NAME[0], earlier.name, FIRST)
    for content in (
        rows(earlier, FIRST, channel="x", campaign="z"),
        rows(earlier, SECOND, channel="x", campaign="y"),
        whole.drop_columns(["date"]),
        whole.append_column("colour", pa.array(["red"] * 2)),
    ):
        disk.files.put(path, parquet(content, {b"analytics_assets": msgspec.json.encode(footer)}))
        with pytest.raises(DamagedError):
            examine_file(disk, NAME[0], today, FIRST, is_sandbox=True)
    stored_elsewhere = Path(stored(disk, earlier, SECOND, channel="x", campaign="y").path)
    Path(path).write_bytes(stored_elsewhere.read_bytes())
    with pytest.raises(DamagedError):
        examine_file(disk, NAME[0], today, FIRST, is_sandbox=True)


def test_a_column_whose_type_was_changed_is_an_earlier_definition_too(disk: Lake) -> None:
    """Not of reports only: a list keeps its hash, whatever Parquet calls its inside."""
    columns = [
        Column("date", pa.date32(), ""),
        Column("amount", pa.int64(), ""),
        Column("codes", pa.list_(pa.string()), ""),
        Column("seen", pa.string(), "", is_observation=True),
    ]
    earlier = Table("counts", "", columns)
    content = earlier.rows([{"date": FIRST, "amount": 1, "codes": ["a"], "seen": "now"}])
    disk.store_day("app", earlier, FIRST, content, is_sandbox=True)
    today = replace(earlier, columns=[columns[0], replace(columns[1], type=pa.string()), columns[3]])
    with pytest.raises(EarlierError) as told:
        examine_file(disk, "app", today, FIRST, is_sandbox=True)
    assert str(told.value).endswith(": codes no longer declared; amount of another type now")


def test_a_file_of_an_earlier_version_is_a_finding_that_no_load_repairs(disk: Lake) -> None:
    """It is to be converted; of restatements a load would keep nothing."""
    table = cohorts("channel")
    stored(disk, table, FIRST, channel="x")
    make_earlier(disk, NAME[0], table, FIRST)
    with dg.DagsterInstance.ephemeral() as instance:
        result = verify(disk, instance, table)
    assert [(problem.day, problem.kind.value, problem.description, problem.remedy) for problem in result.problems] == [
        (
            FIRST,
            "earlier version",
            "an earlier version wrote its columns interval, value",
            'convert the lake, as described in docs/lake.md under "A lake of an earlier version"',
        )
    ]
    assert not result.is_sound
    assert ProblemKind.OUTDATED not in LOADED_AGAIN


def test_a_past_of_an_earlier_definition_is_read(disk: Lake) -> None:
    """A field added later is null, one that was removed is not read, and the rest is as stored."""
    stored(disk, cohorts("channel"), FIRST, channel="x")
    today = cohorts("channel", "campaign")
    stored(disk, today, SECOND, channel="x", campaign="y")
    read = disk.read(NAME[0], today)
    assert read.select(["date", "channel", "campaign", "days_since_start"]).to_pylist() == [
        {"date": day, "channel": "x", "campaign": campaign, "days_since_start": number}
        for day, campaign in ((FIRST, None), (SECOND, "y"))
        for number in range(2)
    ]
    assert disk.read(NAME[0], cohorts("channel")).num_rows == 4
