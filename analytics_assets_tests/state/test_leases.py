"""Leases of several requests at once, and steps that only the holder of a lease takes."""

from datetime import UTC, date, datetime, timedelta

import pytest

from analytics_assets.state.report_ledger import Ledger

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def ledger(url: str) -> Ledger:
    """A ledger with three open requests of a day each."""
    ledger = Ledger(url)
    days = [date(2026, 3, day) for day in (1, 2, 3)]
    ledger.join_or_open("shop", "revenue", "a", days, longest=1, now=NOW)
    return ledger


def test_leases_are_renewed_together_and_only_those_that_are_still_held(ledger: Ledger) -> None:
    """What another has taken over meanwhile stays with the other, and what is closed belongs to no process."""
    for number in (1, 2, 3):
        ledger.lease(number, "run-a", seconds=60, now=NOW)
    later = NOW + timedelta(seconds=61)
    ledger.lease(2, "run-b", seconds=60, now=later)
    ledger.mark_stored(3, date(2026, 3, 3), now=later)

    assert ledger.lease_all([1, 2, 3], "run-a", seconds=60, now=later) == {1}

    assert [(request.lease_owner, request.lease_until) for request in ledger.open_requests("shop")] == [
        ("run-a", later + timedelta(seconds=60)),
        ("run-b", later + timedelta(seconds=60)),
    ]


def test_an_attempt_begins_only_for_the_process_that_holds_the_lease(ledger: Ledger) -> None:
    """Another process may post by now; the row stays as it was."""
    ledger.lease(1, "run-b", seconds=60, now=NOW)
    before = ledger.get(1)

    assert not ledger.begin_attempt(1, now=NOW, owner="run-a")

    assert (ledger.get(1), ledger.history(1)) == (before, [])
    assert ledger.begin_attempt(1, now=NOW, owner="run-b")
    assert ledger.get(1).attempts == 1


def test_a_leased_request_is_not_closed_for_a_report_that_is_gone(ledger: Ledger) -> None:
    """A run that has read another YAML works at it; what is closed can be requested by account and instant."""
    ledger.lease(1, "run-a", seconds=60, now=NOW)
    for number in (1, 2):
        ledger.close_removed(number, "No such report.", now=NOW)
    assert [request.id for request in ledger.open_requests("shop")] == [1, 3]
    assert [request.id for request in ledger.open_requests(None)] == [1, 3]
    assert [request.id for request in ledger.removed("shop", since=NOW)] == [2]
    later = NOW + timedelta(seconds=61)
    ledger.close_removed(1, "No such report.", now=later)
    assert [request.id for request in ledger.removed("shop", since=later)] == [1]
    assert ledger.removed("other", since=NOW) == []
