"""The sensor of the alerts: reads what is wrong, writes it into the alert log, and sends what is due.

`failed_runs.py` and `conditions.py` find issues, `messages.py` says how they read, `delivery.py` sends. The position among failed runs is in
the alert log, because Dagster drops the cursor of a tick that fails. A tick fails where a destination has not taken a message: the UI is then
the only place that can say so.
Dagster concept: sensors, https://docs.dagster.io/guides/automate/sensors ; a tick is cut at 60 s, so reading and sending stop well before.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import dagster as dg

from analytics_assets.clock import Clock
from analytics_assets.errors import AccessRefusedError, TransientError
from analytics_assets.http.statuses import Vendor
from analytics_assets.operations.alerts.conditions import failed_checks, failing_tasks
from analytics_assets.operations.alerts.delivery import deliver
from analytics_assets.operations.alerts.failed_runs import new_failures, still_missing
from analytics_assets.operations.alerts.issue import Redact
from analytics_assets.operations.alerts.messages import Writer
from analytics_assets.orchestration.partitions import STREAM_TAG
from analytics_assets.orchestration.run_context import code_location
from analytics_assets.orchestration.source_resource import SourceResource
from analytics_assets.settings import secret, settings
from analytics_assets.state.alert_log import AlertLog, Detection, IssueKey, IssueKind, OpenIssue
from analytics_assets.state.report_ledger import Ledger

NAME = "alerts"
INTERVAL_S = 60
# Reading, then sending, which may take twice `delivery.SENDING_S` longer.
_READING_S = 15.0
_UNTIL_S = 25.0


@dataclass(frozen=True)
class AlertSpec:
    """What is sent, and where.

    Attributes:
        destinations: Environment variables that hold addresses.
        ui: Address of Dagster's UI.
        kinds: Kinds of issues.
        warnings: True if checks that only warn count.
        repeat: An issue that goes on is sent again after this.
    """

    destinations: tuple[str, ...]
    ui: str
    kinds: frozenset[IssueKind]
    warnings: bool
    repeat: timedelta


@dataclass(frozen=True)
class Scope:
    """What a tick reads.

    Attributes:
        instance: Dagster's.
        repository: The project's definitions.
        tables: Every table of the project, as `account/table`.
        ledger: The report tasks.
        redact: Takes the accounts' keys out of a text.
        location: Name of the code location, where Dagster says it.
    """

    instance: dg.DagsterInstance
    repository: dg.RepositoryDefinition
    tables: Collection[str]
    ledger: Ledger
    redact: Redact
    location: str | None = None

    def is_ours(self, run: dg.DagsterRun) -> bool:
        """True if a run is of this project. Other code locations of the same instance can have jobs of the same names."""
        selected = run.asset_selection or {check.asset_key for check in run.asset_check_selection or ()}
        if selected:
            return any(key.to_user_string() in self.tables for key in selected)
        location = code_location(run)
        return self.repository.has_job(run.job_name) and (self.location in {None, location} or location is None)

    def stream_of(self, table: str) -> str:
        """The stream of a table; empty where it has none, or is no longer configured."""
        key = dg.AssetKey(table.split("/"))
        graph = self.repository.asset_graph
        return graph.get(key).tags.get(STREAM_TAG, "") if graph.has(key) else ""

    def awaited(self, account: str, report: str) -> Collection[date]:
        """The days that a report task still works at; one that is ready and is not stored is left out."""
        open_requests = self.ledger.open_requests(account, report)
        return {day for request in open_requests if not request.is_ready for day in request.days_left}


def alert_sensor(spec: AlertSpec, *, clock: Clock) -> dg.SensorDefinition:
    """The sensor; runs by default where there is a destination."""

    @dg.sensor(
        name=NAME,
        description="Sends alerts about failed runs, report tasks in trouble, failed checks and late days; one message an issue.",
        minimum_interval_seconds=INTERVAL_S,
        default_status=dg.DefaultSensorStatus.RUNNING if spec.destinations else dg.DefaultSensorStatus.STOPPED,
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        if not spec.destinations:
            return dg.SkipReason(
                "No destination is configured: name one under `destinations` in the YAML of the alerts."
            )
        repository, current, began = context.repository_def, settings(), clock()
        assert repository is not None
        log, writer = AlertLog(current.state), Writer(spec.ui.rstrip("/"), current.mode)
        tables = {key.to_user_string() for key in repository.asset_graph.get_all_asset_keys()}
        redact = Vendor("", "", _keys(repository)).redact
        origin = context.code_location_origin
        location = None if origin is None else origin.location_name
        scope = Scope(context.instance, repository, tables, Ledger(current.state), redact, location)
        new = _record(scope, spec, log, clock)
        sent = deliver(
            log,
            spec.destinations,
            writer,
            repeat=spec.repeat,
            clock=clock,
            has_time=lambda: clock() - began < timedelta(seconds=_UNTIL_S),
        )
        if undelivered := log.undelivered():
            each = " ".join(f"{name}: {error}" for name, error in undelivered.items())
            raise TransientError(f"Alerts did not arrive and are sent again. {each}")
        return dg.SkipReason(f"{new} new, {sent} sent.")

    return sensor


def _record(scope: Scope, spec: AlertSpec, log: AlertLog, clock: Clock) -> int:
    """Writes what is wrong now into the alert log; returns how many issues are new."""
    began = clock()
    detections: list[Detection] = []
    undecided: set[IssueKey] = set()
    runs: dict[str, datetime] = {}
    if IssueKind.FAILURE in spec.kinds:
        failures, runs = new_failures(
            scope.instance,
            *log.position(now=began),
            is_ours=scope.is_ours,
            stream_of=scope.stream_of,
            awaited=scope.awaited,
            redact=scope.redact,
            has_time=lambda: clock() - began < timedelta(seconds=_READING_S),
        )
        detections += failures
    if IssueKind.TASK in spec.kinds:
        tasks, between = failing_tasks(scope.ledger, scope.tables, scope.redact)
        detections, undecided = [*detections, *tasks], undecided | between
    if {IssueKind.CHECK, IssueKind.LATE} & spec.kinds:
        keys = scope.repository.asset_graph.asset_check_keys
        checks, running = failed_checks(
            scope.instance, keys, kinds=spec.kinds, warnings=spec.warnings, redact=scope.redact
        )
        detections, undecided = [*detections, *checks], undecided | running
    detected = {detection.key for detection in detections} | undecided
    return log.record(
        detections,
        runs=runs,
        over=[issue for issue in log.open_issues() if issue.key not in detected and _is_over(scope, issue)],
        kinds=spec.kinds,
        destinations=spec.destinations,
        now=began,
    )


def _is_over(scope: Scope, issue: OpenIssue) -> bool:
    """True if an issue that this tick has not seen is over; a failure is, when its days are stored or its tables are gone."""
    if issue.key.kind is not IssueKind.FAILURE:
        return True
    left = {table: days for table, days in issue.missing.items() if table in scope.tables}
    return bool(issue.missing) and not still_missing(scope.instance, left)


def _keys(repository: dg.RepositoryDefinition) -> list[str]:
    """The values of all accounts' keys; no message may hold one, even where an exception of a library quotes it."""
    keys = []
    for resource in repository.get_top_level_resources().values():
        kind: Any = getattr(resource, "configurable_resource_cls", object)
        if not issubclass(kind, SourceResource):
            continue
        # Dagster leaves out values that equal the default where another field has no default.
        configured = resource.config_schema.default_value
        for name in kind.secret_fields:
            try:
                keys.append(secret(configured.get(name, kind.model_fields[name].default)))
            except AccessRefusedError:
                continue  # What is not set cannot be quoted.
    return keys
