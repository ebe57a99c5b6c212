"""The one door to the simulated vendors: counts, delays, scripted faults, credentials, the vendor's endpoint.

Here lives what happens to every request whichever vendor it is for, as a small ASGI app that works on the raw path. What is
answered is in the vendors' modules; what is shown of the traffic is in ``control``.
"""

import asyncio
from collections.abc import Callable, Sequence
from urllib.parse import quote, unquote, unquote_plus

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from analytics_assets.sandbox.endpoints import Call, SandboxVendor, matched
from analytics_assets.sandbox.faults import PAGE_KINDS, Faults, respond_instead, send_faulty
from analytics_assets.sandbox.options import Clock, utc_now
from analytics_assets.sandbox.traffic import Traffic

# Vendor, endpoint and response; gives the response to send.
Revise = Callable[[str, str, Response], Response]


def as_is(_vendor: str, _endpoint: str, response: Response) -> Response:
    """The response unchanged."""
    return response


class Gateway:
    """ASGI app below ``/bento``, ``/statsig`` and ``/airbridge``."""

    def __init__(
        self,
        vendors: Sequence[SandboxVendor],
        *,
        clock: Clock,
        traffic: Traffic,
        faults: Faults,
        revise: Revise,
        latency_s: float,
    ) -> None:
        self._vendors = {vendor.name: vendor for vendor in vendors}
        self._clock = clock
        self._traffic = traffic
        self._faults = faults
        self._revise = revise
        self._latency_s = latency_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; the routes let no other scope through."""
        request = Request(scope, receive)
        body = await request.body()
        path: str = (scope.get("raw_path") or quote(scope["path"]).encode()).decode("ascii")
        vendor = self._vendors[unquote(path.split("/")[1])]
        below = path.removeprefix(vendor.prefix) if path.startswith(f"{vendor.prefix}/") else ""
        found = matched(vendor.endpoints, request.method, below)
        template = f"{request.method} {found[0].template if found else '(other)'}"
        query = scope["query_string"].decode("latin-1")
        # The log tells real time even where the vendors' clock stands still: pacing is read from it.
        entry = self._traffic.arrive(vendor.name, template, path, query, utc_now())
        if self._latency_s:
            await asyncio.sleep(self._latency_s)
        target = f"{path}?{query}"
        rule = self._faults.pick(vendor.name, template, (target, unquote_plus(target), body.decode(errors="replace")))
        if rule and rule.instead:
            response = respond_instead(rule, vendor)
        else:
            page_fault = rule.kind if rule and rule.kind in PAGE_KINDS else None
            params = found[1] if found else {}
            call = Call(params, request.query_params, request.headers, body, self._clock(), page_fault)
            response = vendor.admit(call) or (found[0].answer(call) if found else self._lost(vendor, below))
        response = response if rule and rule.body is not None else self._revise(vendor.name, template, response)
        entry.status = response.status_code
        if rule and not rule.instead:
            await send_faulty(rule, response, scope, receive, send)
        else:
            await response(scope, receive, send)

    @staticmethod
    def _lost(vendor: SandboxVendor, below: str) -> Response:
        """405 where another method would be answered, 404 elsewhere."""
        known = any(matched(vendor.endpoints, method, below) for method in ("GET", "POST"))
        return vendor.refuse(405 if known else 404)
