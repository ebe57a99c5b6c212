"""The days of a finished report, split off its pages as they arrive.

A report can have millions of values, so no page is kept: its sub-rows are written aside, compressed, by day. Up to `memory_bytes` of them
stay in memory; more are in a temporary file. A raw day has one row for each group, the sub-row as sent.
"""

import tempfile
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from threading import Lock
from typing import IO, Any, Final

import msgspec
import pyarrow as pa

from analytics_assets.errors import Evidence, PermanentError, UnexpectedPayloadError
from analytics_assets.http.fields import unknown_fields
from analytics_assets.lake.raw import RawDay, repaired
from analytics_assets.lake.table import DATE
from analytics_assets.sources.airbridge.cells import roas_row
from analytics_assets.sources.airbridge.group_totals import Difference, What
from analytics_assets.sources.airbridge.numbers import Votes, votes_of
from analytics_assets.sources.airbridge.paging import Page, declared_groups
from analytics_assets.sources.airbridge.report_spec import ReportSpec, reached_intervals, spec_hash
from analytics_assets.sources.airbridge.responses import Body, Group, shown, sub_row
from analytics_assets.sources.airbridge.tables import ADDITIVE_METRICS, ROAS_SCALE, report_raw_table
from analytics_assets.sources.airbridge.transform import codes_of, named

_PARTS: Final = pa.schema(
    [
        ("group_values", pa.string()),
        ("sub_row", pa.large_binary()),
        ("group_total", pa.large_binary()),
        ("total_difference", pa.string()),
    ]
)
# Columns of these are plain sums, or sums with young cohorts carried forward.
_SUMMED_METRICS: Final = frozenset({"app_revenue", "app_event_count"})
_COMPRESSED: Final = pa.ipc.IpcWriteOptions(compression="lz4")


@dataclass(frozen=True)
class FinishedTask:
    """A report task with rows to read.

    Attributes:
        task_id: The vendor's id.
        requested_at: Instant the task was requested.
        first_day: First start date it was requested for.
        last_day: Last start date, included.
    """

    task_id: str
    requested_at: datetime
    first_day: date
    last_day: date


@dataclass
class _Part:
    """What was written aside of one page, and what its days share.

    Attributes:
        places: Offset and length of each day's rows.
        unknown: Paths of fields that are not known here.
        votes: What its rows show the scale of ROAS to be.
    """

    places: dict[date, tuple[int, int]]
    unknown: set[str]
    votes: Votes


def relevant_differences(found: Iterable[Difference], spec: ReportSpec) -> list[Difference]:
    """The differences that mean something for a report: ratios are not sums, and each column has one rule.

    Counts are exact. Amounts may differ by what their rounding explains.
    """
    column: What = "column" if spec.aggregation == "on-day" else "carried column"
    return [
        one
        for one in found
        if spec.metric in ADDITIVE_METRICS
        and (one.interval is None or (one.what == column and spec.metric in _SUMMED_METRICS))
        and (
            (one.interval is not None and spec.metric == "app_event_count")
            or abs(one.total - one.summed) > one.rounding
        )
    ]


