"""Forms of the simulated Statsig's answers: every form of the next page, totals that lie, both spellings of a value, odd definitions.

Here lives what the vendor's pages and its specification say differently, and what its own samples already do. Which forms are on is in
``forms``; pages that change while they are read are ``faults``, because they come and go.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from analytics_assets_tests.vendors.forms import Change, Form
from analytics_assets_tests.vendors.spellings import first_twice, nulled, numbers_as_text, with_added, without

PERSON_NAME: Final = "Planted Person"
PERSON_EMAIL: Final = "planted.person@example.com"
_VALUES: Final = "/metrics/values"
_OF_EVENT: Final = "/events/{eventName}/metrics"
_DEFINITIONS: Final = (_OF_EVENT, "/metrics/list")
_REQUIRED: Final = {"id", "name", "type"}
_OPTIONAL_OF_VALUES: Final = ("numerator", "denominator", "inputRows", "displayName")
_SNAKE: Final = {
    "unitType": "unit_type",
    "inputRows": "row_count",
    "metricName": "metric_name",
    "metricType": "metric_type",
}
_WRONG_TOTAL: Final = 1254


def _lists(change: Change) -> dict[str, Change]:
    return dict.fromkeys((_VALUES, *_DEFINITIONS), change)


def _paging(change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Change]:
    """Changes the pagination object of every list."""

    def made(body: Any) -> Any:
        return {**body, "pagination": change(body["pagination"])} if body.get("pagination") else body

    return _lists(made)


def _next(link: Callable[[int, str], str]) -> dict[str, Change]:
    """Writes the next page, where there is one, from its number and its query."""

    def made(paging: dict[str, Any]) -> dict[str, Any]:
        if paging["nextPage"] is None:
            return paging
        query = paging["nextPage"].partition("?")[2]
        return {**paging, "nextPage": link(int(paging["pageNumber"]) + 1, query)}

    return _paging(made)


def _items(change: Change) -> Change:
    return lambda body: {**body, "data": [change(one) for one in body["data"]]}


def _seconds(one: dict[str, Any]) -> dict[str, Any]:
    times = {name: one[name] / 1000 for name in ("createdTime", "lastModifiedTime") if one.get(name) is not None}
    return {**one, **times}


def _least(one: dict[str, Any], *, is_null: bool) -> dict[str, Any]:
    return {name: value if name in _REQUIRED else None for name, value in one.items() if is_null or name in _REQUIRED}


def _odd_ids(body: Any) -> Any:
    data = [{**one, "id": f"___RENAME_FAILED___ {one['id']}::composite_sum"} for one in body["data"]]
    return {**body, "data": data}


def _peopled(one: dict[str, Any]) -> dict[str, Any]:
    names = dict.fromkeys(("creatorName", "lastModifierName"), PERSON_NAME)
    addresses = dict.fromkeys(("creatorEmail", "lastModifierEmail"), PERSON_EMAIL)
    owner = {"name": PERSON_NAME, "ownerName": PERSON_NAME, "ownerEmail": PERSON_EMAIL, "ownerType": "USER"}
    return {**one, **names, **addresses, "owner": owner}


def _harmless() -> Iterator[tuple[str, str, dict[str, Change]]]:
    yield "next-query", "names the next page as `?page=2&limit=5`", _next(lambda page, _: f"?page={page}&limit=5")
    yield (
        "next-path",
        "names the next page as a path with page and limit",
        _next(lambda page, _: f"/console/v1/any?page={page}&limit=5"),
    )
    yield (
        "next-full",
        "names the next page as a path with the whole query",
        _next(lambda _, query: f"/console/v1/any?{query}"),
    )
    yield (
        "next-absolute",
        "names the next page as an address",
        _next(lambda _, query: f"https://statsigapi.net/console/v1/any?{query}"),
    )
    yield (
        "next-beyond",
        "names a next page on the last one too",
        _paging(lambda one: {**one, "nextPage": one["nextPage"] or "?page=9"}),
    )
    yield (
        "total-wrong",
        "declares 1254 items whatever there are",
        _paging(lambda one: {**one, "totalItems": _WRONG_TOTAL}),
    )
    yield "total-absent", "declares no total", _paging(without(("totalItems",)))
    yield "pagination-absent", "sends no pagination object", _lists(without(("pagination",)))
    yield "reversed", "lists in another order", _lists(lambda body: {**body, "data": body["data"][::-1]})
    yield (
        "snake-case",
        "spells values as the single metric does",
        {_VALUES: _items(lambda one: {_SNAKE.get(name, name): value for name, value in one.items()})},
    )
    yield "seconds", "sends creation times in seconds", dict.fromkeys(_DEFINITIONS, _items(_seconds))
    yield (
        "extra-fields",
        "sends fields that no page names",
        _lists(with_added(("id", "value", "pagination", "itemsPerPage"))),
    )
    yield "numbers-as-text", "sends numbers as text", _lists(numbers_as_text)


def _others() -> Iterator[tuple[str, str, dict[str, Change]]]:
    missing: dict[str, Change] = {
        _VALUES: without(_OPTIONAL_OF_VALUES),
        _OF_EVENT: _items(lambda one: _least(one, is_null=False)),
    }
    yield "optional-missing", "leaves out every field that its specification does not require", missing
    null: dict[str, Change] = {
        _VALUES: nulled(_OPTIONAL_OF_VALUES),
        _OF_EVENT: _items(lambda one: _least(one, is_null=True)),
    }
    yield "optional-null", "sends every field that its specification does not require as null", null
    odd_types = {
        _VALUES: _items(lambda one: {**one, "metricType": f"{one['metricType']} 2030"}),
        _OF_EVENT: _items(lambda one: {**one, "type": f"{one['type']} 2030"}),
    }
    yield "odd-types", "sends a metric type that is in no list", odd_types
    yield "odd-ids", "gives metrics ids that disagree with their names", {_OF_EVENT: _odd_ids}
    yield "people", "names people wherever its pages do", dict.fromkeys(_DEFINITIONS, _items(_peopled))
    required: dict[str, Change] = {_VALUES: without(("metricType",)), **dict.fromkeys(_DEFINITIONS, without(("type",)))}
    yield "required-missing", "leaves out a field that makes an entry what it is", required
    yield "data-missing", "leaves out the list itself", _lists(without(("data",)))
    yield "key-twice", "lists an entry twice on one page", _lists(lambda body: first_twice(body, "data"))
    yield (
        "next-elsewhere",
        "names a next page on another host",
        _paging(lambda one: {**one, "nextPage": "https://elsewhere.example/?page=2"}),
    )


def _error_object(body: Any) -> Any:
    return {**body, "errors": [{"property": "date", "errorMessage": {"isDate": "must be a date"}}]}


FORMS: Final = (
    *(Form("statsig", f"statsig-{name}", words, changes, is_harmless=True) for name, words, changes in _harmless()),
    *(Form("statsig", f"statsig-{name}", words, changes) for name, words, changes in _others()),
    Form(
        "statsig",
        "statsig-error-object",
        "words a validation error as an object",
        {_VALUES: _error_object},
        of_errors=True,
    ),
)
