"""Six days of `make soak`: its hours, schedules, its sensor, its faults and its promises, over small reports."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import dagster as dg
import pytest

from analytics_assets.sources.bento.streams import AdsSpec
from analytics_assets_tests.integration.conftest import Place
from analytics_assets_tests.integration.driven import POLICY
from analytics_assets_tests.integration.jobs import shipped
from analytics_assets_tests.integration.running import Wishes, report
from analytics_assets_tests.integration.soak import FIRST_DAY, HOURS, START_DATE, soaked

pytestmark = pytest.mark.proof(1)

DAYS, INTERVALS, SETTLE_DAYS, LOOKBACK, SEED = 6, 3, 1, 5, 5
# Of the tasks requested, in their order, 4, 5, 7, 8 and 10 go wrong: the sixth good one is the 11th.
FATES, POSTS = (4, 7, 5), 11
WISHES = Wishes(
    ads=AdsSpec(dimensions=("source",)),
    reports=(replace(report("revenue", "app_revenue", "cumulative", intervals=INTERVALS), settle_days=SETTLE_DAYS),),
    wait_s=0,
    policy=POLICY,
    lookback_days={"bento": 2, "statsig": 2, "airbridge": LOOKBACK},
)


def test_the_soak_keeps_the_hours_of_the_shipped_schedules() -> None:
    """Schedules are evaluated when they would be."""
    schedules = shipped().get_repository_def().schedule_defs
    # Checks and the housekeeping ask and land nothing.
    crons = {one.name: one.cron_schedule for one in schedules if one.name not in {"checks_daily", "housekeeping"}}
    assert crons == {name: f"{minute} {hour} * * *" for name, (hour, minute) in HOURS.items()}


def test_six_days_of_schedules_and_sensor_end_in_the_truth(
    point: Callable[[str], Place], instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every promise holds; one task a day for all cohorts that are not settled, none for a settled one; a lost one is requested again and no other."""
    monkeypatch.setenv("ANALYTICS_START_DATE", START_DATE.isoformat())
    told = soaked(DAYS, SEED, WISHES, point, instance, fates=FATES)

    assert told.broken == []
    # The days that the schedule requested: the first load, then the new day and those before it that still changed.
    newest = [FIRST_DAY + timedelta(days=number - 1) for number in range(DAYS)]
    assert told.asked == [
        (str(day - timedelta(days=INTERVALS + SETTLE_DAYS if number else LOOKBACK - 1)), str(day))
        for number, day in enumerate(newest)
    ]
    assert (told.needed, told.a_cohort_a_day) == (DAYS, LOOKBACK + (DAYS - 1) * (INTERVALS + SETTLE_DAYS + 1))
    assert told.accepted == told.least == POSTS
    # The outage and the throttling were felt, or none of this was shown.
    assert told.refused > 0
    assert {name: told.runs[name] for name in HOURS} == dict.fromkeys(HOURS, DAYS)
