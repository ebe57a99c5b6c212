"""What `defs/<account>/defs.yaml` may say of an Airbridge app, and the definitions made from it.

Keep meaning out of here: `report_spec.py` checks what fits together, the schemas here only what YAML can hold.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

import dagster as dg
from pydantic import Field, field_validator, model_validator

from analytics_assets.clock import utc_now
from analytics_assets.errors import AccessRefusedError, FieldError
from analytics_assets.lake.table import Table
from analytics_assets.orchestration.asset_checks import ChecksConfig, share
from analytics_assets.orchestration.backfill_plan import Asking
from analytics_assets.orchestration.schedules import DailyLoad
from analytics_assets.orchestration.source_component import (
    AccountComponent,
    BudgetConfig,
    account_definitions,
    account_of,
    checked,
    variable_name,
)
from analytics_assets.orchestration.source_resource import SessionOptions, SourceResource
from analytics_assets.orchestration.state_resource import BudgetSettings, place_of
from analytics_assets.settings import settings
from analytics_assets.sources.airbridge.assets import catalog_assets, changing_days, report_assets, tasks_assets
from analytics_assets.sources.airbridge.checks import MASKED_SHARE
from analytics_assets.sources.airbridge.client import BASE_URL, AirbridgeClient, AirbridgeCredentials, airbridge_session
from analytics_assets.sources.airbridge.cohort_filter_config import CohortConfig
from analytics_assets.sources.airbridge.report_loader import MEMORY_BYTES, Waiting
from analytics_assets.sources.airbridge.report_spec import (
    DAYS_PER_TASK,
    SETTLE_DAYS,
    CsvResult,
    Filter,
    ReportSpec,
    Sort,
)
from analytics_assets.sources.airbridge.restatements import restatements_table
from analytics_assets.sources.airbridge.snapshot_tables import CATALOG, tasks_table
from analytics_assets.sources.airbridge.streams import App
from analytics_assets.sources.airbridge.tables import daily_tables
from analytics_assets.sources.airbridge.task_decisions import TaskPolicy
from analytics_assets.sources.airbridge.task_sensor import report_sensor
from analytics_assets.state.report_ledger import Ledger

# Airbridge names no number and answers 429 to use that endangers the service, so this is a courtesy.
POLITE_BUDGET: Final = BudgetSettings(requests=100, per_seconds=10)


class AirbridgeResource(SourceResource[AirbridgeClient]):
    """One Airbridge app."""

    vendor = "airbridge"
    documented_url = BASE_URL
    secret_fields = ("token_variable",)

    app_name: str = Field(description="The app's unique name, as in the address of its dashboard.")
    token_variable: str = Field(default="AIRBRIDGE_API_TOKEN", description="Environment variable of the API token.")
    base_url: str = Field(default=BASE_URL, description="Address of the API.")
    budget: BudgetSettings = Field(default=POLITE_BUDGET, description="What the app may spend.")

    def ledger(self) -> Ledger:
        """The ledger of report requests, which runs and the sensor share. It can be read without the token."""
        try:
            [secret] = self.secrets()
        except AccessRefusedError:
            secret = ""
        return Ledger(settings().state, secret)

    def counted_by(self) -> Sequence[str]:
        """The app. No page says what Airbridge counts by."""
        return (place_of(self.base_url), self.app_name)

    def client(self, secrets: Sequence[str], options: SessionOptions) -> AirbridgeClient:
        """A client of the app."""
        credentials = AirbridgeCredentials(secrets[0], variables=self.secret_variables())
        return AirbridgeClient(airbridge_session(credentials=credentials, **options), self.app_name)

    async def send_cheapest_request(self, client: AirbridgeClient) -> None:
        """Lists the metrics, which starts no report task."""
        await client.metrics()


class FilterConfig(dg.Model):
    """A condition on a dimension."""

    field: str = Field(description="Dimension, a key of the vendor's metadata.")
    type: str = Field(description="IN, NOT IN, LIKE, NOT LIKE, EXIST or NOT EXIST.")
    values: list[str] = Field(default=[], description="Values; EXIST and NOT EXIST need none.")


class SortConfig(dg.Model):
    """An order of the groups in the answer."""

    field: str = Field(description="Field; the vendor's page names totalRevenue only.")
    ascending: bool = Field(default=True, description="Whether the smallest comes first.")


class CsvConfig(dg.Model):
    """What a CSV result would hold beside the rows; nothing says that it changes the JSON answer."""

    includes_metadata: bool | None = Field(
        default=None, description="Sent as resultSpec.csv.includesMetadata; unset is not sent."
    )
    includes_total: bool | None = Field(
        default=None, description="Sent as resultSpec.csv.includesTotal; unset is not sent."
    )


class ReportConfig(dg.Model):
    """A daily revenue report; its tables are named after it."""

    name: str = Field(description="First part of its tables' names.")
    group_by: list[str] = Field(description="Dimensions, keys of the vendor's metadata; they become columns.")
    metric: str = Field(description="app_revenue, app_user_count, app_event_count, app_roas, app_arpu or app_arppu.")
    aggregation: str = Field(description="cumulative or on-day; app_user_count takes unique-cumulative too.")
    start_events: list[str] = Field(default=["app_install"], description="What begins a cohort.")
    return_events: list[str] = Field(default=["app_order_complete"], description="What counts for the metric.")
    intervals: int = Field(default=30, description="Last interval, in days after the start; 0 to 120.")
    settle_days: int = Field(
        default=SETTLE_DAYS,
        description="Days after its last interval is complete in which a cohort is still requested, because vendors correct late; 0 to 92.",
    )
    granularity: str = Field(default="day", description="day; a week or month is no table of a day.")
    filters: list[FilterConfig] = Field(default=[], description="Conditions on dimensions.")
    sorts: list[SortConfig] = Field(default=[], description="Order of the groups in the answer.")
    cohort: CohortConfig | None = Field(default=None, description="Who is counted; unset counts everybody.")
    csv: CsvConfig | None = Field(default=None, description="What a CSV result would hold.")

    def spec(self) -> ReportSpec:
        """The report to ask for."""
        return ReportSpec(
            name=self.name,
            group_by=tuple(self.group_by),
            metric=self.metric,
            aggregation=self.aggregation,
            start_events=tuple(self.start_events),
            return_events=tuple(self.return_events),
            intervals=self.intervals,
            granularity=self.granularity,
            filters=tuple(Filter(one.field, one.type, tuple(one.values)) for one in self.filters),
            sorts=tuple(Sort(one.field, one.ascending) for one in self.sorts),
            cohort=None if self.cohort is None else self.cohort.cohort(),
            csv=None if self.csv is None else CsvResult(self.csv.includes_metadata, self.csv.includes_total),
            settle_days=self.settle_days,
        )


class TasksConfig(dg.Model):
    """How report tasks are waited for."""

    wait_seconds: float = Field(
        default=360.0, ge=0, description="Seconds a run waits for a task before it leaves the days to the sensor."
    )
    days_per_task: int = Field(
        default=DAYS_PER_TASK, ge=1, le=DAYS_PER_TASK, description="Days one task covers at most."
    )
    page_size: int = Field(default=100, ge=1, description="Groups read at once.")
    memory_mb: int = Field(
        default=MEMORY_BYTES // 2**20,
        ge=1,
        description="MB of a report's pages that a run holds in memory, those of all its tasks together; more is written to a temporary file. Where pages are large, fewer are requested at once. One page always has to fit: lower `page_size` for many days and intervals.",
    )
    sensor_seconds: int = Field(default=15, ge=1, description="Seconds between two looks of the sensor.")
    deadline_seconds: float = Field(
        default=TaskPolicy.deadline_s, gt=0, description="A task without an end after this is given up."
    )
    first_pause_seconds: float = Field(
        default=TaskPolicy.first_pause_s, gt=0, description="Pause before a second task; doubles with each attempt."
    )
    longest_pause_seconds: float = Field(
        default=TaskPolicy.longest_pause_s, gt=0, description="No pause between tasks is longer."
    )
    alert_after_failures: int = Field(
        default=TaskPolicy.loud_from,
        ge=1,
        description="Failed tasks in a row after which the check `reports_arrive` warns and an alert is sent; the sensor continues.",
    )

    def policy(self) -> TaskPolicy:
        """The bounds of looks and new attempts."""
        return TaskPolicy(
            deadline_s=self.deadline_seconds,
            first_pause_s=self.first_pause_seconds,
            longest_pause_s=self.longest_pause_seconds,
            loud_from=self.alert_after_failures,
        )


class AirbridgeChecksConfig(ChecksConfig):
    """From where on the checks of an Airbridge app warn."""

    masked_share: float = Field(
        default=MASKED_SHARE, description="Share of a day's reached values that Airbridge may mask."
    )

    _shares = field_validator("masked_share")(share)


class AirbridgeRevenue(AccountComponent):
    """An Airbridge app: revenue reports by cohort day, their report tasks, and the app's catalogue."""

    app_name: str = Field(description="The app's unique name, as in the address of its dashboard.")
    token: str = Field(
        default="AIRBRIDGE_API_TOKEN", description="Environment variable of the API token; never the token itself."
    )
    base_url: str = Field(
        default=BASE_URL, description="Address of the API in live mode: https, or http to this machine."
    )
    timezone: str = Field(description="The app's time zone, fixed when it was registered; its days begin there.")
    currency: str = Field(
        description="The app's standard currency, fixed when it was registered; answers never name it."
    )
    final_after_hours: float = Field(
        default=4.0, ge=0, description="Hours after the end of a day before it is asked for; costs take 4."
    )
    reports: list[ReportConfig] = Field(
        min_length=1,
        description="The reports to read. Changed under its name, a report is asked anew for the days that still change, and older days keep the answers to the old question: materialize them too, or give it a new name.",
    )
    tasks: TasksConfig = Field(default_factory=TasksConfig, description="How report tasks are waited for.")
    budget: BudgetConfig | None = Field(
        default=None, description="What may be spent; unset is 100 in 10 seconds, what the vendor is known to bear."
    )
    checks: AirbridgeChecksConfig = Field(
        default_factory=AirbridgeChecksConfig, description="From where on the checks warn."
    )

    _names = field_validator("token")(variable_name)

    @model_validator(mode="after")
    def _fits_together(self) -> "AirbridgeRevenue":
        names = [report.name for report in self.reports]
        if len(set(names)) < len(names):
            raise FieldError(
                "two have the same name, so their tables would collide.",
                "reports",
                remedy="Give each a name of its own.",
            )
        checked(self.app)
        for number, report in enumerate(self.reports):
            checked(report.spec, "reports", number)
        return self

    def app(self) -> App:
        """The app the numbers belong to."""
        return App(self.app_name, self.timezone, self.currency, self.final_after_hours)

    def waiting(self) -> Waiting:
        """How a run waits for its tasks."""
        tasks = self.tasks
        memory_bytes = tasks.memory_mb * 2**20
        return Waiting(tasks.wait_seconds, tasks.days_per_task, tasks.page_size, tasks.policy(), memory_bytes)

    def resource(self) -> AirbridgeResource:
        """What opens the app."""
        return AirbridgeResource(
            app_name=self.app_name,
            token_variable=self.token,
            base_url=self.base_url,
            budget=self.budget.settings(POLITE_BUDGET) if self.budget else POLITE_BUDGET,
        )

    def not_found(self) -> str:
        """The app, with the field that names it."""
        return f"the app {self.app_name!r} of `app_name`"

    def final_at(self, day: date) -> datetime:
        """Instant from which a day can be requested, in UTC."""
        return self.app().final_at(day)

    def askings(self, account: str) -> Sequence[Asking]:
        """The reports and the catalogue."""
        requests, final_at = self.waiting().requests, self.app().final_at
        return [
            *(Asking(account, report.name, requests, final_at, is_exact=False) for report in self.reports),
            Asking(account, "catalog", lambda _days: {}, None, is_exact=True),
        ]

    def tables(self) -> Sequence[Table]:
        """Every table of the account."""
        specs = [report.spec() for report in self.reports]
        of_reports = [(*daily_tables(spec), restatements_table(spec), tasks_table(spec)) for spec in specs]
        return [*(table for tables in of_reports for table in tables), CATALOG]

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The account's definitions."""
        account, app, days = account_of(context), self.app(), self.schedule.days_per_run
        specs = [report.spec() for report in self.reports]
        partitions, policy = self.partitions(), self.tasks.policy()
        waiting, limits = self.waiting(), self.checks.limits()
        sensor = report_sensor(
            account,
            specs,
            policy=policy,
            days_per_run=days,
            interval_s=self.tasks.sensor_seconds,
            clock=utc_now,
            first_day=partitions.start.date(),
        )
        return account_definitions(
            account,
            daily=[
                report_assets(
                    account,
                    app,
                    spec,
                    waiting,
                    partitions,
                    days_per_run=days,
                    clock=utc_now,
                    limits=limits,
                    masked_share=self.checks.masked_share,
                )
                for spec in specs
            ],
            snapshots=[
                catalog_assets(account, app, clock=utc_now, limits=limits),
                *(tasks_assets(account, app, spec, clock=utc_now, limits=limits) for spec in specs),
            ],
            load=DailyLoad(
                self.schedule.cron,
                self.schedule.lookback_days,
                app.final_at,
                [changing_days(account, app, spec, self.schedule.lookback_days) for spec in specs],
            ),
            resource=self.resource(),
            owners=self.owners,
            start_date=self.start_date,
            sensors=[sensor],
        )
