"""Clients of the sandbox server over real sockets: patient or not, with the sandbox's keys or others. No assertions here."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import httpx

from analytics_assets.clock import Clock
from analytics_assets.http.destination import Destination, sandbox
from analytics_assets.http.retries import RetryPolicy
from analytics_assets.sandbox.credentials import (
    AIRBRIDGE_API_TOKEN,
    BENTO_PUBLISHABLE_KEY,
    BENTO_SECRET_KEY,
    BENTO_SITE_UUID,
    STATSIG_CONSOLE_KEY,
)
from analytics_assets.sources.airbridge.client import AirbridgeClient, AirbridgeCredentials, airbridge_session
from analytics_assets.sources.bento.client import BentoClient, BentoCredentials, bento_session
from analytics_assets.sources.statsig.client import StatsigClient, StatsigCredentials, statsig_session

NOW = datetime(2026, 7, 15, 22, 0, tzinfo=UTC)
QUICK = RetryPolicy(attempts=3, first_wait_s=0.01, longest_wait_s=2.0, throttled_wait_s=0.01, patience_s=30.0)


@dataclass(frozen=True)
class Keys:
    """What a client is opened with."""

    publishable: str = BENTO_PUBLISHABLE_KEY
    secret: str = BENTO_SECRET_KEY
    site: str = BENTO_SITE_UUID
    console: str = STATSIG_CONSOLE_KEY
    token: str = AIRBRIDGE_API_TOKEN
    app: str = "shop"


@dataclass(frozen=True)
class Clients:
    """A client of each vendor."""

    bento: BentoClient
    statsig: StatsigClient
    airbridge: AirbridgeClient


class Way(httpx.AsyncBaseTransport):
    """The sockets of production with a shorter patience, and with a User-Agent that says nothing where that is requested."""

    def __init__(self, inner: httpx.AsyncBaseTransport, *, patience_s: float | None, is_nameless: bool) -> None:
        self._inner, self._patience_s, self._is_nameless = inner, patience_s, is_nameless

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sends it."""
        if self._patience_s is not None:
            phases = dict.fromkeys(("connect", "read", "write", "pool"), self._patience_s)
            request.extensions = {**request.extensions, "timeout": phases}
        if self._is_nameless:
            request.headers["User-Agent"] = ""
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Closes the sockets."""
        await self._inner.aclose()


USUAL = Keys()


@asynccontextmanager
async def clients(
    url: str,
    keys: Keys = USUAL,
    *,
    clock: Clock = lambda: NOW,
    patience_s: float | None = None,
    is_nameless: bool = False,
    only: str | None = None,
) -> AsyncIterator[Clients]:
    """Clients of the server at `url`; retries are quick. Where only one vendor is asked, the others get no sockets: opening them takes time."""

    def to(vendor: str, path: str) -> Destination:
        if only not in (None, vendor):
            return Destination(url, httpx.MockTransport(lambda _: httpx.Response(500)))
        way = sandbox(vendor, path, url)
        return replace(way, transport=Way(way.transport, patience_s=patience_s, is_nameless=is_nameless))

    bento = bento_session(
        credentials=BentoCredentials(keys.publishable, keys.secret, keys.site),
        destination=to("bento", "/api/v1"),
        clock=clock,
        retries=QUICK,
    )
    statsig = statsig_session(
        credentials=StatsigCredentials(keys.console),
        destination=to("statsig", "/console/v1"),
        clock=clock,
        retries=QUICK,
    )
    airbridge = airbridge_session(
        credentials=AirbridgeCredentials(keys.token), destination=to("airbridge", ""), clock=clock, retries=QUICK
    )
    async with AsyncExitStack() as stack:
        for session in (bento, statsig, airbridge):
            await stack.enter_async_context(session)
        yield Clients(BentoClient(bento), StatsigClient(statsig), AirbridgeClient(airbridge, keys.app))
