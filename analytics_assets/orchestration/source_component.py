"""The base of the accounts' components: fields that every account has, and the definitions that follow from its streams.

A component reads the environment's settings once, when it is loaded: dates, zone and whether schedules are on. Secrets are never read here.
Dagster concept: components, https://docs.dagster.io/guides/build/components
"""

import inspect
import re
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
from dagster import DailyPartitionsDefinition
from pydantic import Field, field_validator, model_validator

from analytics_assets.clock import Clock, utc_now
from analytics_assets.errors import PermanentError
from analytics_assets.lake.table import Table
from analytics_assets.orchestration.asset_checks import ChecksConfig
from analytics_assets.orchestration.asset_specs import AccountTables, code_references, placed
from analytics_assets.orchestration.backfill_guard import MOST_DAYS, PLAN_DEP
from analytics_assets.orchestration.backfill_plan import AccountPlan, backfill_guard
from analytics_assets.orchestration.daily_assets import daily_assets
from analytics_assets.orchestration.diagnostics import Diagnostics, VendorDiagnostics
from analytics_assets.orchestration.partitions import account_start, daily_partitions, end_of_utc_day, first_day
from analytics_assets.orchestration.schedules import Changing, DailyLoad, daily_load
from analytics_assets.orchestration.snapshot_assets import snapshot_assets
from analytics_assets.orchestration.source_resource import SourceResource
from analytics_assets.orchestration.state_resource import BudgetSettings
from analytics_assets.orchestration.stream import AssetOptions, SourceStream
from analytics_assets.orchestration.yaml_component import YamlComponent, checked, cron_line
from analytics_assets.places import address
from analytics_assets.settings import settings

_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]*")
_BUDGET = re.compile(r"[\w.-]{1,60}")
_SHARED = ("lake", "io_manager")
OWNER = re.compile(r"team:[\w.-]+|[^@\s:]+@[^@\s.]+(\.[^@\s.]+)+")


class ScheduleConfig(dg.Model):
    """When and how much a daily load requests."""

    cron: str = Field(
        description="Cron line, in UTC. Choose a time after the vendor's day is final, so that the newest day is of yesterday."
    )
    lookback_days: int = Field(
        description="Days requested again each time, the newest final one included; they still change. At least 1. Days of the week before "
        "them that failed or are missing are requested too. Airbridge's are for the first load: its cohorts are then requested until `reports[].settle_days` are over."
    )
    days_per_run: int = Field(
        description="Days a run of a backfill takes at most, at least 1. Keep it different for each vendor."
    )
    confirm_over_days: int = Field(
        default=MOST_DAYS,
        description="A backfill of more days fails before its first request and shows its plan, unless it has the tag `analytics/confirm_backfill` with the value `true`.",
    )

    _cron = field_validator("cron")(cron_line)

    @field_validator("lookback_days", "days_per_run", "confirm_over_days")
    @classmethod
    def _at_least_one(cls, value: int) -> int:
        if value < 1:
            raise ValueError(f"{value} days are none: use 1 or more.")
        return value


class BudgetConfig(dg.Model):
    """What the account may spend, shared by every process; see the vendor's own limits before it is raised."""

    requests: int | None = Field(default=None, description="Requests in any window; unset is the vendor's default.")
    per_seconds: float | None = Field(
        default=None, description="Length of the window in seconds; unset is the vendor's default."
    )
    kept_for_schedules: float = Field(
        default=1.0,
        description="Share, 0 to 1, that a backfill leaves to scheduled runs, polls and persons while one of them waits.",
    )
    longest_pause_seconds: float | None = Field(
        default=None,
        description="Longest pause that a vendor's Retry-After leads to; unset is an hour, or `per_seconds` where that is longer.",
    )
    name: str | None = Field(
        default=None,
        description="Name of the budget: accounts of a vendor that give one name share it, as several keys of one project do. Unset, accounts share "
        "it where the vendor counts them together: by host, by address and key, or by address and app.",
    )

    @model_validator(mode="after")
    def _lets_something_pass(self) -> "BudgetConfig":
        checked(self.settings(BudgetSettings(requests=1, per_seconds=1)).budget)
        if self.name is not None and not _BUDGET.fullmatch(self.name):
            raise ValueError("budget, `name`: use letters, digits and . _ - only, 60 at most.")
        return self

    def settings(self, default: BudgetSettings) -> BudgetSettings:
        """The budget for the account's resource; what is unset is as in `default`."""
        values = {name: value for name, value in self.model_dump().items() if value is not None}
        return BudgetSettings(**{**default.model_dump(), **values})


