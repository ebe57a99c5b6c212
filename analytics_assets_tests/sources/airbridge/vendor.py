"""A scripted Airbridge and the simulated one, each with a client; answers, pages and specs made short. No assertions here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import msgspec

from analytics_assets.http.destination import Destination
from analytics_assets.http.response import JsonResponse
from analytics_assets.http.retries import RetryPolicy
from analytics_assets.sandbox.app import create_app
from analytics_assets.sandbox.credentials import AIRBRIDGE_API_TOKEN
from analytics_assets.sandbox.options import Options
from analytics_assets.sources.airbridge.client import AirbridgeClient, AirbridgeCredentials, airbridge_session
from analytics_assets.sources.airbridge.paging import Page
from analytics_assets.sources.airbridge.report_spec import ReportSpec
from analytics_assets.sources.airbridge.responses import Body, group_of, instant_of

NOW = datetime(2026, 3, 20, 3, 0, tzinfo=UTC)
QUICK = RetryPolicy(attempts=3, first_wait_s=0.01, longest_wait_s=0.05, throttled_wait_s=0.01)


def spec(**more: Any) -> ReportSpec:
    """A report of two intervals by channel, changed as told."""
    usual: dict[str, Any] = {
        "name": "revenue",
        "group_by": ("channel",),
        "metric": "app_revenue",
        "aggregation": "cumulative",
        "intervals": 2,
        "start_events": ("app_install",),
        "return_events": ("app_order_complete",),
    }
    return ReportSpec(**usual | more)


def sub_row(day: str, *values: Any, **totals: Any) -> dict[str, Any]:
    """A sub-row; a value that is no mapping is put into one, and so are `cost`, `revenue` and `users`."""
    names = {"cost": "totalCost", "revenue": "totalRevenue", "users": "totalUniqueUsers"}
    return {
        "date": day,
        "total": {names[name]: _cell(value) for name, value in totals.items()},
        "values": [_cell(value) for value in values],
    }


def group(values: Any, *sub_rows: Any) -> dict[str, Any]:
    """A group of a report."""
    return {"rows": list(sub_rows), "total": {"totalCost": {"value": 99}}, "metadata": values}


def report(
    groups: Sequence[Any], *, total: int | None = None, more: bool | None = None, envelope: str = "data"
) -> dict[str, Any]:
    """A finished report in one of its envelopes."""
    if envelope == "task":
        paging = {"hasNext": more, "totalCount": total}
        head = {"taskId": "t-1", "status": "SUCCESS"}
        return {"task": head, "revenue": {"data": {"rows": list(groups)}}, "pagination": paging}
    told = {"hasNext": more, "metadata": {"totalCount": total}}
    return {"data": {"stats": {"rows": list(groups)}, "status": "SUCCESS", "taskId": "t-1", **told}}


def kept(body: Any, endpoint: str = "GET /query/{task_id}") -> JsonResponse:
    """A response as the session hands it on; the body as text or as plain values."""
    sent = body.encode() if isinstance(body, str) else msgspec.json.encode(body)
    return JsonResponse(endpoint, "/", (), 200, sent, NOW, NOW)


def page(body: Any) -> Page:
    """A page as the client hands it on."""
    answer = kept(body)
    read = answer.read(Body)
    groups = tuple(group_of(row) for row in read.rows() or ())
    ended_at = instant_of(read.named("ended_at"))
    return Page(read.total_count(), read.has_next(), groups, tuple(read.notification or ()), answer, ended_at)


def days(first: date, last: date) -> list[date]:
    """The days from `first` to `last`, both included."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


@dataclass
class Scripted:
    """Answers with what `answer` makes of a request: a body, or a status and a body."""

    answer: Callable[[httpx.Request], Any]
    requests: list[httpx.Request] = field(default_factory=list)

    def client(self, app_name: str = "shop") -> AirbridgeClient:
        """A client whose requests come here."""
        destination = Destination("https://api.airbridge.io", httpx.MockTransport(self._answer))
        credentials = AirbridgeCredentials("secret-token")
        session = airbridge_session(credentials=credentials, destination=destination, clock=lambda: NOW, retries=QUICK)
        return AirbridgeClient(session, app_name)

    def asked(self) -> list[tuple[str, str]]:
        """`skip` and `size` of the requests, in order."""
        return [(request.url.params["skip"], request.url.params["size"]) for request in self.requests]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        said = self.answer(request)
        status, body = said if isinstance(said, tuple) else (200, said)
        content = body.encode() if isinstance(body, str) else msgspec.json.encode(body)
        return httpx.Response(status, content=content, headers={"Content-Type": "application/json"})


def always(said: Any) -> Scripted:
    """Answers everything with the same."""
    return Scripted(lambda _: said)


def paged(groups: Sequence[Any], *, largest: int = 1000, told: Sequence[str] = ("total", "more")) -> Scripted:
    """A finished report of these groups, at most `largest` a page, telling their number, whether more follow, or neither."""

    def answer(request: httpx.Request) -> Any:
        skip, size = int(request.url.params["skip"]), min(largest, int(request.url.params["size"]))
        more = skip + size < len(groups)
        return report(
            groups[skip : skip + size],
            total=len(groups) if "total" in told else None,
            more=more if "more" in told else None,
        )

    return Scripted(answer)


@dataclass
class Sandboxed:
    """The sandbox, a clock that a test moves, and a client."""

    options: dict[str, Any] = field(default_factory=dict)
    token: str = AIRBRIDGE_API_TOKEN
    app_name: str = "shop/ø"
    now: datetime = NOW
    transport: httpx.ASGITransport = field(init=False)
    client: AirbridgeClient = field(init=False)

    def __post_init__(self) -> None:
        """Opens both; they need no closing, nothing is opened outside this process."""
        self.transport = httpx.ASGITransport(app=create_app(Options(now=lambda: self.now, **self.options)))
        destination = Destination("http://sandbox/airbridge", self.transport)
        session = airbridge_session(
            credentials=AirbridgeCredentials(self.token), destination=destination, clock=lambda: self.now, retries=QUICK
        )
        self.client = AirbridgeClient(session, self.app_name)

    def wait(self, seconds: float) -> None:
        """Lets time pass."""
        self.now += timedelta(seconds=seconds)

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        """A request to the sandbox's control paths."""
        async with httpx.AsyncClient(transport=self.transport, base_url="http://sandbox/_sandbox") as http:
            return (await http.request(method, path, json=body)).raise_for_status().json()


def _cell(value: Any) -> Any:
    return value if isinstance(value, dict) or value is None else {"value": value}
