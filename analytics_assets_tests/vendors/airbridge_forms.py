"""Forms of the simulated Airbridge's answers: both envelopes, young cohorts, masks, notifications, dates, totals and problems.

Here lives what the vendor's page shows in one way and its prose and sibling reports in another. Which forms are on is in ``forms``;
reports are made in ``airbridge_report``, what becomes of tasks is in the options.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any, Final

from analytics_assets_tests.vendors.forms import Change, Form
from analytics_assets_tests.vendors.spellings import first_twice, nulled, numbers_as_text, objects, with_added, without

_APP: Final = "/reports/api/v3/apps/{app}/revenue/query"
_TASK: Final = f"{_APP}/{{task_id}}"
_LISTS: Final = tuple(f"/dataspec/v1/apps/{{app}}/revenue-report/{name}" for name in ("metrics", "groupbys", "events"))
_OPTIONAL_OF_LISTS: Final = ("description", "valueType", "aggregationType", "example", "isFilter", "subGroup")
_NOTES: Final = (
    {"code": "SAN_PERIOD_LIMIT", "type": "info", "message": "data older than 175 days is removed."},
    {"code": "AGG_DATA_MASKING_BY_FACEBOOK", "type": "info", "message": "some data is masked."},
    {"type": "info", "message": "one without a code"},
)
Row = dict[str, Any]


def _data(change: Callable[[Row], Row]) -> Change:
    """Changes what stands in `data`."""
    return lambda body: {**body, "data": change(body["data"])} if isinstance(body.get("data"), dict) else body


def _groups(change: Callable[[list[Row]], list[Row]]) -> Change:
    """Changes the groups of a finished report."""

    def made(data: Row) -> Row:
        return {**data, "stats": {"rows": change(data["stats"]["rows"])}} if "stats" in data else data

    return _data(made)


def _sub_rows(change: Callable[[list[Row]], list[Row]]) -> Change:
    return _groups(lambda groups: [{**group, "rows": change(group["rows"])} for group in groups])


def _task_envelope(body: Any) -> Any:
    data = body["data"]
    made = {"task": {name: data[name] for name in ("taskId", "status", "endedAt") if name in data}}
    if "stats" not in data:
        return made
    paging = {"hasNext": data.get("hasNext"), "totalCount": data.get("metadata", {}).get("totalCount")}
    notes = {name: body[name] for name in ("notification",) if name in body}
    return {**made, "revenue": {"data": data["stats"]}, "pagination": paging, **notes}


def _padded(filling: Callable[[Any], Any]) -> Change:
    """Fills the values of young cohorts up to those of the oldest one on the page."""

    def made(groups: list[Row]) -> list[Row]:
        longest = max((len(row["values"]) for group in groups for row in group["rows"]), default=0)

        def full(row: Row) -> Row:
            last = row["values"][-1] if row["values"] else {"value": 0}
            return {**row, "values": row["values"] + [filling(last)] * (longest - len(row["values"]))}

        return [{**group, "rows": [full(row) for row in group["rows"]]} for group in groups]

    return _groups(made)


def _cells(change: Callable[[Row], Row]) -> Change:
    """Changes every cell, a mapping with a `value`."""
    return lambda body: objects(body, lambda one: change(one) if "value" in one else one)


def _shortened(metadata: list[str]) -> list[str]:
    return _shortened(metadata[:-1]) if metadata and not metadata[-1] else metadata


def _labels(change: Callable[[list[str]], Any]) -> Change:
    return _groups(lambda groups: [{**group, "metadata": change(group["metadata"])} for group in groups])


def _ratio(rows: list[Row]) -> list[Row]:
    return [
        {**row, "values": [{**one, "value": round(one["value"] / 100, 6)} for one in row["values"]]} for row in rows
    ]


def _harmless() -> Iterator[tuple[str, str, dict[str, Change]]]:
    yield (
        "dates-with-times",
        "sends dates with a time",
        {_TASK: _sub_rows(lambda rows: [{**row, "date": f"{row['date']}T00:00:00+09:00"} for row in rows])},
    )
    yield (
        "flags-missing",
        "leaves out the flag of what is not masked",
        {_TASK: _cells(lambda one: {name: held for name, held in one.items() if name != "isMasked" or held})},
    )
    yield "young-null", "fills what a young cohort has not reached with null", {_TASK: _padded(lambda _: None)}
    yield (
        "young-zero",
        "fills what a young cohort has not reached with zero",
        {_TASK: _padded(lambda _: {"value": 0, "isMasked": False})},
    )
    yield "young-carried", "carries the last value of a young cohort on", {_TASK: _padded(dict)}
    yield "labels-short", "leaves out empty group values at the end", {_TASK: _labels(_shortened)}
    yield (
        "labels-null",
        "sends empty group values as null",
        {_TASK: _labels(lambda held: [one or None for one in held])},
    )
    yield (
        "notifications",
        "has more to say of the numbers, once without a code",
        {_TASK: lambda body: {**body, "notification": list(_NOTES)} if "notification" in body else body},
    )
    yield "totals-absent", "does not say how many groups there are", {_TASK: without(("totalCount",))}
    yield "more-absent", "does not say whether groups follow", {_TASK: without(("hasNext",))}
    bare = without(("endedAt", "notification"))
    yield (
        "optional-missing",
        "leaves out notifications, end and group totals",
        {
            _TASK: lambda body: _groups(
                lambda held: [without(("total",))(one) | {"rows": one["rows"]} for one in held]
            )(bare(body))
        },
    )
    yield (
        "optional-null",
        "sends notifications, end and group totals as null",
        {
            _TASK: lambda body: _groups(lambda held: [{**one, "total": None} for one in held])(
                nulled(("endedAt", "notification"))(body)
            )
        },
    )
    yield (
        "extra-fields",
        "sends fields that no page names",
        dict.fromkeys(
            (_APP, _TASK, *_LISTS), with_added(("taskId", "value", "values", "metadata", "totalCount", "key", "data"))
        ),
    )
    yield (
        "task-envelope",
        "answers in the envelope of its sibling reports",
        dict.fromkeys((_APP, _TASK), _task_envelope),
    )
    yield "numbers-as-text", "sends numbers as text", dict.fromkeys((_TASK, *_LISTS), numbers_as_text)


def _others() -> Iterator[tuple[str, str, dict[str, Change]]]:
    yield "roas-ratio", "sends 2.5 for 250 %", {_TASK: _sub_rows(_ratio)}
    yield (
        "roas-odd",
        "sends ROAS that fit neither reading",
        {
            _TASK: _sub_rows(
                lambda rows: [
                    {**row, "values": [{**one, "value": one["value"] * 7 + 3} for one in row["values"]]} for row in rows
                ]
            )
        },
    )
    yield (
        "list-fields-missing",
        "leaves out what its catalogue does not promise",
        dict.fromkeys(_LISTS, without(_OPTIONAL_OF_LISTS)),
    )
    yield (
        "list-fields-null",
        "sends what its catalogue does not promise as null",
        dict.fromkeys(_LISTS, nulled(_OPTIONAL_OF_LISTS)),
    )
    yield "all-masked", "masks every number", {_TASK: _cells(lambda one: {**one, "isMasked": True})}
    yield (
        "masked-null",
        "sends no number where it masks",
        {_TASK: _cells(lambda one: {**one, "value": None} if one.get("isMasked") else one)},
    )
    yield (
        "value-null",
        "sends no number for interval 0",
        {_TASK: _sub_rows(lambda rows: [{**row, "values": [{"value": None}, *row["values"][1:]]} for row in rows])},
    )
    yield (
        "required-missing",
        "leaves out a field that its page promises",
        {_APP: without(("taskId",)), _TASK: without(("stats", "status")), **dict.fromkeys(_LISTS, without(("key",)))},
    )
    yield "rows-missing", "finishes a report without rows", {_TASK: without(("stats",))}
    yield (
        "other-day",
        "answers with a day that was not requested",
        {
            _TASK: _sub_rows(
                lambda rows: [
                    {**rows[0], "date": (date.fromisoformat(rows[0]["date"]) - timedelta(days=400)).isoformat()},
                    *rows,
                ]
            )
        },
    )
    yield "day-twice", "has a day twice in a group", {_TASK: _sub_rows(lambda rows: [rows[0], *rows])}
    yield (
        "key-twice",
        "lists a group twice on one page",
        {_TASK: _data(lambda data: {**data, "stats": first_twice(data["stats"], "rows")} if "stats" in data else data)},
    )
    yield "labels-many", "has more group values than were requested", {_TASK: _labels(lambda held: [*held, "another"])}
    yield (
        "total-wrong",
        "announces one group more than it has",
        {
            _TASK: _data(
                lambda data: (
                    {**data, "metadata": {"totalCount": data["metadata"]["totalCount"] + 1}}
                    if "metadata" in data
                    else data
                )
            )
        },
    )
    yield "odd-status", "says a state that is in no list", {_TASK: _data(lambda data: {**data, "status": "QUEUED"})}


def _title(spelt: Callable[[str], str]) -> dict[str, Change]:
    return {_TASK: lambda body: {**body, "title": spelt(body.get("title", ""))}}


FORMS: Final = (
    *(Form("airbridge", f"airbridge-{name}", words, changes, is_harmless=True) for name, words, changes in _harmless()),
    *(Form("airbridge", f"airbridge-{name}", words, changes) for name, words, changes in _others()),
    Form(
        "airbridge",
        "airbridge-problem-title",
        "titles problems `Not Found`",
        _title(lambda text: text.replace("_", " ").title()),
        of_errors=True,
    ),
    Form(
        "airbridge",
        "airbridge-problem-upper",
        "titles problems `NOT_FOUND`",
        _title(lambda text: text.replace(" ", "_").upper()),
        of_errors=True,
    ),
    Form(
        "airbridge",
        "airbridge-problem-lower",
        "titles problems `not found`",
        _title(lambda text: text.replace("_", " ").lower()),
        of_errors=True,
    ),
    Form(
        "airbridge", "airbridge-problem-empty", "says nothing of a problem: `{}`", {_TASK: lambda _: {}}, of_errors=True
    ),
)
