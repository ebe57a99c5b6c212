"""The simulated Statsig Console API: the key, the list envelope with its relative next page, and the endpoints.

Here live authentication, paging, errors and the spelling of each response, after Statsig's page "Get metrics using event name"
and its published specification. Definitions are in ``statsig_catalogue``, a day's numbers in ``statsig_values``.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode

from starlette.responses import JSONResponse, Response

from analytics_assets.sandbox.credentials import STATSIG_CONSOLE_KEY
from analytics_assets.sandbox.endpoints import Call, Endpoint, phrase, plain_date
from analytics_assets.sandbox.options import Options
from analytics_assets.sandbox.statsig.catalogue import SandboxMetric, catalogue, of_event
from analytics_assets.sandbox.statsig.values import UNIT_TYPES, Days, SeededValue
from analytics_assets.sandbox.timeline import Timeline

_BAD: Final = "Invalid request. Please check the request input and try again."
_MISSING: Final = "Not Found. The requested resource could not be found."
_LOGGED: Final = 1_000


class _InvalidError(Exception):
    """A query parameter that cannot be used: its name and what is wrong with it."""


def _page_number(call: Call, name: str, default: int) -> int:
    text = call.query.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise _InvalidError(name, f"{name} must be a positive integer")
    return int(text)


def _day(call: Call) -> date:
    try:
        return plain_date(call.query.get("date", ""))
    except ValueError:
        raise _InvalidError("date", "date must be a date in YYYY-MM-DD format") from None


def _checked(answer: Callable[[Call], Response]) -> Callable[[Call], Response]:
    """An endpoint that answers unusable parameters with the vendor's 400."""

    def answered(call: Call) -> Response:
        try:
            return answer(call)
        except _InvalidError as error:
            name, message = error.args
            errors = [{"property": name, "errorMessage": message}]
            return JSONResponse({"status": 400, "message": "Bad Request Exception", "errors": errors}, status_code=400)

    return answered


