"""What accounts share a budget by: what their vendor counts by, or a name in their YAML."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from analytics_assets import AirbridgeRevenue, BentoStats, StatsigMetrics
from analytics_assets.orchestration.source_component import BudgetConfig, ScheduleConfig
from analytics_assets.sources.airbridge.source import ReportConfig
from analytics_assets.state.rate_limit import Budget

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SCHEDULE = ScheduleConfig(cron="0 0 * * *", lookback_days=1, days_per_run=12)
REPORT = ReportConfig(name="revenue", group_by=["channel"], metric="app_revenue", aggregation="cumulative")
KEY, OTHER_KEY = "zebra-quiz-jumps-11", "zebra-quiz-jumps-12"


@pytest.fixture(autouse=True)
def _live(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are those of the environment: two variables hold the same one."""
    monkeypatch.setenv("ANALYTICS_MODE", "live")
    for name, value in {"LAB_KEY": KEY, "LAB_KEY_TOO": KEY, "SHOP_KEY": OTHER_KEY}.items():
        monkeypatch.setenv(name, value)


def statsig(key: str = "LAB_KEY", **changes: object) -> str:
    """The budget's key of a Statsig account."""
    account = StatsigMetrics(key=key, schedule=SCHEDULE, **changes)  # type: ignore[arg-type]
    assert account.plan("lab").budget_key == account.resource().budget_key()
    return account.resource().budget_key()


def airbridge(app_name: str = "myapp", **changes: object) -> str:
    """The budget's key of an Airbridge account."""
    account = AirbridgeRevenue(
        app_name=app_name,
        timezone="Asia/Seoul",
        currency="USD",
        reports=[REPORT],
        schedule=SCHEDULE,
        **changes,  # type: ignore[arg-type]
    )
    return account.resource().budget_key()


def bento(**changes: object) -> str:
    """The budget's key of a Bento account."""
    return BentoStats(schedule=SCHEDULE, **changes).resource().budget_key()  # type: ignore[arg-type]


def named(name: str) -> BudgetConfig:
    """A budget with a name and the vendor's numbers."""
    return BudgetConfig(name=name)


def test_two_variables_with_one_key_of_a_statsig_project_share_its_budget() -> None:
    """Statsig counts by project, and a key opens one; another key may be one of another project."""
    assert statsig("LAB_KEY") == statsig("LAB_KEY_TOO")
    assert statsig("SHOP_KEY") != statsig("LAB_KEY")


def test_a_key_leaves_no_trace_in_the_budget() -> None:
    """Eight hex digits, which differ from place to place."""
    here = statsig()
    mark = re.fullmatch(r"statsig statsigapi\.net/console/v1 ([0-9a-f]{8})", here)
    assert mark is not None
    assert statsig(base_url="https://statsigapi.net/console/v2").split()[-1] != mark[1]
    assert not any(KEY[at : at + 4] in here for at in range(len(KEY) - 3))


def test_a_key_that_is_not_set_is_known_by_its_variable() -> None:
    """A plan can be made where no key is."""
    assert statsig("NOT_SET") == "statsig statsigapi.net/console/v1 NOT_SET"


@pytest.mark.parametrize(
    "address",
    [
        "https://statsigapi.net/console/v1/",
        "https://STATSIGAPI.net:443/console/v1",
        "https://statsigapi.net/console/v1",
    ],
)
def test_one_address_in_another_spelling_is_the_same_budget(address: str) -> None:
    """A slash at its end, capital letters and the usual port change nothing."""
    assert statsig(base_url=address) == statsig()
    assert airbridge(base_url=address) == airbridge(base_url="https://statsigapi.net/console/v1")


def test_airbridge_accounts_of_one_app_share_a_budget() -> None:
    """Whatever their tokens; another app has its own."""
    assert airbridge(token="LAB_KEY") == airbridge(token="SHOP_KEY") == "airbridge api.airbridge.io myapp"
    assert airbridge("other") != airbridge()


@pytest.mark.parametrize(
    ("accounts", "vendor"),
    [
        ([statsig, lambda **more: statsig("SHOP_KEY", **more)], "statsig"),
        ([airbridge, lambda **more: airbridge("other", **more)], "airbridge"),
        ([bento, lambda **more: bento(base_url="https://bento.example.com/api/v1", **more)], "bento"),
    ],
    ids=["statsig", "airbridge", "bento"],
)
def test_accounts_with_one_name_share_a_budget(accounts: Sequence, vendor: str) -> None:
    """As two keys of one Statsig project do; with two names even one host has two."""
    assert [account(budget=named("acme")) for account in accounts] == [f"{vendor} acme"] * 2
    assert accounts[0](budget=named("other")) != accounts[0](budget=named("acme"))
    assert accounts[0]() != accounts[1]()


def test_a_name_alone_keeps_the_numbers_of_the_vendor() -> None:
    """And a number alone the other one."""
    account = BentoStats(schedule=SCHEDULE, budget=named("acme"))
    assert account.resource().budget.budget() == Budget(30, 3600)
    account = BentoStats(schedule=SCHEDULE, budget=BudgetConfig(requests=60, longest_pause_seconds=600))
    assert account.resource().budget.budget() == Budget(60, 3600, longest_pause_s=600)


@pytest.mark.parametrize("name", ["", "acme inc", "a" * 61, "acme\n"])
def test_a_name_that_does_not_fit_is_refused(name: str) -> None:
    """When the YAML is read."""
    with pytest.raises(ValidationError, match=r"budget, `name`: use letters, digits and \. _ - only, 60 at most\."):
        BudgetConfig(name=name)


@pytest.mark.parametrize("seconds", [0.0, -3600.0])
def test_a_longest_pause_that_is_none_is_refused(seconds: float) -> None:
    """When the YAML is read."""
    with pytest.raises(ValidationError, match=r"budget, `longest_pause_seconds`: .* is out of range\."):
        BudgetConfig(longest_pause_seconds=seconds)
