"""An Airbridge account that a test drives by hand: schedule, sensor and runs in this process, vendor and production on one clock.

Nothing waits for real time, so days pass in seconds. No assertions here.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets.sandbox.options import Options
from analytics_assets.sandbox.world import World
from analytics_assets.sources.airbridge.report_loader import Waiting
from analytics_assets.sources.airbridge.report_spec import ReportSpec
from analytics_assets.sources.airbridge.source import AirbridgeResource, changing_days, report_stream
from analytics_assets.sources.airbridge.task_decisions import TaskPolicy
from analytics_assets.sources.airbridge.task_sensor import report_sensor
from analytics_assets.state.database import engine
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.integration.conftest import Place
from analytics_assets_tests.integration.running import SEOUL_APP, range_tags
from analytics_assets_tests.integration.server import Sandbox, sandbox_server
from analytics_assets_tests.opened import account

POLICY = TaskPolicy(first_poll_s=2, first_pause_s=15)
TASK_S = 20
MOST_RUNS = 60


@dataclass
class Driven:
    """The account `airbridge` with its one clock.

    Attributes:
        now: The instant that vendor and production live in.
        sandbox: The vendor.
        place: Where lake and state are.
        instance: Dagster's.
        report: The report.
        resource: The app and its key.
        lookback_days: Days of a first load.
        keys: Run keys the sensor has used; Dagster starts none of them twice.
        loaded: The definitions by report.
    """

    now: datetime
    sandbox: Sandbox
    place: Place
    instance: dg.DagsterInstance
    report: ReportSpec
    resource: AirbridgeResource = field(default_factory=lambda: AirbridgeResource(app_name=SEOUL_APP.name))
    lookback_days: int = 3
    keys: set[str] = field(default_factory=set)
    loaded: dict[ReportSpec, dg.Definitions] = field(default_factory=dict)

    def pass_seconds(self, seconds: float) -> None:
        """Moves the clock on."""
        self.now += timedelta(seconds=seconds)

    @property
    def ledger(self) -> Ledger:
        """The ledger that runs and sensor use."""
        return Ledger(self.place.state)

    def forget_connections(self) -> None:
        """Lets go of the state database, so that its file can be put in another's place."""
        engine(self.place.state).dispose()
        engine.cache_clear()

    def definitions(self) -> dg.Definitions:
        """The account as it is loaded with its present report."""
        if self.report not in self.loaded:
            self.loaded[self.report] = self._definitions()
        return self.loaded[self.report]

    def _definitions(self) -> dg.Definitions:
        given = account(
            self.resource,
            [report_stream("airbridge", SEOUL_APP, self.report, Waiting(0, 92, 100, POLICY))],
            days_per_run=92,
            lookback_days=self.lookback_days,
            cron="30 20 * * *",
            changing=[changing_days("airbridge", SEOUL_APP, self.report, self.lookback_days)],
            sensors=[
                report_sensor(
                    "airbridge",
                    [self.report],
                    policy=POLICY,
                    days_per_run=92,
                    interval_s=15,
                    clock=lambda: self.now,
                )
            ],
        )
        shared = dg.Definitions(resources={"lake": LakeResource()}, executor=dg.in_process_executor)
        return dg.Definitions.merge(given.definitions("airbridge", lambda: self.now), shared)

    def materialize(self, days: Sequence[date]) -> dg.ExecuteInProcessResult:
        """What a person does."""
        return self.execute(dg.RunRequest(tags=range_tags(days)))

    def schedule(self) -> list[dg.RunRequest]:
        """What the schedule requests now."""
        repository = self.definitions().get_repository_def()
        with dg.build_schedule_context(
            scheduled_execution_time=self.now.astimezone(UTC),
            repository_def=repository,
            resources={"lake": LakeResource()},
        ) as context:
            return list(repository.get_schedule_def("airbridge_daily").evaluate_tick(context).run_requests or ())

    def tick(self) -> tuple[list[dg.RunRequest], str, list[dg.AssetCheckEvaluation]]:
        """One evaluation of the sensor: the runs it requests, the words of a skip, the checks it evaluates."""
        definitions = self.definitions()
        [sensor] = definitions.sensors or ()
        assert isinstance(sensor, dg.SensorDefinition)
        context = dg.build_sensor_context(
            instance=self.instance,
            repository_def=definitions.get_repository_def(),
            resources={"airbridge": self.resource, "lake": LakeResource()},
        )
        told = sensor.evaluate_tick(context)
        fresh = [one for one in told.run_requests or () if one.run_key not in self.keys]
        self.keys |= {one.run_key for one in fresh if one.run_key}
        checks = [one for one in told.asset_events if isinstance(one, dg.AssetCheckEvaluation)]
        return fresh, told.skip_message or "", checks

    def execute(self, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
        """Runs what was requested, with its selection and tags as they are."""
        return (
            self.definitions()
            .resolve_job_def("airbridge_daily")
            .execute_in_process(
                instance=self.instance,
                tags=dict(request.tags),
                asset_selection=list(request.asset_selection) if request.asset_selection else None,
                raise_on_error=False,
            )
        )

    def settle(self, step_s: float = 30) -> int:
        """Lets the sensor tick and its runs run until no request is open or all are paused; returns the runs it took."""
        runs = 0
        while runs < MOST_RUNS:
            self.pass_seconds(step_s)
            requests, words, _ = self.tick()
            for request in requests:
                self.execute(request)
                runs += 1
            if not requests and not any(word in words for word in ("waiting", "failed", "ready", "hands")):
                return runs
        raise RuntimeError(f"the sensor has requested {runs} runs and is not at an end")


@contextmanager
def driven(
    start: datetime,
    point: Callable[[str], Place],
    instance: dg.DagsterInstance,
    *,
    report: ReportSpec,
    options: Options,
    world: World | None = None,
) -> Iterator[Driven]:
    """An account whose clock begins at `start`; `options` may say all but the clock."""
    held: list[Driven] = []

    def clock() -> datetime:
        return held[0].now if held else start

    chosen = Options(**{**vars(options), "now": clock})
    with sandbox_server(chosen, world) as sandbox:
        held.append(Driven(start, sandbox, point(sandbox.url), instance, report))
        try:
            yield held[0]
        finally:
            held[0].forget_connections()
