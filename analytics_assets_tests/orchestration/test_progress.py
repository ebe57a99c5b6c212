"""What a long run says of itself."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from analytics_assets.http.meter import Meter
from analytics_assets.orchestration.progress import Progress


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
    progress = Progress(40, meter, watch, say=lines.append)
    for done in range(1, 41):
        watch.now += timedelta(seconds=1)
        meter.requests["GET /stats"] += 2
        meter.waited_s += 0.5
        progress.step(done, is_stored=done != 3)
    assert len(lines) == 20
    assert lines[:2] == [
        "2 of 40 days stored; 4 requests, 1 s waited for the budget; end expected at 2026-03-01 12:00:40 UTC.",
        "3 of 40 days stored, 1 did not; 8 requests, 2 s waited for the budget; end expected at 2026-03-01 12:00:40 UTC.",
    ]
    assert lines[-1] == "39 of 40 days stored, 1 did not; 80 requests, 20 s waited for the budget."


def test_a_slow_day_is_told_although_its_twentieth_is_not_full() -> None:
    """Nobody looks at a silent log for an hour."""
    watch, lines = Watch(), list[str]()
    progress = Progress(400, Meter(), watch, say=lines.append)
    watch.now += timedelta(seconds=59)
    progress.step(1, is_stored=True)
    watch.now += timedelta(seconds=1)
    progress.step(2, is_stored=True)
    assert lines == ["2 of 400 days stored; end expected at 2026-03-01 15:20:00 UTC."]


def test_a_run_without_requests_logs_no_counts() -> None:
    """Typed tables made from raw cost none."""
    lines: list[str] = []
    Progress(1, Meter(), Watch(), say=lines.append).step(1, is_stored=True)
    assert lines == ["1 of 1 days stored."]


def test_what_is_left_of_the_budget_is_told_at_that_moment() -> None:
    """Other runs spend from it too."""
    lines: list[str] = []
    left = iter([7, 5])
    meter = Meter(Counter({"GET /stats": 3}), remaining=lambda: next(left))
    progress = Progress(2, meter, Watch(), say=lines.append)
    progress.step(1, is_stored=True)
    progress.step(2, is_stored=True)
    assert [line.split("; ")[1].rstrip(".") for line in lines] == [
        "3 requests, 0 s waited for the budget, 7 left of it now",
        "3 requests, 0 s waited for the budget, 5 left of it now",
    ]
