"""Old runs of Dagster's history: deleted through Dagster's public API once the history of every day is complete without them.

`DagsterInstance.delete_run` removes the materializations of a run with it, and its days turn missing. So where an old run holds the newest
materialization of a day, that day is reported again first: a runless materialization with the same figures, tags and data version. This needs
the day in the lake with the same content. A run stays while one of its days is failed, in progress or not in the lake as recorded.
Dagster keeps evaluations of checks when a run is deleted, and has no public call that removes them.
Dagster concept: run deletion, https://docs.dagster.io/api/dagster/internals
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Final

import dagster as dg

from analytics_assets.errors import SourceError
from analytics_assets.lake.store import Lake
from analytics_assets.orchestration.run_context import code_location

_PAGE: Final = 200
_PROGRESS_EVERY: Final = 100
_FINISHED: Final = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
_FINISHED_BACKFILL: Final = {"COMPLETED", "COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED", "CANCELED"}
_UNSETTLED: Final = {"FAILED", "IN_PROGRESS"}
_MATERIALIZED: Final = dg.DagsterEventType.ASSET_MATERIALIZATION
_DATA_VERSION: Final = "dagster/data_version"
_PARENTS: Final = ("dagster/root_run_id", "dagster/parent_run_id")
# A day that is stored again and again in the same instant is left to the next night.
_MOST_REPORTS: Final = 5


@dataclass(frozen=True)
class Owned:
    """What belongs to the accounts in a history that other code can share.

    Attributes:
        assets: Their assets.
        jobs: The names of their jobs.
    """

    assets: frozenset[dg.AssetKey]
    jobs: frozenset[str]

    def has(self, run: dg.DagsterRun, *, beside: dg.DagsterRun) -> bool:
        """True if a run is of the accounts; a run of a whole job has to be of the same code location as the run `beside` it."""
        selected = run.asset_selection or {check.asset_key for check in run.asset_check_selection or ()}
        if selected:
            return selected <= self.assets
        return run.job_name in self.jobs and code_location(run) == code_location(beside)


@dataclass(frozen=True)
class Pruned:
    """The outcome of one pruning.

    Attributes:
        runs: Runs deleted.
        kept: Runs that are old enough and stay.
        reported: Materializations reported again.
    """

    runs: int
    kept: int
    reported: int


def prune(
    instance: dg.DagsterInstance,
    graph: Any,
    lake: Lake,
    is_ours: Callable[[dg.DagsterRun], bool],
    *,
    before: datetime,
    say: Callable[[str], None],
) -> Pruned:
    """Deletes the runs that ended before an instant, oldest first. A kill at any point loses no day; the next call goes on.

    Args:
        instance: The instance whose history is pruned.
        graph: The asset graph of the code location; gives partitions and checks.
        lake: The lake whose days the history shows.
        is_ours: True if a run is of the accounts; other runs stay.
        before: Runs that ended earlier are old.
        say: Receives progress.
    """
    runs, kept = removable(instance, graph, is_ours, before=before)
    deleted = reported = 0
    for number, run in enumerate(runs, start=1):
        newest = _newest_materializations(instance, run)
        if _is_unsettled(instance, graph, run) or not all(_is_stored(lake, record) for record in newest):
            kept += 1
            continue
        for record in newest:
            reported += _report_again(instance, run, record)
        if not _newest_materializations(instance, run):
            instance.compute_log_manager.delete_logs(prefix=[run.run_id])
            instance.delete_run(run.run_id)
            deleted += 1
        if number % _PROGRESS_EVERY == 0 or number == len(runs):
            say(f"{number} of {len(runs)} old runs: {deleted} deleted.")
    _remove_event_files(instance)
    return Pruned(deleted, kept, reported)


def removable(
    instance: dg.DagsterInstance, graph: Any, is_ours: Callable[[dg.DagsterRun], bool], *, before: datetime
) -> tuple[list[dg.DagsterRun], int]:
    """The runs of the accounts that may be deleted, oldest first, and how many are old enough but stay.

    These stay: a run of an unfinished backfill, the last run of an asset, the run of the newest evaluation of a check, and a run that a
    staying run re-executes.
    """
    needed = _shown_runs(instance, graph)
    is_finished: dict[str, bool] = {}
    old: list[dg.DagsterRun] = []
    kept = 0
    # Newest first: a re-execution is newer than the run it re-executes.
    for record in _run_records(instance):
        run = record.dagster_run
        backfill = run.tags.get("dagster/backfill", "")
        if backfill not in is_finished:
            is_finished[backfill] = not backfill or _is_finished_backfill(instance, backfill)
        is_old = run.status in _FINISHED and _ended_at(record) < before and is_ours(run)
        if is_old and run.run_id not in needed and is_finished[backfill]:
            old.append(run)
            continue
        kept += is_old
        needed |= {run.tags[name] for name in _PARENTS if name in run.tags}
    return old[::-1], kept


def _shown_runs(instance: dg.DagsterInstance, graph: Any) -> set[str]:
    """The runs that the pages of assets and checks link to."""
    entries = (record.asset_entry for record in instance.get_asset_records())
    evaluations = map(instance.get_latest_asset_check_evaluation_record, graph.asset_check_keys)
    return {run for run in (entry.last_run_id for entry in entries) if run} | {
        record.run_id for record in evaluations if record is not None
    }


def _run_records(instance: dg.DagsterInstance) -> Iterator[Any]:
    cursor: str | None = None
    while page := instance.get_run_records(limit=_PAGE, cursor=cursor):
        yield from page
        cursor = page[-1].dagster_run.run_id


def _ended_at(record: Any) -> datetime:
    return record.create_timestamp if record.end_time is None else datetime.fromtimestamp(record.end_time, UTC)


def _is_finished_backfill(instance: dg.DagsterInstance, backfill: str) -> bool:
    backfill_record = instance.get_backfill(backfill)
    return backfill_record is None or backfill_record.status.value in _FINISHED_BACKFILL


def _newest_materializations(instance: dg.DagsterInstance, run: dg.DagsterRun) -> list[dg.EventLogRecord]:
    """The materializations of a run that are the newest of their asset and day."""
    newest = (_newest(instance, key, day, limit=1) for key, day in _days(instance, run, _MATERIALIZED))
    return [records[0] for records in newest if records and records[0].run_id == run.run_id]


def _days(
    instance: dg.DagsterInstance, run: dg.DagsterRun, kind: dg.DagsterEventType
) -> dict[tuple[dg.AssetKey, str | None], None]:
    """The assets and days that a run has events of this kind for, in order."""
    events = (entry.dagster_event for entry in instance.all_logs(run.run_id, of_type=kind))
    return {(event.asset_key, event.partition): None for event in events if event and event.asset_key}


def _newest(
    instance: dg.DagsterInstance, key: dg.AssetKey, day: str | None, *, limit: int
) -> Sequence[dg.EventLogRecord]:
    """The newest materializations of an asset and day, newest first."""
    record_filter = dg.AssetRecordsFilter(key, asset_partitions=None if day is None else [day])
    return instance.fetch_materializations(record_filter, limit=limit).records


def _is_unsettled(instance: dg.DagsterInstance, graph: Any, run: dg.DagsterRun) -> bool:
    """True if a day that the run was to store is failed or in progress, by this run or a later one.

    Reporting such a day again would turn it green, and deleting the run that failed would turn it missing.
    """
    days: dict[dg.AssetKey, list[str]] = {}
    for key, day in _days(instance, run, dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED):
        if day is not None:
            days.setdefault(key, []).append(day)
    for key, of_key in days.items():
        partitions = graph.get(key).partitions_def if graph.has(key) else None
        statuses = instance.get_status_by_partition(key, of_key, partitions) if partitions else None
        if any(status and status.value in _UNSETTLED for status in (statuses or {}).values()):
            return True
    return False


def _is_stored(lake: Lake, record: dg.EventLogRecord) -> bool:
    """True if the lake holds the day with the content that the materialization reports."""
    materialization = record.asset_materialization
    if materialization is None:
        return False
    try:
        account, table = materialization.asset_key.path
        day = materialization.partition or _observed_on(record)
        stored = lake.stored_day(account, table, date.fromisoformat(day))
    except (ValueError, SourceError):
        return False
    return stored is not None and stored.footer.content_hash == (materialization.tags or {}).get(_DATA_VERSION)


def _observed_on(record: dg.EventLogRecord) -> str:
    """The day under which a snapshot is stored: the folder of its file."""
    path = record.asset_materialization.metadata.get("path") if record.asset_materialization else None
    return PurePosixPath(str(path.value)).parent.name.removeprefix("dt=") if path else ""


def _report_again(instance: dg.DagsterInstance, run: dg.DagsterRun, record: dg.EventLogRecord) -> int:
    """Reports the newest materialization of a day once more, without a run; returns how many reports it took.

    A day that is stored at the same instant is older than the report then, so it is reported once more in its turn.
    """
    for number in range(1, _MOST_REPORTS + 1):
        materialization = record.asset_materialization
        if materialization is None:
            return number - 1
        origin = (
            f"Run {run.run_id} of {run.job_name}, {datetime.fromtimestamp(record.timestamp, UTC):%Y-%m-%d %H:%M} UTC."
        )
        metadata = {**materialization.metadata, "came_from": dg.MetadataValue.text(origin)}
        instance.report_runless_asset_event(materialization.with_metadata(metadata))
        before = [
            newest
            for newest in _newest(instance, materialization.asset_key, materialization.partition, limit=3)
            if newest.run_id or newest.storage_id == record.storage_id
        ]
        if before[0].storage_id == record.storage_id:
            return number
        record = before[0]
    return _MOST_REPORTS


def _remove_event_files(instance: dg.DagsterInstance) -> None:
    """Removes the event files of deleted runs: SQLite's storage has one a run, and `delete_run` empties it but leaves it at its size."""
    storage: Any = instance.event_log_storage
    if not hasattr(storage, "path_for_shard"):
        return
    for run_id in filter(None, storage.get_all_run_ids()):
        if instance.get_run_by_id(run_id) is None:
            for suffix in ("", "-wal", "-shm"):
                Path(storage.path_for_shard(run_id) + suffix).unlink(missing_ok=True)
