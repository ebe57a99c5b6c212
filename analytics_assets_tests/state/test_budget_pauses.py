"""The pause that a vendor's Retry-After puts on all processes, and a clock that is set back: no wait is longer than what it serves."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, select, update

from analytics_assets.errors import PermanentError
from analytics_assets.http.rate_limiter import NoRateLimit, Pause
from analytics_assets.state.database import budget_pauses, budget_queue, engine
from analytics_assets.state.rate_limit import Budget, RequestOrigin, RequestPriority
from analytics_assets_tests.state.watch import START, Make, Watch, passes

REASON = "GET /stats: HTTP 429, Retry-After: 30"
HOUR = timedelta(hours=1)


def spend(rate_limiter: Make) -> None:
    """Fills the window."""
    assert [passes(rate_limiter()) for _ in range(4)] == [True, True, True, False]


async def test_a_pause_is_known_with_its_end_and_reason_to_all_that_share_it(rate_limiter: Make, watch: Watch) -> None:
    """Until it is over."""
    rate_limiter().pause_for(30, REASON)
    assert rate_limiter().pause() == Pause(START + timedelta(seconds=30), REASON)
    assert rate_limiter("other").pause() is None
    watch.now += timedelta(seconds=30)
    assert rate_limiter().pause() is None


async def test_a_longer_pause_keeps_its_reason(rate_limiter: Make) -> None:
    """A shorter one that comes later changes nothing."""
    rate_limiter().pause_for(30, REASON)
    rate_limiter().pause_for(5, "GET /stats: HTTP 429, Retry-After: 5")
    assert rate_limiter().pause() == Pause(START + timedelta(seconds=30), REASON)


async def test_resume_ends_a_pause_for_all_processes(rate_limiter: Make) -> None:
    """It says what has ended; without a pause there is nothing to end."""
    rate_limiter().pause_for(30, REASON)
    assert rate_limiter().resume() == Pause(START + timedelta(seconds=30), REASON)
    assert rate_limiter().pause() is None
    assert await rate_limiter().acquire("GET /stats") == 0.0
    assert (rate_limiter().resume(), rate_limiter("other").resume()) == (None, None)


async def test_a_gate_without_a_budget_has_no_pause() -> None:
    """Nothing is shared there."""
    assert (NoRateLimit().pause(), NoRateLimit().resume()) == (None, None)


@pytest.mark.parametrize(
    ("budget", "paused_s"),
    [
        (Budget(3, 10), 3600),
        (Budget(3, 86400), 86400),
        (Budget(3, 10, longest_pause_s=60), 60),
        (Budget(3, 86400, longest_pause_s=60), 60),
    ],
)
def test_a_pause_is_bounded_by_the_budget(rate_limiter: Make, budget: Budget, paused_s: int) -> None:
    """An hour, the window where that is longer, or what the budget says."""
    rate_limiter(budget=budget).pause_for(10**9, REASON)
    assert rate_limiter(budget=budget).pause() == Pause(START + timedelta(seconds=paused_s), REASON)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_a_bound_that_lets_nothing_pass_is_refused(seconds: float) -> None:
    """With the name of the field."""
    with pytest.raises(PermanentError, match=r"^budget, `longest_pause_seconds`: .* is out of range\."):
        Budget(1, 1, longest_pause_s=seconds)


def test_a_bound_that_is_lowered_ends_a_pause_in_force_sooner(rate_limiter: Make, watch: Watch) -> None:
    """Counted from its beginning."""
    rate_limiter().pause_for(3600, REASON)
    watch.now += timedelta(seconds=50)
    lowered = rate_limiter(budget=Budget(3, 10, longest_pause_s=60))
    assert lowered.pause() == Pause(START + timedelta(seconds=60), REASON)


def test_a_pause_of_a_version_before_ends_within_the_bound(rate_limiter: Make, url: str) -> None:
    """It has neither beginning nor reason, and may be a day long."""
    assert passes(rate_limiter())
    until = int((START + timedelta(days=1)).timestamp() * 1000)
    with engine(url).begin() as connection:
        connection.execute(update(budget_pauses).values(paused_until=until, paused_at=None))
    assert not passes(rate_limiter())
    assert rate_limiter().pause() == Pause(START + HOUR, "a Retry-After of the vendor")


@pytest.mark.parametrize("back", [timedelta(seconds=3), timedelta(minutes=30), HOUR, timedelta(days=400)])
async def test_after_the_clock_was_set_back_a_request_waits_for_one_window(
    rate_limiter: Make, watch: Watch, back: timedelta
) -> None:
    """What was sent before counts as sent now; after that all is as before."""
    spend(rate_limiter)
    watch.now -= back
    assert await rate_limiter().acquire("GET /stats") == 10.251
    assert [passes(rate_limiter()) for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize("back", [timedelta(seconds=3), timedelta(minutes=30), HOUR, timedelta(days=400)])
async def test_after_the_clock_was_set_back_a_pause_is_no_longer_than_asked_for(
    rate_limiter: Make, watch: Watch, back: timedelta
) -> None:
    """It begins again at most once."""
    rate_limiter().pause_for(30, REASON)
    watch.now -= back
    assert rate_limiter().pause() == Pause(watch.now + timedelta(seconds=30), REASON)
    assert await rate_limiter().acquire("GET /stats") == 30.0
    assert rate_limiter().pause() is None


async def test_after_the_clock_was_set_back_a_backfill_waits_a_minute_for_scheduled_work_that_died(
    rate_limiter: Make, watch: Watch
) -> None:
    """The place in the queue was taken by the clock from before."""
    scheduled, backfill = (
        rate_limiter(origin=RequestOrigin(kind)) for kind in (RequestPriority.SCHEDULED, RequestPriority.BACKFILL)
    )
    spend(rate_limiter)
    assert not passes(scheduled)
    watch.now += timedelta(seconds=10.251)
    assert [passes(backfill) for _ in range(2)] == [False, False]
    watch.now -= HOUR
    assert 10.2 < await backfill.acquire("GET /stats") < 63.0


async def test_scheduled_work_on_a_machine_a_little_ahead_keeps_its_place(
    rate_limiter: Make, watch: Watch, url: str
) -> None:
    """Machines may differ by seconds: the row is brought near, and stays."""
    backfill = rate_limiter(origin=RequestOrigin(RequestPriority.BACKFILL))
    assert passes(backfill)
    ahead = int((START + timedelta(seconds=90)).timestamp() * 1000)
    with engine(url).begin() as connection:
        connection.execute(insert(budget_queue).values(key="shop", waiter="other", until=ahead))
    assert not passes(backfill)
    with engine(url).connect() as connection:
        [until] = connection.execute(select(budget_queue.c.until)).scalars()
    assert datetime.fromtimestamp(until / 1000, tz=START.tzinfo) == START + timedelta(seconds=62)


async def test_a_clock_that_is_set_back_while_a_request_waits_does_not_make_it_wait_again(
    rate_limiter: Make, watch: Watch
) -> None:
    """It looks again after a minute at most, and the seconds waited are never less than none."""
    one = rate_limiter(budget=Budget(1, 300))
    await one.acquire("GET /stats")

    async def sleep(seconds: float) -> None:
        await watch.sleep(seconds)
        if len(watch.naps) == 2:
            watch.now -= HOUR

    one._sleep = sleep
    assert await one.acquire("GET /stats") == 0.0
    assert sum(watch.naps) == pytest.approx(120 + 306, abs=1)
