"""Dagster's own history, pruned: runs that ended before an instant go, and every day keeps its square, its numbers and its place in time.

Deleting a run in Dagster deletes its materializations too, and its days turn "missing"; with a lookback every run holds the newest one of some
day. So before a run goes, the events that are still the newest of their asset and day are taken out of it where they stand: they keep their
number in the history, their instant, metadata, tags and data version, belong to no run from then on, and say which one they came from.
Reporting them again would give them new numbers: an old day would become the newest of its asset, a day that has failed since would turn
green, and one that lands in the same moment could be overtaken. As it is, whatever lands later has a higher number, and what has been superseded once
stays so: there is no race, and a kill between any two steps leaves a whole history, which the next time goes on with.

Dagster has no public call that changes an event, so this goes by the tables of its SQL storages, in one pinned version.
Keep what else becomes old out of here (`raw.py`, `state/`).
Dagster concept: run deletion, https://docs.dagster.io/api/dagster/internals
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import dagster as dg
from dagster import DagsterEventType, EventLogEntry
from dagster._core.events import AssetObservationData, StepMaterializationData
from dagster._core.execution.backfill import BULK_ACTION_TERMINAL_STATUSES
from dagster._core.instance.utils import RUNLESS_JOB_NAME, RUNLESS_RUN_ID
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.dagster_run import FINISHED_STATUSES, RunRecord
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetEventTagsTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage
from dagster._core.storage.runs import SqliteRunStorage
from dagster._serdes import deserialize_value, serialize_value
from sqlalchemy import ColumnElement, CompoundSelect, Connection, delete, func, or_, select, union, update

_PAGE: Final = 200
_SAID_EVERY: Final = 100
# From where on a file of SQLite is written anew: pages nobody uses are used again, but never given back.
_UNUSED: Final = 0.25
_LANDED: Final = (DagsterEventType.ASSET_MATERIALIZATION.value, DagsterEventType.ASSET_OBSERVATION.value)
_EVALUATED: Final = (AssetCheckExecutionRecordStatus.SUCCEEDED.value, AssetCheckExecutionRecordStatus.FAILED.value)
_PARENTS: Final = ("dagster/root_run_id", "dagster/parent_run_id")

_events: Final = SqlEventLogStorageTable
_checks: Final = AssetCheckExecutionsTable


@dataclass(frozen=True)
class Pruned:
    """What went.

    Attributes:
        runs: Runs.
        kept: Runs that are old enough and stay, because something still shows or needs them.
        released: Newest events of a day that were taken out of their run.
        evaluations: Evaluations of checks that newer ones have followed.
        superseded: Events that belong to no run and that newer ones have followed.
    """

    runs: int
    kept: int
    released: int
    evaluations: int
    superseded: int


def prune(instance: dg.DagsterInstance, *, before: datetime, now: datetime, say: Callable[[str], None]) -> Pruned:
    """Removes the runs that ended before an instant, but for those that are shown or needed still.

    Raises:
        dg.Failure: The history is in a storage whose events cannot be changed.
    """
    storage = _sql(instance)
    runs, kept = removable(instance, before=before)
    released = 0
    for number, run in enumerate(runs, start=1):
        released += _remove(instance, storage, run.dagster_run, now)
        if number % _SAID_EVERY == 0 or number == len(runs):
            say(f"{number} of {len(runs)} runs removed.")
    evaluations = _forget_evaluations(storage, before)
    superseded = _forget_superseded(storage, before)
    _give_back(storage, instance)
    return Pruned(len(runs), kept, released, evaluations, superseded)


def removable(instance: dg.DagsterInstance, *, before: datetime) -> tuple[list[RunRecord], int]:
    """The runs that may go, oldest first, and how many are old enough but stay.

    These stay: a run that has not ended; one of a backfill that has not; the last run of an asset, and the one of its newest
    materialization; the last that tried a day which has not landed since, since it makes the day red; the one of the newest evaluation of a
    check; and one that a run which stays is a re-execution of.
    """
    needed = _needed(instance)
    is_open: dict[str, bool] = {}
    gone: list[RunRecord] = []
    kept = 0
    # Newest first: a re-execution is newer than what it re-executes.
    for record in _all_runs(instance):
        run, tags = record.dagster_run, record.dagster_run.tags
        backfill = tags.get("dagster/backfill", "")
        if backfill not in is_open:
            is_open[backfill] = bool(backfill) and _is_open(instance, backfill)
        is_old = run.status in FINISHED_STATUSES and _ended(record) < before
        if is_old and run.run_id not in needed and not is_open[backfill]:
            gone.append(record)
            continue
        kept += is_old
        needed |= {tags[name] for name in _PARENTS if name in tags}
    return gone[::-1], kept


def note(instance: dg.DagsterInstance, key: dg.AssetKey, partition: str, said: Mapping[str, str]) -> bool:
    """Adds metadata to the newest materialization of a day, where it stands; False if there is none."""
    is_day = (_events.c.asset_key == key.to_string()) & (_events.c.partition == partition)
    is_landing = _events.c.dagster_event_type == DagsterEventType.ASSET_MATERIALIZATION.value
    newest = select(_events.c.id, _events.c.event).where(is_day, is_landing).order_by(_events.c.id.desc()).limit(1)
    with _sql(instance).index_transaction() as connection:
        row = connection.execute(newest).first()
        if row is None:
            return False
        entry = _with_metadata(deserialize_value(row.event, EventLogEntry), said)
        connection.execute(update(_events).where(_events.c.id == row.id).values(event=serialize_value(entry)))
    return True


def _sql(instance: dg.DagsterInstance) -> SqlEventLogStorage:
    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        raise dg.Failure(
            f"The history is in a {type(storage).__name__}, which cannot be pruned: use SQLite or PostgreSQL in dagster.yaml, or set "
            "ANALYTICS_KEEP_RUNS_DAYS=forever.",
            allow_retries=False,
        )
    return storage


def _all_runs(instance: dg.DagsterInstance) -> Iterator[RunRecord]:
    cursor: str | None = None
    while page := instance.get_run_records(limit=_PAGE, cursor=cursor):
        yield from page
        cursor = page[-1].dagster_run.run_id


def _ended(record: RunRecord) -> datetime:
    return record.create_timestamp if record.end_time is None else datetime.fromtimestamp(record.end_time, UTC)


def _is_open(instance: dg.DagsterInstance, backfill: str) -> bool:
    held = instance.get_backfill(backfill)
    return held is not None and held.status not in BULK_ACTION_TERMINAL_STATUSES


def _needed(instance: dg.DagsterInstance) -> set[str]:
    """The runs that the pages of assets and checks show by themselves."""
    storage = _sql(instance)
    needed: set[str] = set()
    for record in instance.get_asset_records():
        entry = record.asset_entry
        needed |= {
            run for run in (entry.last_run_id, entry.last_materialization and entry.last_materialization.run_id) if run
        }
        tried = storage.get_latest_asset_partition_materialization_attempts_without_materializations(entry.asset_key)
        needed |= {run for run, _ in tried.values()}
    with storage.index_connection() as connection:
        newest = select(_checks.c.run_id).where(_checks.c.id.in_(_newest_of_checks()))
        return needed | {run for run in connection.execute(newest).scalars() if run}


def _remove(instance: dg.DagsterInstance, storage: SqlEventLogStorage, run: dg.DagsterRun, now: datetime) -> int:
    """Removes a run; returns how many of its events stay. The run itself goes last: as long as it is there, the next time finds it."""
    released = _release(storage, run, now)
    instance.compute_log_manager.delete_logs(prefix=[run.run_id])
    if isinstance(storage, SqliteEventLogStorage):
        # Its own file goes whole; deleting rows of it would make it anew where a kill came after this the last time.
        with storage.index_connection() as connection:
            storage.delete_events_for_run(connection, run.run_id)
        storage.free_concurrency_slots_for_run(run.run_id)
        for suffix in ("", "-wal", "-shm"):
            Path(storage.path_for_shard(run.run_id) + suffix).unlink(missing_ok=True)
    else:
        storage.delete_events(run.run_id)
    instance.run_storage.delete_run(run.run_id)
    return released


def _release(storage: SqlEventLogStorage, run: dg.DagsterRun, now: datetime) -> int:
    """Takes the events out of a run that are the newest of their asset and day; all of them or none."""
    with storage.index_transaction() as connection:
        rows = connection.execute(
            select(_events.c.id, _events.c.event).where(
                _events.c.run_id == run.run_id, _events.c.dagster_event_type.in_(_LANDED), ~_has_newer()
            )
        ).all()
        for row in rows:
            entry = _runless(deserialize_value(row.event, EventLogEntry), run, now)
            values = {"run_id": RUNLESS_RUN_ID, "step_key": None, "event": serialize_value(entry)}
            connection.execute(update(_events).where(_events.c.id == row.id).values(**values))
        return len(rows)


def _runless(entry: EventLogEntry, run: dg.DagsterRun, now: datetime) -> EventLogEntry:
    words = f"Run {run.run_id} of {run.job_name}, removed from the history on {now:%Y-%m-%d}."
    told = _with_metadata(entry, {"came_from": words})
    assert told.dagster_event is not None
    event = told.dagster_event._replace(job_name=RUNLESS_JOB_NAME, step_handle=None, step_key=None, logging_tags={})
    return told._replace(run_id=RUNLESS_RUN_ID, job_name=RUNLESS_JOB_NAME, step_key=None, dagster_event=event)


def _with_metadata(entry: EventLogEntry, said: Mapping[str, str]) -> EventLogEntry:
    event = entry.dagster_event
    assert event is not None
    data: Any = event.event_specific_data
    if isinstance(data, StepMaterializationData):
        data = data._replace(
            materialization=data.materialization.with_metadata({**data.materialization.metadata, **said})
        )
    else:
        assert isinstance(data, AssetObservationData)
        observed = data.asset_observation
        data = data._replace(asset_observation=observed.with_metadata({**observed.metadata, **said}))
    return entry._replace(dagster_event=event._replace(event_specific_data=data))


def _has_newer() -> ColumnElement[bool]:
    """Whether an event of the same kind, asset and day has followed; asked in two ways, for each has an index of its own."""
    later = _events.alias("later")
    newer = select(later.c.id).where(
        later.c.asset_key == _events.c.asset_key,
        later.c.dagster_event_type == _events.c.dagster_event_type,
        later.c.id > _events.c.id,
    )
    of_day = newer.where(later.c.partition == _events.c.partition).exists()
    return or_(of_day, _events.c.partition.is_(None) & newer.where(later.c.partition.is_(None)).exists())


def _newest_of_checks(*more: Any) -> CompoundSelect[Any]:
    """Of each check the last row, and the last evaluation; a run over days has a row for each day that is never filled."""
    check = (_checks.c.asset_key, _checks.c.check_name)
    evaluated = select(func.max(_checks.c.id)).where(_checks.c.execution_status.in_(_EVALUATED))
    return union(select(func.max(_checks.c.id)).group_by(*check), evaluated.group_by(*check, *more))


def _forget_evaluations(storage: SqlEventLogStorage, before: datetime) -> int:
    """Old evaluations of checks: Dagster keeps them when their run is deleted."""
    with storage.index_transaction() as connection:
        is_old = _checks.c.evaluation_event_timestamp < before.astimezone(UTC).replace(tzinfo=None)
        is_followed = _checks.c.id.not_in(_newest_of_checks(_checks.c.partition))
        return int(connection.execute(delete(_checks).where(is_old, is_followed)).rowcount)


def _forget_superseded(storage: SqlEventLogStorage, before: datetime) -> int:
    """Old events of no run that newer ones have followed: what was released and has landed anew since, and what sensors have reported."""
    is_old = (_events.c.run_id == RUNLESS_RUN_ID) & (_events.c.timestamp < before.astimezone(UTC).replace(tzinfo=None))
    is_evaluation = _events.c.dagster_event_type == DagsterEventType.ASSET_CHECK_EVALUATION.value
    is_followed = _events.c.dagster_event_type.in_(_LANDED) & _has_newer()
    chosen = select(_events.c.id).where(is_old, or_(is_evaluation, is_followed))

    def forget(opened: AbstractContextManager[Connection]) -> int:
        with opened as connection:
            ids = list(connection.execute(chosen).scalars())
            for first in range(0, len(ids), _PAGE):
                some = ids[first : first + _PAGE]
                connection.execute(delete(AssetEventTagsTable).where(AssetEventTagsTable.c.event_id.in_(some)))
                connection.execute(delete(_events).where(_events.c.id.in_(some)))
            return len(ids)

    forgotten = forget(storage.index_transaction())
    if storage.is_run_sharded:
        forget(storage.run_connection(RUNLESS_RUN_ID))
    return forgotten


def _give_back(storage: SqlEventLogStorage, instance: dg.DagsterInstance) -> None:
    """Writes files of SQLite anew that are a quarter empty; PostgreSQL uses what is free by itself."""
    files = []
    if isinstance(storage, SqliteEventLogStorage):
        with storage.index_connection() as connection:
            files.append(connection.engine.url.database)
    if isinstance(instance.run_storage, SqliteRunStorage):
        with instance.run_storage.connect() as connection:
            files.append(connection.engine.url.database)
    for file in files:
        # Somebody who reads or writes for long is let be; tomorrow is another time.
        with (
            suppress(sqlite3.OperationalError),
            closing(sqlite3.connect(str(file), timeout=5, isolation_level=None)) as database,
        ):
            pages, unused = (
                database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count")
            )
            if unused > _UNUSED * pages:
                database.execute("VACUUM")
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
