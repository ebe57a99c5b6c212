"""The simulated Bento these tests talk to, and the answers a test types itself.

`site` opens a client on a sandbox of its own; what was asked and scripted faults go through the sandbox's control paths.
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import httpx
import msgspec
import pyarrow as pa

from analytics_assets.http.destination import Destination
from analytics_assets.http.response import JsonResponse
from analytics_assets.http.retries import RetryPolicy
from analytics_assets.lake.raw import raw_day
from analytics_assets.lake.table import Table
from analytics_assets.sandbox.app import Options, create_app
from analytics_assets.sandbox.credentials import BENTO_PUBLISHABLE_KEY, BENTO_SECRET_KEY, BENTO_SITE_UUID
from analytics_assets.sources.bento.client import BentoClient, BentoCredentials, bento_session
from analytics_assets_tests.sources.bento.samples import DAY

Answering = Callable[[httpx.Request], httpx.Response] | Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]
BASE_URL = "http://sandbox/bento/api/v1"
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
QUICK = RetryPolicy(attempts=3, first_wait_s=0.01, longest_wait_s=0.05, throttled_wait_s=0.01)
CREDENTIALS = BentoCredentials(BENTO_PUBLISHABLE_KEY, BENTO_SECRET_KEY, BENTO_SITE_UUID)


@dataclass(frozen=True)
class Site:
    """A client, and what its vendor saw."""

    client: BentoClient
    control: httpx.AsyncClient

    async def fault(self, **rule: Any) -> None:
        """Scripts what goes wrong next."""
        (await self.control.post("/faults", json=[{"vendor": "bento", **rule}])).raise_for_status()

    async def counts(self) -> dict[str, int]:
        """Requests by endpoint."""
        counts: dict[str, int] = (await self.control.get("/counts")).json()
        return counts

    async def queries(self) -> list[dict[str, str]]:
        """The query of each request, in the order they came."""
        return [dict(parse_qsl(one["query"])) for one in (await self.control.get("/requests")).json()]


@asynccontextmanager
async def site(options: Options | None = None, credentials: BentoCredentials = CREDENTIALS) -> AsyncIterator[Site]:
    """A client on a sandbox of its own, whose clock stands at `NOW`."""
    transport = httpx.ASGITransport(app=create_app(options or Options(now=lambda: NOW)))
    session = bento_session(
        credentials=credentials,
        destination=Destination(BASE_URL, transport),
        clock=lambda: NOW,
        retries=QUICK,
    )
    async with session, httpx.AsyncClient(transport=transport, base_url="http://sandbox/_sandbox") as control:
        yield Site(BentoClient(session), control)


@asynccontextmanager
async def typed_site(answer: Answering) -> AsyncIterator[BentoClient]:
    """A client whose answers the test types itself."""
    destination = Destination(BASE_URL, httpx.MockTransport(answer))
    session = bento_session(credentials=CREDENTIALS, destination=destination, clock=lambda: NOW, retries=QUICK)
    async with session:
        yield BentoClient(session)


def raw_of(table: Table, *answers: tuple[str, dict[str, str], str]) -> pa.Table:
    """Raw rows of responses given as path, query and body."""
    kept: Sequence[JsonResponse] = [
        JsonResponse(f"GET {path}", path, tuple(params.items()), 200, body.encode(), NOW, NOW, vendor="Bento")
        for path, params, body in answers
    ]
    return table.validated(raw_day(table, DAY, kept).content, DAY)


def changed(sample: str, **changes: Any) -> str:
    """A sample with top-level fields replaced; those given as `...` are left out."""
    body = {**msgspec.json.decode(sample), **changes}
    return msgspec.json.encode({name: value for name, value in body.items() if value is not ...}).decode()


def part(sample: str, name: str) -> Any:
    """One top-level field of a sample."""
    return msgspec.json.decode(sample)[name]