class Statsig:
    """The vendor as the gateway sees it."""

    name = "statsig"
    prefix = "/statsig/console/v1"

    def __init__(self, options: Options, timeline: Timeline) -> None:
        self._options = options
        self._timeline = timeline
        self._metrics = catalogue(timeline.world.event_names())
        self._days = Days(timeline)
        handlers = {
            "/events": self._events,
            "/events/{eventName}": self._events,
            "/events/{eventName}/metrics": self._event_metrics,
            "/metrics/list": self._list,
            "/metrics/values": self._values,
            "/metrics": self._single_values,
            "/metrics/{id}": self._metric,
            "/metrics/{name}/{type}": self._metric,
        }
        self.endpoints = [Endpoint("GET", template, _checked(answer)) for template, answer in handlers.items()]

    def admit(self, call: Call) -> Response | None:
        """401 for anything but the console key; like the vendor's, the message repeats what was sent."""
        key = call.headers.get("statsig-api-key", "")
        if key == STATSIG_CONSOLE_KEY:
            return None
        message = f"This endpoint only accepts an active CONSOLE key, but an invalid key was sent. Key: {key}"
        return JSONResponse({"status": 401, "message": message}, status_code=401)

    def refuse(self, status: int) -> Response:
        """Statsig's error body; the message is no stable code."""
        message = {400: _BAD, 403: "Forbidden resource", 404: _MISSING}.get(status) or phrase(status)
        return JSONResponse({"status": status, "message": message}, status_code=status)

    def _existing(self, call: Call) -> list[SandboxMetric]:
        return [metric for metric in self._metrics if metric.created_at <= call.now]

    def _page(
        self, call: Call, message: str, items: Sequence[dict[str, Any]], link: str, *, mark_all: bool = True
    ) -> Response:
        """One page; ``link`` is what the vendor puts before ``page=2&limit=5`` in its next page."""
        page = _page_number(call, "page", 1)
        limit = _page_number(call, "limit", self._options.statsig_default_limit)
        limit = min(limit, self._options.statsig_max_limit)
        start, total = call.listed((page - 1) * limit, len(items))
        pagination: dict[str, Any] = {
            "itemsPerPage": limit,
            "pageNumber": page,
            "totalItems": total,
            "nextPage": f"{link}page={page + 1}&limit={limit}" if start + limit < len(items) else None,
            "previousPage": f"{link}page={page - 1}&limit={limit}" if page > 1 else None,
        }
        if mark_all:
            pagination["all"] = ""
        data = items[start : start + limit]
        return JSONResponse({"message": message, "data": data, "pagination": pagination})

    def _events(self, call: Call) -> Response:
        """Raw logged events, the newest 1,000 of the last three days; optionally of one name."""
        name = call.params.get("eventName")
        logged = sorted(
            (
                (event.at, person.id, event)
                for person, event in self._timeline.events(call.now - timedelta(3), call.now)
            ),
            key=lambda one: one[:2],
            reverse=True,
        )
        items = [
            {
                "timestamp": str(int(at.timestamp() * 1000)),
                "name": event.name,
                "source": "statsig-node",
                "value": "" if event.value is None else str(event.value),
                "userID": person_id,
                "metadata": {},
            }
            for at, person_id, event in logged
            if name in {None, event.name}
        ]
        path = "/console/v1/events" + (f"/{quote(name, safe='')}" if name is not None else "")
        return self._page(call, "Events listed successfully.", items[:_LOGGED], f"{path}?")

    def _event_metrics(self, call: Call) -> Response:
        """The metrics of an event, hidden ones too; an event nobody has logged has none."""
        found = of_event(self._existing(call), call.params["eventName"])
        return self._page(call, "Metrics listed successfully.", [one.definition for one in found], "?")

    def _list(self, call: Call) -> Response:
        hidden = call.query.get("showHiddenMetrics", "false") == "true"
        tags = set(call.query.getlist("tags"))
        items = [
            metric.definition
            for metric in self._existing(call)
            if (hidden or not metric.definition["isHidden"]) and (not tags or tags & set(metric.definition["tags"]))
        ]
        return self._page(call, "Metrics listed successfully.", items, "/console/v1/metrics/list?")

    def _metric(self, call: Call) -> Response:
        wanted = call.params
        for metric in self._existing(call):
            if metric.id == wanted.get("id") or (metric.name, metric.type) == (wanted.get("name"), wanted.get("type")):
                return JSONResponse({"message": "Metric read successfully.", "data": metric.definition})
        return self.refuse(404)

    def _readings(self, call: Call, chosen: Callable[[SandboxMetric], bool]) -> list[SeededValue]:
        """A day's readings; none while the day is not computed or before the world began."""
        day = _day(call)
        if not self._days.is_ready(day, call.now):
            return []
        return self._days.readings(day, [metric for metric in self._existing(call) if chosen(metric)])

    def _values(self, call: Call) -> Response:
        name, type_ = call.query.get("metricName"), call.query.get("metricType")
        readings = self._readings(call, lambda one: name in {None, one.name} and type_ in {None, one.type})
        items = [
            {
                "value": reading.value,
                "unitType": unit,
                "numerator": reading.numerator,
                "denominator": reading.denominator,
                "inputRows": reading.rows,
                "metricName": reading.metric.name,
                "metricType": reading.metric.type,
                "displayName": reading.metric.name.strip(),
            }
            for reading in readings
            for unit in UNIT_TYPES
        ]
        link = f"/console/v1/metrics/values?{urlencode({'date': _day(call).isoformat()})}&"
        return self._page(call, "Metric values listed successfully.", items, link, mark_all=False)

    def _single_values(self, call: Call) -> Response:
        """One metric's rows in the older spelling; no paging."""
        wanted = call.query.get("id", "")
        if not wanted:
            raise _InvalidError("id", "id should not be empty")
        data = [
            {
                "value": reading.value,
                "unit_type": unit,
                "numerator": reading.numerator,
                "denominator": reading.denominator,
                "row_count": reading.rows,
                "metric_name": reading.metric.name,
                "metric_type": reading.metric.type,
            }
            for reading in self._readings(call, lambda one: one.id == wanted)
            for unit in UNIT_TYPES
        ]
        return JSONResponse({"message": "Metric values listed successfully.", "data": data})
