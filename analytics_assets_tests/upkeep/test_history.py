"""Old runs go, and no page of Dagster shows anything else than before; on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.test_utils import create_run_for_test

from analytics_assets.alerts.failed_runs import still_missing
from analytics_assets.clock import utc_now
from analytics_assets.errors import TransientError
from analytics_assets.upkeep.history import note, prune, removable
from analytics_assets_tests.lake.vendor import days
from analytics_assets_tests.production.parts import Postgres, postgres
from analytics_assets_tests.shop import TABLES, Shop, span, table_key
from analytics_assets_tests.upkeep import hooks
from analytics_assets_tests.upkeep.pages import pages

pytestmark = pytest.mark.proof(2)

MARCH = days(6)
KEYS = [day.isoformat() for day in MARCH]
SERVED = "analytics_assets_tests.upkeep.served"


def silent(_words: str) -> None:
    """Says nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A PostgreSQL server."""
    with postgres() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgres"])
def instance(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """A Dagster instance as on one machine, and as in a deployment."""
    overrides = {}
    if request.param == "postgres":
        overrides = {"storage": {"postgres": {"postgres_url": request.getfixturevalue("server").database()}}}
    with dg.instance_for_test(temp_dir=str(tmp_path), overrides=overrides) as made:
        yield made


@pytest.fixture
def hooked(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance whose steps can be interrupted."""
    with dg.instance_for_test(temp_dir=str(tmp_path), overrides=hooks.overrides(tmp_path)) as made:
        yield made
    hooks.before.clear()


def shop_of(instance: dg.DagsterInstance, folder: Path) -> Shop:
    """The hand-made account over an instance."""
    return Shop(folder / "lake", instance)


def lookbacks(shop: Shop) -> datetime:
    """Overlapping runs as schedules ask for them, two days of one of which failed, and the checks; then an instant, and one more run.

    The day 02 landed in the first run and failed in the second; the day 04 failed in the second and landed in the third.
    """
    shop.run(span("01", "03"))
    shop.vendor.answers = {MARCH[1]: TransientError("Later."), MARCH[3]: TransientError("Later.")}
    shop.run(span("02", "04"))
    shop.vendor.answers = {}
    shop.run(span("03", "05"))
    shop.look()
    cut = utc_now()
    shop.run(span("05", "06"))
    return cut


def shard_files(instance: dg.DagsterInstance) -> set[str]:
    """The runs that have a file of events of their own."""
    storage: Any = instance.event_log_storage
    return set(storage.get_all_run_ids()) - {""} if hasattr(storage, "get_all_run_ids") else set()


def forget_cached_squares(instance: dg.DagsterInstance) -> None:
    """Makes the squares be worked out anew from the events."""
    instance.wipe_asset_cached_status(list(map(table_key, TABLES)))


def numbers_of(instance: dg.DagsterInstance, day: str) -> list[tuple[int, str]]:
    """Number and data version of the materializations of a day, newest first."""
    wanted = dg.AssetRecordsFilter(table_key("numbers"), asset_partitions=[day])
    found = instance.fetch_materializations(wanted, limit=10).records
    return [(one.storage_id, (one.asset_materialization.tags or {})["dagster/data_version"]) for one in found]


def test_no_page_shows_anything_else_after_old_runs_are_gone(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    """Squares, newest materializations with numbers, tags and instants, and checks; from the cache of squares and without it.

    Two runs go: the first, of which days are still the newest, and the third. The second makes a day red, and stays.
    """
    shop = shop_of(instance, tmp_path)
    with pages(instance, SERVED, "SHOP") as ui:
        cut = lookbacks(shop)
        before, positions = ui.shown(KEYS), {day: numbers_of(instance, day)[0] for day in KEYS}
        runs = [run.run_id for run in instance.get_runs()]
        failed = [run.run_id for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))]

        # An event that leaves its run keeps its place before a failure; alerts go by that.
        [after] = instance.fetch_run_status_changes(dg.DagsterEventType.RUN_FAILURE, limit=5).records
        missing = {"shop/numbers": {"2026-03-02": after.storage_id, "2026-03-04": after.storage_id}}
        told = {"shop/numbers": {"2026-03-02"}}
        assert still_missing(instance, missing) == told

        said: list[str] = []
        pruned = prune(instance, before=cut, now=utc_now(), say=said.append)

        assert [asdict(pruned)[name] for name in ("runs", "kept", "released")] == [3, 1, len(TABLES) * 4]
        assert said == ["3 of 3 runs removed."]
        assert ui.shown(KEYS) == before
        assert {day: numbers_of(instance, day)[0] for day in KEYS} == positions
        forget_cached_squares(instance)
        assert ui.shown(KEYS) == before
        assert still_missing(instance, missing) == told
    left = [run.run_id for run in instance.get_runs()]
    assert left == [runs[0], *failed]
    assert shard_files(instance) in (set(), set(left))
    assert shop.statuses("numbers") == {key[-2:]: "FAILED" if key[-2:] == "02" else "MATERIALIZED" for key in KEYS}
    # An old day lands afterwards as ever, and its square turns green; now its failed run can go.
    shop.run(span("02", "02"))
    assert still_missing(instance, missing) == {}
    assert shop.statuses("numbers")["02"] == "MATERIALIZED"
    prune(instance, before=cut, now=utc_now(), say=silent)
    assert [run.run_id for run in instance.get_runs()][1:] == runs[:1]


