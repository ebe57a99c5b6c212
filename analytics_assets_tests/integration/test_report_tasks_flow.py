"""A daemon brings thirty days of cohorts in over an Airbridge whose report tasks fail, are cancelled and are forgotten.

The run of a person leaves before its tasks are ready; from then on only the sensor acts, in a real `dagster-daemon run` with real sockets,
queue and processes. The cohorts are old enough to be complete, so their truth does not depend on the second a task was requested.
"""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from analytics_assets.sandbox.options import Options
from analytics_assets.sandbox.world import SeededWorld
from analytics_assets_tests.integration.conftest import Place
from analytics_assets_tests.integration.daemon import Project, made_project, tick_reasons
from analytics_assets_tests.integration.oracle_airbridge import AirbridgeTruth
from analytics_assets_tests.integration.running import days_from, days_landed, in_order, range_tags, rows
from analytics_assets_tests.integration.server import POST_REPORT, sandbox_server

pytestmark = pytest.mark.proof(4)

DAYS = days_from(date(2025, 6, 1), 30)
INTERVALS = 7
OPTIONS = Options(seed=3, task_seconds=0.3, fail_every=5, cancel_every=7, forget_every=11)
# Thirty days are ten tasks. Of the tasks requested, in their order, 5, 7, 10, 11, 14 and 15 go wrong: the tenth good one is the 16th.
POSTS = 16
LONGEST_S = 450.0

DEFS_YAML = f"""
    type: analytics_assets.AirbridgeRevenue

    attributes:
      app_name: myapp
      timezone: Asia/Seoul
      currency: USD
      reports:
        - name: revenue
          group_by: [channel, campaign]
          metric: app_revenue
          aggregation: cumulative
          intervals: {INTERVALS}
      tasks:
        wait_seconds: 0
        days_per_task: 3
        first_pause_seconds: 0.1
        longest_pause_seconds: 1
        sensor_seconds: 1
      schedule:
        cron: 30 20 * * *
        lookback_days: 32
        days_per_run: 92
"""


def _wait_for_all_days(project: Project, place: Place) -> None:
    """Polls the lake and the event log until every day of the cohorts stands in both."""
    until, table = time.monotonic() + LONGEST_S, dg.AssetKey(["airbridge", "revenue_cohorts"])
    with project.instance() as instance:
        while time.monotonic() < until:
            stored = days_landed(place.lake, "airbridge", "revenue_cohorts")
            if stored == DAYS and instance.get_materialized_partitions(table) == {day.isoformat() for day in DAYS}:
                return
            time.sleep(0.5)
        log = (project.root / "daemon.log").read_text(encoding="utf-8", errors="replace")
        raise AssertionError(
            f"after {LONGEST_S:.0f} s {len(stored)} of {len(DAYS)} days are stored.\n{tick_reasons(instance)}\n{log[-4000:]}"
        )


def test_the_sensor_alone_sees_every_report_task_through_to_the_end(
    point: Callable[[str], Place], tmp_path: Path
) -> None:
    """One launched run, then the daemon: all days are stored with the truth of the seed, and no task is requested that no failure forced."""
    with sandbox_server(OPTIONS) as sandbox:
        place = point(sandbox.url)
        project = made_project(tmp_path / "project", {"airbridge": DEFS_YAML}, place.environment)
        with project.daemon():
            project.launch("airbridge_daily", range_tags(DAYS))
            _wait_for_all_days(project, place)
        counts = sandbox.counts()

    truth = AirbridgeTruth(
        SeededWorld(OPTIONS.seed), ZoneInfo("Asia/Seoul"), datetime(2025, 9, 1, tzinfo=UTC), INTERVALS
    )
    assert in_order(rows(place.lake, "airbridge", "revenue_cohorts")) == in_order(truth.cohorts(DAYS, "revenue"))
    assert in_order(rows(place.lake, "airbridge", "revenue_cohort_totals")) == in_order(truth.totals(DAYS))
    assert counts[POST_REPORT] == POSTS
    with project.instance() as instance:
        first, *later = reversed(instance.get_runs())
        sensors = {run.tags.get("dagster/sensor_name") for run in later}
        assert (first.tags.get("dagster/sensor_name"), sensors) == (None, {"airbridge_reports"})
