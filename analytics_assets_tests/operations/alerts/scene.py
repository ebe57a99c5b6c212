"""An account with real runs, checks and report tasks, and the sensor of its alerts. No assertions here."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import dagster as dg
from dagster import DailyPartitionsDefinition

from analytics_assets.clock import utc_now
from analytics_assets.errors import SourceError
from analytics_assets.operations.alerts.sensor import AlertSpec, alert_sensor
from analytics_assets.orchestration.source_resource import SourceResource
from analytics_assets.sources.bento.source import BentoResource
from analytics_assets.state.alert_log import AlertLog, IssueKind
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.lake.vendor import Vendor
from analytics_assets_tests.shop import Shop, table_key

DAYS = DailyPartitionsDefinition(start_date="2026-01-01", end_date="2026-06-01")
FIRST = date(2026, 1, 1)
SPEC = AlertSpec(
    destinations=("OPS_HOOK",),
    ui="http://dagster.example.com/",
    kinds=frozenset(IssueKind),
    warnings=True,
    repeat=timedelta(hours=24),
)


@dataclass
class Scene:
    """The account `shop` and its alerts.

    Attributes:
        shop: The account.
        state: SQLAlchemy URL of the state database.
        spec: What is sent, and where.
        later: How far the sensor's clock is ahead.
        resource: The resource of another account, whose keys are redacted.
        loaded: The definitions, once they are loaded.
    """

    shop: Shop
    state: str
    spec: AlertSpec = SPEC
    later: timedelta = field(default_factory=timedelta)
    resource: SourceResource[Any] = field(default_factory=BentoResource)
    loaded: dg.RepositoryDefinition | None = None

    @property
    def instance(self) -> dg.DagsterInstance:
        """Dagster's."""
        return self.shop.instance

    @property
    def ledger(self) -> Ledger:
        """The report tasks."""
        return Ledger(self.state)

    @property
    def log(self) -> AlertLog:
        """The open issues."""
        return AlertLog(self.state)

    def now(self) -> datetime:
        """The sensor's instant."""
        return utc_now() + self.later

    def repository(self) -> dg.RepositoryDefinition:
        """The account with its checks, as Dagster loads it; loaded once."""
        if self.loaded is None:
            self.loaded = self._repository()
        return self.loaded

    def _repository(self) -> dg.RepositoryDefinition:

        def check(table: str, name: str) -> dg.AssetChecksDefinition:
            @dg.asset_check(asset=table_key(table), name=name)
            def checked() -> dg.AssetCheckResult:
                return dg.AssetCheckResult(passed=True)

            return checked

        account = self.shop.definitions()
        checks = [
            check(table, name) for table in ("numbers_raw", "numbers", "sums") for name in ("volume", "reports_arrive")
        ]
        tasks = [dg.AssetSpec(table_key(f"{report}_tasks")) for report in ("revenue", "users")]
        return dg.Definitions.merge(
            account, dg.Definitions(assets=tasks, asset_checks=checks, resources={"other": self.resource})
        ).get_repository_def()

    def tick(self) -> str:
        """One evaluation of the sensor; what it says of itself."""
        sensor = alert_sensor(self.spec, clock=self.now)
        context = dg.build_sensor_context(instance=self.instance, repository_def=self.repository())
        return sensor.evaluate_tick(context).skip_message or ""

    def fails(self, errors: dict[int, SourceError | Exception], *, days: int, **tags: str) -> dg.DagsterRun:
        """A run over the first days, in which some fail; the days are numbered from 0."""
        self.shop.vendor = Vendor({FIRST + timedelta(number): error for number, error in errors.items()})
        return self.runs(days, **tags)

    def runs(self, days: int, **tags: str) -> dg.DagsterRun:
        """A run over the first days."""
        last = FIRST + timedelta(days - 1)
        span = {"dagster/asset_partition_range_start": str(FIRST), "dagster/asset_partition_range_end": str(last)}
        return self.shop.run({**span, **{name.replace("__", "/"): value for name, value in tags.items()}})

    def evaluates(self, table: str, name: str, **given: Any) -> None:
        """An evaluation of a check, outside of runs."""
        self.instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(asset_key=table_key(table), check_name=name, **given)
        )
