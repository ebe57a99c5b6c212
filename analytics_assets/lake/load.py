"""Loads days of a stream into the lake: fetches ahead, validates, stores raw and then typed tables, one day after the other.

Days are read several at once and stored in order, so that memory stays flat and the network is never idle. A bad day is reported and the
others go on; a refused account, an unreachable vendor or a lake that cannot be written ends the asking. What one attempt family has stored is not requested again.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property, partial
from typing import Any, Final

from analytics_assets.clock import Clock
from analytics_assets.errors import STOPS_REQUESTS, LakeError, NotFinalError, SourceError, TransientError
from analytics_assets.lake.confirmations import last_request
from analytics_assets.lake.footer import Footer
from analytics_assets.lake.loss import LossPolicy
from analytics_assets.lake.prepare import DayPreparer
from analytics_assets.lake.prepared import PreparedDay
from analytics_assets.lake.raw import RawDay
from analytics_assets.lake.store import Lake, ReplacedError, StoredDay, refuse_other_mode
from analytics_assets.lake.stream import DayFetcher, Stream

# Tag of runs that may replace sandbox numbers in a live lake, or live numbers in a sandbox lake.
REPLACE_TAG: Final = "analytics/replace_other_mode"
_ATTEMPTS: Final = 5


@dataclass(frozen=True)
class DayResult:
    """What became of one day.

    Attributes:
        day: The day.
        tables: What stands now, by table name, for the selected tables; empty where the day failed.
        figures: Numbers and notes of each table, by table name.
        error: Why the day was not stored, or None.
        requested_at: Instant its raw was requested, where the stream has raw.
        was_requested: True if the vendor was asked for it.
        quarantine: Where the response that could not be used is kept, or None.
        spent: Requests, repeats and seconds waited for its raw, as metadata by name; empty where nothing was asked.
    """

    day: date
    tables: Mapping[str, StoredDay] = field(default_factory=dict)
    figures: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    error: SourceError | None = None
    requested_at: datetime | None = None
    was_requested: bool = False
    quarantine: str | None = None
    spent: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class DayLoader:
    """How days come in.

    Attributes:
        lake: Where to.
        selected: Names of the tables to be stored; without the raw one, raw is read and nothing is asked.
        attempt_group: The attempts that belong together.
        clock: The present instant.
        is_sandbox: True if the numbers are invented.
        since: For a re-execution, the instant its first attempt began; what anybody has requested since then is not requested again.
        loss: What is done about a day that would lose most of its rows.
        replaces_other_mode: True if files of the other mode go to the quarantine; else their days fail.
    """

    lake: Lake
    selected: Collection[str]
    attempt_group: str
    clock: Clock
    is_sandbox: bool
    since: datetime | None = None
    loss: LossPolicy = field(default_factory=LossPolicy)
    replaces_other_mode: bool = False

    @cached_property
    def _preparer(self) -> DayPreparer:
        return DayPreparer(
            self.lake,
            self.selected,
            self.attempt_group,
            self.is_sandbox,
            self.clock,
            self.loss,
            replaces_other_mode=self.replaces_other_mode,
        )

    async def load(self, stream: Stream, days: Sequence[date], fetcher: DayFetcher) -> AsyncGenerator[DayResult, None]:
        """Yields what became of each day, in order; `fetcher` requests those that are not stored yet.

        Close the generator (`contextlib.aclosing`) where it is not read to its end: days still being fetched are let go then.
        A `LakeError` comes at once where nothing could be kept. An error that is no `SourceError` is a fault of this program and ends the whole.
        """
        stream = stream.of_lake(self.lake)
        # In a thread: a bucket takes its time for each day, and whatever else this loop does goes on meanwhile.
        to_fetch, refused = await asyncio.to_thread(self._plan, stream, days)
        if to_fetch:
            await asyncio.to_thread(self.lake.files.check_writable)
        fetcher.announce(to_fetch)
        slots = asyncio.Semaphore(stream.ahead)
        fetches = {day: asyncio.ensure_future(_fetch(fetcher, day, slots)) for day in to_fetch}
        preparations: dict[date, asyncio.Future[PreparedDay]] = {}
        given_up: dict[date, SourceError] = {}

        def prepare(day: date) -> None:
            if day not in preparations:
                preparations[day] = asyncio.ensure_future(
                    self._prepared(stream, day, fetches.get(day), refused.get(day))
                )

        try:
            for day, following in zip(days, [*days[1:], None], strict=True):
                if day in given_up:
                    yield DayResult(day, error=given_up[day])
                    continue
                prepare(day)
                result = await self._load_day(
                    stream,
                    day,
                    preparations.pop(day),
                    # While a day waits for the disk, and for whoever reads the results, the next one is made.
                    then=partial(prepare, following) if following is not None else _nothing,
                    on_stored=fetcher.on_stored if day in fetches else None,
                )
                if fetches.pop(day, None) is not None:
                    # Nothing keeps the day in memory once its slot is free.
                    slots.release()
                if isinstance(result.error, STOPS_REQUESTS):
                    # What has been answered already is stored, or it would have to be requested again.
                    unanswered = [other for other, pending in fetches.items() if not pending.done()]
                    _cancel(fetches[other] for other in unanswered)
                    cause = result.error
                    given_up |= {other: type(cause)(cause.message, remedy=cause.remedy) for other in unanswered}
                yield result
        finally:
            pending: list[asyncio.Future[Any]] = [*fetches.values(), *preparations.values()]
            _cancel(pending)
            await asyncio.gather(*pending, return_exceptions=True)

    def _plan(self, stream: Stream, days: Sequence[date]) -> tuple[list[date], dict[date, SourceError]]:
        """The days to request, and those that cannot be; decided once, so that a day that becomes final meanwhile is not half asked."""
        to_fetch: list[date] = []
        refused: dict[date, SourceError] = {}
        closed: LakeError | None = None
        confirmed: Mapping[date, Footer] = {}
        if stream.raw is not None:
            confirmed = self.lake.confirmed(stream.account, stream.raw.name, days)
            self._preparer.confirmed.update(
                {(stream.account, stream.raw.name, day): confirmed.get(day) for day in days}
            )
        for day in days:
            try:
                if stream.final_at is not None and self.clock() < (final := stream.final_at(day)):
                    raise NotFinalError(
                        "The day is not final yet.", remedy=f"Request it from {final:%Y-%m-%d %H:%M %Z} on.", day=day
                    )
                if closed is not None:
                    # A bucket that does not answer takes a minute to say so, for each day of the range anew.
                    raise LakeError(closed.message, remedy=closed.remedy)
                if self._needs_request(stream, day, confirmed.get(day)):
                    to_fetch.append(day)
            except SourceError as error:
                refused[day] = error
                closed = closed or (error if isinstance(error, LakeError) else None)
        return to_fetch, refused

    def _needs_request(self, stream: Stream, day: date, confirmation: Footer | None) -> bool:
        """True if the day's raw is wanted and was not stored by this family, nor by another, such as the sensor's, since it began."""
        if stream.raw is None or stream.raw.name not in self.selected:
            return False
        existing = self.lake.usable(stream.account, stream.raw.name, day)
        if existing is not None and existing.footer.is_sandbox != self.is_sandbox:
            if self.replaces_other_mode:
                return True
            # Live tables are never made of invented numbers.
            refuse_other_mode(existing, is_sandbox=self.is_sandbox)
        if existing is None or existing.footer.emptied_at or existing.footer.request_hash != stream.request_hash(day):
            return True
        last = last_request(existing.footer, confirmation)
        is_since = self.since is not None and last.requested_at is not None and last.requested_at >= self.since
        return last.attempt_group != self.attempt_group and not is_since

    async def _prepared(
        self, stream: Stream, day: date, fetch: "asyncio.Future[RawDay] | None", refusal: SourceError | None
    ) -> PreparedDay:
        if refusal is not None:
            raise refusal
        raw = await fetch if fetch is not None else None
        return await asyncio.to_thread(self._preparer.prepare_day, stream, day, raw)

    async def _load_day(
        self,
        stream: Stream,
        day: date,
        preparation: "asyncio.Future[PreparedDay]",
        *,
        then: Callable[[], None],
        on_stored: Callable[[date], None] | None,
    ) -> DayResult:
        """Lands a day once it is made; `then` is called in between, and `stored` of a day that was fetched when it is stored."""
        try:
            prepared = await preparation
            then()
            return await asyncio.to_thread(self._store, stream, prepared, on_stored)
        except SourceError as error:
            kept = None
            if error.evidence is not None and error.evidence.body:
                # The response is evidence; failing to keep it must not cost the other days.
                with suppress(SourceError):
                    kept = await asyncio.to_thread(
                        self.lake.quarantine.keep, stream.account, error.evidence, seen_at=self.clock()
                    )
            return DayResult(day, error=error, was_requested=on_stored is not None, quarantine=kept)

    def _store(self, stream: Stream, prepared: PreparedDay, on_stored: Callable[[date], None] | None) -> DayResult:
        for _ in range(_ATTEMPTS):
            try:
                tables = self._published(stream, prepared)
                break
            except ReplacedError:
                # Another process has stored the day since it was made, so it is made again, of the newest raw day.
                prepared = self._preparer.prepare_day(stream, prepared.day, prepared.raw)
        else:
            raise TransientError(
                f"Other processes replaced the files of {stream.account} {_ATTEMPTS} times while the day was stored.",
                remedy="Wait for the other runs to end, then materialize the day again.",
                day=prepared.day,
            )
        if on_stored is not None:
            on_stored(prepared.day)
        return DayResult(
            prepared.day,
            {name: stored for name, stored in tables.items() if name in self.selected},
            prepared.figures,
            requested_at=prepared.requested_at,
            was_requested=on_stored is not None,
            spent={} if prepared.raw is None else prepared.raw.spent,
        )

    def _published(self, stream: Stream, prepared: PreparedDay) -> dict[str, StoredDay]:
        """Stores the files of a day, each only if neither it nor the raw day has been replaced since the day was made.

        Raises:
            ReplacedError: One has been.
        """
        lake, account, day = self.lake, stream.account, prepared.day
        existing_files = {lake.path(account, name, day): stored for name, stored in prepared.existing_files.items()}
        marks = {path: None if stored is None else stored.mark for path, stored in existing_files.items()}
        raw = None if stream.raw is None else stream.raw.name
        source = [] if raw is None else [lake.path(account, raw, day)]
        tables = {name: stored for name, stored in prepared.existing_files.items() if stored is not None}
        with lake.staged(prepared.files.values()) as staged:
            if raw is not None and prepared.is_loss:
                lake.keep_copy(account, raw, day, mark=marks[source[0]], seen_at=self.clock())
            if prepared.outgrown is not None:
                path = lake.path(account, prepared.outgrown, day)
                lake.take(account, prepared.outgrown, day, mark=marks[path], seen_at=self.clock())
                marks[path] = None
            for name, packed in prepared.files.items():
                unchanged = {path: marks[path] for path in [*source, packed.path]}
                tables[name] = lake.publish(packed, staged, unchanged=unchanged)
                marks[packed.path] = tables[name].mark
                if stream.history is not None and name == stream.history.table.name:
                    # Before the table it is of, also through a power cut.
                    staged.sync()
            staged.sync()
        # Only once the day is stored: a process that is killed before costs one more request.
        if raw is not None and raw in prepared.files and prepared.files[raw].confirms:
            lake.confirm(prepared.files[raw])
        if raw is not None and not lake.files.is_local:
            # A bucket has no locks: another writer can have come between a comparison and an upload.
            present = lake.stored_day(account, raw, day)
            if present is None or present.footer != tables[raw].footer:
                raise ReplacedError(lake.files.named(source[0]))
        return tables


async def _fetch(fetcher: DayFetcher, day: date, slots: asyncio.Semaphore) -> RawDay:
    """Waits for a slot; it is given back when the day is stored, so that few days are held in memory at once."""
    await slots.acquire()
    return await fetcher.fetch(day)


def _nothing() -> None:
    """After the last day."""


def _cancel(pending: Iterable["asyncio.Future[Any]"]) -> None:
    for one in pending:
        one.cancel()
