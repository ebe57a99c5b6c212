"""What Airbridge's answers hold: the two envelopes of a report, its groups and sub-rows, and the entries of the metadata.

The vendor's page shows one envelope (`data.status`, `data.stats.rows`) and its prose and sibling reports another (`task.status`,
`revenue.data.rows`, `pagination`); each field is taken from whichever has it. https://help.airbridge.io/en/references/revenue-report
Fields not known here are passed over and can be named.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import msgspec

from analytics_assets.http.fields import unknown_fields
from analytics_assets.sources.airbridge.group_totals import Difference, LightCell, MaskableNumber, differences

LONGEST_SHOWN = 40
TaskStatus = Literal["PENDING", "RUNNING", "SUCCESS", "FAILURE", "CANCELED", "UNKNOWN"]
# FAILED is what some clients of the sibling reports write.
_STATUSES: dict[str, TaskStatus] = {
    "PENDING": "PENDING",
    "RUNNING": "RUNNING",
    "SUCCESS": "SUCCESS",
    "FAILURE": "FAILURE",
    "FAILED": "FAILURE",
    "CANCELED": "CANCELED",
}


class GroupTotals(msgspec.Struct, rename="camel"):
    """Cost and revenue in the app's currency, and users."""

    total_cost: MaskableNumber | None = None
    total_revenue: MaskableNumber | None = None
    total_unique_users: MaskableNumber | None = None


class SubRow(msgspec.Struct):
    """One start date of a group; `values[i]` is interval i. How long the list is for a young cohort is not documented."""

    date: str
    values: Sequence[MaskableNumber | None] | None
    total: GroupTotals | None = None


class _LightSubRow(msgspec.Struct):
    """A sub-row whose shape is checked: floats show it as decimals do, in a third of the time."""

    date: str
    values: Sequence[LightCell | None] | None
    total: GroupTotals | None = None


class GroupRow(msgspec.Struct):
    """One combination of group-by values. `metadata` has the values in the order requested; some may be absent."""

    rows: list[msgspec.Raw] | None
    metadata: list[Any] | None = None
    total: msgspec.Raw = msgspec.Raw()


class TaskBody(msgspec.Struct, rename="camel", kw_only=True):
    """What an envelope says of the task. No page says whether a failure carries a reason, or under which name."""

    task_id: str | None = None
    status: str | None = None
    ended_at: str | None = None
    trace_id: str | None = None
    reason: Any = None
    message: Any = None
    error: Any = None
    detail: Any = None


class _Count(msgspec.Struct, rename="camel"):
    total_count: int | None = None


class _Rows(msgspec.Struct):
    rows: list[GroupRow] | None = None


class _Revenue(msgspec.Struct):
    data: _Rows | None = None


class _Paging(msgspec.Struct, rename="camel"):
    has_next: bool | None = None
    total_count: int | None = None


class _Data(TaskBody, rename="camel", kw_only=True):
    has_next: bool | None = None
    metadata: _Count | None = None
    stats: _Rows | None = None


class Head(TaskBody, rename="camel", kw_only=True):
    """A body of either envelope without its rows."""

    data: TaskBody | None = None
    task: TaskBody | None = None

    def parts(self) -> Iterator[TaskBody]:
        """Where task fields may stand, the likeliest first."""
        yield from (part for part in (self.task, self.data, self) if part is not None)

    def named(self, name: str) -> str | None:
        """A field of the task as text, from wherever it stands; None where it is nowhere."""
        found = next((value for part in self.parts() if (value := getattr(part, name)) not in (None, "")), None)
        return found if found is None or isinstance(found, str) else msgspec.json.encode(found).decode()


class Body(Head, rename="camel", kw_only=True):
    """A body of either envelope."""

    data: _Data | None = None
    revenue: _Revenue | None = None
    pagination: _Paging | None = None
    notification: list[msgspec.Raw] | None = None

    def rows(self) -> list[GroupRow] | None:
        """The groups of the page; None where neither envelope has them."""
        held = (self.data.stats if self.data else None, self.revenue.data if self.revenue else None)
        return next((part.rows for part in held if part is not None and part.rows is not None), None)

    def total_count(self) -> int | None:
        """Groups of the whole report, where it is told."""
        counts = (self.data.metadata if self.data else None, self.pagination)
        return next((part.total_count for part in counts if part is not None and part.total_count is not None), None)

    def has_next(self) -> bool | None:
        """Whether there are groups after this page, where it is told."""
        parts = (self.data, self.pagination)
        return next((part.has_next for part in parts if part is not None and part.has_next is not None), None)


