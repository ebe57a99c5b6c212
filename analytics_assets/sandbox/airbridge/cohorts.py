"""Checks the shape of ``cohorts`` in a simulated Airbridge report request.

Here lives the nesting the vendor's page describes: andClauses, orClauses, segment with event, filters and time. A cohort is
checked and then not applied: the synthetic people have no such history to select by.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any, Final

from analytics_assets.sandbox.endpoints import plain_date

_EVENT_OPERATORS: Final = ("equals", "more than or equals", "more than", "less than or equals", "less than")
_TIME_OPERATORS: Final = ("during", "between", "since")
_BETWEEN_FROM: Final = date(2023, 2, 1)
_BETWEEN_DAYS: Final = 90

Problem = tuple[list[str | int], str]


def cohort_problems(cohorts: object) -> Iterator[Problem]:
    """What is wrong with the value of ``cohorts``, each with its place; nothing for None, [] and one good cohort."""
    if cohorts is None or cohorts == []:
        return
    if not isinstance(cohorts, list) or len(cohorts) > 1:
        yield ["cohorts"], "only one cohort can be set up"
        return
    cohort = cohorts[0]
    place: list[str | int] = ["cohorts", 0]
    if not isinstance(cohort, dict) or cohort.keys() != {"id", "name", "definition"}:
        yield place, "value must be an object with id, name and definition"
        return
    if cohort["id"] != 0 or isinstance(cohort["id"], bool):
        yield [*place, "id"], "id must be 0"
    if cohort["name"] != "Cohort":
        yield [*place, "name"], 'name must be "Cohort"'
    definition = cohort["definition"]
    clauses = definition.get("andClauses") if isinstance(definition, dict) else None
    yield from _clauses(clauses, [*place, "definition", "andClauses"], "orClauses", _or_clauses)


def _clauses(
    value: object, place: list[str | int], inner: str, check: Callable[[Any, list[str | int]], Iterator[Problem]]
) -> Iterator[Problem]:
    """A non-empty list of {negated, inner}."""
    if not isinstance(value, list) or not value:
        yield place, "at least one clause is required"
        return
    for number, clause in enumerate(value):
        if not isinstance(clause, dict) or not isinstance(clause.get("negated"), bool) or inner not in clause:
            yield [*place, number], f"value must be an object with negated and {inner}"
        else:
            yield from check(clause[inner], [*place, number, inner])


def _or_clauses(value: object, place: list[str | int]) -> Iterator[Problem]:
    yield from _clauses(value, place, "segment", _segment)


def _segment(segment: Any, place: list[str | int]) -> Iterator[Problem]:
    if not isinstance(segment, dict) or not isinstance(segment.get("event"), dict):
        yield place, "value must be an object with event"
        return
    event = segment["event"]
    if not isinstance(event.get("type"), str) or not event["type"]:
        yield [*place, "event", "type"], "value is not a valid string"
    if event.get("operator") not in _EVENT_OPERATORS:
        yield [*place, "event", "operator"], f"permitted: {', '.join(_EVENT_OPERATORS)}"
    count = event.get("value")
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        yield [*place, "event", "value"], "value is not a natural number"
    filters = segment.get("filters", [])
    if not isinstance(filters, list) or not all(
        isinstance(one, dict) and {"field", "filterType"} <= one.keys() for one in filters
    ):
        yield [*place, "filters"], "value must be a list of objects with field and filterType"
    if (when := segment.get("time")) is not None:
        yield from _time(when, [*place, "time"])


def _time(when: Any, place: list[str | int]) -> Iterator[Problem]:
    if not isinstance(when, dict) or when.get("operator") not in _TIME_OPERATORS:
        yield [*place, "operator"], f"permitted: {', '.join(_TIME_OPERATORS)}"
        return
    if when["operator"] != "between" or not {"from", "to"} <= when.keys():
        return
    try:
        first, last = plain_date(str(when["from"])), plain_date(str(when["to"]))
    except ValueError:
        yield place, "invalid date format, expected YYYY-MM-DD"
        return
    if not _BETWEEN_FROM <= first <= last or last - first > timedelta(days=_BETWEEN_DAYS):
        yield place, f"between starts on {_BETWEEN_FROM} at the earliest and spans at most {_BETWEEN_DAYS} days"
