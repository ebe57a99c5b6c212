"""The view of the ledger: a row a request, and what is open in the metadata."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from analytics_assets.sources.airbridge.snapshots import fetch_tasks
from analytics_assets.sources.airbridge.source import catalog_stream, tasks_stream
from analytics_assets.sources.airbridge.streams import App
from analytics_assets.state.database import engine
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.sources.airbridge.vendor import spec

NOW = datetime(2026, 3, 5, 20, tzinfo=UTC)
# Five in the morning in Seoul.
TODAY = date(2026, 3, 6)
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger of the test's own."""
    url = f"sqlite:///{tmp_path}/state.db"
    yield Ledger(url)
    engine(url).dispose()
    engine.cache_clear()


def row(number: int, day: date, **changes: object) -> dict[str, object]:
    """A row of an open request of one day whose first task runs."""
    return {
        "date": TODAY,
        "request_id": number,
        "first_day": day,
        "last_day": day,
        "state": "RUNNING",
        "is_open": True,
        "days_left": 1,
        "attempts": 1,
        "store_runs": 0,
        "task_id": f"task-{number}",
        "opened_at": NOW,
        "posted_at": NOW,
        "polled_at": LATER,
        "closed_at": None,
        "reason": None,
        **changes,
    }


async def test_the_view_has_every_request_and_says_what_is_open(ledger: Ledger) -> None:
    """How many, since when, in which states, and what the worst has cost; what is stored stays as a row."""
    days = [date(2026, 3, 1), date(2026, 3, 3), date(2026, 3, 5)]
    app = App("shop", "Asia/Seoul", "USD", 4.0)
    for request in ledger.join_or_open("shop", "revenue", "hash", days, longest=92, now=NOW):
        ledger.begin_attempt(request.id, now=NOW)
        ledger.posted(request.id, f"task-{request.id}", now=NOW)
        ledger.saw(request.id, "RUNNING", task_id=f"task-{request.id}", now=LATER)
    ledger.mark_stored(1, days[0], now=LATER)
    ledger.record_store_run(2, now=LATER, next_poll_at=LATER)
    ledger.begin_attempt(2, now=LATER)
    ledger.saw(2, "UNPOSTED", task_id=None, now=LATER, reason="HTTP 503")
    ledger.record_store_run(2, now=LATER, next_poll_at=LATER)

    read = await fetch_tasks("shop", spec(), ledger, TODAY, clock=lambda: LATER)

    assert read.requested_at == LATER
    assert {stream.day_of(LATER) for stream in (tasks_stream("shop", app, spec()), catalog_stream("shop", app))} == {
        TODAY
    }
    assert read.content.to_pylist() == [
        row(1, days[0], state="STORED", is_open=False, days_left=0, closed_at=LATER),
        row(2, days[1], state="UNPOSTED", attempts=2, store_runs=1, task_id=None, posted_at=LATER, reason="HTTP 503"),
        row(3, days[2]),
    ]
    assert read.notes == {
        "open_requests": 2,
        "days_not_stored": 2,
        "oldest_open_since": NOW.isoformat(),
        "open_states": {"RUNNING": 1, "UNPOSTED": 1},
        "most_attempts": 2,
        "tasks_posted": 4,
    }


async def test_a_view_of_nothing_open_says_so(ledger: Ledger) -> None:
    """Zero is told; the oldest of nothing is not."""
    read = await fetch_tasks("shop", spec(), ledger, TODAY, clock=lambda: NOW)
    assert (read.content.num_rows, read.notes) == (0, {"open_requests": 0, "days_not_stored": 0, "tasks_posted": 0})
