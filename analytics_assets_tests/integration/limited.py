"""A sandbox server that refuses: Bento by a limit counted on arrival, or any vendor with Retry-After by lot.

The refusals stand before the sandbox, in an ASGI app of their own. No assertions here, and nothing of the production code.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from analytics_assets.sandbox.app import create_app
from analytics_assets.sandbox.options import Options
from analytics_assets_tests.integration.server import served

_MOST_IN_A_ROW = 2
_TASK = re.compile(r"/query/[^?]+")


@dataclass(frozen=True)
class Arrival:
    """One request as the vendor saw it.

    Attributes:
        at: Seconds of the monotonic clock.
        path: Its path.
        query: Its query as sent.
        status: 429, or 0 where the sandbox answered.
        ms: Milliseconds since 1970.
    """

    at: float
    path: str
    query: str
    status: int
    ms: int


Refusal = Callable[["Limited", str], float | None]


@dataclass
class Limited:
    """The app before the sandbox.

    Attributes:
        refusal: Given itself, path and query; None lets it pass, a number refuses it with that Retry-After in seconds.
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
        after = self.refusal(self, f"{path}?{query}")
        ms = time.time_ns() // 1_000_000
        self.arrivals.append(Arrival(time.monotonic(), path, query, 0 if after is None else 429, ms))
        if after is None:
            await self.app(scope, receive, send)
        else:
            headers = {"Retry-After": f"{after:g}"} if after else None
            await JSONResponse({"error": "Too many requests"}, 429, headers=headers)(scope, receive, send)

    def of(self, vendor: str) -> list[Arrival]:
        """The requests to one vendor."""
        return [one for one in list(self.arrivals) if one.path.startswith(f"/{vendor}/")]


def at_most(requests: int, window_s: float) -> Refusal:
    """Refuses what arrives at Bento when so many have arrived within the window before it."""

    def refusal(server: Limited, asked: str) -> float | None:
        if not asked.startswith("/bento/"):
            return None
        now = time.monotonic()
        return 0.0 if sum(now - one.at < window_s for one in server.of("bento")) >= requests else None

    return refusal


def by_lot(share: float, after_s: float, seed: int) -> Refusal:
    """Refuses a share of the calls, none a third time in a row; the lot falls by request and attempt, whatever the order of arrival.

    Of an Airbridge task it does not fall by its id, which is another each time.
    """
    attempts: Counter[str] = Counter()
    in_a_row: Counter[str] = Counter()

    def refusal(_server: Limited, given: str) -> float | None:
        asked = _TASK.sub("/query/", given)
        attempts[asked] += 1
        is_refused = Random(f"{seed} {asked} {attempts[asked]}").random() < share and in_a_row[asked] < _MOST_IN_A_ROW
        in_a_row[asked] = in_a_row[asked] + 1 if is_refused else 0
        return after_s if is_refused else None

    return refusal


@contextmanager
def limited_server(refusal: Refusal, options: Options) -> Iterator[Limited]:
    """Serves the vendors on a free port until the block ends."""
    limited = Limited(refusal, create_app(options))
    with served(limited) as limited.url:
        yield limited
