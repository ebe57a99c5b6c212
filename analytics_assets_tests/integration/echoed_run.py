"""A live process whose vendors repeat its keys: `python -m ... URL FOLDER` loads everything once in each manner of answering.

After each load the sensor of report tasks looks at one, the alerts are sent, and the doctor visits, with the same vendors. Keys, addresses and
places stand in the environment. Prints a line of JSON a manner: whether the run succeeded, which tables landed, and what the others said.
"""

import faulthandler
import json
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from analytics_assets.clock import utc_now
from analytics_assets.errors import TransientError
from analytics_assets.operations.alerts.sensor import AlertSpec, alert_sensor
from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets.orchestration.partitions import daily_partitions, end_of_utc_day
from analytics_assets.settings import settings
from analytics_assets.sources.airbridge.report_loader import Waiting
from analytics_assets.sources.airbridge.report_spec import spec_hash
from analytics_assets.sources.airbridge.source import AirbridgeResource, catalog_stream, report_stream, tasks_stream
from analytics_assets.sources.airbridge.task_decisions import TaskPolicy
from analytics_assets.sources.airbridge.task_sensor import report_sensor
from analytics_assets.sources.bento.source import BentoResource, ads_stream, audience_stream
from analytics_assets.sources.bento.streams import AdsSpec, AudienceSpec
from analytics_assets.sources.statsig.source import StatsigResource, listing_stream, values_stream
from analytics_assets.sources.statsig.streams import ListingSpec, ValuesSpec
from analytics_assets.state.alert_log import IssueKind
from analytics_assets_tests.integration.echo import CUT, FAULTS, FINE
from analytics_assets_tests.integration.running import SEOUL_APP, report
from analytics_assets_tests.opened import assets_of
from analytics_assets_tests.operations.doctor.patient import Patient

NOW = datetime(2025, 3, 5, 22, 0, tzinfo=UTC)
DAY = date(2025, 3, 3)
LONGEST_S = 600
MANNERS = (FINE, *FAULTS, CUT)
REPORT = report("revenue", "app_revenue", "cumulative", intervals=1)
POLICY = TaskPolicy(first_poll_s=0.01)
ALERTS = AlertSpec(
    destinations=("OPS_HOOK", "OPS_DOWN"),
    ui="http://127.0.0.1:3000",
    kinds=frozenset(IssueKind),
    warnings=True,
    repeat=timedelta(hours=24),
)


def assets() -> list[dg.AssetsDefinition]:
    """A stream and a snapshot of each vendor, and the ledger's table last: it shows what was said of the tasks."""
    waiting = Waiting(5, 92, 100, POLICY)
    streams = {
        "bento": [ads_stream("bento", AdsSpec()), audience_stream("bento", AudienceSpec(("vip",)))],
        "statsig": [
            values_stream("statsig", ValuesSpec()),
            listing_stream("statsig", ListingSpec(events=("checkout",))),
        ],
        "airbridge": [
            report_stream("airbridge", SEOUL_APP, REPORT, waiting),
            catalog_stream("airbridge", SEOUL_APP),
            tasks_stream("airbridge", SEOUL_APP, REPORT),
        ],
    }
    # One set of days, because they share a job.
    days = daily_partitions(settings().start_date, end_of_utc_day)
    return [
        assets
        for vendor, of_vendor in streams.items()
        for assets in assets_of(vendor, of_vendor, lambda: NOW, partitions=days)
    ]


def airbridge(url: str) -> AirbridgeResource:
    """The app, below an address."""
    return AirbridgeResource(app_name="shop", base_url=f"{url}/airbridge")


def definitions(url: str) -> dg.Definitions:
    """All of it under one job, asking below an address."""
    return dg.Definitions(
        assets=assets(),
        resources={
            "bento": BentoResource(base_url=f"{url}/bento/api/v1"),
            "statsig": StatsigResource(base_url=f"{url}/statsig/console/v1"),
            "airbridge": airbridge(url),
            "lake": LakeResource(),
        },
        jobs=[dg.define_asset_job("everything")],
        executor=dg.in_process_executor,
    )


def loaded(defined: dg.Definitions, instance: dg.DagsterInstance) -> Mapping[str, Any]:
    """A run of everything."""
    job = defined.resolve_job_def("everything")
    run = job.execute_in_process(instance=instance, partition_key=DAY.isoformat(), raise_on_error=False)
    stored = {event.asset_key.path[-1] for event in run.get_asset_materialization_events() if event.asset_key}
    return {"success": run.success, "landed": sorted(stored)}


def looked(defined: dg.Definitions, instance: dg.DagsterInstance, url: str, task: str, day: date) -> str:
    """A tick of the sensor over a task; what it says. What it reports is put where the daemon would put it."""
    resource, repository = airbridge(url), defined.get_repository_def()
    ledger = resource.ledger()
    [request] = ledger.join_or_open("airbridge", "revenue", spec_hash(REPORT), [day], longest=92, now=NOW)
    ledger.begin_attempt(request.id, now=NOW)
    ledger.posted(request.id, task, now=NOW)
    sensor = report_sensor("airbridge", [REPORT], policy=POLICY, days_per_run=92, interval_s=15, clock=lambda: NOW)
    with dg.build_sensor_context(
        instance=instance, resources={"airbridge": resource, "lake": LakeResource()}, repository_def=repository
    ) as context:
        tick = sensor.evaluate_tick(context)
    for event in tick.asset_events:
        instance.report_runless_asset_event(event)
    return f"{tick.skip_message} {tick.run_requests}"


def alerted(defined: dg.Definitions, instance: dg.DagsterInstance) -> str:
    """A tick of the alerts; what it says, or what it fails with: one of the two destinations is down."""
    context = dg.build_sensor_context(instance=instance, repository_def=defined.get_repository_def())
    try:
        return str(alert_sensor(ALERTS, clock=utc_now).evaluate_tick(context).skip_message)
    except TransientError as error:
        return str(error)


def visited(url: str, home: str, manner: str) -> Mapping[str, str]:
    """The doctor's visit to accounts below an address: what becomes of their keys. All it says is printed and kept."""
    folder = Path(home).parent / f"patient_{manner}"
    folder.mkdir()
    patient = Patient(folder, url)
    patient.environment = {"DAGSTER_HOME": home, "ANALYTICS_BUDGET": "off"}
    visit = patient.visited()
    sys.stdout.write(visit.out)
    return {what: verdict for what, verdict, _, _ in visit.lines("keys") if what.endswith("accepted")}


def main(url: str, home: str) -> None:
    """Loads everything in each manner."""
    faulthandler.dump_traceback_later(LONGEST_S, exit=True)
    with dg.DagsterInstance.local_temp(home) as instance:
        alerted(definitions(f"{url}/{FINE}"), instance)
        for number, manner in enumerate(MANNERS):
            asked, day = f"{url}/{manner}", DAY + timedelta(days=10 + number)
            defined = definitions(asked)
            told = {
                "manner": manner,
                **loaded(defined, instance),
                "tick": looked(defined, instance, asked, f"task-{manner}", day),
                "alerts": alerted(defined, instance),
                "doctor": visited(asked, home, manner),
            }
            sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
