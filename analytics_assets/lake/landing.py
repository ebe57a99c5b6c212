"""Brings days of a stream into the lake: fetch ahead, validate, land raw, land typed, one day after the other.

Days are read several at once and land in order, so that memory stays flat and the network is never idle. A bad day is reported and the
others go on; a refused account, an unreachable vendor or a lake that cannot be written ends the asking. What one attempt family has landed is not asked for again.
Keep Dagster out of here (`daily.py` turns results into events) and vendors too (a `Stream` knows its own).
"""

import asyncio
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from analytics_assets.clock import Clock
from analytics_assets.errors import (
    ENDS_ASKING,
    Evidence,
    NotFinalError,
    PermanentError,
    SourceError,
    UnexpectedPayloadError,
)
from analytics_assets.lake.changes import counted
from analytics_assets.lake.content import content_hash
from analytics_assets.lake.raw import RawDay
from analytics_assets.lake.store import Footer, Lake, Landed, refuse_other_mode
from analytics_assets.lake.stream import NOT_ASKED, Change, Stream
from analytics_assets.lake.table import Table, ValidDay


@dataclass(frozen=True)
class DayResult:
    """What became of one day.

    Attributes:
        day: The day.
        tables: What stands now, by table name, for the selected tables; empty where the day failed.
        figures: Numbers and notes of each table, by table name.
        error: Why the day did not land, or None.
        requested_at: Instant its raw was asked for, where the stream has raw.
        is_asked: Whether the vendor was asked for it.
        quarantine: Where the answer that could not be used is kept, or None.
    """

    day: date
    tables: Mapping[str, Landed] = field(default_factory=dict)
    figures: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    error: SourceError | None = None
    requested_at: datetime | None = None
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
        since: For a re-execution, the instant its first attempt began; what anybody has asked for since then is not asked for again.
    """

    lake: Lake
    selected: Collection[str]
    family: str
    clock: Clock
    is_sandbox: bool
    since: datetime | None = None

    async def bring(self, stream: Stream, days: Sequence[date]) -> AsyncGenerator[DayResult, None]:
        """Yields what became of each day, in order.

        Close the generator (`contextlib.aclosing`) where it is not read to its end: days still being fetched are let go then.
        A `LakeError` comes at once where nothing could be kept. An error that is no `SourceError` is a fault of this program and ends the whole.
        """
        to_fetch, refused = self._plan(stream, days)
        if to_fetch:
            self.lake.files.probe()
        stream.announce(to_fetch)
        slots = asyncio.Semaphore(stream.ahead)
        fetches = {day: asyncio.ensure_future(_fetch(stream, day, slots)) for day in to_fetch}
        given_up: dict[date, SourceError] = {}
        try:
            for day in days:
                if day in given_up:
                    yield DayResult(day, error=given_up[day])
                    continue
                fetch = fetches.pop(day, None)
                result = await self._day(stream, day, fetch, refused.get(day))
                if fetch is not None:
                    # Nothing keeps the day in memory once its slot is free.
                    fetch = None
                    slots.release()
                if isinstance(result.error, ENDS_ASKING):
                    # What has been answered already is landed, or it would have to be asked for again.
                    unanswered = [other for other, pending in fetches.items() if not pending.done()]
                    _cancel(fetches[other] for other in unanswered)
                    words = f"{NOT_ASKED}{result.error}"
                    given_up |= {other: type(result.error)(words) for other in unanswered}
                yield result
        finally:
            _cancel(fetches.values())
            await asyncio.gather(*fetches.values(), return_exceptions=True)

    def _plan(self, stream: Stream, days: Sequence[date]) -> tuple[list[date], dict[date, SourceError]]:
        """The days to ask for, and those that cannot be; decided once, so that a day that becomes final meanwhile is not half asked."""
        to_fetch: list[date] = []
        refused: dict[date, SourceError] = {}
        for day in days:
            try:
                if self.clock() < (final := stream.final_at(day)):
                    raise NotFinalError(
                        f"{day} is not final yet; it can be asked for from {final:%Y-%m-%d %H:%M %Z} on."
                    )
                if self._must_ask(stream, day):
                    to_fetch.append(day)
            except SourceError as error:
                refused[day] = error
        return to_fetch, refused

    def _must_ask(self, stream: Stream, day: date) -> bool:
        """Whether the day's raw is wanted and was not landed by this family, nor by another, such as the sensor's, since it began."""
        if stream.raw is None or stream.raw.name not in self.selected:
            return False
        standing = self._standing(stream, stream.raw, day)
        if standing is None or standing.footer.asked != stream.asked(day):
            return True
        asked_at = standing.footer.requested_at
        is_since = self.since is not None and asked_at is not None and asked_at >= self.since
        return standing.footer.family != self.family and not is_since

    def _standing(self, stream: Stream, raw: Table, day: date) -> Landed | None:
        """The raw day that stands, or None; a damaged one is refused, and one of the other mode: live tables are never made of invented numbers."""
        standing = self.lake.landed(stream.account, raw.name, day)
        if standing is not None:
            refuse_other_mode(standing, is_sandbox=self.is_sandbox)
        return standing

    async def _day(
        self, stream: Stream, day: date, fetch: "asyncio.Future[RawDay] | None", refusal: SourceError | None
    ) -> DayResult:
        try:
            if refusal is not None:
                raise refusal
            raw = await fetch if fetch is not None else None
            landed = await asyncio.to_thread(self._land, stream, day, raw)
            if raw is not None:
                await asyncio.to_thread(stream.landed, day)
        except SourceError as error:
            kept = None
            if error.evidence is not None and error.evidence.body:
                # The answer is evidence; failing to keep it must not cost the other days.
                with suppress(SourceError):
                    kept = self.lake.quarantine(stream.account, error.evidence, seen_at=self.clock())
            return DayResult(day, error=error, is_asked=fetch is not None, quarantine=kept)
        return replace(landed, is_asked=fetch is not None)

    def _land(self, stream: Stream, day: date, raw: RawDay | None) -> DayResult:
        """Makes and checks all tables of the day before the first of them becomes visible."""
        standing = None if stream.raw is None else self._standing(stream, stream.raw, day)
        if raw is not None and standing is not None and _is_older(raw, standing.footer):
            raw = None
        fresh = None if raw is None else _valid_raw(stream, day, raw)
        content = self._standing_content(stream, day, standing) if fresh is None else fresh.content
        made, figures = _made(stream, day, content)
        before = self._before(stream, day, made)
        tables: dict[str, Landed] = {}
        if stream.raw is not None:
            if raw is not None and fresh is not None:
                standing = self.lake.land(
                    stream.account,
                    stream.raw,
                    day,
                    fresh,
                    asked=stream.asked(day),
                    family=self.family,
                    requested_at=raw.requested_at,
                    is_sandbox=self.is_sandbox,
                )
                figures[stream.raw.name] = raw.notes
            if standing is not None and stream.raw.name in self.selected:
                tables[stream.raw.name] = standing
        requested_at = None if standing is None else standing.footer.requested_at
        for table in (one for one in stream.typed if one.name in before):
            old, new = before[table.name], made[table.name].content
            figures[table.name] = {**figures[table.name], **counted(table, old, new), **stream.moved(table, old, new)}
        if stream.history is not None:
            self._keep(stream, day, tables, figures, before=before, made=made, raw=content, requested_at=requested_at)
        for table in stream.typed:
            if table.name in self.selected:
                tables[table.name] = self.lake.land(
                    stream.account,
                    table,
                    day,
                    made[table.name],
                    is_sandbox=self.is_sandbox,
                )
        return DayResult(day, tables, figures, requested_at=requested_at)

    def _before(self, stream: Stream, day: date, made: Mapping[str, ValidDay]) -> dict[str, pa.Table]:
        """What stands in the tables to be landed, where that differs from what was made."""
        before = {}
        for table in stream.typed:
            standing = self.lake.landed(stream.account, table.name, day) if table.name in self.selected else None
            if standing is not None and standing.footer.content_hash != content_hash(table, made[table.name].content):
                before[table.name] = self.lake.read(stream.account, table, [day])
        return before

    def _keep(
        self,
        stream: Stream,
        day: date,
        tables: dict[str, Landed],
        figures: dict[str, Mapping[str, Any]],
        *,
        before: Mapping[str, pa.Table],
        made: Mapping[str, ValidDay],
        raw: pa.Table | None,
        requested_at: datetime | None,
    ) -> None:
        """Lands the history, selected or not, before the table it is of: a crash between the two loses no change."""
        history = stream.history
        assert history is not None
        if not {history.of, history.table.name} & set(self.selected):
            return
        content = self.lake.read(stream.account, history.table, [day])
        if history.of in before:
            change = Change(before[history.of], made[history.of].content, content, raw, requested_at)
            content, moved = history.grown(change)
            figures[history.of] = {**figures[history.of], **moved}
        landed = self.lake.land(stream.account, history.table, day, content, is_sandbox=self.is_sandbox)
        figures[history.table.name] = {"restatements": landed.rows}
        if history.table.name in self.selected:
            tables[history.table.name] = landed

    def _standing_content(self, stream: Stream, day: date, standing: Landed | None) -> pa.Table | None:
        """The raw day that stands, for the typed tables to be made from."""
        if stream.raw is None:
            return None
        if standing is None:
            raise PermanentError(
                f"{day} does not stand in {stream.account}/{stream.raw.name}, so there is nothing to make the typed tables from. "
                f"Materialize {stream.raw.name} together with them."
            )
        return self.lake.read(stream.account, stream.raw, [day])


def _valid_raw(stream: Stream, day: date, raw: RawDay) -> ValidDay:
    """The raw day just read; where it is not valid, its rows are the evidence."""
    assert stream.raw is not None, "only a stream with a raw table is read"
    try:
        return stream.raw.valid_day(raw.content, day)
    except UnexpectedPayloadError as error:
        error.evidence = error.evidence or _evidence(stream, day, raw.content)
        raise


def _made(
    stream: Stream, day: date, content: pa.Table | None
) -> tuple[Mapping[str, ValidDay], dict[str, Mapping[str, Any]]]:
    """The typed tables of the day, each a valid one, and their figures; where they are not valid, the raw rows are the evidence."""
    try:
        typed = stream.transform(day, content)
        made = {table.name: table.valid_day(typed[table.name].content, day) for table in stream.typed}
        return made, {table.name: typed[table.name].figures for table in stream.typed}
    except UnexpectedPayloadError as error:
        if content is not None:
            error.evidence = error.evidence or _evidence(stream, day, content)
        raise


def _evidence(stream: Stream, day: date, content: pa.Table) -> Evidence:
    """The raw rows of a day, where an error does not name the answer itself."""
    return Evidence(f"{stream.account}/{day}", body="\n".join(map(str, content.to_pylist())))


def _is_older(raw: RawDay, footer: Footer) -> bool:
    """Whether what was read is older than what stands: a day is only ever replaced by a later reading."""
    return footer.requested_at is not None and raw.requested_at < footer.requested_at


async def _fetch(stream: Stream, day: date, slots: asyncio.Semaphore) -> RawDay:
    """Waits for a slot; it is given back when the day has landed, so that few days are held in memory at once."""
    await slots.acquire()
    return await stream.fetch(day)


def _cancel(fetches: Iterable["asyncio.Future[RawDay]"]) -> None:
    for fetch in fetches:
        fetch.cancel()
