"""What the checkout loads as it is shipped."""

from collections import defaultdict
from datetime import UTC, datetime

import dagster as dg
import pytest

from analytics_assets import SOURCES
from analytics_assets.definitions import defs
from analytics_assets.orchestration.backfill_guard import PLAN_KEY
from analytics_assets.orchestration.source_resource import without_sandbox


@pytest.fixture(scope="module")
def shipped() -> dg.Definitions:
    """Everything Dagster sees."""
    return defs()


def test_every_asset_is_named_account_and_table(shipped: dg.Definitions) -> None:
    """Its group is the account, and every account has a resource of that name; growth tables request nothing."""
    repository = shipped.get_repository_def()
    specs = [node for node in repository.asset_graph.asset_nodes if node.key != PLAN_KEY]
    assert {node.key.path[0] for node in specs} >= set(SOURCES)
    assert [node.key for node in specs if len(node.key.path) != 2 or node.group_name != node.key.path[0]] == []
    assert set(repository.get_top_level_resources()) >= {
        "lake",
        *(node.key.path[0] for node in specs if node.tags["reading"] != "whole"),
    }


def test_every_asset_is_daily_or_a_snapshot_and_says_so(shipped: dg.Definitions) -> None:
    """The tag is what the job of all snapshots goes by."""
    nodes = [node for node in shipped.resolve_asset_graph().asset_nodes if node.key != PLAN_KEY]
    assert [node.key for node in nodes if (node.tags["reading"] == "daily") != (node.partitions_def is not None)] == []
    left_out = without_sandbox(shipped)
    snapshots = {node.key for node in nodes if node.tags["reading"] == "snapshot" and node.key.path[0] not in left_out}
    assert set(shipped.resolve_job_def("snapshots").asset_layer.executable_asset_keys) == snapshots


def test_accounts_take_different_numbers_of_days_a_run(shipped: dg.Definitions) -> None:
    """Or Dagster would merge a backfill over several of them into one run."""
    sizes = defaultdict(set)
    for node in shipped.resolve_asset_graph().asset_nodes:
        if node.partitions_def is not None and node.key != PLAN_KEY:
            assert node.backfill_policy is not None
            sizes[node.key.path[0]].add(node.backfill_policy.max_partitions_per_run)
    assert {len(of_account) for of_account in sizes.values()} == {1}
    assert len(set.union(*sizes.values())) == len(sizes), f"accounts with the same `days_per_run`: {dict(sizes)}"


def test_every_daily_table_without_a_raw_one_depends_on_the_plan(shipped: dg.Definitions) -> None:
    """So the dialog of the UI offers a range of days for all of them, and the plan exists from the first account's newest day on."""
    graph = shipped.resolve_asset_graph()
    daily = [node for node in graph.asset_nodes if node.partitions_def is not None and node.key != PLAN_KEY]
    roots = [node.key for node in daily if not any(graph.get(key).partitions_def for key in node.parent_keys)]
    assert roots == []
    plan = graph.get(PLAN_KEY).partitions_def
    assert plan is not None
    for hour in range(24):
        now = datetime(2026, 3, 8, hour, 30, tzinfo=UTC)
        keys = {key for node in daily if node.partitions_def for key in node.partitions_def.get_partition_keys(now)}
        assert keys <= set(plan.get_partition_keys(now))


def test_in_the_sandbox_no_schedule_runs_by_itself(shipped: dg.Definitions) -> None:
    """One for each account's days, and one for all snapshots."""
    schedules = shipped.get_repository_def().schedule_defs
    assert {schedule.name for schedule in schedules} >= {"snapshots", *(f"{source}_daily" for source in SOURCES)}
    assert {schedule.default_status for schedule in schedules} == {dg.DefaultScheduleStatus.STOPPED}


def test_a_run_is_one_process(shipped: dg.Definitions) -> None:
    """Days are read several at once inside a step; a process for each step would only cost its start."""
    assert shipped.executor is dg.in_process_executor
