"""The job `housekeeping`: deletes once a day what is older than the settings keep.

Its steps do not depend on each other, so a step that fails stops no other. Old runs are in `history.py`.
Dagster concept: op jobs, https://docs.dagster.io/guides/build/ops
"""

from collections.abc import Iterator
from datetime import UTC, timedelta
from functools import partial
from typing import Final

import dagster as dg

from analytics_assets.clock import Clock
from analytics_assets.operations.housekeeping.history import Owned, prune
from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets.orchestration.schedules import once_a_day
from analytics_assets.settings import settings
from analytics_assets.state.rate_limit import forget_budgets
from analytics_assets.state.report_ledger import delete_stored

# A writer that takes longer than this to write a file aside is dead.
LEFT_AFTER: Final = timedelta(hours=1)


def housekeeping(owned: Owned, cron: str, clock: Clock, *, is_on: bool) -> dg.ScheduleDefinition:
    """The schedule that removes what is old once a day, with its job."""

    @dg.op(
        out=dg.Out(dg.Nothing),
        required_resource_keys={"lake"},
        description="Deletes runs of the accounts that ended long ago. A day whose newest materialization lies in one is reported again from the lake first.",
    )
    def dagster_history(context: dg.OpExecutionContext) -> Iterator[dg.Output[None]]:
        keep = settings().keep_runs
        if keep is None:
            yield dg.Output(None, metadata={"runs_deleted": "none: ANALYTICS_KEEP_RUNS_DAYS is `forever`"})
            return
        lake: LakeResource = context.resources.lake
        pruned = prune(
            context.instance,
            context.repository_def.asset_graph,
            lake.open(),
            partial(owned.has, beside=context.run),
            before=clock() - keep,
            say=context.log.info,
        )
        metadata = {"runs_deleted": pruned.runs, "old_runs_kept": pruned.kept, "days_reported_again": pruned.reported}
        yield dg.Output(None, metadata=metadata)

    @dg.op(
        out=dg.Out(dg.Nothing),
        required_resource_keys={"lake"},
        description="Removes files that killed writers left, and old quarantined responses and closed report requests.",
    )
    def leftovers(context: dg.OpExecutionContext) -> Iterator[dg.Output[None]]:
        current, now = settings(), clock()
        lake = context.resources.lake.open()
        metadata = {"files_left_aside_removed": len(lake.files.sweep(before=now - LEFT_AFTER))}
        if current.keep_runs is not None:
            before = now - current.keep_runs
            forget_budgets(current.state, before=before)
            metadata["quarantined_responses_removed"] = lake.quarantine.sweep(before=before.astimezone(UTC).date())
            metadata["report_requests_removed"] = delete_stored(current.state, before=before)
        yield dg.Output(None, metadata=metadata)

    @dg.job(
        executor_def=dg.in_process_executor,
        description="Removes what is old: runs, leftovers of killed writers, quarantined responses, closed report requests.",
    )
    def housekeeping() -> None:
        dagster_history()
        leftovers()

    description = "Removes once a day what is older than ANALYTICS_KEEP_RUNS_DAYS."
    return once_a_day(housekeeping, cron, description, is_on=is_on)
