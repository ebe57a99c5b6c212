"""Scripted faults: which requests go wrong, and how the wrong answer is sent.

Here live the rules given to ``POST /_sandbox/faults`` and the ways to spoil a response on its way out. Faults of the report
tasks themselves (FAILURE, CANCELED, forgotten) are options of the app, because they travel inside a task's id. Kept by one app
object, so they mean something in the server only.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from random import Random
from typing import Any, Final

from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from analytics_assets.sandbox.endpoints import SandboxVendor

# A page after the first one: begins with the last entry of the one before, or leaves one out, or is the first one again.
PAGE_KINDS: Final = ("overlap", "shrink", "repeat")
KINDS: Final = ("status", "html", "truncated", "empty", "cut", "hang", "slow", "wrong_type", "body", *PAGE_KINDS)
_INSTEAD: Final = {"status", "html", "empty", "body"}
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "kind": (str,),
    "vendor": (str,),
    "endpoint": (str,),
    "contains": (str,),
    "times": (int,),
    "skip": (int,),
    "every": (int,),
    "rate": (int, float),
    "status": (int,),
    "retry_after": (int, float, str),
    "delay_s": (int, float),
}


@dataclass
class Rule:
    """One scripted fault; a field left None does not restrict.

    Attributes:
        kind: One of ``KINDS``. ``status``, ``html``, ``empty`` and ``body`` answer instead of the vendor, which then does
            not see the request; the others spoil the vendor's own response.
        vendor: bento, statsig or airbridge.
        endpoint: A template such as ``/stats/ads``, with or without the method and the vendor before it.
        contains: Part of the path and query (raw or decoded) or of the request's body.
        times: How many requests it spoils; None is for ever.
        skip: The first matches it lets pass.
        every: Of the matches after those, each n-th is spoilt.
        rate: Of those, this share is spoilt, drawn from the app's seed; 1 is all.
        status: HTTP status of ``status`` (500), ``html``, ``empty`` and ``body`` (200).
        retry_after: Value of a Retry-After header, seconds or an HTTP date.
        body: JSON that is sent by ``status`` and ``body``.
        delay_s: Seconds that ``hang`` keeps silent (3600) and ``slow`` takes to send the body (5).
    """

    kind: str
    vendor: str | None = None
    endpoint: str | None = None
    contains: str | None = None
    times: int | None = None
    skip: int = 0
    every: int = 1
    rate: float = 1.0
    status: int | None = None
    retry_after: float | str | None = None
    body: Any = None
    delay_s: float | None = None
    seen: int = 0
    spoilt: int = 0

    @property
    def instead(self) -> bool:
        """True if the vendor is left out."""
        return self.kind in _INSTEAD

    def fires(self, vendor: str, endpoint: str, texts: Sequence[str], draw: Random) -> bool:
        """True if this request is spoilt; counts the match."""
        named = {endpoint, endpoint.partition(" ")[2], f"{vendor} {endpoint}"}
        if self.vendor not in {None, vendor} or (self.endpoint is not None and self.endpoint not in named):
            return False
        if self.contains is not None and not any(self.contains in text for text in texts):
            return False
        self.seen += 1
        spoil = self.seen > self.skip and (self.seen - self.skip) % self.every == 0
        if not spoil or (self.times is not None and self.spoilt >= self.times) or draw.random() >= self.rate:
            return False
        self.spoilt += 1
        return True


def parse_rules(payload: object) -> list[Rule]:
    """Rules from the body of ``POST /_sandbox/faults``; ValueError says what is wrong with it."""
    if not isinstance(payload, list) or not all(isinstance(one, dict) for one in payload):
        raise ValueError("expected a list of rules")
    known = {one.name for one in fields(Rule)} - {"seen", "spoilt"}
    for one in payload:
        if unknown := sorted(one.keys() - known):
            raise ValueError(f"unknown keys: {', '.join(unknown)}")
        if one.get("kind") not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        for key, types in _TYPES.items():
            if one.get(key) is not None and (not isinstance(one[key], types) or isinstance(one[key], bool)):
                raise ValueError(f"{key} must be {' or '.join(kind.__name__ for kind in types)}")
        if one.get("every") is not None and one["every"] < 1:
            raise ValueError("every must be at least 1")
        if not 0 <= (one.get("rate") or 0) <= 1:
            raise ValueError("rate must be from 0 to 1")
    return [Rule(**{key: value for key, value in one.items() if value is not None}) for one in payload]


class Faults:
    """The rules of one app, in the order given; the first that fires spoils the request."""

    def __init__(self, seed: int = 1) -> None:
        self._rules: list[Rule] = []
        self._draw = Random(seed)

    def add(self, rules: Sequence[Rule]) -> None:
        """Append rules behind those already there."""
        self._rules.extend(rules)

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._rules.clear()

    def pick(self, vendor: str, endpoint: str, texts: Sequence[str]) -> Rule | None:
        """The rule that spoils a request, if any."""
        return next((rule for rule in self._rules if rule.fires(vendor, endpoint, texts, self._draw)), None)


def respond_instead(rule: Rule, vendor: SandboxVendor) -> Response:
    """The response of a rule that leaves the vendor out."""
    status = rule.status or (500 if rule.kind == "status" else 200)
    if rule.kind == "html":
        response: Response = HTMLResponse("<!DOCTYPE html><html><body><h1>One moment</h1></body></html>", status)
    elif rule.kind == "empty":
        response = Response(b"", status, media_type="application/json")
    elif rule.kind == "body" or rule.body is not None:
        text = json.dumps(rule.body, ensure_ascii=False, separators=(",", ":"))
        response = Response(text.encode(), status, media_type="application/json")
    else:
        response = vendor.refuse(status)
    if rule.retry_after is not None:
        response.headers["Retry-After"] = str(rule.retry_after)
    return response


def _retyped(response: Response, body: bytes, media_type: str) -> Response:
    return Response(body, response.status_code, headers={"content-type": media_type})


async def send_faulty(rule: Rule, response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Send a response the way the rule says; ``cut`` and an abandoned ``hang`` leave it unfinished."""
    body = bytes(response.body)
    if rule.kind == "truncated":
        kept = _retyped(response, body[: len(body) // 2], response.headers.get("content-type", "application/json"))
        await kept(scope, receive, send)
    elif rule.kind == "wrong_type":
        await _retyped(response, body, "text/plain; charset=utf-8")(scope, receive, send)
    elif rule.kind == "cut":
        await _send_start(response, send)
        # The promised Content-Length is never reached: the server can only close the connection.
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    elif rule.kind == "slow":
        delay = 5.0 if rule.delay_s is None else rule.delay_s
        await _send_start(response, send)
        step = max(len(body) // 10, 1)
        pieces = [body[at : at + step] for at in range(0, len(body), step)]
        for piece in pieces:
            await asyncio.sleep(delay / len(pieces))
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    elif rule.kind != "hang" or await _waited(3_600.0 if rule.delay_s is None else rule.delay_s, receive):
        await response(scope, receive, send)


async def _send_start(response: Response, send: Send) -> None:
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})


async def _waited(seconds: float, receive: Receive) -> bool:
    """True after the wait, False as soon as the caller has hung up."""

    async def until_hung_up() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    try:
        await asyncio.wait_for(until_hung_up(), seconds)
    except TimeoutError:
        return True
    return False
