"""Who a revenue report counts: the nested definition of its cohort, its checks and the shape it is sent in.

Source: the vendor's page, "Request Report", https://help.airbridge.io/en/references/revenue-report (`cohorts[0]`). Event names, properties
and the settings of `during` and `since` are not listed there: they are sent as written and judged by the vendor.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

EVENT_OPERATORS: Final = ("equals", "more than or equals", "more than", "less than or equals", "less than")
TIME_OPERATORS: Final = ("during", "between", "since")
BETWEEN_FROM: Final = date(2023, 2, 1)
BETWEEN_DAYS: Final = 90

# Place in the YAML, reason, remedy.
Problem = tuple[str, str, str]


@dataclass(frozen=True)
class CohortEvent:
    """An event of the user and how often it occurred; the type `any-event` stands for every event."""

    type: str
    operator: str
    value: int


@dataclass(frozen=True)
class CohortFilter:
    """A property the event had. Its operators, and whether they take none, a value or values, depend on the property."""

    field: str
    filter_type: str
    value: str | int | float | bool | None = None
    values: tuple[str | int | float | bool, ...] | None = None


@dataclass(frozen=True)
class CohortTime:
    """When the event occurred.

    Attributes:
        operator: One of `TIME_OPERATORS`.
        first: First day of `between`, sent as `from`.
        last: Last day of `between`, sent as `to`.
        settings: Further settings, sent as they are: the page says that they depend on the operator, not what they are called.
    """

    operator: str
    first: date | None = None
    last: date | None = None
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Segment:
    """The smallest condition of a cohort: an event, its properties and when it occurred."""

    event: CohortEvent
    filters: tuple[CohortFilter, ...] = ()
    time: CohortTime | None = None


@dataclass(frozen=True)
class OrClause:
    """A condition one of which must hold; `negated` turns it round."""

    segment: Segment
    negated: bool = False


@dataclass(frozen=True)
class AndClause:
    """A condition all of which must hold; `negated` turns it round."""

    or_clauses: tuple[OrClause, ...]
    negated: bool = False


@dataclass(frozen=True)
class Cohort:
    """Who is counted. A report takes one at most; its id and name are fixed by the vendor."""

    and_clauses: tuple[AndClause, ...]
    id: int = 0
    name: str = "Cohort"


def cohort_body(cohort: Cohort) -> dict[str, Any]:
    """The cohort as an entry of `cohorts` in the request's body."""
    clauses = [
        {
            "negated": clause.negated,
            "orClauses": [{"negated": one.negated, "segment": _segment(one.segment)} for one in clause.or_clauses],
        }
        for clause in cohort.and_clauses
    ]
    return {"id": cohort.id, "name": cohort.name, "definition": {"andClauses": clauses}}


def given(**values: Any) -> dict[str, Any]:
    """The values that are set."""
    return {name: value for name, value in values.items() if value is not None}


def one_of(value: str, place: str, allowed: tuple[str, ...]) -> Iterator[Problem]:
    """A problem if a word is not of a vocabulary."""
    if value not in allowed:
        yield place, f"{value!r} is not known", f"Use {' or '.join(allowed)}"


def cohort_problems(cohort: Cohort) -> Iterator[Problem]:
    """Everything the vendor's page rules out, each with its place."""
    if (cohort.id, cohort.name) != (0, "Cohort"):
        reason = f"id {cohort.id!r} and name {cohort.name!r} are refused by the vendor"
        yield "cohort", reason, "Use id 0 and name Cohort, or leave both out"
    if not cohort.and_clauses:
        yield "cohort.and_clauses", "there is none", "Give at least one clause, or leave the cohort out"
    for number, clause in enumerate(cohort.and_clauses):
        place = f"cohort.and_clauses[{number}].or_clauses"
        if not clause.or_clauses:
            yield place, "there is none", "Give at least one clause"
        for inner, one in enumerate(clause.or_clauses):
            yield from _segment_problems(one.segment, f"{place}[{inner}].segment")


def _segment(segment: Segment) -> dict[str, Any]:
    event, time = segment.event, segment.time
    sent: dict[str, Any] = {"event": {"type": event.type, "operator": event.operator, "value": event.value}}
    sent["filters"] = [
        {"field": one.field, "filterType": one.filter_type}
        | given(value=one.value, values=None if one.values is None else list(one.values))
        for one in segment.filters
    ]
    if time is not None:
        span = {"from": time.first and time.first.isoformat(), "to": time.last and time.last.isoformat()}
        sent["time"] = {"operator": time.operator, **given(**span), **time.settings}
    return sent


def _segment_problems(segment: Segment, place: str) -> Iterator[Problem]:
    event, time = segment.event, segment.time
    if not event.type:
        yield f"{place}.event.type", "it is empty", "Name an event, or any-event"
    yield from one_of(event.operator, f"{place}.event.operator", EVENT_OPERATORS)
    if event.value < 1:
        yield f"{place}.event.value", f"{event.value} is not a natural number", "Use 1 or more"
    for number, one in enumerate(segment.filters):
        if not one.field or not one.filter_type:
            yield f"{place}.filters[{number}]", "field or filter_type is empty", "Take both from the vendor's data spec"
        if one.value is not None and one.values is not None:
            yield f"{place}.filters[{number}]", "it has both value and values", "Give one of them"
    if time is not None:
        yield from one_of(time.operator, f"{place}.time.operator", TIME_OPERATORS)
    if time is not None and time.operator == "between":
        yield from _between_problems(time, f"{place}.time")


def _between_problems(time: CohortTime, place: str) -> Iterator[Problem]:
    if time.first is None or time.last is None:
        yield place, "between needs first and last", "Give both days"
    elif not BETWEEN_FROM <= time.first <= time.last or (time.last - time.first).days >= BETWEEN_DAYS:
        reason = f"{time.first} to {time.last} is out of the vendor's reach"
        yield place, reason, f"Choose at most {BETWEEN_DAYS} days, none before {BETWEEN_FROM}"
