"""What `defs/<account>/defs.yaml` may say of a Statsig project, and the definitions made from it.

Keep meaning out of here: the specs in `streams.py` check what fits together, the schemas here only what YAML can hold.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

import dagster as dg
from pydantic import Field, field_validator, model_validator

from analytics_assets.clock import utc_now
from analytics_assets.errors import AccessRefusedError
from analytics_assets.lake.table import Table
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
from analytics_assets.orchestration.state_resource import BudgetSettings, mark_of, place_of
from analytics_assets.sources.statsig.assets import definitions_assets, listing_assets, values_assets
from analytics_assets.sources.statsig.client import BASE_URL, StatsigClient, StatsigCredentials, statsig_session
from analytics_assets.sources.statsig.streams import ListingSpec, ValuesSpec
from analytics_assets.sources.statsig.tables import EVENT_METRICS, LISTING_RAW, METRIC_VALUES, VALUES_RAW

# 900 in 15 minutes a project, the most that any page allows in the long run; in windows short enough for small bursts only.
READ_BUDGET: Final = BudgetSettings(requests=10, per_seconds=10)


class StatsigResource(SourceResource[StatsigClient]):
    """One Statsig project."""

    vendor = "statsig"
    documented_url = BASE_URL
    secret_fields = ("console_key_variable",)

    console_key_variable: str = Field(
        default="STATSIG_CONSOLE_KEY", description="Environment variable of the Console API key."
    )
    base_url: str = Field(default=BASE_URL, description="Address of the API.")
    budget: BudgetSettings = Field(default=READ_BUDGET, description="What the project may spend.")

    def counted_by(self) -> Sequence[str]:
        """The project: its address, and a mark of its key or, where that is not set, the key's variable."""
        place = place_of(self.base_url)
        try:
            [secret] = self.secrets()
        except AccessRefusedError:
            return (place, self.console_key_variable)
        return (place, mark_of(secret, place))

    def client(self, secrets: Sequence[str], options: SessionOptions) -> StatsigClient:
        """A client of the project."""
        credentials = StatsigCredentials(secrets[0], variables=self.secret_variables())
        return StatsigClient(statsig_session(credentials=credentials, **options))

    async def send_cheapest_request(self, client: StatsigClient) -> None:
        """Reads the first metric."""
        await client.first_metric()


class StatsigMetrics(AccountComponent):
    """A Statsig project: the metrics of its events as defined each day, and their daily values."""

    key: str = Field(
        default="STATSIG_CONSOLE_KEY", description="Environment variable of the Console API key; never the key itself."
    )
    base_url: str = Field(
        default=BASE_URL, description="Address of the API in live mode: https, or http to this machine."
    )
    events: list[str] | None = Field(
        default=None, description="Exact event names; unset discovers them from the lineage of all metrics."
    )
    keep_personal_fields: bool = Field(
        default=False, description="Whether names and e-mail addresses of people may be written."
    )
    day_utc_offset_hours: float = Field(
        default=-8.0, description="Zone of the metric day; Statsig's is UTC-8 all year unless moved."
    )
    final_after_hours: float = Field(
        default=12.0, description="Hours after the end of a day before its values are asked for."
    )
    budget: BudgetConfig | None = Field(
        default=None, description="What may be spent; unset is 10 in 10 seconds, what the vendor is known to bear."
    )

    _names = field_validator("key")(variable_name)

    @model_validator(mode="after")
    def _fits_together(self) -> "StatsigMetrics":
        checked(self.values_spec)
        checked(self.listing_spec, "events")
        return self

    def values_spec(self) -> ValuesSpec:
        """The daily values to read."""
        return ValuesSpec(day_utc_offset_hours=self.day_utc_offset_hours, final_after_hours=self.final_after_hours)

    def listing_spec(self) -> ListingSpec:
        """The definitions to read."""
        return ListingSpec(
            events=None if self.events is None else tuple(self.events),
            keep_personal_fields=self.keep_personal_fields,
            day_utc_offset_hours=self.day_utc_offset_hours,
        )

    def resource(self) -> StatsigResource:
        """What opens the project."""
        budget = self.budget.settings(READ_BUDGET) if self.budget else READ_BUDGET
        return StatsigResource(console_key_variable=self.key, base_url=self.base_url, budget=budget)

    def not_found(self) -> str:
        """The project, with the variable of its key."""
        return f"the project of {self.key}"

    def final_at(self, day: date) -> datetime:
        """Instant from which a day can be requested, in UTC."""
        return self.values_spec().final_at(day)

    def askings(self, account: str) -> Sequence[Asking]:
        """The values and the listing. Definitions are derived from the stored listing."""
        values = self.values_spec()
        return [
            Asking(account, "values", values.requests, values.final_at, is_exact=False),
            Asking(account, "listing", lambda _days: {}, None, is_exact=True),
        ]

    def tables(self) -> Sequence[Table]:
        """Every table of the account."""
        return (VALUES_RAW, METRIC_VALUES, EVENT_METRICS, LISTING_RAW)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The account's definitions."""
        account, values, listing = account_of(context), self.values_spec(), self.listing_spec()
        partitions, days = self.partitions(), self.schedule.days_per_run
        limits = self.checks.limits()
        return account_definitions(
            account,
            daily=[
                values_assets(account, values, partitions, days_per_run=days, clock=utc_now, limits=limits),
                definitions_assets(
                    account,
                    listing,
                    partitions,
                    days_per_run=days,
                    clock=utc_now,
                    final_at=values.final_at,
                    limits=limits,
                ),
            ],
            snapshots=[listing_assets(account, listing, clock=utc_now, limits=limits)],
            load=DailyLoad(self.schedule.cron, self.schedule.lookback_days, values.final_at),
            resource=self.resource(),
            owners=self.owners,
            start_date=self.start_date,
        )