class AccountComponent(YamlComponent):
    """What the YAML of every account may say, whatever its vendor."""

    owners: list[str] = Field(
        default=[], description="E-mail addresses, or teams as `team:name`, shown with every table of the account."
    )
    start_date: date | None = Field(
        default=None,
        description="First day of the account's daily tables, as 2026-03-01; unset is ANALYTICS_START_DATE. Nothing is requested for days before it.",
    )

    base_url: str | None = Field(
        default=None,
        description="Address of the API in live mode: https, or http to this machine. Unset is the one in the vendor's documentation.",
    )
    budget: BudgetConfig | None = Field(
        default=None, description="What may be spent; unset is what the vendor is known to bear."
    )
    schedule: ScheduleConfig = Field(description="When and how much the daily load requests.")
    checks: ChecksConfig = Field(default_factory=ChecksConfig, description="From where on the checks warn.")

    @field_validator("owners")
    @classmethod
    def _are_owners(cls, value: list[str]) -> list[str]:
        for owner in value:
            if not OWNER.fullmatch(owner):
                raise ValueError(
                    f"{owner!r} is no owner: use an e-mail address, or `team:` and a name, such as team:growth."
                )
        return value

    @field_validator("start_date", mode="before")
    @classmethod
    def _is_a_start(cls, value: Any) -> Any:
        return account_start(value, settings()) if isinstance(value, str) else value

    def partitions(self, account: str) -> DailyPartitionsDefinition:
        """The days of the account's daily tables."""
        return daily_partitions(first_day(settings(), self.start_date), self.final_at(account))

    @abstractmethod
    def resource(self) -> SourceResource[Any]:
        """What opens a client of the account."""

    @abstractmethod
    def not_found(self) -> str:
        """What does not exist where the cheapest request gets a 404, with the setting that names it."""

    @abstractmethod
    def streams(self, account: str) -> Sequence[SourceStream]:
        """The streams of the account. The first one with past days decides from when on a day can be requested."""

    def changing(self, account: str) -> Sequence[Changing]:  # noqa: ARG002 - for a source that overrides it
        """Days that the schedule requests instead of those of `lookback_days`; none for most sources."""
        return ()

    def sensors(self, account: str, clock: Clock) -> Sequence[dg.SensorDefinition]:  # noqa: ARG002 - for a source that overrides it
        """Sensors of the account; none for most sources."""
        return ()

    def connection(self, budget: BudgetSettings) -> dict[str, Any]:
        """Fields of the resource that every account has; what is unset is the vendor's address, and `budget`."""
        address_of = {} if self.base_url is None else {"base_url": self.base_url}
        return {**address_of, "budget": self.budget.settings(budget) if self.budget else budget}

    def final_at(self, account: str) -> Callable[[date], datetime]:
        """Instant from which a day can be requested; where every stream is a snapshot, the end of the day in UTC."""
        return next((stream.final_at for stream in self.streams(account) if stream.final_at), end_of_utc_day)

    def has_days(self, account: str) -> bool:
        """True if a stream of the account has past days."""
        return any(not stream.is_snapshot for stream in self.streams(account))

    def plan(self, account: str) -> AccountPlan:
        """What the account requests, for a plan."""
        resource = self.resource()
        return AccountPlan(
            self.streams(account),
            self.schedule.days_per_run,
            resource.budget.budget(),
            resource.budget_key(),
            self.final_at(account),
            self.start_date,
        )

    def definitions(self, account: str, clock: Clock = utc_now) -> dg.Definitions:
        """The account's assets, resource, daily job, schedule and sensors. The assets link to the code beside the resource."""
        current, resource, partitions, schedule = settings(), self.resource(), self.partitions(account), self.schedule
        options = AssetOptions(
            resource.vendor,
            partitions,
            schedule.days_per_run,
            self.checks.limits(),
            clock,
            deps=[PLAN_DEP],
            guard=backfill_guard(lambda: {account: self.plan(account)}, schedule.confirm_over_days, clock),
        )
        place = AccountTables(
            address(current.lake), self.owners, Path(inspect.getfile(type(resource))).parent, current.repository
        )
        streams = self.streams(account)
        daily = [daily_assets(stream, options) for stream in streams if not stream.is_snapshot]
        snapshots = [snapshot_assets(stream, options) for stream in streams if stream.is_snapshot]
        load = DailyLoad(schedule.cron, schedule.lookback_days, self.final_at(account), self.changing(account))
        loads = [daily_load(account, daily, load, partitions, is_on=current.schedules_on)] if daily else []
        return dg.Definitions(
            assets=dg.map_asset_specs(lambda spec: placed(spec, place), [*daily, *snapshots]),
            resources={account: resource},
            jobs=[one.job for one in loads],
            schedules=loads,
            sensors=list(self.sensors(account, clock)),
        )

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The account's definitions."""
        return self.definitions(account_of(context))

    def diagnostics(self) -> Diagnostics:
        """What the doctor examines of the account."""
        resource = self.resource()
        return Diagnostics(
            resource.secret_variables(),
            account=VendorDiagnostics(
                vendor=resource.vendor.capitalize(),
                unknown=self.not_found(),
                resource=resource,
                budget=resource.budget.budget(),
                final_at=self.final_at(""),
                limits=self.checks.limits(),
                start_date=self.start_date,
            ),
        )

    @classmethod
    def get_code_references_for_yaml(
        cls, yaml_path: Path, source_position: Any, context: dg.ComponentLoadContext
    ) -> Sequence[dg.LocalFileCodeReference | dg.UrlCodeReference]:
        """The link to the YAML that every asset of the account has."""
        del context
        return code_references([yaml_path], settings().repository, line=source_position.start.line).code_references


def tables_of(components: Mapping[str, dg.Component]) -> dict[tuple[str, str], Table]:
    """Every table of components, by account and name; `components` by the folder they are loaded from."""
    return {
        (account, table.name): table
        for account, component in components.items()
        if isinstance(component, AccountComponent)
        for stream in component.streams(account)
        for table in stream.tables
    }


def account_in(path: Path) -> str:
    """The account of a component's file or folder: the folder's name."""
    return (path.parent if path.is_file() else path).name


def account_of(context: dg.ComponentLoadContext) -> str:
    """The account: the name of the folder that holds the `defs.yaml`.

    Raises:
        PermanentError: Dagster has no group, job or resource of that name, or one that all accounts share.
    """
    account = account_in(context.path)
    if not _ACCOUNT.fullmatch(account) or account in _SHARED:
        raise PermanentError(
            f"The folder {account!r} cannot be an account.",
            remedy="Rename the folder: use letters, digits and _, begin with a letter or digit, and use another name than "
            f"{' or '.join(_SHARED)}.",
        )
    return account
