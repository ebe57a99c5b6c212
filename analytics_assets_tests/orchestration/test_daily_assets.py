"""A stream under Dagster: runs over ranges, on instances in memory and on SQLite."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.errors import TransientError, UnexpectedPayloadError
from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets_tests.lake.vendor import NOW, Vendor, days
from analytics_assets_tests.shop import PARTITIONS, TABLES, Shop, span, table_key

BAD = date(2026, 3, 3)
ALL = [f"{day:02}" for day in range(1, 6)]


@pytest.fixture(params=["memory", "sqlite"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """An account whose runs are kept in memory or in SQLite files."""
    (tmp_path / "dagster").mkdir()
    made = (
        dg.DagsterInstance.ephemeral()
        if request.param == "memory"
        else dg.DagsterInstance.local_temp(str(tmp_path / "dagster"))
    )
    with made as instance:
        yield Shop(tmp_path / "lake", instance)


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Shop]:
    """An account whose runs are kept in memory."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield Shop(tmp_path / "lake", instance)


def test_each_table_and_day_is_logged_once_with_its_own_data_version(shop: Shop) -> None:
    """Day after day, raw first; the version is the content's, so equal days have equal ones."""
    shop.vendor.answers = {date(2026, 3, 2): ["1"]}
    run = shop.run(span("01", "03"))
    assert run.status == dg.DagsterRunStatus.SUCCESS
    events = shop.materializations(run)
    assert [(str(event.partition)[-2:], event.asset_key.path[-1]) for event in events] == [
        (day, table) for day in ("01", "02", "03") for table in TABLES
    ]
    versions = {
        (event.partition, event.asset_key.path[-1]): (event.tags or {})["dagster/data_version"] for event in events
    }
    for (day, table), version in versions.items():
        standing = shop.lake.stored_day("shop", table, date.fromisoformat(str(day)))
        assert standing is not None
        assert version == standing.footer.content_hash
    assert len(set(versions.values())) == 9
    assert shop.events == ["opened", "closed"]


def test_a_day_is_logged_with_its_figures_in_full(quick: Shop) -> None:
    """One raw and two typed tables of the fifth of March."""
    quick.vendor.answers = {date(2026, 3, 5): ["4", "-1"]}
    events = quick.materializations(quick.run({"dagster/partition": "2026-03-05"}))
    shown = {
        "numbers_raw": {"dagster/partition_row_count": 2, "bodies": 2},
        "numbers": {"dagster/partition_row_count": 2, "biggest": 4},
        "sums": {"dagster/partition_row_count": 1, "sum": 3},
    }
    standing = {table: quick.lake.stored_day("shop", table, date(2026, 3, 5)) for table in TABLES}
    assert events == [
        dg.AssetMaterialization(
            table_key(table),
            partition="2026-03-05",
            metadata={
                "bytes": stored.size,
                "path": dg.MetadataValue.path(f"{quick.folder}/shop/{table}/dt=2026-03-05/data.parquet"),
                "content_changed": True,
                "requested_at": NOW.timestamp(),
                **shown[table],
            },
            tags={**(event.tags or {}), "dagster/data_version": stored.footer.content_hash},
        )
        for (table, stored), event in zip(standing.items(), events, strict=True)
        if stored
    ]


def test_exactly_the_bad_day_is_red_on_every_table(shop: Shop) -> None:
    """The others are green, the run fails, and its message names the day."""
    shop.vendor.answers = {BAD: TransientError("Timed out after 60 s.")}
    run = shop.run(span("01", "05"))
    assert run.status == dg.DagsterRunStatus.FAILURE
    assert shop.failure(run) == (
        "shop/numbers: 1 of 5 days were not stored.\n"
        "2026-03-03: Timed out after 60 s.\n"
        "Re-execute from failure: only these days are requested."
    )
    good = ["01", "02", "04", "05"]
    assert shop.logged(run) == dict.fromkeys(TABLES, good)
    expected = {day: "MATERIALIZED" if day in good else "FAILED" for day in ALL}
    assert [shop.statuses(table) for table in TABLES] == [expected] * 3
    assert [shop.lake.days("shop", table) for table in TABLES] == [[date(2026, 3, int(day)) for day in good]] * 3


def test_a_subset_of_typed_tables_is_made_without_a_request(quick: Shop) -> None:
    """Only they are logged; the lake has their days only."""
    quick.run(span("01", "02"), tables=["numbers_raw"])
    quick.vendor = Vendor()
    run = quick.run(span("01", "03"), tables=["sums"])
    assert (quick.vendor.asked, quick.logged(run)) == (
        [],
        {"numbers_raw": [], "numbers": [], "sums": ["01", "02"]},
    )
    assert quick.failure(run) == (
        "shop/numbers: 1 of 3 days were not stored.\n"
        "2026-03-03: The day is not stored in shop/numbers_raw, so there is nothing to make the typed tables from. "
        "Materialize numbers_raw together with them.\n"
        "Fix the cause, then re-execute from failure."
    )
    assert quick.lake.days("shop", "numbers") == []


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        (
            span("09", "12"),
            "The range ends on 2026-03-12, which is final from 2026-03-13 00:00 UTC on; the last final day is 2026-03-10. Choose an earlier end, or launch it after that.",
        ),
        (
            {"dagster/partition": "2026-03-11"},
            "The range ends on 2026-03-11, which is final from 2026-03-12 00:00 UTC on; the last final day is 2026-03-10. Choose an earlier end, or launch it after that.",
        ),
        (span("05", "04"), "The range begins on 2026-03-05 and ends before that, on 2026-03-04."),
        (
            {**span("01", "02"), "dagster/asset_partition_range_start": "2026-02-28"},
            "The range begins on 2026-02-28, before the first day of this account, 2026-03-01. Choose a later day. The first day is the account's `start_date` in its YAML, or else ANALYTICS_START_DATE.",
        ),
    ],
    ids=["past the last", "one past the last", "the wrong way round", "before the first"],
)
def test_a_range_of_days_that_are_not_there_is_refused_in_words(quick: Shop, tags: dict[str, str], words: str) -> None:
    """Dagster would end with an assertion, or green with nothing done."""
    # A run's planned events are written when it is made; days that are no partitions have none, so the step is run by itself.
    result = dg.materialize(
        [quick.assets()],
        tags=tags,
        instance=quick.instance,
        raise_on_error=False,
        resources=quick.job().resource_defs,
    )
    assert not result.success
    [failed] = [event for event in result.all_events if event.is_step_failure]
    assert failed.step_failure_data.user_failure_data is not None
    assert failed.step_failure_data.user_failure_data.description == words
    assert (quick.vendor.asked, quick.works) == ([], [])


