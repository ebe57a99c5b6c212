"""A history of years, written as a schedule's runs leave it: each night a run over its lookback, with events, checks and a log of its own.

The runs are not executed, or this would take days; what a run leaves is written a run at a time through Dagster's storages, at the
instants it would have had. No assertions here.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
from dagster import DagsterEvent, DagsterEventType, EventLogEntry
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned
from dagster._core.events import AssetMaterializationPlannedData, JobFailureData, StepMaterializationData
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster._serdes import serialize_value

# Of the events that a run has beside those of its assets: steps, resources, outputs, progress.
_OTHERS = 40
_AT = time(3, 0)


@dataclass(frozen=True)
class Nightly:
    """The runs of one schedule.

    Attributes:
        job: Name of its job, and of the schedule.
        assets: What each run lands.
        checks: What each run evaluates.
        lookback: Days of a run.
        metadata: Metadata of a materialization.
    """

    job: str
    assets: Sequence[dg.AssetKey]
    checks: Sequence[dg.AssetCheckKey]
    lookback: int
    metadata: dict[str, Any]


def write_night(
    instance: dg.DagsterInstance, nightly: Nightly, newest: date, *, start: date, failed: Sequence[date] = ()
) -> None:
    """What the run leaves that has `newest` as its last day; `failed` are its days that were not stored."""
    at = datetime.combine(newest + timedelta(days=1), _AT, UTC)
    first = max(start, newest - timedelta(days=nightly.lookback - 1))
    days = [first + timedelta(days=number) for number in range((newest - first).days + 1)]
    run = dg.DagsterRun(
        nightly.job,
        run_id=str(uuid.uuid4()),
        status=dg.DagsterRunStatus.NOT_STARTED,
        tags={
            "dagster/schedule_name": nightly.job,
            "dagster/run_key": f"{nightly.job}:{at:%Y-%m-%dT%H:%MZ}",
            "dagster/asset_partition_range_start": first.isoformat(),
            "dagster/asset_partition_range_end": newest.isoformat(),
        },
    )
    storage: Any = instance.event_log_storage
    run_storage: Any = instance.run_storage
    run_storage.add_historical_run(run, at)
    planned = [_planned(run, at, key, day) for day in days for key in nightly.assets]
    stored = [_landed(run, at, nightly, key, day) for day in days if day not in failed for key in nightly.assets]
    others = [_said(run, at, f"What a run says beside its assets, in line {number}.") for number in range(_OTHERS)]
    with storage.run_connection(run.run_id) as connection:
        connection.execute(storage.prepare_insert_event_batch([*planned, *others, *stored]))
    if storage.is_run_sharded:
        with storage.index_connection() as connection:
            connection.execute(storage.prepare_insert_event_batch([*planned, *stored]))
    last = {event.dagster_event.asset_key: event for event in stored if event.dagster_event}
    for event in last.values():
        # The newest of each asset, once more and as Dagster stores one: its row among the assets follows.
        storage.store_event(event)
    _write_checks(storage, run, at, nightly, days)
    ended = DagsterEvent(DagsterEventType.RUN_SUCCESS.value, nightly.job)
    if failed:
        ended = DagsterEvent(DagsterEventType.RUN_FAILURE.value, nightly.job, event_specific_data=JobFailureData(None))
    for event, seconds in ((DagsterEvent(DagsterEventType.RUN_START.value, nightly.job), 0), (ended, 30)):
        instant = at + timedelta(seconds=seconds)
        storage.store_event(_entry(run, instant, event))
        run_storage.handle_run_event(run.run_id, event, instant)
    _print_something(instance, run)


def _write_checks(storage: Any, run: dg.DagsterRun, at: datetime, nightly: Nightly, days: Sequence[date]) -> None:
    """A planned row a day, as Dagster plans the checks of a range run, and the evaluation."""
    rows = []
    for check in nightly.checks:
        verdict = dg.AssetCheckEvaluation(
            asset_key=check.asset_key,
            check_name=check.name,
            passed=True,
            metadata={
                "days": dg.MetadataValue.table([dg.TableRecord({"day": str(day), "level": "fine"}) for day in days])
            },
        )
        evaluated = _entry(
            run,
            at,
            DagsterEvent(DagsterEventType.ASSET_CHECK_EVALUATION.value, run.job_name, event_specific_data=verdict),
        )
        data = AssetCheckEvaluationPlanned(asset_key=check.asset_key, check_name=check.name)
        kind = DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED.value
        plan = _entry(run, at, DagsterEvent(kind, run.job_name, event_specific_data=data))
        row = {
            "asset_key": check.asset_key.to_string(),
            "check_name": check.name,
            "run_id": run.run_id,
            "evaluation_event_timestamp": at.replace(tzinfo=None),
            "create_timestamp": at.replace(tzinfo=None),
        }
        rows += [
            {**row, "partition": str(day), "execution_status": "PLANNED", "evaluation_event": serialize_value(plan)}
            for day in days
        ]
        rows.append(
            {**row, "partition": None, "execution_status": "SUCCEEDED", "evaluation_event": serialize_value(evaluated)}
        )
    with storage.index_connection() as connection:
        connection.execute(AssetCheckExecutionsTable.insert(), rows)


def _print_something(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """What a run prints, where Dagster captures it."""
    manager: Any = instance.compute_log_manager
    path = Path(manager.get_captured_local_path([run.run_id, "compute_logs", "step"], "err"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("A line of the log.\n" * 100)


def _planned(run: dg.DagsterRun, at: datetime, key: dg.AssetKey, day: date) -> EventLogEntry:
    data = AssetMaterializationPlannedData(key, partition=day.isoformat())
    kind = DagsterEventType.ASSET_MATERIALIZATION_PLANNED.value
    return _entry(run, at, DagsterEvent(kind, run.job_name, event_specific_data=data))


def _landed(run: dg.DagsterRun, at: datetime, nightly: Nightly, key: dg.AssetKey, day: date) -> EventLogEntry:
    metadata = {
        **nightly.metadata,
        "dagster/partition_row_count": at.toordinal() % 1000,
        "requested_at": at.isoformat(),
    }
    tags = {"dagster/data_version": data_version(day, (at.date() - day).days, nightly.lookback)}
    event = dg.AssetMaterialization(key, partition=day.isoformat(), metadata=metadata, tags=tags)
    kind = DagsterEventType.ASSET_MATERIALIZATION.value
    return _entry(run, at, DagsterEvent(kind, run.job_name, event_specific_data=StepMaterializationData(event)))


def data_version(day: date, age: int, lookback: int) -> str:
    """What a night records of a day that is so many days old: content that changes in the first half of the lookback."""
    return f"{day}-{min(age, lookback // 2)}"


def _said(run: dg.DagsterRun, at: datetime, words: str) -> EventLogEntry:
    return EventLogEntry(None, "info", words, run.run_id, at.timestamp(), job_name=run.job_name)


def _entry(run: dg.DagsterRun, at: datetime, event: DagsterEvent) -> EventLogEntry:
    return EventLogEntry(None, "debug", "", run.run_id, at.timestamp(), job_name=run.job_name, dagster_event=event)
