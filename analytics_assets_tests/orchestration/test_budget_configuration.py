"""What YAML may say of a budget, and what a vendor is known to bear where it says nothing."""

import pytest
from pydantic import ValidationError

from analytics_assets import AirbridgeRevenue, BentoStats, StatsigMetrics
from analytics_assets.orchestration.source_component import BudgetConfig, ScheduleConfig
from analytics_assets.sources.airbridge.source import ReportConfig
from analytics_assets.sources.bento.source import AdsConfig
from analytics_assets.state.rate_limit import Budget

SCHEDULE = ScheduleConfig(cron="0 0 * * *", lookback_days=1, days_per_run=12)
REPORT = ReportConfig(name="revenue", group_by=["channel"], metric="app_revenue", aggregation="cumulative")


def test_each_vendor_has_a_budget_of_its_own_by_default() -> None:
    """Bento 30 an hour, Statsig one a second in small bursts, Airbridge ten a second."""
    airbridge = AirbridgeRevenue(
        app_name="myapp", timezone="Asia/Seoul", currency="USD", reports=[REPORT], schedule=SCHEDULE
    )
    components = (BentoStats(schedule=SCHEDULE), StatsigMetrics(schedule=SCHEDULE), airbridge)
    assert [one.resource().budget.budget() for one in components] == [Budget(30, 3600), Budget(10, 10), Budget(100, 10)]


def test_yaml_can_change_it() -> None:
    """All three fields."""
    given = BudgetConfig(requests=60, per_seconds=3600, kept_for_schedules=0.5)
    assert BentoStats(schedule=SCHEDULE, budget=given).resource().budget.budget() == Budget(60, 3600, 0.5)


def test_a_plan_counts_by_what_the_gate_counts_by() -> None:
    """Two sites of one host share Bento's hour, whatever stands after the host; another host has one of its own."""
    addresses = (
        "https://app.bentonow.com/api/v1",
        "https://app.bentonow.com/api/v2",
        "https://bento.example.com/api/v1",
    )
    sites = [BentoStats(schedule=SCHEDULE, base_url=address) for address in addresses]
    expected = ["bento app.bentonow.com", "bento app.bentonow.com", "bento bento.example.com"]
    assert (
        [site.plan("shop").budget_key for site in sites] == [site.resource().budget_key() for site in sites] == expected
    )


def test_a_budget_that_lets_nothing_pass_is_refused_when_the_yaml_is_read() -> None:
    """In the words of the budget itself."""
    with pytest.raises(ValidationError, match=r"budget, `requests`: 0 let nothing pass\. Use 1 or more\."):
        BudgetConfig(requests=0, per_seconds=3600)


def test_a_run_that_would_wait_for_days_is_refused_when_the_yaml_is_read() -> None:
    """Dagster ends a run after two days, whatever it waits for; three dimensions of a year are thirty-seven hours."""
    year = ScheduleConfig(cron="0 0 * * *", lookback_days=1, days_per_run=365)
    with pytest.raises(ValidationError) as refused:
        BentoStats(schedule=year, ads=AdsConfig(dimensions=["source", "campaign", "medium"]))
    assert (
        "schedule, `days_per_run`: 365 days are 1095 requests, which the budget of 30 requests in 3600 s spreads over 37 hours. "
        "Use fewer days, so that a run ends within 24."
    ) in str(refused.value)
