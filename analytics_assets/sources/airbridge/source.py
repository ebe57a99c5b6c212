"""What `defs/<account>/defs.yaml` may say of an Airbridge app, and the definitions made from it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from functools import partial
from typing import Final

import dagster as dg
from pydantic import Field, field_validator, model_validator

from analytics_assets.checks.check import USUAL, Limits
from analytics_assets.clock import Clock
from analytics_assets.errors import FieldError
from analytics_assets.http.destination import place_of
from analytics_assets.lake.store import Lake
from analytics_assets.lake.stream import DayFetcher
from analytics_assets.orchestration.asset_checks import ChecksConfig, share
from analytics_assets.orchestration.asset_specs import asset_key
from analytics_assets.orchestration.charts.metadata import Pictures
from analytics_assets.orchestration.partitions import first_day
from analytics_assets.orchestration.run_context import Work
from analytics_assets.orchestration.schedules import Changing
from analytics_assets.orchestration.source_component import AccountComponent, BudgetConfig
from analytics_assets.orchestration.source_resource import SessionOptions, SourceResource
from analytics_assets.orchestration.state_resource import BudgetSettings
from analytics_assets.orchestration.stream import Opener, SourceStream, with_client
from analytics_assets.orchestration.yaml_component import checked, variable_name
from analytics_assets.settings import settings
from analytics_assets.sources.airbridge.charts import has_pictures, report_pictures
from analytics_assets.sources.airbridge.checks import MASKED_SHARE, catalog_checks, report_checks
from analytics_assets.sources.airbridge.client import BASE_URL, AirbridgeClient, AirbridgeCredentials, airbridge_session
from analytics_assets.sources.airbridge.cohort_filter_config import CohortConfig, CsvConfig, FilterConfig, SortConfig
from analytics_assets.sources.airbridge.maturity import first_changing
from analytics_assets.sources.airbridge.report_loader import MEMORY_BYTES, ReportReader, Waiting
from analytics_assets.sources.airbridge.report_spec import (
    DAYS_PER_TASK,
    SETTLE_DAYS,
    CsvResult,
    Filter,
    ReportSpec,
    Sort,
    spec_hash,
)
from analytics_assets.sources.airbridge.restatements import history, restatements_table
from analytics_assets.sources.airbridge.snapshot_tables import CATALOG, tasks_table
from analytics_assets.sources.airbridge.snapshots import fetch_catalog, fetch_tasks
from analytics_assets.sources.airbridge.streams import App, report_tables
from analytics_assets.sources.airbridge.tables import (
    cohort_totals_table,
    cohorts_table,
    daily_tables,
    report_raw_table,
)
from analytics_assets.sources.airbridge.task_decisions import TaskPolicy, requests_of
from analytics_assets.sources.airbridge.task_sensor import report_sensor
from analytics_assets.sources.airbridge.transform import period_limits, remarks
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
        return Ledger(settings().state, "".join(self.known_secrets()))

    def counted_by(self, secrets: Sequence[str]) -> Sequence[str]:  # noqa: ARG002 - the app has one limit
        """The app. No page says what Airbridge counts by."""
        return (place_of(self.base_url), self.app_name)

    def client(self, secrets: Sequence[str], options: SessionOptions) -> AirbridgeClient:
        """A client of the app."""
        credentials = AirbridgeCredentials(secrets[0], variables=self.secret_variables())
        return AirbridgeClient(airbridge_session(credentials=credentials, **options), self.app_name)

    async def send_cheapest_request(self, client: AirbridgeClient) -> None:
        """Lists the metrics, which starts no report task."""
        await client.metrics()


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
    sorts: list[SortConfig] = Field(default=[], description="Order of the groups in the response.")
    cohort: CohortConfig | None = Field(default=None, description="Who is counted; unset counts everybody.")
    csv: CsvConfig | None = Field(default=None, description="What a CSV result would hold.")

    def spec(self) -> ReportSpec:
        """The report to request."""
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
    timezone: str = Field(description="The app's time zone, fixed when it was registered; its days begin there.")
    currency: str = Field(
        description="The app's standard currency, fixed when it was registered; answers never name it."
    )
    final_after_hours: float = Field(
        default=4.0, ge=0, description="Hours after the end of a day before it is requested; costs take 4."
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
            **self.connection(POLITE_BUDGET),
        )

    def not_found(self) -> str:
        """The app, with the field that names it."""
        return f"the app {self.app_name!r} of `app_name`"

    def specs(self) -> list[ReportSpec]:
        """The reports to request."""
        return [report.spec() for report in self.reports]

    def streams(self, account: str) -> list[SourceStream]:
        """The reports by day, and the catalogue and the report requests as of now."""
        app, waiting, limits, masked_share = self.app(), self.waiting(), self.checks.limits(), self.checks.masked_share
        return [
            *(
                report_stream(account, app, spec, waiting, limits=limits, masked_share=masked_share)
                for spec in self.specs()
            ),
            catalog_stream(account, app),
            *(tasks_stream(account, app, spec) for spec in self.specs()),
        ]

    def changing(self, account: str) -> list[Changing]:
        """The cohorts of each report that are not settled."""
        lookback_days = self.schedule.lookback_days
        return [changing_days(account, self.app(), spec, lookback_days) for spec in self.specs()]

    def sensors(self, account: str, clock: Clock) -> list[dg.SensorDefinition]:
        """The sensor of the report tasks."""
        return [
            report_sensor(
                account,
                self.specs(),
                policy=self.tasks.policy(),
                days_per_run=self.schedule.days_per_run,
                interval_s=self.tasks.sensor_seconds,
                clock=clock,
                first_day=first_day(settings(), self.start_date),
            )
        ]


def report_stream(
    account: str,
    app: App,
    spec: ReportSpec,
    waiting: Waiting,
    *,
    limits: Limits = USUAL,
    masked_share: float = MASKED_SHARE,
) -> SourceStream:
    """The daily tables of a report."""
    cohorts = cohorts_table(spec)
    pictures = partial(report_pictures, account, spec, app=app.name, currency=app.currency)
    return SourceStream(
        account=account,
        name=spec.name,
        raw=report_raw_table(spec),
        typed=(cohorts, cohort_totals_table(spec)),
        open=_report_opener(account, app, spec, waiting),
        transform=partial(report_tables, spec=spec, app=app),
        request_hash=lambda _day: spec_hash(spec),
        final_at=app.final_at,
        request_count=waiting.request_count,
        history=history(spec, zone=app.zone),
        limits=period_limits,
        remarks=remarks,
        checks=report_checks(account, spec, limits, masked_share=masked_share),
        # Checks cover a cohort until it is settled.
        check_days=spec.intervals + spec.settle_days + 1,
        charts=[Pictures(cohorts.name, pictures)] if has_pictures(spec) else [],
    )


def _report_opener(account: str, app: App, spec: ReportSpec, waiting: Waiting) -> Opener:
    @asynccontextmanager
    async def opened(work: Work) -> AsyncIterator[DayFetcher]:
        async with work.resource.open(clock=work.clock, origin=work.origin) as client:
            reader = ReportReader(
                account,
                spec,
                client,
                ledger=await asyncio.to_thread(work.resource.ledger),
                lake=work.lake,
                waiting=waiting,
                clock=work.clock,
                owner=work.owner,
                log=work.log,
                only=requests_of(work.tags),
                zone=app.zone,
                accepts_totals=work.accepts_by_tag,
                meter=client.session.meter,
            )
            try:
                yield DayFetcher(reader.fetch, reader.announce, reader.mark_stored)
            finally:
                await reader.close()

    return opened


def changing_days(account: str, app: App, spec: ReportSpec, lookback_days: int) -> Changing:
    """The days of a report that its schedule requests: every cohort that is not settled, and no other."""
    keys = [asset_key(account, table.name) for table in (*daily_tables(spec), restatements_table(spec))]

    def first(lake: Lake, newest: date) -> date | None:
        return first_changing(lake, account, app, spec, newest=newest, lookback_days=lookback_days)

    return Changing(keys, first)


def catalog_stream(account: str, app: App) -> SourceStream:
    """The snapshot of what reports may name, of the app's day."""
    return SourceStream(
        account=account,
        name="catalog",
        raw=CATALOG,
        open=with_client(lambda client, _work: partial(fetch_catalog, client)),
        day_of=app.day_of,
        checks=catalog_checks(),
    )


def tasks_stream(account: str, app: App, spec: ReportSpec) -> SourceStream:
    """The snapshot of a report's requests in the ledger, of the app's day."""

    @asynccontextmanager
    async def opened(work: Work) -> AsyncIterator[DayFetcher]:
        ledger = await asyncio.to_thread(work.resource.ledger)
        yield DayFetcher(partial(fetch_tasks, account, spec, ledger, clock=work.clock))

    return SourceStream(
        account=account,
        name=f"{spec.name}_tasks",
        raw=tasks_table(spec),
        open=opened,
        day_of=app.day_of,
        sends_requests=False,
    )
