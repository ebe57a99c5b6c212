"""Report requests whose days have all landed, or whose report is no longer configured, are forgotten after a time.

Nothing is decided by them any more. One that was superseded keeps the days it did not land, for whoever re-executes its run; such are few and stay. What people were told, and the
messages to them, forget by themselves (`told.py`, `outbox.py`), and so do the requests a budget counts (`budget.py`).
"""

from datetime import datetime

from sqlalchemy import and_, delete, func, select

from analytics_assets.state.database import days, engine, requests, states
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
