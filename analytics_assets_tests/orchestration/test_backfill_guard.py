"""A backfill of many days is refused with its plan, until a person confirms it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.definitions.selector import PartitionRangeSelector, PartitionsByAssetSelector, PartitionsSelector
from dagster._core.execution.backfill import PartitionBackfill

from analytics_assets.dates import days_between
from analytics_assets.orchestration.backfill_guard import CONFIRM_TAG, BackfillGuard
from analytics_assets.orchestration.partitions import daily_partitions, end_of_utc_day, run_days

FIRST = date(2026, 1, 1)
KEY = dg.AssetKey("table")
PARTITIONS = daily_partitions(FIRST, end_of_utc_day)
SPEC = dg.AssetSpec(KEY, partitions_def=PARTITIONS)


def costs(days: Sequence[date]) -> list[str]:
    """One line."""
    return [f"  {2 * len(days)} GET /ads"]


@dg.multi_asset(specs=[SPEC], backfill_policy=dg.BackfillPolicy.single_run())
def table(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    """Loads nothing."""
    BackfillGuard(10, costs).check(context, KEY, run_days(context, PARTITIONS))
    return dg.MaterializeResult()


def run(instance: dg.DagsterInstance, days: int, **tags: str) -> dg.ExecuteInProcessResult:
    """A run over the first days."""
    span = {
        "dagster/asset_partition_range_start": str(FIRST),
        "dagster/asset_partition_range_end": str(FIRST + timedelta(days - 1)),
    }
    given = {name.replace("__", "/"): value for name, value in tags.items()}
    return dg.materialize([table], instance=instance, tags={**span, **given}, raise_on_error=False)


def message(result: dg.ExecuteInProcessResult) -> str:
    """Why the step failed."""
    [event] = [event for event in result.all_events if event.is_step_failure]
    assert event.step_failure_data.user_failure_data is not None
    return event.step_failure_data.user_failure_data.description or ""


def backfill(instance: dg.DagsterInstance, name: str, days: int) -> None:
    """A backfill over the first days."""
    span = PartitionRangeSelector(str(FIRST), str(FIRST + timedelta(days - 1)))
    selected = PartitionsByAssetSelector(asset_key=KEY, partitions=PartitionsSelector([span]))
    graph, at = dg.Definitions(assets=[table]).resolve_asset_graph(), datetime(2026, 4, 1, tzinfo=UTC).timestamp()
    instance.add_backfill(
        PartitionBackfill.from_partitions_by_assets(name, graph, at, {}, instance, [selected], None, None, None)
    )


def test_a_run_of_a_large_backfill_is_refused_with_the_plan_of_all_its_days() -> None:
    """Although the run itself has few days."""
    with dg.DagsterInstance.ephemeral() as instance:
        backfill(instance, "large", 31)
        refused = run(instance, 3, dagster__backfill="large")
    assert message(refused) == (
        "This backfill has 31 days, 2026-01-01 to 2026-01-31. More than 10 have to be confirmed, so nothing was requested.\n"
        "  62 GET /ads\n"
        f"To load them, launch it again with the tag `{CONFIRM_TAG}` set to `true`. To load fewer, choose a shorter range."
    )


@pytest.mark.parametrize(
    ("days", "tags", "is_refused"),
    [
        (10, {}, False),
        (11, {}, True),
        (11, {"analytics__confirm_backfill": "true"}, False),
        (11, {"analytics__confirm_backfill": "false"}, True),
        (11, {"dagster__schedule_name": "shop_daily"}, False),
        (11, {"dagster__sensor_name": "shop_reports"}, False),
        (11, {"analytics__load": "analytics-assets load"}, False),
        (3, {"dagster__backfill": "small"}, False),
        (3, {"dagster__backfill": "large"}, True),
        (3, {"dagster__backfill": "large", "analytics__confirm_backfill": "true"}, False),
    ],
)
def test_what_has_to_be_confirmed(days: int, tags: dict[str, str], *, is_refused: bool) -> None:
    """More days than the limit, in a backfill or a run of a person."""
    with dg.DagsterInstance.ephemeral() as instance:
        backfill(instance, "small", 10)
        backfill(instance, "large", 11)
        assert run(instance, days, **tags).success is not is_refused


def test_the_plan_is_of_the_days_of_the_backfill() -> None:
    """And not of those of the run."""
    seen: list[Sequence[date]] = []

    @dg.multi_asset(specs=[SPEC], backfill_policy=dg.BackfillPolicy.single_run())
    def planned(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        BackfillGuard(1, lambda days: [str(seen.append(days))]).check(context, KEY, run_days(context, PARTITIONS))
        return dg.MaterializeResult()

    with dg.DagsterInstance.ephemeral() as instance:
        backfill(instance, "large", 4)
        tags = {"dagster/partition": str(FIRST), "dagster/backfill": "large"}
        dg.materialize([planned], instance=instance, partition_key=str(FIRST), tags=tags, raise_on_error=False)
    assert seen == [days_between(FIRST, FIRST + timedelta(3))]
