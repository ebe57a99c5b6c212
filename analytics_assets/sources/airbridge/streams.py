"""An Airbridge app, and each of its reports as a stream: what its days are read with, made into, and when they are final.

How a run waits for report tasks is in `report_loader.py`; what rows mean in `transform.py`. Keep Dagster out of here.
"""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from logging import Logger
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa

from analytics_assets.clock import Clock
from analytics_assets.dates import hours_after
from analytics_assets.errors import FieldError
from analytics_assets.lake.store import Lake
from analytics_assets.lake.stream import Stream, Typed
from analytics_assets.sources.airbridge.client import AirbridgeClient
from analytics_assets.sources.airbridge.report_loader import ReportReader, Waiting
from analytics_assets.sources.airbridge.report_spec import ReportSpec, spec_hash
from analytics_assets.sources.airbridge.restatements import history
from analytics_assets.sources.airbridge.tables import (
    MONEY_METRICS,
    cohort_totals_table,
    cohorts_table,
    report_raw_table,
)
from analytics_assets.sources.airbridge.transform import period_limits, remarks, typed_days
from analytics_assets.state.report_ledger import Ledger

_TOTALS = ("cost", "revenue", "users")
_CODE_LENGTH = 3


@dataclass(frozen=True)
class App:
    """The Airbridge app an account stands for, as far as its numbers depend on it.

    Attributes:
        name: The app's unique name.
        zone: Zone the app counts its days in; fixed when the app was registered.
        currency: Currency of all money; the answers never name it.
        final_after_hours: Hours after the end of a day at which it is asked for first; costs arrive every 4 hours.
    """

    name: str
    zone: str
    currency: str
    final_after_hours: float

    def __post_init__(self) -> None:
        """Refuses a zone or a currency that cannot be."""
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise FieldError(
                f"Airbridge app {self.name!r}, timezone: {self.zone!r} is no time zone.",
                "timezone",
                remedy="Use a name such as Asia/Seoul.",
            ) from error
        if not (len(self.currency) == _CODE_LENGTH and self.currency.isupper()):
            raise FieldError(
                f"Airbridge app {self.name!r}, currency: {self.currency!r} is no currency code.",
                "currency",
                remedy="Use one such as USD.",
            )

    def day_of(self, instant: datetime) -> date:
        """The app's calendar day an instant lies in."""
        return instant.astimezone(ZoneInfo(self.zone)).date()

    def final_at(self, day: date) -> datetime:
        """Instant from which a day is asked for."""
        return hours_after(day, self.final_after_hours, ZoneInfo(self.zone))


@asynccontextmanager
async def report_stream(
    account: str,
    app: App,
    spec: ReportSpec,
    client: AirbridgeClient,
    *,
    ledger: Ledger,
    lake: Lake,
    waiting: Waiting,
    clock: Clock,
    owner: str,
    log: Logger,
    only: Collection[int] = (),
    accepts_totals: bool = False,
) -> AsyncIterator[Stream]:
    """The stream of a report for one run; what it waits for is let go at the end; the last two as in `ReportReader`."""
    raw = report_raw_table(spec)
    reader = ReportReader(
        account,
        spec,
        client,
        ledger=ledger,
        lake=lake,
        waiting=waiting,
        clock=clock,
        owner=owner,
        log=log,
        only=only,
        zone=app.zone,
        accepts_totals=accepts_totals,
        meter=client.session.meter,
    )
    try:
        yield Stream(
            account=account,
            raw=raw,
            typed=(cohorts_table(spec), cohort_totals_table(spec)),
            asked=lambda _day: spec_hash(spec),
            fetch=reader.fetch,
            transform=lambda day, content: with_figures(
                typed_days(day, content, spec, zone=app.zone, currency=app.currency), spec, currency=app.currency
            ),
            final_at=app.final_at,
            announce=reader.announce,
            landed=reader.landed,
            requests=waiting.requests,
            history=history(spec, zone=app.zone),
            limits=period_limits,
            remarks=remarks,
        )
    finally:
        await reader.close()


def with_figures(made: Mapping[str, Typed], spec: ReportSpec, *, currency: str) -> dict[str, Typed]:
    """The tables of a day with further figures.

    Cohorts: `currency` of the money metrics. Totals: `currency`, and `masked_share` of the numbers, as it is of the cohorts'.
    """
    cohorts, totals = cohorts_table(spec).name, cohort_totals_table(spec).name
    money: dict[str, Any] = {"currency": currency}
    further = {
        cohorts: money if spec.metric in MONEY_METRICS else {},
        totals: {**money, "masked_share": _masked_share(made[totals].content)},
    }
    return {name: Typed(typed.content, {**typed.figures, **further[name]}) for name, typed in made.items()}


def _masked_share(totals: pa.Table) -> float:
    flags = [totals[f"{name}_is_masked"].combine_chunks() for name in _TOTALS]
    masked = sum(flag.true_count for flag in flags)
    return round(float(masked / (len(flags) * totals.num_rows)), 4) if totals.num_rows else 0.0
