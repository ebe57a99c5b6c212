"""The ledger of several processes: real ones, on one SQLite file that none of them has made yet."""

import multiprocessing
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any

from analytics_assets.state.report_ledger import Ledger

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
START = date(2026, 3, 1)
ROUNDS = 8


def _days(first: int, count: int) -> list[date]:
    return [START + timedelta(days=first + number) for number in range(count)]


def _open_overlapping(url: str, number: int, barrier: Any, told: Any) -> None:
    """What each process does at the same time as the others: opens days that overlap theirs, again and again."""
    barrier.wait(30)
    ledger = Ledger(url)
    for turn in range(ROUNDS):
        covered = ledger.join_or_open(
            "shop", "revenue", "a", _days(10 * turn + number, 5), longest=3, now=NOW + timedelta(seconds=turn)
        )
        mine = [request.id for request in covered if ledger.lease(request.id, f"p{number}", seconds=60, now=NOW)]
        told.put((number, [request.id for request in covered], mine))


def test_processes_never_open_a_day_twice_nor_share_a_lease(url: str) -> None:
    """Three processes make the file, open overlapping days and take leases, all at the same time."""
    spawn = multiprocessing.get_context("spawn")
    barrier, told = spawn.Barrier(3), spawn.Queue()
    processes = [
        spawn.Process(target=_open_overlapping, args=(url, number, barrier, told), daemon=True) for number in range(3)
    ]
    for process in processes:
        process.start()
    answers = [told.get(timeout=60) for _ in range(3 * ROUNDS)]
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    ledger = Ledger(url)
    held = ledger.open_requests("shop")
    opened = Counter(day for request in held for day in request.days_left)
    wanted = {day for turn in range(ROUNDS) for day in _days(10 * turn, 7)}
    assert opened == Counter(dict.fromkeys(wanted, 1))
    leased = Counter(request_id for _, _, mine in answers for request_id in mine)
    assert leased == Counter(dict.fromkeys((request.id for request in held), 1))
    by_id = {request.id: set(request.days_left) for request in held}
    for number, covered, _ in answers:
        assert any(
            set(_days(10 * turn + number, 5)) <= set().union(*(by_id[one] for one in covered)) for turn in range(ROUNDS)
        )


def test_threads_that_land_the_last_days_close_the_request_once(url: str) -> None:
    """Each day is told by a thread of its own; the history has one end."""
    ledger = Ledger(url)
    wanted = _days(0, 8)
    ledger.join_or_open("shop", "revenue", "a", wanted, longest=92, now=NOW)
    barrier = Barrier(4)

    def land(mine: list[date]) -> None:
        barrier.wait(30)
        for day in mine:
            ledger.mark_stored(1, day, now=NOW)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(land, [wanted[number::4] for number in range(4)]))
    assert (ledger.get(1).state, ledger.get(1).days_left, ledger.history(1)) == ("STORED", (), [("STORED", NOW, None)])
