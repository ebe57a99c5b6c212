"""Attempts that belong together ask only for what is missing: re-executions, backfills, and what is neither."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

from analytics_assets.errors import TransientError
from analytics_assets.orchestration.run_context import attempt_group
from analytics_assets.state.database import engine
from analytics_assets_tests.lake.vendor import NOW, Vendor, days
from analytics_assets_tests.shop import TABLES, Shop, span

BAD = date(2026, 3, 3)
ALL = [f"{day:02}" for day in range(1, 6)]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """An account, with a state database of its own."""
    monkeypatch.setenv("ANALYTICS_STATE", f"sqlite:///{tmp_path}/state.db")
    with dg.DagsterInstance.ephemeral() as instance:
        yield Shop(tmp_path / "lake", instance)


def test_a_re_execution_asks_only_for_the_bad_day_and_turns_all_green(shop: Shop) -> None:
    """The days that were stored are logged again, or Dagster would turn them red."""
    shop.vendor.answers = {BAD: TransientError("Timed out.")}
    first = shop.run(span("01", "05"))
    shop.vendor = Vendor({BAD: TransientError("Timed out.")})
    second = shop.run(span("01", "05"), again=first)
    shop.vendor = Vendor()
    third = shop.run(span("01", "05"), again=second)
    assert (shop.vendor.asked, third.status, shop.logged(third)) == (
        [BAD],
        dg.DagsterRunStatus.SUCCESS,
        dict.fromkeys(TABLES, ALL),
    )
    assert [shop.statuses(table) for table in TABLES] == [dict.fromkeys(ALL, "MATERIALIZED")] * 3
    assert {work.attempt_group for work in shop.works} == {first.run_id}
    assert [work.owner for work in shop.works] == [first.run_id, second.run_id, third.run_id]
    assert {work.clock for work in shop.works} == {shop.clock}


def test_a_run_of_a_backfill_that_is_re_executed_after_its_end_asks_only_for_the_bad_day(shop: Shop) -> None:
    """Dagster takes the backfill's tag away from such a run; its first attempt still has it."""
    shop.vendor.answers = {BAD: TransientError("Timed out.")}
    first = shop.run({**span("01", "05"), "dagster/backfill": "b1"})
    shop.vendor = Vendor()
    again = shop.run(span("01", "05"), again=first)
    assert (shop.vendor.asked, again.status) == ([BAD], dg.DagsterRunStatus.SUCCESS)
    assert {work.attempt_group for work in shop.works} == {"b1"}


def test_a_re_execution_asks_for_no_day_that_its_first_attempt_confirmed(shop: Shop, tmp_path: Path) -> None:
    """Its files are those of an earlier run. Without the state database the days are requested once more, and then never."""
    shop.run(span("01", "05"))
    shop.vendor = Vendor({BAD: TransientError("Timed out.")}, requested_at=NOW + timedelta(hours=1))
    first = shop.run(span("01", "05"))
    assert [event.metadata["content_changed"].value for event in shop.materializations(first)] == [False] * 12
    shop.vendor = Vendor(requested_at=NOW + timedelta(hours=2))
    second = shop.run(span("01", "05"), again=first)
    assert (shop.vendor.asked, second.status, shop.logged(second)) == (
        [BAD],
        dg.DagsterRunStatus.SUCCESS,
        dict.fromkeys(TABLES, ALL),
    )
    (tmp_path / "state.db").unlink()
    engine.cache_clear()
    shop.vendor = Vendor(requested_at=NOW + timedelta(hours=3))
    for _ in range(2):
        shop.run(span("01", "05"), again=first)
    assert shop.vendor.asked == days(5)
    assert {event.metadata["requested_at"].value for event in shop.materializations(second)} == {
        (NOW + timedelta(hours=hours)).timestamp() for hours in (1, 2)
    }


