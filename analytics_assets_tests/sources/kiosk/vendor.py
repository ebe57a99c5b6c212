"""Kiosk as a small HTTP server, and a client of it. No assertions here."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from analytics_assets.clock import utc_now
from analytics_assets.http.retries import RetryPolicy
from analytics_assets.sources.kiosk.client import KioskClient
from analytics_assets.sources.kiosk.source import KioskResource
from analytics_assets_tests.fuzz.mutations import mutated
from analytics_assets_tests.fuzz.sent import Sent
from analytics_assets_tests.integration.server import served

TOKEN = "kiosk-token-0815"
_PER_PAGE = 2


def sale(key: str, channel: str, orders: int, revenue: str, **more: Any) -> dict[str, Any]:
    """An entry of the list, in euros."""
    return {"id": key, "channel": channel, "currency": "EUR", "orders": orders, "revenue": revenue, **more}


SALES = {
    "2026-03-01": [sale("a", "app", 3, "30.00"), sale("b", "store", 1, "8.25"), sale("c", "web", 2, "20.10")],
    "2026-03-02": [sale("d", "web", 5, "55.55")],
}
CAMPAIGNS = [{"id": "k1", "name": "Spring", "channel": "web", "is_active": True}, {"id": "k2", "name": "Flyers"}]


@dataclass
class Kiosk:
    """The vendor.

    Attributes:
        sales: Entries by day.
        campaigns: The list of campaigns.
        moves: Readings of a day during which a new entry pushes the others to later positions.
        draw: Where chance comes from if each response is to be mutated.
        requests: Requests by path.
        url: Address of the server.
    """

    sales: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {day: list(of) for day, of in SALES.items()})
    campaigns: list[dict[str, Any]] = field(default_factory=lambda: list(CAMPAIGNS))
    moves: int = 0
    draw: Random | None = None
    requests: Counter[str] = field(default_factory=Counter)
    url: str = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answers one request."""
        request = Request(scope, receive)
        self.requests[request.url.path] += 1
        response = self._response(request)
        if self.draw is not None:
            sent, _, _ = mutated(self.draw, Sent(200, "application/json", bytes(response.body)), {})
            headers = {} if sent.retry_after is None else {"retry-after": sent.retry_after}
            response = Response(sent.body, sent.status, headers=headers, media_type=sent.content_type)
        await response(scope, receive, send)

    def _response(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"error": "invalid token"}, 401)
        if request.url.path == "/campaigns":
            return JSONResponse({"campaigns": self.campaigns})
        number = int(request.query_params["page"])
        entries = self.sales.get(request.query_params["date"], [])
        if self.moves and number > 1:
            self.moves -= 1
            entries.insert(0, sale(f"new {self.moves}", f"new {self.moves}", 1, "1.00"))
        start, end = (number - 1) * _PER_PAGE, number * _PER_PAGE
        return JSONResponse({"sales": entries[start:end], "next_page": number + 1 if entries[end:] else None})


@contextmanager
def served_vendor(patch: pytest.MonkeyPatch) -> Iterator[Kiosk]:
    """The vendor on a port of its own, with live mode and the token in the environment."""
    vendor = Kiosk()
    for name, value in {"ANALYTICS_MODE": "live", "ANALYTICS_BUDGET": "off", "KIOSK_TOKEN": TOKEN}.items():
        patch.setenv(name, value)
    with served(vendor) as vendor.url:
        yield vendor


@asynccontextmanager
async def client(vendor: Kiosk, retries: RetryPolicy | None = None) -> AsyncIterator[KioskClient]:
    """A client, opened as a run opens it."""
    async with KioskResource(base_url=vendor.url).open(clock=utc_now, retries=retries) as opened:
        yield opened
