"""What a long run says of itself."""

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, timedelta

from analytics_assets.http.meter import Meter
from analytics_assets.progress import Progress, on_its_day

DAYS = [date(2026, 3, day) for day in range(1, 5)]


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The present instant."""
        return self.now


def test_a_line_comes_after_each_twentieth_of_the_days_with_the_end_expected() -> None:
    """Forty days of a second each are twenty lines, not forty."""
    watch, meter, lines = Watch(), Meter(), list[str]()
    progress = Progress(40, [meter], watch, say=lines.append)
    for done in range(1, 41):
        watch.now += timedelta(seconds=1)
        meter.requests["GET /stats"] += 2
        meter.waited_s += 0.5
        progress.step(done, is_landed=done != 3)
    assert len(lines) == 20
    assert lines[:2] == [
        "2 of 40 days landed; 4 requests, 1 s waited for the budget; end expected at 2026-03-01 12:00:40 UTC.",
        "3 of 40 days landed, 1 did not; 8 requests, 2 s waited for the budget; end expected at 2026-03-01 12:00:40 UTC.",
    ]
    assert lines[-1] == "39 of 40 days landed, 1 did not; 80 requests, 20 s waited for the budget."


def test_a_slow_day_is_told_although_its_twentieth_is_not_full() -> None:
    """Nobody looks at a silent log for an hour."""
    watch, lines = Watch(), list[str]()
    progress = Progress(400, [], watch, say=lines.append)
    watch.now += timedelta(seconds=59)
    progress.step(1, is_landed=True)
    watch.now += timedelta(seconds=1)
    progress.step(2, is_landed=True)
    assert lines == ["2 of 400 days landed; end expected at 2026-03-01 15:20:00 UTC."]


def test_at_the_end_what_was_spent_is_told_by_endpoint_and_is_metadata_of_a_failure() -> None:
    """Several sessions of a run are added up."""
    first, second, lines = Meter(retries=1, waited_s=2.5), Meter(waited_s=1.0), list[str]()
    first.requests.update({"POST /tasks": 1, "GET /tasks": 3})
    second.requests.update({"GET /tasks": 2})
    progress = Progress(2, [first, second], Watch(), say=lines.append)
    words = progress.end()
    assert words == "5 GET /tasks, 1 POST /tasks; 1 of them repeats; 4 s waited for the budget"
    assert lines == ["Spent: 5 GET /tasks, 1 POST /tasks; 1 of them repeats; 4 s waited for the budget."]
    assert progress.spent() == {
        "requests_spent": {"GET /tasks": 5, "POST /tasks": 1},
        "requests_repeated": 1,
        "seconds_waited": 3.5,
    }


async def test_each_day_that_landed_carries_what_was_spent_on_it_and_the_sum_is_what_was_spent() -> None:
    """The second day is read ahead of the first, the third fails, and a task answers for all of them."""
    meter = Meter()
    progress = Progress(4, [meter], Watch(), say=lambda _line: None)

    async def read(day: date) -> None:
        meter.sent("GET /day", waited_s=0.5, is_repeat=False)
        await asyncio.gather(repeat() if day == DAYS[1] else asyncio.sleep(0))

    async def repeat() -> None:
        meter.sent("GET /day", waited_s=0.0, is_repeat=True)

    meter.sent("POST /tasks", waited_s=2.0, is_repeat=False)
    await asyncio.gather(*map(on_its_day(read), DAYS[:3]))
    first, second = progress.spent_for(DAYS[0]), progress.spent_for(DAYS[1])
    await on_its_day(read)(DAYS[3])
    fourth = progress.spent_for(DAYS[3])
    assert [first, second, fourth] == [
        {
            "requests": 2,
            "requests_repeated": 0,
            "seconds_waited": 2.5,
            "requests_carried": 1,
            "requests_by_endpoint": {"GET /day": 1, "POST /tasks": 1},
        },
        {
            "requests": 2,
            "requests_repeated": 1,
            "seconds_waited": 0.5,
            "requests_by_endpoint": {"GET /day": 2},
        },
        {
            "requests": 2,
            "requests_repeated": 0,
            "seconds_waited": 1.0,
            "requests_carried": 1,
            "requests_by_endpoint": {"GET /day": 2},
        },
    ]
    assert progress.spent() == {
        "requests_spent": {"GET /day": 5, "POST /tasks": 1},
        "requests_repeated": 1,
        "seconds_waited": 4.0,
    }


def test_a_day_that_cost_nothing_says_so_where_a_session_was_opened() -> None:
    """An answer that stands already is not asked for again; a stream without a session has nothing to say."""
    nothing = {"requests": 0, "requests_repeated": 0, "seconds_waited": 0.0}
    assert Progress(1, [Meter()], Watch(), say=lambda _line: None).spent_for(DAYS[0]) == nothing
    assert Progress(1, [], Watch(), say=lambda _line: None).spent_for(DAYS[0]) == {}


def test_a_run_that_asked_nothing_says_nothing_of_requests() -> None:
    """Typed tables made from raw cost none."""
    lines: list[str] = []
    progress = Progress(1, [Meter()], Watch(), say=lines.append)
    progress.step(1, is_landed=True)
    assert progress.end() == "nothing"
    assert (lines, dict(progress.spent())) == (["1 of 1 days landed."], {})


def test_what_is_left_of_the_budget_is_told_at_that_moment() -> None:
    """The sessions of a run share one; a session without a budget has nothing to say."""
    lines: list[str] = []
    left = iter([7, 5])
    meters = [Meter(Counter({"GET /stats": 3}), left=lambda: next(left)), Meter()]
    progress = Progress(2, meters, Watch(), say=lines.append)
    progress.step(1, is_landed=True)
    progress.step(2, is_landed=True)
    assert [line.split("; ")[1].rstrip(".") for line in lines] == [
        "3 requests, 0 s waited for the budget, 7 left of it now",
        "3 requests, 0 s waited for the budget, 5 left of it now",
    ]
