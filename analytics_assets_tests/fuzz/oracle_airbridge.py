"""What Airbridge's tables must hold, read in plain loops from the pages as sent; see `sent.py`.

Facts: https://help.airbridge.io/en/references/revenue-report. A value is reached when its day was over in the app's zone at the request.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from analytics_assets_tests.fuzz.log import Log
from analytics_assets_tests.fuzz.same import Json, Near
from analytics_assets_tests.fuzz.sent import (
    Refusal,
    counted,
    document,
    flag,
    is_nothing,
    money,
    needed,
    part,
    refuse,
    text,
    thing,
    things,
    whole,
)

Rows = list[dict[str, Any]]
# As in `asked.py`, and the bounds of a list.
_PAGE_SIZE, _MOST_PAGES, _MOST_EMPTY = 2, 1_000, 20
Group = tuple[list[Any], dict[date, dict[str, Any]]]


def report(
    log: Log, name: str, *, fields: list[str], intervals: int, is_money: bool, days: list[date], today: date
) -> dict[date, dict[str, Rows] | Refusal]:
    """By start date: `<name>_cohorts`, `<name>_cohort_totals` and what `<name>_raw` has of groups and sub-rows."""
    task_id = _of_task(thing(document(log.all("/query", "POST", {})[0][1]), "the body"), "taskId")
    found: dict[date, dict[str, Rows] | Refusal] = {}
    groups = [_group(thing(one, "a group"), len(fields)) for one in _groups(log, needed(task_id, "taskId"))]
    labels = [tuple(map(str, group[0])) for group in groups]
    if len(set(labels)) < len(labels):
        refuse("a group comes twice")
    for _, by_day in groups:
        if set(by_day) - set(days):
            refuse("a date that was not requested")
    for day in days:
        reached = max(0, min(intervals + 1, (today - day).days))
        try:
            found[day] = _day(name, fields, groups, day=day, intervals=intervals, reached=reached, is_money=is_money)
        except Refusal as refusal:
            found[day] = refusal
    return found


def _day(
    name: str, fields: list[str], groups: list[Group], *, day: date, intervals: int, reached: int, is_money: bool
) -> dict[str, Rows]:
    """The tables of one start date."""
    raw: Rows = []
    cohorts: Rows = []
    totals: Rows = []
    for values, by_day in groups:
        if day not in by_day:
            continue
        row = by_day[day]
        about = {"date": day, **dict(zip(fields, values, strict=True))}
        raw.append({"group_values": Json(_plain(values)), "sub_row": Json(row)})
        cohorts += [about | cell for cell in _cells(row, intervals, reached, is_money=is_money)]
        totals.append(about | _totals(row))
    return {f"{name}_raw": raw, f"{name}_cohorts": cohorts, f"{name}_cohort_totals": totals}


def _groups(log: Log, task_id: str) -> Rows:
    """All groups, page after page, if the pages fit together. Another declared number than that of the groups is only a warning."""
    groups: Rows = []
    totals: list[int] = []
    skip = step = empty = 0
    while True:
        body = _page(log, task_id, skip)
        data, paging = part(body, "data"), part(body, "pagination")
        if _of_task(body, "status") != "SUCCESS":
            refuse("the report is not finished")
        total = whole(part(data, "metadata").get("totalCount"), "totalCount")
        total = whole(paging.get("totalCount"), "totalCount") if total is None else total
        more = flag(data.get("hasNext"), "hasNext")
        more = flag(paging.get("hasNext"), "hasNext") if more is None else more
        rows = part(data, "stats").get("rows")
        rows = part(part(body, "revenue"), "data").get("rows") if is_nothing(rows) else rows
        if is_nothing(rows) and total != 0:
            refuse("no rows in either envelope")
        held = [] if is_nothing(rows) else things(rows, "rows")
        groups += held
        totals += [] if total is None else [total]
        if not skip:
            step = len(held) or _PAGE_SIZE
            # A declared number places the pages in advance.
            places = range(step, total, step) if total is not None and more is not False else range(0)
            if len(places) >= _MOST_PAGES:
                refuse("more pages than any report has")
        empty = 0 if held else empty + 1
        if skip + step in places:
            skip += step
            continue
        if not more and (not held or (len(groups) >= totals[-1] if totals else more is False)):
            break
        if empty >= _MOST_EMPTY:
            refuse("no end in sight")
        skip += step if skip in places else len(held) or step
    if len(set(totals)) > 1 or (not groups and any(totals)):
        refuse("pages of several reports, or none of the groups announced")
    return groups


def _page(log: Log, task_id: str, skip: int) -> dict[str, Any]:
    """The page after so many groups; the look at the state requests the first group alone and is none."""
    asked = log.all(f"/{quote(task_id, safe='')}", "GET", {"skip": skip})
    pages = {int(dict(question[2])["size"]): sent for question, sent in asked}
    pages = {size: sent for size, sent in pages.items() if skip or size > 1}
    if not pages:
        refuse(f"the page after {skip} groups was never requested")
    return thing(document(pages[max(pages)]), "the body")


def _of_task(body: dict[str, Any], name: str) -> str | None:
    for held in (part(body, "task"), part(body, "data"), body):
        if held.get(name) not in (None, ""):
            return text(held[name], name)
    return None


def _group(row: dict[str, Any], fields: int) -> Group:
    """Labels, an absent one being empty, and the sub-row of each date."""
    labels = [] if is_nothing(row.get("metadata")) else things(row["metadata"], "metadata")
    if "rows" not in row or len(labels) > fields:
        refuse("a group without rows, or with too many values")
    by_day: dict[date, dict[str, Any]] = {}
    for one in [] if is_nothing(row["rows"]) else things(row["rows"], "rows"):
        sub_row = thing(one, "a sub-row")
        day = _date(needed(sub_row.get("date"), "date"))
        if day in by_day or "values" not in sub_row:
            refuse("a date comes twice, or without values")
        by_day[day] = sub_row
    return [_label(one) for one in labels] + [""] * (fields - len(labels)), by_day


def _label(value: Any) -> Any:
    """A group value as text: as sent, or as JSON spells it."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() if abs(value) < 2**63:
            return str(value)
        case int() | Decimal():
            return Near(float(value))
    return needed(value, "a group value")


