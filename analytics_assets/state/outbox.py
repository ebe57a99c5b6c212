"""The messages on their way: each waits here, once for every destination, until that destination has taken it.

Whoever sends a message holds it for a while, so that no other process sends it too. Keep the sending out of here (`alerts/delivery.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, or_, select, update

from analytics_assets.state.database import alert_messages, engine
from analytics_assets.state.requests import as_text

REMEMBERED = timedelta(days=30)
# A sender that dies holds its message this long; longer than a tick of the sensor can last.
_HELD = timedelta(seconds=90)
# No message waits longer for its next try. A later instant is of a clock that was ahead of this one, as before it was set back.
LONGEST_PAUSE = timedelta(hours=1)


@dataclass(frozen=True)
class Message:
    """What is sent to every destination.

    Attributes:
        title: One line.
        body: Lines of plain text.
        severity: `failure`, `warning` or `success`.
    """

    title: str
    body: str
    severity: str


@dataclass(frozen=True)
class Held:
    """A message that the caller is to send now.

    Attributes:
        id: Number of the row.
        message: The message.
        tries: How often it was tried, this time included.
    """

    id: int
    message: Message
    tries: int


def put(connection: Connection, messages: Sequence[Message], destinations: Sequence[str], *, now: datetime) -> None:
    """Adds messages for all destinations, in the caller's transaction; drops what is old, or waits for a destination that is no more."""
    rows = [
        {**vars(message), "destination": name, "made_at": as_text(now), "tries": 0, "next_try_at": as_text(now)}
        for message in messages
        for name in destinations
    ]
    if rows:
        connection.execute(insert(alert_messages), rows)
    is_gone = and_(alert_messages.c.sent_at.is_(None), alert_messages.c.destination.not_in(destinations))
    is_old = alert_messages.c.sent_at < as_text(now - REMEMBERED)
    connection.execute(delete(alert_messages).where(or_(is_gone, is_old)))


class Outbox:
    """The messages of one state database."""

    def __init__(self, url: str) -> None:
        """Opens the table at a SQLAlchemy URL and makes it if it is missing."""
        self._engine = engine(url)

    def take(self, destination: str, *, now: datetime) -> Held | None:
        """The oldest message that is due at a destination, for the caller alone; None if nothing is due."""
        oldest = (
            select(alert_messages)
            .where(
                alert_messages.c.destination == destination,
                alert_messages.c.sent_at.is_(None),
                or_(
                    alert_messages.c.next_try_at <= as_text(now),
                    alert_messages.c.next_try_at > as_text(now + LONGEST_PAUSE),
                ),
            )
            .order_by(alert_messages.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        with self._engine.begin() as connection:
            row = connection.execute(oldest).first()
            if row is None:
                return None
            is_this = alert_messages.c.id == row.id
            held = {"tries": row.tries + 1, "next_try_at": as_text(now + _HELD)}
            connection.execute(update(alert_messages).where(is_this).values(**held))
            return Held(row.id, Message(row.title, row.body, row.severity), row.tries + 1)

    def arrived(self, message_id: int, *, now: datetime) -> None:
        """Remembers that the destination has taken a message."""
        self._set(message_id, sent_at=as_text(now), trouble=None)

    def failed(self, message_id: int, trouble: str, *, next_try_at: datetime) -> None:
        """Remembers why a message did not arrive, and when to try again."""
        self._set(message_id, trouble=trouble, next_try_at=as_text(next_try_at))

    def troubles(self) -> dict[str, str]:
        """The destinations where messages wait that were tried in vain: how many, and the newest reason."""
        waiting = (
            select(alert_messages.c.destination, alert_messages.c.trouble)
            .where(alert_messages.c.sent_at.is_(None), alert_messages.c.trouble.is_not(None))
            .order_by(alert_messages.c.id)
        )
        reasons: dict[str, list[str]] = {}
        with self._engine.connect().execution_options(is_reading=True) as connection:
            for row in connection.execute(waiting):
                reasons.setdefault(row.destination, []).append(row.trouble)
        return {name: f"{len(found)} tried in vain; {found[-1]}" for name, found in reasons.items()}

    def _set(self, message_id: int, **values: Any) -> None:
        with self._engine.begin() as connection:
            connection.execute(update(alert_messages).where(alert_messages.c.id == message_id).values(**values))
