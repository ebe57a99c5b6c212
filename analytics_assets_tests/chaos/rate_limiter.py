"""A gate before a bucket: lets requests through, or answers in its place with a status or after a while, and notes what landed when."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime

import httpx
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from analytics_assets.clock import utc_now

_REFUSAL = b"<?xml version='1.0'?><Error><Code>%s</Code><Message>%s</Message></Error>"
_CODES = {403: (b"AccessDenied", b"Access Denied"), 503: (b"SlowDown", b"Please reduce your request rate.")}
_RAW = re.compile(r"/(\w+)/(\w+_raw)/dt=([\d-]+)/data\.parquet$")
_PATIENCE_S = 60.0


@dataclass
class RateLimiter:
    """An ASGI app before an S3 server.

    Attributes:
        behind: Address of the server.
        seen: When days of raw tables were first there, by account, table and day.
        status: What it answers instead of the server; None lets through.
        delay_s: Seconds before it does either.
    """

    behind: str
    seen: dict[tuple[str, str, date], datetime] = field(default_factory=dict)
    status: int | None = None
    delay_s: float = 0.0
    _client: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(timeout=_PATIENCE_S, verify=False))

    @contextmanager
    def closed(self, *, status: int | None = None, delay_s: float = 0.0) -> Iterator[None]:
        """Answers with a status, or late, until the block ends."""
        self.status, self.delay_s = status, delay_s
        try:
            yield
        finally:
            self.status, self.delay_s = None, 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        request = Request(scope, receive)
        body = await request.body()
        await asyncio.sleep(self.delay_s)
        if self.status is not None:
            content = b"" if request.method == "HEAD" else _REFUSAL % _CODES[self.status]
            await _answer(send, self.status, [(b"content-type", b"application/xml")], content)
            return
        url = f"{self.behind}{request.url.path}?{request.url.query}"
        asked = self._client.build_request(request.method, url, headers=request.headers.raw, content=body)
        answer = await self._client.send(asked)
        if request.method == "PUT" and answer.is_success:
            self._note(request.url.path)
        dropped = {b"transfer-encoding", b"connection", b"content-encoding"}
        headers = [(name.lower(), value) for name, value in answer.headers.raw if name.lower() not in dropped]
        await _answer(send, answer.status_code, headers, answer.content)

    def _note(self, path: str) -> None:
        if found := _RAW.search(path):
            account, table, day = found.groups()
            self.seen.setdefault((account, table, date.fromisoformat(day)), utc_now())


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], content: bytes) -> None:
    if not any(name == b"content-length" for name, _ in headers):
        headers = [*headers, (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