def _plain(values: list[Any]) -> list[Any]:
    return [one if isinstance(one, str) else _AnySpelling(one) for one in values]


class _AnySpelling:
    """Equal to a text that spells its number."""

    def __init__(self, near: Near) -> None:
        self._near = near

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and float(other) == self._near.number

    __hash__ = None  # type: ignore[assignment] - it is compared only


def _date(written: str) -> date:
    try:
        return date.fromisoformat(written.partition("T")[0])
    except ValueError:
        refuse("no date")


def _cells(row: dict[str, Any], intervals: int, reached: int, *, is_money: bool) -> Iterator[dict[str, Any]]:
    cells = [] if is_nothing(row["values"]) else things(row["values"], "values")
    if len(cells) > intervals + 1:
        refuse("more values than intervals")
    for interval in range(intervals + 1):
        sent = cells[interval] if interval < min(len(cells), reached) else None
        number, is_masked = _cell({} if is_nothing(sent) else thing(sent, "a cell"), is_money=is_money)
        told = {"days_since_start": interval, "value": number, "is_masked": is_masked, "is_reached": interval < reached}
        yield told | ({"currency": "USD"} if is_money else {})


def _totals(row: dict[str, Any]) -> dict[str, Any]:
    total, told = part(row, "total"), {"currency": "USD"}
    for column, field, is_money in (
        ("cost", "totalCost", True),
        ("revenue", "totalRevenue", True),
        ("users", "totalUniqueUsers", False),
    ):
        told[column], told[f"{column}_is_masked"] = _cell(part(total, field), is_money=is_money)
    return told


def _cell(cell: dict[str, Any], *, is_money: bool) -> tuple[Any, bool]:
    number = money(cell.get("value"), "value") if is_money else counted(cell.get("value"), "value")
    return number, bool(flag(cell.get("isMasked"), "isMasked"))


def catalog(log: Log, day: date) -> dict[str, Rows]:
    """`catalog`."""
    rows = []
    for kind, path, listed in (
        ("metric", "/metrics", "metrics"),
        ("group_by", "/groupbys", "fields"),
        ("event", "/events", "events"),
    ):
        body = thing(document(log.one(path)), "the body")
        for one in things(body.get("data"), "data"):
            section = thing(one, "a section")
            heading = needed(section.get("name"), "name")
            entries = [thing(entry, "an entry") for entry in things(section.get(listed), listed)]
            rows += [_entry(entry) | {"date": day, "kind": kind, "section": heading} for entry in entries]
    keys = [(row["kind"], row["section"], row["key"]) for row in rows]
    if len(set(keys)) < len(keys):
        refuse("an entry stands twice")
    return {"catalog": rows}


def _entry(entry: dict[str, Any]) -> dict[str, Any]:
    words = {"name": "name", "description": "description", "value_type": "valueType", "sub_group": "subGroup"}
    listed = entry.get("aggregationType")
    return {
        "key": needed(entry.get("key"), "key"),
        "aggregations": None if is_nothing(listed) else [needed(one, "one") for one in things(listed, "a list")],
        "is_filter": flag(entry.get("isFilter"), "isFilter"),
        "is_cost": flag(entry.get("isCost"), "isCost"),
        "example": text(entry.get("example"), "example"),
        "type": text(entry.get("type"), "type"),
        "entry": Json(entry),
        **{column: text(entry.get(field), field) for column, field in words.items()},
    }
