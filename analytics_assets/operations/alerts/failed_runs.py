"""Failed runs as issues: an occurrence for each failed step, whatever the number of its days.

Days that were stored since are left out, and so are days that a report task still works at, because its sensor stores them. A failed run
names its step's errors in the failure's metadata (`orchestration/failures.py`); other exceptions are quoted in their own words.
Dagster concept: run status events, https://docs.dagster.io/guides/automate/sensors
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import dagster as dg
from dagster import DagsterEventType

from analytics_assets.errors import composed
from analytics_assets.operations.alerts.issue import FAILURE, Reason, Redact, error_key, reason_lines
from analytics_assets.orchestration.failures import DAYS_NOT_STORED, NEXT
from analytics_assets.state.alert_log import Detection, IssueKind, Missing, Occurrence

_PAGE = 200
_NO_DAY = ""
_OF_THE_RUN = "RunFailure"
_FIX = "Fix the cause, then re-execute the run from failure."

# Days by table.
Days = Mapping[str, Collection[str]]
# The days of an account's report that its sensor will store.
Awaited = Callable[[str, str], Collection[date]]
# The stream of a table that is given as `account/table`.
StreamOf = Callable[[str], str]


@dataclass(frozen=True)
class FailedStep:
    """A failed step, or all of a run that failed outside of its steps.

    Attributes:
        account: The account.
        name: Name of the stream; empty for a run, and for a step without tables.
        requested: Of each table the days the run was for.
        missing: Of each table those that the run did not store.
        reasons: Why.
        next: What to do.
    """

    account: str
    name: str
    requested: Days
    missing: Days
    reasons: list[Reason]
    next: str


def new_failures(
    instance: dg.DagsterInstance,
    since: datetime,
    known: Collection[str],
    *,
    is_ours: Callable[[dg.DagsterRun], bool],
    stream_of: StreamOf,
    awaited: Awaited,
    redact: Redact,
    has_time: Callable[[], bool],
) -> tuple[list[Detection], dict[str, datetime]]:
    """What the new failed runs show, and the instants these runs failed.

    Args:
        instance: Dagster's.
        since: Runs that failed before are skipped.
        known: Runs that were taken in before.
        is_ours: True if a run is one of this project.
        stream_of: The stream of a table.
        awaited: The days that report tasks still work at.
        redact: Takes secrets out of a text.
        has_time: True if another run can be read in this tick; the others are left to the next.
    """
    detections: list[Detection] = []
    runs: dict[str, datetime] = {}
    for record in _failure_events(instance, since, known):
        if not has_time():
            break
        run = instance.get_run_by_id(record.run_id)
        runs[record.run_id] = datetime.fromtimestamp(record.timestamp, UTC)
        # Dagster starts a run again whose process was killed; only the last attempt counts.
        if run is None or not is_ours(run) or run.tags.get("dagster/will_retry") == "true":
            continue
        for step in _steps(instance, run, record, stream_of):
            detection = _detection(instance, run, step, after=record.storage_id, awaited=awaited, redact=redact)
            if detection is not None:
                detections.append(detection)
    return detections, runs


def still_missing(instance: dg.DagsterInstance, missing: Missing) -> dict[str, set[str]]:
    """The tables and days that were not stored since."""
    return {table: left for table, days in missing.items() if (left := _not_stored(instance, table, days))}


def _not_stored(instance: dg.DagsterInstance, table: str, days: Mapping[str, int]) -> set[str]:
    key = dg.AssetKey(table.split("/"))
    if _NO_DAY in days:
        [*records] = instance.get_asset_records([key])
        stored = {_NO_DAY: records[0].asset_entry.last_materialization_storage_id} if records else {}
    else:
        storage = instance.event_log_storage
        stored = dict(
            storage.get_latest_storage_id_by_partition(
                key, DagsterEventType.ASSET_MATERIALIZATION, partitions=set(days)
            )
        )
    return {day for day, after in days.items() if (stored.get(day) or -1) <= after}


def _failure_events(
    instance: dg.DagsterInstance, since: datetime, known: Collection[str]
) -> Iterator[dg.EventLogRecord]:
    """The events of runs that failed and are not known, oldest first."""
    run_filter = dg.RunStatusChangeRecordsFilter(DagsterEventType.RUN_FAILURE, after_timestamp=since.timestamp())
    cursor, has_more = None, True
    while has_more:
        page = instance.fetch_run_status_changes(run_filter, limit=_PAGE, cursor=cursor, ascending=True)
        yield from (record for record in page.records if record.run_id not in known)
        cursor, has_more = page.cursor, page.has_more


def _steps(
    instance: dg.DagsterInstance, run: dg.DagsterRun, failed: dg.EventLogRecord, stream_of: StreamOf
) -> Iterator[FailedStep]:
    """The failed steps of a run; the run as one step where it failed outside of them."""
    requested: dict[str, dict[str, set[str]]] = {}
    stored: dict[str, set[str]] = {}
    tables_of: dict[str, set[str]] = {}
    failures: dict[str, dg.DagsterEvent | None] = {}
    event_types = {
        DagsterEventType.STEP_FAILURE,
        DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
        DagsterEventType.ASSET_MATERIALIZATION,
        DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
    }
    for entry in instance.all_logs(run.run_id, of_type=event_types):
        event, key = entry.dagster_event, entry.step_key or ""
        assert event is not None
        if event.is_step_failure:
            failures[key] = event
            continue
        if event.event_type is DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED:
            tables_of.setdefault(key, set()).add(event.asset_check_planned_data.asset_key.to_user_string())
            continue
        assert event.asset_key is not None
        tables_of.setdefault(key, set()).add(event.asset_key.to_user_string())
        of_step = requested.setdefault(key, {}) if event.is_asset_materialization_planned else stored
        of_step.setdefault(event.asset_key.to_user_string(), set()).add(event.partition or _NO_DAY)
    if not failures:
        failures[run.job_name] = failed.event_log_entry.dagster_event
        tables_of[run.job_name] = set().union(*tables_of.values())
        requested[run.job_name] = {table: days for of_step in requested.values() for table, days in of_step.items()}
    for key, failure in failures.items():
        tables = tables_of.get(key, set())
        accounts = {table.partition("/")[0] for table in tables}
        streams = set() if key == run.job_name else {stream_of(table) for table in tables}
        # Without tables, or with those of several accounts, it goes by its own name.
        account = accounts.pop() if len(accounts) == 1 else key
        name = streams.pop() if len(streams) == 1 else ""
        days_of = requested.get(key, {})
        missing = {table: left for table, days in days_of.items() if (left := days - stored.get(table, set()))}
        yield FailedStep(account, name, days_of, missing, *_reasons(failure))


def _reasons(event: dg.DagsterEvent | None) -> tuple[list[Reason], str]:
    """The reasons of a failure and what to do: the days that it names, or the exception's own words."""
    if event is None or not event.is_step_failure:
        message = event.message if event else None
        return [Reason(_OF_THE_RUN, message or "The run failed and Dagster does not say why.")], _FIX
    failure, error = event.step_failure_data.user_failure_data, event.step_failure_data.error
    if failure is not None and isinstance(table := failure.metadata.get(DAYS_NOT_STORED), dg.TableMetadataValue):
        days: dict[tuple[str, str], list[date]] = {}
        for row in (record.data for record in table.records):
            # An earlier version has one column with the text of both.
            text = composed(str(row.get("message", row.get("reason"))), str(row.get("remedy", "")))
            days.setdefault((str(row["kind"]), text), []).append(date.fromisoformat(str(row["day"])))
        advice = failure.metadata.get(NEXT)
        reasons = [Reason(kind, message, tuple(of_reason)) for (kind, message), of_reason in days.items()]
        return reasons, str(advice.value) if advice is not None else _FIX
    if failure is not None and failure.description:
        return [Reason("Failure", failure.description)], _FIX
    while error is not None and error.cause is not None:
        error = error.cause
    message = error.message.strip() if error else "The step failed and Dagster does not say why."
    return [Reason((error.cls_name if error else None) or "Error", message)], _FIX


