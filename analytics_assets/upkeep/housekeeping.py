"""The job `housekeeping`: deletes once a day what is older than the settings keep, and copies months.

Its steps do not depend on each other, so a step that fails stops no other. Old runs are in `history.py`, copies of months in `months.py`.
Dagster concept: op jobs, https://docs.dagster.io/guides/build/ops
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, timedelta
from typing import Any, Final

import dagster as dg

from analytics_assets.clock import Clock
from analytics_assets.lake.months import days_of, month_of
from analytics_assets.lake.resource import LakeResource
from analytics_assets.lake.table import Table
from analytics_assets.partitions import DAILY_TAG
from analytics_assets.schedules import once_a_day
from analytics_assets.settings import settings
from analytics_assets.state.budget import forget_budgets
from analytics_assets.state.ledger import forget_landed
from analytics_assets.upkeep.history import prune
from analytics_assets.upkeep.months import keep_copies

# A writer that takes longer than this to write a file aside is dead.
LEFT_AFTER: Final = timedelta(hours=1)
_SHOWN: Final = 100
_MEND: Final = (
    ", for a file of theirs cannot be used; a copy from before stays, and all other months are as they should be. "
    "Load these days again, as with `analytics-assets load`: such files move to the quarantine."
)


def housekeeping(
    cron: str, clock: Clock, tables: Callable[[], Mapping[tuple[str, str], Table]], *, is_on: bool
) -> tuple[dg.JobDefinition, dg.ScheduleDefinition]:
    """The job that removes what is old and copies what is long over, and the schedule that runs it once a day.

    `tables` gives every table by account and name; it is asked when the job runs.
    """

    @dg.op(
        out=dg.Out(dg.Nothing),
        required_resource_keys={"lake"},
        description="Deletes runs that ended long ago. A day whose newest materialization lies in one is reported again from the lake first.",
    )
    def dagster_history(context: dg.OpExecutionContext) -> Iterator[dg.Output[None]]:
        keep = settings().keep_runs
        if keep is None:
            yield dg.Output(None, metadata={"runs_deleted": "none: ANALYTICS_KEEP_RUNS_DAYS is `forever`"})
            return
        lake: LakeResource = context.resources.lake
        graph = context.repository_def.asset_graph
        pruned = prune(context.instance, graph, lake.open(), before=clock() - keep, say=context.log.info)
        metadata = {"runs_deleted": pruned.runs, "old_runs_kept": pruned.kept, "days_reported_again": pruned.reported}
        yield dg.Output(None, metadata=metadata)

    @dg.op(
        out=dg.Out(dg.Nothing),
        required_resource_keys={"lake"},
        description="Removes files that killed writers left, and old quarantined responses and closed report requests.",
    )
    def leftovers(context: dg.OpExecutionContext) -> Iterator[dg.Output[None]]:
        chosen, now = settings(), clock()
        lake = context.resources.lake.open()
        metadata = {"files_left_aside_removed": len(lake.files.sweep(before=now - LEFT_AFTER))}
        if chosen.keep_runs is not None:
            before = now - chosen.keep_runs
            forget_budgets(chosen.state, before=before)
            metadata["quarantined_responses_removed"] = lake.quarantine.sweep(before=before.astimezone(UTC).date())
            metadata["report_requests_removed"] = forget_landed(chosen.state, before=before)
        yield dg.Output(None, metadata=metadata)

    @dg.op(
        out=dg.Out(dg.Nothing),
        required_resource_keys={"lake"},
        description="Months that ended long ago are copied into one file each, and again where a day of theirs has changed; day files stay.",
    )
    def months(context: dg.OpExecutionContext) -> Iterator[dg.Output[None]]:
        yield dg.Output(
            None, metadata=_with_copies(context, _monthly(context, tables()), clock().astimezone(UTC).date())
        )

    @dg.job(
        description="Removes what is old: runs, leftovers of killed writers, quarantined responses, closed report requests. Copies months of "
        "days, where that is wanted."
    )
    def housekeeping() -> None:
        dagster_history()
        leftovers()
        months()

    words = "Removes once a day what is older than ANALYTICS_KEEP_RUNS_DAYS, and copies months as ANALYTICS_MONTHS_AFTER_DAYS says."
    return housekeeping, once_a_day(housekeeping, cron, words, is_on=is_on)


def _monthly(context: dg.OpExecutionContext, tables: Mapping[tuple[str, str], Table]) -> dict[tuple[str, str], Table]:
    """The tables whose months are copied: typed and daily."""
    graph = context.repository_def.asset_graph
    wanted = dict([("layer", "typed"), DAILY_TAG]).items()
    return {name: table for name, table in tables.items() if wanted <= graph.get(dg.AssetKey(name)).tags.items()}


def _with_copies(
    context: dg.OpExecutionContext, tables: Mapping[tuple[str, str], Table], today: date
) -> dict[str, Any]:
    """Makes the copies of months as they should be; returns what the run says of it."""
    after = settings().months_after
    resource: LakeResource = context.resources.lake
    done = keep_copies(
        resource.open(),
        tables,
        is_wanted=None if after is None else lambda month: days_of(month)[-1] + after <= today,
        is_sandbox=resource.is_sandbox(),
        say=context.log.info,
    )
    said = {name: getattr(done, name) for name in ("written", "equal", "removed", "files")} | {"bytes": done.size}
    if after is None:
        said["copied"] = "nothing: ANALYTICS_MONTHS_AFTER_DAYS is `never`"
    else:
        due = month_of(today - after + timedelta(days=1))
        said["next"] = f"{due:%Y-%m}, from {days_of(due)[-1] + after} on"
    if done.mixed:
        said["not_copied"] = dg.MetadataValue.md("\n".join(f"- {words}" for words in done.mixed[:_SHOWN]))
    if done.unusable:
        context.log.info("What else became of the copies: %s.", said)
        raise dg.Failure(
            "\n".join([f"{len(done.unusable)} months were not copied{_MEND}", *done.unusable[:_SHOWN]]),
            metadata=said,
            allow_retries=False,
        )
    return said
