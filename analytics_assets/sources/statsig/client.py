"""Statsig's endpoints as records: a whole list per call, read page by page.

Here live the credentials, the endpoints and the paging. What a response holds is in `responses.py`, what it becomes in `transform.py`, which
day is requested in `streams.py`, time-outs and retries in `http/`.
Pages: https://docs.statsig.com/api-reference/events/get-metrics-using-event-name and its neighbours under `/metrics`.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Any, Generic, TypeVar
from urllib.parse import quote, unquote, urlsplit

import msgspec

from analytics_assets.clock import Clock
from analytics_assets.errors import Evidence, PermanentError, TransientError, UnexpectedPayloadError
from analytics_assets.http.bodies import REPLACEMENT
from analytics_assets.http.destination import Destination
from analytics_assets.http.fields import unknown_fields
from analytics_assets.http.meter import Meter
from analytics_assets.http.rate_limiter import RateLimiter
from analytics_assets.http.response import JsonResponse, Response, read
from analytics_assets.http.retries import RetryPolicy
from analytics_assets.http.session import Session
from analytics_assets.http.statuses import NOT_FOUND, Vendor
from analytics_assets.http.together import started
from analytics_assets.sources.statsig.paging import (
    LIMIT,
    Following,
    following,
    is_repeated,
    refuse_endless,
    total,
    wave,
)
from analytics_assets.sources.statsig.responses import Item, ListPage, Metric, MetricValue, without_personal_fields

BASE_URL = "https://statsigapi.net/console/v1"
RETRIES = RetryPolicy(attempts=5, first_wait_s=1.0, longest_wait_s=60.0, throttled_wait_s=10.0, patience_s=300.0)
EVENT_METRICS_ENDPOINT = "GET /events/{eventName}/metrics"
VALUES = "/metrics/values"
_HOSTS = frozenset({"statsigapi.net", "api.statsig.com", "latest.statsigapi.net"})
_READINGS = 3
# What a page past the end, or a day without values, may answer; no page of the documentation says.
_REFUSED = (400, NOT_FOUND)
_LONGEST_MESSAGE = 300

Result = TypeVar("Result")


@dataclass(frozen=True)
class StatsigCredentials:
    """The Console key of one project; `variables` are the environment variables it came from."""

    console_key: str = field(repr=False)
    variables: tuple[str, ...] = ("STATSIG_CONSOLE_KEY",)

    def headers(self) -> dict[str, str]:
        """What authorises a request, and the API version that is announced to become required."""
        return {
            "STATSIG-API-KEY": self.console_key,
            "STATSIG-API-VERSION": "20240601",
            "User-Agent": "analytics_assets/0.1 (daily tables under Dagster)",
        }

    def vendor(self) -> Vendor:
        """How messages speak of Statsig; a 401 repeats the key, so it is kept out of them."""
        names = " and ".join(self.variables)
        return Vendor("Statsig", f"{names} (an active Console API key of the project)", (self.console_key,))


def statsig_session(
    *,
    credentials: StatsigCredentials,
    destination: Destination,
    clock: Clock,
    rate_limiter: RateLimiter | None = None,
    meter: Meter | None = None,
    retries: RetryPolicy | None = None,
) -> Session:
    """The way out to one project."""
    return Session(
        vendor=credentials.vendor(),
        base_url=destination.base_url,
        transport=destination.transport,
        headers=credentials.headers(),
        clock=clock,
        rate_limiter=rate_limiter,
        meter=meter,
        retries=retries or RETRIES,
    )


@dataclass(frozen=True)
class FullList(Generic[Item]):
    """A whole list: the answers in page order, their items, and the number of items the vendor declared, if it did."""

    answers: tuple[JsonResponse, ...]
    items: tuple[Item, ...]
    total_items_declared: int | None

    @property
    def miscount(self) -> int | None:
        """The declared number where it is not the number of items read."""
        return None if self.total_items_declared == len(self.items) else self.total_items_declared


@dataclass(frozen=True)
class _Question(Generic[Item]):
    endpoint: str
    path: str
    kind: type[ListPage[Item]]
    params: Mapping[str, str] = field(default_factory=dict)
    keep_personal_fields: bool = True


class StatsigClient:
    """Reads one project. Every method raises `SourceError`s; `UnexpectedPayloadError` before a response is handed on."""

    def __init__(self, session: Session) -> None:
        self.session = session

    async def metric_values(self, day: date) -> FullList[MetricValue]:
        """GET /metrics/values: all values of one UTC-8 day, a row per metric and unit type; empty while not computed.

        Raises:
            PermanentError: Statsig refuses the day (no page declares that).
        """
        params = {"date": day.isoformat()}
        try:
            return await self._read(_Question(VALUES, VALUES, ListPage[MetricValue], params))
        except PermanentError as error:
            if (refused := day_without_values(error)) is None:
                raise
            advice = "If the project has no data that early, set `start_date` in the account's YAML to its first day. Otherwise check `base_url`."
            raise PermanentError(refused, remedy=advice, day=day, evidence=error.evidence) from error

    async def metrics(self, *, keep_personal_fields: bool = False) -> FullList[Metric]:
        """GET /metrics/list: all definitions of the project, hidden ones too; without people unless they are kept."""
        params = {"showHiddenMetrics": "true"}
        return await self._read(
            _Question("/metrics/list", "/metrics/list", ListPage[Metric], params, keep_personal_fields)
        )

    async def first_metric(self) -> JsonResponse:
        """GET /metrics/list, one definition alone: the smallest answer that the key opens."""
        answer = await self.session.get("/metrics/list", "/metrics/list", {"limit": "1", "page": "1"})
        read(answer.body, ListPage[Metric], vendor=answer.vendor, endpoint=answer.endpoint)
        return answer

    async def event_metrics(self, event_name: str, *, keep_personal_fields: bool = False) -> FullList[Metric]:
        """GET /events/{eventName}/metrics: definitions made from an event, directly or through another metric.

        Raises:
            PermanentError: The vendor does not know the event (no page declares that), or no address can name it.
        """
        if not is_askable(event_name):
            raise PermanentError(
                f"Statsig: no address can name the event {event_name!r}.", remedy="Take it out of `events`."
            )
        question = _Question(
            "/events/{eventName}/metrics",
            f"/events/{quote(event_name, safe='')}/metrics",
            ListPage[Metric],
            keep_personal_fields=keep_personal_fields,
        )
        try:
            return await self._read(question)
        except PermanentError as error:
            if error.status != NOT_FOUND:
                raise
            words = f"Event {event_name!r}: {error.message}"
            raise PermanentError(words, remedy=error.remedy, evidence=error.evidence) from error

    async def _read(self, question: _Question[Item]) -> FullList[Item]:
        """The whole list, read again from its first page when it shifted under the reading."""
        doubled: set[Any] = set()
        for _ in range(_READINGS):
            pages = await self._walk(question, doubled)
            if pages is not None:
                items = tuple(item for _, listed in pages for item in listed.data)
                return FullList(tuple(answer for answer, _ in pages), items, total(pages))
        if broken := sorted(str(key) for key in doubled if REPLACEMENT in str(key)):
            raise UnexpectedPayloadError(
                f"Statsig GET {question.path}: {broken[0]} is on two pages in each of {_READINGS} readings. Two names may differ only in a "
                f"broken character, for which {REPLACEMENT} stands.",
                remedy="Rename one of them at Statsig.",
            )
        raise TransientError(
            f"Statsig GET {question.path}: the list changes while being read: in each of {_READINGS} readings "
            "an item stood on two pages, or the pages told different totals.",
            remedy="Ask again later.",
        )

    async def _walk(
        self, question: _Question[Item], doubled: set[Any]
    ) -> list[tuple[JsonResponse, ListPage[Item]]] | None:
        """All pages up to the one that ends the list, or None where it changed meanwhile: an item comes twice, or the total is another."""
        pages: list[tuple[JsonResponse, ListPage[Item]]] = [await self._page(question, 1)]
        seen = {item.key for item in pages[0][1].data}
        state = following(pages[0][1], 1)
        while state is not Following.NONE:
            refuse_endless(question.path, pages)
            numbers = range(len(pages) + 1, len(pages) + 1 + wave(pages))
            async with started(self._page(question, number) for number in numbers) as tasks:
                for task in tasks:
                    page = await _page_or_end(task, may_be_past=state is Following.UNCLEAR)
                    if page is None or (state is Following.UNCLEAR and is_repeated(page[1], pages[-1][1])):
                        return pages
                    keys = {item.key for item in page[1].data}
                    # An item that vanishes in front of a page leaves no double, only a gap and a smaller total.
                    doubled |= keys & seen
                    if keys & seen or total([page]) not in {None, total([*pages, page])}:
                        return None
                    seen |= keys
                    pages.append(page)
                    state = following(page[1], len(pages))
                    if state is Following.NONE:
                        break
        return pages

    async def _page(self, question: _Question[Item], number: int) -> tuple[Response[ListPage[Item]], ListPage[Item]]:
        paging = {"limit": str(LIMIT), "page": str(number)}
        answer = await self.session.get(question.endpoint, question.path, {**question.params, **paging})
        if not question.keep_personal_fields:
            answer = replace(answer, body=without_personal_fields(answer.body))
        listed = read(answer.body, question.kind, vendor="Statsig", endpoint=f"GET {question.path} page {number}")
        counts = Counter(item.key for item in listed.data)
        doubles = len(listed.data) - len(counts)
        if doubles:
            raise UnexpectedPayloadError(
                f"Statsig GET {question.path} page {number}: {doubles} entries stand more than once on one page, the first is "
                f"{counts.most_common(1)[0][0]!r}.",
                remedy="The body is kept in the quarantine folder of the lake.",
                evidence=Evidence(answer.endpoint, status=answer.status, body=answer.body.decode()),
            )
        host = urlsplit(listed.pagination.next_page or "").hostname if listed.pagination else None
        if host and host not in _HOSTS:
            raise UnexpectedPayloadError(
                f"Statsig GET {question.path} page {number}: the next page is said to be on another host, {host!r}.",
                remedy="Something may have answered in Statsig's place: check base_url.",
                evidence=Evidence(answer.endpoint, status=answer.status, body=answer.body.decode()),
            )
        return Response.of(answer, listed, partial(unknown_fields, answer.body, question.kind)), listed


async def _page_or_end(task: "asyncio.Task[Result]", *, may_be_past: bool) -> Result | None:
    """The page, or None if it is refused because the list has ended before it."""
    try:
        return await task
    except PermanentError as error:
        if not may_be_past or error.status not in _REFUSED:
            raise
        return None


class _Refusal(msgspec.Struct):
    message: str = ""
    errors: list[msgspec.Raw] = []


def day_without_values(error: PermanentError) -> str | None:
    """What Statsig answers for a day that it has no values of; None if the error is another one.

    Neighbouring endpoints answer 400 "Data is not available"; a 404 is declared for none of the lists. A list of errors is about parameters.
    """
    evidence = error.evidence
    if evidence is None or evidence.status not in _REFUSED:
        return None
    try:
        refusal = msgspec.json.decode(evidence.body, type=_Refusal)
    except msgspec.DecodeError:
        refusal = _Refusal()
    if refusal.errors:
        return None
    said = refusal.message[:_LONGEST_MESSAGE].rstrip(".")
    words = f" ({said})" if said else ""
    return f"Statsig {evidence.endpoint}: HTTP {evidence.status}{words}, so there are no values for the day."


def is_askable(event_name: str) -> bool:
    """True if an address can name the event; `.` and `..` are steps in a path, however they are encoded."""
    return event_name not in {"", ".", ".."}


def event_of(path: str) -> str:
    """The exact event name in the path of a kept answer of `/events/{eventName}/metrics`."""
    return unquote(path.removeprefix("/events/").removesuffix("/metrics"))
