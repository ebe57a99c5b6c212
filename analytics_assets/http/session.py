"""Sends requests of one account of one vendor: bounded in time, number and size; retried where worth it; errors as ours.

A `Session` is shared by all calls of a client. It never follows redirects (keys go nowhere else), keeps no cookies, reads a response only up
to a limit, takes keys out of what repeats them, and lets nothing of the HTTP library escape. Swap the transport, not the session: production
sends over sockets, the sandbox in-process.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec
import stamina

from analytics_assets.clock import Clock
from analytics_assets.errors import (
    AccessRefusedError,
    Evidence,
    PermanentError,
    SourceError,
    TransientError,
    UnexpectedPayloadError,
)
from analytics_assets.http.bodies import LARGEST_BODY
from analytics_assets.http.faults import FAULTS, fault_of, shown
from analytics_assets.http.meter import Meter
from analytics_assets.http.rate_limiter import NoRateLimit, RateLimiter
from analytics_assets.http.response import JsonResponse
from analytics_assets.http.retries import RetryPolicy, backoff, is_untaken
from analytics_assets.http.retry_after import instant_of
from analytics_assets.http.statuses import Vendor, error_of
from analytics_assets.http.successes import is_page, page_error, read_json

TIMEOUTS = httpx.Timeout(60.0, connect=10.0)
LONGEST_ATTEMPT_S = 600.0
IN_FLIGHT = 16
# A vendor's clock is believed where it is this near to the one here; a further one is that of a cache or of a test.
_NEAR = timedelta(days=1)
_LONGEST_QUOTE = 60


class Session:
    """One account's way out. Use it as an asynchronous context manager."""

    def __init__(
        self,
        *,
        vendor: Vendor,
        base_url: str,
        transport: httpx.AsyncBaseTransport,
        headers: Mapping[str, str],
        clock: Clock,
        private_params: Mapping[str, str] | None = None,
        retries: RetryPolicy | None = None,
        rate_limiter: RateLimiter | None = None,
        meter: Meter | None = None,
        timeouts: httpx.Timeout = TIMEOUTS,
        longest_attempt_s: float = LONGEST_ATTEMPT_S,
        largest_body: int = LARGEST_BODY,
        in_flight: int = IN_FLIGHT,
    ) -> None:
        """Prepares the session; nothing is sent.

        Args:
            vendor: How messages speak of the other side, with the secrets to keep out of them.
            base_url: Scheme, host and path prefix that all paths are appended to.
            transport: Where bytes go.
            headers: Sent with every request; credentials and User-Agent.
            clock: The present instant.
            private_params: Query parameters that identify the account: sent, but in no response, message or file.
            retries: Bounds of the retries of one request.
            rate_limiter: Asked before each attempt.
            meter: Counts what is sent.
            timeouts: Bounds of each phase of an attempt.
            longest_attempt_s: Bound of an attempt as a whole: a body that trickles keeps within the bounds of each phase.
            largest_body: Bytes of a body, unpacked, beyond which it is not read on.
            in_flight: Requests open at once.

        Raises:
            PermanentError: A header or the address cannot be sent at all.
        """
        for name, value in headers.items():
            if not (value.isascii() and value.isprintable()):
                raise AccessRefusedError(
                    f"{vendor.name}: the header {name} holds a line break or a letter that no header can carry.",
                    remedy=f"Check {vendor.credentials}.",
                )
        self.vendor = replace(vendor, secrets=[*vendor.secrets, *(private_params or {}).values()])
        self._clock = clock
        self._private = dict(private_params or {})
        self._policy = retries or RetryPolicy()
        self._rate_limiter = rate_limiter or NoRateLimit()
        self.meter = meter or Meter()
        self.meter.remaining = self._rate_limiter.remaining
        self._longest_attempt_s = longest_attempt_s
        self._largest_body = largest_body
        self._slots = asyncio.Semaphore(in_flight)
        self._transport = transport
        self._base_url = base_url.rstrip("/")
        self._headers = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate", **headers}
        self._extensions = {"timeout": timeouts.as_dict()}
        try:
            self._host = httpx.URL(base_url).host
        except httpx.InvalidURL as error:
            raise PermanentError(
                f"{vendor.name}: base_url cannot be used ({error}).", remedy="Check base_url."
            ) from error

    @property
    def clock(self) -> Clock:
        """The present instant, for what is asked in words that count from it."""
        return self._clock

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.aclose()

    async def get(self, endpoint: str, path: str, params: Mapping[str, str] | None = None) -> JsonResponse:
        """Asks until answered, refused or out of patience.

        Args:
            endpoint: The path template that counts, budgets and messages use, such as `/stats/ads`.
            path: The path itself, its parts percent-encoded already.
            params: The query.

        Raises:
            SourceError: Of the class that says what happened.
        """
        return await self._ask("GET", endpoint, path, params=params or {}, is_safe=True)

    async def post(self, endpoint: str, path: str, body: Any) -> JsonResponse:
        """Sends a JSON body; as `get`, but only repeated where the vendor certainly did not take the first one.

        After a time-out, a cut connection, a broken response or a 5xx other than 503 the vendor may have begun the work.
        """
        return await self._ask("POST", endpoint, path, params={}, content=msgspec.json.encode(body), is_safe=False)

    async def _ask(
        self,
        method: str,
        endpoint: str,
        path: str,
        *,
        params: Mapping[str, str],
        is_safe: bool,
        content: bytes | None = None,
    ) -> JsonResponse:
        name = f"{method} {endpoint}"
        attempt_no, held_s, budget_s = 0, 0.0, 0.0
        policy = self._policy
        hook = backoff(policy, attempt=lambda: attempt_no)
        began = asyncio.get_running_loop().time()

        def next_step(error: Exception) -> bool | float:
            # An hour before the gate is no reason to lose patience with the vendor, so stamina's own time-out is not used.
            is_patient = asyncio.get_running_loop().time() - began - held_s < policy.patience_s
            return hook(error) if is_patient and (is_safe or is_untaken(error)) else False

        async for attempt in stamina.retry_context(
            on=next_step,
            attempts=policy.attempts,
            timeout=None,
            wait_initial=policy.first_wait_s,
            wait_max=policy.longest_wait_s,
            wait_jitter=policy.first_wait_s,
        ):
            with attempt:
                attempt_no = attempt.num
                # The gate comes last: a place taken in the vendor's window is used at once, so that arrivals keep to the window too.
                waiting_since = asyncio.get_running_loop().time()
                async with self._slots:
                    waited_s = await self._rate_limiter.acquire(name)
                    held_s += asyncio.get_running_loop().time() - waiting_since
                    budget_s += waited_s
                    self.meter.sent(name, waited_s=waited_s, is_repeat=attempt_no > 1)
                    answer = await self._once(method, name, path, params=params, content=content)
                    return replace(answer, attempts=attempt_no, waited_s=budget_s)
        raise AssertionError  # pragma: no cover - the loop returns or raises

    async def _once(
        self, method: str, name: str, path: str, *, params: Mapping[str, str], content: bytes | None
    ) -> JsonResponse:
        requested_at = self._clock()
        try:
            async with asyncio.timeout(self._longest_attempt_s):
                # Not through httpx's client: redirects, cookies and what else it sees to, nobody wants here, at a third of a request's cost.
                request = httpx.Request(
                    method,
                    f"{self._base_url}{path}",
                    params={**params, **self._private} or None,
                    content=content,
                    headers=self._headers if content is None else {"Content-Type": "application/json", **self._headers},
                    extensions=self._extensions,
                )
                response = await self._transport.handle_async_request(request)
                try:
                    body = await self._bounded(name, response)
                finally:
                    await response.aclose()
        except FAULTS as error:
            fault = fault_of(self.vendor, endpoint=name, host=self._host, error=error)
            raise fault from shown(self.vendor, error)
        headers = {key.lower(): value for key, value in response.headers.items()}
        now = self._clock()
        if (dated := instant_of(headers.get("date"))) is not None:
            self.meter.ahead_s = (now - dated).total_seconds()
        if not response.is_success or is_page(headers, body):
            raise await self._failure(name, response.status_code, headers, body, now=now, dated=dated)
        body, repaired = read_json(self.vendor, name, response.status_code, headers, body)
        body = self.vendor.without_secrets(body)
        return JsonResponse(
            endpoint=name,
            path=path,
            params=tuple(params.items()),
            status=response.status_code,
            body=body,
            requested_at=requested_at,
            answered_at=self._clock(),
            repaired=repaired,
            vendor=self.vendor.name,
        )

    async def _failure(
        self, name: str, status: int, headers: Mapping[str, str], body: bytes, *, now: datetime, dated: datetime | None
    ) -> SourceError:
        """The error of a response that is not a success, or is a page; a Retry-After pauses the other processes too."""
        make_error = partial(page_error, host=self._host) if httpx.codes.is_success(status) else error_of
        failure = make_error(
            self.vendor,
            endpoint=name,
            status=status,
            headers=headers,
            body=body,
            # An instant to wait for is one of the vendor's clock.
            now=dated if dated is not None and abs(now - dated) < _NEAR else now,
            longest_pause_s=self._rate_limiter.longest_pause_s,
        )
        if isinstance(failure, TransientError) and failure.retry_after_s:
            value = self.vendor.redact(headers.get("retry-after", ""))[:_LONGEST_QUOTE]
            reason = f"{name}: HTTP {status}, Retry-After: {value}"
            # A database that is busy must not hold up the other requests of this process.
            await asyncio.to_thread(self._rate_limiter.pause_for, failure.retry_after_s, reason)
        return failure

    async def _bounded(self, name: str, response: httpx.Response) -> bytes:
        parts, size = [], 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > self._largest_body:
                raise UnexpectedPayloadError(
                    f"{self.vendor.name} {name}: the response is larger than {self._largest_body / 2**20:g} MiB.",
                    remedy="Ask for less at once (page size, days) in the YAML.",
                    evidence=Evidence(name, status=response.status_code),
                )
            parts.append(part)
        return b"".join(parts)
