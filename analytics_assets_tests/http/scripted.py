"""A server on a real socket that does what a test tells it to, well-behaved or not.

Raw asyncio streams, because no web framework cuts a body in the middle on purpose. Keep expectations in the tests.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from analytics_assets.http.destination import live
from analytics_assets.http.rate_limiter import NoRateLimit
from analytics_assets.http.retries import RetryPolicy
from analytics_assets.http.session import Session
from analytics_assets.http.statuses import Vendor

NOW = datetime(2026, 3, 2, 4, 5, 6, tzinfo=UTC)
VENDOR = Vendor("Bento", "BENTO_SECRET_KEY", secrets=["sk-secret/key+1"])
QUICK = RetryPolicy(attempts=3, first_wait_s=0.01, longest_wait_s=2.0, throttled_wait_s=0.1, patience_s=30.0)
ONCE = RetryPolicy(attempts=1)


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    line: str
    headers: dict[str, str]
    body: bytes
    at: float


Reply = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


class HangUp(Exception):  # noqa: N818 - a wish of the script, not a failure
    """Closes the connection now."""


@dataclass
class Server:
    """What a scripted server has seen.

    Attributes:
        url: Its address.
        asked: The requests, in the order they arrived.
        open: Connections open now.
        busy: Requests being answered now.
        most_busy: The highest `busy` there was.
    """

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    open: int = 0
    busy: int = 0
    most_busy: int = 0


@asynccontextmanager
async def scripted(*replies: Reply) -> AsyncIterator[Server]:
    """Answers the first request with the first reply and so on; the last one stays."""
    seen = Server()
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.open += 1
        writers.append(writer)
        with suppress(HangUp, ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                asked = await _request(reader)
                seen.asked.append(asked)
                seen.busy += 1
                seen.most_busy = max(seen.most_busy, seen.busy)
                try:
                    await replies[min(len(seen.asked), len(replies)) - 1](asked, writer)
                    await writer.drain()
                finally:
                    seen.busy -= 1
        seen.open -= 1
        writer.close()
        with suppress(ConnectionError, asyncio.CancelledError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    seen.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield seen
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await asyncio.sleep(0.01)
        await asyncio.wait_for(server.wait_closed(), 5)


class Notes(NoRateLimit):
    """A gate that writes down what it is told."""

    def __init__(self) -> None:
        self.entered: list[str] = []
        self.closed: list[float] = []
        self.reasons: list[str] = []

    async def acquire(self, endpoint: str) -> float:
        """Notes the endpoint; pretends to have waited."""
        self.entered.append(endpoint)
        return 0.5

    def pause_for(self, seconds: float, reason: str) -> None:
        """Notes both."""
        self.closed.append(seconds)
        self.reasons.append(reason)


def session(url: str, **changes: object) -> Session:
    """A session over real sockets, with short pauses and a clock that stands still."""
    plain: dict[str, object] = {
        "vendor": VENDOR,
        "base_url": url,
        "transport": live("http://127.0.0.1").transport,
        "headers": {"Authorization": "Bearer sk-secret/key+1", "User-Agent": "analytics_assets"},
        "clock": lambda: NOW,
        "retries": QUICK,
    }
    return Session(**{**plain, **changes})  # type: ignore[arg-type]


def answer(body: bytes = b"{}", status: int = 200, **headers: str) -> Reply:
    """A whole response; header names are written with underscores."""
    named = {"content_type": "application/json", "content_length": str(len(body)), **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in named.items() if value]
    head = "\r\n".join([f"HTTP/1.1 {status} Whatever", *lines, "", ""]).encode()

    async def reply(_asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(head + body)

    return reply


def bytes_then_hang_up(sent: bytes) -> Reply:
    """Sends these bytes and closes the connection."""

    async def reply(_asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        await writer.drain()
        raise HangUp

    return reply


def after(seconds: float, then: Reply) -> Reply:
    """Waits before it replies."""

    async def reply(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        await then(asked, writer)

    return reply


def trickle(letters: int, every_s: float) -> Reply:
    """A body of single letters, one now and then, that never ends within `letters`."""

    async def reply(_asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n")
        for _ in range(letters):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(every_s)
        raise HangUp

    return reply


async def _request(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *rest = head.rstrip("\r\n").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (header.partition(":") for header in rest)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Asked(line, headers, body, asyncio.get_running_loop().time())
