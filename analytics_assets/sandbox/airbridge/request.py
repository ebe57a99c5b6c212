"""Checks the body of a simulated Airbridge report request, as strictly as the vendor's page writes it.

Here lives the reading of the body into a ``ReportRequest`` and the list of errors of a bad one, in the form seen from the
vendor: ``{loc, msg, type}``. The vocabularies are in ``airbridge_spec``, the numbers in ``airbridge_report``, cohorts in
``airbridge_cohorts``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from analytics_assets.sandbox.airbridge.cohorts import cohort_problems
from analytics_assets.sandbox.airbridge.spec import (
    AGGREGATIONS,
    COHORT_FIELD,
    DEFAULT_INTERVALS,
    FILTER_TYPES,
    GROUP_BYS,
    MAX_INTERVALS,
    RETURN_EVENTS,
    SORT_FIELDS,
    START_EVENTS,
)
from analytics_assets.sandbox.endpoints import plain_date

MAX_SPAN_DAYS: Final = 92
_REQUIRED: Final = (
    "from",
    "to",
    "groupBy",
    "granularity",
    "startEvents",
    "returnEvents",
    "metric",
    "aggregationType",
    "filters",
    "sorts",
)
_OPTIONAL: Final = ("cohorts", "intervalsPeriod", "resultSpec")


class InvalidRequestError(Exception):
    """A body the vendor refuses with 400; ``errors`` are its entries {loc, msg, type}."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(f"{len(errors)} errors")
        self.errors = errors


@dataclass(frozen=True)
class FieldFilter:
    """A condition on a group-by field."""

    field: str
    type: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class ReportRequest:
    """A request as the report is made from; ``intervals`` is the index of the last interval."""

    first: date
    last: date
    fields: tuple[str, ...]
    granularity: str
    intervals: int
    start_events: tuple[str, ...]
    return_events: tuple[str, ...]
    metric: str
    aggregation: str
    filters: tuple[FieldFilter, ...]
    sorts: tuple[tuple[str, bool], ...]


class _Problems:
    """Collects what is wrong, so that one response names everything."""

    def __init__(self) -> None:
        self.found: list[dict[str, Any]] = []

    def add(self, loc: Sequence[str | int], message: str, kind: str = "value_error") -> None:
        self.found.append({"loc": ["body", *loc], "msg": message, "type": kind})

    def check(self, holds: bool, loc: Sequence[str | int], message: str) -> bool:
        if not holds:
            self.add(loc, message)
        return holds

    def strings(self, value: object, loc: Sequence[str | int]) -> tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return tuple(value)
        self.add(loc, "value is not a valid list of strings", "type_error.list")
        return ()

    def enum(self, value: object, loc: Sequence[str | int], allowed: Sequence[str]) -> str:
        if isinstance(value, str) and value in allowed:
            return value
        self.add(loc, f"value is not a valid enumeration member; permitted: {', '.join(allowed)}", "type_error.enum")
        return ""

    def enums(self, value: object, loc: Sequence[str | int], allowed: Sequence[str]) -> tuple[str, ...]:
        names = self.strings(value, loc)
        for number, name in enumerate(names):
            self.enum(name, [*loc, number], allowed)
        return names

    def day(self, value: object, loc: Sequence[str | int]) -> date:
        try:
            return plain_date(value if isinstance(value, str) else "")
        except ValueError:
            self.add(loc, "invalid date format, expected YYYY-MM-DD", "value_error.date")
            return date.min


def read_request(body: object, today: date) -> ReportRequest:
    """The request a decoded JSON body requests, ``today`` being the app's.

    Raises:
        InvalidRequestError: Something is missing, unknown, of a wrong type or out of range.
    """
    problems = _Problems()
    if not isinstance(body, dict):
        problems.add([], "value is not a valid dict", "type_error.dict")
        raise InvalidRequestError(problems.found)
    for name in _REQUIRED:
        if body.get(name) is None:
            problems.add([name], "field required", "value_error.missing")
    for name in body.keys() - {*_REQUIRED, *_OPTIONAL}:
        problems.add([name], "extra fields not permitted", "value_error.extra")
    if problems.found:
        raise InvalidRequestError(problems.found)
    first, last = _span(body, today, problems)
    granularity = problems.enum(body["granularity"], ["granularity"], tuple(MAX_INTERVALS))
    metric = problems.enum(body["metric"], ["metric"], tuple(AGGREGATIONS))
    every = ("cumulative", "on-day", "unique-cumulative")
    request = ReportRequest(
        first=first,
        last=last,
        fields=_fields(body, problems),
        granularity=granularity,
        intervals=_intervals(body.get("intervalsPeriod"), granularity, problems),
        start_events=problems.enums(body["startEvents"], ["startEvents"], tuple(START_EVENTS)),
        return_events=problems.enums(body["returnEvents"], ["returnEvents"], tuple(RETURN_EVENTS)),
        metric=metric,
        aggregation=problems.enum(body["aggregationType"], ["aggregationType"], AGGREGATIONS.get(metric, every)),
        filters=_filters(body["filters"], problems),
        sorts=_sorts(body["sorts"], problems),
    )
    problems.check(bool(request.start_events), ["startEvents"], "at least one event is required")
    problems.check(bool(request.return_events), ["returnEvents"], "at least one event is required")
    for loc, message in cohort_problems(body.get("cohorts")):
        problems.add(loc, message)
    _check_result_spec(body.get("resultSpec"), problems)
    if problems.found:
        raise InvalidRequestError(problems.found)
    return request


