"""The clock of a machine is set back: what the ledger stamped before does not wait for that clock to come round again."""

from datetime import UTC, date, datetime, timedelta

import pytest

from analytics_assets.state.report_ledger import Ledger

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = date(2026, 3, 1)
LEASE_S = 120.0
HOUR = timedelta(hours=1)


@pytest.fixture
def ledger(url: str) -> Ledger:
    """A ledger with one open request, whose task was posted ten minutes ago and is to be looked at in ten seconds."""
    ledger = Ledger(url)
    posted_at = NOW - timedelta(minutes=10)
    ledger.join_or_open("shop", "revenue", "a", [DAY], longest=1, now=posted_at)
    ledger.begin_attempt(1, now=posted_at)
    ledger.posted(1, "task-1", now=posted_at)
    ledger.saw(1, "RUNNING", task_id="task-1", now=NOW, next_poll_at=NOW + timedelta(seconds=10))
    return ledger


def stamps(ledger: Ledger) -> tuple[datetime | None, datetime | None, datetime | None]:
    """When the task was posted, seen and is looked at again."""
    request = ledger.get(1)
    return request.posted_at, request.polled_at, request.next_poll_at


@pytest.mark.parametrize("back", [timedelta(minutes=5), HOUR, timedelta(days=400)])
def test_looks_and_tasks_keep_their_lengths(ledger: Ledger, back: timedelta) -> None:
    """The next look is ten seconds away, and the task ten minutes old."""
    now = NOW - back
    ledger.bring_to_present("shop", lease_s=LEASE_S, now=now)
    assert stamps(ledger) == (now - timedelta(minutes=10), now, now + timedelta(seconds=10))


@pytest.mark.parametrize("back", [timedelta(), timedelta(minutes=2), -HOUR])
def test_machines_that_differ_by_a_little_change_nothing(ledger: Ledger, back: timedelta) -> None:
    """Nor does a clock that goes on."""
    before = ledger.get(1)
    ledger.bring_to_present("shop", lease_s=LEASE_S, now=NOW - back)
    assert ledger.get(1) == before


def test_a_request_of_another_account_stays(ledger: Ledger) -> None:
    """Its sensor does the same."""
    before = ledger.get(1)
    ledger.bring_to_present("other", lease_s=LEASE_S, now=NOW - HOUR)
    assert ledger.get(1) == before


def test_the_lease_of_a_dead_process_ends_after_its_length(ledger: Ledger) -> None:
    """And is not ended at once: its process may live, and renews it."""
    assert ledger.lease(1, "run-a", seconds=LEASE_S, now=NOW)
    now = NOW - HOUR
    ledger.bring_to_present("shop", lease_s=LEASE_S, now=now)
    assert ledger.get(1).lease_owner == "run-a"
    assert not ledger.lease(1, "run-b", seconds=LEASE_S, now=now + timedelta(seconds=LEASE_S))
    assert ledger.lease(1, "run-b", seconds=LEASE_S, now=now + timedelta(seconds=LEASE_S, microseconds=1))


def test_a_lease_of_a_machine_a_little_ahead_stays(ledger: Ledger) -> None:
    """It is renewed before it ends."""
    ledger.lease(1, "run-a", seconds=LEASE_S, now=NOW)
    before = ledger.get(1)
    ledger.bring_to_present("shop", lease_s=LEASE_S, now=NOW - timedelta(seconds=90))
    assert ledger.get(1) == before
