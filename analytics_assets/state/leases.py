"""Leases on open report requests: the right of one process to post, poll and store a request for some seconds.

A lease ends by itself, so a killed process blocks a request for one lease at most. It is renewed while the process works.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Engine, and_, or_, select, update

from analytics_assets.state.database import requests
from analytics_assets.state.requests import as_text

# Two machines may each be a minute off the state database's clock.
_CLOCKS_DIFFER = timedelta(seconds=120)
_STAMPS = ("polled_at", "posted_at", "next_poll_at")


class Leases:
    """The lease columns of the ledger; `Ledger` inherits them."""

    _engine: Engine

    def lease(self, request_id: int, owner: str, *, seconds: float, now: datetime) -> bool:
        """Takes or renews the right to post, poll and collect an open request; False while another holds it.

        `owner` names one process: two processes of one run that shared a name would both hold the lease.
        """
        return request_id in self.lease_all([request_id], owner, seconds=seconds, now=now)

    def lease_all(self, request_ids: Collection[int], owner: str, *, seconds: float, now: datetime) -> set[int]:
        """Takes or renews the leases of several requests at once; returns the requests that `owner` holds now."""
        free = or_(
            requests.c.lease_until.is_(None), requests.c.lease_until < as_text(now), requests.c.lease_owner == owner
        )
        is_wanted = and_(requests.c.id.in_(list(request_ids)), requests.c.is_open == 1)
        with self._engine.begin() as connection:
            connection.execute(
                update(requests)
                .where(is_wanted, free)
                .values(lease_owner=owner, lease_until=as_text(now + timedelta(seconds=seconds)))
            )
            is_held = and_(is_wanted, requests.c.lease_owner == owner, requests.c.lease_until >= as_text(now))
            return set(connection.execute(select(requests.c.id).where(is_held)).scalars())

    def bring_to_present(self, account: str, *, lease_s: float, now: datetime) -> None:
        """Corrects what a clock ahead of this one has stamped on open requests, as before the clock was set back.

        Otherwise every wait would be longer by as much. Looks, tasks and pauses keep their lengths; a lease begins anew and ends after `lease_s`.
        """
        is_open = and_(requests.c.account == account, requests.c.is_open == 1)
        latest = now + timedelta(seconds=lease_s)
        with self._engine.begin() as connection:
            connection.execute(
                update(requests)
                .where(is_open, requests.c.lease_until > as_text(latest + _CLOCKS_DIFFER))
                .values(lease_until=as_text(latest))
            )
            is_ahead = or_(
                *(column > as_text(now + _CLOCKS_DIFFER) for column in (requests.c.polled_at, requests.c.posted_at))
            )
            for row in connection.execute(select(requests).where(is_open, is_ahead)).all():
                stamps = {
                    name: datetime.fromisoformat(text) if (text := getattr(row, name)) else None for name in _STAMPS
                }
                ahead = max(stamps[name] or now for name in ("polled_at", "posted_at")) - now
                moved = {name: as_text(stamp - ahead) for name, stamp in stamps.items() if stamp is not None}
                connection.execute(update(requests).where(requests.c.id == row.id).values(**moved))

    def release(self, request_id: int, owner: str) -> None:
        """Ends the lease if `owner` holds it."""
        with self._engine.begin() as connection:
            connection.execute(
                update(requests)
                .where(requests.c.id == request_id, requests.c.lease_owner == owner)
                .values(lease_owner=None, lease_until=None)
            )