def test_a_lake_that_cannot_be_opened_fails_the_run_in_words(quick: Shop) -> None:
    """And nothing is requested that could not be kept."""
    result = dg.materialize(
        [quick.assets()],
        tags=span("01", "05"),
        instance=quick.instance,
        raise_on_error=False,
        resources={**quick.job().resource_defs, "lake": LakeResource(root="pail://lake", sandbox=False)},
    )
    [failed] = [event for event in result.all_events if event.is_step_failure]
    assert failed.step_failure_data.user_failure_data is not None
    assert failed.step_failure_data.user_failure_data.description == (
        "ANALYTICS_LAKE cannot be opened: Protocol not known: pail. Use a folder, or the address of a bucket, such as s3://bucket/lake."
    )
    assert quick.vendor.asked == []


def test_a_key_that_is_not_set_fails_all_days_and_is_named(shop: Shop) -> None:
    """When the run opens, not when the definitions load."""
    shop.variable = "SHOP_KEY"
    run = shop.run(span("01", "05"))
    assert shop.failure(run) == (
        "shop/numbers: 5 of 5 days were not stored.\n"
        "2026-03-01 to 2026-03-05: The environment variable SHOP_KEY is not set. Live mode needs it; ANALYTICS_MODE=sandbox "
        "needs no key.\n"
        "Fix the cause, then re-execute from failure."
    )
    assert [shop.statuses(table) for table in TABLES] == [dict.fromkeys(ALL, "FAILED")] * 3


def test_the_failure_lists_the_days_with_the_answers_that_were_kept(quick: Shop) -> None:
    """In its metadata, for the UI."""
    quick.vendor.answers = {BAD: ["<html>"]}
    run = quick.run(span("01", "05"))
    [record] = quick.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    assert record.dagster_event is not None
    told = record.dagster_event.step_failure_data.user_failure_data
    assert told is not None
    table = told.metadata["days_not_stored"]
    assert isinstance(table, dg.TableMetadataValue)
    [row] = table.records
    [kept] = (quick.folder / "_quarantine/shop").iterdir()
    assert row.data == {
        "day": "2026-03-03",
        "kind": UnexpectedPayloadError.__name__,
        "message": "numbers: not a number.",
        "remedy": "",
        "endpoint": "",
        "status": "",
        "response_kept_in": str(kept),
    }


def test_a_fault_of_the_program_keeps_its_own_name_and_what_landed_before(quick: Shop) -> None:
    """It is not dressed up as a bad day."""
    quick.vendor.answers = {BAD: ZeroDivisionError("division by zero")}
    run = quick.run(span("01", "05"))
    assert "ZeroDivisionError: division by zero" in str(quick.failure(run))
    assert quick.logged(run) == {table: ["01", "02"] for table in TABLES}


def test_an_error_while_the_stream_closes_is_not_told_of_days_that_landed(quick: Shop) -> None:
    """All days stand and are logged; the run fails with the error itself."""
    quick.closing = TransientError("The session would not close.")
    run = quick.run(span("01", "02"))
    assert "The session would not close." in str(quick.failure(run))
    assert "was not stored" not in str(quick.failure(run))
    assert quick.logged(run) == {table: ["01", "02"] for table in TABLES}


def test_days_that_are_not_final_fail_with_the_instant(quick: Shop) -> None:
    """Those before them land."""
    quick.clock = lambda: datetime.fromisoformat("2026-03-04T01:00:00+00:00")
    run = quick.run(span("01", "04"))
    assert quick.failure(run) == (
        "shop/numbers: 2 of 4 days were not stored.\n"
        "2026-03-03: The day is not final yet. Request it from 2026-03-04 02:00 UTC on.\n"
        "2026-03-04: The day is not final yet. Request it from 2026-03-05 02:00 UTC on.\n"
        "Re-execute from failure: only these days are requested."
    )
    assert quick.vendor.asked == days(2)


def test_the_step_can_be_taken_apart_and_says_how_a_backfill_is_cut(quick: Shop) -> None:
    """Its typed tables come from raw and from what the step names; the size of a run is the account's own."""
    assets = quick.assets()
    assert (assets.op.name, assets.can_subset, assets.partitions_def) == ("shop__numbers", True, PARTITIONS)
    assert assets.backfill_policy == dg.BackfillPolicy.multi_run(12)
    other = dg.AssetKey(["other", "list"])
    assert {key.path[-1]: set(found) for key, found in assets.asset_deps.items()} == {
        "numbers_raw": set(),
        "numbers": {other, table_key("numbers_raw")},
        "sums": {other, table_key("numbers_raw")},
    }
    assert assets.required_resource_keys >= {"shop", "lake"}