def _span(body: Mapping[str, Any], today: date, problems: _Problems) -> tuple[date, date]:
    first, last = problems.day(body["from"], ["from"]), problems.day(body["to"], ["to"])
    if date.min not in {first, last} and problems.check(first <= last, ["from"], "from must not be after to"):
        problems.check(last <= today, ["to"], "to must not be in the future")
        in_reach = (last - first).days < MAX_SPAN_DAYS
        problems.check(in_reach, ["to"], f"the period must not be longer than {MAX_SPAN_DAYS} days")
    return first, last


def _fields(body: Mapping[str, Any], problems: _Problems) -> tuple[str, ...]:
    group_by = body["groupBy"]
    if not isinstance(group_by, dict) or group_by.keys() != {"fields"}:
        problems.add(["groupBy"], "value must be an object with fields", "type_error.dict")
        return ()
    # The page lets a report be grouped by its cohort too, which is no dimension of the metadata.
    allowed = (*GROUP_BYS, COHORT_FIELD) if body.get("cohorts") else tuple(GROUP_BYS)
    fields = problems.enums(group_by["fields"], ["groupBy", "fields"], allowed)
    problems.check(len(set(fields)) == len(fields), ["groupBy", "fields"], "fields must be unique")
    return fields


def _intervals(value: object, granularity: str, problems: _Problems) -> int:
    if value is None or not granularity:
        return DEFAULT_INTERVALS.get(granularity, 0)
    if not isinstance(value, int) or isinstance(value, bool):
        problems.add(["intervalsPeriod"], "value is not a valid integer", "type_error.integer")
        return 0
    most = MAX_INTERVALS[granularity]
    problems.check(0 <= value <= most, ["intervalsPeriod"], f"ensure this value is from 0 to {most}")
    return value


def _filters(value: object, problems: _Problems) -> tuple[FieldFilter, ...]:
    if not isinstance(value, list):
        problems.add(["filters"], "value is not a valid list", "type_error.list")
        return ()
    read = []
    for number, one in enumerate(value):
        loc: list[str | int] = ["filters", number]
        if not isinstance(one, dict) or not {"field", "filterType"} <= one.keys() <= {"field", "filterType", "values"}:
            problems.add(loc, "value must be an object with field, filterType and values", "type_error.dict")
            continue
        field = problems.enum(one["field"], [*loc, "field"], tuple(GROUP_BYS))
        kind = problems.enum(one["filterType"], [*loc, "filterType"], FILTER_TYPES)
        values = problems.strings(one.get("values", []), [*loc, "values"])
        problems.check(bool(values) or kind.endswith("EXIST"), [*loc, "values"], "at least one value is required")
        read.append(FieldFilter(field, kind, values))
    return tuple(read)


def _sorts(value: object, problems: _Problems) -> tuple[tuple[str, bool], ...]:
    if not isinstance(value, list):
        problems.add(["sorts"], "value is not a valid list", "type_error.list")
        return ()
    read = []
    for number, one in enumerate(value):
        if not isinstance(one, dict) or one.keys() != {"fieldName", "isAscending"}:
            problems.add(["sorts", number], "value must be an object with fieldName and isAscending", "type_error.dict")
            continue
        field = problems.enum(one["fieldName"], ["sorts", number, "fieldName"], SORT_FIELDS)
        ascending = one["isAscending"]
        problems.check(isinstance(ascending, bool), ["sorts", number, "isAscending"], "value is not a valid boolean")
        read.append((field, bool(ascending)))
    return tuple(read)


def _check_result_spec(value: object, problems: _Problems) -> None:
    """``resultSpec.csv`` holds two optional booleans; they change nothing in a JSON answer."""
    if value is None:
        return
    csv = value.get("csv", {}) if isinstance(value, dict) and value.keys() <= {"csv"} else None
    known = isinstance(csv, dict) and csv.keys() <= {"includesMetadata", "includesTotal"}
    booleans = known and isinstance(csv, dict) and all(isinstance(one, bool) for one in csv.values())
    problems.check(booleans, ["resultSpec"], "value must be {csv: {includesMetadata, includesTotal}}")
