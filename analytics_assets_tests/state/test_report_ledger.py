"""The ledger of one process: what is joined, opened, leased, seen and closed."""

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from analytics_assets.state.report_ledger import Ledger
from analytics_assets.state.requests import Request

NOW = datetime(2026, 3, 10, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def ledger(url: str) -> Ledger:
    """An empty ledger."""
    return Ledger(url)


def march(first: int, last: int) -> list[date]:
    """Days of March."""
    return [date(2026, 3, day) for day in range(first, last + 1)]


def opened(
    ledger: Ledger, wanted: list[date], *, longest: int = 92, spec_hash: str = "a", now: datetime = NOW
) -> list[Request]:
    """The requests that cover the days of one report."""
    return ledger.join_or_open("shop", "revenue", spec_hash, wanted, longest=longest, now=now)


def request(number: int, wanted: list[date], **changes: Any) -> Request:
    """A whole request as it is right after it was opened, with what the test is about changed."""
    given: dict[str, Any] = {
        **dict.fromkeys(("task_id", "posted_at", "polled_at", "next_poll_at", "closed_at", "reason")),
        **dict.fromkeys(("lease_owner", "lease_until")),
        "id": number,
        "account": "shop",
        "report": "revenue",
        "spec_hash": "a",
        "first_day": wanted[0],
        "last_day": wanted[-1],
        "state": "INTENT",
        "is_open": True,
        "attempts": 0,
        "store_runs": 0,
        "opened_at": NOW,
        "days_left": tuple(wanted),
    }
    return Request(**{**given, **changes})


def spans_of(requests: list[Request]) -> list[tuple[int, int]]:
    """First and last day of March of each request."""
    return [(one.first_day.day, one.last_day.day) for one in requests]


def test_an_intent_is_there_before_anything_is_posted(ledger: Ledger) -> None:
    """A crash right after loses at most the task in hand, and the next run finds the days."""
    [made] = opened(ledger, march(1, 3))
    assert made == request(1, march(1, 3))
    assert ledger.open_requests("shop") == [made]
    assert ledger.get(1) == made
    assert ledger.history(1) == []


def test_days_are_grouped_into_as_few_requests_as_the_vendor_allows(ledger: Ledger) -> None:
    """Adjacent days share one, a gap or the longest span begins another; the order they are named in does not count."""
    wanted = [*march(20, 21), *march(1, 5)]
    assert spans_of(opened(ledger, wanted, longest=3)) == [(1, 3), (4, 5), (20, 21)]


def test_no_days_open_no_request(ledger: Ledger) -> None:
    """Nothing wanted, nothing asked."""
    assert (opened(ledger, []), ledger.open_requests("shop")) == ([], [])


def test_the_same_days_are_joined(ledger: Ledger) -> None:
    """A second run gets the very request of the first."""
    first = opened(ledger, march(1, 5))
    assert opened(ledger, march(1, 5), now=LATER) == first
    assert opened(ledger, march(2, 3), now=LATER) == first


def test_overlapping_days_are_joined_and_only_the_rest_is_opened(ledger: Ledger) -> None:
    """On both sides of what is open."""
    first = opened(ledger, march(4, 6))
    both = opened(ledger, march(1, 9))
    assert (both[1], spans_of(both)) == (first[0], [(1, 3), (4, 6), (7, 9)])
    assert spans_of(ledger.open_requests("shop")) == [(1, 3), (4, 6), (7, 9)]


def test_days_that_landed_are_asked_for_anew(ledger: Ledger) -> None:
    """Whoever wants them again wants new numbers; the rest of the open request is joined."""
    opened(ledger, march(1, 3))
    ledger.mark_stored(1, march(2, 2)[0], now=NOW)
    assert ledger.get(1).days_left == (*march(1, 1), *march(3, 3))
    assert spans_of(opened(ledger, march(1, 3))) == [(1, 3), (2, 2)]


@pytest.mark.parametrize("other", [("other", "revenue", "a"), ("shop", "users", "a"), ("shop", "revenue", "b")])
def test_requests_of_another_account_report_or_specification_are_not_joined(
    ledger: Ledger, other: tuple[str, str, str]
) -> None:
    """They answer something else."""
    opened(ledger, march(1, 3))
    [made] = ledger.join_or_open(*other, march(1, 3), longest=92, now=NOW)
    account, report, spec_hash = other
    assert made == request(2, march(1, 3), account=account, report=report, spec_hash=spec_hash)


def test_an_account_or_a_report_can_be_looked_at_by_itself(ledger: Ledger) -> None:
    """Oldest day first; closed requests only where all are requested."""
    opened(ledger, march(5, 5))
    opened(ledger, march(1, 1))
    [users] = ledger.join_or_open("shop", "users", "u", march(3, 3), longest=92, now=NOW)
    ledger.join_or_open("other", "revenue", "a", march(2, 2), longest=92, now=NOW)
    ledger.mark_stored(1, date(2026, 3, 5), now=LATER)
    assert [one.id for one in ledger.open_requests("shop")] == [2, users.id]
    assert [one.id for one in ledger.open_requests("shop", "revenue")] == [2]
    assert [one.id for one in ledger.all_requests("shop", "revenue")] == [2, 1]


def test_a_lease_is_taken_renewed_and_refused_to_others(ledger: Ledger) -> None:
    """One owner at a time; the owner may have it longer."""
    opened(ledger, march(1, 1))
    assert ledger.lease(1, "run-a", seconds=60, now=NOW)
    assert not ledger.lease(1, "run-b", seconds=60, now=NOW + timedelta(seconds=30))
    assert ledger.lease(1, "run-a", seconds=60, now=NOW + timedelta(seconds=30))
    assert not ledger.lease(1, "run-b", seconds=60, now=NOW + timedelta(seconds=90))
    held = request(1, march(1, 1), lease_owner="run-a", lease_until=NOW + timedelta(seconds=90))
    assert ledger.get(1) == held


def test_an_expired_lease_goes_to_whoever_asks_next(ledger: Ledger) -> None:
    """A run that was killed holds nobody up for longer than that."""
    opened(ledger, march(1, 1))
    ledger.lease(1, "run-a", seconds=60, now=NOW)
    after = NOW + timedelta(seconds=60, microseconds=1)
    assert ledger.lease(1, "run-b", seconds=60, now=after)
    assert not ledger.lease(1, "run-a", seconds=60, now=after)


def test_only_the_owner_gives_a_lease_back(ledger: Ledger) -> None:
    """Then it is free at once."""
    opened(ledger, march(1, 1))
    ledger.lease(1, "run-a", seconds=60, now=NOW)
    ledger.release(1, "run-b")
    assert not ledger.lease(1, "run-b", seconds=60, now=NOW)
    ledger.release(1, "run-a")
    assert ledger.get(1) == request(1, march(1, 1))
    assert ledger.lease(1, "run-b", seconds=60, now=NOW)


def test_nobody_leases_what_is_not_there(ledger: Ledger) -> None:
    """A number from elsewhere is refused."""
    assert not ledger.lease(7, "run-a", seconds=60, now=NOW)


def test_a_request_goes_from_intent_over_a_task_to_what_was_seen(ledger: Ledger) -> None:
    """Each step in one whole row, and a history of it."""
    day = march(1, 1)
    opened(ledger, day)
    at = [NOW + timedelta(minutes=minute) for minute in range(9)]
    ledger.begin_attempt(1, now=at[1])
    assert ledger.get(1) == request(1, day, attempts=1, posted_at=at[1], polled_at=at[1])
    ledger.posted(1, "task-1", now=at[2])
    posted = {"attempts": 1, "posted_at": at[1], "task_id": "task-1"}
    assert ledger.get(1) == request(1, day, state="POSTED", polled_at=at[2], **posted)
    ledger.saw(1, "RUNNING", task_id="task-1", now=at[3], next_poll_at=at[5])
    ledger.saw(1, "RUNNING", task_id="task-1", now=at[5], next_poll_at=at[7], reason="busy")
    seen = {"state": "RUNNING", "polled_at": at[5], "next_poll_at": at[7], "reason": "busy"}
    assert ledger.get(1) == request(1, day, **posted, **seen)
    ledger.saw(1, "FAILURE", task_id="task-1", now=at[7], reason="too large")
    assert ledger.get(1) == request(1, day, **posted, state="FAILURE", polled_at=at[7], reason="too large")
    ledger.begin_attempt(1, now=at[8])
    assert ledger.get(1) == request(1, day, attempts=2, posted_at=at[8], polled_at=at[8])
    assert ledger.history(1) == [
        ("INTENT", at[1], None),
        ("POSTED", at[2], None),
        ("RUNNING", at[3], None),
        ("FAILURE", at[7], "too large"),
        ("INTENT", at[8], None),
    ]


def test_the_same_state_of_a_new_task_is_news(ledger: Ledger) -> None:
    """Also an attempt that begins right after another one whose answer was lost."""
    opened(ledger, march(1, 1))
    ledger.begin_attempt(1, now=NOW)
    ledger.begin_attempt(1, now=LATER)
    ledger.posted(1, "task-1", now=LATER)
    ledger.posted(1, "task-2", now=LATER)
    assert ledger.history(1) == [("INTENT", NOW, None), ("INTENT", LATER, None), *[("POSTED", LATER, None)] * 2]


def test_a_run_that_was_asked_for_is_counted_and_waited_for(ledger: Ledger) -> None:
    """The state stays what the vendor said."""
    opened(ledger, march(1, 1))
    ledger.saw(1, "SUCCESS", task_id=None, now=NOW)
    ledger.record_store_run(1, now=NOW, next_poll_at=LATER)
    ledger.record_store_run(1, now=LATER, next_poll_at=LATER + timedelta(minutes=5))
    assert ledger.get(1) == request(
        1, march(1, 1), state="SUCCESS", store_runs=2, polled_at=LATER, next_poll_at=LATER + timedelta(minutes=5)
    )
    assert ledger.history(1) == [("SUCCESS", NOW, None)]


def test_a_request_is_closed_by_its_last_day(ledger: Ledger) -> None:
    """Not before; the lease ends with it, and the same days can be requested anew."""
    opened(ledger, march(1, 2))
    ledger.lease(1, "run-a", seconds=60, now=NOW)
    ledger.mark_stored(1, date(2026, 3, 2), now=NOW)
    assert (ledger.get(1).is_open, ledger.get(1).days_left) == (True, (date(2026, 3, 1),))
    ledger.mark_stored(1, date(2026, 3, 1), now=LATER)
    closed = {"state": "STORED", "is_open": False, "closed_at": LATER, "polled_at": LATER, "days_left": ()}
    assert ledger.get(1) == request(1, march(1, 2), **closed)
    assert ledger.history(1) == [("STORED", LATER, None)]
    assert opened(ledger, march(1, 2), now=LATER) == [request(2, march(1, 2), opened_at=LATER)]


def test_a_day_that_lands_twice_closes_once(ledger: Ledger) -> None:
    """Two runs may bring the same day in; the second changes nothing."""
    opened(ledger, march(1, 1))
    ledger.mark_stored(1, date(2026, 3, 1), now=NOW)
    before = ledger.get(1)
    ledger.mark_stored(1, date(2026, 3, 1), now=LATER)
    assert (ledger.get(1), ledger.history(1)) == (before, [("STORED", NOW, None)])


def test_a_day_a_request_does_not_cover_does_not_close_it(ledger: Ledger) -> None:
    """Only its own days count."""
    opened(ledger, march(1, 1))
    ledger.mark_stored(1, date(2026, 4, 1), now=NOW)
    assert ledger.get(1) == request(1, march(1, 1))


def test_requests_of_an_older_specification_are_closed(ledger: Ledger) -> None:
    """Of that report only; nobody waits for numbers that are no longer requested."""
    opened(ledger, march(1, 1), spec_hash="old")
    opened(ledger, march(2, 2), spec_hash="old")
    opened(ledger, march(1, 1))
    ledger.join_or_open("shop", "users", "old", march(1, 1), longest=92, now=NOW)
    assert ledger.supersede("shop", "revenue", but="a", now=LATER) == 2
    assert ledger.supersede("shop", "revenue", but="a", now=LATER) == 0
    why = "The definition of the report was changed; its days are requested with the new one."
    closed = {"state": "SUPERSEDED", "is_open": False, "closed_at": LATER, "polled_at": LATER, "reason": why}
    assert ledger.get(1) == request(1, march(1, 1), spec_hash="old", **closed)
    assert [one.id for one in ledger.open_requests("shop")] == [3, 4]
    assert ledger.history(2) == [("SUPERSEDED", LATER, why)]


def test_a_closed_request_changes_no_more(ledger: Ledger) -> None:
    """A run that still hears of its task leaves that in the history only."""
    opened(ledger, march(1, 1), spec_hash="old")
    ledger.supersede("shop", "revenue", but="a", now=NOW)
    before = ledger.get(1)
    ledger.posted(1, "task-1", now=LATER)
    assert not ledger.saw(1, "RUNNING", task_id="task-1", now=LATER)
    assert ledger.get(1) == before
    assert [state for state, *_ in ledger.history(1)] == ["SUPERSEDED", "POSTED", "RUNNING"]


def test_instants_come_back_in_utc_to_the_microsecond(ledger: Ledger) -> None:
    """Whatever zone they went in with."""
    seoul = NOW.astimezone(timezone(timedelta(hours=9)))
    opened(ledger, march(1, 1), now=seoul)
    ledger.begin_attempt(1, now=seoul)
    ledger.saw(1, "RUNNING", task_id=None, now=seoul, next_poll_at=seoul)
    ledger.lease(1, "run-a", seconds=1, now=seoul)
    held = ledger.get(1)
    given = (held.opened_at, held.posted_at, held.polled_at, held.next_poll_at, ledger.history(1)[0][1])
    assert [(each, each.tzinfo) for each in given if each] == [(NOW, UTC)] * 5
    assert held.lease_until == NOW + timedelta(seconds=1)


def refused(url: str, secret: str) -> Ledger:
    """A ledger whose only request was refused with a key."""
    ledger = Ledger(url, secret)
    ledger.join_or_open("shop", "revenue", "a", [date(2026, 3, 1)], longest=92, now=NOW)
    ledger.saw(1, "REFUSED", task_id=None, now=NOW, reason="HTTP 401", is_refusal=True)
    return ledger


def test_another_key_is_known_from_the_one_that_was_refused(tmp_path: Path) -> None:
    """By any process; no key at all is not another one."""
    url = f"sqlite:///{tmp_path}/state.db"
    same = refused(url, "old-key")
    assert [
        one.has_new_key(one.get(1)) for one in (same, Ledger(url, "old-key"), Ledger(url, "new-key"), Ledger(url))
    ] == [False, False, True, False]


def test_the_key_is_nowhere_in_the_database(tmp_path: Path) -> None:
    """The mark is salted: the same key in another database has another mark."""
    marks = []
    for name in ("one", "two"):
        ledger = refused(f"sqlite:///{tmp_path}/{name}.db", "hunter2-hunter2")
        marks.append(ledger.get(1).key_mark)
        held = b"".join(path.read_bytes() for path in tmp_path.glob(f"{name}.db*"))
        assert b"hunter2" not in held
    assert len(set(marks)) == 2
    assert [len(mark or "") for mark in marks] == [32, 32]


def test_a_mark_is_of_the_last_refusal_alone(tmp_path: Path) -> None:
    """Whatever else is seen takes it away; a refusal without a key has none."""
    ledger = refused(f"sqlite:///{tmp_path}/state.db", "key")
    ledger.saw(1, "PENDING", task_id=None, now=NOW)
    assert ledger.get(1).key_mark is None
    keyless = Ledger(f"sqlite:///{tmp_path}/state.db")
    keyless.saw(1, "REFUSED", task_id=None, now=NOW, is_refusal=True)
    assert keyless.get(1).key_mark is None
