"""What a revenue report requests: every parameter of the request's body, checked before anything is sent.

A `ReportSpec` is what a person writes down once; `body` adds the days. Source of names, limits and vocabularies: the vendor's page,
"Request Report", https://help.airbridge.io/en/references/revenue-report. What that page leaves open (dimensions, sort fields) is sent as
written and judged by the vendor. The nested cohort is in `cohort_filter.py`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from analytics_assets.errors import PermanentError
from analytics_assets.lake.raw import request_hash
from analytics_assets.sources.airbridge.cohort_filter import (
    Cohort,
    Problem,
    cohort_body,
    cohort_problems,
    given,
    one_of,
)

DAYS_PER_TASK: Final = 92
MOST_INTERVALS: Final = 120
SETTLE_DAYS: Final = 3
START_EVENTS: Final = ("app_install", "app_deeplink_open", "app_deeplink_pageview", "app_sign_up", "app_sign_in")
RETURN_EVENTS: Final = (
    "app_order_complete",
    "app_first_order_complete",
    "app_ad_impression",
    "app_ad_click",
    "app_subscribe",
)
# The page's request knows no unique-cumulative; its metadata lists it for app_user_count and leaves cumulative out. Either may be asked.
AGGREGATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "app_revenue": ("cumulative", "on-day"),
    "app_user_count": ("cumulative", "on-day", "unique-cumulative"),
    "app_event_count": ("cumulative", "on-day"),
    "app_roas": ("cumulative",),
    "app_arpu": ("cumulative",),
    "app_arppu": ("cumulative",),
}
# Made of cost, which exists on some dimensions only; the metadata says which.
COST_METRICS: Final = frozenset({"app_roas"})
FILTER_TYPES: Final = ("IN", "NOT IN", "LIKE", "NOT LIKE", "EXIST", "NOT EXIST")


@dataclass(frozen=True)
class Filter:
    """A condition on a dimension; `EXIST` and `NOT EXIST` need no values."""

    field: str
    filter_type: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sort:
    """An order of the groups; the page names the field `totalRevenue` only."""

    field_name: str
    is_ascending: bool


@dataclass(frozen=True)
class CsvResult:
    """What a CSV result holds beside the rows; nothing says that it changes a JSON answer. None is not sent."""

    includes_metadata: bool | None = None
    includes_total: bool | None = None


@dataclass(frozen=True, kw_only=True)
class ReportSpec:
    """A daily revenue report.

    Attributes:
        name: First part of its tables' names: small letters, digits and underscores.
        group_by: Dimensions in order: keys of the vendor's metadata, or the cohort.
        metric: One of `AGGREGATIONS`.
        aggregation: One of the aggregations of that metric.
        start_events: What begins a cohort, of `START_EVENTS`.
        return_events: What counts for the metric, of `RETURN_EVENTS`.
        intervals: Last interval in days after the start, 0 to 120; interval 0 is the day of the start itself.
        filters: Conditions on dimensions.
        sorts: Order of the groups in the response; tables have an order of their own.
        cohort: Who is counted; everybody by default.
        granularity: `day`, because a partition is one day.
        csv: What a CSV result would hold.
        settle_days: Days after the last interval in which a cohort is still requested, 0 to 92; not part of the request.

    Raises:
        PermanentError: Something is unknown, missing or out of range; the message names every place, reason and remedy.
    """

    name: str
    group_by: tuple[str, ...]
    metric: str
    aggregation: str
    start_events: tuple[str, ...]
    return_events: tuple[str, ...]
    intervals: int = 30
    filters: tuple[Filter, ...] = ()
    sorts: tuple[Sort, ...] = ()
    cohort: Cohort | None = None
    granularity: str = "day"
    csv: CsvResult | None = None
    settle_days: int = SETTLE_DAYS

    def __post_init__(self) -> None:
        """Refuses what the vendor would refuse, all of it at once."""
        problems = [f"{place}: {reason}. {remedy}." for place, reason, remedy in _problems(self)]
        if problems:
            raise PermanentError(f"Airbridge report {self.name!r} cannot be requested.", remedy=" ".join(problems))


def body(spec: ReportSpec, from_day: date, to_day: date) -> dict[str, Any]:
    """The body of POST `/revenue/query` for cohorts that begin on `from_day` to `to_day`, both included, in the app's zone.

    Raises:
        PermanentError: These are not 1 to 92 days.
    """
    days = (to_day - from_day).days + 1
    if not 1 <= days <= DAYS_PER_TASK:
        raise PermanentError(
            f"Airbridge report {spec.name!r}: {from_day} to {to_day} are {days} days, and a task takes 1 to {DAYS_PER_TASK}.",
            remedy="Ask for the days in several tasks.",
        )
    return {"from": from_day.isoformat(), "to": to_day.isoformat(), **_without_days(spec)}


def spec_hash(spec: ReportSpec) -> str:
    """A short name for what is asked, whatever the days and the report's name."""
    return request_hash(_without_days(spec))


