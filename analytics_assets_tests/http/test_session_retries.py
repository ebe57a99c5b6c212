"""A session over real sockets: what is asked again, what is never posted again, and after how long."""

import asyncio
from collections import Counter
from datetime import UTC, timedelta
from email.utils import format_datetime
from itertools import pairwise

import httpx
import pytest

from analytics_assets.errors import (
    BlockedError,
    TransientError,
    UnreachableError,
)
from analytics_assets.http.meter import Meter
from analytics_assets.http.rate_limiter import NoRateLimit
from analytics_assets.http.retries import RetryPolicy
from analytics_assets_tests.http.scripted import (
    NOW,
    Notes,
    Reply,
    after,
    answer,
    bytes_then_hang_up,
    scripted,
    session,
)

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
HALF_A_BODY = bytes_then_hang_up(HEAD + b'content-length: 100\r\n\r\n{"a":')
NOTHING = bytes_then_hang_up(b"")


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(HALF_A_BODY, id="cut in the middle of the body"),
        pytest.param(NOTHING, id="closed without a response"),
        pytest.param(bytes_then_hang_up(HEAD + b'transfer-encoding: chunked\r\n\r\n5\r\n{"a"'), id="cut chunk"),
        pytest.param(bytes_then_hang_up(b"SMTP ready\r\n\r\n"), id="not HTTP"),
        pytest.param(after(5, answer()), id="hangs"),
        pytest.param(answer(b"not gzip", content_encoding="gzip"), id="broken packing"),
        pytest.param(answer(b'{"a": [1, 2'), id="JSON cut short"),
        pytest.param(answer(b""), id="empty body"),
        pytest.param(answer(b'{"a": "\xff"}'), id="not UTF-8"),
        pytest.param(answer(b"{}", status=500), id="HTTP 500"),
        pytest.param(answer(b"", status=408), id="HTTP 408"),
    ],
)
async def test_a_broken_answer_is_asked_for_again_but_never_posted_again(broken: Reply) -> None:
    """Reading again is harmless; a POST whose answer is lost may have begun its work."""
    short = httpx.Timeout(0.3)
    async with scripted(broken, answer(b'{"a": 1}')) as server, session(server.url, timeouts=short) as way:
        got = await way.get("/x", "/x")
        assert (got.body, got.attempts, way.meter.retries, len(server.asked)) == (b'{"a": 1}', 2, 1, 2)
    async with scripted(broken, answer(b'{"a": 1}')) as server, session(server.url, timeouts=short) as way:
        with pytest.raises(TransientError) as caught:
            await way.post("/x", "/x", {})
        assert not isinstance(caught.value, UnreachableError)
        assert (len(server.asked), way.meter.requests) == (1, Counter({"POST /x": 1}))


@pytest.mark.parametrize("status", [425, 429, 503])
async def test_a_post_that_was_turned_away_is_posted_again(status: int) -> None:
    """These statuses say that the vendor did not take the request."""
    async with scripted(answer(status=status), answer(b'{"a": 1}')) as server, session(server.url) as way:
        assert (await way.post("/x", "/x", {"b": 2})).attempts == 2
    assert [asked.body for asked in server.asked] == [b'{"b":2}', b'{"b":2}']


@pytest.mark.parametrize(
    "retry_after", ["1", format_datetime((NOW + timedelta(seconds=1)).astimezone(UTC), usegmt=True)], ids=["s", "date"]
)
async def test_retry_after_is_obeyed_to_the_second(retry_after: str) -> None:
    """As seconds and as an HTTP date; every other process is told through the gate."""
    rate_limiter = Notes()
    throttled = answer(status=429, retry_after=retry_after)
    async with scripted(throttled, answer()) as server, session(server.url, rate_limiter=rate_limiter) as way:
        await way.get("/x", "/x")
        assert way.meter == Meter(Counter({"GET /x": 2}), retries=1, waited_s=1.0)
    first, second = (asked.at for asked in server.asked)
    assert second - first == pytest.approx(1.0, abs=0.3)
    assert (rate_limiter.entered, rate_limiter.closed) == (["GET /x", "GET /x"], [1.0])


async def test_a_retry_after_longer_than_the_patience_gives_up_at_once() -> None:
    """No run sleeps for an hour in silence; the error says how long the vendor wants to be left alone."""
    rate_limiter = Notes()
    async with (
        scripted(answer(status=429, retry_after="3600")) as server,
        session(server.url, rate_limiter=rate_limiter) as way,
    ):
        with pytest.raises(TransientError) as caught:
            await asyncio.wait_for(way.get("/x", "/x"), 1)
    assert (caught.value.retry_after_s, len(server.asked), rate_limiter.closed) == (3600.0, 1, [3600.0])


