"""Old runs are deleted, and every day keeps its square, figures and data version; on SQLite and on PostgreSQL."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.test_utils import create_run_for_test

from analytics_assets.clock import utc_now
from analytics_assets.errors import TransientError
from analytics_assets.operations.alerts.failed_runs import still_missing
from analytics_assets.operations.housekeeping.history import Pruned, prune, removable
from analytics_assets_tests.lake.vendor import days
from analytics_assets_tests.production.parts import Postgres, postgres
from analytics_assets_tests.shop import TABLES, Shop, span, table_key

MARCH = days(6)


class Interrupted:
    """An instance that calls a function before each call of one of its methods."""

    def __init__(self, instance: dg.DagsterInstance, method: str, before: Callable[[], None]) -> None:
        self._instance, self._method, self._before = instance, method, before

    def __getattr__(self, name: str) -> Any:
        """The instance's own attribute, or the interrupted method."""
        found = getattr(self._instance, name)
        if name != self._method:
            return found

        def interrupted(*given: Any, **named: Any) -> Any:
            self._before()
            return found(*given, **named)

        return interrupted


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A PostgreSQL server."""
    with postgres() as running:
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.proof(1))])
def instance(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """A Dagster instance as on one machine, and as in a deployment."""
    overrides = {}
    if request.param == "postgres":
        overrides = {"storage": {"postgres": {"postgres_url": request.getfixturevalue("server").database()}}}
    with dg.instance_for_test(temp_dir=str(tmp_path), overrides=overrides) as made:
        yield made


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """A Dagster instance as on one machine."""
    with dg.instance_for_test(temp_dir=str(tmp_path)) as made:
        yield made


def shop_of(instance: dg.DagsterInstance, folder: Path) -> Shop:
    """The hand-made account over an instance."""
    return Shop(folder / "lake", instance)


def pruned(shop: Shop, before: datetime, instance: Any = None) -> Pruned:
    """Prunes the history of the account, perhaps through an interrupted instance."""
    graph = shop.definitions().resolve_asset_graph()
    used = cast("dg.DagsterInstance", instance or shop.instance)
    return prune(used, graph, shop.lake, lambda _run: True, before=before, say=lambda _text: None)


def newest(shop: Shop) -> dict[tuple[str, str], tuple[str, dict[str, Any]]]:
    """Data version and metadata of the newest materialization of each table and day, without its origin."""
    found = {}
    for table in TABLES:
        for day in map(str, MARCH):
            wanted = dg.AssetRecordsFilter(table_key(table), asset_partitions=[day])
            for record in shop.instance.fetch_materializations(wanted, limit=1).records:
                event = record.asset_materialization
                assert event is not None
                metadata = {name: value for name, value in event.metadata.items() if name != "came_from"}
                found[table, day] = (str((event.tags or {})["dagster/data_version"]), metadata)
    return found


def squares(shop: Shop) -> dict[str, dict[str, str]]:
    """The status of each table and day, worked out from the events."""
    shop.instance.wipe_asset_cached_status(list(map(table_key, TABLES)))
    return {table: shop.statuses(table) for table in TABLES}


def event_files(instance: dg.DagsterInstance) -> set[str]:
    """The runs that have an event file of their own."""
    storage: Any = instance.event_log_storage
    return set(storage.get_all_run_ids()) - {""} if hasattr(storage, "get_all_run_ids") else set()


def nights(shop: Shop) -> datetime:
    """Overlapping runs as schedules request them, two days of the second failed; then checks, an instant, and one more run.

    Day 02 was stored by the first run and failed in the second; day 04 failed in the second and was stored by the third.
    """
    shop.run(span("01", "03"))
    shop.vendor.answers = {MARCH[1]: TransientError("Later."), MARCH[3]: TransientError("Later.")}
    shop.run(span("02", "04"))
    shop.vendor.answers = {}
    shop.run(span("03", "05"))
    shop.look()
    cut = utc_now()
    shop.run(span("05", "06"))
    shop.look()
    return cut


def test_old_runs_go_and_every_day_keeps_its_square_and_figures(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    """The runs of a failed day stay: the one that failed, and the one that stored it before."""
    shop = shop_of(instance, tmp_path)
    cut = nights(shop)
    first, second, third, checks, *young = [run.run_id for run in instance.get_runs()][::-1]
    before, statuses = newest(shop), squares(shop)

    assert pruned(shop, cut) == Pruned(runs=2, kept=2, reported=len(TABLES) * 2)

    assert (newest(shop), squares(shop)) == (before, statuses)
    assert statuses["numbers"] == {f"{day:%d}": "FAILED" if f"{day:%d}" == "02" else "MATERIALIZED" for day in MARCH}
    left = {run.run_id for run in instance.get_runs()}
    assert left == {first, second, *young}
    assert not left & {third, checks}
    assert event_files(instance) in (set(), left)

    # Once the failed day is stored, both runs may go.
    shop.run(span("02", "02"))
    assert pruned(shop, cut).runs == 2
    assert squares(shop)["numbers"] == dict.fromkeys((f"{day:%d}" for day in MARCH), "MATERIALIZED")


def test_a_report_names_its_run_and_ends_no_alert(sqlite: dg.DagsterInstance, tmp_path: Path) -> None:
    """A day that failed after it was stored is not reported again, so it stays missing for alerts."""
    shop = shop_of(sqlite, tmp_path)
    cut = nights(shop)
    third = next(run for run in sqlite.get_runs()[::-1] if run.tags["dagster/asset_partition_range_start"][-2:] == "03")
    [failure] = sqlite.fetch_run_status_changes(dg.DagsterEventType.RUN_FAILURE, limit=5).records
    missing = {"shop/numbers": {str(MARCH[1]): failure.storage_id}}
    pruned(shop, cut)
    assert still_missing(sqlite, missing) == {"shop/numbers": {str(MARCH[1])}}
    wanted = dg.AssetRecordsFilter(table_key("numbers"), asset_partitions=[str(MARCH[2])])
    [record, *_] = sqlite.fetch_materializations(wanted, limit=1).records
    assert record.asset_materialization is not None
    origin = record.asset_materialization.metadata["came_from"].value
    assert str(origin).startswith(f"Run {third.run_id} of shop_daily, {utc_now():%Y-%m-%d} ")


def test_runs_that_are_shown_or_needed_stay(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    """Unfinished ones, those of an unfinished backfill, and all earlier attempts of a run that stays."""
    graph = shop_of(instance, tmp_path).definitions().resolve_asset_graph()
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
        named = {f"dagster/{name}": value for name, value in tags.items()}
        return create_run_for_test(instance, status=status, tags=named).run_id

    old = [run(), run(backfill="backfill1")]
    root = run()
    parent = run(root_run_id=root, parent_run_id=root)
    run(dg.DagsterRunStatus.STARTED, root_run_id=root, parent_run_id=parent)
    run(dg.DagsterRunStatus.CANCELING)
    run(dg.DagsterRunStatus.FAILURE, backfill="backfill0")
    old += [run(dg.DagsterRunStatus.FAILURE), run(dg.DagsterRunStatus.CANCELED)]

    runs, kept = removable(instance, graph, lambda _run: True, before=datetime(2100, 1, 1, tzinfo=UTC))

    assert [one.run_id for one in runs] == old
    assert kept == len({root, parent}) + 1
    assert removable(instance, graph, lambda _run: True, before=datetime(2020, 1, 1, tzinfo=UTC)) == ([], 0)


@pytest.mark.parametrize("spoil", ["gone", "other"])
def test_a_day_that_is_not_in_the_lake_as_recorded_keeps_its_run(
    sqlite: dg.DagsterInstance, tmp_path: Path, spoil: str
) -> None:
    """Its materialization would be reported as if it were checked; `lake verify` names such days."""
    shop = shop_of(sqlite, tmp_path)
    run = shop.run(span("01", "01"))
    cut = utc_now()
    shop.run(span("02", "02"))
    file = Path(shop.lake.path("shop", "sums", MARCH[0]))
    if spoil == "gone":
        file.unlink()
    else:
        file.write_bytes(Path(shop.lake.path("shop", "sums", MARCH[1])).read_bytes())

    assert pruned(shop, cut).runs == 0
    assert sqlite.get_run_by_id(run.run_id) is not None


@pytest.mark.parametrize("step", ["report_runless_asset_event", "delete_run"])
def test_a_kill_at_any_step_loses_no_day(sqlite: dg.DagsterInstance, tmp_path: Path, step: str) -> None:
    """The next call goes on."""
    shop = shop_of(sqlite, tmp_path)
    cut = nights(shop)
    before, statuses = newest(shop), squares(shop)
    calls = 0

    def kill() -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pruned(shop, cut, Interrupted(sqlite, step, kill))
    assert (newest(shop), squares(shop)) == (before, statuses)
    pruned(shop, cut)
    assert (newest(shop), squares(shop)) == (before, statuses)
    assert event_files(sqlite) == {run.run_id for run in sqlite.get_runs()}


def test_a_day_that_is_stored_meanwhile_stays_the_newest(sqlite: dg.DagsterInstance, tmp_path: Path) -> None:
    """A run stores the day between the look at its newest materialization and the report."""
    shop = shop_of(sqlite, tmp_path)
    shop.run(span("01", "01"))
    cut = utc_now()
    shop.run(span("02", "02"))
    shop.vendor.answers = {MARCH[0]: ["7"]}
    stored: list[str] = []

    def store() -> None:
        if not stored:
            stored.append(shop.run(span("01", "01")).run_id)

    pruned(shop, cut, Interrupted(sqlite, "report_runless_asset_event", store))
    stored_day = shop.lake.stored_day("shop", "numbers", MARCH[0])
    assert stored_day is not None
    assert newest(shop)["numbers", str(MARCH[0])][0] == stored_day.footer.content_hash


def test_a_run_that_dagster_deletes_takes_its_squares_along(sqlite: dg.DagsterInstance, tmp_path: Path) -> None:
    """This is why days are reported again first."""
    shop = shop_of(sqlite, tmp_path)
    run = shop.run(span("01", "01"))
    sqlite.delete_run(run.run_id)
    assert squares(shop)["numbers"] == {}