class ReportDays:
    """The days of one report; close it after use."""

    def __init__(
        self,
        days: Sequence[date],
        task: FinishedTask,
        spec: ReportSpec,
        *,
        zone: str,
        memory_bytes: int,
        folder: str | None = None,
    ) -> None:
        """Takes pages with `take`; after `finish` each of `days` can be read.

        Args:
            days: The days wanted, of those the task was requested for.
            task: The task that answers.
            spec: What was requested.
            zone: The app's zone.
            memory_bytes: How much is held in memory before a temporary file is used.
            folder: Where that file is; by default the system's folder for temporary files.
        """
        self._days, self._task, self._spec, self._zone = frozenset(days), task, spec, zone
        self._table, self._folder = report_raw_table(spec), folder or tempfile.gettempdir()
        self._aside: IO[bytes] = tempfile.SpooledTemporaryFile(memory_bytes, dir=self._folder)  # noqa: SIM115 - closed by `close`
        # A run that is ended in between leaves no file either.
        self._removed = weakref.finalize(self, self._aside.close)
        # Pages are taken and days are read in threads.
        self._lock = Lock()
        self._end = 0
        # Of every page taken, and then of the pages that make the report.
        self._parts: list[_Part] = []
        self._order: list[_Part] = []
        self._same: dict[str, Any] = {}
        self._notes: dict[str, Any] = {}

    def take(self, page: Page) -> Page:
        """Writes the sub-rows of a page aside and returns the page without them.

        Raises:
            UnexpectedPayloadError: A group has more values than group-by fields, or a sub-row is of a day that was not requested.
            PermanentError: The temporary file cannot be written.
        """
        rows: dict[date, list[tuple[str, msgspec.Raw, msgspec.Raw | None, str | None]]] = {}
        for group in page.groups:
            values = self._values(group, page)
            last = max(group.days, default=None)
            different = "; ".join(one.words() for one in relevant_differences(group.differences, self._spec)) or None
            for day, text in group.days.items():
                if not self._task.first_day <= day <= self._task.last_day:
                    raise UnexpectedPayloadError(
                        f"Airbridge task {shown(self._task.task_id)}: the group {values} has {day}, requested was "
                        f"{self._task.first_day} to {self._task.last_day}.",
                        evidence=_evidence(page),
                    )
                if day in self._days:
                    own = (group.total or None, different) if day == last else (None, None)
                    rows.setdefault(day, []).append((values, text, *own))
        part = _Part(
            {day: self._write(_batch(of_day)) for day, of_day in rows.items()},
            unknown_fields(page.answer.body, Body),
            self._votes(page),
        )
        with self._lock:
            number = len(self._parts)
            self._parts.append(part)
        groups = tuple(replace(group, days={}, total=msgspec.Raw()) for group in page.groups)
        # As they are, they are views that hold the whole body in memory.
        told = tuple(one.copy() for one in page.notifications)
        return replace(page, groups=groups, notifications=told, answer=replace(page.answer, body=b""), part=number)

    def finish(self, pages: Sequence[Page]) -> None:
        """Completes the report with its pages, in order, as `take` returned them."""
        self._order = parts = [self._parts[page.part] for page in pages if page.part is not None]
        notifications = b",".join(dict.fromkeys(bytes(one) for page in pages for one in page.notifications))
        told = f"[{notifications.decode()}]"
        declared, found = declared_groups(pages), sum(len(page.groups) for page in pages)
        self._same = {
            "request_hash": spec_hash(self._spec),
            "task_id": self._task.task_id,
            "notifications": told,
            "requested_at": self._task.requested_at,
            "ended_at": next((page.ended_at for page in pages if page.ended_at is not None), None),
            "groups_declared": declared,
            "groups_read": found,
        }
        if self._spec.metric == "app_roas":
            self._same[ROAS_SCALE] = sum((part.votes for part in parts), Votes()).word
        unknown = set[str]().union(*(part.unknown for part in parts))
        self._notes = {
            "task_id": self._task.task_id,
            **named(notifications=codes_of(told), unknown_fields=unknown),
            **repaired([page.answer for page in pages]),
            **({} if declared in (None, found) else {"groups_declared": declared, "groups_read": found}),
        }

    def day(self, day: date) -> RawDay:
        """The raw rows of a day; a day for which no group has a sub-row has none."""
        batches = [self._read(*part.places[day]) for part in self._order if day in part.places]
        rows = pa.Table.from_batches(batches, schema=_PARTS)
        columns = {
            name: pa.repeat(pa.scalar(value, self._table.schema.field(name).type), len(rows))
            for name, value in {DATE: day, **self._same}.items()
        }
        columns |= {name: rows[name].cast(self._table.schema.field(name).type) for name in _PARTS.names}
        content = pa.Table.from_arrays([columns[name] for name in self._table.schema.names], schema=self._table.schema)
        return RawDay(content, self._task.requested_at, dict(self._notes))

    def close(self) -> None:
        """Removes what was written aside."""
        with self._lock:
            self._removed()

    def _votes(self, page: Page) -> Votes:
        if self._spec.metric != "app_roas":
            return Votes()
        requested_at = self._task.requested_at
        return votes_of(
            roas_row(sub_row(text), self._spec, reached=reached_intervals(day, requested_at, self._spec, self._zone))
            for group in page.groups
            for day, text in group.days.items()
        )

    def _write(self, batch: pa.RecordBatch) -> tuple[int, int]:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, _PARTS, options=_COMPRESSED) as writer:
            writer.write_batch(batch)
        packed = sink.getvalue()
        with self._lock:
            place = (self._end, packed.size)
            try:
                self._aside.seek(self._end)
                self._aside.write(packed)
            except OSError as error:
                raise PermanentError(
                    f"The pages of the report {self._spec.name} cannot be written to the temporary folder {self._folder}: {error}.",
                    remedy="Free space there, set TMPDIR to another folder, or raise `tasks.memory_mb` in defs.yaml.",
                ) from error
            self._end += packed.size
        return place

    def _read(self, offset: int, length: int) -> pa.RecordBatch:
        with self._lock:
            self._aside.seek(offset)
            packed = self._aside.read(length)
        return pa.ipc.open_stream(packed).read_next_batch()

    def _values(self, group: Group, page: Page) -> str:
        """The group's values as JSON text, one for each group-by field; an absent one is empty."""
        missing = len(self._spec.group_by) - len(group.values)
        if missing < 0:
            raise UnexpectedPayloadError(
                f"Airbridge report {self._spec.name!r}: a group has the values {list(group.values)} for {list(self._spec.group_by)}.",
                evidence=_evidence(page),
            )
        return msgspec.json.encode([*group.values, *[""] * missing]).decode()


def _batch(rows: Sequence[tuple[str, msgspec.Raw, msgspec.Raw | None, str | None]]) -> pa.RecordBatch:
    values, texts, totals, different = zip(*rows, strict=True)
    return pa.record_batch(
        [
            pa.array(values, pa.string()),
            pa.array(list(map(bytes, texts)), pa.large_binary()),
            pa.array([None if total is None else bytes(total) for total in totals], pa.large_binary()),
            pa.array(different, pa.string()),
        ],
        schema=_PARTS,
    )


def _evidence(page: Page) -> Evidence:
    return Evidence(page.answer.endpoint, status=page.answer.status, body=page.answer.body.decode(errors="replace"))
