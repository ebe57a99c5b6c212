"""Issues that are read anew in each tick: report tasks in trouble, failed checks, tables that lack their newest final day.

Report tasks are read from the ledger, so the check that repeats it (`reports_arrive`) is left out. A check counts when the run that evaluates
it has ended, so that all tables of one evaluation share a message.
Dagster concept: asset checks, https://docs.dagster.io/guides/test/asset-checks
"""

from collections.abc import Collection

import dagster as dg

from analytics_assets.checks.completeness import DAYS_STORED, LATEST_DAY, READING, REPORTS
from analytics_assets.operations.alerts.issue import FAILURE, WARNING, Reason, Redact, error_key, reason_lines
from analytics_assets.state.alert_log import Detection, IssueKey, IssueKind, Occurrence
from analytics_assets.state.report_ledger import Ledger
from analytics_assets.state.requests import Request

# A task that was posted again is neither in trouble nor over until its days are stored.
_UNDECIDED_FROM = 2


def failing_tasks(ledger: Ledger, tables: Collection[str], redact: Redact) -> tuple[list[Detection], set[IssueKey]]:
    """The report tasks that are refused or have failed often, and the issues that are undecided between two attempts.

    Requests of reports without a table are left out; the sensor of the account closes them.
    """
    detections: list[Detection] = []
    undecided: set[IssueKey] = set()
    for account in sorted({table.partition("/")[0] for table in tables}):
        for request in ledger.open_requests(account):
            if f"{account}/{request.report}_tasks" not in tables:
                continue
            if request.issue is not None:
                detections.append(_task(request, redact))
            if request.attempts >= _UNDECIDED_FROM:
                undecided.add(_failed_key(request))
    return detections, undecided


def _failed_key(request: Request) -> IssueKey:
    """A task that fails again and again is one issue, whatever its state says each time."""
    return IssueKey(request.account, request.report, IssueKind.TASK, "FAILED")


def _task(request: Request, redact: Redact) -> Detection:
    reason = request.reason or f"The vendor gives no reason; the state is {request.state}."
    occurrence = Occurrence(
        severity=FAILURE if request.is_paused else WARNING,
        about=f"{request.account}/{request.report}",
        headline="the report task is paused"
        if request.is_paused
        else f"report task {request.state} in attempt {request.attempts}",
        reasons=reason_lines([Reason(request.state, reason, request.days_left)], redact),
        next=request.issue or "",
        path=f"/assets/{request.account}/{request.report}_tasks",
    )
    refusal = error_key(IssueKind.TASK, request.account, request.report, request.error or request.state)
    return Detection(refusal if request.is_paused else _failed_key(request), occurrence)


def failed_checks(
    instance: dg.DagsterInstance,
    keys: Collection[dg.AssetCheckKey],
    *,
    kinds: Collection[IssueKind],
    warnings: bool,
    redact: Redact,
) -> tuple[list[Detection], set[IssueKey]]:
    """The checks whose newest evaluation failed, late days among them, and the issues of checks that are being evaluated.

    Args:
        instance: Dagster's.
        keys: The checks of the project.
        kinds: Which of checks and late days to read.
        warnings: True if checks that only warn count. Of late days only errors do: a run for older days warns that newer ones are missing.
        redact: Takes secrets out of a text.
    """
    detections: list[Detection] = []
    undecided: set[IssueKey] = set()
    selected = [key for key in keys if key.name != REPORTS and _kind(key) in kinds]
    newest = instance.event_log_storage.get_latest_asset_check_execution_by_key(selected)
    for key, record in sorted(newest.items()):
        evaluation = _evaluation(record.event)
        if evaluation is not None and evaluation.passed:
            continue
        run = instance.get_run_by_id(record.run_id) if record.run_id else None
        if evaluation is None or (run is not None and not run.is_finished):
            undecided.add(_check_key(key))
            continue
        repeats_its_run = key.name == DAYS_STORED and run is not None and run.is_failure
        detection = _check(key, evaluation, redact)
        counts = detection.occurrence.severity == FAILURE or (warnings and _kind(key) is IssueKind.CHECK)
        if counts and not repeats_its_run:
            detections.append(detection)
    return detections, undecided


def _evaluation(entry: dg.EventLogEntry | None) -> dg.AssetCheckEvaluation | None:
    """The evaluation of a check; None while it is only planned."""
    event = entry.dagster_event if entry else None
    if event is None or event.event_type is not dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        return None
    return event.asset_check_evaluation_data


def _kind(key: dg.AssetCheckKey) -> IssueKind:
    return IssueKind.LATE if key.name in {LATEST_DAY, READING} else IssueKind.CHECK


def _check_key(key: dg.AssetCheckKey) -> IssueKey:
    account, *table = key.asset_key.path
    return IssueKey(account, "/".join(table), _kind(key), key.name)


def _check(key: dg.AssetCheckKey, evaluation: dg.AssetCheckEvaluation, redact: Redact) -> Detection:
    table = key.asset_key.to_user_string()
    is_late = _kind(key) is IssueKind.LATE
    description = evaluation.description or "The check gives no reason."
    occurrence = Occurrence(
        severity=FAILURE if evaluation.severity is dg.AssetCheckSeverity.ERROR else WARNING,
        about=table,
        headline="the newest final day is not stored" if is_late else f"check {key.name} failed",
        reasons=reason_lines([Reason(key.name, description)], redact),
        next=(
            "The schedule requests it again with its next run; or materialize the day now."
            if is_late
            else "Nothing is held back; the check is evaluated again when the table is."
        ),
        path=f"/assets/{table}?view=checks",
    )
    return Detection(_check_key(key), occurrence)
