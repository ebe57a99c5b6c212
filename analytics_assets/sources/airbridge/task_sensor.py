"""The sensor of an Airbridge account: polls its open report tasks and launches runs that store what is ready.

Dagster's part of `polling.py`: the runs of a tick, and the check that warns. Dagster concept: sensors,
https://docs.dagster.io/guides/automate/sensors ; a tick is cut at 60 s, so polling stops well before.
"""

from collections.abc import Sequence
from datetime import date, datetime

import dagster as dg

from analytics_assets.clock import Clock
from analytics_assets.orchestration.asset_checks import verdict
from analytics_assets.orchestration.asset_specs import asset_key
from analytics_assets.sources.airbridge.checks import failing_requests, reports_arrive
from analytics_assets.sources.airbridge.polling import PolledAccount, poll
from analytics_assets.sources.airbridge.report_spec import ReportSpec, spec_hash
from analytics_assets.sources.airbridge.restatements import restatements_table
from analytics_assets.sources.airbridge.tables import daily_tables
from analytics_assets.sources.airbridge.task_decisions import REQUESTS_TAG, TaskPolicy, requests_of
from analytics_assets.state.report_ledger import Ledger
from analytics_assets.state.requests import Request

_UNFINISHED = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


def report_sensor(
    account: str,
    reports: Sequence[ReportSpec],
    *,
    policy: TaskPolicy,
    days_per_run: int,
    interval_s: int,
    clock: Clock,
    first_day: date = date.min,
) -> dg.SensorDefinition:
    """The sensor of an account; runs by default."""
    keys = {
        spec.name: [asset_key(account, table.name) for table in (*daily_tables(spec), restatements_table(spec))]
        for spec in reports
    }
    polled = PolledAccount(account, {spec.name: spec_hash(spec) for spec in reports}, policy, days_per_run, first_day)

    @dg.sensor(
        name=f"{account}_reports",
        description=(
            f"Looks at the open report tasks of {account}: requests a run when a report is ready, and for a new task when one failed, "
            "was cancelled or is forgotten, until every day is stored."
        ),
        asset_selection=[key for of_report in keys.values() for key in of_report],
        minimum_interval_seconds=interval_s,
        default_status=dg.DefaultSensorStatus.RUNNING,
        required_resource_keys={account, "lake"},
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        # Over a missing lake each run fails, and after some a good report would count as unusable.
        context.resources.lake.open()
        resource = getattr(context.resources, account)
        ledger: Ledger = resource.ledger()
        tick, runs = poll(polled, resource, ledger, busy=_busy(context.instance), clock=clock)
        asked = [_run(account, report, days, requests, keys[report], now=clock()) for report, days, requests in runs]
        context.log.info(tick.summary())
        return dg.SensorResult(
            run_requests=asked,
            skip_reason=None if asked else dg.SkipReason(tick.summary()),
            asset_events=[_warning(ledger, account, spec) for spec in reports if spec.name in tick.troubled],
        )

    return sensor


def _warning(ledger: Ledger, account: str, spec: ReportSpec) -> dg.AssetCheckEvaluation:
    """The check of the cohorts, evaluated the moment a request is in trouble; the run that stores its days evaluates it anew."""
    check = reports_arrive(account, spec)
    found = failing_requests(ledger.open_requests(account, spec.name))
    return dg.AssetCheckEvaluation(
        asset_key=asset_key(account, check.table), check_name=check.name, **verdict(check, found)
    )


def _run(
    account: str,
    report: str,
    days: Sequence[date],
    requests: Sequence[Request],
    keys: Sequence[dg.AssetKey],
    *,
    now: datetime,
) -> dg.RunRequest:
    """A range run that stores `days`; its key names the requests, how often they were tried, and when.

    That none is requested twice is the ledger's doing. The instant is in the key, because a ledger restored from a backup counts anew.
    """
    tried = ",".join(f"{request.id}.{request.attempts}.{request.store_runs}" for request in requests)
    return dg.RunRequest(
        run_key=f"{account}/{report}/{days[0]}/{days[-1]}/{tried}/{now:%Y%m%dT%H%M%SZ}",
        asset_selection=list(keys),
        tags={
            "dagster/asset_partition_range_start": days[0].isoformat(),
            "dagster/asset_partition_range_end": days[-1].isoformat(),
            REQUESTS_TAG: ",".join(str(request.id) for request in requests),
        },
    )


def _busy(instance: dg.DagsterInstance) -> frozenset[int]:
    """The requests that a run requested earlier is still at, or waits in the queue for."""
    runs = instance.get_runs(dg.RunsFilter(statuses=list(_UNFINISHED)))
    return frozenset(number for run in runs for number in requests_of(run.tags))
