"""Makes a day of a stream: everything that can be done before the first of its tables becomes visible, and without writing.

The response is checked, the typed tables are made from it, compared with what stands, and packed; what was seen in the lake meanwhile is told,
so that whoever stores the day can see whether it still is so. A day can so be made while the one before it is stored (`load.py`).
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Final

import msgspec
import pyarrow as pa

from analytics_assets.clock import Clock
from analytics_assets.errors import (
    EarlierSchemaError,
    LossError,
    PermanentError,
    SourceError,
    UnusableFileError,
)
from analytics_assets.lake.confirmations import is_older, is_repeated, last_request
from analytics_assets.lake.content import content_hash, is_altered
from analytics_assets.lake.diff import compare
from analytics_assets.lake.footer import Footer
from analytics_assets.lake.loss import LossPolicy
from analytics_assets.lake.parquet_reader import DayFile
from analytics_assets.lake.prepared import Draft, PreparedDay, evidence_of, valid_raw, valid_typed
from analytics_assets.lake.raw import RawDay
from analytics_assets.lake.store import Lake, Packed, StoredDay, refuse_other_mode
from analytics_assets.lake.stream import Change, History, Stream
from analytics_assets.lake.table import Table, ValidDay

_OTHER_MODE: Final = "its numbers are of the other mode"


@dataclass(frozen=True)
class DayPreparer:
    """How days are made; attributes as in `DayLoader`.

    Attributes:
        confirmed: Confirmations that were read for many days at once, by account, raw table and day. A day that is made again reads its own.
    """

    lake: Lake
    selected: Collection[str]
    attempt_group: str
    is_sandbox: bool
    clock: Clock
    loss: LossPolicy
    replaces_other_mode: bool = False
    confirmed: dict[tuple[str, str, date], Footer | None] = field(default_factory=dict)
    _taken: dict[date, dict[str, str]] = field(default_factory=dict)

    def existing_files(self, stream: Stream, day: date) -> dict[str, StoredDay | None]:
        """The stored day of each table that a day is made from or stored in; a damaged file is refused."""
        return {table: self.lake.stored_day(stream.account, table, day) for table in self._tables(stream)}

    def prepare_day(self, stream: Stream, day: date, raw: RawDay | None) -> PreparedDay:
        """The day from what was read of it, or from the raw rows that stand.

        Raises:
            SourceError: The day cannot be made; nothing of it may be stored.
        """
        tables = self._tables(stream)
        for _ in tables:
            try:
                return self._with_taken(self._prepare(stream, day, raw))
            except UnusableFileError as error:
                is_raw = stream.raw is not None and error.table == stream.raw.name
                if error.table not in tables or (is_raw and error.table not in self.selected):
                    raise
                if isinstance(error, EarlierSchemaError):
                    self._refuse_to_lose(stream, day, raw, error)
                examine = partial(self._examine, stream)
                if path := self.lake.take_unusable(
                    stream.account, error.table, day, examine=examine, seen_at=self.clock()
                ):
                    self._taken.setdefault(day, {})[error.table] = path
                if is_raw and raw is None:
                    # Its rows are needed; another attempt finds the place empty and requests them.
                    raise
        return self._with_taken(self._prepare(stream, day, raw))

    def _refuse_to_lose(self, stream: Stream, day: date, raw: RawDay | None, error: EarlierSchemaError) -> None:
        """Raises the error unless the existing raw rows give the rows of the file again.

        A new response has to be compared with them first, for losses and restatements; a history is nowhere else.
        """
        is_history = stream.history is not None and error.table == stream.history.table.name
        if raw is not None or (is_history and error.rows):
            raise error
        existing = None if stream.raw is None else self.lake.usable(stream.account, stream.raw.name, day)
        try:
            if existing is not None:
                refuse_other_mode(existing, is_sandbox=self.is_sandbox)
            valid_typed(stream, day, self._existing_content(stream, day, existing))
        except SourceError as reason:
            raise error from reason

    def _with_taken(self, typed: PreparedDay) -> PreparedDay:
        """The day, with the files that were moved to the quarantine for it among its figures."""
        # Only of its own day: another thread may be making the next one.
        taken = self._taken.get(typed.day, {})
        figures = {name: {**typed.figures.get(name, {}), "unusable_file_kept_in": path} for name, path in taken.items()}
        return replace(typed, figures={**typed.figures, **figures}) if taken else typed

    def _is_replaceable(self, footer: Footer) -> bool:
        """True if a file is of the other mode and may be replaced."""
        return self.replaces_other_mode and footer.is_sandbox != self.is_sandbox

    def _examine_existing(self, stream: Stream, table: str, day: date) -> None:
        """Reads the file of a day, if there is one; raises as `_examine`."""
        with suppress(FileNotFoundError):
            self._examine(stream, self.lake.place(stream.account, table, day))

    def _examine(self, stream: Stream, place: DayFile) -> pa.Table:
        """The rows of a file, read to its end and compared with its footer.

        Raises:
            FileNotFoundError: There is no such file.
            UnusableFileError: It has to be replaced.
        """
        with place.opened() as (parquet, footer):
            content = parquet.read()
        if self._is_replaceable(footer):
            raise place.error(_OTHER_MODE)
        history = [] if stream.history is None else [stream.history.table]
        for table in (*stream.typed, *history):
            if table.name == place.table and is_altered(table, content, footer.content_hash):
                raise place.error("its content is not what its footer says")
        return content

    def _tables(self, stream: Stream) -> list[str]:
        """Names of the tables that a day is made from or stored in."""
        history = self._history(stream)
        tables = [*([] if stream.raw is None else [stream.raw]), *([] if history is None else [history.table])]
        return [*(table.name for table in tables), *(one.name for one in stream.typed if one.name in self.selected)]

    def _prepare(self, stream: Stream, day: date, raw: RawDay | None) -> PreparedDay:
        existing_files = self.existing_files(stream, day)
        for name, stored_day in existing_files.items():
            if stored_day is not None and self._is_replaceable(stored_day.footer):
                raise self.lake.place(stream.account, name, day).error(_OTHER_MODE)
        existing = None if stream.raw is None else existing_files[stream.raw.name]
        if existing is not None:
            refuse_other_mode(existing, is_sandbox=self.is_sandbox)
        limits = set() if raw is None or existing is None else self._new_limits(stream, day, raw, existing)
        kept = {one.name: {"kept_without": ", ".join(sorted(limits))} for one in [stream.raw] if one and limits}
        if limits and existing is not None and existing.footer.emptied_at:
            # There are no raw rows to make anything from; what was made from them stays.
            return PreparedDay(day, raw, {}, kept, existing.footer.requested_at, existing_files)
        draft = self._drafted(stream, day, None if limits else raw, existing_files)
        draft.figures.update(kept)
        is_loss = self._judge_loss(draft)
        before = self._compared(draft)
        if (history := self._history(stream)) is not None:
            self._add_history(draft, history, before.get(history.of))
        requested_at = None if draft.source is None else draft.source.requested_at
        observed_at = requested_at if stream.is_snapshot else None
        for table in (one for one in stream.typed if one.name in self.selected):
            about = Footer(
                draft.hashes[table.name],
                requested_at=observed_at,
                is_sandbox=self.is_sandbox,
                raw_request_hash=draft.raw_request_hash,
                losses=_own(draft.source, table.name),
            )
            draft.contents[table.name] = table, draft.typed[table.name], about
        for name in draft.contents:
            stored = draft.existing_files[name]
            if stored is not None and stored.footer.content_hash == draft.hashes[name]:
                # The file would stay as it is.
                self._examine_existing(stream, name, day)
        files = self._packed(draft)
        shown_at = draft.last.requested_at if draft.fresh is None and draft.last is not None else requested_at
        return PreparedDay(day, raw, files, draft.figures, shown_at, draft.existing_files, draft.outgrown, is_loss)

    def _drafted(
        self, stream: Stream, day: date, raw: RawDay | None, existing_files: Mapping[str, StoredDay | None]
    ) -> Draft:
        existing = None if stream.raw is None else existing_files[stream.raw.name]
        last = None
        if stream.raw is not None and existing is not None:
            last = self._last_request(stream.account, stream.raw.name, day, existing.footer)
        if raw is None or (last is not None and is_older(raw, last)):
            fresh, content = None, self._existing_content(stream, day, existing)
            source = None if existing is None else existing.footer
            raw_request_hash = "" if source is None else source.request_hash
        else:
            fresh = valid_raw(stream, day, raw)
            content, raw_request_hash = fresh.content, stream.request_hash(day)
            raw_hash = content_hash(fresh.table, content)
            source = Footer(raw_hash, raw_request_hash, self.attempt_group, raw.requested_at, self.is_sandbox)
        responses = () if raw is None or fresh is None else raw.responses
        typed, figures = valid_typed(stream, day, content, responses)
        if raw is not None and fresh is not None:
            figures[fresh.table.name] = raw.notes
        hashes = {table.name: content_hash(table, typed[table.name].content) for table in stream.typed}
        return Draft(
            stream,
            day,
            existing_files,
            existing,
            fresh,
            content,
            source,
            last,
            raw_request_hash,
            typed,
            figures,
            hashes,
        )

    def _last_request(self, account: str, table: str, day: date, stored: Footer) -> Footer:
        if (key := (account, table, day)) in self.confirmed:
            return last_request(stored, self.confirmed.pop(key))
        return self.lake.last_request(account, table, day, stored)

    def _new_limits(self, stream: Stream, day: date, raw: RawDay, existing: StoredDay) -> set[str]:
        """What a raw day leaves out by the vendor's own words and the existing one, of the same request, does not."""
        limits = set(stream.limits(raw.content))
        if not limits or stream.raw is None or existing.footer.request_hash != stream.request_hash(day):
            return set()
        return limits - set(stream.limits(self.lake.read(stream.account, stream.raw, [day])))

    def _judge_loss(self, draft: Draft) -> bool:
        """True if the day loses most of its rows to another response to the same request, and that is accepted.

        Raises:
            LossError: It is not accepted.
        """
        stream, existing = draft.stream, draft.existing
        if (
            draft.fresh is None
            or draft.source is None
            or existing is None
            or existing.footer.request_hash != draft.raw_request_hash
        ):
            return False
        before: dict[str, int] = {}
        for table in stream.typed:
            stored_day = draft.existing_files.get(table.name) or self.lake.usable(stream.account, table.name, draft.day)
            if stored_day is not None and stored_day.footer.raw_request_hash in ("", draft.raw_request_hash):
                before[table.name] = stored_day.rows
        after = {name: typed.content.num_rows for name, typed in draft.typed.items()}
        losses = self.loss.losses(before, after)
        try:
            self.loss.refuse(stream.account, draft.day, losses, after)
        except LossError as error:
            error.evidence = evidence_of(draft.fresh.content)
            raise
        for name, rows in losses.items():
            draft.figures[name] = {**draft.figures[name], "rows_before_loss": rows}
        draft.source = msgspec.structs.replace(draft.source, losses=losses)
        return bool(losses)

    def _compared(self, draft: Draft) -> dict[str, pa.Table]:
        """Adds the figures of what changes; returns the existing rows of the tables that do, where the same request was answered."""
        stream, figures, asked = (
            draft.stream,
            draft.figures,
            "" if draft.existing is None else draft.existing.footer.request_hash,
        )
        existing = {
            table: stored_day.footer
            for table in (one.name for one in stream.typed if one.name in self.selected)
            if (stored_day := draft.existing_files[table]) is not None
        }
        # Another question has other responses: nobody corrected anything.
        other = {
            name
            for name, footer in existing.items()
            if (footer.raw_request_hash or asked or draft.raw_request_hash) != draft.raw_request_hash
        }
        changed = {name for name, footer in existing.items() if footer.content_hash != draft.hashes[name]}
        before = self._before(stream, draft.day, changed - other)
        for table in (one for one in stream.typed if one.name in before):
            old, new = before[table.name], draft.typed[table.name].content
            figures[table.name] = {**figures[table.name], **compare(table, old, new)}
        figures |= {name: {**figures[name], "question_changed": True} for name in other}
        return before

    def _add_history(self, draft: Draft, history: History, before: pa.Table | None) -> None:
        """Adds the history of the day with what this load changes in its table."""
        table, figures = history.table, draft.figures
        self._examine_existing(draft.stream, table.name, draft.day)
        held = self._existing_in_schema(table, draft.stream, draft.day)
        if held is None:
            draft.outgrown = table.name
            held = table.schema.empty_table()
            figures[history.of] = {**figures[history.of], "history_begins_anew": True}
        if before is not None:
            requested_at = None if draft.source is None else draft.source.requested_at
            # Of raw rows that stood already nothing says what the table was made from before.
            is_known = draft.existing is not None and draft.fresh is not None
            before_at = draft.last.requested_at if draft.last is not None and is_known else None
            change = Change(before, draft.typed[history.of].content, held, draft.content, requested_at, before_at)
            held, moved = history.grown(change)
            figures[history.of] = {**figures[history.of], **moved}
        rows = table.valid_day(held, draft.day)
        figures[table.name] = {"restatements": rows.content.num_rows}
        draft.hashes[table.name] = content_hash(table, rows.content)
        # Before the table it is of: a crash between the two loses no change.
        draft.contents[table.name] = table, rows, Footer(draft.hashes[table.name], is_sandbox=self.is_sandbox)

    def _packed(self, draft: Draft) -> dict[str, Packed]:
        """The files of the day, the raw one first."""
        files, source, account, day = dict[str, Packed](), draft.source, draft.stream.account, draft.day
        if draft.fresh is not None and source is not None:
            table, about = draft.fresh.table, msgspec.structs.replace(source, typed=draft.hashes)
            packed = self.lake.pack(
                account,
                table,
                day,
                draft.fresh,
                about,
                existing=draft.existing,
                last=draft.last,
                repeats=self._repeats(draft, draft.fresh, source),
            )
            files[table.name], source = packed, packed.footer
        for name, (table, rows, about) in draft.contents.items():
            existing = draft.existing_files[name]
            files[name] = self.lake.pack(account, table, day, rows, about, existing=existing, raw=source)
        return files

    def _repeats(self, draft: Draft, fresh: ValidDay, source: Footer) -> bool:
        """True if the existing raw file can stay: it was read to its end, and the response says the same; raises as `_examine`."""
        stream, existing = draft.stream, draft.existing
        if existing is None or self.lake.confirmations is None or stream.is_snapshot:
            return False
        if existing.footer.content_hash != source.content_hash:
            return False
        try:
            content = self._examine(stream, self.lake.place(stream.account, fresh.table.name, draft.day))
        except FileNotFoundError:
            return False
        return is_repeated(content, fresh, stream.remarks)

    def _before(self, stream: Stream, day: date, changed: Collection[str]) -> dict[str, pa.Table]:
        """The existing rows of tables that change, where they can be compared with new ones."""
        held = {
            table.name: self._existing_in_schema(table, stream, day) for table in stream.typed if table.name in changed
        }
        return {name: content for name, content in held.items() if content is not None}

    def _existing_in_schema(self, table: Table, stream: Stream, day: date) -> pa.Table | None:
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

    def _existing_content(self, stream: Stream, day: date, existing: StoredDay | None) -> pa.Table | None:
        """The raw day that stands, for the typed tables to be made from."""
        if stream.raw is None:
            return None
        if existing is None:
            raise PermanentError(
                f"The day is not stored in {stream.account}/{stream.raw.name}, so there is nothing to make the typed tables from.",
                remedy=f"Materialize {stream.raw.name} together with them.",
                day=day,
            )
        if existing.footer.emptied_at:
            raise PermanentError(
                f"The responses of the day were removed on {existing.footer.emptied_at:%Y-%m-%d} by an earlier version. The typed tables made "
                "from them stay.",
                remedy=f"Materialize {stream.raw.name} too, to request the day again.",
                day=day,
            )
        return self.lake.read(stream.account, stream.raw, [day])


def _own(raw: Footer | None, table: str) -> dict[str, int]:
    """The rows that a table had before it lost most of them, as its raw day says."""
    return {} if raw is None or table not in raw.losses else {table: raw.losses[table]}
