"""What is wrong for as long as it stands: report tasks in trouble, failed checks, tables that lack their newest final day.

The ledger tells of report tasks, so the check that repeats it (`reports_arrive`) is left out here. A check counts when the run that evaluates it has
ended, so that all tables of one evaluation are told together.
Dagster concept: asset checks, https://docs.dagster.io/guides/test/asset-checks
"""

from collections.abc import Collection
from dataclasses import dataclass, field

import dagster as dg
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecord,
    AssetCheckExecutionRecordStatus,
)

from analytics_assets.alerts.cause import FAILURE, WARNING, Cause, Kind, Reason, same_key
from analytics_assets.checks.landed import DAYS_LAND, LATEST_DAY, READING
from analytics_assets.sources.airbridge.checks import ARRIVE
from analytics_assets.sources.airbridge.report_tasks import RESUMES, Seen, TaskPolicy, is_trouble
from analytics_assets.state.ledger import Ledger
from analytics_assets.state.requests import Request
from analytics_assets.state.told import Sighting

# A request asked for twice is between two troubles until it lands.
_UNSETTLED_FROM = 2


@dataclass
class Standing:
    """What stands now.

    Attributes:
        sightings: The causes.
        undecided: Keys of causes of which nothing can be said now.
        is_settled: Whether no report task is between two attempts; until then none of their causes is over.
    """

    sightings: list[Sighting[Cause]] = field(default_factory=list)
    undecided: set[str] = field(default_factory=set)
    is_settled: bool = True


def tasks_in_trouble(ledger: Ledger, tables: Collection[str], policy: TaskPolicy) -> Standing:
    """The report tasks that are refused or have failed often, of the accounts and reports that have one of the tables."""
    found = Standing()
    for account in sorted({table.partition("/")[0] for table in tables}):
        for request in ledger.open_requests(account):
            # The sensor closes a request of a report that is gone; until then it is no trouble of anybody's.
            if _table_of(request) not in tables:
                continue
            found.is_settled &= request.attempts < _UNSETTLED_FROM
            if is_trouble(request.state, request.attempts, policy):
                found.sightings.append(_task(account, request))
    return found


def _table_of(request: Request) -> str:
    return f"{request.account}/{request.report}_tasks"


def _task(account: str, request: Request) -> Sighting[Cause]:
    is_refused = request.state == Seen.REFUSED
    words = request.reason or f"The vendor gives no reason; the state is {request.state}."
    # What fails again and again is one cause whatever it says; a refusal is the same for all reports that are refused in the same words.
    key = same_key(Kind.TASK, account, *(("REFUSED", words) if is_refused else ("LOST", request.report)))
    at = f" at {request.next_look_at:%Y-%m-%d %H:%M} UTC" if request.next_look_at else ""
    cause = Cause(
        kind=Kind.TASK,
        severity=FAILURE if is_refused else WARNING,
        account=account,
        about=f"{account}/{request.report}",
        headline="the report task is paused"
        if is_refused
        else f"report task {request.state} in attempt {request.attempts}",
        reasons=(Reason(request.state, words, request.days_left),),
        next=RESUMES if is_refused else f"The sensor asks for a new task{at}.",
        place=f"/assets/{_table_of(request)}",
        group=f"{Kind.TASK} {account} {is_refused}",
    )
    return Sighting(key, Kind.TASK, f"{cause.about}: {cause.headline}", cause, missing={_table_of(request): {}})


def failed_checks(
    instance: dg.DagsterInstance, keys: Collection[dg.AssetCheckKey], *, kinds: Collection[Kind], warnings: bool
) -> Standing:
    """The checks whose newest evaluation has failed, late days among them.

    Args:
        instance: Dagster's.
        keys: The checks of the project.
        kinds: Which of checks and late days to look for.
        warnings: Whether checks that only warn count. Of late days only errors do: a run for older days warns that newer ones are missing.
    """
    found = Standing()
    wanted = [key for key in keys if key.name != ARRIVE and _kind(key) in kinds]
    newest = instance.event_log_storage.get_latest_asset_check_execution_by_key(wanted)
    for key, record in sorted(newest.items()):
        is_decided = _is_decided(instance, record)
        has_failed = is_decided and record.status is AssetCheckExecutionRecordStatus.FAILED
        sighting = _check(key, record) if has_failed and not _is_told_by_its_run(instance, key, record) else None
        if not is_decided:
            found.undecided.add(_check_key(key))
        elif sighting and (sighting.what.severity == FAILURE or (warnings and _kind(key) is Kind.CHECK)):
            found.sightings.append(sighting)
    return found


def _is_decided(instance: dg.DagsterInstance, record: AssetCheckExecutionRecord) -> bool:
    if record.status is AssetCheckExecutionRecordStatus.SUCCEEDED:
        return True
    if record.status is AssetCheckExecutionRecordStatus.PLANNED:
        return False
    run = instance.get_run_by_id(record.run_id) if record.run_id else None
    return run is None or run.is_finished


def _is_told_by_its_run(instance: dg.DagsterInstance, key: dg.AssetCheckKey, record: AssetCheckExecutionRecord) -> bool:
    """Whether the check repeats what a failed run says of the days that did not land in it."""
    run = instance.get_run_by_id(record.run_id) if key.name == DAYS_LAND and record.run_id else None
    return run is not None and run.is_failure


def _kind(key: dg.AssetCheckKey) -> Kind:
    return Kind.LATE if key.name in {LATEST_DAY, READING} else Kind.CHECK


def _check_key(key: dg.AssetCheckKey) -> str:
    return same_key(_kind(key), key.asset_key.path[0], key.name, key.asset_key.to_user_string())


def _check(key: dg.AssetCheckKey, record: AssetCheckExecutionRecord) -> Sighting[Cause] | None:
    event = record.event.dagster_event if record.event else None
    if event is None:
        return None
    evaluation, kind = event.asset_check_evaluation_data, _kind(key)
    table, account = key.asset_key.to_user_string(), key.asset_key.path[0]
    is_late = kind is Kind.LATE
    is_error = evaluation.severity is dg.AssetCheckSeverity.ERROR
    cause = Cause(
        kind=kind,
        severity=FAILURE if is_error else WARNING,
        account=account,
        about=table,
        headline="the newest final day has not landed" if is_late else f"check {key.name} failed",
        reasons=(Reason(key.name, evaluation.description or "The check gives no reason."),),
        next=(
            "The schedule asks for it again with its next run; or materialize the day now."
            if is_late
            else "Nothing is held back; the check is evaluated again when the table is."
        ),
        place=f"/assets/{table}?view=checks",
        # One evaluation of all tables is one message.
        group=f"{kind} {account} {'' if is_late else key.name}",
    )
    return Sighting(_check_key(key), kind, f"{table}: {cause.headline}", cause, missing={table: {}})
