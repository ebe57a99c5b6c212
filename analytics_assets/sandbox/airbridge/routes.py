"""The simulated Airbridge Revenue Report API: the token, the asynchronous report and the metadata.

Here live authentication, the two-step report (a task is posted, then requested until it has ended) with its paging, and the
problem+json errors, after Airbridge's Revenue Report page. Bodies are checked in ``airbridge_request``, ids and lives of tasks
are in ``airbridge_tasks``, numbers in ``airbridge_report``, vocabularies in ``airbridge_spec``.
"""

import json
from collections.abc import Callable
from datetime import timedelta, timezone
from functools import lru_cache
from typing import Any, Final
from zlib import crc32
from zoneinfo import ZoneInfo

from starlette.responses import JSONResponse, Response

from analytics_assets.sandbox.airbridge.report import SandboxReport, build_report
from analytics_assets.sandbox.airbridge.request import InvalidRequestError, read_request
from analytics_assets.sandbox.airbridge.spec import events_body, groupbys_body, metrics_body
from analytics_assets.sandbox.airbridge.tasks import OutcomeCounter, SandboxTask, decode_task, encode_task
from analytics_assets.sandbox.credentials import AIRBRIDGE_API_TOKEN
from analytics_assets.sandbox.endpoints import Call, Endpoint, phrase
from analytics_assets.sandbox.options import Options
from analytics_assets.sandbox.timeline import Timeline

_SEOUL: Final = timezone(timedelta(hours=9))
_MASKED: Final = {
    "code": "AGG_DATA_MASKING_BY_FACEBOOK",
    "type": "info",
    "message": "some data is masked by facebook privacy policy.",
}


def _problem(
    status: int, title: str, detail: str | None = None, errors: list[dict[str, Any]] | None = None
) -> Response:
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status}
    if detail:
        body["detail"] = detail
    mark = crc32(json.dumps([status, title, detail, errors]).encode())
    body |= {"instance": None, "traceId": f"1-{mark:08x}-{mark:024x}"}
    if errors is not None:
        body["errors"] = errors
    return JSONResponse(body, status_code=status, media_type="application/problem+json")


def _for_known_app(answer: Callable[[Call], Response]) -> Callable[[Call], Response]:
    def answered(call: Call) -> Response:
        if call.params["app"].startswith("unknown"):
            return _problem(404, "NOT_FOUND", "There is no such app. Please check.")
        return answer(call)

    return answered


class Airbridge:
    """The vendor as the gateway sees it."""

    name = "airbridge"
    prefix = "/airbridge"

    def __init__(self, options: Options, timeline: Timeline) -> None:
        self._options = options
        self._timeline = timeline
        self._fates = OutcomeCounter(options)
        # A finished task is read page by page, and perhaps by several readers.
        self._report = lru_cache(maxsize=16)(self._report_of)
        query, spec = "/reports/api/v3/apps/{app}/revenue/query", "/dataspec/v1/apps/{app}/revenue-report"
        self.endpoints = [
            Endpoint("POST", query, _for_known_app(self._create)),
            Endpoint("GET", f"{query}/{{task_id}}", _for_known_app(self._read)),
            Endpoint("GET", f"{spec}/metrics", _for_known_app(lambda _: JSONResponse(metrics_body()))),
            Endpoint("GET", f"{spec}/groupbys", _for_known_app(lambda _: JSONResponse(groupbys_body()))),
            Endpoint("GET", f"{spec}/events", _for_known_app(lambda _: JSONResponse(events_body()))),
        ]

    def admit(self, call: Call) -> Response | None:
        """401 for anything but the API token."""
        if call.headers.get("authorization") == f"Bearer {AIRBRIDGE_API_TOKEN}":
            return None
        return _problem(401, "UNAUTHORIZED", "Unauthorized.")

    def refuse(self, status: int) -> Response:
        """An RFC 9457 problem; only its status says anything reliable."""
        return _problem(status, phrase(status))

    def _create(self, call: Call) -> Response:
        try:
            body = json.loads(call.body)
            read_request(body, call.now.astimezone(ZoneInfo(self._options.airbridge_zone)).date())
        except InvalidRequestError as error:
            return _problem(400, "Bad Request", "invalid_request", error.errors)
        except ValueError:
            errors = [{"loc": ["body"], "msg": "the body is not valid JSON", "type": "value_error.jsondecode"}]
            return _problem(400, "Bad Request", "invalid_request", errors)
        task = SandboxTask(call.params["app"], body, call.now, self._fates.next())
        return JSONResponse({"data": {"taskId": encode_task(task, self._options.seed)}})

    def _read(self, call: Call) -> Response:
        task_id, seconds = call.params["task_id"], self._options.task_seconds
        task = decode_task(task_id, call.params["app"], self._options.seed)
        status = task.status(call.now, seconds) if task else None
        if task is None or status is None:
            return self.refuse(404)
        skip, size = call.query.get("skip", "0"), call.query.get("size", str(self._options.airbridge_default_size))
        if not (skip + size).isascii() or not skip.isdigit() or not size.isdigit() or int(size) < 1:
            errors = [{"loc": ["query"], "msg": "skip and size must be whole numbers", "type": "value_error"}]
            return _problem(400, "Bad Request", "invalid_request", errors)
        if status != "SUCCESS":
            head = {"taskId": task_id, "status": status}
            return JSONResponse({"task" if self._options.airbridge_envelope == "task" else "data": head})
        return self._success(call, task, task_id, int(skip), min(int(size), self._options.airbridge_max_size))

    def _success(self, call: Call, task: SandboxTask, task_id: str, skip: int, size: int) -> Response:
        report = self._report(task_id, task.app)
        start, total = call.listed(skip, len(report.groups))
        page, more = report.groups[start : start + size], start + size < len(report.groups)
        ended = task.ended_at(self._options.task_seconds).astimezone(_SEOUL).isoformat(timespec="microseconds")
        notification = [_MASKED] if report.is_masked else []
        if self._options.airbridge_envelope == "task":
            return JSONResponse(
                {
                    "task": {"taskId": task_id, "status": "SUCCESS", "endedAt": ended},
                    "revenue": {"data": {"rows": page}},
                    "pagination": {"hasNext": more, "totalCount": total},
                    "notification": notification,
                }
            )
        data = {
            "stats": {"rows": page},
            "status": "SUCCESS",
            "taskId": task_id,
            "endedAt": ended,
            "hasNext": more,
            "metadata": {"totalCount": total},
        }
        return JSONResponse({"data": data, "notification": notification})

    def _report_of(self, task_id: str, app: str) -> SandboxReport:
        task = decode_task(task_id, app, self._options.seed)
        assert task is not None
        as_of = task.ended_at(self._options.task_seconds)
        zone = ZoneInfo(self._options.airbridge_zone)
        request = read_request(task.body, as_of.astimezone(zone).date())
        return build_report(request, self._timeline, zone=zone, currency=self._options.airbridge_currency, as_of=as_of)
