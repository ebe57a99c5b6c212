"""The job `housekeeping`: once a day everything whose time is over goes, months are copied, and each step says what it did.

Its steps do not depend on each other, so that one that fails keeps no other from its work; its own runs go with all others. How long what
is kept is in the settings. Keep what goes out of here (`history.py`, `raw.py`, `lake/files.py`, `state/closed.py`), and how copies are made
(`months.py`).
Dagster concept: op jobs, https://docs.dagster.io/guides/build/ops
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import dagster as dg
from dagster._core.storage.partition_status_cache import AssetPartitionStatus

from analytics_assets.catalogue import asset_key
from analytics_assets.clock import Clock
from analytics_assets.lake.months import days_of, month_of
from analytics_assets.lake.resource import LakeResource
from analytics_assets.lake.table import Table
from analytics_assets.partitions import DAILY_TAG
from analytics_assets.schedules import once_a_day
from analytics_assets.settings import settings
from analytics_assets.state.closed import forget_landed
from analytics_assets.state.ledger import Ledger
from analytics_assets.upkeep.history import note, prune
from analytics_assets.upkeep.months import keep_copies
from analytics_assets.upkeep.raw import OldDay, Raw, due

# A writer that takes longer than this to write a file aside is dead.
LEFT_AFTER: Final = timedelta(hours=1)
_BUSY: Final = (AssetPartitionStatus.FAILED, AssetPartitionStatus.IN_PROGRESS)
_SHOWN: Final = 100
# What the run says of each number: the names of the program tell nobody else whether something went or stayed.
_PRUNED: Final = {
    "runs": "runs_removed",
    "kept": "old_runs_kept",
    "released": "newest_landings_kept",
    "evaluations": "old_evaluations_removed",
    "superseded": "followed_events_removed",
}
_MEND: Final = (
    ", for a file of theirs cannot be used; a copy from before stays, and all other months are as they should be. "
    "`analytics-assets lake verify --ask-again` puts such files into the quarantine and asks for their days again."
)


def housekeeping(
    cron: str, clock: Clock, tables: Callable[[], Mapping[tuple[str, str], Table]], *, is_on: bool
) -> tuple[dg.JobDefinition, dg.ScheduleDefinition]:
    """The job that removes what is old and copies what is long over, and the schedule that runs it once a day.

    `tables` gives every table by account and name; it is asked when the job runs.
    """

    @dg.op(
        out=dg.Out(dg.Nothing), description="Runs that ended long ago go; every day keeps its square and its numbers."
    )
    def dagster_history(context: dg.OpExecutionContext) -> Iterator[dg.Output[None]]:
        keep, now = settings().keep_runs, clock()
        if keep is None:
            yield _kept("ANALYTICS_KEEP_RUNS_DAYS")
            return
        done = prune(context.instance, before=now - keep, now=now, say=context.log.info)
        yield dg.Output(None, metadata={words: getattr(done, name) for name, words in _PRUNED.items()})

    @dg.op(
        out=dg.Out(dg.Nothing),
        required_resource_keys={"lake"},
        description="Answers as sent go when their time is over, where what was made from them stands; typed tables stay.",
    )
    def raw_answers(context: dg.OpExecutionContext) -> Iterator[dg.Output[None]]:
        keep, now = settings().keep_raw, clock()
        if keep is None:
            yield _kept("ANALYTICS_KEEP_RAW_DAYS")
            return
        yield dg.Output(None, metadata=_without_old_raw(context, before=now - keep, now=now))

    @dg.op(
        out=dg.Out(dg.Nothing),
        required_resource_keys={"lake"},
        description="Files that killed writers left aside go, and report requests that landed long ago.",
    )
    def leftovers(context: dg.OpExecutionContext) -> Iterator[dg.Output[None]]:
        chosen, now = settings(), clock()
        lake: LakeResource = context.resources.lake
        metadata = {"files_left_aside_removed": len(lake.open().files.sweep(before=now - LEFT_AFTER))}
        if chosen.keep_runs is not None:
            metadata["report_requests_removed"] = forget_landed(chosen.state, before=now - chosen.keep_runs)
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
        description="Removes what is old: runs, answers as sent, leftovers of killed writers, landed report requests. Copies months of days, "
        "where that is wanted."
    )
    def housekeeping() -> None:
        dagster_history()
        raw_answers()
        leftovers()
        months()

    words = (
        "Removes once a day what is older than ANALYTICS_KEEP_RUNS_DAYS and ANALYTICS_KEEP_RAW_DAYS say, and copies months as "
        "ANALYTICS_MONTHS_AFTER_DAYS says."
    )
    return housekeeping, once_a_day(housekeeping, cron, words, is_on=is_on)


def _kept(variable: str) -> dg.Output[None]:
    return dg.Output(None, metadata={"removed": f"nothing: {variable} is `forever`"})


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


def raw_tables(graph: Any) -> list[Raw]:
    """The raw tables of the accounts in an asset graph, with what is made from each."""
    return [
        Raw(node.key.path[0], node.key.path[1], [(child.path[0], child.path[-1]) for child in sorted(node.child_keys)])
        for node in graph.asset_nodes
        if node.tags.get("layer") == "raw" and [node.group_name] == node.key.path[:-1]
    ]


def _without_old_raw(context: dg.OpExecutionContext, *, before: datetime, now: datetime) -> dict[str, Any]:
    """Empties the raw days whose time is over; returns what the run says of it."""
    graph, lake = context.repository_def.asset_graph, context.resources.lake.open()
    gone: list[OldDay] = []
    stay: list[OldDay] = []
    for raw in raw_tables(graph):
        key = asset_key(raw.account, raw.table)
        partitions = graph.get(key).partitions_def

        def busy(days: Sequence[date], raw: Raw = raw) -> Collection[date]:
            return _busy(context.instance, raw, days, graph)

        for one in due(lake, raw, before=before, busy=busy):
            if one.reason is not None:
                stay.append(one)
                continue
            if partitions is not None:
                # Said first: a kill in between leaves a day that goes next time, and says so again.
                words = f"{one.rows} rows, {one.size} bytes, removed on {now:%Y-%m-%d} as ANALYTICS_KEEP_RAW_DAYS says."
                note(context.instance, key, one.day.isoformat(), {"answers_removed": words})
            if lake.empty(raw.account, raw.table, one.day, before=before, now=now):
                gone.append(one)
        context.log.info("%s/%s: %d days in all went so far.", raw.account, raw.table, len(gone))
    return {
        "days_emptied": len(gone),
        "bytes": sum(one.size for one in gone),
        "quarantined_answers": lake.quarantine.sweep(before=before.astimezone(UTC).date()),
        **({"stay": dg.MetadataValue.md("\n".join(_told(stay)))} if stay else {}),
    }


def _told(stay: Sequence[OldDay]) -> list[str]:
    words = [f"- {one.raw.account}/{one.raw.table} {one.day}: {one.reason}" for one in stay[-_SHOWN:]]
    return [f"{len(stay)} days stay although their time is over; the last {len(words)}:", "", *words]


def _busy(instance: dg.DagsterInstance, raw: Raw, days: Sequence[date], graph: Any) -> set[date]:
    """The days that are red or being landed in the raw table or in what is made from it, and those that a report task is to land."""
    found = {day for request in Ledger(settings().state).open_requests(raw.account) for day in request.days_left}
    for account, table in ((raw.account, raw.table), *raw.made):
        key = asset_key(account, table)
        partitions = graph.get(key).partitions_def if graph.has(key) else None
        if isinstance(partitions, dg.DailyPartitionsDefinition):
            held = instance.get_status_by_partition(key, [day.isoformat() for day in days], partitions) or {}
            found |= {date.fromisoformat(day) for day, status in held.items() if status in _BUSY}
    return found
