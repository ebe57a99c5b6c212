"""A sandbox server whose Bento refuses: by a limit counted on arrival, or with Retry-After by lot.

The refusals stand before the sandbox, in an ASGI app of their own. No assertions here, and nothing of the production code.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

import uvicorn
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from analytics_assets.sandbox.app import create_app
from analytics_assets.sandbox.options import Options

_PATIENCE_S = 20.0


@dataclass(frozen=True)
class Arrival:
    """One request as the vendor saw it.

    Attributes:
        at: Seconds of the monotonic clock.
        path: Its path.
        query: Its query as sent.
        status: 429, or 0 where the sandbox answered.
    """

    at: float
    path: str
    query: str
    status: int


Refusal = Callable[["Limited", str], float | None]


@dataclass
class Limited:
    """The app before the sandbox.

    Attributes:
        refusal: Given itself and a query of Bento; None lets it pass, a number refuses it with that Retry-After in seconds.
        url: Where it is served.
        arrivals: All requests, oldest first.
    """

    refusal: Refusal
    app: ASGIApp
    url: str = ""
    arrivals: list[Arrival] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Counts, then refuses or passes on."""
        path, query = scope["path"], scope["query_string"].decode()
        after = self.refusal(self, query) if path.startswith("/bento/") else None
        self.arrivals.append(Arrival(time.monotonic(), path, query, 0 if after is None else 429))
        if after is None:
            await self.app(scope, receive, send)
        else:
            headers = {"Retry-After": f"{after:g}"} if after else None
            await JSONResponse({"error": "Too many requests"}, 429, headers=headers)(scope, receive, send)

    def of(self, vendor: str) -> list[Arrival]:
        """The requests to one vendor."""
        return [one for one in list(self.arrivals) if one.path.startswith(f"/{vendor}/")]


def at_most(requests: int, window_s: float) -> Refusal:
    """Refuses what arrives when so many have arrived within the window before it."""

    def refusal(server: Limited, _query: str) -> float | None:
        now = time.monotonic()
        return 0.0 if sum(now - one.at < window_s for one in server.of("bento")) >= requests else None

    return refusal


def by_lot(share: float, after_s: float, seed: int) -> Refusal:
    """Refuses a share of the calls; the lot falls by query and attempt, so that the order of arrival does not matter."""
    attempts: Counter[str] = Counter()

    def refusal(_server: Limited, query: str) -> float | None:
        attempts[query] += 1
        return after_s if Random(f"{seed} {query} {attempts[query]}").random() < share else None

    return refusal


@contextmanager
def limited_server(refusal: Refusal, options: Options) -> Iterator[Limited]:
    """Serves the vendors on a free port until the block ends."""
    limited = Limited(refusal, create_app(options))
    config = uvicorn.Config(
        limited,
        port=0,
        access_log=False,
        log_level="critical",
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="limited sandbox", daemon=True)
    thread.start()
    until = time.monotonic() + _PATIENCE_S
    while not server.started:
        if time.monotonic() > until or not thread.is_alive():
            raise RuntimeError("the sandbox server does not start")
        time.sleep(0.01)
    limited.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield limited
    finally:
        server.should_exit = True
        thread.join(_PATIENCE_S)
