"""A component of another vendor declares its streams; the base component derives the rest. It works without a sandbox."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import dagster as dg
import pytest
from pydantic import Field

from analytics_assets.cli.demo import tables
from analytics_assets.cli.plan import account_plan
from analytics_assets.clock import utc_now
from analytics_assets.errors import AccessRefusedError
from analytics_assets.http.destination import has_sandbox
from analytics_assets.lake.store import Lake
from analytics_assets.orchestration.asset_checks import ChecksConfig, checks_daily
from analytics_assets.orchestration.backfill_guard import PLAN_KEY
from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets.orchestration.partitions import DAILY_TAG
from analytics_assets.orchestration.source_component import AccountComponent, ScheduleConfig, tables_of
from analytics_assets.orchestration.source_resource import without_sandbox
from analytics_assets.orchestration.state_resource import BudgetSettings
from analytics_assets.orchestration.stream import SourceStream, with_client
from analytics_assets.sources.bento.source import BentoResource
from analytics_assets.state.rate_limit import Budget, RequestOrigin
from analytics_assets_tests.lake.vendor import NUMBERS, RAW, SUMS, Vendor, days, numbers

BUDGET = BudgetSettings(requests=7, per_seconds=60)


class FourthResource(BentoResource):
    """One account of the vendor."""

    vendor = "fourth"
    secret_fields = ("token",)
    token: str = Field(default="FOURTH_TOKEN")


class Fourth(AccountComponent):
    """An account of the vendor: one request a day, and a snapshot."""

    def resource(self) -> FourthResource:
        """Its resource."""
        return FourthResource(**self.connection(BUDGET))

    def not_found(self) -> str:
        """The account."""
        return "the account"

    def streams(self, account: str) -> list[SourceStream]:
        """A stream of days, and a snapshot of the state database."""
        return [
            SourceStream(
                account=account,
                name="days",
                raw=RAW,
                typed=(NUMBERS,),
                transform=numbers,
                open=with_client(lambda _client, _work: Vendor().fetch),
                final_at=lambda day: datetime.combine(day + timedelta(days=1), time(), UTC),
                request_count=lambda days: {"GET /days": len(days)},
                is_exact=True,
            ),
            SourceStream(account=account, name="sum", raw=SUMS, sends_requests=False),
        ]


FOURTH = Fourth(schedule=ScheduleConfig(cron="0 0 * * *", lookback_days=1, days_per_run=12), start_date="2026-03-01")


def test_the_command_plans_days_of_any_account() -> None:
    """With the rate limit of its resource and the days of its schedule."""
    plan = account_plan(FOURTH, "lab", option="--select")
    assert [stream.name for stream in plan.streams] == ["days", "sum"]
    assert (plan.days_per_run, plan.budget, plan.start_date) == (12, Budget(7, 60), date(2026, 3, 1))
    assert plan.budget_key == "fourth app.bentonow.com"


def test_the_doctor_examines_the_declared_secrets_of_any_account() -> None:
    """Fields that the source does not declare are not examined, whatever their names."""
    diagnostics = FOURTH.diagnostics()
    assert diagnostics.variables == ("FOURTH_TOKEN",)
    assert diagnostics.account is not None
    assert (diagnostics.account.vendor, diagnostics.account.unknown, diagnostics.account.budget) == (
        "Fourth",
        "the account",
        Budget(7, 60),
    )
    assert diagnostics.account.final_at(date(2026, 3, 1)) == datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize("server", [None, "http://127.0.0.1:1"], ids=["in process", "server"])
async def test_a_vendor_without_a_sandbox_is_refused_in_a_sentence(
    server: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a request is sent; the run of its account fails with these words."""
    if server:
        monkeypatch.setenv("ANALYTICS_SANDBOX_URL", server)
    with pytest.raises(AccessRefusedError) as caught:
        await FOURTH.resource().health_check(clock=utc_now, origin=RequestOrigin())
    assert str(caught.value) == (
        "There is no sandbox of Fourth, so nothing is loaded from it in sandbox mode. "
        "Set ANALYTICS_MODE=live to load from the vendor itself."
    )
    # A module of the sandbox is not a vendor.
    assert [name for name in ("fourth", "app", "world", "bento") if has_sandbox(name)] == ["bento"]


