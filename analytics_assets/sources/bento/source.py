"""What `defs/<account>/defs.yaml` may say of a Bento site, and the definitions made from it."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from typing import Final, Literal
from zoneinfo import ZoneInfo

import dagster as dg
from pydantic import Field, field_validator, model_validator

from analytics_assets.checks.check import USUAL, Limits
from analytics_assets.errors import PermanentError
from analytics_assets.orchestration.asset_checks import ChecksConfig, share
from analytics_assets.orchestration.charts.metadata import Pictures
from analytics_assets.orchestration.source_component import AccountComponent, BudgetConfig
from analytics_assets.orchestration.source_resource import SessionOptions, SourceResource
from analytics_assets.orchestration.state_resource import BudgetSettings
from analytics_assets.orchestration.stream import SourceStream, with_client
from analytics_assets.orchestration.yaml_component import checked, variable_name
from analytics_assets.sources.bento.charts import ads_pictures
from analytics_assets.sources.bento.checks import ads_checks, audience_checks, reports_checks
from analytics_assets.sources.bento.client import BASE_URL, BentoClient, BentoCredentials, bento_session
from analytics_assets.sources.bento.streams import (
    AdsSpec,
    AudienceSpec,
    ReportsSpec,
    WindowSpec,
    fetch_ads,
    fetch_audience,
    fetch_reports,
)
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
from analytics_assets.sources.bento.transform import (
    ads_rows,
    ads_tables,
    audience_rows,
    audience_tables,
    report_rows,
    report_tables,
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
    """How a day is put to Bento; its documents leave this open, so every response is checked. `calibrate` finds the values."""

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
    final_after_hours: float = Field(default=1.0, description="Hours after the end of a day before it is requested.")


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
        requests = sum(
            self.ads_spec().request_count([date.min + timedelta(days=number) for number in range(days)]).values()
        )
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
            **self.connection(STATS_BUDGET),
        )

    def not_found(self) -> str:
        """The site, with the variable that names it."""
        return f"the site of {self.keys.site_uuid}"

    def streams(self, account: str) -> list[SourceStream]:
        """The ads by day, and the counts and reports as of now."""
        reports = self.reports_spec()
        return [
            ads_stream(
                account, self.ads_spec(), limits=self.checks.limits(), truncated_share=self.checks.truncated_share
            ),
            audience_stream(account, self.audience_spec()),
            *([reports_stream(account, reports)] if reports else []),
        ]


def ads_stream(account: str, spec: AdsSpec, *, limits: Limits = USUAL, truncated_share: float = 0.0) -> SourceStream:
    """The daily tables of `/stats/ads`."""
    pictures = partial(
        ads_pictures, account, dimension=spec.dimensions[0], mode=spec.revenue_modes[0], value=spec.value
    )
    return SourceStream(
        account=account,
        name="ads",
        raw=ADS_RAW,
        typed=(ADS_ATTRIBUTION, ADS_TOTALS, ADS_CHART),
        open=with_client(lambda client, _work: partial(fetch_ads, client, spec)),
        transform=partial(ads_tables, zone=ZoneInfo(spec.window.zone)),
        transform_responses=partial(ads_rows, zone=ZoneInfo(spec.window.zone)),
        request_hash=spec.request_hash,
        final_at=spec.final_at,
        request_count=spec.request_count,
        is_exact=True,
        ahead=spec.days_at_once(),
        checks=ads_checks(spec, limits, truncated_share=truncated_share),
        charts=[Pictures(ADS_ATTRIBUTION.name, pictures)],
    )


def audience_stream(account: str, spec: AudienceSpec) -> SourceStream:
    """The snapshot of `/stats/site` and `/stats/segment`."""
    return SourceStream(
        account=account,
        name="audience",
        raw=AUDIENCE_RAW,
        typed=(AUDIENCE_COUNTS,),
        open=with_client(lambda client, _work: partial(fetch_audience, client, spec)),
        transform=audience_tables,
        transform_responses=audience_rows,
        request_hash=lambda _day: "audience",
        checks=audience_checks(),
    )


def reports_stream(account: str, spec: ReportsSpec) -> SourceStream:
    """The snapshot of `/stats/report`."""
    return SourceStream(
        account=account,
        name="reports",
        raw=REPORTS_RAW,
        typed=(REPORT_POINTS,),
        open=with_client(lambda client, _work: partial(fetch_reports, client, spec)),
        transform=report_tables,
        transform_responses=report_rows,
        request_hash=lambda _day: "reports",
        checks=reports_checks(),
    )
