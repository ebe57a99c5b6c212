"""The component of `defs/growth/defs.yaml`: what the growth tables are made from.

Dagster concept: components, https://docs.dagster.io/guides/build/components
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TypeVar

import dagster as dg
from pydantic import Field, field_validator, model_validator

from analytics_assets.errors import FieldError
from analytics_assets.growth.assets import growth_assets, growth_sensor
from analytics_assets.growth.build import WEEKDAYS, GrowthSpec, MetricSource, PlannedSpend, Report, SignupSource
from analytics_assets.growth.channels import ChannelRule, duplicate_rules
from analytics_assets.growth.database import View, growth_views, lake_views
from analytics_assets.growth.tables import TABLES
from analytics_assets.orchestration.loading import quietly, unloadable
from analytics_assets.orchestration.source_component import OWNER, AccountComponent, account_of, tables_of
from analytics_assets.orchestration.yaml_component import YamlComponent
from analytics_assets.orchestration.yaml_text import find_problems
from analytics_assets.places import address
from analytics_assets.settings import settings
from analytics_assets.sources.airbridge.report_spec import ReportSpec
from analytics_assets.sources.airbridge.source import AirbridgeRevenue
from analytics_assets.sources.airbridge.tables import cohort_totals_table, cohorts_table, group_columns
from analytics_assets.sources.bento.source import BentoStats
from analytics_assets.sources.statsig.source import StatsigMetrics

_SYSTEMS = ("airbridge",)


_Kind = TypeVar("_Kind", bound=AccountComponent)


class AcquisitionConfig(dg.Model):
    """The report of an app that feeds spend, installs, ROAS and LTV."""

    account: str = Field(description="Account of the app: its folder in `defs/`.")
    report: str = Field(
        description="Name of a report of the account with metric `app_revenue`, aggregation `cumulative` and start event `app_install`."
    )
    channel: str = Field(default="channel", description="Group-by field of the report that holds the channel.")
    campaign: str | None = Field(
        default="campaign", description="Group-by field that holds the campaign; null where the report has none."
    )


class SignupsConfig(dg.Model):
    """A Bento site whose sign-ups and revenue by source are shown."""

    account: str = Field(description="Account of the site: its folder in `defs/`.")
    dimension: str = Field(default="source", description="Dimension of the site's `ads` that holds the source.")


class MetricsConfig(dg.Model):
    """A Statsig project whose metrics are shown."""

    account: str = Field(description="Account of the project: its folder in `defs/`.")


class ChannelConfig(dg.Model):
    """A rule of the channel map. Exact names go before patterns, and of the patterns the first that matches is used."""

    source: str = Field(description="System that writes the raw name: airbridge.")
    channel: str = Field(min_length=1, description="Channel of the raw names, as people call it.")
    name: str | None = Field(
        default=None, description='The raw name exactly, upper and lower case included; "" is organic or none.'
    )
    pattern: str | None = Field(
        default=None, description="Pattern of raw names, with * and ?; upper and lower case matter."
    )

    def rule(self) -> ChannelRule:
        """The rule."""
        return ChannelRule(self.source, self.channel, self.name, self.pattern)


class PlanConfig(dg.Model):
    """Spend that is planned for a month."""

    month: str = Field(description="The month, such as 2026-11.")
    account: str = Field(description="Account of the app, one of `acquisition`.")
    channel: str = Field(description="Channel of the channel map.")
    currency: str = Field(description="Currency of the amount, as in the table of acquisition, such as USD.")
    amount: float = Field(ge=0, allow_inf_nan=False, description="Amount for the whole month, in major units.")

    def planned(self) -> PlannedSpend:
        """The planned spend.

        Raises:
            ValueError: The month is not a month, or the amount has more than six decimal places.
        """
        # The shortest text of a float is the number as the YAML has it.
        amount = Decimal(str(self.amount))
        if amount != round(amount, 6):
            raise ValueError(f"{amount} has more than six decimal places")
        return PlannedSpend(self.account, date.fromisoformat(f"{self.month}-01"), self.channel, self.currency, amount)


class Growth(YamlComponent):
    """Tables for analysts, made from the lake after each load: acquisition by channel, LTV curves, weeks of a channel."""

    owners: list[str] = Field(
        default=[], description="E-mail addresses, or teams as `team:name`, shown with every growth table."
    )
    acquisition: list[AcquisitionConfig] = Field(
        min_length=1, description="The reports that feed the tables, one per app."
    )
    signups: list[SignupsConfig] = Field(
        default=[], description="Bento sites whose sign-ups and revenue by source are shown, one dimension per site."
    )
    metrics: list[MetricsConfig] = Field(default=[], description="Statsig projects whose metrics are shown.")
    channels: list[ChannelConfig] = Field(
        default=[],
        description="The channel map. A raw name without a rule is a channel of its own, and a check names it.",
    )
    week_start: str = Field(default="monday", description="First day of a week: monday to sunday.")
    minimum_installs: int = Field(
        default=50,
        ge=1,
        description="Installs that a point of a chart on the page rests on at least; fewer are not drawn.",
    )

    plan: list[PlanConfig] = Field(
        default=[], description="Planned spend by month, for the table `spend_plan`; empty without a plan."
    )

    @field_validator("owners")
    @classmethod
    def _are_owners(cls, value: list[str]) -> list[str]:
        for owner in value:
            if not OWNER.fullmatch(owner):
                raise ValueError(
                    "this is not an owner. Use an e-mail address, or `team:` and a name, such as team:growth."
                )
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> "Growth":
        if self.week_start not in WEEKDAYS:
            raise FieldError(
                "this is not a day of the week.", "week_start", remedy=f"Use one of {', '.join(WEEKDAYS)}."
            )
        accounts = [config.account for config in self.acquisition]
        _refuse_repeated(
            accounts, "acquisition", "the account has a report above, and two reports count each install twice."
        )
        sites = [config.account for config in self.signups]
        _refuse_repeated(
            sites, "signups", "the site has a dimension above, and two dimensions count each sign-up twice."
        )
        _refuse_repeated([config.account for config in self.metrics], "metrics", "the project is named above.")
        for number, one in enumerate(self.channels):
            if one.source not in _SYSTEMS:
                raise FieldError(
                    "no table has raw names of this system.",
                    "channels",
                    number,
                    "source",
                    remedy=f"Use {' or '.join(_SYSTEMS)}.",
                )
            if (one.name is None) == (one.pattern is None):
                raise FieldError(
                    "a rule has either `name` or `pattern`.", "channels", number, remedy="Write one of the two."
                )
        for number in duplicate_rules([one.rule() for one in self.channels]):
            raise FieldError(
                "a rule above has the same name or pattern.", "channels", number, remedy="Delete one of the two."
            )
        self._check_plan(accounts)
        return self

    def _check_plan(self, accounts: Sequence[str]) -> None:
        keys = []
        for number, config in enumerate(self.plan):
            if config.account not in accounts:
                raise FieldError(
                    "no report of `acquisition` is of this account.",
                    "plan",
                    number,
                    "account",
                    remedy=f"Use {' or '.join(accounts)}.",
                )
            try:
                planned = config.planned()
            except ValueError:
                raise FieldError(
                    "this is not a month, or the amount has more than six decimal places.",
                    "plan",
                    number,
                    remedy="Write it as {month: 2026-11, account: ..., channel: ..., currency: USD, amount: 1200.50}.",
                ) from None
            keys.append((planned.account, planned.month, planned.channel, planned.currency))
            if keys.count(keys[-1]) > 1:
                raise FieldError(
                    "the plan has an amount above for the same account, month, channel and currency.",
                    "plan",
                    number,
                    remedy="Keep one of the two.",
                )

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The growth tables, their job and the sensor.

        Raises:
            UnloadableError: The file names an account or a report that cannot feed the tables.
        """
        folder = account_of(context)
        place = context.path.parent if context.path.is_file() else context.path
        file = place / "defs.yaml"
        try:
            reports = [
                _report(place.parent, one, ("acquisition", number)) for number, one in enumerate(self.acquisition)
            ]
            sites = [_site(place.parent, config, ("signups", number)) for number, config in enumerate(self.signups)]
            projects = [
                _project(place.parent, config, ("metrics", number)) for number, config in enumerate(self.metrics)
            ]
        except FieldError as error:
            raise unloadable(file, find_problems(error, file.read_text(encoding="utf-8"), type(self))) from None
        spec = GrowthSpec(
            reports,
            [one.rule() for one in self.channels],
            self.week_start,
            self.minimum_installs,
            [one.planned() for one in self.plan],
            sites,
            projects,
        )

        # Only a run and the sensor need the tables of all accounts, so loading the definitions does not wait for them.
        @cache
        def views() -> list[View]:
            return _views(place.parent)

        assets = growth_assets(folder, spec, address=address(settings().lake), views=views, owners=self.owners)
        sensor = growth_sensor(folder, assets, spec, views)
        return dg.Definitions(assets=[assets], jobs=[sensor.job], sensors=[sensor])


