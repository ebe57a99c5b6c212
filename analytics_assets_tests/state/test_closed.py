"""Requests that are stored are forgotten after a time, and nobody decides otherwise for it; in SQLite and PostgreSQL."""

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select

from analytics_assets.state.database import budget_pauses, budget_requests, engine
from analytics_assets.state.rate_limit import Budget, forget_budgets
from analytics_assets.state.report_ledger import Ledger, delete_stored
from analytics_assets.state.requests import Request
from analytics_assets_tests.state.watch import Make, Watch, passes

LONG_AGO = datetime(2026, 3, 10, 12, tzinfo=UTC)
NOW = LONG_AGO + timedelta(days=200)
DAYS = [date(2026, 3, day) for day in range(1, 6)]


def opened(ledger: Ledger, day: date, now: datetime, spec_hash: str = "a") -> Request:
    """The request for one day."""
    [one] = ledger.join_or_open("shop", "revenue", spec_hash, [day], longest=1, now=now)
    ledger.begin_attempt(one.id, now=now)
    return one


def test_requests_of_reports_that_are_gone_are_forgotten_too(url: str) -> None:
    """After the same time; nothing requests their days any more."""
    ledger = Ledger(url)
    gone, newest = opened(ledger, DAYS[0], LONG_AGO), opened(ledger, DAYS[1], LONG_AGO)
    ledger.close_removed(gone.id, "No such report.", now=LONG_AGO)
    assert delete_stored(url, before=LONG_AGO) == 0
    assert delete_stored(url, before=NOW) == 1
    assert [request.id for request in ledger.all_requests("shop", "revenue")] == [newest.id]


def test_only_what_landed_long_ago_is_forgotten(url: str) -> None:
    """Open and superseded requests stay whatever their age, and the newest of all, whose number must not be given again."""
    ledger = Ledger(url)
    stored = [opened(ledger, day, LONG_AGO) for day in DAYS[:2]]
    superseded = opened(ledger, DAYS[2], LONG_AGO, "old")
    ledger.supersede("shop", "revenue", but="a", now=LONG_AGO)
    is_open = opened(ledger, DAYS[3], LONG_AGO)
    newest = opened(ledger, DAYS[4], LONG_AGO)
    for one in (*stored, newest):
        ledger.mark_stored(one.id, one.first_day, now=LONG_AGO)
    before = {one.id: one for one in ledger.all_requests("shop", "revenue")}
    decided = (ledger.open_requests("shop"), ledger.days_left([one.id for one in before.values()]))
    assert delete_stored(url, before=LONG_AGO) == 0

    assert delete_stored(url, before=NOW) == 2

    left = {one.id: one for one in ledger.all_requests("shop", "revenue")}
    assert left == {one.id: before[one.id] for one in (superseded, is_open, newest)}
    assert (ledger.open_requests("shop"), ledger.days_left(list(before))) == decided
    assert decided[1] == {DAYS[2], DAYS[3]}
    assert [ledger.history(one.id) for one in stored] == [[], []]
    assert len(ledger.history(newest.id)) == 2
    # A day of a forgotten request is requested as ever, under a number of its own.
    assert opened(ledger, DAYS[0], NOW).id > newest.id
    assert delete_stored(url, before=NOW) == 1


def test_budgets_that_no_request_has_used_for_long_are_forgotten(url: str, rate_limiter: Make, watch: Watch) -> None:
    """As when the key of an account was changed; one that is used keeps all requests of its window."""
    passes(rate_limiter("gone"))
    rate_limiter("gone").pause_for(30, "HTTP 429")
    month = Budget(10, 30 * 86400)
    passes(rate_limiter("used", budget=month))
    watch.now += timedelta(days=10)
    passes(rate_limiter("used", budget=month))
    forget_budgets(url, before=watch.now - timedelta(days=7))
    with engine(url).connect() as connection:
        counts = {
            table.name: connection.execute(select(table.c.key).order_by(table.c.key)).scalars().all()
            for table in (budget_pauses, budget_requests)
        }
    assert counts == {"budget_pauses": ["used"], "budget_requests": ["used", "used"]}
    assert rate_limiter("gone").remaining() == 3
