"""An Airbridge app: when its days are final, its catalogue, and the typed tables of a report with figures.

How a run waits for report tasks is in `report_loader.py`; what rows mean in `transform.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa

from analytics_assets.dates import hours_after
from analytics_assets.errors import FieldError
from analytics_assets.lake.stream import Typed
from analytics_assets.sources.airbridge.report_spec import ReportSpec
from analytics_assets.sources.airbridge.tables import MONEY_METRICS, cohort_totals_table, cohorts_table
from analytics_assets.sources.airbridge.transform import typed_days

_TOTALS = ("cost", "revenue", "users")
_CODE_LENGTH = 3


@dataclass(frozen=True)
class App:
    """The Airbridge app an account stands for, as far as its numbers depend on it.

    Attributes:
        name: The app's unique name.
        zone: Zone the app counts its days in; fixed when the app was registered.
        currency: Currency of all money; the responses never name it.
        final_after_hours: Hours after the end of a day at which it is requested first; costs arrive every 4 hours.
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
        """Instant from which a day is requested."""
        return hours_after(day, self.final_after_hours, ZoneInfo(self.zone))


def report_tables(day: date, raw: pa.Table | None, spec: ReportSpec, app: App) -> Mapping[str, Typed]:
    """The typed tables of a report's day, with figures."""
    return with_figures(typed_days(day, raw, spec, zone=app.zone, currency=app.currency), spec, currency=app.currency)


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