def _refuse_repeated(accounts: Sequence[str], field: str, message: str) -> None:
    """Refuses an account that is named twice."""
    for number, account in enumerate(accounts):
        if account in accounts[:number]:
            raise FieldError(message, field, number, "account", remedy="Keep one of the two.")


def _views(defs: Path) -> list[View]:
    """The views of the database: all tables that `defs/` declares now."""
    with quietly():
        tree = dg.ComponentTree.for_project(defs)
        folders = sorted(file.parent for file in defs.glob("*/defs.yaml"))
        tables = tables_of({folder.name: tree.load_component(folder) for folder in folders})
    return [*lake_views(tables), *growth_views(TABLES)]


def _report(defs: Path, config: AcquisitionConfig, field: Sequence[str | int]) -> Report:
    """The report that the YAML names.

    Raises:
        FieldError: It does not exist, or its figures are not what the tables need.
    """
    app = _component(defs, config.account, AirbridgeRevenue, field, "Write the folder of an Airbridge app.")
    specs = {spec.name: spec for spec in app.specs()}
    if (spec := specs.get(config.report)) is None:
        raise FieldError(
            f"the account {config.account} has no report of this name.",
            *field,
            "report",
            remedy=f"It has {', '.join(specs)}.",
        )
    if reason := _unfit(spec):
        raise FieldError(
            f"the report {spec.name} cannot feed ROAS and LTV: {reason}.",
            *field,
            "report",
            remedy="Use a report with metric app_revenue, aggregation cumulative and start_events [app_install].",
        )
    columns = dict(zip(spec.group_by, group_columns(spec), strict=True))
    for name, group in (("channel", config.channel), ("campaign", config.campaign)):
        if group is not None and group not in columns:
            raise FieldError(
                f"the report {spec.name} is not grouped by it.",
                *field,
                name,
                remedy=f"It is grouped by {', '.join(columns)}.",
            )
    campaign = None if config.campaign is None else columns[config.campaign]
    channel = columns[config.channel]
    others = [column for column in columns.values() if column not in (channel, campaign)]
    return Report(
        config.account, cohorts_table(spec), cohort_totals_table(spec), channel, campaign, others, zone=app.timezone
    )


