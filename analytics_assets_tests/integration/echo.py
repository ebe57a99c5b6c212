"""Vendors that repeat everything they were asked with: path, query, headers, and the keys behind a Basic header, in body and headers.

The first part of the path says how they answer: `/fine/bento/...` as the sandbox does with one more field, `/cut/...` with half a response the
first time and a refusal the second, others as `FAULTS` names it.
No assertions here.
"""

import base64
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import httpx
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from analytics_assets.sandbox import credentials
from analytics_assets.sandbox.app import create_app
from analytics_assets.sandbox.options import Options

FINE = "fine"
CUT = "cut"
# Longer than any patience, so that nothing waits for it.
_LATER = {"Retry-After": "86400"}
_KEYS = {
    "authorization": "Bearer " + credentials.AIRBRIDGE_API_TOKEN,
    "statsig-api-key": credentials.STATSIG_CONSOLE_KEY,
}
_BASIC = base64.b64encode(f"{credentials.BENTO_PUBLISHABLE_KEY}:{credentials.BENTO_SECRET_KEY}".encode()).decode()
FAULTS: Mapping[str, Callable[[str], Response]] = {
    "refused": lambda echo: JSONResponse({"status": 401, "message": f"invalid key was sent. Key: {echo}"}, 401),
    "forbidden": lambda echo: HTMLResponse(f"<html><body>blocked: {echo}</body></html>", 403, headers=_LATER),
    "unknown": lambda echo: JSONResponse({"title": "Not Found", "detail": echo, "traceId": echo}, 404),
    "invalid": lambda echo: JSONResponse({"errors": [{"property": "key", "errorMessage": {"sent": echo}}]}, 400),
    "throttled": lambda echo: JSONResponse({"error": echo}, 429, headers=_LATER),
    "broken": lambda echo: Response(f"Traceback: {echo}", 500, headers=_LATER),
    "moved": lambda echo: RedirectResponse(f"https://elsewhere.example/?{echo}", 302, headers=_LATER),
    "page": lambda echo: HTMLResponse(
        f"<html><title>{echo[:300]}</title><body>One moment, {echo}</body></html>", headers=_LATER
    ),
    "shapeless": lambda echo: JSONResponse({"data": {"sent": echo}, "taskId": {"sent": echo}}),
}


@dataclass
class EchoingVendors:
    """An ASGI app; `seen` counts requests by manner and vendor, `cut` are those whose answer was cut."""

    options: Options
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    cut: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._sandbox = httpx.ASGITransport(app=create_app(self.options))

    async def __call__(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[..., Any]) -> None:
        """Answers one request."""
        request = Request(scope, receive)
        _, manner, vendor, *_ = request.url.path.split("/")
        self.seen[manner, vendor] += 1
        echo = _echo(request)
        if manner == CUT and f"{request.method} {request.url}" not in self.cut:
            self.cut.add(f"{request.method} {request.url}")
            await _half(echo, send)
            return
        fault = "refused" if manner == CUT else manner
        response = FAULTS[fault](echo) if fault in FAULTS else await self._fine(request, manner, vendor, echo)
        await response(scope, receive, send)

    async def _fine(self, request: Request, manner: str, vendor: str, echo: str) -> Response:
        """The sandbox's answer to the same question with its own keys, and the echo in a field of its own."""
        keys = _KEYS | ({"authorization": f"Basic {_BASIC}"} if vendor == "bento" else {})
        headers = {name: value for name, value in request.headers.items() if name not in ("host", "content-length")}
        query = {**request.query_params} | ({"site_uuid": credentials.BENTO_SITE_UUID} if vendor == "bento" else {})
        path = request.scope["raw_path"].decode().removeprefix(f"/{manner}")
        async with httpx.AsyncClient(transport=self._sandbox, base_url="http://sandbox") as sandbox:
            answer = await sandbox.request(
                request.method, path, params=query, headers={**headers, **keys}, content=await request.body()
            )
        return JSONResponse({**answer.json(), "sent": echo}, answer.status_code)


async def _half(echo: str, send: Callable[..., Any]) -> None:
    """Half a response; the server closes the connection then."""
    length = str(2 * len(echo.encode())).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", length), (b"x-sent", echo.encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": echo.encode(), "more_body": True})


def _echo(request: Request) -> str:
    """Everything that was sent, the Basic header unpacked too."""
    told = [f"{request.url}", unquote(f"{request.url}"), *request.headers.values()]
    scheme, _, packed = request.headers.get("authorization", "").partition(" ")
    told += [base64.b64decode(packed).decode()] if scheme == "Basic" else []
    return json.dumps(told)
