"""From the vendor's SUCCESS to rows in the lake: within one interval of the sensor and one run. And what becomes of a report that never lands."""

from collections.abc import Callable
from datetime import timedelta
from itertools import cycle

import dagster as dg
import pytest

from analytics_assets.sandbox.options import Options
from analytics_assets_tests.integration.conftest import Place
from analytics_assets_tests.integration.driven import POLICY, TASK_S, driven
from analytics_assets_tests.integration.hand_airbridge import REVENUE_COHORTS
from analytics_assets_tests.integration.hand_world import DAYS, NOW, hand_world
from analytics_assets_tests.integration.running import failure_words, in_order, report, rows
from analytics_assets_tests.integration.server import POST_REPORT, REPORT

SPEC = report("revenue", "app_revenue", "cumulative", intervals=2)
# A sensor that ticks every 15 seconds does not do so to the second.
STEPS_S = (14.5, 15.5, 15.0, 16.0, 14.0)


@pytest.mark.parametrize("task_s", [20, 100, 295])
def test_a_ready_report_lands_within_one_interval_of_the_sensor_and_one_run(
    task_s: float, point: Callable[[str], Place], instance: dg.DagsterInstance
) -> None:
    """The first tick after the vendor has finished requests the run, and that run lands all days; however old the task is."""
    with driven(NOW, point, instance, report=SPEC, options=Options(task_seconds=task_s), world=hand_world()) as account:
        account.materialize(DAYS)
        for step in cycle(STEPS_S):
            account.pass_seconds(step)
            requests, _, _ = account.tick()
            since_ready = (account.now - NOW).total_seconds() - task_s
            assert bool(requests) == (since_ready >= 0), (since_ready, requests)
            if requests:
                break
        assert since_ready < max(STEPS_S)
        [request] = requests
        result = account.execute(request)
        assert result.success, failure_words(result)
        assert in_order(rows(account.place.lake, "airbridge", "revenue_cohorts")) == in_order(REVENUE_COHORTS)
        assert account.ledger.open_requests("airbridge") == []


def test_a_finished_report_that_never_lands_is_asked_for_anew_and_loudly(
    point: Callable[[str], Place], instance: dg.DagsterInstance
) -> None:
    """Each run dies before it has stored anything; after so many the report counts as unusable, a check warns, and a new task fixes it."""
    options = Options(task_seconds=TASK_S)
    with driven(NOW, point, instance, report=SPEC, options=options, world=hand_world()) as account:
        account.materialize(DAYS)
        account.pass_seconds(TASK_S)
        for _ in range(POLICY.max_store_runs):
            [_], _, _ = account.tick()
            account.pass_seconds(3600)
        requests, words, [warning] = account.tick()
        assert requests == []
        assert words == (
            "Open report requests: 1 failed. revenue 2025-06-10 to 2025-06-12: UNUSABLE (it was not stored in 6 runs; their logs say why). "
            "The sensor of airbridge requests a new task in 15 s."
        )
        assert (warning.check_name, warning.passed) == ("reports_arrive", False)
        account.settle()
        assert in_order(rows(account.place.lake, "airbridge", "revenue_cohorts")) == in_order(REVENUE_COHORTS)
        assert account.sandbox.counts()[POST_REPORT] == 2


def test_a_task_that_no_look_gets_through_to_warns_once_and_costs_no_other(
    point: Callable[[str], Place], instance: dg.DagsterInstance
) -> None:
    """From its deadline on somebody is told, though not at every look; when the vendor is back, the task it has made lands."""
    options = Options(task_seconds=TASK_S)
    with driven(NOW, point, instance, report=SPEC, options=options, world=hand_world()) as account:
        account.materialize(DAYS)
        looks = f"GET {REPORT}/{{task_id}}"
        account.sandbox.spoil(kind="status", vendor="airbridge", endpoint=looks, status=503, retry_after=3600)
        warnings = []
        for _ in range(6):
            account.pass_seconds(300)
            requests, words, warned = account.tick()
            assert requests == []
            warnings.append([one.description or "" for one in warned])
        assert [len(one) for one in warnings] == [0, 0, 1, 0, 0, 0]
        assert warnings[2][0].startswith("2025-06-10 to 2025-06-12: UNSEEN in attempt 1 (Airbridge GET ")
        remedy = "The sensor goes on looking, and a day after the task was requested, it requests a new one."
        assert remedy in warnings[2][0]
        assert "revenue 2025-06-10 to 2025-06-12: UNSEEN (Airbridge GET " in words
        account.sandbox.mend()
        account.settle()
        assert in_order(rows(account.place.lake, "airbridge", "revenue_cohorts")) == in_order(REVENUE_COHORTS)
        assert account.sandbox.counts()[POST_REPORT] == 1


def test_a_clock_that_was_set_back_delays_a_report_by_one_lease_at_most(
    point: Callable[[str], Place], instance: dg.DagsterInstance
) -> None:
    """A run died with the lease of a request that was last polled by a clock an hour ahead of the present one."""
    with driven(NOW, point, instance, report=SPEC, options=Options(task_seconds=0), world=hand_world()) as account:
        account.materialize(DAYS)
        [request] = account.ledger.open_requests("airbridge")
        ahead = account.now + timedelta(hours=1)
        look = ahead + timedelta(seconds=10)
        account.ledger.saw(request.id, "RUNNING", task_id=request.task_id, now=ahead, next_poll_at=look)
        account.ledger.lease(request.id, "a run that died", seconds=120, now=ahead)
        while not account.tick()[0]:
            account.pass_seconds(15)
            assert account.now - NOW <= timedelta(seconds=135)
