"""Report requests whose days have all landed, or whose report is no longer configured, are forgotten after a time.

Nothing is decided by them any more. One that was superseded keeps the days it did not land, for whoever re-executes its run; such are few and stay. What people were told, and the
messages to them, forget by themselves (`told.py`, `outbox.py`), and so do the requests a budget counts (`budget.py`), unless its key, name or
address has changed.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import and_, delete, func, select

from analytics_assets.state.database import budget_doors, budget_queue, budget_spent, days, engine, requests, states
from analytics_assets.state.requests import LANDED, REMOVED, as_text


def forget_landed(url: str, *, before: datetime) -> int:
    """Drops the requests that landed whole before an instant, with their days and states; returns how many.

    The newest request stays, so that no number is given twice.
    """
    with engine(url).begin() as connection:
        newest = connection.execute(select(func.max(requests.c.id))).scalar()
        is_over = requests.c.state.in_([LANDED, REMOVED])
        is_old = and_(is_over, requests.c.closed_at < as_text(before), requests.c.id != newest)
        numbers = list(connection.execute(select(requests.c.id).where(is_old)).scalars())
        for table, number in ((days, days.c.request_id), (states, states.c.request_id), (requests, requests.c.id)):
            connection.execute(delete(table).where(number.in_(numbers)))
        return len(numbers)


def forget_budgets(url: str, *, before: datetime) -> None:
    """Drops what no request has used since an instant: budgets of accounts that were removed, or have another key, name or address."""
    instant = (before - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    with engine(url).begin() as connection:
        used = select(budget_spent.c.key).where(budget_spent.c.at >= instant).distinct()
        connection.execute(delete(budget_spent).where(budget_spent.c.key.not_in(used)))
        connection.execute(delete(budget_queue).where(budget_queue.c.until < instant))
        is_used = budget_doors.c.key.in_(select(budget_spent.c.key))
        connection.execute(delete(budget_doors).where(budget_doors.c.closed_until < instant, ~is_used))
