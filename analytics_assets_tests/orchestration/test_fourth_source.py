"""A component of another vendor gets its plan and its diagnostics from the base component, and works without a sandbox."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

import dagster as dg
import pytest
from pydantic import Field

from analytics_assets import SOURCES
from analytics_assets.cli.demo import tables, without_sandbox
from analytics_assets.cli.plan import account_plan
from analytics_assets.clock import utc_now
from analytics_assets.errors import AccessRefusedError
from analytics_assets.http.destination import has_sandbox
from analytics_assets.lake.table import Table
from analytics_assets.orchestration.backfill_plan import Asking
from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets.orchestration.partitions import DAILY_TAG
from analytics_assets.orchestration.source_component import AccountComponent, ScheduleConfig
from analytics_assets.orchestration.state_resource import BudgetSettings
from analytics_assets.sources.bento.source import BentoResource
from analytics_assets.state.rate_limit import Budget, Caller

BUDGET = BudgetSettings(requests=7, per_seconds=60)


class FourthResource(BentoResource):
    """One account of the vendor."""

    vendor = "fourth"
    secret_fields = ("token",)
    token: str = Field(default="FOURTH_TOKEN")


class Fourth(AccountComponent):
    """An account of the vendor: one request a day."""

    def resource(self) -> FourthResource:
        """Its resource."""
        return FourthResource(budget=BUDGET)

    def not_found(self) -> str:
        """The account."""
        return "the account"

    def final_at(self, day: date) -> datetime:
        """The end of the day in UTC."""
        return datetime.combine(day + timedelta(days=1), time(), UTC)

    def askings(self, account: str) -> Sequence[Asking]:
        """One stream."""

        def requests(days: Sequence[date]) -> Mapping[str, int]:
            return {"GET /days": len(days)}

        return [Asking(account, "days", requests, self.final_at, is_exact=True)]

    def tables(self) -> Sequence[Table]:
        """None, as nothing is loaded."""
        return ()

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """None, as nothing is loaded."""
        return dg.Definitions()


FOURTH = Fourth(schedule=ScheduleConfig(cron="0 0 * * *", lookback_days=1, days_per_run=12), start_date="2026-03-01")


def test_the_command_plans_days_of_any_account() -> None:
    """With the rate limit of its resource and the days of its schedule."""
    plan = account_plan(FOURTH, "lab", option="--select")
    assert [asking.name for asking in plan.askings] == ["days"]
    assert (plan.days_per_run, plan.budget, plan.start_date) == (12, Budget(7, 60), date(2026, 3, 1))
    assert plan.budget_key == "fourth app.bentonow.com"


def test_the_doctor_examines_the_declared_secrets_of_any_account() -> None:
    """Fields that the source does not declare are not examined, whatever their names."""
    probe = FOURTH.probe()
    assert probe.variables == ("FOURTH_TOKEN",)
    assert probe.account is not None
    assert (probe.account.vendor, probe.account.unknown, probe.account.budget) == (
        "Fourth",
        "the account",
        Budget(7, 60),
    )
    assert probe.account.final_at(date(2026, 3, 1)) == datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize("server", [None, "http://127.0.0.1:1"], ids=["in process", "server"])
async def test_a_vendor_without_a_sandbox_is_refused_in_a_sentence(
    server: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a request is sent; the run of its account fails with these words."""
    if server:
        monkeypatch.setenv("ANALYTICS_SANDBOX_URL", server)
    with pytest.raises(AccessRefusedError) as caught:
        await FOURTH.resource().greet(clock=utc_now, caller=Caller())
    assert str(caught.value) == (
        "There is no sandbox of Fourth, so nothing is loaded from it in sandbox mode. "
        "Set ANALYTICS_MODE=live to load from the vendor itself."
    )
    # A module of the sandbox is not a vendor.
    assert [name for name in ("fourth", "app", "world", *SOURCES) if has_sandbox(name)] == list(SOURCES)


def test_the_demo_leaves_out_accounts_without_a_sandbox() -> None:
    """Their tables are not requested; those of the others are."""

    def table(account: str) -> dg.AssetSpec:
        return dg.AssetSpec([account, "days"], tags=dict([DAILY_TAG]))

    resources = {"lab": FOURTH.resource(), "shop": BentoResource(), "lake": LakeResource()}
    definitions = dg.Definitions(assets=[table("lab"), table("shop")], resources=resources)
    assert without_sandbox(definitions) == ["lab"]
    assert tables(definitions, DAILY_TAG[1]) == [dg.AssetKey(["shop", "days"])]
