"""Confirmations of raw days: which content a later request returned again, and when. One row a raw day of a lake.

Rows name the lake, the content and the request, so a row about another file counts for nothing (`lake/confirmations.py`).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from sqlalchemy import and_, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from analytics_assets.state.database import confirmations, engine
from analytics_assets.state.lakes import is_there
from analytics_assets.state.requests import as_text


@dataclass(frozen=True)
class Confirmation:
    """A response that equals a stored raw day.

    Attributes:
        content_hash: Data version of the raw day.
        request_hash: Hash of the request.
        is_sandbox: True if the numbers are invented.
        requested_at: Instant of the request.
        attempt_group: Attempt group of the request.
    """

    content_hash: str
    request_hash: str
    is_sandbox: bool
    requested_at: datetime
    attempt_group: str


class ConfirmationLog:
    """The confirmations of one lake."""

    def __init__(self, url: str, lake: str) -> None:
        """Opens the log of a lake, known by its identity, in a state database; nothing is read or written yet."""
        self._url, self._lake = url, lake

    def read(self, account: str, raw_table: str, days: Collection[date]) -> dict[date, Confirmation]:
        """The confirmations of some days; none from a database that does not exist, which is not created."""
        if not days or not is_there(self._url):
            return {}
        columns = confirmations.c
        is_wanted = and_(
            columns.lake == self._lake,
            columns.account == account,
            columns.raw_table == raw_table,
            columns.day.between(min(days).isoformat(), max(days).isoformat()),
        )
        with engine(self._url).connect().execution_options(is_reading=True) as connection:
            rows = connection.execute(select(confirmations).where(is_wanted)).all()
        return {
            date.fromisoformat(row.day): Confirmation(
                row.content_hash,
                row.request_hash,
                bool(row.is_sandbox),
                datetime.fromisoformat(row.requested_at),
                row.attempt_group,
            )
            for row in rows
        }

    def write(self, account: str, raw_table: str, day: date, confirmation: Confirmation) -> None:
        """Records a confirmation in place of the day's row, unless that has a later request for the same content."""
        row = {
            "lake": self._lake,
            "account": account,
            "raw_table": raw_table,
            "day": day.isoformat(),
            "content_hash": confirmation.content_hash,
            "request_hash": confirmation.request_hash,
            "is_sandbox": int(confirmation.is_sandbox),
            "requested_at": as_text(confirmation.requested_at),
            "attempt_group": confirmation.attempt_group,
        }
        made = engine(self._url)
        with made.begin() as connection:
            connection.execute(_upsert(made.dialect.name), row)


@cache
def _upsert(dialect: str) -> sqlite.Insert | postgresql.Insert:
    """The statement that writes a row; composed once, because that takes three times as long as to execute it."""
    statement = postgresql.insert(confirmations) if dialect == "postgresql" else sqlite.insert(confirmations)
    columns, new = confirmations.c, statement.excluded
    is_replaced = or_(
        columns.requested_at <= new.requested_at,
        columns.content_hash != new.content_hash,
        columns.request_hash != new.request_hash,
        columns.is_sandbox != new.is_sandbox,
    )
    key = list(confirmations.primary_key.columns)
    values = {column.name: new[column.name] for column in columns if not column.primary_key}
    return statement.on_conflict_do_update(index_elements=key, set_=values, where=is_replaced)
