"""What Statsig sends: definitions, values and the envelope around lists, read tolerantly; and people's names taken out of it.

A walk holds tens of thousands of definitions at once: none of them refers back to itself, so the collector need not look at them.
Fields the published specification requires but real examples lack or null are optional here; fields not known here are passed over.
Asking for a list is in `client.py`, making rows of it in `transform.py`.
Pages: https://docs.statsig.com/api-reference/events/get-metrics-using-event-name and the pages "List All Metrics", "List All Metric Values".
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Generic, TypeVar

import msgspec

from analytics_assets.http.response import Finite, Whole

_PERSONAL = frozenset(
    {"creatorName", "creatorEmail", "lastModifierName", "lastModifierEmail", "ownerName", "ownerEmail"}
)
_PERSONAL_OF_OWNER = _PERSONAL | {"name"}
# What is documented and has no column: it stays in raw.
Kept = msgspec.Raw
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# As many as lie between year 1 and 1970.
_LARGEST_SECONDS = 62_135_596_800
# Within these an epoch number is an instant of the calendar.
Moment = Annotated[float, msgspec.Meta(ge=-1000 * _LARGEST_SECONDS, le=253_402_300_799_999)]


class Lineage(msgspec.Struct, gc=False):
    """What a metric is made from: names of events, ids of metrics."""

    events: tuple[str, ...] | None = None
    metrics: tuple[str, ...] | None = None


class Owner(msgspec.Struct, rename="camel", gc=False):
    """Who owns a metric; `name` or `ownerName` by the age of the page."""

    name: str | None = None
    owner_name: str | None = None
    owner_email: str | None = None
    owner_id: Kept = msgspec.field(name="ownerID", default=Kept())
    owner_type: Kept = Kept()


class FunnelStep(msgspec.Struct, gc=False):
    """One step of a funnel: name and type of a metric."""

    name: str
    type: str | None = None


class Metric(msgspec.Struct, rename="camel", kw_only=True, gc=False):
    """A definition. `id` is usually, not always, `<name>::<type>`; any `type` may come."""

    id: str
    name: str
    type: str
    directionality: str | None = None
    description: str | None = None
    created_time: Moment | None = None
    is_permanent: bool | None = None
    is_read_only: bool | None = None
    is_hidden: bool | None = None
    is_verified: bool | None = None
    tags: tuple[str, ...] | None = None
    unit_types: tuple[str, ...] | None = None
    lineage: Lineage | None = None
    team: str | None = None
    funnel_count_distinct: str | None = None
    funnel_event_list: list[FunnelStep] | None = None
    rollup_time_window: str | None = None
    custom_roll_up_start: Finite | None = None
    custom_roll_up_end: Finite | None = None
    metric_events: msgspec.Raw = msgspec.Raw()
    metric_component_metrics: msgspec.Raw = msgspec.Raw()
    warehouse_native: msgspec.Raw = msgspec.Raw()
    last_modified_time: Moment | None = None
    permalink: str | None = None
    owner: Owner | None = None
    creator_name: str | None = None
    creator_email: str | None = None
    last_modifier_name: str | None = None
    last_modifier_email: str | None = None
    creator_id: Kept = msgspec.field(name="creatorID", default=Kept())
    last_modifier_id: Kept = msgspec.field(name="lastModifierID", default=Kept())
    team_id: Kept = msgspec.field(name="teamID", default=Kept())
    dry_run: Kept = Kept()
    owner_name: Kept = Kept()
    owner_email: Kept = Kept()

    @property
    def created_at(self) -> datetime | None:
        """When it was created."""
        return instant(self.created_time)

    @property
    def last_modified_at(self) -> datetime | None:
        """When it was last edited."""
        return instant(self.last_modified_time)

    @property
    def key(self) -> str:
        """What tells definitions apart."""
        return self.id


class MetricValue(msgspec.Struct, kw_only=True, gc=False):
    """One metric, day and unit type, in the spelling of the list (camel case) or of the single metric (snake case)."""

    value: Finite | None = None
    numerator: Finite | None = None
    denominator: Finite | None = None
    listed_name: str | None = msgspec.field(name="metricName", default=None)
    listed_type: str | None = msgspec.field(name="metricType", default=None)
    listed_unit: str | None = msgspec.field(name="unitType", default=None)
    listed_rows: Whole | None = msgspec.field(name="inputRows", default=None)
    display_name: str | None = msgspec.field(name="displayName", default=None)
    metric_name: str | None = None
    metric_type: str | None = None
    unit_type: str | None = None
    row_count: Whole | None = None
    input_rows: Whole | None = None

    def __post_init__(self) -> None:
        """Brings both spellings into the snake-case fields; refuses a row without identity."""
        self.metric_name = self.metric_name if self.listed_name is None else self.listed_name
        self.metric_type = self.metric_type if self.listed_type is None else self.listed_type
        self.unit_type = self.unit_type if self.listed_unit is None else self.listed_unit
        rows = (self.listed_rows, self.row_count, self.input_rows)
        self.input_rows = next((number for number in rows if number is not None), None)
        if None in self.key:
            raise ValueError("a value needs metricName, metricType and unitType")

    @property
    def key(self) -> tuple[str | None, ...]:
        """What tells values of a day apart."""
        return self.metric_name, self.metric_type, self.unit_type


class Pagination(msgspec.Struct, rename="camel"):
    """Where a page stands. `next_page` only says whether there is more; `total_items` may count something else."""

    next_page: str | None = None
    items_per_page: Whole | None = None
    total_items: Whole | None = None
    page_number: Kept = Kept()
    previous_page: Kept = Kept()
    all: Kept = Kept()


T = TypeVar("T")
Item = TypeVar("Item", Metric, MetricValue)


class ListPage(msgspec.Struct, Generic[Item]):
    """One page of a list."""

    data: list[Item]
    pagination: Pagination | None = None
    message: Kept = Kept()


def instant(number: float | None) -> datetime | None:
    """A `Moment` as an instant: milliseconds in all whole examples, seconds in one field's; the size tells."""
    if number is None:
        return None
    return _EPOCH + timedelta(milliseconds=number if abs(number) > _LARGEST_SECONDS else number * 1000)


