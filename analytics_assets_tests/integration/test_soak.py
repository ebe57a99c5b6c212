"""Ten days of schedule and sensor over an Airbridge whose report tasks fail, are cancelled and are forgotten.

At the end every cohort holds the truth of its age, and nothing was asked for that no failure forced.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import dagster as dg

from analytics_assets.sandbox.options import Options
from analytics_assets.sandbox.world import SeededWorld
from analytics_assets_tests.integration.conftest import Place
from analytics_assets_tests.integration.driven import TASK_S, driven
from analytics_assets_tests.integration.oracle_airbridge import AirbridgeTruth
from analytics_assets_tests.integration.running import FIRST, LAST, days_from, days_landed, in_order, report, rows
from analytics_assets_tests.integration.server import POST_REPORT

START = datetime(2025, 6, 10, 20, 30, tzinfo=UTC)
# Half past eight in the evening, UTC: the newest partition is the day before, and in Seoul it is the day after.
NEWEST = START.date() - timedelta(days=1)
DAYS, INTERVALS, LOOKBACK = 10, 3, 5
OPTIONS = Options(seed=5, task_seconds=TASK_S, fail_every=10, cancel_every=4, forget_every=7)


def posts_for(good: int) -> int:
    """Tasks that have to be asked for until so many have ended well."""
    ends_well = (number for number in count(1) if all(number % every for every in (10, 4, 7)))
    return [next(ends_well) for _ in range(good)][-1]


def test_ten_days_of_schedule_and_sensor_end_in_the_truth(
    point: Callable[[str], Place], instance: dg.DagsterInstance
) -> None:
    """One task a day for all cohorts that still change, none for a mature one; a failed one is asked for again and no other."""
    spec = report("revenue", "app_revenue", "cumulative", intervals=INTERVALS)
    asked = []
    with driven(START, point, instance, report=spec, options=OPTIONS) as account:
        account.lookback_days = LOOKBACK
        for number in range(DAYS):
            account.now = START + timedelta(days=number)
            [request] = account.schedule()
            asked.append((request.tags[FIRST], request.tags[LAST]))
            account.execute(request)
            account.settle()
        counts, lake = account.sandbox.counts(), account.place.lake

        first = NEWEST - timedelta(days=LOOKBACK - 1)
        days = days_from(first, LOOKBACK + DAYS - 1)
        truth = AirbridgeTruth(SeededWorld(OPTIONS.seed), ZoneInfo("Asia/Seoul"), account.now, INTERVALS)
        assert days_landed(lake, "airbridge", "revenue_cohorts") == days
        assert in_order(rows(lake, "airbridge", "revenue_cohorts")) == in_order(truth.cohorts(days, "revenue"))
        assert rows(lake, "airbridge", "revenue_restatements") == []
        assert account.ledger.open_requests("airbridge") == []
    # The days that the schedule asked for: the first load, then the new day and the two before it that still changed.
    newest = [NEWEST + timedelta(days=number) for number in range(DAYS)]
    assert asked == [
        (str(day - timedelta(days=INTERVALS - 1 if number else LOOKBACK - 1)), str(day))
        for number, day in enumerate(newest)
    ]
    assert counts[POST_REPORT] == posts_for(DAYS)
