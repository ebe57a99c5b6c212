"""A report request as the ledger's rows hold it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Row

INTENT = "INTENT"
STORED = "STORED"
SUPERSEDED = "SUPERSEDED"
REMOVED = "REMOVED"
# States of a task that the tools for people know, whatever the vendor.
READY = "SUCCESS"
PAUSED = "REFUSED"
NOT_USABLE = "UNUSABLE"


@dataclass(frozen=True)
class Request:
    """One request as the ledger has it.

    Attributes:
        id: Number of the row.
        account: Folder of the account.
        report: Name of the report.
        spec_hash: Hash of what is asked, without the days.
        first_day: First day covered.
        last_day: Last day covered.
        state: INTENT, a state of the vendor's, or one of ours.
        is_open: True if some day of it is not stored.
        task_id: The vendor's id of the present attempt.
        attempts: Tasks posted so far.
        store_runs: Runs the sensor requested since the present task was posted.
        opened_at: Instant of the intent.
        posted_at: Instant the present task was requested.
        polled_at: Instant the state was seen last.
        next_poll_at: No look before this instant.
        closed_at: Instant it was closed.
        reason: The vendor's or our words for the last trouble.
        lease_owner: Who may post, poll and collect it now.
        lease_until: Instant that right ends.
        days_left: Days that are not stored, oldest first.
        key_mark: Mark of the key that was refused; see `Ledger.has_new_key`.
        error: Class of the error behind the state, where one was raised.
        issue: What happens next, where people are alerted to the state; None otherwise.
    """

    id: int
    account: str
    report: str
    spec_hash: str
    first_day: date
    last_day: date
    state: str
    is_open: bool
    task_id: str | None
    attempts: int
    store_runs: int
    opened_at: datetime
    posted_at: datetime | None
    polled_at: datetime | None
    next_poll_at: datetime | None
    closed_at: datetime | None
    reason: str | None
    lease_owner: str | None
    lease_until: datetime | None
    days_left: tuple[date, ...]
    key_mark: str | None = None
    error: str | None = None
    issue: str | None = None

    @property
    def is_ready(self) -> bool:
        """True if the report is finished and its days can be stored."""
        return self.state == READY

    @property
    def is_paused(self) -> bool:
        """True if nothing is requested until a person changes something."""
        return self.state == PAUSED

    @property
    def is_unusable(self) -> bool:
        """True if the report was read and does not fit what was requested."""
        return self.state == NOT_USABLE


def from_row(row: Row[Any], left: Sequence[date]) -> Request:
    """A row of the ledger as a `Request`; `left` are its days that are not stored."""
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented way to a row as a mapping
    for name in ("opened_at", "posted_at", "polled_at", "next_poll_at", "closed_at", "lease_until"):
        values[name] = datetime.fromisoformat(values[name]) if values[name] else None
    values |= {
        "first_day": date.fromisoformat(values["first_day"]),
        "last_day": date.fromisoformat(values["last_day"]),
        "is_open": bool(values["is_open"]),
        "days_left": tuple(left),
    }
    return Request(**values)


def as_text(instant: datetime | None) -> str | None:
    """An instant as the ledger's columns hold it."""
    return None if instant is None else instant.astimezone(UTC).isoformat(timespec="microseconds")
