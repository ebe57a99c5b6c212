"""Counts the people behind a simulated Airbridge report: users, revenue, events and cost by group and start date.

Here lives who belongs to which cohort and which of their deeds fall into which interval. What the metrics make of the counts,
and the vendor's shape, are in ``airbridge_report``.
"""

from bisect import bisect_right
from calendar import monthrange
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from analytics_assets.sandbox.airbridge.request import FieldFilter, ReportRequest
from analytics_assets.sandbox.airbridge.spec import COHORT_FIELD, GROUP_BYS
from analytics_assets.sandbox.timeline import Timeline
from analytics_assets.sandbox.world import CURRENCY, Person, Purchase, converted_cents

_ACQUISITIONS: Final = {"app_install", "app_sign_up"}
_EVENT_OF: Final[Mapping[str, str]] = {
    "app_deeplink_open": "deeplink_open",
    "app_deeplink_pageview": "deeplink_pageview",
    "app_sign_in": "sign_in",
    "app_ad_impression": "ad_impression",
    "app_ad_click": "ad_click",
}
_PURCHASE_OF: Final[Mapping[str, Callable[[Purchase], bool]]] = {
    "app_order_complete": lambda _: True,
    "app_first_order_complete": lambda purchase: purchase.is_first,
    "app_subscribe": lambda purchase: purchase.is_subscription,
}


def _step(start: date, granularity: str, count: int) -> date:
    """``count`` periods after ``start``; a month without that day ends on its last."""
    if granularity != "month":
        return start + timedelta(days=count * (7 if granularity == "week" else 1))
    year, month = divmod(start.year * 12 + start.month - 1 + count, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


class ReportCalendar:
    """Rows of first..last (both included) and intervals 0..intervals of each, as far as ``today`` has begun them."""

    def __init__(self, first: date, last: date, granularity: str, intervals: int, today: date) -> None:
        self._last = last
        self.starts: list[date] = []
        while (start := _step(first, granularity, len(self.starts))) <= last:
            self.starts.append(start)
        self._edges = [[_step(start, granularity, step) for step in range(intervals + 2)] for start in self.starts]
        self.reached = [bisect_right(edges[:-1], today) for edges in self._edges]

    def row(self, day: date) -> int | None:
        """Index of the row whose period holds a day; None outside first..last."""
        if not self.starts or not self.starts[0] <= day <= self._last:
            return None
        return bisect_right(self.starts, day) - 1

    def interval(self, row: int, day: date) -> int | None:
        """Index of a row's interval that holds a day; None before the row and beyond its last interval."""
        index = bisect_right(self._edges[row], day) - 1
        return index if 0 <= index < self.reached[row] else None


@dataclass
class GroupFigures:
    """One group on one start date: users of the start event, cost in cents, and by interval cents, events and users."""

    users: int = 0
    cost: int = 0
    cents: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    events: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    returned: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))


Counted = dict[tuple[str, ...], dict[int, GroupFigures]]


def count_cells(
    request: ReportRequest,
    timeline: Timeline,
    calendar: ReportCalendar,
    *,
    zone: ZoneInfo,
    currency: str,
    as_of: datetime,
) -> Counted:
    """Cells by group values and row; rows with neither a user nor cost are absent."""
    counted: Counted = defaultdict(lambda: defaultdict(GroupFigures))
    for person, started in _starts(request, timeline, zone, as_of):
        labels = _labels(person, started)
        row = calendar.row(started.astimezone(zone).date())
        if row is None or not _passes(request.filters, labels):
            continue
        cells = counted[tuple(labels[name] for name in request.fields)][row]
        cells.users += 1
        for at, amount, paid_in in _returns(request, person):
            cents = converted_cents(amount, paid_in, currency)
            interval = calendar.interval(row, at.astimezone(zone).date()) if started <= at < as_of else None
            if interval is not None:
                cells.cents[interval] += cents
                cells.events[interval] += 1
                cells.returned[interval].add(person.id)
    _add_cost(counted, request, timeline, calendar, currency)
    return counted


def _starts(
    request: ReportRequest, timeline: Timeline, zone: ZoneInfo, as_of: datetime
) -> Iterator[tuple[Person, datetime]]:
    """Each person once, with the first start event of the period."""
    start = datetime.combine(request.first, time(), zone)
    end = min(datetime.combine(request.last + timedelta(days=1), time(), zone), as_of)
    found: dict[str, tuple[Person, datetime]] = {}
    if _ACQUISITIONS & set(request.start_events):
        found = {person.id: (person, person.acquired_at) for person in timeline.people(start, end)}
    if names := {_EVENT_OF[name] for name in request.start_events if name in _EVENT_OF}:
        for person, event in timeline.events(start, end):
            if event.name in names and (person.id not in found or event.at < found[person.id][1]):
                found[person.id] = (person, event.at)
    yield from found.values()


def _returns(request: ReportRequest, person: Person) -> Iterator[tuple[datetime, int, str]]:
    """Instant, cents and currency of each return event; a purchase that is several of them counts once."""
    rules = [_PURCHASE_OF[name] for name in request.return_events if name in _PURCHASE_OF]
    for purchase in person.purchases:
        if any(rule(purchase) for rule in rules):
            yield purchase.at, purchase.amount_cents, purchase.currency
    names = {_EVENT_OF[name] for name in request.return_events if name in _EVENT_OF}
    for event in person.events if names else ():
        if event.name in names:
            yield event.at, round(100 * (event.value or 0)), CURRENCY


def _labels(person: Person, started: datetime) -> dict[str, str]:
    """The value of every group-by field for a person's start event."""
    first = "true" if started == person.acquired_at else "false"
    return {
        "is_first_event_per_user_id": first,
        "is_first_event_per_device_id": first,
        "channel": person.channel,
        "campaign": person.campaign,
        "ad_creative": person.ad,
        "content": person.content,
        "medium": person.medium,
        "country": person.country,
        COHORT_FIELD: "Cohort",
    }


def _passes(filters: tuple[FieldFilter, ...], labels: Mapping[str, str]) -> bool:
    """True if all filters hold; an empty label is a value that does not exist."""
    return all(_holds(one, labels[one.field]) for one in filters)


def _holds(one: FieldFilter, label: str) -> bool:
    kind = one.type.removeprefix("NOT ")
    holds = {
        "IN": label in one.values,
        "LIKE": any(value in label for value in one.values),
        "EXIST": label != "",
    }[kind]
    return holds is not one.type.startswith("NOT ")


def _add_cost(
    counted: Counted, request: ReportRequest, timeline: Timeline, calendar: ReportCalendar, currency: str
) -> None:
    """Cost is known by channel and campaign only: a report that needs it by anything else has none."""
    needed = {*request.fields, *(one.field for one in request.filters)} - {COHORT_FIELD}
    if not all(GROUP_BYS[name].is_cost for name in needed):
        return
    days = [request.first + timedelta(days=number) for number in range((request.last - request.first).days + 1)]
    for channel, campaign in timeline.world.paid_campaigns():
        labels = {"channel": channel, "campaign": campaign, COHORT_FIELD: "Cohort"}
        if not _passes(request.filters, labels):
            continue
        group = tuple(labels[name] for name in request.fields)
        for day in days:
            row, cents = calendar.row(day), timeline.world.spend_cents(day, channel, campaign)
            if cents and row is not None:
                counted[group][row].cost += converted_cents(cents, CURRENCY, currency)
