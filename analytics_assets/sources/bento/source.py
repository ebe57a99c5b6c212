"""What `defs/<account>/defs.yaml` may say of a Bento site, and the definitions made from it.

Keep meaning out of here: the specs in `streams.py` check what fits together, the schemas here only what YAML can hold.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final, Literal

import dagster as dg
from pydantic import Field, field_validator, model_validator

from analytics_assets.clock import utc_now
from analytics_assets.errors import PermanentError
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
from analytics_assets.orchestration.state_resource import BudgetSettings
from analytics_assets.sources.bento.assets import ads_assets, audience_assets, reports_assets
from analytics_assets.sources.bento.client import BASE_URL, BentoClient, BentoCredentials, bento_session
from analytics_assets.sources.bento.streams import AdsSpec, AudienceSpec, ReportsSpec, WindowSpec
from analytics_assets.sources.bento.tables import (
    ADS_ATTRIBUTION,
    ADS_CHART,
    ADS_RAW,
    ADS_TOTALS,
    AUDIENCE_COUNTS,
    AUDIENCE_RAW,
    REPORT_POINTS,
    REPORTS_RAW,
)

LONGEST_RUN_S = 24 * 3600


# The vendor's pages name 30 and 60 requests an hour for statistics; the newest says 30, counted by address.
STATS_BUDGET: Final = BudgetSettings(requests=30, per_seconds=3600)


class BentoResource(SourceResource[BentoClient]):
    """One Bento site."""

    vendor = "bento"
    documented_url = BASE_URL
    secret_fields = ("publishable_key_variable", "secret_key_variable", "site_uuid_variable")

    publishable_key_variable: str = Field(
        default="BENTO_PUBLISHABLE_KEY", description="Environment variable of the publishable key."
    )
    secret_key_variable: str = Field(default="BENTO_SECRET_KEY", description="Environment variable of the secret key.")
    site_uuid_variable: str = Field(default="BENTO_SITE_UUID", description="Environment variable of the site's UUID.")
    base_url: str = Field(default=BASE_URL, description="Address of the API.")
    budget: BudgetSettings = Field(default=STATS_BUDGET, description="What all sites of the host may spend together.")

    def client(self, secrets: Sequence[str], options: SessionOptions) -> BentoClient:
        """A client of the site."""
        return BentoClient(
            bento_session(credentials=BentoCredentials(*secrets, variables=self.secret_variables()), **options)
        )

    async def send_cheapest_request(self, client: BentoClient) -> None:
        """Reads the counts of the site."""
        await client.site()


class KeysConfig(dg.Model):
    """Names of the environment variables that hold the keys; never the keys themselves."""

    publishable: str = Field(default="BENTO_PUBLISHABLE_KEY", description="Variable of the publishable key.")
    secret: str = Field(default="BENTO_SECRET_KEY", description="Variable of the secret key.")
    site_uuid: str = Field(default="BENTO_SITE_UUID", description="Variable of the site's UUID.")

    _names = field_validator("publishable", "secret", "site_uuid")(variable_name)


class WindowConfig(dg.Model):
    """How a day is put to Bento; its documents leave this open, so every answer is checked. `calibrate` finds the values."""

    zone: str = Field(default="UTC", description="Zone in which Bento reads dates.")
    end: Literal["exclusive", "inclusive"] = Field(
        default="exclusive", description="Whether end_date is the first instant left out or the last day taken in."
    )
    format: Literal["iso", "iso_time", "words"] = Field(
        default="iso",
        description="How dates are written: 2026-03-01, or 2026-03-01 00:00 where a date alone means noon, or 3 days ago.",
    )


class AdsConfig(dg.Model):
    """Which attribution to read each day; one request per dimension and revenue mode."""

    dimensions: list[str] = Field(default=["source"], description="Any of source, campaign, medium, content, ad.")
    revenue_modes: list[str] = Field(
        default=["all_revenue"], description="Any of all_revenue, first_revenue, subscriptions."
    )
    value: str | None = Field(
        default=None, description="One exact value of the only dimension; unset reads its top values."
    )
    window: WindowConfig = Field(default_factory=WindowConfig, description="How a day is put to Bento.")
    final_after_hours: float = Field(default=1.0, description="Hours after the end of a day before it is asked for.")


class BentoChecksConfig(ChecksConfig):
    """From where on the checks of a Bento site warn."""

    truncated_share: float = Field(
        default=0.0, description="Share of a day's rows whose revenue Bento may say is incomplete."
    )

    _shares = field_validator("truncated_share")(share)


class BentoStats(AccountComponent):
    """A Bento site: ads attribution by day, and audience and report statistics as they stand."""

    keys: KeysConfig = Field(
        default_factory=KeysConfig, description="Names of the environment variables that hold the keys."
    )
    base_url: str = Field(
        default=BASE_URL, description="Address of the API in live mode: https, or http to this machine."
    )
    ads: AdsConfig = Field(default_factory=AdsConfig, description="Which attribution to read each day.")
    segments: list[str] = Field(default=[], description="Ids of segments whose counts are read beside the site's.")
    reports: list[str] = Field(default=[], description="Ids of reports to read.")
    budget: BudgetConfig | None = Field(
        default=None, description="What may be spent; unset is 30 an hour, what the vendor is known to bear."
    )
    checks: BentoChecksConfig = Field(default_factory=BentoChecksConfig, description="From where on the checks warn.")

    @model_validator(mode="after")
    def _fits_together(self) -> "BentoStats":
        checked(self.ads_spec, "ads")
        checked(self.audience_spec, "segments")
        checked(self.reports_spec, "reports")
        checked(self._refuse_endless_runs, "schedule", "days_per_run")
        return self

    def _refuse_endless_runs(self) -> None:
        """A run that waits for its budget longer than a day comes near the time after which Dagster ends it (`dagster.yaml`)."""
        days, budget = self.schedule.days_per_run, self.resource().budget.budget()
        requests = sum(self.ads_spec().requests([date.min + timedelta(days=number) for number in range(days)]).values())
        if (seconds := budget.seconds_for(requests)) > LONGEST_RUN_S:
            raise PermanentError(
                f"schedule, `days_per_run`: {days} days are {requests} requests, which the budget of {budget} spreads over "
                f"{seconds / 3600:.0f} hours.",
                remedy=f"Use fewer days, so that a run ends within {LONGEST_RUN_S // 3600}.",
            )

    def ads_spec(self) -> AdsSpec:
        """The attribution to read."""
        return AdsSpec(
            dimensions=tuple(self.ads.dimensions),
            revenue_modes=tuple(self.ads.revenue_modes),
            value=self.ads.value,
            window=WindowSpec(self.ads.window.zone, self.ads.window.end, self.ads.window.format),
            final_after_hours=self.ads.final_after_hours,
        )

    def audience_spec(self) -> AudienceSpec:
        """The counts to read."""
        return AudienceSpec(tuple(self.segments))

    def reports_spec(self) -> ReportsSpec | None:
        """The reports to read, if any."""
        return ReportsSpec(tuple(self.reports)) if self.reports else None

    def resource(self) -> BentoResource:
        """What opens the site."""
        return BentoResource(
            publishable_key_variable=self.keys.publishable,
            secret_key_variable=self.keys.secret,
            site_uuid_variable=self.keys.site_uuid,
            base_url=self.base_url,
            budget=self.budget.settings(STATS_BUDGET) if self.budget else STATS_BUDGET,
        )

    def not_found(self) -> str:
        """The site, with the variable that names it."""
        return f"the site of {self.keys.site_uuid}"

    def final_at(self, day: date) -> datetime:
        """Instant from which a day can be requested, in UTC."""
        return self.ads_spec().final_at(day)

    def askings(self, account: str) -> Sequence[Asking]:
        """The ads and the snapshots."""
        ads, snapshots = self.ads_spec(), ["audience", *(["reports"] if self.reports else [])]
        return [
            Asking(account, "ads", ads.requests, ads.final_at, is_exact=True),
            *(Asking(account, name, lambda _days: {}, None, is_exact=True) for name in snapshots),
        ]

    def tables(self) -> Sequence[Table]:
        """Every table of the account."""
        reports = (REPORTS_RAW, REPORT_POINTS) if self.reports else ()
        return (ADS_RAW, ADS_ATTRIBUTION, ADS_TOTALS, ADS_CHART, AUDIENCE_RAW, AUDIENCE_COUNTS, *reports)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The account's definitions."""
        account, ads, reports = account_of(context), self.ads_spec(), self.reports_spec()
        partitions, limits = self.partitions(), self.checks.limits()
        return account_definitions(
            account,
            daily=[
                ads_assets(
                    account,
                    ads,
                    partitions,
                    days_per_run=self.schedule.days_per_run,
                    clock=utc_now,
                    limits=limits,
                    truncated_share=self.checks.truncated_share,
                )
            ],
            snapshots=[
                audience_assets(account, self.audience_spec(), clock=utc_now, limits=limits),
                *([reports_assets(account, reports, clock=utc_now, limits=limits)] if reports else []),
            ],
            load=DailyLoad(self.schedule.cron, self.schedule.lookback_days, ads.final_at),
            resource=self.resource(),
            owners=self.owners,
            start_date=self.start_date,
        )
