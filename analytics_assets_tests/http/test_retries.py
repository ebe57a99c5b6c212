"""What is worth another attempt and how long to wait before it."""

import pytest
import stamina

from analytics_assets.errors import (
    AccessRefusedError,
    BlockedError,
    Evidence,
    NotFinalError,
    PermanentError,
    SourceError,
    TransientError,
    UnexpectedPayloadError,
    UnreachableError,
)
from analytics_assets.http.retries import RetryPolicy, backoff, is_untaken

POLICY = RetryPolicy(longest_wait_s=60.0, throttled_wait_s=5.0)


def _with_status(status: int | None, retry_after_s: float | None = None) -> TransientError:
    return TransientError("no luck", evidence=Evidence("GET /x", status=status), retry_after_s=retry_after_s)


@pytest.mark.parametrize(
    "kind", [SourceError, PermanentError, AccessRefusedError, NotFinalError, UnexpectedPayloadError]
)
def test_what_will_not_pass_is_not_tried_again(kind: type[SourceError]) -> None:
    """The class decides, never the text."""
    assert backoff(POLICY, attempt=lambda: 1)(kind("HTTP 503, try again")) is False


def test_an_error_that_is_not_ours_is_not_tried_again() -> None:
    """A mistake in the program is no reason to ask a vendor again."""
    assert backoff(POLICY, attempt=lambda: 1)(ValueError("bug")) is False


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TransientError("cut"), True),
        (UnreachableError("nobody"), True),
        (_with_status(503), True),
        (_with_status(429), 5.0),
        (_with_status(503, 7.0), 7.0),
        (_with_status(429, 60.0), 60.0),
        (_with_status(429, 60.1), False),
        (_with_status(429, 0.0), 5.0),
        (_with_status(503, 0.0), True),
    ],
)
def test_the_pause_before_the_second_attempt(error: TransientError, expected: bool | float) -> None:
    """True is stamina's own growing pause; a Retry-After of nothing is answered with our own pause, not with a storm."""
    assert backoff(POLICY, attempt=lambda: 1)(error) == expected


def test_a_blocked_path_is_tried_again_after_long_pauses() -> None:
    """A bot wall that is asked again at once only closes further."""
    numbers = iter(range(1, 5))
    hook = backoff(RetryPolicy(), attempt=lambda: next(numbers))
    blocked = BlockedError("HTML", evidence=Evidence("GET /x", status=403))
    assert [hook(blocked) for _ in range(4)] == [30.0, 60.0, False, False]
    assert is_untaken(blocked)
    assert backoff(RetryPolicy(), attempt=lambda: 1)(BlockedError("HTML", retry_after_s=61.0)) is False


@pytest.mark.parametrize("policy", [RetryPolicy(longest_wait_s=29.0), RetryPolicy(blocked_attempts=1)])
def test_a_blocked_path_ends_a_request_that_has_no_time_for_a_long_pause(policy: RetryPolicy) -> None:
    """As the look of a sensor, which comes again by itself."""
    assert backoff(policy, attempt=lambda: 1)(BlockedError("HTML")) is False


def test_the_pause_after_a_429_doubles_up_to_the_longest() -> None:
    """Five seconds at first, a minute at most."""
    numbers = iter(range(1, 7))
    hook = backoff(POLICY, attempt=lambda: next(numbers))
    pauses = [hook(_with_status(429)) for _ in range(6)]
    assert pauses == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (UnreachableError("nobody"), True),
        (_with_status(425), True),
        (_with_status(429), True),
        (_with_status(503), True),
        (_with_status(408), False),
        (_with_status(500), False),
        (_with_status(502), False),
        (_with_status(504), False),
        (_with_status(200), False),
        (_with_status(None), False),
        (TransientError("cut"), False),
        (PermanentError("no", evidence=Evidence("POST /x", status=429)), False),
        (ValueError("bug"), False),
    ],
)
def test_only_a_request_the_vendor_turned_away_counts_as_not_taken(error: Exception, expected: bool) -> None:
    """Where it may have been taken, repeating it could start the same work twice."""
    assert is_untaken(error) is expected


def test_another_attempt_is_told_in_a_sentence(caplog: pytest.LogCaptureFixture) -> None:
    """What a person at a terminal sees while it waits."""
    for attempt in stamina.retry_context(on=TransientError, attempts=2, wait_initial=0.01, wait_jitter=0.0):
        with attempt:
            if attempt.num == 1:
                raise TransientError("Bento GET /stats/ads: HTTP 503.")
    assert [record.getMessage() for record in caplog.records] == [
        "Bento GET /stats/ads: HTTP 503. Trying again in 0.0 s."
    ]