def test_an_event_says_which_run_it_came_from(hooked: dg.DagsterInstance, tmp_path: Path) -> None:
    """It belongs to no run any more, and all else of it is as it was."""
    shop = shop_of(hooked, tmp_path)
    run = shop.run(span("01", "01"))
    shop.run(span("02", "02"))
    wanted = dg.AssetRecordsFilter(table_key("numbers"), asset_partitions=["2026-03-01"])
    [before] = hooked.fetch_materializations(wanted, limit=5).records
    shop.look()
    prune(hooked, before=utc_now(), now=datetime(2026, 7, 1, tzinfo=UTC), say=silent)

    [event] = hooked.fetch_materializations(wanted, limit=5).records

    assert event.asset_materialization is not None
    assert before.asset_materialization is not None
    words = f"Run {run.run_id} of shop_daily, removed from the history on 2026-07-01."
    metadata = {**before.asset_materialization.metadata, "came_from": dg.MetadataValue.text(words)}
    assert event.asset_materialization == before.asset_materialization.with_metadata(metadata)
    assert (event.storage_id, event.timestamp, event.run_id) == (before.storage_id, before.timestamp, "")
    assert note(hooked, table_key("numbers"), "2026-03-01", {"more": "so"})
    assert not note(hooked, table_key("numbers"), "2026-03-09", {"more": "so"})
    [event] = hooked.fetch_materializations(wanted, limit=5).records
    assert event.asset_materialization == before.asset_materialization.with_metadata(
        {**metadata, "more": dg.MetadataValue.text("so")}
    )


def test_runs_that_are_needed_stay(instance: dg.DagsterInstance) -> None:
    """Those that have not ended, or whose backfill has not, and what a run that stays is a re-execution of, its first attempt too."""
    for number, status in enumerate((BulkActionStatus.REQUESTED, BulkActionStatus.COMPLETED_FAILED)):
        instance.add_backfill(
            PartitionBackfill(
                f"backfill{number}",
                status=status,
                from_failure=False,
                tags={},
                backfill_timestamp=0.0,
                reexecution_steps=None,
            )
        )

    def run(status: dg.DagsterRunStatus = dg.DagsterRunStatus.SUCCESS, **tags: str) -> str:
        return create_run_for_test(
            instance, status=status, tags={f"dagster/{name}": value for name, value in tags.items()}
        ).run_id

    gone = [run(), run(backfill="backfill1")]
    root = run()
    parent = run(root_run_id=root, parent_run_id=root)
    run(dg.DagsterRunStatus.STARTED, root_run_id=root, parent_run_id=parent)
    run(dg.DagsterRunStatus.CANCELING)
    run(dg.DagsterRunStatus.FAILURE, backfill="backfill0")
    gone += [run(dg.DagsterRunStatus.FAILURE), run(dg.DagsterRunStatus.CANCELED)]
    future = datetime(2100, 1, 1, tzinfo=UTC)

    found, kept = removable(instance, before=future)

    assert [record.dagster_run.run_id for record in found] == gone
    assert kept == len({root, parent}) + 1
    assert removable(instance, before=datetime(2020, 1, 1, tzinfo=UTC)) == ([], 0)


