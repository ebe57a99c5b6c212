"""Airbridge's Revenue Report endpoints: a task is requested, looked at and read page by page; three lists of metadata.

Source: the vendor's page, https://help.airbridge.io/en/references/revenue-report. A response without what the page names, in either of its
two envelopes, is refused here, with one request. What the bodies hold is in `responses.py`, how pages make a report in `paging.py`.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Final, Literal, TypeVar
from urllib.parse import quote

from analytics_assets.clock import Clock
from analytics_assets.errors import AccessRefusedError, Evidence, PermanentError, TransientError, UnexpectedPayloadError
from analytics_assets.http.destination import Destination
from analytics_assets.http.meter import Meter
from analytics_assets.http.rate_limiter import RateLimiter
from analytics_assets.http.response import JsonResponse
from analytics_assets.http.retries import RetryPolicy
from analytics_assets.http.session import Session
from analytics_assets.http.statuses import NOT_FOUND, Vendor
from analytics_assets.sources.airbridge.paging import Page, TakePage, whole_report
from analytics_assets.sources.airbridge.report_spec import COST_METRICS, ReportSpec
from analytics_assets.sources.airbridge.responses import (
    Body,
    Head,
    Sections,
    TaskStatus,
    entries,
    group_of,
    instant_of,
    shown,
    status_of,
)

BASE_URL: Final = "https://api.airbridge.io"
QUERY: Final = "/reports/api/v3/apps/{app_name}/revenue/query"
TASK: Final = f"{QUERY}/{{task_id}}"
METADATA: Final = "/dataspec/v1/apps/{app_name}/revenue-report"
PAGE_SIZE: Final = 100
# No Retry-After is documented and a 429 means that the service is in danger, so it is waited out from half a minute on.
RETRIES: Final = RetryPolicy(
    attempts=5, first_wait_s=1.0, longest_wait_s=240.0, throttled_wait_s=30.0, patience_s=600.0
)
# A tick has no time to wait out a blocked path or an outage; the sensor itself looks again later, and remembers why the look failed.
POLL_RETRIES: Final = replace(RETRIES, blocked_attempts=1, patience_s=5.0)

T = TypeVar("T")


@dataclass(frozen=True)
class AirbridgeCredentials:
    """The API token of [Settings], [Tokens], not the tracking-link token; `variables` are the environment variables it came from."""

    api_token: str = field(repr=False)
    variables: tuple[str, ...] = ("AIRBRIDGE_API_TOKEN",)

    def headers(self) -> dict[str, str]:
        """What authorises a request. The page wants a content type on every request; the language fixes names and messages."""
        return {
            "Authorization": f"Bearer {self.api_token}",
            "Accept-Language": "en",
            "Content-Type": "application/json",
            "User-Agent": "analytics_assets/0.1 (daily tables under Dagster)",
        }

    def vendor(self) -> Vendor:
        """How messages speak of Airbridge."""
        return Vendor("Airbridge", f"{', '.join(self.variables)} (the app's API token)", (self.api_token,))


def airbridge_session(
    *,
    credentials: AirbridgeCredentials,
    destination: Destination,
    clock: Clock,
    rate_limiter: RateLimiter | None = None,
    meter: Meter | None = None,
    retries: RetryPolicy | None = None,
) -> Session:
    """The way out to the apps of one token; close it after use."""
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
class TaskHandle:
    """A task just requested: its opaque id, its status where the response told one, and the response."""

    task_id: str
    status: TaskStatus | None
    answer: JsonResponse


@dataclass(frozen=True)
class TaskState:
    """A task as it was seen.

    Attributes:
        status: What it is at, in the vendor's words; FAILED counts as FAILURE, a word the page does not have as UNKNOWN.
        word: The status as sent.
        reason: What the response says of it, where it does.
        trace_id: The vendor's id of what it did, where the response names one.
        ended_at: When the task ended, where the response tells.
        answer: The response.
    """

    status: TaskStatus
    word: str
    reason: str | None
    trace_id: str | None
    ended_at: datetime | None
    answer: JsonResponse

    @property
    def words(self) -> str | None:
        """Everything worth telling a person, or None."""
        unknown = f"the vendor says {self.word!r}" if self.status == "UNKNOWN" else None
        trace = f"[trace {self.trace_id}]" if self.trace_id else None
        return " ".join(filter(None, (unknown, self.reason, trace))) or None


class AirbridgeClient:
    """Asks Airbridge about one app.

    Raises (all methods):
        AccessRefusedError: 401, 403, and 404 where no task is named: the token, its rights, or the app.
        PermanentError: Another refusal. For a task the evidence's status tells 404, the vendor no longer knows it, from the rest.
        TransientError: 429, 5xx and broken connections after all retries.
        UnexpectedPayloadError: A response that is not of a documented shape.
    """

    def __init__(self, session: Session, app_name: str) -> None:
        """Sends nothing. `app_name` is the app's unique name, as in the dashboard's address.

        Raises:
            PermanentError: No address can name the app.
        """
        if app_name in ("", ".", ".."):
            raise PermanentError(
                f"Airbridge: no address can name the app {app_name!r}.", remedy="Give the app's unique name."
            )
        self.session = session
        self.app_name = app_name

    async def request_report(self, body: Mapping[str, Any]) -> TaskHandle:
        """Requests a report (POST); `body` is `request.body`. Every POST that is taken is a task of its own.

        It is repeated only after a response that refuses it for the moment, never after none at all.
        """
        try:
            answer = await self.session.post(QUERY, self._path(QUERY), body)
        except PermanentError as error:
            if _is_not_found(error):
                raise self._without_app(error) from error
            raise
        head = answer.read(Head)
        task_id, word = head.named("task_id"), head.named("status")
        # Two of the names are steps in a path, however they are encoded.
        if task_id in (None, ".", ".."):
            raise _unexpected(answer, "it names no task: neither data.taskId nor task.taskId")
        return TaskHandle(task_id, None if word is None else status_of(word), answer)

    async def report_state(self, task_id: str) -> TaskState:
        """Looks at a task (GET) without reading its rows. A failed task is HTTP 200 like any other."""
        answer = await self._task(task_id, skip=0, size=1)
        head = answer.read(Head)
        reason = next(filter(None, map(head.named, ("reason", "error", "detail", "message"))), None)
        word = _word(head, answer)
        return TaskState(
            status=status_of(word),
            word=word,
            reason=None if reason is None else self.session.vendor.redact(reason),
            trace_id=head.named("trace_id"),
            ended_at=instant_of(head.named("ended_at")),
            answer=answer,
        )

    async def report_page(self, task_id: str, skip: int = 0, size: int = PAGE_SIZE) -> Page:
        """Groups `skip` + 1 to `skip` + `size` of a finished report (GET).

        Raises:
            TransientError: The report is not finished, or no longer; look at its state.
        """
        answer = await self._task(task_id, skip=skip, size=size)
        body = answer.read(Body)
        if status_of(word := _word(body, answer)) != "SUCCESS":
            raise TransientError(
                f"Airbridge {answer.endpoint}: task {shown(task_id)} is {word}, so it has no rows to read.",
                remedy="This may pass by itself.",
            )
        rows = body.rows()
        if rows is None and body.total_count() != 0:
            raise _unexpected(answer, "a finished report has neither data.stats.rows nor revenue.data.rows")
        groups = _documented(answer, lambda: tuple(group_of(row) for row in rows or ()))
        counts = Counter(group.values for group in groups)
        if doubles := len(groups) - len(counts):
            first = list(counts.most_common(1)[0][0])
            raise _unexpected(answer, f"{doubles} groups come more than once on one page, the first is {first}")
        ended_at = instant_of(body.named("ended_at"))
        told = tuple(body.notification or ())
        return Page(body.total_count(), body.has_next(), groups, told, answer, ended_at, len(answer.body))

    async def report_pages(
        self, task_id: str, size: int = PAGE_SIZE, *, take: TakePage | None = None, memory_bytes: int | None = None
    ) -> list[Page]:
        """All pages of a finished report, in order, none of its groups twice; arguments and errors as of `paging.whole_report`."""
        read_page = partial(self.report_page, task_id)
        return await whole_report(read_page, task_id, size, take=take, memory_bytes=memory_bytes)

    async def metrics(self) -> JsonResponse:
        """The metrics there are, and the aggregations of each (GET)."""
        return await self._metadata("metrics", "metrics")

    async def group_bys(self) -> JsonResponse:
        """The dimensions there are, and whether they have cost (GET)."""
        return await self._metadata("groupbys", "fields")

    async def refuse_without_cost(self, spec: ReportSpec) -> None:
        """Nothing, or a refusal where a metric made of cost is requested by dimensions for which the metadata knows none.

        Raises:
            PermanentError: Its numbers would mean nothing. A dimension the metadata does not list is left to the vendor.
        """
        if spec.metric not in COST_METRICS:
            return
        answer = await self.group_bys()
        listed = {entry.key: entry.is_cost for _, entry, _ in entries(answer.read(Sections), "fields")}
        if fields := [field for field in spec.group_by if listed.get(field) is False]:
            raise PermanentError(
                f"Airbridge report {spec.name!r}, group_by: cost is not known by {', '.join(fields)}, so {spec.metric} has no meaning "
                "there.",
                remedy="Leave the field out, or choose another metric.",
            )

    async def events(self) -> JsonResponse:
        """The start and return events there are (GET)."""
        return await self._metadata("events", "events")

    async def _metadata(self, name: str, listed: Literal["metrics", "fields", "events"]) -> JsonResponse:
        endpoint = f"{METADATA}/{name}"
        try:
            answer = await self.session.get(endpoint, self._path(endpoint))
        except PermanentError as error:
            if _is_not_found(error):
                raise self._without_app(error) from error
            raise
        sections = answer.read(Sections)
        _documented(answer, lambda: list(entries(sections, listed)))
        return answer

    async def _task(self, task_id: str, *, skip: int, size: int) -> JsonResponse:
        try:
            return await self.session.get(TASK, self._path(TASK, task_id), {"skip": str(skip), "size": str(size)})
        except PermanentError as error:
            if _is_not_found(error):
                message = f"{error.message} The vendor does not know the task {shown(task_id)!r} of the app {self.app_name!r}, or no longer."
                raise PermanentError(message, remedy=error.remedy, evidence=error.evidence) from error
            raise

    def _path(self, endpoint: str, task_id: str = "") -> str:
        return endpoint.format(app_name=quote(self.app_name, safe=""), task_id=quote(task_id, safe=""))

    def _without_app(self, error: PermanentError) -> AccessRefusedError:
        """A 404 where no task is named: nothing of this app can be had."""
        return AccessRefusedError(
            f"{error.message} The app requested is {self.app_name!r}.",
            remedy="Check its name, and that the token is of the same app.",
            evidence=error.evidence,
        )


def _word(head: Head, answer: JsonResponse) -> str:
    word = head.named("status")
    if word is None:
        raise _unexpected(answer, "it has no status: neither data.status nor task.status")
    return word


def _documented(answer: JsonResponse, reading: Callable[[], T]) -> T:
    try:
        return reading()
    except (ValueError, TypeError, RecursionError) as error:
        raise _unexpected(answer, str(error)) from error


def _unexpected(answer: JsonResponse, problem: str) -> UnexpectedPayloadError:
    return UnexpectedPayloadError(
        f"Airbridge {answer.endpoint}: the response is not as documented: {problem}.",
        remedy="The body is kept in the quarantine folder of the lake; compare it with the vendor's page.",
        evidence=Evidence(answer.endpoint, status=answer.status, body=answer.body.decode(errors="replace")),
    )


def _is_not_found(error: PermanentError) -> bool:
    return error.status == NOT_FOUND
