"""A run that cannot wait for its report task leaves the days to the sensor; the sensor requests one run, never for a second beside it.

Vendor and production share one clock that the tests move by hand, so that no second is waited in vain.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import dagster as dg
import pytest

from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets.sandbox.options import Options
from analytics_assets.sources.airbridge.source import AirbridgeResource
from analytics_assets.sources.airbridge.task_decisions import REQUESTS_TAG
from analytics_assets_tests.integration.conftest import Place
from analytics_assets_tests.integration.hand_airbridge import REVENUE_COHORTS
from analytics_assets_tests.integration.hand_world import DAYS, NOW, hand_world
from analytics_assets_tests.integration.running import (
    FIRST,
    LAST,
    SEOUL_APP,
    Wishes,
    definitions_at,
    failure_words,
    in_order,
    range_tags,
    report,
    rows,
    run,
)
from analytics_assets_tests.integration.server import POST_REPORT, READ_REPORT, REPORT, Sandbox, sandbox_server

TASK_S = 20
TABLES = tuple(f"airbridge/revenue_{name}" for name in ("raw", "cohorts", "cohort_totals", "restatements"))
WISHES = Wishes(reports=(report("revenue", "app_revenue", "cumulative", intervals=2),), wait_s=0)


@dataclass
class Scene:
    """A sandbox, the definitions pointed to it, and the one clock of both."""

    now: datetime
    sandbox: Sandbox
    place: Place
    definitions: dg.Definitions
    instance: dg.DagsterInstance

    def pass_seconds(self, seconds: float) -> None:
        """Moves the clock on."""
        self.now += timedelta(seconds=seconds)

    def materialize(self) -> dg.ExecuteInProcessResult:
        """What a person does: the three days of the cohorts."""
        return run(self.definitions, "airbridge_daily", self.instance, range_tags(DAYS), TABLES)

    def tick(self) -> tuple[list[dg.RunRequest], str | None]:
        """One evaluation of the sensor: what it requests, and what it says when it requests nothing."""
        [sensor] = self.definitions.sensors or ()
        assert isinstance(sensor, dg.SensorDefinition)
        context = dg.build_sensor_context(
            instance=self.instance,
            repository_def=self.definitions.get_repository_def(),
            resources={"airbridge": AirbridgeResource(app_name=SEOUL_APP.name), "lake": LakeResource()},
        )
        told = sensor.evaluate_tick(context)
        return list(told.run_requests or ()), told.skip_message

    def execute(self, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
        """Runs what the sensor requested, with its selection and tags as they are."""
        return self.definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=self.instance,
            tags=dict(request.tags),
            asset_selection=list(request.asset_selection or ()),
            raise_on_error=False,
        )


@pytest.fixture
def scene(point: Callable[[str], Place], instance: dg.DagsterInstance) -> Iterator[Scene]:
    """The world on paper, report tasks of twenty seconds, and runs that do not wait for them."""
    held: list[Scene] = []

    def clock() -> datetime:
        return held[0].now if held else NOW

    with sandbox_server(Options(now=clock, task_seconds=TASK_S), hand_world()) as sandbox:
        place = point(sandbox.url)
        held.append(Scene(NOW, sandbox, place, definitions_at(clock, WISHES), instance))
        yield held[0]


def test_what_a_run_leaves_the_sensor_lands_with_one_range_run(scene: Scene) -> None:
    """The run posts, says that the sensor will finish, and fails; the ready task becomes one run over its three days, which stores them."""
    result = scene.materialize()

    assert not result.success
    # One cause for three days is told once.
    assert (
        "2025-06-10 to 2025-06-12: Airbridge is still making the report revenue (2025-06-10 to 2025-06-12, state POSTED). "
        "The sensor of airbridge stores these days when it is ready."
    ) in failure_words(result)
    assert scene.tick() == ([], "Open report requests: 1 waiting.")

    scene.pass_seconds(TASK_S)
    [request], _ = scene.tick()

    assert {key.to_user_string() for key in request.asset_selection or ()} == set(TABLES)
    tags = {FIRST: "2025-06-10", LAST: "2025-06-12", REQUESTS_TAG: "1"}
    assert {name: request.tags.get(name) for name in tags} == tags
    stored = scene.execute(request)
    assert stored.success, failure_words(stored)
    assert in_order(rows(scene.place.lake, "airbridge", "revenue_cohorts")) == in_order(REVENUE_COHORTS)
    # Posted once; looked at twice by the sensor and once by the run, which then reads its one page.
    assert scene.sandbox.counts() == {POST_REPORT: 1, READ_REPORT: 4}
    scene.pass_seconds(3600)
    assert scene.tick() == ([], "Open report requests: none.")


def test_the_sensor_asks_for_no_second_run_while_one_is_in_flight(scene: Scene) -> None:
    """Neither right after it has asked, nor hours later while that run is still at work; once it is gone, it asks again."""
    scene.materialize()
    scene.pass_seconds(TASK_S)
    [request], _ = scene.tick()

    assert scene.tick() == ([], "Open report requests: 1 waiting.")

    job = scene.definitions.resolve_implicit_global_asset_job_def()
    running = scene.instance.create_run_for_job(job, tags=request.tags, status=dg.DagsterRunStatus.STARTED)
    scene.pass_seconds(6 * 3600)
    assert scene.tick() == ([], "Open report requests: 1 in a run's hands.")

    scene.instance.report_run_canceled(running)
    [again], _ = scene.tick()
    assert again.tags[REQUESTS_TAG] == request.tags[REQUESTS_TAG]
    assert again.run_key != request.run_key
    assert scene.sandbox.counts()[POST_REPORT] == 1


def test_a_refused_request_is_paused_in_the_words_of_the_tick_until_a_person_asks_again(scene: Scene) -> None:
    """After a 401 the sensor asks nothing of anybody and says why and what to do; materializing with a good key posts and goes on."""
    scene.sandbox.spoil(kind="status", vendor="airbridge", endpoint=f"POST {REPORT}", status=401)
    result = scene.materialize()
    assert not result.success
    assert "AIRBRIDGE_API_TOKEN" in failure_words(result)
    scene.sandbox.forget()

    scene.pass_seconds(24 * 3600)
    requests, said = scene.tick()

    assert requests == []
    assert said is not None
    assert said.startswith(
        "Open report requests: 1 paused. revenue 2025-06-10 to 2025-06-12 is paused: Airbridge POST "
        "/reports/api/v3/apps/{app_name}/revenue/query: HTTP 401"
    )
    assert "AIRBRIDGE_API_TOKEN" in said
    assert said.endswith("It resumes when the key or the report is changed; or materialize the days to ask again.")
    assert scene.sandbox.counts() == {}

    scene.materialize()
    scene.pass_seconds(TASK_S)
    [request], _ = scene.tick()
    stored = scene.execute(request)
    assert stored.success, failure_words(stored)
    assert scene.sandbox.counts()[POST_REPORT] == 1
