"""The root of all daily tables: what it shows, what it refuses, and that the UI need not warn of it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from analytics_assets.operations.backfill_asset import backfill_asset, ready_sensor
from analytics_assets.orchestration.backfill_guard import PLAN_KEY
from analytics_assets.orchestration.source_component import ScheduleConfig
from analytics_assets.sources.airbridge.source import AirbridgeRevenue, ReportConfig
from analytics_assets.sources.bento.source import BentoStats
from analytics_assets.sources.statsig.source import StatsigMetrics

NOW = datetime(2026, 3, 10, 19, 30, tzinfo=UTC)


def account(kind: type[Any], days_per_run: int, **fields: Any) -> Any:
    """An account with the vendor's defaults; a backfill of more than 20 days has to be confirmed."""
    schedule = ScheduleConfig(cron="0 0 * * *", lookback_days=1, days_per_run=days_per_run, confirm_over_days=20)
    return kind(schedule=schedule, **fields)


ACCOUNTS = {
    "bento": account(BentoStats, 3),
    "statsig": account(StatsigMetrics, 5),
    "app": account(
        AirbridgeRevenue,
        20,
        app_name="shop",
        timezone="Asia/Seoul",
        currency="KRW",
        reports=[ReportConfig(name="revenue", group_by=["channel"], metric="app_revenue", aggregation="cumulative")],
    ),
}


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch) -> dg.AssetsDefinition:
    """The asset of three accounts from March on."""
    monkeypatch.setenv("ANALYTICS_START_DATE", "2026-03-01")
    return backfill_asset(ACCOUNTS, lambda: NOW)


def run(plan: dg.AssetsDefinition, instance: dg.DagsterInstance, days: int) -> dg.ExecuteInProcessResult:
    """A run over the first days."""
    first = date(2026, 3, 1)
    tags = {
        "dagster/asset_partition_range_start": str(first),
        "dagster/asset_partition_range_end": str(first + timedelta(days - 1)),
    }
    return dg.materialize([plan], instance=instance, tags=tags, raise_on_error=False)


def test_its_days_are_those_of_the_account_whose_day_is_final_first(plan: dg.AssetsDefinition) -> None:
    """Seoul's day is over at 15:00 UTC, and final four hours later."""
    assert plan.partitions_def is not None
    newest = [
        plan.partitions_def.get_partition_keys(datetime(2026, 3, 10, hour, minute, tzinfo=UTC))[-1]
        for hour, minute in ((18, 59), (19, 1))
    ]
    assert newest == ["2026-03-09", "2026-03-10"]


def test_it_shows_what_the_range_costs(plan: dg.AssetsDefinition) -> None:
    """Runs, requests and report tasks of each account; a day that Statsig does not have yet costs nothing there."""
    with dg.DagsterInstance.ephemeral() as instance:
        result = run(plan, instance, 10)
    [shown] = {str(event.materialization.metadata["plan"].value) for event in result.get_asset_materialization_events()}
    assert shown.splitlines() == [
        "| account | runs | requests | report tasks |",
        "|---|---|---|---|",
        "| bento | 3 | 9 | 0 |",
        "| statsig | 2 | at least 8 | 0 |",
        "| app | 1 | at least 3 | 1 |",
        "",
        "The budgets leave this at least 0:00:00.",
    ]


def test_a_range_that_has_to_be_confirmed_fails_before_any_other_run(plan: dg.AssetsDefinition) -> None:
    """Dagster starts no run of the tables that depend on it."""
    assert plan.partitions_def is not None
    with dg.DagsterInstance.ephemeral() as instance:
        assert run(plan, instance, 10).success
        assert not run(plan, instance, 21).success


def test_it_is_recorded_once_before_anybody_backfills(plan: dg.AssetsDefinition) -> None:
    """The UI warns of a table whose upstream asset was never materialized."""
    definitions = dg.Definitions(assets=[plan], sensors=[ready_sensor()])
    repository = definitions.get_repository_def()
    sensor = repository.get_sensor_def("backfill_plan_ready")
    with dg.DagsterInstance.ephemeral() as instance:

        def tick() -> list[Any]:
            context = dg.build_sensor_context(instance=instance, repository_def=repository)
            return list(sensor.evaluate_tick(context).asset_events)

        [recorded] = tick()
        assert (recorded.asset_key, recorded.partition) == (PLAN_KEY, "2026-03-01")
        instance.report_runless_asset_event(recorded)
        assert tick() == []