async def test_a_429_without_retry_after_waits_longer_each_time() -> None:
    """The pause doubles; the gate is left open, because the vendor named no time."""
    rate_limiter = Notes()
    patient = RetryPolicy(attempts=4, first_wait_s=0.01, throttled_wait_s=0.1, longest_wait_s=0.3)
    async with (
        scripted(answer(status=429)) as server,
        session(server.url, retries=patient, rate_limiter=rate_limiter) as way,
    ):
        with pytest.raises(TransientError):
            await way.get("/x", "/x")
    at = [asked.at for asked in server.asked]
    pauses = [later - earlier for earlier, later in pairwise(at)]
    assert pauses == pytest.approx([0.1, 0.2, 0.3], abs=0.08)
    assert rate_limiter.closed == []


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404])
@pytest.mark.parametrize("method", ["get", "post"])
async def test_one_page_in_front_of_the_vendor_costs_one_request(status: int, method: str) -> None:
    """The vendor did not take it, so a POST is repeated too."""
    wall = answer(b"<html>Just a moment</html>", status=status, content_type="text/html")
    patient = RetryPolicy(attempts=3, first_wait_s=0.01, blocked_wait_s=0.05)
    async with scripted(wall, answer(b'{"a": 1}')) as server, session(server.url, retries=patient) as way:
        got = await (way.get("/x", "/x") if method == "get" else way.post("/x", "/x", {}))
    assert (got.body, got.attempts, len(server.asked)) == (b'{"a": 1}', 2, 2)


@pytest.mark.parametrize("status", [200, 403])
async def test_a_page_that_names_a_wait_pauses_the_other_processes(status: int) -> None:
    """A bot wall may send Retry-After with any status."""
    rate_limiter, wall = Notes(), answer(b"<html>", status=status, content_type="text/html", retry_after="3600")
    async with scripted(wall) as server, session(server.url, rate_limiter=rate_limiter) as way:
        with pytest.raises(BlockedError, match=r"Requests wait 3600 s \(Retry-After\)\."):
            await way.get("/x", "/x")
    assert (len(server.asked), rate_limiter.closed) == (1, [3600.0])


class Slow(NoRateLimit):
    """A gate that takes longer than all patience."""

    async def acquire(self, endpoint: str) -> float:
        """Waits."""
        await asyncio.sleep(0.3)
        return 0.3


async def test_time_spent_before_the_gate_is_no_reason_to_lose_patience() -> None:
    """A budget may hold a request back for an hour; what then fails once is still asked again."""
    hasty = RetryPolicy(attempts=3, first_wait_s=0.01, patience_s=0.25)
    async with (
        scripted(answer(status=503), answer()) as server,
        session(server.url, retries=hasty, rate_limiter=Slow()) as way,
    ):
        got = await way.get("/x", "/x")
        assert (got.attempts, got.waited_s) == (2, 0.6)
        assert way.meter == Meter(Counter({"GET /x": 2}), retries=1, waited_s=0.6)


async def test_the_seconds_of_requests_that_wait_at_once_are_all_counted() -> None:
    """Each waits for its own turn, and none forgets what the others have waited."""
    async with scripted(answer(), answer(), answer()) as server, session(server.url, rate_limiter=Slow()) as way:
        await asyncio.gather(*(way.get("/x", "/x") for _ in range(3)))
        assert way.meter.waited_s == pytest.approx(0.9)


class Jumping(asyncio.SelectorEventLoop):
    """An event loop whose clock a test moves, so that an hour passes at once."""

    ahead_s = 0.0

    def time(self) -> float:
        """The loop's clock."""
        return super().time() + self.ahead_s


def test_an_hour_before_the_gate_takes_nothing_from_the_patience() -> None:
    """The patience counts from the first attempt without the waits for the rate limit; an hour at the vendor uses it up."""
    answers = [httpx.Response(503), httpx.Response(200, json={})]
    waits = {"before the gate": 3600.0, "at the vendor": 0.0}

    class Hour(NoRateLimit):
        async def acquire(self, endpoint: str) -> float:
            loop.ahead_s += waits["before the gate"]
            return waits["before the gate"]

    def vendor(_: httpx.Request) -> httpx.Response:
        loop.ahead_s += waits["at the vendor"]
        return answers.pop(0)

    async def get() -> int:
        policy = RetryPolicy(attempts=2, first_wait_s=0.0, patience_s=300.0)
        way = session("http://127.0.0.1", transport=httpx.MockTransport(vendor), retries=policy, rate_limiter=Hour())
        return (await way.get("/x", "/x")).attempts

    with asyncio.Runner(loop_factory=Jumping) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, Jumping)
        assert runner.run(get()) == 2
        waits |= {"before the gate": 0.0, "at the vendor": 301.0}
        answers += [httpx.Response(503), httpx.Response(200, json={})]
        with pytest.raises(TransientError, match="HTTP 503"):
            runner.run(get())