class Notification(msgspec.Struct):
    """What the vendor has to say of a report's numbers."""

    code: str


class _Section(msgspec.Struct):
    name: str
    metrics: list[msgspec.Raw] | None = None
    fields: list[msgspec.Raw] | None = None
    events: list[msgspec.Raw] | None = None


class Sections(msgspec.Struct):
    """Body of a metadata endpoint: entries under named headings, in a list whose name depends on the endpoint."""

    data: list[_Section]


class CatalogEntry(msgspec.Struct, rename="camel"):
    """One metric, group-by or event of the metadata; each kind has some of these fields."""

    key: str
    name: str | None = None
    description: str | None = None
    value_type: str | None = None
    aggregation_type: list[str] | None = None
    sub_group: str | None = None
    example: str | None = None
    is_filter: bool | None = None
    is_cost: bool | None = None
    type: str | None = None


_SUB_ROW = msgspec.json.Decoder(SubRow, strict=False)
_LIGHT_SUB_ROW = msgspec.json.Decoder(_LightSubRow, strict=False)


@dataclass(frozen=True)
class Group:
    """One group of a page.

    Attributes:
        values: Values of the group-by fields in the order requested, as far as sent; an absent value is empty.
        days: The sub-row of each start date as sent, JSON text.
        total: The group's own total as sent. It spans all days requested and carries young cohorts forward, so no table is made from it.
        differences: Where that total is not the sum of the sub-rows.
    """

    values: tuple[str, ...]
    days: dict[date, msgspec.Raw]
    total: msgspec.Raw
    differences: tuple[Difference, ...] = ()


def entries(
    sections: Sections, listed: Literal["metrics", "fields", "events"]
) -> Iterator[tuple[str, CatalogEntry, str]]:
    """Heading, entry and the entry's text as sent. Raises ValueError where a heading lacks its list or an entry its key."""
    for section in sections.data:
        texts: list[msgspec.Raw] | None = getattr(section, listed)
        if texts is None:
            raise ValueError(f"{section.name!r} has no {listed!r}")
        for text in texts:
            yield section.name, msgspec.json.decode(text, type=CatalogEntry, strict=False), bytes(text).decode()


def status_of(word: str) -> TaskStatus:
    """The vendor's word as one of ours; a word the page does not have is UNKNOWN."""
    return _STATUSES.get(word, "UNKNOWN")


def instant_of(text: str | None) -> datetime | None:
    """An instant written with its offset; None for anything else, because nothing depends on it."""
    try:
        instant = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return instant if instant.tzinfo else None


def group_of(row: GroupRow) -> Group:
    """A group whose sub-rows are of the documented shape, one a date.

    Raises:
        ValueError: They are not; the message says where.
    """
    days: dict[date, msgspec.Raw] = {}
    shapes: list[SubRow | _LightSubRow] = []
    for text in row.rows or ():
        shape = _shape(text)
        day = day_of(shape)
        if day in days:
            raise ValueError(f"a group has {day} twice")
        days[day] = text
        shapes.append(shape)
    return Group(tuple(map(_text, row.metadata or ())), days, row.total, differences(row.total, shapes))


def _shape(text: msgspec.Raw) -> SubRow | _LightSubRow:
    """A sub-row of the documented shape."""
    try:
        return _LIGHT_SUB_ROW.decode(text)
    except msgspec.ValidationError:
        # A number that no float holds is one all the same.
        return sub_row(text)


def sub_row(text: msgspec.Raw | str) -> SubRow:
    """A sub-row; numbers may be text, and decimals have the digits as sent. Raises ValueError where it is not one."""
    return _SUB_ROW.decode(text)


def known_sub_row(text: str) -> tuple[SubRow, set[str]]:
    """A sub-row, and the paths of its fields that are not known here."""
    return sub_row(text), unknown_fields(text, SubRow)


def day_of(row: SubRow | _LightSubRow) -> date:
    """The start date of a sub-row; sibling reports send a full date-time, whose date is the app's."""
    return date.fromisoformat(row.date.partition("T")[0])


def _text(value: Any) -> str:
    """A group value as text. Booleans and numbers are spelt as in JSON; anything nested is not a value."""
    if isinstance(value, dict | list):
        raise TypeError(f"a group value is {type(value).__name__}")
    return value if isinstance(value, str) else "" if value is None else msgspec.json.encode(value).decode()


def shown(task_id: str | None) -> str:
    """A task's id for people: ids are opaque and can be long."""
    whole = "(none)" if task_id is None else task_id
    return whole if len(whole) <= LONGEST_SHOWN else f"{whole[:LONGEST_SHOWN]}..."
