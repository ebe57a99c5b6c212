"""Every form of a Retry-After header becomes a wait within bounds, or none."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics_assets.errors import TransientError
from analytics_assets.http.retry_after import LONGEST_PAUSE_S, retry_after_s
from analytics_assets_tests.http.scripted import NOW as HERE
from analytics_assets_tests.http.scripted import ONCE, Notes, answer, scripted, session

NOW = datetime(2026, 3, 2, 4, 5, 6, tzinfo=UTC)
EPOCH_S = int(NOW.timestamp())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("120", 120.0),
        (" 5 ", 5.0),
        ("+5", 5.0),
        ("1.5", 1.5),
        ("30s", 30.0),
        ("0", 0.0),
        ("-5", None),
        ("²", None),
        ("soon", None),
        ("5, 5", None),
        ("3600", 3600.0),
        ("3601", 3600.0),
        ("86400", 3600.0),
        ("999999999", 3600.0),
        ("9" * 400, 3600.0),
        ("9" * 5000, 3600.0),
    ],
)
def test_a_number_is_seconds_within_the_bound(value: str | None, expected: float | None) -> None:
    """Fractions and a unit are read; a negative number and words are as no header at all."""
    assert retry_after_s(value, NOW) == expected


@pytest.mark.parametrize(
    ("ahead_s", "expected"), [(2, 2.0), (30, 30.0), (0, 0.0), (-600, 0.0), (7200, 3600.0), (10**9, 3600.0)]
)
@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9], ids=["s", "ms", "us", "ns"])
def test_an_instant_since_1970_is_the_wait_until_then(unit: int, ahead_s: int, expected: float) -> None:
    """As a wait such a number would be decades, so it is told apart safely; one in the past is no wait."""
    assert retry_after_s(str((EPOCH_S + ahead_s) * unit), NOW) == pytest.approx(expected, abs=0.001)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Mon, 02 Mar 2026 04:05:36 GMT", 30.0),
        ("Mon, 02 Mar 2026 04:05:36 -0000", 30.0),
        ("Mon Mar  2 04:05:36 2026", 30.0),
        ("Mon, 02 Mar 2026 05:05:36 +0100", 30.0),
        ("Mon, 02 Mar 2026 04:00:00 GMT", 0.0),
        ("Mon, 02 Mar 2027 04:05:36 GMT", 3600.0),
        ("Mon, 99 Mar 2026 04:05:36 GMT", None),
        ("2026-03-02T04:05:36Z", 30.0),
        ("2026-03-02T05:05:36+01:00", 30.0),
        ("2026-03-02 04:05:36", 30.0),
        ("2027-03-02T04:05:36Z", 3600.0),
    ],
)
def test_a_date_is_the_wait_until_then(value: str, expected: float | None) -> None:
    """HTTP dates with and without a zone, and ISO 8601."""
    assert retry_after_s(value, NOW) == expected


@given(st.one_of(st.text(), st.integers().map(str), st.floats().map(str), st.datetimes().map(str)))
def test_no_header_leads_out_of_the_bounds(value: str) -> None:
    """Whatever it holds."""
    wait = retry_after_s(value, NOW)
    assert wait is None or 0.0 <= wait <= LONGEST_PAUSE_S


@pytest.mark.parametrize(
    ("value", "paused_s"),
    [
        (str(int(HERE.timestamp()) + 2), 2.0),
        (str((int(HERE.timestamp()) + 2) * 1000), 2.0),
        ("86400", 3600.0),
        ("Mon, 02 Mar 2037 04:05:36 GMT", 3600.0),
    ],
)
async def test_the_pause_of_all_processes_is_within_the_bound(value: str, paused_s: float) -> None:
    """And says which response requested it."""
    rate_limiter = Notes()
    async with (
        scripted(answer(status=429, retry_after=value)) as server,
        session(server.url, rate_limiter=rate_limiter, retries=ONCE) as way,
    ):
        with pytest.raises(TransientError) as caught:
            await way.get("/x", "/x")
    assert (rate_limiter.closed, caught.value.retry_after_s) == ([paused_s], paused_s)
    assert rate_limiter.reasons == [f"GET /x: HTTP 429, Retry-After: {value}"]
    assert str(caught.value).endswith(f" Requests wait {paused_s:.0f} s (Retry-After).")


@pytest.mark.parametrize("value", ["-5", "soon", "0", str(int(HERE.timestamp()) - 60)])
async def test_a_header_that_names_no_wait_pauses_no_other_process(value: str) -> None:
    """The request is repeated as after a 429 without it."""
    rate_limiter = Notes()
    async with (
        scripted(answer(status=429, retry_after=value), answer()) as server,
        session(server.url, rate_limiter=rate_limiter) as way,
    ):
        assert (await way.get("/x", "/x")).attempts == 2
    assert rate_limiter.closed == []


async def test_the_gate_may_allow_a_shorter_or_longer_pause() -> None:
    """The bound is a setting of the account's budget."""
    rate_limiter = Notes()
    rate_limiter.longest_pause_s = 7200.0
    async with (
        scripted(answer(status=429, retry_after="86400")) as server,
        session(server.url, rate_limiter=rate_limiter, retries=ONCE) as way,
    ):
        with pytest.raises(TransientError):
            await way.get("/x", "/x")
    assert rate_limiter.closed == [7200.0]


@pytest.mark.parametrize("behind", [timedelta(hours=1), timedelta(hours=-1)], ids=["behind", "ahead"])
async def test_a_date_to_wait_for_is_one_of_the_vendors_clock(behind: timedelta) -> None:
    """The clock here may be an hour off: the wait is that from the response's own Date."""
    rate_limiter, there = Notes(), HERE + behind
    throttled = answer(
        status=429, date=format_datetime(there, usegmt=True), retry_after=str(int(there.timestamp()) + 30)
    )
    async with scripted(throttled) as server, session(server.url, rate_limiter=rate_limiter, retries=ONCE) as way:
        with pytest.raises(TransientError):
            await way.get("/x", "/x")
    assert rate_limiter.closed == [30.0]


async def test_a_date_of_another_day_is_not_believed() -> None:
    """A cache or a gateway may send any."""
    rate_limiter = Notes()
    throttled = answer(
        status=429,
        date="Thu, 01 Jan 1970 00:00:00 GMT",
        retry_after=format_datetime(HERE + timedelta(seconds=9), usegmt=True),
    )
    async with scripted(throttled) as server, session(server.url, rate_limiter=rate_limiter, retries=ONCE) as way:
        with pytest.raises(TransientError):
            await way.get("/x", "/x")
    assert rate_limiter.closed == [9.0]
