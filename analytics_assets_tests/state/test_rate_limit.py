"""The gate with time held still: window, door, queue, and what is told."""

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from analytics_assets.errors import PermanentError
from analytics_assets.http.rate_limiter import NoRateLimit
from analytics_assets.orchestration.state_resource import LOAD_TAG, BudgetSettings, kind_of
from analytics_assets.settings import settings
from analytics_assets.state.database import budget_requests, engine
from analytics_assets.state.rate_limit import Budget, RequestOrigin, RequestPriority, SharedRateLimiter
from analytics_assets_tests.state.watch import Make, Watch, passes


async def test_requests_pass_at_once_until_the_window_is_full_and_then_when_it_has_moved_on(
    rate_limiter: Make, watch: Watch
) -> None:
    """Three at noon, the next when those are out of the window, which is a little longer than the vendor's."""
    one = rate_limiter()
    waited = [await one.acquire("GET /stats") for _ in range(4)]
    assert waited == [0.0, 0.0, 0.0, 10.251]
    assert watch.since_start() == 10.251


async def test_gates_with_one_key_share_a_budget_and_others_do_not(rate_limiter: Make, watch: Watch) -> None:
    """What one process spends the other cannot; a second account is not touched."""
    for _ in range(3):
        await rate_limiter().acquire("GET /stats")
    assert await rate_limiter("other").acquire("GET /stats") == 0.0
    assert await rate_limiter().acquire("GET /stats") == 10.251


async def test_a_long_budget_is_slept_through_and_not_polled(rate_limiter: Make, watch: Watch) -> None:
    """An hour is sixty-two looks of a minute at most, and one line in the log."""
    lines: list[str] = []
    one = rate_limiter(budget=Budget(1, 3600), origin=RequestOrigin(say=lines.append))
    await one.acquire("GET /stats")
    assert await one.acquire("GET /stats") == 3672.001
    assert len(watch.naps) == 62
    assert lines == ["GET /stats waits until 2026-03-01 13:01:12 UTC: the budget of 1 requests in 3600 s is spent."]


async def test_a_line_about_a_wait_is_written_while_the_event_loop_turns(rate_limiter: Make) -> None:
    """In a run it is a statement to Dagster's database, and other requests are in flight."""
    loop, written = asyncio.get_running_loop(), list[bool]()

    def say(_line: str) -> None:
        turned = threading.Event()
        loop.call_soon_threadsafe(turned.set)
        written.append(turned.wait(5))

    one = rate_limiter(budget=Budget(1, 3600), origin=RequestOrigin(say=say))
    await one.acquire("GET /stats")
    await one.acquire("GET /stats")
    assert written == [True]


async def test_the_ordinary_pace_of_a_budget_is_not_told(rate_limiter: Make) -> None:
    """A line for each second would hide all others."""
    lines: list[str] = []
    one = rate_limiter(budget=Budget(1, 1), origin=RequestOrigin(say=lines.append))
    for _ in range(5):
        await one.acquire("GET /stats")
    assert lines == []


async def test_retry_after_of_one_closes_the_door_for_the_others(rate_limiter: Make, watch: Watch) -> None:
    """A shorter wish later does not open it sooner; when it is open, requests pass."""
    lines: list[str] = []
    first, other = rate_limiter(), rate_limiter(origin=RequestOrigin(say=lines.append))
    await first.acquire("GET /stats")
    first.pause_for(30, "GET /stats: HTTP 429, Retry-After: 30")
    first.pause_for(5, "GET /stats: HTTP 429, Retry-After: 5")
    assert await other.acquire("GET /stats") == 30.0
    assert lines == [
        "GET /stats waits until 2026-03-01 12:00:30 UTC: the vendor asked all requests to wait (Retry-After)."
    ]
    assert await rate_limiter("other").acquire("GET /stats") == 0.0


async def test_what_is_left_of_a_budget_is_known_to_all_that_share_it(rate_limiter: Make, watch: Watch) -> None:
    """It comes back as the window moves on; where no budget is kept there is nothing to know."""
    for number in range(3):
        assert rate_limiter().remaining() == 3 - number
        await rate_limiter().acquire("GET /stats")
    assert (rate_limiter().remaining(), rate_limiter("other").remaining(), NoRateLimit().remaining()) == (0, 3, None)
    watch.now += timedelta(seconds=10.251)
    assert rate_limiter().remaining() == 3


def test_what_waits_in_a_schedule_goes_before_a_backfill(rate_limiter: Make, watch: Watch) -> None:
    """The backfill has spent the window and asks first; the scheduled run takes all places that come free, until it asks no more."""
    backfill, scheduled = (
        rate_limiter(origin=RequestOrigin(RequestPriority.BACKFILL)),
        rate_limiter(origin=RequestOrigin(RequestPriority.SCHEDULED)),
    )
    assert [passes(backfill) for _ in range(4)] == [True, True, True, False]
    assert not passes(scheduled)
    watch.now += timedelta(seconds=10.251)
    assert [passes(one) for one in (backfill, scheduled, backfill, scheduled, backfill)] == [False, True] * 2 + [False]
    # Its next request comes a little later and still finds its place.
    watch.now += timedelta(seconds=0.9)
    assert [passes(one) for one in (backfill, scheduled, backfill)] == [False, True, False]
    watch.now += timedelta(seconds=10.251)
    assert [passes(backfill) for _ in range(4)] == [True, True, True, False]