def test_the_demo_leaves_out_accounts_without_a_sandbox() -> None:
    """Their tables are not requested; those of the others are."""

    def table(account: str) -> dg.AssetSpec:
        return dg.AssetSpec([account, "days"], tags=dict([DAILY_TAG]))

    resources = {"lab": FOURTH.resource(), "shop": BentoResource(), "lake": LakeResource()}
    definitions = dg.Definitions(assets=[table("lab"), table("shop")], resources=resources)
    assert without_sandbox(definitions) == ["lab"]
    assert tables(definitions, DAILY_TAG[1]) == [dg.AssetKey(["shop", "days"])]


def test_an_account_has_the_assets_jobs_and_schedules_of_its_streams() -> None:
    """Days are partitions of the account, a snapshot has none; each stream is one step."""
    definitions = FOURTH.definitions("lab")
    shared = dg.Definitions(resources={"lake": LakeResource()})
    graph = dg.Definitions.merge(definitions, shared).get_repository_def().asset_graph
    keys = graph.get_all_asset_keys() - {PLAN_KEY}
    shown = {key.to_user_string(): graph.get(key).partitions_def for key in keys}
    days = FOURTH.partitions("lab")
    assert shown == {"lab/numbers_raw": days, "lab/numbers": days, "lab/sums": None}
    steps = {graph.get(key).tags["stream"] for key in keys}
    assert steps == {"days", "sum"}
    [schedule] = definitions.schedules or ()
    assert (schedule.name, schedule.job.name) == ("lab_daily", "lab_daily")
    assert list(definitions.resources or {}) == ["lab"]
    assert list(tables_of({"lab": FOURTH})) == [("lab", name) for name in ("numbers_raw", "numbers", "sums")]


def test_an_account_of_snapshots_has_no_schedule_of_days() -> None:
    """Its snapshots are taken with those of the other accounts, and a day is final at its end in UTC."""

    class Snapshots(Fourth):
        def streams(self, account: str) -> list[SourceStream]:
            return [stream for stream in super().streams(account) if stream.is_snapshot]

    account = Snapshots(schedule=FOURTH.schedule)
    definitions = account.definitions("lab")
    assert (definitions.jobs, definitions.schedules) == ([], [])
    assert account.final_at("lab")(date(2026, 3, 1)) == datetime(2026, 3, 2, tzinfo=UTC)


def test_the_checks_of_an_account_cover_the_days_of_its_yaml(tmp_path: Path) -> None:
    """All streams have the limits of the account."""
    account = Fourth(schedule=FOURTH.schedule, start_date="2026-03-01", checks=ChecksConfig(days=3))
    lake = LakeResource(root=str(tmp_path / "lake"), sandbox=True)
    for day in days(10):
        stored = Lake(str(tmp_path / "lake"))
        stored.store_day("lab", NUMBERS, day, NUMBERS.rows([{"date": day, "part": 0, "number": 1}]), is_sandbox=True)
        stored.store_day("lab", SUMS, day, SUMS.rows([{"date": day, "sum": 1}]), is_sandbox=True)
    checks = checks_daily(dg.AssetSelection.all(), "0 0 * * *", is_on=False).job
    definitions = dg.Definitions.merge(
        account.definitions("lab", lambda: datetime(2026, 3, 10, 12, tzinfo=UTC)),
        dg.Definitions(resources={"lake": lake}, jobs=[checks], executor=dg.in_process_executor),
    )
    with dg.DagsterInstance.ephemeral() as instance:
        run = definitions.resolve_job_def("checks_daily").execute_in_process(instance=instance)
    days_covered = {
        one.asset_key.path[-1]: one.metadata["days_looked_at"].value
        for one in run.get_asset_check_evaluations()
        if one.check_name == "days_stored"
    }
    assert days_covered == {"numbers_raw": 0, "numbers": 3, "sums": 3}


def test_address_and_rate_limit_of_the_yaml_reach_the_resource() -> None:
    """Where the YAML has none, the vendor's are used."""
    given = Fourth(schedule=FOURTH.schedule, base_url="https://other.example", budget={"requests": 3})
    assert (given.resource().base_url, given.resource().budget.budget()) == ("https://other.example", Budget(3, 60))
    assert (FOURTH.resource().base_url, FOURTH.resource().budget) == (BentoResource().base_url, BUDGET)
