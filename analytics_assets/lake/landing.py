"""Brings days of a stream into the lake: fetch ahead, validate, land raw, land typed, one day after the other.

Days are read several at once and land in order, so that memory stays flat and the network is never idle. A bad day is reported and the
others go on; a refused account or an unreachable vendor ends the asking. What one attempt family has landed is not asked for again.
Keep Dagster out of here (`daily.py` turns results into events) and vendors too (a `Stream` knows its own).
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow as pa

from analytics_assets.clock import Clock
from analytics_assets.errors import (
    AccessRefusedError,
    Evidence,
    NotFinalError,
    PermanentError,
    SourceError,
    UnexpectedPayloadError,
    UnreachableError,
)
from analytics_assets.lake.raw import RawDay
from analytics_assets.lake.store import Footer, Lake, Landed
from analytics_assets.lake.stream import Stream, Typed


@dataclass(frozen=True)
class DayResult:
    """What became of one day.

    Attributes:
        day: The day.
        tables: What stands now, by table name, for the selected tables; empty where the day failed.
        figures: Numbers and notes of each table, by table name.
        error: Why the day did not land, or None.
        is_asked: Whether the vendor was asked for it.
        quarantine: Where the answer that could not be used is kept, or None.
    """

    day: date
    tables: Mapping[str, Landed] = field(default_factory=dict)
    figures: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    error: SourceError | None = None
    is_asked: bool = False
    quarantine: str | None = None


@dataclass(frozen=True)
class Landing:
    """How days come in.

    Attributes:
        lake: Where to.
        selected: Names of the tables to land; without the raw one, raw is read and nothing is asked.
        family: The attempts that belong together.
        clock: The present instant.
        is_sandbox: Whether the numbers are invented.
    """

    lake: Lake
    selected: Collection[str]
    family: str
    clock: Clock
    is_sandbox: bool

    async def bring(self, stream: Stream, days: Sequence[date]) -> AsyncIterator[DayResult]:
        """Yields what became of each day, in order."""
        to_fetch = [day for day in days if self._must_ask(stream, day)]
        stream.announce(to_fetch)
        slots = asyncio.Semaphore(stream.ahead)
        fetches = {day: asyncio.ensure_future(_fetch(stream, day, slots)) for day in to_fetch}
        stopper: SourceError | None = None
        try:
            for day in days:
                if stopper is not None and day in fetches:
                    yield DayResult(day, error=type(stopper)(f"Not asked, because of an earlier day: {stopper}"))
                    continue
                fetch = fetches.pop(day, None)
                result = await self._day(stream, day, fetch)
                if fetch is not None:
                    slots.release()
                if isinstance(result.error, AccessRefusedError | UnreachableError):
                    stopper = result.error
                    _cancel(fetches.values())
                yield result
        finally:
            _cancel(fetches.values())
            await asyncio.gather(*fetches.values(), return_exceptions=True)

    def _must_ask(self, stream: Stream, day: date) -> bool:
        """Whether the day's raw is wanted, final, and not landed by this family already."""
        if stream.raw is None or stream.raw.name not in self.selected or self.clock() < stream.final_at(day):
            return False
        standing = self.lake.landed(stream.account, stream.raw.name, day)
        return standing is None or (standing.footer.family, standing.footer.asked) != (self.family, stream.asked(day))

    async def _day(self, stream: Stream, day: date, fetch: "asyncio.Future[RawDay] | None") -> DayResult:
        try:
            self._refuse_early(stream, day)
            raw = await fetch if fetch is not None else None
            tables, figures = await asyncio.to_thread(self._land, stream, day, raw)
            if raw is not None:
                stream.landed(day)
        except SourceError as error:
            kept = None
            if error.evidence is not None and error.evidence.body:
                kept = self.lake.quarantine(stream.account, error.evidence, seen_at=self.clock())
            return DayResult(day, error=error, is_asked=fetch is not None, quarantine=kept)
        return DayResult(day, tables, figures, is_asked=fetch is not None)

    def _refuse_early(self, stream: Stream, day: date) -> None:
        final_at = stream.final_at(day)
        if self.clock() < final_at:
            raise NotFinalError(f"{day} is not final yet; it can be asked for from {final_at:%Y-%m-%d %H:%M %Z} on.")

    def _land(
        self, stream: Stream, day: date, raw: RawDay | None
    ) -> tuple[dict[str, Landed], dict[str, Mapping[str, Any]]]:
        """Makes and checks all tables of the day before the first of them becomes visible."""
        standing = None if stream.raw is None else self.lake.landed(stream.account, stream.raw.name, day)
        if raw is not None and standing is not None and _is_older(raw, standing.footer):
            raw = None
        content = self._content(stream, day, raw, standing)
        typed = _made(stream, day, content)
        tables: dict[str, Landed] = {}
        figures: dict[str, Mapping[str, Any]] = {name: table.figures for name, table in typed.items()}
        if stream.raw is not None and content is not None:
            if raw is not None:
                standing = self.lake.land(
                    stream.account,
                    stream.raw,
                    day,
                    content,
                    asked=stream.asked(day),
                    family=self.family,
                    requested_at=raw.requested_at,
                    is_sandbox=self.is_sandbox,
                )
                figures[stream.raw.name] = raw.notes
            if standing is not None and stream.raw.name in self.selected:
                tables[stream.raw.name] = standing
        requested_at = None if standing is None else standing.footer.requested_at
        for table in stream.typed:
            if table.name in self.selected:
                tables[table.name] = self.lake.land(
                    stream.account,
                    table,
                    day,
                    typed[table.name].content,
                    requested_at=requested_at,
                    is_sandbox=self.is_sandbox,
                )
        return tables, figures

    def _content(self, stream: Stream, day: date, raw: RawDay | None, standing: Landed | None) -> pa.Table | None:
        """The raw day the typed tables are made from: the one just read, or the one that stands."""
        if stream.raw is None:
            return None
        if raw is not None:
            return stream.raw.validated(raw.content, day)
        if standing is None:
            raise PermanentError(
                f"{stream.account}/{stream.raw.name} has no {day}, so there is nothing to make the typed tables from. "
                f"Materialize {stream.raw.name} together with them."
            )
        return self.lake.read(stream.account, stream.raw, [day])


def _made(stream: Stream, day: date, content: pa.Table | None) -> Mapping[str, Typed]:
    """The typed tables of the day, each a valid one; where they are not, the raw rows are the evidence."""
    try:
        typed = stream.transform(day, content)
        return {
            table.name: Typed(table.validated(typed[table.name].content, day), typed[table.name].figures)
            for table in stream.typed
        }
    except UnexpectedPayloadError as error:
        if error.evidence is not None or content is None:
            raise
        body = "\n".join(map(str, content.to_pylist()))
        raise UnexpectedPayloadError(str(error), evidence=Evidence(f"{stream.account}/{day}", body=body)) from error


def _is_older(raw: RawDay, footer: Footer) -> bool:
    """Whether what was read is older than what stands: a day is only ever replaced by a later reading."""
    return footer.requested_at is not None and raw.requested_at < footer.requested_at


async def _fetch(stream: Stream, day: date, slots: asyncio.Semaphore) -> RawDay:
    """Waits for a slot; it is given back when the day has landed, so that few days are held in memory at once."""
    await slots.acquire()
    return await stream.fetch(day)


def _cancel(fetches: Collection["asyncio.Future[RawDay]"]) -> None:
    for fetch in fetches:
        fetch.cancel()