def test_a_share_that_is_not_kept_is_left_to_the_backfill(rate_limiter: Make, watch: Watch) -> None:
    """With a third kept, a backfill passes beside waiting scheduled work as long as it holds less than two thirds."""
    budget = Budget(3, 10, kept=1 / 3, late_s=0.25)
    scheduled, backfill = (
        rate_limiter(budget=budget, origin=RequestOrigin(kind))
        for kind in (RequestPriority.SCHEDULED, RequestPriority.BACKFILL)
    )
    assert [passes(scheduled) for _ in range(4)] == [True, True, True, False]
    watch.now += timedelta(seconds=10.251)
    assert [passes(one) for one in (backfill, backfill, backfill, scheduled)] == [True, True, False, True]


def test_what_scheduled_work_has_spent_is_not_taken_off_the_share_of_a_backfill(
    rate_limiter: Make, watch: Watch
) -> None:
    """With half kept, two scheduled requests in the window leave the backfill its own two, though scheduled work waits."""
    budget = Budget(4, 10, kept=0.5, late_s=0.25)
    scheduled, backfill = (
        rate_limiter(budget=budget, origin=RequestOrigin(kind))
        for kind in (RequestPriority.SCHEDULED, RequestPriority.BACKFILL)
    )
    assert [passes(scheduled) for _ in range(5)] == [True] * 4 + [False]
    watch.now += timedelta(seconds=10.251)
    assert [passes(one) for one in (scheduled, scheduled, backfill, backfill, backfill)] == [True] * 4 + [False]


async def test_scheduled_work_that_died_in_the_queue_does_not_hold_up_a_backfill_for_long(
    rate_limiter: Make, watch: Watch
) -> None:
    """Its place ends two seconds after it would have passed."""
    scheduled, backfill = (
        rate_limiter(origin=RequestOrigin(RequestPriority.SCHEDULED)),
        rate_limiter(origin=RequestOrigin(RequestPriority.BACKFILL)),
    )
    for _ in range(3):
        await backfill.acquire("GET /stats")
    assert scheduled._try(has_waited=False) is not None
    waited = await backfill.acquire("GET /stats")
    assert 10.2 < waited < 13.0


async def test_requests_out_of_every_window_are_forgotten(rate_limiter: Make, watch: Watch, url: str) -> None:
    """The database does not grow with the years."""
    one = rate_limiter()
    for _ in range(20):
        await one.acquire("GET /stats")
    with engine(url).connect() as connection:
        assert len(connection.execute(select(budget_requests.c.at)).all()) <= 3


async def test_many_requests_of_a_process_queue_without_asking_the_database(rate_limiter: Make, watch: Watch) -> None:
    """Nine at once wait twice, not seven times each."""
    one = rate_limiter()
    await asyncio.gather(*(one.acquire("GET /stats") for _ in range(9)))
    assert watch.naps == [10.251, 10.251]


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: Budget(0, 1), "budget, `requests`: 0 let nothing pass. Use 1 or more."),
        (lambda: Budget(1, 0), "budget, `per_seconds`: 0 is no length of time. Use more than 0."),
        (lambda: Budget(1, float("nan")), "budget, `per_seconds`: nan is no length of time. Use more than 0."),
        (lambda: Budget(1, 1, 1.1), "budget, `kept_for_schedules`: 1.1 is no share. Use 0 to 1."),
    ],
)
def test_a_budget_that_lets_nothing_pass_is_refused(made: Callable[[], Budget], message: str) -> None:
    """With the name of the field."""
    with pytest.raises(PermanentError) as refused:
        made()
    assert str(refused.value) == message


@pytest.mark.parametrize(("requests", "seconds"), [(0, 0.0), (30, 0.0), (31, 3672.0), (60, 3672.0), (730, 24 * 3672.0)])
def test_the_time_requests_take_is_known_beforehand(requests: int, seconds: float) -> None:
    """A full window at once, then one window after the other: a year of two dimensions is a day."""
    assert Budget(30, 3600).seconds_for(requests) == seconds


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        ({}, RequestPriority.PERSON),
        ({"dagster/backfill": "abc"}, RequestPriority.BACKFILL),
        ({LOAD_TAG: "analytics-assets load"}, RequestPriority.BACKFILL),
        ({"dagster/schedule_name": "bento_daily"}, RequestPriority.SCHEDULED),
        ({"dagster/sensor_name": "airbridge_reports"}, RequestPriority.SENSOR),
    ],
)
def test_a_runs_tags_say_whose_requests_it_makes(tags: dict[str, str], kind: RequestPriority) -> None:
    """The tags are Dagster's own, and that of a load."""
    assert kind_of(tags) is kind


@pytest.mark.parametrize(
    ("environment", "kind"),
    [
        ({}, NoRateLimit),
        ({"ANALYTICS_BUDGET": "on"}, SharedRateLimiter),
        ({"ANALYTICS_MODE": "live"}, SharedRateLimiter),
        ({"ANALYTICS_MODE": "live", "ANALYTICS_BUDGET": "off"}, NoRateLimit),
    ],
)
def test_the_sandbox_is_not_slowed_unless_asked_for(environment: dict[str, str], kind: type, watch: Watch) -> None:
    """The setting decides; its default is the mode's."""
    budget = BudgetSettings(requests=1, per_seconds=1)
    assert type(budget.rate_limiter(settings(environment), lambda: "shop", RequestOrigin(), clock=watch)) is kind
