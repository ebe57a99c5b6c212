"""The asset that all daily tables depend on, so that one dialog of the UI backfills days of all accounts.

Each account's days end at another instant, and Dagster's dialog offers a range of days only where the selected tables have one root with
days. The root shows what the range costs, and refuses a range that has to be confirmed before any other run starts.
"""

from collections.abc import Mapping, Sequence

import dagster as dg

from analytics_assets.clock import Clock
from analytics_assets.orchestration.backfill_guard import PLAN_KEY
from analytics_assets.orchestration.backfill_plan import AccountPlan, Plan, backfill_guard, planned
from analytics_assets.orchestration.partitions import daily_partitions, first_day, run_days
from analytics_assets.orchestration.source_component import AccountComponent
from analytics_assets.settings import settings

GROUP = "shared"


def backfill_asset(accounts: Mapping[str, AccountComponent], clock: Clock) -> dg.AssetsDefinition:
    """The asset of a project's accounts; it sends no request.

    Args:
        accounts: The accounts that have days, by name.
        clock: The present instant.
    """
    first = min(first_day(settings(), account_plan.start_date) for account_plan in accounts.values())
    final_at = [account_plan.final_at(account) for account, account_plan in accounts.items()]
    partitions = daily_partitions(first, lambda day: min(of_account(day) for of_account in final_at))
    most_days = min(account_plan.schedule.confirm_over_days for account_plan in accounts.values())

    def plans() -> dict[str, AccountPlan]:
        return {account: account_plan.plan(account) for account, account_plan in accounts.items()}

    guard = backfill_guard(plans, most_days, clock)

    spec = dg.AssetSpec(
        PLAN_KEY,
        group_name=GROUP,
        description=(
            "What a backfill of these days costs: runs, requests, report tasks, and the time that rate limits make it last. Select it with daily "
            "tables of several accounts, and the dialog offers a range of days."
        ),
        partitions_def=partitions,
    )

    @dg.multi_asset(name="backfill_plan", specs=[spec], backfill_policy=dg.BackfillPolicy.single_run())
    def backfill_plan(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        days = run_days(context, partitions)
        guard.check(context, PLAN_KEY, days)
        plan = planned(plans(), days[0], days[-1], start=settings().start_date, now=clock())
        for line in plan.costs():
            context.log.info(line)
        return dg.MaterializeResult(metadata={"days": len(days), "plan": dg.MetadataValue.md(_table(plan))})

    return backfill_plan


def ready_sensor() -> dg.SensorDefinition:
    """Records the asset once: Dagster warns of tables whose upstream asset was never materialized, whatever the days."""

    @dg.sensor(
        name="backfill_plan_ready",
        description="Records backfill_plan once, so that the UI does not warn of a missing upstream asset.",
        minimum_interval_seconds=3600,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def ready(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        if context.instance.get_latest_materialization_event(PLAN_KEY) is not None:
            return dg.SkipReason("backfill_plan is recorded.")
        assert context.repository_def is not None
        partitions = context.repository_def.asset_graph.get(PLAN_KEY).partitions_def
        first = None if partitions is None else partitions.get_first_partition_key()
        return dg.SensorResult(asset_events=[dg.AssetMaterialization(PLAN_KEY, partition=first)])

    return ready


def _table(plan: Plan) -> str:
    """The plan in Markdown."""
    rows = [
        f"| {account} | {plan.runs[account]} | {_requests(plan, account)} | {plan.tasks.get(account, 0)} |"
        for account in plan.requests
    ]
    lines: Sequence[str] = ["| account | runs | requests | report tasks |", "|---|---|---|---|", *rows]
    return "\n".join([*lines, "", plan.costs()[-1]])


def _requests(plan: Plan, account: str) -> str:
    number = sum(plan.requests[account].values())
    return f"at least {number}" if account in plan.at_least else f"{number}"
