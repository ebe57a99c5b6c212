"""The sensor that tells people what is wrong: it looks, remembers what is new, and sends what waits.

A thin shell over `failed_runs.py` and `standing.py` (what is wrong), `messages.py` (how it reads), `state/told.py` (what was told before) and
`delivery.py` (sending). Nothing depends on the cursor. Where a destination does not take its messages the tick fails, because the UI is
then the only place that can say so; nothing is lost by that.
Dagster concept: sensors, https://docs.dagster.io/guides/automate/sensors ; a tick is cut at 60 s, so looking and sending stop well before.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import dagster as dg

from analytics_assets.alerts.cause import Cause, Kind
from analytics_assets.alerts.delivery import deliver
from analytics_assets.alerts.failed_runs import new_failures, still_missing
from analytics_assets.alerts.messages import Writer
from analytics_assets.alerts.standing import Standing, failed_checks, tasks_in_trouble
from analytics_assets.clock import Clock
from analytics_assets.errors import AccessRefusedError, TransientError
from analytics_assets.http.statuses import Vendor
from analytics_assets.settings import secret, settings
from analytics_assets.sources.airbridge.report_tasks import Seen, TaskPolicy
from analytics_assets.state.ledger import Ledger
from analytics_assets.state.outbox import Message, Outbox
from analytics_assets.state.told import OpenCause, Sighting, Told

NAME = "alerts"
INTERVAL_S = 60
# Looking, then sending, which may take `delivery.SENDING_S` longer.
_LOOKING_S = 15.0
_UNTIL_S = 30.0


@dataclass(frozen=True)
class AlertSpec:
    """What is told, and where.

    Attributes:
        destinations: Environment variables that hold addresses.
        ui: Address of Dagster's UI.
        kinds: What is told of.
        warnings: Whether checks that only warn are told.
        repeat: A cause that goes on is told again after this.
        all_clear: Whether the end of a cause is told.
    """

    destinations: tuple[str, ...]
    ui: str
    kinds: frozenset[Kind]
    warnings: bool
    repeat: timedelta
    all_clear: bool


@dataclass(frozen=True)
class Look:
    """Where a tick looks.

    Attributes:
        instance: Dagster's.
        repository: The project's definitions.
        told: What was told before.
        ledger: The report tasks.
        clock: The present instant.
    """

    instance: dg.DagsterInstance
    repository: dg.RepositoryDefinition
    told: Told
    ledger: Ledger
    clock: Clock

    def tables(self) -> set[str]:
        """Every table, as `account/table`."""
        return {key.to_user_string() for key in self.repository.asset_graph.get_all_asset_keys()}

    def awaited(self, account: str, report: str) -> Collection[date]:
        """The days that a report task still works at; one that is ready and does not land is not among them."""
        open_requests = self.ledger.open_requests(account, report)
        return {day for request in open_requests if request.state != Seen.SUCCESS for day in request.days_left}


def alert_sensor(spec: AlertSpec, *, clock: Clock) -> dg.SensorDefinition:
    """The sensor; runs by default where there is a destination."""

    @dg.sensor(
        name=NAME,
        description="Tells people of failed runs, report tasks in trouble, failed checks and late days; one message a cause.",
        minimum_interval_seconds=INTERVAL_S,
        default_status=dg.DefaultSensorStatus.RUNNING if spec.destinations else dg.DefaultSensorStatus.STOPPED,
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        if not spec.destinations:
            return dg.SkipReason(
                "No destination is configured: name one under `destinations` in the YAML of the alerts."
            )
        assert context.repository_def is not None
        here, began = settings(), clock()
        look = Look(context.instance, context.repository_def, Told(here.state), Ledger(here.state), clock)
        made = _take_in(look, spec, Writer(spec.ui.rstrip("/"), here.mode))
        outbox = Outbox(here.state)
        sent = deliver(
            outbox, spec.destinations, clock=clock, has_time=lambda: clock() - began < timedelta(seconds=_UNTIL_S)
        )
        if troubles := outbox.troubles():
            each = " ".join(f"{name}: {words}" for name, words in troubles.items())
            raise TransientError(f"Alerts have not arrived and are tried again. {each}")
        return dg.SkipReason(f"{made} new, {sent} sent.")

    return sensor


def _take_in(look: Look, spec: AlertSpec, writer: Writer) -> int:
    """Remembers what is wrong now, and puts what is to be told where messages wait; returns how many."""
    began = look.clock()
    failures: list[Sighting[Cause]] = []
    tasks, checks = Standing(), Standing()
    runs: dict[str, datetime] = {}
    if Kind.FAILURE in spec.kinds:
        failures, runs = new_failures(
            look.instance,
            look.told,
            is_ours=lambda run: look.repository.has_job(run.job_name),
            awaited=look.awaited,
            now=began,
            has_time=lambda: look.clock() - began < timedelta(seconds=_LOOKING_S),
        )
    if Kind.TASK in spec.kinds:
        tasks = tasks_in_trouble(look.ledger, look.tables(), TaskPolicy())
    if {Kind.CHECK, Kind.LATE} & spec.kinds:
        keys = look.repository.asset_graph.asset_check_keys
        checks = failed_checks(look.instance, keys, kinds=spec.kinds, warnings=spec.warnings)
    sightings = [*failures, *tasks.sightings, *checks.sightings]
    redact = Vendor("", "", _keys(look.repository)).redact

    def tell(due: Sequence[tuple[OpenCause | None, Sequence[Cause]]], over: Sequence[OpenCause]) -> list[Message]:
        return [
            replace(message, title=redact(message.title), body=redact(message.body))
            for message in writer.messages(due, over, all_clear=spec.all_clear)
        ]

    return look.told.take_in(
        sightings,
        runs=runs,
        over=_over(look, spec, sightings, tasks, checks),
        gone=[cause.key for cause in look.told.open_causes() if _is_gone(cause, look.tables())],
        destinations=spec.destinations,
        repeat=spec.repeat,
        now=began,
        tell=tell,
    )


def _over(
    look: Look, spec: AlertSpec, sightings: Sequence[Sighting[Cause]], tasks: Standing, checks: Standing
) -> list[str]:
    """Keys of the causes that are over: what they kept from landing has landed, or they are seen no more."""
    seen = {sighting.key for sighting in sightings} | checks.undecided

    def is_over(cause: OpenCause) -> bool:
        if cause.kind not in spec.kinds or cause.key in seen or _is_gone(cause, look.tables()):
            return False
        if cause.kind == Kind.FAILURE:
            # A table that is gone gets no day any more.
            missing = {table: days for table, days in cause.missing.items() if table in look.tables()}
            return bool(missing) and not still_missing(look.instance, missing)
        return tasks.is_settled if cause.kind == Kind.TASK else True

    return [cause.key for cause in look.told.open_causes() if is_over(cause)]


def _is_gone(cause: OpenCause, tables: Collection[str]) -> bool:
    """True if no table of a cause is configured any more: it is neither wrong nor all clear."""
    return bool(cause.missing) and not any(table in tables for table in cause.missing)


def _keys(repository: dg.RepositoryDefinition) -> list[str]:
    """The values of all accounts' keys; no message may hold one, even where an exception that is not ours quotes it."""
    found = []
    for resource in repository.get_top_level_resources().values():
        given = resource.config_schema.default_value if resource.config_schema.default_provided else {}
        for name, variable in given.items() if isinstance(given, dict) else ():
            if name.endswith("_variable"):
                try:
                    found.append(secret(variable))
                except AccessRefusedError:
                    continue  # What is not set cannot be quoted.
    return found
