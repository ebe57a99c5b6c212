"""Makes a day of a stream: everything that can be done before the first of its tables becomes visible, and without writing.

The answer is checked, the typed tables are made from it, compared with what stands, and packed; what was seen in the lake meanwhile is told,
so that whoever lands the day can see whether it still is so. A day can so be made while the one before it lands (`landing.py`).
Keep the order of days out of here, and what a file looks like too (`store.py`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from analytics_assets.errors import Evidence, PermanentError, UnexpectedPayloadError
from analytics_assets.lake.changes import counted
from analytics_assets.lake.footer import Footer
from analytics_assets.lake.raw import RawDay
from analytics_assets.lake.store import Lake, Landed, Packed, refuse_other_mode
from analytics_assets.lake.stream import Change, History, Stream
from analytics_assets.lake.table import Table, ValidDay


@dataclass(frozen=True)
class MadeDay:
    """A day that needs only to be promoted.

    Attributes:
        day: The day.
        raw: What was read, as given.
        files: The tables to promote, by name, in this order.
        figures: Numbers and notes of each table, by table name.
        requested_at: Instant its raw was asked for, where the stream has raw.
        seen: What stood in its tables when it was made.
        outgrown: Table whose standing rows it cannot hold any more, and of which there is no other copy, or None.
    """

    day: date
    raw: RawDay | None
    files: Mapping[str, Packed]
    figures: Mapping[str, Mapping[str, Any]]
    requested_at: datetime | None
    seen: Mapping[str, Landed | None]
    outgrown: str | None = None


@dataclass(frozen=True)
class Making:
    """How days are made; attributes as in `Landing`."""

    lake: Lake
    selected: Collection[str]
    family: str
    is_sandbox: bool

    def seen(self, stream: Stream, day: date) -> dict[str, Landed | None]:
        """What stands in the tables that a day is made of or lands in; a damaged file is refused."""
        history = self._history(stream)
        tables = [
            *([] if stream.raw is None else [stream.raw]),
            *([] if history is None else [history.table]),
            *(table for table in stream.typed if table.name in self.selected),
        ]
        return {table.name: self.lake.landed(stream.account, table.name, day) for table in tables}

    def made(self, stream: Stream, day: date, raw: RawDay | None) -> MadeDay:
        """The day from what was read of it, or from the raw rows that stand.

        Raises:
            SourceError: The day cannot be made; nothing of it may land.
        """
        seen = self.seen(stream, day)
        standing = None if stream.raw is None else seen[stream.raw.name]
        if standing is not None:
            refuse_other_mode(standing, is_sandbox=self.is_sandbox)
        if raw is None or (standing is not None and _is_older(raw, standing.footer)):
            fresh, content = None, self._standing_content(stream, day, standing)
        else:
            fresh = _valid_raw(stream, day, raw)
            content = fresh.content
        made, figures = _typed(stream, day, content)
        files: dict[str, Packed] = {}
        if raw is not None and fresh is not None:
            files[fresh.table.name] = self.lake.pack(
                stream.account,
                fresh.table,
                day,
                fresh,
                standing,
                asked=stream.asked(day),
                family=self.family,
                requested_at=raw.requested_at,
                is_sandbox=self.is_sandbox,
            )
            figures[fresh.table.name] = raw.notes
        stands = next((one.footer for one in (*files.values(), standing) if one is not None), None)
        requested_at = None if stands is None else stands.requested_at
        observed_at = requested_at if stream.is_snapshot else None
        asked = "" if standing is None else standing.footer.asked
        answers = asked if fresh is None else stream.asked(day)
        packed = {
            table.name: self._packed(
                stream, table, day, made[table.name], seen, answers=answers, observed_at=observed_at
            )
            for table in stream.typed
            if table.name in self.selected
        }
        # Another question has other answers: nobody corrected anything.
        other = {
            name
            for name, one in packed.items()
            if one.standing is not None and (one.standing.footer.answers or asked or answers) != answers
        }
        before = self._before(stream, day, {name: one for name, one in packed.items() if name not in other})
        for table in (one for one in stream.typed if one.name in before):
            old, new = before[table.name], made[table.name].content
            figures[table.name] = {**figures[table.name], **counted(table, old, new), **stream.moved(table, old, new)}
        figures |= {name: {**figures[name], "question_changed": True} for name in other}
        outgrown = None
        if (history := self._history(stream)) is not None:
            held = self._standing_as(history.table, stream, day)
            if held is None:
                outgrown = history.table.name
                held = history.table.schema.empty_table()
                figures[history.of] = {**figures[history.of], "history_begins_anew": True}
            if history.of in before:
                # Of raw rows that stood already nothing says what the table was made from before.
                before_at = None if standing is None or fresh is None else standing.footer.requested_at
                change = Change(before[history.of], made[history.of].content, held, content, requested_at, before_at)
                held, moved = history.grown(change)
                figures[history.of] = {**figures[history.of], **moved}
            # Before the table it is of: a crash between the two loses no change.
            files[history.table.name] = self._packed(stream, history.table, day, held, seen)
            figures[history.table.name] = {"restatements": files[history.table.name].rows}
        return MadeDay(day, raw, {**files, **packed}, figures, requested_at, seen, outgrown)

    def _packed(
        self,
        stream: Stream,
        table: Table,
        day: date,
        content: pa.Table | ValidDay,
        seen: Mapping[str, Landed | None],
        *,
        answers: str = "",
        observed_at: datetime | None = None,
    ) -> Packed:
        return self.lake.pack(
            stream.account,
            table,
            day,
            content,
            seen[table.name],
            requested_at=observed_at,
            is_sandbox=self.is_sandbox,
            answers=answers,
        )

    def _before(self, stream: Stream, day: date, packed: Mapping[str, Packed]) -> dict[str, pa.Table]:
        """What stands in the tables to be landed, where that differs from what was made and can be compared with it."""
        changed = {
            name
            for name, one in packed.items()
            if one.standing is not None and one.standing.footer.content_hash != one.footer.content_hash
        }
        held = {table.name: self._standing_as(table, stream, day) for table in stream.typed if table.name in changed}
        return {name: content for name, content in held.items() if content is not None}

    def _standing_as(self, table: Table, stream: Stream, day: date) -> pa.Table | None:
        """The day that stands, null in columns declared later; None where it has others, as a report has that was grouped by other fields."""
        held = self.lake.held(stream.account, table.name, day)
        if held is None:
            return table.schema.empty_table()
        types = {field.name: field.type for field in table.schema}
        if not set(table.key) <= set(held.schema.names) or any(types.get(one.name) != one.type for one in held.schema):
            return None
        known = set(held.schema.names)
        return pa.table(
            {name: held[name] if name in known else pa.nulls(held.num_rows, of) for name, of in types.items()}
        )

    def _history(self, stream: Stream) -> History | None:
        """The history, where it is selected or the table it is of."""
        history = stream.history
        is_kept = history is not None and not {history.of, history.table.name}.isdisjoint(self.selected)
        return history if is_kept else None

    def _standing_content(self, stream: Stream, day: date, standing: Landed | None) -> pa.Table | None:
        """The raw day that stands, for the typed tables to be made from."""
        if stream.raw is None:
            return None
        if standing is None:
            raise PermanentError(
                f"{day} does not stand in {stream.account}/{stream.raw.name}, so there is nothing to make the typed tables from. "
                f"Materialize {stream.raw.name} together with them."
            )
        if gone := standing.footer.emptied_at:
            words = f"were removed on {gone:%Y-%m-%d}, as ANALYTICS_KEEP_RAW_DAYS says; what was made from them stands"
            raise PermanentError(f"The answers of {day} {words}. Materialize {stream.raw.name} too, to ask anew.")
        return self.lake.read(stream.account, stream.raw, [day])


def _valid_raw(stream: Stream, day: date, raw: RawDay) -> ValidDay:
    """The raw day just read; where it is not valid, its rows are the evidence."""
    assert stream.raw is not None, "only a stream with a raw table is read"
    try:
        return stream.raw.valid_day(raw.content, day)
    except UnexpectedPayloadError as error:
        error.evidence = error.evidence or _evidence(stream, day, raw.content)
        raise


def _typed(
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
