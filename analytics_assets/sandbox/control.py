"""The control paths under ``/_sandbox``: counts, request log, faults, reset and clock of one app.

Here lives what a test or a person at the server steers the sandbox with. No vendor has anything like it, and no credential is
requested: the server binds to the loopback.
"""

from datetime import datetime
from json import JSONDecodeError
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from analytics_assets.sandbox.faults import Faults, parse_rules
from analytics_assets.sandbox.options import Clock
from analytics_assets.sandbox.traffic import Traffic


def control_routes(clock: Clock, traffic: Traffic, faults: Faults) -> list[Route]:
    """Routes relative to ``/_sandbox``; a body that cannot be used is answered with 400 and ``{"error"}``."""

    async def counts(_: Request) -> Response:
        return JSONResponse(traffic.counts())

    async def requests(_: Request) -> Response:
        return JSONResponse(traffic.requests())

    async def add_faults(request: Request) -> Response:
        try:
            rules = parse_rules(await request.json())
        except (JSONDecodeError, UnicodeDecodeError, ValueError) as error:
            return _refused(error)
        faults.add(rules)
        return JSONResponse({"added": len(rules)})

    async def clear_faults(_: Request) -> Response:
        faults.clear()
        return JSONResponse({})

    async def reset(_: Request) -> Response:
        faults.clear()
        traffic.clear()
        clock.freeze(None)
        return JSONResponse({})

    async def set_clock(request: Request) -> Response:
        try:
            clock.freeze(_instant(await request.json()))
        except (JSONDecodeError, UnicodeDecodeError, ValueError) as error:
            return _refused(error)
        return JSONResponse({"now": clock().isoformat()})

    return [
        Route("/counts", counts, methods=["GET"]),
        Route("/requests", requests, methods=["GET"]),
        Route("/faults", add_faults, methods=["POST"]),
        Route("/faults", clear_faults, methods=["DELETE"]),
        Route("/reset", reset, methods=["POST"]),
        Route("/clock", set_clock, methods=["PUT"]),
    ]


def _instant(payload: Any) -> datetime | None:
    now = payload.get("now", "") if isinstance(payload, dict) else ""
    if now is None:
        return None
    at = datetime.fromisoformat(now) if isinstance(now, str) else None
    if at is None or at.tzinfo is None:
        raise ValueError('expected {"now": an ISO instant with a zone, or null}')
    return at


def _refused(error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=400)