def _site(defs: Path, config: SignupsConfig, field: Sequence[str | int]) -> SignupSource:
    """The site that the YAML names.

    Raises:
        FieldError: It does not exist, or it does not read the dimension.
    """
    ads = _component(defs, config.account, BentoStats, field, "Write the folder of a Bento site.").ads_spec()
    if config.dimension not in ads.dimensions:
        raise FieldError(
            f"the site {config.account} does not read this dimension.",
            *field,
            "dimension",
            remedy=f"Use {' or '.join(ads.dimensions)}, or add it to `ads.dimensions` of the site.",
        )
    return SignupSource(config.account, config.dimension, ads.revenue_modes[0], ads.window.zone)


def _project(defs: Path, config: MetricsConfig, field: Sequence[str | int]) -> MetricSource:
    """The project that the YAML names.

    Raises:
        FieldError: It does not exist.
    """
    project = _component(defs, config.account, StatsigMetrics, field, "Write the folder of a Statsig project.")
    hours = project.day_utc_offset_hours
    # The sign of these names is that of POSIX: west is positive. There are none for parts of an hour.
    return MetricSource(config.account, f"Etc/GMT{-round(hours):+d}" if hours == round(hours) else "UTC")


def _unfit(spec: ReportSpec) -> str:
    """Why the figures of a report are not cumulative revenue of installs; empty where they are."""
    if spec.metric != "app_revenue":
        return f"its metric is {spec.metric}"
    if spec.aggregation != "cumulative":
        return f"its aggregation is {spec.aggregation}"
    if tuple(spec.start_events) != ("app_install",):
        return f"its start_events are {', '.join(spec.start_events)}"
    return ""


def _component(defs: Path, account: str, kind: type[_Kind], field: Sequence[str | int], remedy: str) -> _Kind:
    if (defs / account / "defs.yaml").is_file() and Path(account).name == account:
        with quietly():
            component = dg.ComponentTree.for_project(defs).load_component(defs / account)
        if isinstance(component, kind):
            return component
    raise FieldError(f"no folder of defs/ with this name is {kind.__name__}.", *field, "account", remedy=remedy)