def _detection(
    instance: dg.DagsterInstance, run: dg.DagsterRun, step: FailedStep, *, after: int, awaited: Awaited, redact: Redact
) -> Detection | None:
    """The occurrence of a failed step; None if all its days were stored since, or a report task works at them."""
    missing = still_missing(instance, {table: dict.fromkeys(days, after) for table, days in step.missing.items()})
    # Of an exception it is not known whether the sensor's next run would fare better.
    others = {str(day) for day in awaited(step.account, step.name)} if step.reasons[0].days else set()
    missing = {table: left for table, days in missing.items() if (left := days - others)}
    if step.missing and not missing:
        return None
    days = set().union(*missing.values())
    reasons = step.reasons
    if days and _NO_DAY not in days:
        days_of = {reason: tuple(day for day in reason.days if str(day) in days) for reason in reasons}
        reasons = [replace(reason, days=days_of[reason]) for reason in reasons if days_of[reason] or not reason.days]
    reasons = sorted(reasons, key=lambda reason: -len(reason.days)) or step.reasons
    schedule = run.tags.get("dagster/schedule_name")
    again = f" The schedule {schedule} requests its days again with its next run." if schedule else ""
    occurrence = Occurrence(
        severity=FAILURE,
        about=f"{step.account}/{step.name}" if step.name else step.account,
        headline=_headline(step, days),
        reasons=reason_lines(reasons, redact),
        next=step.next + again,
        path=f"/runs/{run.run_id}",
        tables=tuple(sorted(missing or step.requested)),
    )
    key = error_key(IssueKind.FAILURE, step.account, step.name, reasons[0].kind)
    return Detection(
        key,
        occurrence,
        run.run_id,
        {table: dict.fromkeys(sorted(days), after) for table, days in missing.items()},
    )


def _headline(step: FailedStep, days: Collection[str]) -> str:
    if not days or step.reasons[0].kind == _OF_THE_RUN:
        return "the run failed"
    if _NO_DAY in days:
        return f"{len(step.missing)} of {len(step.requested)} tables were not read"
    return f"{len(days)} of {len(set().union(*step.requested.values()))} days were not stored"