@pytest.mark.parametrize("is_backfill", [False, True])
def test_what_the_sensor_has_landed_meanwhile_is_not_asked_for_by_a_re_execution(shop: Shop, is_backfill: bool) -> None:
    """It is newer than what the re-execution was asked to bring; a person who starts anew gets a new answer."""
    tags: dict[str, str] = {}
    if is_backfill:
        now = datetime.now(UTC).timestamp()  # noqa: TID251 - Dagster's clock is the real one
        first_one = PartitionBackfill("b1", BulkActionStatus.COMPLETED_FAILED, False, {}, now)
        shop.instance.add_backfill(first_one)
        tags = {"dagster/backfill": "b1"}
    shop.vendor.answers = {BAD: TransientError("The report is still being made.")}
    first = shop.run({**span("01", "05"), **tags})
    # Far from every real clock, so that the test means the same on any day.
    shop.vendor = Vendor(requested_at=datetime(2100, 1, 1, tzinfo=UTC))
    shop.run({**span("03", "03"), "dagster/sensor_name": "shop_reports"})
    shop.vendor = Vendor()
    again = {"dagster/backfill": "b2", "dagster/root_backfill_id": "b1"}
    second = shop.run({**span("01", "05"), **again}) if is_backfill else shop.run(span("01", "05"), again=first)
    assert (shop.vendor.asked, second.status, shop.logged(second)) == (
        [],
        dg.DagsterRunStatus.SUCCESS,
        dict.fromkeys(TABLES, ALL),
    )
    shop.run(span("03", "03"))
    assert shop.vendor.asked == [BAD]


def test_a_re_executed_backfill_belongs_to_its_first_one(shop: Shop) -> None:
    """It is a backfill of its own, with runs of its own."""
    shop.vendor.answers = {BAD: TransientError("Timed out.")}
    shop.run({**span("01", "05"), "dagster/backfill": "b1"})
    shop.vendor = Vendor()
    tags = {"dagster/backfill": "b2", "dagster/parent_backfill_id": "b1", "dagster/root_backfill_id": "b1"}
    shop.run({**span("01", "05"), **tags})
    assert shop.vendor.asked == [BAD]


def test_a_run_whose_first_attempt_was_deleted_still_runs(shop: Shop) -> None:
    """Then its own tags and numbers decide."""
    first = shop.run(span("01", "02"))
    shop.instance.delete_run(first.run_id)
    shop.vendor = Vendor()
    assert shop.run(span("01", "02"), again=first).status == dg.DagsterRunStatus.SUCCESS
    assert (shop.vendor.asked, shop.works[-1].attempt_group) == ([], first.run_id)


def test_a_person_who_materializes_anew_gets_new_answers(shop: Shop) -> None:
    """Another run that is no attempt of the first."""
    shop.run(span("01", "02"))
    shop.vendor = Vendor({date(2026, 3, 1): ["7"]}, requested_at=NOW + timedelta(hours=1))
    run = shop.run(span("01", "02"))
    assert shop.vendor.asked == days(2)
    changed = {
        (str(event.partition)[-2:], event.asset_key.path[-1]): event.metadata["content_changed"].value
        for event in shop.materializations(run)
    }
    assert {table: changed["01", table] for table in TABLES} == dict.fromkeys(TABLES, True)
    assert {table: changed["02", table] for table in TABLES} == dict.fromkeys(TABLES, False)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, "r1"),
        ({"dagster/backfill": "b2"}, "b2"),
        ({"dagster/backfill": "b2", "dagster/root_backfill_id": "b1"}, "b1"),
    ],
)
def test_attempts_belong_to_their_backfill_or_to_their_first_run(tags: dict[str, str], expected: str) -> None:
    """The oldest name they share."""
    assert attempt_group(dg.DagsterRun(job_name="j", run_id="r1", tags=tags)) == expected
    again = dg.DagsterRun(job_name="j", run_id="r2", root_run_id="r1", parent_run_id="r1", tags=tags)
    assert attempt_group(again) == expected
