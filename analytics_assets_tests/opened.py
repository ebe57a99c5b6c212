"""Streams and accounts as a run opens them, with clients and clocks of a test. No assertions here."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster import DailyPartitionsDefinition

from analytics_assets.clock import Clock
from analytics_assets.lake.store import Lake
from analytics_assets.orchestration.daily_assets import daily_assets
from analytics_assets.orchestration.partitions import daily_partitions, end_of_utc_day
from analytics_assets.orchestration.run_context import Work
from analytics_assets.orchestration.schedules import Changing
from analytics_assets.orchestration.snapshot_assets import snapshot_assets
from analytics_assets.orchestration.source_component import AccountComponent, ScheduleConfig
from analytics_assets.orchestration.source_resource import SourceResource
from analytics_assets.orchestration.stream import AssetOptions, SourceStream
from analytics_assets.settings import settings
from analytics_assets.state.report_ledger import Ledger


@dataclass(frozen=True)
class Project:
    """A resource that opens one client, which the test closes."""

    to: Any
    of_reports: Ledger | None = None

    @asynccontextmanager
    async def open(self, **_: Any) -> AsyncIterator[Any]:
        """The client."""
        yield self.to

    def ledger(self) -> Ledger:
        """The ledger of report requests."""
        assert self.of_reports is not None
        return self.of_reports


def work(client: Any, lake: Lake, clock: Clock, *, ledger: Ledger | None = None, **fields: Any) -> Work:
    """A run that opens its streams with a client."""
    given: dict[str, Any] = {
        "attempt_group": "run",
        "owner": "run",
        "log": logging.getLogger("test"),
        "tags": {},
        **fields,
    }
    return Work(resource=Project(client, ledger), lake=lake, clock=clock, **given)


def account(
    resource: SourceResource[Any],
    streams: Sequence[SourceStream],
    *,
    days_per_run: int,
    lookback_days: int = 1,
    cron: str = "0 0 * * *",
    changing: Sequence[Changing] = (),
    sensors: Sequence[dg.SensorDefinition] = (),
) -> AccountComponent:
    """An account that is made of these."""
    parts: dict[str, Any] = {"changing": changing, "sensors": sensors}

    class Account(AccountComponent):
        def resource(self) -> SourceResource[Any]:
            return resource

        def streams(self, account: str) -> Sequence[SourceStream]:
            return streams

        def not_found(self) -> str:
            return "the account"

        def changing(self, account: str) -> Sequence[Changing]:
            return parts["changing"]

        def sensors(self, account: str, clock: Clock) -> Sequence[dg.SensorDefinition]:
            return parts["sensors"]

    schedule = ScheduleConfig(cron=cron, lookback_days=lookback_days, days_per_run=days_per_run)
    return Account(schedule=schedule)


def assets_of(
    vendor: str,
    streams: Sequence[SourceStream],
    clock: Clock,
    *,
    days_per_run: int = 92,
    partitions: DailyPartitionsDefinition | None = None,
) -> list[dg.AssetsDefinition]:
    """The assets of streams; `partitions` are those from the first day of the settings on by default."""
    final_at = next((stream.final_at for stream in streams if stream.final_at), end_of_utc_day)
    options = AssetOptions(
        vendor, partitions or daily_partitions(settings().start_date, final_at), days_per_run, clock=clock
    )
    return [(snapshot_assets if stream.is_snapshot else daily_assets)(stream, options) for stream in streams]