def test_old_evaluations_and_superseded_events_of_no_run_go(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    """The newest evaluation of each check stays; of a day that landed anew after its event was released, the newer event alone."""
    shop = shop_of(instance, tmp_path)
    shop.run(span("01", "01"))
    cut = utc_now()
    shop.run(span("02", "02"))
    assert prune(instance, before=cut, now=utc_now(), say=silent).released == len(TABLES)
    shop.vendor.answers = {MARCH[0]: ["7"]}
    shop.run(span("01", "01"))
    newest, _released = numbers_of(instance, KEYS[0])
    check = dg.AssetCheckKey(table_key("numbers"), "days_land")
    instance.report_runless_asset_event(
        dg.AssetCheckEvaluation(check_name=check.name, asset_key=check.asset_key, passed=True)
    )
    shop.look()

    pruned = prune(instance, before=utc_now(), now=utc_now(), say=silent)

    assert pruned.superseded == len(TABLES) + 1
    assert numbers_of(instance, KEYS[0]) == [newest]
    assert len(instance.event_log_storage.get_asset_check_execution_history(check, limit=50)) == 1


def test_a_kill_between_any_two_steps_loses_nothing_and_the_next_time_goes_on(
    hooked: dg.DagsterInstance, tmp_path: Path
) -> None:
    """Each step of a removal is the last one once; what the pages show is the same before, after each kill and at the end."""
    shop = shop_of(hooked, tmp_path)
    with pages(hooked, SERVED, "SHOP") as ui:
        cut = lookbacks(shop)
        before = ui.shown(KEYS)

        def kill() -> None:
            raise KeyboardInterrupt

        for step in hooks.STEPS:
            hooks.before[step] = kill
            with pytest.raises(KeyboardInterrupt):
                prune(hooked, before=cut, now=utc_now(), say=silent)
            hooks.before.clear()
            forget_cached_squares(hooked)
            assert ui.shown(KEYS) == before

        assert prune(hooked, before=cut, now=utc_now(), say=silent).runs == 3
        assert ui.shown(KEYS) == before
    left = {run.run_id for run in hooked.get_runs()}
    assert len(left) == 2
    assert shard_files(hooked) == left
    assert {path.name for path in (tmp_path / "logs").iterdir()} == left


def test_a_day_that_lands_while_its_old_run_is_removed_is_the_newest(
    hooked: dg.DagsterInstance, tmp_path: Path
) -> None:
    """Whatever lands at any step has a later place than what leaves its run."""
    shop = shop_of(hooked, tmp_path)
    shop.run(span("01", "02"))
    cut = utc_now()
    shop.run(span("02", "02"))
    old = numbers_of(hooked, KEYS[0])[0]

    def land(step: str) -> None:
        shop.vendor.answers = {MARCH[0]: [str(10 + hooks.STEPS.index(step))]}
        shop.run(span("01", "01"))

    hooks.before.update({step: partial(land, step) for step in hooks.STEPS})
    assert prune(hooked, before=cut, now=utc_now(), say=silent).runs == 1
    hooks.before.clear()

    found = numbers_of(hooked, KEYS[0])
    landed = shop.lake.landed("shop", "numbers", MARCH[0])
    assert landed is not None
    assert found[0][1] == landed.footer.content_hash
    # What was released is followed by then, and old, so it goes too.
    assert len({version for _, version in found} - {old[1]}) == len(found) == len(hooks.STEPS)
    assert shop.statuses("numbers")["01"] == "MATERIALIZED"


def test_a_storage_that_cannot_be_pruned_is_refused_in_words() -> None:
    """It is named, with what to do."""
    other = cast("dg.DagsterInstance", SimpleNamespace(event_log_storage=SimpleNamespace()))

    with pytest.raises(dg.Failure, match="SimpleNamespace, which cannot be pruned: use SQLite or PostgreSQL"):
        prune(other, before=utc_now(), now=utc_now(), say=silent)


def test_pages_notice_a_run_that_is_deleted_as_dagster_does(hooked: dg.DagsterInstance, tmp_path: Path) -> None:
    """What these tests compare would be another, or they could not fail."""
    shop = shop_of(hooked, tmp_path)
    with pages(hooked, SERVED, "SHOP") as ui:
        run = shop.run(span("01", "01"))
        before = ui.shown(KEYS)

        hooked.delete_run(run.run_id)
        forget_cached_squares(hooked)

        assert ui.shown(KEYS) != before
        assert shop.statuses("numbers") == {}
