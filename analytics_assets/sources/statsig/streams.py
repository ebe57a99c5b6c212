"""What is asked of Statsig: values a day, and a walk over the definitions that is observed, not requested a day.

Here live the specs (what the YAML says) and when a metric day is final. Which observation a day of definitions is made from is in
`observations.py`, paging in `client.py`, rows in `transform.py`. A metric day is fixed GMT-8 by default and the company can move it; imported metrics are complete
about noon PST of the next day (https://docs.statsig.com/metrics/raw-event-metrics), which is 20:00 UTC: twelve hours after the day's end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pyarrow as pa

from analytics_assets.clock import Clock
from analytics_assets.dates import hours_after
from analytics_assets.errors import PermanentError, TransientError
from analytics_assets.http.bodies import REPLACEMENT
from analytics_assets.http.response import Response
from analytics_assets.http.together import together
from analytics_assets.lake.raw import RawDay, raw_day, request_hash
from analytics_assets.lake.stream import Typed
from analytics_assets.sources.statsig.client import VALUES, StatsigClient, day_without_values, is_askable
from analytics_assets.sources.statsig.paging import LIMIT
from analytics_assets.sources.statsig.responses import ListPage, Metric, MetricValue
from analytics_assets.sources.statsig.tables import LISTING_RAW, METRIC_VALUES, VALUES_RAW
from analytics_assets.sources.statsig.totals import ListTotals
from analytics_assets.sources.statsig.transform import metric_values, value_rows

UTC_MINUS_8 = -8.0
_OFFSETS = (-12.0, 14.0)
_MAY_BE_LATE = timedelta(hours=48)


@dataclass(frozen=True)
class ValuesSpec:
    """What the YAML says of daily values.

    Attributes:
        day_utc_offset_hours: Zone of the metric day; fixed, without daylight saving.
        final_after_hours: Hours after the day's end from which it is requested.
    """

    day_utc_offset_hours: float = UTC_MINUS_8
    final_after_hours: float = 12.0

    def __post_init__(self) -> None:
        """Refuses values no day can have."""
        _check_offset("values", self.day_utc_offset_hours)
        if self.final_after_hours < 0:
            raise PermanentError(
                f"statsig values: final_after_hours is {self.final_after_hours}, so a day would be requested before it ends.",
                remedy="Use 0 or more; 12 is Statsig's own pace.",
            )

    def request_hash(self, day: date) -> str:
        """Hash of what is requested for a day."""
        return request_hash(VALUES, day, LIMIT)

    def request_count(self, days: Sequence[date]) -> dict[str, int]:
        """The least requests for some days, by endpoint: a page each."""
        return {f"GET {VALUES}": len(days)}

    def final_at(self, day: date) -> datetime:
        """The instant from which a day is requested, in UTC."""
        return end_of_day(day, self.day_utc_offset_hours) + timedelta(hours=self.final_after_hours)


@dataclass(frozen=True)
class ListingSpec:
    """What the YAML says of the walk over the definitions.

    Attributes:
        events: Exact event names; None discovers them from the lineage of all metrics of the project.
        keep_personal_fields: True if names and e-mail addresses of people may be written.
        day_utc_offset_hours: Zone of the metric day, as for values.
    """

    events: tuple[str, ...] | None = None
    keep_personal_fields: bool = False
    day_utc_offset_hours: float = UTC_MINUS_8

    def __post_init__(self) -> None:
        """Refuses lists that ask for nothing, twice, or for what no address can name."""
        _check_offset("listing", self.day_utc_offset_hours)
        if self.events is None:
            return
        if not self.events:
            raise PermanentError(
                "statsig listing: events is empty, so nothing would be asked.",
                remedy="Name events, or leave it out to discover them.",
            )
        twice = sorted({name for name in self.events if self.events.count(name) > 1})
        if twice:
            raise PermanentError(
                f"statsig listing: events names {', '.join(map(repr, twice))} twice.", remedy="Name each once."
            )
        unnamable = [name for name in self.events if not is_askable(name)]
        if unnamable:
            raise PermanentError(
                f"statsig listing: events names {', '.join(map(repr, unnamable))}, which no address can hold.",
                remedy="Take it out.",
            )


def _check_offset(place: str, hours: float) -> None:
    if not _OFFSETS[0] <= hours <= _OFFSETS[1]:
        raise PermanentError(
            f"statsig {place}: day_utc_offset_hours is {hours}; no zone is that far from UTC.",
            remedy="Use -12 to 14; Statsig's default is -8.",
        )


def end_of_day(day: date, day_utc_offset_hours: float = UTC_MINUS_8) -> datetime:
    """The instant at which a metric day ends, in UTC."""
    return hours_after(day, 0, timezone(timedelta(hours=day_utc_offset_hours)))


def day_of(moment: datetime, day_utc_offset_hours: float = UTC_MINUS_8) -> date:
    """The metric day an instant lies in."""
    return (moment.astimezone(UTC) + timedelta(hours=day_utc_offset_hours)).date()


async def fetch_values(
    client: StatsigClient, spec: ValuesSpec, totals: ListTotals, day: date, *, clock: Clock
) -> RawDay:
    """A day of `values_raw`, one list.

    An empty list is no proof that nothing happened: for two days after the day is final it counts as not computed yet (TransientError,
    asked again later); after that it is stored as an empty day with the figure `is_empty`.
    """
    may_be_late = clock() - spec.final_at(day) < _MAY_BE_LATE
    try:
        reading = await client.metric_values(day)
    except PermanentError as error:
        if not may_be_late or (refused := day_without_values(error)) is None:
            raise
        raise TransientError(
            f"{refused} The day may not be computed yet.",
            remedy="Request it again later.",
            day=day,
            evidence=error.evidence,
        ) from error
    if not reading.items and may_be_late:
        raise TransientError(
            "Statsig GET /metrics/values: the day is not computed yet, the list is empty.",
            remedy=f"From {spec.final_at(day) + _MAY_BE_LATE:%Y-%m-%d %H:%M %Z} on an empty list is taken for an empty day.",
            day=day,
        )
    await totals.check(reading)
    notes = {} if reading.miscount is None else {"total_items_declared": reading.miscount}
    return raw_day(VALUES_RAW, day, reading.answers, notes)


async def fetch_listing(client: StatsigClient, spec: ListingSpec, totals: ListTotals, day: date) -> RawDay:
    """One observation of all definitions of all events: `listing_raw`. The first request goes alone, so that a refused key costs one.

    Notes: `events` (number requested); where there are any, `events_not_askable` (discovered names no address can hold, or with a broken character) and
    `total_items_declared` (by path, where the vendor's count is not the number of items read).
    """
    keep = spec.keep_personal_fields
    if spec.events is None:
        first = await client.metrics(keep_personal_fields=keep)
        discovered = {event for metric in first.items for event in _events_of(metric)}
        # The vendor does not know an event by a name that was repaired.
        is_repaired = any(answer.repaired for answer in first.answers)
        unnamable = sorted(name for name in discovered if not is_askable(name) or (is_repaired and REPLACEMENT in name))
        rest = sorted(discovered.difference(unnamable))
        events = len(rest)
    else:
        first = await client.event_metrics(spec.events[0], keep_personal_fields=keep)
        unnamable, rest = [], list(spec.events[1:])
        events = len(spec.events)
    readings = [first, *await together(client.event_metrics(event, keep_personal_fields=keep) for event in rest)]
    for reading in readings:
        await totals.check(reading)
    miscounts = {reading.answers[0].path: reading.miscount for reading in readings if reading.miscount is not None}
    notes: dict[str, Any] = {
        "events": events,
        **({"events_not_askable": unnamable} if unnamable else {}),
        **({"total_items_declared": miscounts} if miscounts else {}),
    }
    made = raw_day(LISTING_RAW, day, [answer for reading in readings for answer in reading.answers], notes)
    # No table is derived from them here, and a large project has tens of thousands of definitions.
    return replace(made, responses=())


def _events_of(metric: Metric) -> Sequence[str]:
    return (metric.lineage.events if metric.lineage else None) or ()


def counted_values(day: date, raw: pa.Table) -> Mapping[str, Typed]:
    """As `transform.metric_values`, with the figures `values` (rows with a number) and, where there are any, `missing_values` (without)."""
    return _counted(metric_values(day, raw))


def counted_value_rows(day: date, responses: Sequence[Response[ListPage[MetricValue]]]) -> Mapping[str, Typed]:
    """As `counted_values`, of decoded responses."""
    return _counted(value_rows(day, responses))


def _counted(tables: Mapping[str, Typed]) -> Mapping[str, Typed]:
    typed = tables[METRIC_VALUES.name]
    missing = typed.content["value"].null_count
    counts = {"values": typed.content.num_rows - missing, **({"missing_values": missing} if missing else {})}
    return {METRIC_VALUES.name: Typed(typed.content, {**typed.figures, **counts})}
