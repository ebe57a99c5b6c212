"""What `defs/<account>/defs.yaml` may say of a Statsig project, and the definitions made from it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Final

from pydantic import Field, field_validator, model_validator

from analytics_assets.checks.check import USUAL, Limits
from analytics_assets.http.destination import place_of
from analytics_assets.lake.raw import RawDay
from analytics_assets.lake.store import Lake
from analytics_assets.lake.stream import Typed
from analytics_assets.orchestration.asset_specs import asset_key
from analytics_assets.orchestration.charts.metadata import Pictures
from analytics_assets.orchestration.run_context import Work
from analytics_assets.orchestration.source_component import AccountComponent, BudgetConfig
from analytics_assets.orchestration.source_resource import SessionOptions, SourceResource
from analytics_assets.orchestration.state_resource import BudgetSettings, mark_of
from analytics_assets.orchestration.stream import SourceStream, with_client
from analytics_assets.orchestration.yaml_component import checked, variable_name
from analytics_assets.sources.statsig.charts import value_pictures
from analytics_assets.sources.statsig.checks import definitions_checks, listing_checks, values_checks
from analytics_assets.sources.statsig.client import BASE_URL, StatsigClient, StatsigCredentials, statsig_session
from analytics_assets.sources.statsig.observations import DerivedDays
from analytics_assets.sources.statsig.streams import (
    ListingSpec,
    ValuesSpec,
    counted_value_rows,
    counted_values,
    day_of,
    fetch_listing,
    fetch_values,
)
from analytics_assets.sources.statsig.tables import EVENT_METRICS, LISTING_RAW, METRIC_VALUES, VALUES_RAW
from analytics_assets.sources.statsig.totals import ListTotals

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

    def counted_by(self, secrets: Sequence[str]) -> Sequence[str]:
        """The project: its address, and a mark of its key or, where that is not set, the key's variable."""
        place = place_of(self.base_url)
        return (place, mark_of(secrets[0], place) if secrets else self.console_key_variable)

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
        default=12.0, description="Hours after the end of a day before its values are requested."
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
        return StatsigResource(console_key_variable=self.key, **self.connection(READ_BUDGET))

    def not_found(self) -> str:
        """The project, with the variable of its key."""
        return f"the project of {self.key}"

    def streams(self, account: str) -> list[SourceStream]:
        """The values and definitions by day, and the list of all definitions as of now."""
        values, listing, limits = self.values_spec(), self.listing_spec(), self.checks.limits()
        return [
            values_stream(account, values, limits=limits),
            definitions_stream(account, listing, final_at=values.final_at, limits=limits),
            listing_stream(account, listing),
        ]


def values_stream(account: str, spec: ValuesSpec, *, limits: Limits = USUAL) -> SourceStream:
    """The daily tables of `/metrics/values`."""

    def fetch(client: StatsigClient, work: Work) -> Callable[[date], Awaitable[RawDay]]:
        totals = ListTotals(work.lake, account, VALUES_RAW, work.accepts_by_tag)
        return partial(fetch_values, client, spec, totals, clock=work.clock)

    return SourceStream(
        account=account,
        name="values",
        raw=VALUES_RAW,
        typed=(METRIC_VALUES,),
        open=with_client(fetch),
        transform=counted_values,
        transform_responses=counted_value_rows,
        request_hash=spec.request_hash,
        final_at=spec.final_at,
        request_count=spec.request_count,
        checks=values_checks(limits),
        charts=[Pictures(METRIC_VALUES.name, partial(value_pictures, account))],
    )


def definitions_stream(
    account: str, spec: ListingSpec, *, final_at: Callable[[date], datetime], limits: Limits = USUAL
) -> SourceStream:
    """The daily table of definitions, derived from the stored observations of `listing_raw`; it is due when values are."""

    def derive(lake: Lake) -> Callable[[date], Mapping[str, Typed]]:
        return DerivedDays(account, spec, lake).typed

    return SourceStream(
        account=account,
        name="definitions",
        raw=None,
        typed=(EVENT_METRICS,),
        derive=derive,
        final_at=final_at,
        sends_requests=False,
        deps=[asset_key(account, LISTING_RAW.name)],
        checks=definitions_checks(limits),
    )


def listing_stream(account: str, spec: ListingSpec) -> SourceStream:
    """The snapshot of all definitions."""

    def fetch(client: StatsigClient, work: Work) -> Callable[[date], Awaitable[RawDay]]:
        return partial(fetch_listing, client, spec, ListTotals(work.lake, account, LISTING_RAW, work.accepts_by_tag))

    return SourceStream(
        account=account,
        name="listing",
        raw=LISTING_RAW,
        open=with_client(fetch),
        day_of=lambda moment: day_of(moment, spec.day_utc_offset_hours),
        checks=listing_checks(),
    )
