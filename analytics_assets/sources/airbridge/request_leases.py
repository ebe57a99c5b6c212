"""The requests that one process holds: leased before a step, renewed in the background until they are released."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from logging import Logger
from typing import Final

from analytics_assets.clock import Clock
from analytics_assets.errors import SourceError
from analytics_assets.state.leases import Leases
from analytics_assets.state.threads import Threads

LEASE_S: Final = 120.0
# A renewal may wait 30 s for a locked database, fail and be repeated once, all before the lease ends.
RENEW_S: Final = 40.0
REPEAT_S: Final = 2.0


class RequestLeases:
    """The leases of one process of one run."""

    def __init__(
        self, ledger: Leases, run: str, *, clock: Clock, sleep: Callable[[float], Awaitable[None]], log: Logger
    ) -> None:
        """Holds nothing yet.

        The owner is this process: one run can be started twice, by two daemons or after a crash, and both processes have its id.
        """
        self.owner = f"{run}/{uuid.uuid4().hex}"
        self._ledger, self._clock, self._sleep, self._log = ledger, clock, sleep, log
        self._held: set[int] = set()
        # A thread of its own: a slow write of a day or a status must not delay a renewal.
        self._threads = Threads(1)
        self._renewal: asyncio.Future[None] | None = None

    async def take(self, request_id: int) -> bool:
        """Takes or renews the lease of a request; False if another process holds it or the request is closed."""
        # Counted as held before it is: a caller that is cancelled meanwhile leaves a lease behind, which `close` ends.
        self._held.add(request_id)
        if self._renewal is None:
            self._renewal = asyncio.ensure_future(self._renew())
        is_held = request_id in await self._lease([request_id])
        if not is_held:
            self._held.discard(request_id)
        return is_held

    async def release(self, request_id: int) -> None:
        """Ends the lease of a request at once, so that another process can continue with it."""
        self._held.discard(request_id)
        try:
            await self._threads.call(self._ledger.release, request_id, self.owner)
        except SourceError as error:
            line = "The lease of report request %d ends by itself in %.0f s: %s"
            await self._threads.call(self._log.warning, line, request_id, LEASE_S, error)

    async def close(self) -> None:
        """Stops the renewal and ends all leases."""
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.gather(self._renewal, return_exceptions=True)
        for request_id in sorted(self._held):
            await self.release(request_id)
        await self._threads.close()

    async def _renew(self) -> None:
        wait_s = RENEW_S
        while True:
            await self._sleep(wait_s)
            wait_s = RENEW_S
            held = sorted(self._held)
            try:
                self._held -= set(held) - await self._lease(held)
            except SourceError as error:
                wait_s = REPEAT_S
                line = "The leases of report requests are not renewed; repeated in %.0f s: %s"
                # A line of a run is a row of Dagster's database, which can be down together with ours. The renewal goes on.
                with suppress(Exception):
                    await self._threads.call(self._log.warning, line, wait_s, error)

    async def _lease(self, request_ids: list[int]) -> set[int]:
        return await self._threads.call(
            self._ledger.lease_all, request_ids, self.owner, seconds=LEASE_S, now=self._clock()
        )
