"""From kept answers to typed rows: values of a day, and definitions by event as they stood at the end of a day.

Pure: the same answers give the same rows. Which observation belongs to a day is decided in `streams.py`, columns are declared in `tables.py`.
Value rows carry no date (it is in the query); the event of a page of definitions is in the path
(https://docs.statsig.com/api-reference/events/get-metrics-using-event-name).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from analytics_assets.errors import Evidence, UnexpectedPayloadError
from analytics_assets.http.answer import read
from analytics_assets.lake.raw import bodies
from analytics_assets.lake.stream import Typed
from analytics_assets.lake.table import DATE
from analytics_assets.sources.statsig.client import EVENT_METRICS_ENDPOINT, event_of
from analytics_assets.sources.statsig.payloads import (
    Lineage,
    Listed,
    Metric,
    MetricValue,
    Owner,
    Pagination,
    Step,
    known_fields,
)
from analytics_assets.sources.statsig.tables import EVENT_METRICS, METRIC_VALUES

_OF_THE_DAY = (DATE, "observed_at", "is_reconstructed")
_DEFINITION = pa.schema([column for column in EVENT_METRICS.schema if column.name not in _OF_THE_DAY])
_PERSONAL = (
    "creator_name",
    "creator_email",
    "owner_name",
    "owner_email",
    "last_modifier_name",
    "last_modifier_email",
)
_NESTED: Mapping[type[msgspec.Struct], Mapping[str, type[msgspec.Struct]]] = {
    Metric: {"lineage": Lineage, "owner": Owner, "funnelEventList": Step},
}


def metric_values(day: date, raw: pa.Table) -> Mapping[str, Typed]:
    """A raw day of `values_raw` as `metric_values`.

    Figures: `metrics` and `unit_types` (numbers of different ones); `is_empty` only where the day has no rows; `unknown_fields`
    only where there are any.

    Raises:
        UnexpectedPayloadError: A page was asked for another day, or is not as documented.
    """
    rows: list[MetricValue] = []
    unknown: set[str] = set()
    for endpoint, params, body in bodies(raw):
        if params.get("date") != day.isoformat():
            raise UnexpectedPayloadError(
                f"Statsig {endpoint}: the page kept for {day} was asked with date {params.get('date')}.",
                evidence=Evidence(endpoint, body=body),
            )
        rows += read(body, Listed[MetricValue], endpoint=f"Statsig {endpoint}").data
        unknown.update(_unknown_fields(body, MetricValue))
    content = pa.table(
        [
            pa.repeat(pa.scalar(day, pa.date32()), len(rows)),
            pa.array([row.metric_name for row in rows], pa.string()),
            pa.array([row.metric_type for row in rows], pa.string()),
            pa.array([row.unit_type for row in rows], pa.string()),
            pa.array([row.unit_type == "overall" for row in rows], pa.bool_()),
            pa.array([row.value for row in rows], pa.float64()),
            pa.array([row.numerator for row in rows], pa.float64()),
            pa.array([row.denominator for row in rows], pa.float64()),
            pa.array([row.input_rows for row in rows], pa.int64()),
            pa.array([row.display_name for row in rows], pa.string()),
        ],
        schema=METRIC_VALUES.schema,
    )
    figures: dict[str, Any] = {
        "metrics": len({(row.metric_name, row.metric_type) for row in rows}),
        "unit_types": len({row.unit_type for row in rows}),
        **({} if rows else {"is_empty": True}),
        **({"unknown_fields": sorted(unknown)} if unknown else {}),
    }
    return {METRIC_VALUES.name: Typed(content, figures)}


@dataclass(frozen=True)
class Definitions:
    """What one walk over the definitions saw, not tied to a day yet: one reading serves many days.

    Attributes:
        content: Columns of `event_metrics` but those that belong to the day; one row per event and metric.
        events: The events asked for, those without metrics too.
        unknown_fields: Fields not known here, as paths.
    """

    content: pa.Table
    events: tuple[str, ...]
    unknown_fields: tuple[str, ...]


def definitions(listing: pa.Table) -> Definitions:
    """Raw rows of one observation of `listing_raw`, read once. Pages of `/metrics/list` only served to discover events.

    Raises:
        UnexpectedPayloadError: A page is not as documented.
    """
    rows: list[dict[str, Any]] = []
    events: dict[str, None] = {}
    unknown: set[str] = set()
    of_events = listing.filter(pc.equal(listing["endpoint"], EVENT_METRICS_ENDPOINT)).sort_by("part")
    for path, body in zip(of_events["path"].to_pylist(), of_events["body"].to_pylist(), strict=True):
        event = event_of(path)
        events[event] = None
        rows += [_row(event, metric) for metric in read(body, Listed[Metric], endpoint=f"Statsig GET {path}").data]
        unknown.update(_unknown_fields(body, Metric))
    return Definitions(pa.Table.from_pylist(rows, schema=_DEFINITION), tuple(events), tuple(sorted(unknown)))


def event_metrics(
    day: date,
    listing: pa.Table | Definitions,
    *,
    observed_at: datetime,
    is_reconstructed: bool,
    as_of: datetime | None,
    keep_personal_fields: bool = False,
) -> Typed:
    """The definitions of one observation as the day `day` of `event_metrics`.

    Figures: `events`, `metrics` and `indirect_metrics` (different metrics with an indirect row); where there are any,
    `events_without_metrics` (names), `metrics_created_later` (left out of a reconstruction) and `unknown_fields`.

    Args:
        day: The metric day.
        listing: Raw rows of one observation, or what `definitions` made of them, which is cheaper for many days.
        observed_at: When the observation was made.
        is_reconstructed: Whether the day is rebuilt: then only metrics created before `as_of`, or at an unknown time, are taken.
        as_of: The end of the day; needed for a reconstruction only.
        keep_personal_fields: Whether names and addresses of people are kept where the observation holds them.
    """
    seen = listing if isinstance(listing, Definitions) else definitions(listing)
    content = seen.content
    if is_reconstructed:
        if as_of is None:
            raise ValueError("a reconstruction needs the instant it is rebuilt for")
        created = content["created_at"]
        early = pc.less(created, pa.scalar(as_of, created.type))
        content = content.filter(pc.or_(pc.is_null(created), pc.fill_null(early, False)))
    day_columns = {
        DATE: pa.scalar(day, pa.date32()),
        "observed_at": pa.scalar(observed_at, EVENT_METRICS.schema.field("observed_at").type),
        "is_reconstructed": pa.scalar(is_reconstructed, pa.bool_()),
    }
    if not keep_personal_fields:
        day_columns |= {name: pa.scalar(None, pa.string()) for name in _PERSONAL}
    columns = [
        pa.repeat(day_columns[name], content.num_rows) if name in day_columns else content[name]
        for name in EVENT_METRICS.schema.names
    ]
    metrics = len(pc.unique(content["metric_id"]))
    later = len(pc.unique(seen.content["metric_id"])) - metrics
    silent = sorted(set(seen.events) - set(seen.content["event_name"].to_pylist()))
    figures: dict[str, Any] = {
        "events": len(seen.events),
        "metrics": metrics,
        "indirect_metrics": len(pc.unique(content.filter(content["is_indirect"])["metric_id"])),
        **({"events_without_metrics": silent} if silent else {}),
        **({"metrics_created_later": later} if later else {}),
        **({"unknown_fields": list(seen.unknown_fields)} if seen.unknown_fields else {}),
    }
    return Typed(pa.table(columns, schema=EVENT_METRICS.schema), figures)


def _row(event: str, metric: Metric) -> dict[str, Any]:
    lineage = metric.lineage or Lineage()
    owner = metric.owner or Owner()
    steps = metric.funnel_event_list
    return {
        "event_name": event,
        "metric_id": metric.id,
        "metric_name": metric.name,
        "metric_type": metric.type,
        "directionality": metric.directionality,
        "description": metric.description,
        "created_at": metric.created_at,
        "is_permanent": metric.is_permanent,
        "is_read_only": metric.is_read_only,
        "is_hidden": metric.is_hidden,
        "is_verified": metric.is_verified,
        "tags": metric.tags,
        "unit_types": metric.unit_types,
        "lineage_events": lineage.events,
        "lineage_metrics": lineage.metrics,
        "is_indirect": None if lineage.events is None else event not in lineage.events,
        "team": metric.team,
        "funnel_count_distinct": metric.funnel_count_distinct,
        "funnel_events": None if steps is None else [{"name": step.name, "type": step.type} for step in steps],
        "rollup_time_window": metric.rollup_time_window,
        "custom_rollup_start": metric.custom_roll_up_start,
        "custom_rollup_end": metric.custom_roll_up_end,
        "metric_events": _text(metric.metric_events),
        "component_metrics": _text(metric.metric_component_metrics),
        "warehouse_native": _text(metric.warehouse_native),
        "last_modified_at": metric.last_modified_at,
        "permalink": metric.permalink,
        "creator_name": metric.creator_name,
        "creator_email": metric.creator_email,
        "owner_name": owner.name if owner.owner_name is None else owner.owner_name,
        "owner_email": owner.owner_email,
        "last_modifier_name": metric.last_modifier_name,
        "last_modifier_email": metric.last_modifier_email,
    }


def _text(raw: msgspec.Raw) -> str | None:
    """JSON text as sent; None where the field was absent or null."""
    sent = bytes(raw).decode()
    return None if sent in {"", "null"} else sent


def _unknown_fields(body: str, item: type[msgspec.Struct]) -> Iterator[str]:
    """Paths of the fields of one page that are not known here, such as `data.newThing`."""
    envelope = msgspec.json.decode(body)
    yield from sorted(envelope.keys() - {"message", "data", "pagination"})
    yield from _strangers(envelope.get("pagination"), Pagination, "pagination")
    for one in envelope["data"]:
        yield from _strangers(one, item, "data")


def _strangers(value: Any, kind: type[msgspec.Struct], at: str) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    for name in value.keys() - known_fields(kind):
        yield f"{at}.{name}"
    for name, inner in _NESTED.get(kind, {}).items():
        held = value.get(name)
        for one in held if isinstance(held, list) else (held,):
            yield from _strangers(one, inner, f"{at}.{name}")
