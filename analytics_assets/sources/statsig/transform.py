"""Stored responses as typed rows: values of a day, and definitions by event.

Pure: the same responses give the same rows. `observations.py` chooses the observations of a day; `tables.py` declares the columns.
Value rows carry no date (it is in the query); the event of a page of definitions is in the path
(https://docs.statsig.com/api-reference/events/get-metrics-using-event-name).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from operator import attrgetter
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from analytics_assets.errors import Evidence, UnexpectedPayloadError
from analytics_assets.http.fields import unknown_fields
from analytics_assets.http.response import JsonResponse, Response, read
from analytics_assets.lake.raw import stored_responses
from analytics_assets.lake.stream import Typed
from analytics_assets.lake.table import DATE
from analytics_assets.sources.statsig.client import EVENT_METRICS_ENDPOINT, event_of
from analytics_assets.sources.statsig.responses import ListPage, Metric, MetricValue
from analytics_assets.sources.statsig.tables import EVENT_METRICS, METRIC_VALUES

DEFINITION = pa.schema([column for column in EVENT_METRICS.schema if column.name not in (DATE, "is_reconstructed")])
_PERSONAL = (
    "creator_name",
    "creator_email",
    "owner_name",
    "owner_email",
    "last_modifier_name",
    "last_modifier_email",
)


def metric_values(day: date, raw: pa.Table) -> Mapping[str, Typed]:
    """A raw day of `values_raw` as `metric_values`.

    Figures: `metrics` and `unit_types` (numbers of different ones); `is_empty` only where the day has no rows; `unknown_fields`
    only where there are any.

    Raises:
        UnexpectedPayloadError: A page was requested another day, or is not as documented.
    """
    return value_rows(day, list(map(_decoded_values, stored_responses(raw))))


def _decoded_values(answer: JsonResponse) -> Response[ListPage[MetricValue]]:
    kind = ListPage[MetricValue]
    data = read(answer.body, kind, vendor="Statsig", endpoint=answer.endpoint)
    return Response.of(answer, data, partial(unknown_fields, answer.body, kind))


def value_rows(day: date, responses: Sequence[Response[ListPage[MetricValue]]]) -> Mapping[str, Typed]:
    """As `metric_values`, of decoded responses."""
    rows: list[MetricValue] = []
    unknown: set[str] = set()
    for response in responses:
        params = dict(response.params)
        if params.get("date") != day.isoformat():
            raise UnexpectedPayloadError(
                f"Statsig {response.endpoint}: the page stored for the day was requested with date {params.get('date')}.",
                day=day,
                evidence=Evidence(response.endpoint, body=response.body.decode()),
            )
        rows += response.data.data
        unknown |= response.unknown
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
    """One observation of the definitions; it serves many days.

    Attributes:
        content: Columns of `event_metrics` without those of the day; one row per event and metric.
        events: The requested events, including those without metrics.
        unknown_fields: Fields not known here, as paths.
    """

    content: pa.Table
    events: tuple[str, ...]
    unknown_fields: tuple[str, ...]


def definitions(listing: pa.Table, observed_at: datetime) -> Definitions:
    """The definitions in the raw rows of one observation. Pages of `/metrics/list` only served to discover events.

    Raises:
        UnexpectedPayloadError: A page is not as documented.
    """
    names: list[str] = []
    metrics: list[Metric] = []
    events: dict[str, None] = {}
    unknown: set[str] = set()
    of_events = listing.filter(pc.equal(listing["endpoint"], EVENT_METRICS_ENDPOINT)).sort_by("part")
    for path, body in zip(of_events["path"].to_pylist(), of_events["body"].to_pylist(), strict=True):
        event = event_of(path)
        events[event] = None
        listed = read(body, ListPage[Metric], vendor="Statsig", endpoint=f"GET {path}").data
        metrics += listed
        names += [event] * len(listed)
        unknown |= unknown_fields(body, ListPage[Metric])
    # Column by column: there are tens of thousands of rows.
    held = {name: list(map(value, metrics)) for name, value in _VALUES.items()}
    held |= {"event_name": names, "is_indirect": list(map(_is_indirect, names, metrics))}
    held |= {"observed_at": [observed_at] * len(metrics)}
    columns = [pa.array(held[field.name], field.type) for field in DEFINITION]
    content = pa.Table.from_arrays(columns, schema=DEFINITION)
    return Definitions(content, tuple(events), tuple(sorted(unknown)))


def event_metrics(
    day: date,
    seen: Definitions,
    rows: pa.Table | None = None,
    *,
    is_reconstructed: bool,
    keep_personal_fields: bool = False,
) -> Typed:
    """The day `day` of `event_metrics`.

    Figures: `events`, `metrics` and `indirect_metrics` (different metrics with an indirect row); where there are any,
    `events_without_metrics` (names), `metrics_created_later` (left out of a reconstruction) and `unknown_fields`.

    Args:
        day: The metric day.
        seen: The observation that the figures are of.
        rows: Definitions of the day, as `Definitions.content`; by default those of the observation.
        is_reconstructed: True if the day was not observed.
        keep_personal_fields: True if names and addresses of people are stored where the rows hold them.
    """
    content = seen.content if rows is None else rows
    day_columns = {DATE: pa.scalar(day, pa.date32()), "is_reconstructed": pa.scalar(is_reconstructed, pa.bool_())}
    if not keep_personal_fields:
        day_columns |= {name: pa.scalar(None, pa.string()) for name in _PERSONAL}
    columns = [
        pa.repeat(day_columns[name], content.num_rows) if name in day_columns else content[name]
        for name in EVENT_METRICS.schema.names
    ]
    metrics = pc.unique(content["metric_id"])
    later = set(seen.content["metric_id"].to_pylist()) - set(metrics.to_pylist())
    silent = sorted(set(seen.events) - set(seen.content["event_name"].to_pylist()))
    figures: dict[str, Any] = {
        "events": len(seen.events),
        "metrics": len(metrics),
        "indirect_metrics": len(pc.unique(content.filter(content["is_indirect"])["metric_id"])),
        **({"events_without_metrics": silent} if silent else {}),
        **({"metrics_created_later": len(later)} if later else {}),
        **({"unknown_fields": list(seen.unknown_fields)} if seen.unknown_fields else {}),
    }
    return Typed(pa.table(columns, schema=EVENT_METRICS.schema), figures)


def _text(raw: msgspec.Raw) -> str | None:
    """JSON text as sent; None where the field was absent or null."""
    sent = bytes(raw)
    return None if sent in {b"", b"null"} else sent.decode()


def _is_indirect(event: str, metric: Metric) -> bool | None:
    events = metric.lineage.events if metric.lineage else None
    return None if events is None else event not in events


def _steps(metric: Metric) -> list[dict[str, str | None]] | None:
    steps = metric.funnel_event_list
    return None if steps is None else [{"name": step.name, "type": step.type} for step in steps]


def _owner_name(metric: Metric) -> str | None:
    owner = metric.owner
    if owner is None:
        return None
    return owner.name if owner.owner_name is None else owner.owner_name


# The columns of a definition that are made of the metric alone.
_VALUES: Mapping[str, Callable[[Metric], Any]] = {
    "metric_id": attrgetter("id"),
    "metric_name": attrgetter("name"),
    "metric_type": attrgetter("type"),
    "directionality": attrgetter("directionality"),
    "description": attrgetter("description"),
    "created_at": attrgetter("created_at"),
    "is_permanent": attrgetter("is_permanent"),
    "is_read_only": attrgetter("is_read_only"),
    "is_hidden": attrgetter("is_hidden"),
    "is_verified": attrgetter("is_verified"),
    "tags": attrgetter("tags"),
    "unit_types": attrgetter("unit_types"),
    "lineage_events": lambda metric: metric.lineage.events if metric.lineage else None,
    "lineage_metrics": lambda metric: metric.lineage.metrics if metric.lineage else None,
    "team": attrgetter("team"),
    "funnel_count_distinct": attrgetter("funnel_count_distinct"),
    "funnel_events": _steps,
    "rollup_time_window": attrgetter("rollup_time_window"),
    "custom_rollup_start": attrgetter("custom_roll_up_start"),
    "custom_rollup_end": attrgetter("custom_roll_up_end"),
    "metric_events": lambda metric: _text(metric.metric_events),
    "component_metrics": lambda metric: _text(metric.metric_component_metrics),
    "warehouse_native": lambda metric: _text(metric.warehouse_native),
    "last_modified_at": attrgetter("last_modified_at"),
    "permalink": attrgetter("permalink"),
    "creator_name": attrgetter("creator_name"),
    "creator_email": attrgetter("creator_email"),
    "owner_name": _owner_name,
    "owner_email": lambda metric: metric.owner.owner_email if metric.owner else None,
    "last_modifier_name": attrgetter("last_modifier_name"),
    "last_modifier_email": attrgetter("last_modifier_email"),
}
