"""What Statsig's tables must hold, read in plain loops from the pages as sent; see `sent.py`.

Facts: https://docs.statsig.com/api-reference/events/get-metrics-using-event-name, "List All Metrics", "List All Metric Values".
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from analytics_assets_tests.fuzz.log import Log
from analytics_assets_tests.fuzz.same import Json
from analytics_assets_tests.fuzz.sent import (
    REPLACEMENT,
    Sent,
    document,
    flag,
    floating,
    is_nothing,
    needed,
    part,
    refuse,
    stored_body,
    text,
    thing,
    things,
    whole,
)

Rows = list[dict[str, Any]]
_MORE, _UNCLEAR, _END = "more", "unclear", "end"
_PAST_THE_END = (400, 404)
_CURSOR = 10
_HOSTS = {None, "statsigapi.net", "api.statsig.com", "latest.statsigapi.net"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS_FROM = 62_135_596_800
_PERSONAL = ("creator_name", "creator_email", "owner_name", "owner_email", "last_modifier_name", "last_modifier_email")


def values(log: Log, day: date, *, is_total_reliable: bool = False) -> dict[str, Rows]:
    """`metric_values` and the bodies of `values_raw`; a total that was right in the stored days before is right now."""
    pages, items = _listed(log, "/metrics/values", _key_of_value, date=day)
    declared = _declared(pages)
    if is_total_reliable and declared not in (None, len(items)):
        refuse(f"{declared} items are declared and {len(items)} sent")
    rows = []
    for item in items:
        name, kind, unit = _key_of_value(item)
        rows.append(
            {
                "date": day,
                "metric_name": name,
                "metric_type": kind,
                "unit_type": unit,
                "is_overall": unit == "overall",
                "value": floating(item.get("value"), "value"),
                "numerator": floating(item.get("numerator"), "numerator"),
                "denominator": floating(item.get("denominator"), "denominator"),
                "input_rows": _first_whole(item, ("inputRows", "row_count", "input_rows")),
                "display_name": text(item.get("displayName"), "displayName"),
            }
        )
    if not rows:
        refuse("an empty list of a day that may not be computed yet")
    return {"metric_values": rows, "values_raw": [{"body": stored_body(page)} for page in pages]}


def miscount(log: Log, day: date) -> dict[str, Any]:
    """What is to be said of a day whose declared total is not the number of its items."""
    pages, items = _listed(log, "/metrics/values", _key_of_value, date=day)
    declared = _declared(pages)
    return {} if declared in (None, len(items)) else {"total_items_declared": declared}


def _declared(pages: list[Sent]) -> int | None:
    totals = (whole(part(document(page), "pagination").get("totalItems"), "totalItems") for page in pages)
    return next((total for total in totals if total is not None), None)


def definitions(log: Log, day: date) -> dict[str, Rows]:
    """`event_metrics` of the day before the reading: all that was seen of all events in any lineage."""
    pages, metrics = _listed(log, "/metrics/list", _id)
    events = {event for metric in metrics for event in _texts(part(metric, "lineage").get("events"), "events") or []}
    if any(isinstance(stored_body(page), Json) for page in pages):
        # The vendor knows no event by a name with a repaired character, so it cannot be requested.
        events = {event for event in events if REPLACEMENT not in event}
    rows: Rows = []
    for event in sorted(events - {"", ".", ".."}):
        _, found = _listed(log, f"/events/{quote(event, safe='')}/metrics", _id)
        rows += [_definition(metric, event) | {"date": day} for metric in found]
    return {"event_metrics": rows}


def _definition(metric: dict[str, Any], event: str) -> dict[str, Any]:
    lineage = part(metric, "lineage")
    made_from = _texts(lineage.get("events"), "events")
    flags = {"is_permanent": "isPermanent", "is_read_only": "isReadOnly", "is_hidden": "isHidden"}
    words = {"funnel_count_distinct": "funnelCountDistinct", "rollup_time_window": "rollupTimeWindow"}
    numbers = {"custom_rollup_start": "customRollUpStart", "custom_rollup_end": "customRollUpEnd"}
    kept = {"metric_events": "metricEvents", "component_metrics": "metricComponentMetrics"}
    return {
        "event_name": event,
        "metric_id": _id(metric),
        "metric_name": needed(metric.get("name"), "name"),
        "metric_type": needed(metric.get("type"), "type"),
        "directionality": text(metric.get("directionality"), "directionality"),
        "description": text(metric.get("description"), "description"),
        "team": text(metric.get("team"), "team"),
        "permalink": text(metric.get("permalink"), "permalink"),
        "created_at": _instant(metric.get("createdTime")),
        "last_modified_at": _instant(metric.get("lastModifiedTime")),
        "tags": _texts(metric.get("tags"), "tags"),
        "unit_types": _texts(metric.get("unitTypes"), "unitTypes"),
        "lineage_events": made_from,
        "lineage_metrics": _texts(lineage.get("metrics"), "metrics"),
        "is_indirect": None if made_from is None else event not in made_from,
        "funnel_events": _steps(metric.get("funnelEventList")),
        "is_verified": flag(metric.get("isVerified"), "isVerified"),
        "is_reconstructed": False,
        **{column: flag(metric.get(field), field) for column, field in flags.items()},
        **{column: text(metric.get(field), field) for column, field in words.items()},
        **{column: floating(metric.get(field), field) for column, field in numbers.items()},
        **{column: None if metric.get(field) is None else Json(metric[field]) for column, field in kept.items()},
        **dict.fromkeys(_PERSONAL),
    }


def _listed(log: Log, path: str, key: Callable[[dict[str, Any]], Any], **params: Any) -> tuple[list[Sent], Rows]:
    """The pages of a list up to its end, and their items; refuses a list that changed while it was read."""
    pages: list[Sent] = []
    items: Rows = []
    last: Rows = []
    totals: list[int | None] = []
    more = _MORE
    while more != _END:
        sent = log.one(path, page=len(pages) + 1, **params)
        if more == _UNCLEAR and sent.status in _PAST_THE_END:
            break
        body = thing(document(sent), "the body")
        held = [thing(one, "an item") for one in things(body.get("data"), "data")]
        if more == _UNCLEAR and held and list(map(key, held)) == list(map(key, last)):
            break
        pages.append(sent)
        items += held
        last = held
        paging = part(body, "pagination")
        totals.append(whole(paging.get("totalItems"), "totalItems"))
        following = text(paging.get("nextPage"), "nextPage") or ""
        if _host(following) not in _HOSTS:
            refuse("the next page is elsewhere")
        more = _after(following, len(pages), has_paging=not is_nothing(body.get("pagination")), has_items=bool(held))
    keys = [key(item) for item in items]
    if len(set(keys)) < len(keys):
        refuse("an item stands twice")
    if len({total for total in totals if total is not None}) > 1:
        refuse("the pages tell different totals")
    return pages, items


def _after(following: str, number: int, *, has_paging: bool, has_items: bool) -> str:
    """Whether there is a page after this one. One without a pagination object, or that names itself or an earlier one, leaves it open."""
    if has_paging and not following:
        return _END
    named = parse_qs(urlsplit(following).query).get("page", [""])[-1]
    if has_paging and not (named.isdecimal() and len(named) < _CURSOR and int(named) <= number):
        return _MORE
    return _UNCLEAR if has_items else _END


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        refuse("the next page is no address")


def _id(metric: dict[str, Any]) -> str:
    return needed(metric.get("id"), "id")


def _key_of_value(item: dict[str, Any]) -> tuple[str, str, str]:
    name, kind, unit = (
        next(_present(item, names), None)
        for names in (("metricName", "metric_name"), ("metricType", "metric_type"), ("unitType", "unit_type"))
    )
    return needed(name, "name"), needed(kind, "type"), needed(unit, "unit")


def _present(item: dict[str, Any], names: tuple[str, ...]) -> Iterator[Any]:
    return (item[name] for name in names if item.get(name) is not None)


def _first_whole(item: dict[str, Any], names: tuple[str, ...]) -> int | None:
    numbers = (whole(item.get(name), name) for name in names)
    return next((number for number in numbers if number is not None), None)


def _texts(value: Any, what: str) -> list[str] | None:
    return None if is_nothing(value) else [needed(one, what) for one in things(value, what)]


def _steps(value: Any) -> Rows | None:
    if is_nothing(value):
        return None
    steps = [thing(one, "a step") for one in things(value, "funnelEventList")]
    return [{"name": needed(one.get("name"), "name"), "type": text(one.get("type"), "type")} for one in steps]


def _instant(value: Any) -> datetime | None:
    number = floating(value, "a time")
    try:
        in_ms = number is not None and abs(number) > _MILLISECONDS_FROM
        return None if number is None else _EPOCH + timedelta(seconds=number / 1000 if in_ms else number)
    except OverflowError:
        refuse("a time is no instant")