def without_personal_fields(body: bytes) -> bytes:
    """A list of definitions without names and addresses of people; byte for byte as sent where it has none.

    All other values keep their digits. A body of another shape is gone through as a whole, for it may be kept for a person to read.
    """
    try:
        envelope = _FIELDS.decode(body)
        metrics = _ENTRIES.decode(envelope.get("data", b""))
    except msgspec.DecodeError:
        return bytes(_impersonal(msgspec.Raw(body)))
    if sum(_remove(metric, _PERSONAL) + _remove_from_owner(metric) for metric in metrics) == 0:
        return body
    return msgspec.json.encode({**envelope, "data": metrics})


_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENTRIES = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_OWNER = msgspec.json.Decoder(dict[str, msgspec.Raw] | None)


def _remove(fields: dict[str, msgspec.Raw], names: frozenset[str]) -> int:
    before = len(fields)
    for name in names:
        fields.pop(name, None)
    return before - len(fields)


def _remove_from_owner(metric: dict[str, msgspec.Raw]) -> int:
    owner = metric.get("owner")
    if owner is None or (kept := _owner_without_person(bytes(owner))) == owner:
        return 0
    if kept is None:
        return _remove(metric, frozenset({"owner"}))
    metric["owner"] = kept
    return 1


# A few people own all metrics.
@lru_cache(maxsize=256)
def _owner_without_person(owner: bytes) -> msgspec.Raw | None:
    """The owner without name and address; None for one that is no object, which goes as a whole."""
    try:
        fields = _OWNER.decode(owner)
    except msgspec.DecodeError:
        return None
    if not fields or not _remove(fields, _PERSONAL_OF_OWNER):
        return msgspec.Raw(owner)
    return msgspec.Raw(msgspec.json.encode(fields))


def _impersonal(text: msgspec.Raw) -> msgspec.Raw:
    """The same text without the fields that name people, at any depth."""
    kind = bytes(text).lstrip()[:1]
    if kind == b"[":
        return msgspec.Raw(msgspec.json.encode([_impersonal(one) for one in _decoded(text, list[msgspec.Raw])]))
    if kind != b"{":
        return text
    kept = {
        name: one for name, one in _decoded(text, dict[str, msgspec.Raw]).items() if name not in _PERSONAL | {"owner"}
    }
    return msgspec.Raw(msgspec.json.encode({name: _impersonal(one) for name, one in kept.items()}))


def _decoded(text: msgspec.Raw, kind: type[T]) -> T:
    return msgspec.json.decode(text, type=kind)
