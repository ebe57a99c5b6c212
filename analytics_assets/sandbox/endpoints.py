"""A request as the vendors see it, and the endpoint templates it is matched against.

Here lives the matching on the raw path: each segment is percent-decoded exactly once, after splitting, so that an event name
``a%2Fb`` is one segment. What an endpoint answers is in its vendor's module; counting and faults are the gateway's.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus
from typing import Protocol
from urllib.parse import unquote

from starlette.datastructures import Headers, QueryParams
from starlette.responses import Response


@dataclass(frozen=True)
class Call:
    """One request: decoded path parameters, query, headers, body, and the instant it is answered at (UTC).

    ``page_fault`` says how a list has changed since its first page was read: see ``faults``.
    """

    params: Mapping[str, str]
    query: QueryParams
    headers: Headers
    body: bytes
    now: datetime
    page_fault: str | None = None

    def listed(self, start: int, total: int) -> tuple[int, int]:
        """Where a page begins in its list and how long the list is said to be, as the page fault has it."""
        if start == 0 or self.page_fault is None:
            return start, total
        moved = {"overlap": start - 1, "shrink": start + 1, "repeat": 0}[self.page_fault]
        return moved, total - (self.page_fault == "shrink")


@dataclass(frozen=True)
class Endpoint:
    """A method and a path template such as ``/events/{eventName}/metrics``, with what answers it."""

    method: str
    template: str
    answer: Callable[[Call], Response]


class SandboxVendor(Protocol):
    """What the gateway needs from a simulated vendor."""

    @property
    def name(self) -> str:
        """First path segment: bento, statsig or airbridge."""

    @property
    def prefix(self) -> str:
        """Path in front of the templates."""

    @property
    def endpoints(self) -> Sequence[Endpoint]:
        """Everything the vendor answers; an earlier template wins."""

    def admit(self, call: Call) -> Response | None:
        """The refusal of a call without valid credentials, None for a valid one."""

    def refuse(self, status: int) -> Response:
        """An error in the vendor's own form, for paths it does not know and for scripted faults."""


def matched(endpoints: Sequence[Endpoint], method: str, raw_path: str) -> tuple[Endpoint, dict[str, str]] | None:
    """The endpoint for a raw path below the vendor's prefix, with its decoded parameters; None if there is none."""
    segments = raw_path.split("/")
    for endpoint in endpoints:
        names = endpoint.template.split("/")
        if endpoint.method != method or len(names) != len(segments):
            continue
        params: dict[str, str] = {}
        for name, segment in zip(names, segments, strict=True):
            if name.startswith("{"):
                params[name.strip("{}")] = unquote(segment)
            elif name != unquote(segment):
                break
        else:
            return endpoint, params
    return None


def plain_date(text: str) -> date:
    """The date written as YYYY-MM-DD; ValueError for every other spelling that ISO 8601 would allow."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError(text)
    return date.fromisoformat(text)


def phrase(status: int) -> str:
    """The usual words of a status, also for one that has none."""
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Error"