def reached_intervals(day: date, requested_at: datetime | None, spec: ReportSpec, zone: str) -> int:
    """Intervals whose calendar day was over in the app's zone when the report was requested."""
    if requested_at is None:
        return 0
    return max(0, min(spec.intervals + 1, (requested_at.astimezone(ZoneInfo(zone)).date() - day).days))


def _without_days(spec: ReportSpec) -> dict[str, Any]:
    asked: dict[str, Any] = {} if spec.cohort is None else {"cohorts": [cohort_body(spec.cohort)]}
    asked |= {
        "groupBy": {"fields": list(spec.group_by)},
        "granularity": spec.granularity,
        "intervalsPeriod": spec.intervals,
        "startEvents": list(spec.start_events),
        "returnEvents": list(spec.return_events),
        "metric": spec.metric,
        "aggregationType": spec.aggregation,
        "filters": [
            {"field": one.field, "filterType": one.filter_type, "values": list(one.values)} for one in spec.filters
        ],
        "sorts": [{"fieldName": one.field_name, "isAscending": one.is_ascending} for one in spec.sorts],
    }
    if spec.csv is not None:
        csv = given(includesMetadata=spec.csv.includes_metadata, includesTotal=spec.csv.includes_total)
        asked["resultSpec"] = {"csv": csv}
    return asked


def _problems(spec: ReportSpec) -> Iterator[Problem]:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", spec.name):
        yield "name", f"{spec.name!r} cannot begin a table's name", "Use small letters, digits and _, a letter first"
    yield from _different(spec.group_by, "group_by", "dimensions")
    yield from _different(spec.start_events, "start_events", "events")
    yield from _different(spec.return_events, "return_events", "events")
    for event in spec.start_events:
        yield from one_of(event, "start_events", START_EVENTS)
    for event in spec.return_events:
        yield from one_of(event, "return_events", RETURN_EVENTS)
    yield from one_of(spec.metric, "metric", tuple(AGGREGATIONS))
    yield from _aggregation_problems(spec)
    yield from _time_problems(spec)
    yield from _filter_problems(spec)
    if spec.cohort is not None:
        yield from cohort_problems(spec.cohort)


def _aggregation_problems(spec: ReportSpec) -> Iterator[Problem]:
    known = AGGREGATIONS.get(spec.metric, AGGREGATIONS["app_user_count"])
    if spec.aggregation not in known:
        yield "aggregation", f"{spec.metric} cannot be had {spec.aggregation!r}", f"Use {' or '.join(known)}"


def _time_problems(spec: ReportSpec) -> Iterator[Problem]:
    if not 0 <= spec.intervals <= MOST_INTERVALS:
        yield "intervals", f"{spec.intervals} is not within 0 to {MOST_INTERVALS} days", "Choose a number in that range"
    if not 0 <= spec.settle_days <= DAYS_PER_TASK:
        yield (
            "settle_days",
            f"{spec.settle_days} is not within 0 to {DAYS_PER_TASK} days",
            "Choose a number in that range",
        )
    if spec.granularity in ("week", "month"):
        reason = f"the rows of a {spec.granularity} begin at the first day requested, so they cannot be tables of a day"
        yield "granularity", reason, "Use day and add up the daily cohorts"
    else:
        yield from one_of(spec.granularity, "granularity", ("day",))


def _filter_problems(spec: ReportSpec) -> Iterator[Problem]:
    for number, one in enumerate(spec.filters):
        yield from one_of(one.filter_type, f"filters[{number}].filter_type", FILTER_TYPES)
        if not one.field:
            yield f"filters[{number}].field", "it is empty", "Name a dimension of the vendor's metadata"
        if not one.values and not one.filter_type.endswith("EXIST"):
            yield f"filters[{number}].values", f"{one.filter_type} needs values", "Give at least one"
    for number, sort in enumerate(spec.sorts):
        if not sort.field_name:
            yield f"sorts[{number}].field_name", "it is empty", "Use totalRevenue"


def _different(values: Sequence[str], place: str, what: str) -> Iterator[Problem]:
    if not values or not all(values) or len(set(values)) < len(values):
        yield place, "it is empty, or has an empty or a repeated entry", f"List different {what}, at least one"
