"""A scripted Statsig: pages given by a test, answered in process, with every request remembered. No assertions here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec

from analytics_assets.http.destination import Destination
from analytics_assets.http.response import JsonResponse
from analytics_assets.http.retries import RetryPolicy
from analytics_assets.sandbox.app import create_app
from analytics_assets.sandbox.credentials import STATSIG_CONSOLE_KEY
from analytics_assets.sandbox.options import Options
from analytics_assets.sources.statsig.client import StatsigClient, StatsigCredentials, statsig_session

NOW = datetime(2026, 7, 10, 21, 0, tzinfo=UTC)
QUICK = RetryPolicy(attempts=3, first_wait_s=0.01, longest_wait_s=0.05, throttled_wait_s=0.01)


def clock() -> datetime:
    """Stands still."""
    return NOW


def value(name: str, number: float = 1, unit: str = "overall") -> dict[str, Any]:
    """A value row of the list."""
    return {"value": number, "unitType": unit, "metricName": name, "metricType": "sum"}


def metric(name: str, **more: Any) -> dict[str, Any]:
    """The least a definition has, and more."""
    lineage = {"events": ["checkout"], "metrics": []}
    required = {"id": f"{name}::sum", "name": name, "type": "sum", "directionality": "increase", "lineage": lineage}
    return {**required, **more}


def page(rows: Sequence[Any], *, more: bool | str = False, total: int | None = None, size: int = 100) -> dict[str, Any]:
    """One page; `more` may be a text to put into `nextPage`."""
    following = more if isinstance(more, str) else "?page=2&limit=100" if more else None
    pagination = {"itemsPerPage": size, "pageNumber": 1, "nextPage": following, "previousPage": None, "all": ""}
    return {
        "message": "",
        "data": list(rows),
        "pagination": pagination | ({} if total is None else {"totalItems": total}),
    }


def kept(endpoint: str, path: str, body: Any, **params: str) -> JsonResponse:
    """A response as a client hands it on; the body as text or as plain values."""
    sent = body.encode() if isinstance(body, str) else msgspec.json.encode(body)
    return JsonResponse(endpoint, path, tuple(params.items()), 200, sent, NOW, NOW)


@dataclass
class Scripted:
    """Answers with what `answer` makes of a request: a body, or a status and a body."""

    answer: Callable[[httpx.Request], Any]
    requests: list[httpx.Request] = field(default_factory=list)

    def client(self) -> StatsigClient:
        """A client whose requests come here."""
        destination = Destination("https://statsigapi.net/console/v1", httpx.MockTransport(self._answer))
        credentials = StatsigCredentials("console-secret")
        return StatsigClient(
            statsig_session(credentials=credentials, destination=destination, clock=clock, retries=QUICK)
        )

    def pages_asked(self) -> list[int]:
        """Page numbers in the order they were requested."""
        return [int(request.url.params["page"]) for request in self.requests]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        said = self.answer(request)
        status, body = said if isinstance(said, tuple) else (200, said)
        content = body.encode() if isinstance(body, str) else msgspec.json.encode(body)
        return httpx.Response(status, content=content, headers={"Content-Type": "application/json"})


def paged(*pages: Any) -> Scripted:
    """Answers each page number with its page, and 404 past the end."""

    def answer(request: httpx.Request) -> Any:
        number = int(request.url.params["page"])
        return pages[number - 1] if number <= len(pages) else (404, {"status": 404, "message": "Not Found."})

    return Scripted(answer)


@dataclass
class Sandboxed:
    """The sandbox and a client of it."""

    options: Options = field(default_factory=lambda: Options(now=clock))
    key: str = STATSIG_CONSOLE_KEY
    transport: httpx.ASGITransport = field(init=False)
    client: StatsigClient = field(init=False)

    def __post_init__(self) -> None:
        """Opens both; they need no closing, nothing is opened outside this process."""
        self.transport = httpx.ASGITransport(app=create_app(self.options))
        destination = Destination("http://sandbox/statsig/console/v1", self.transport)
        session = statsig_session(
            credentials=StatsigCredentials(self.key), destination=destination, clock=clock, retries=QUICK
        )
        self.client = StatsigClient(session)

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        """A request to the sandbox's control paths."""
        async with httpx.AsyncClient(transport=self.transport, base_url="http://sandbox/_sandbox") as http:
            return (await http.request(method, path, json=body)).raise_for_status().json()
