"""Answers to Arrow, as a script for one purpose would make it: column by column, nothing checked, nothing hashed.

Shared by the ways that are not this project's. The columns, types and rows are those of the project's typed tables; JSON is read with the
project's payload structs.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pyarrow as pa

from analytics_assets.lake.table import Table
from analytics_assets.sources.airbridge.group_totals import MaskableNumber
from analytics_assets.sources.airbridge.report_spec import ReportSpec
from analytics_assets.sources.airbridge.responses import SubRow
from analytics_assets.sources.airbridge.tables import cohort_totals_table, cohorts_table
from analytics_assets.sources.bento.responses import Ads, Attribution, Figures
from analytics_assets.sources.bento.tables import ADS_ATTRIBUTION, ADS_CHART, ADS_TOTALS
from analytics_assets.sources.statsig.responses import ListPage, Metric
from analytics_assets.sources.statsig.tables import EVENT_METRICS


class Group(msgspec.Struct):
    """One group of a page of a report; its sub-rows stay text until their day is written."""

    rows: list[msgspec.Raw]
    metadata: list[str]


class _Stats(msgspec.Struct):
    rows: list[Group]


class _Count(msgspec.Struct, rename="camel"):
    total_count: int


class _Data(msgspec.Struct):
    stats: _Stats
    metadata: _Count
    status: str


class ReportPage(msgspec.Struct):
    """One page of a report."""

    data: _Data


class _Dated(msgspec.Struct):
    date: str


_ADS = msgspec.json.Decoder(Ads)
_METRICS = msgspec.json.Decoder(ListPage[Metric])
_DATED = msgspec.json.Decoder(_Dated)
_SUB_ROW = msgspec.json.Decoder(SubRow)
PAGE = msgspec.json.Decoder(ReportPage)


def metrics_of(bodies: Iterable[tuple[str, bytes]], day: date, seen_at: datetime) -> pa.Table:
    """Pages of definitions, each with its event, as `event_metrics` without people."""
    rows = [(event, metric) for event, body in bodies for metric in _METRICS.decode(body).data]
    metrics = [metric for _, metric in rows]
    lineages = [metric.lineage for metric in metrics]
    made: dict[str, list[Any]] = {
        "event_name": [event for event, _ in rows],
        "metric_id": [metric.id for metric in metrics],
        "metric_name": [metric.name for metric in metrics],
        "metric_type": [metric.type for metric in metrics],
        "lineage_events": [lineage and lineage.events for lineage in lineages],
        "lineage_metrics": [lineage and lineage.metrics for lineage in lineages],
        "is_indirect": [
            lineage and lineage.events is not None and event not in lineage.events
            for (event, _), lineage in zip(rows, lineages, strict=True)
        ],
        "custom_rollup_start": [metric.custom_roll_up_start for metric in metrics],
        "custom_rollup_end": [metric.custom_roll_up_end for metric in metrics],
        "date": [day] * len(rows),
        "observed_at": [seen_at] * len(rows),
        "is_reconstructed": [True] * len(rows),
    }
    same = {
        "directionality",
        "description",
        "created_at",
        "is_permanent",
        "is_read_only",
        "is_hidden",
        "is_verified",
        "tags",
        "unit_types",
        "team",
        "funnel_count_distinct",
        "rollup_time_window",
        "last_modified_at",
        "permalink",
    }
    made |= {name: [getattr(metric, name) for metric in metrics] for name in same}
    return _table(EVENT_METRICS, made, len(rows))


def ads_of(day: date, bodies: Sequence[bytes]) -> dict[Table, pa.Table]:
    """The answers of one Bento day as its three typed tables."""
    attribution, totals, chart = (_columns(table) for table in (ADS_ATTRIBUTION, ADS_TOTALS, ADS_CHART))
    for body in bodies:
        stats = _ADS.decode(body)
        mode = stats.revenue_mode.mode if stats.revenue_mode else None
        about = (day, stats.dimension, mode, stats.revenue_truncated)
        for row in stats.breakdown:
            for currency, cents in _money(row):
                is_main = currency == row.revenue_currency
                _add(attribution, about, row, currency=currency, cents=cents)
                attribution["key"].append(row.key)
                attribution["label"].append(row.label)
                attribution["revenue_per_signup_cents"].append(row.revenue_per_signup_cents if is_main else None)
        for currency, cents in _money(stats.totals):
            _add(totals, about, stats.totals, currency=currency, cents=cents)
            told = stats.attribution or Attribution()
            totals["value_filter"].append(None)
            totals["revenue_visitor_count"].append(stats.totals.revenue_visitor_count)
            totals["top_source"].append(stats.totals.top_source)
            totals["attribution_mode"].append(told.mode)
            totals["attribution_window_days"].append(told.window_days)
            totals["attribution_applies_to_ad_revenue"].append(told.applies_to_ad_revenue)
        for point in stats.points:
            for name, value in zip(("date", "dimension", "revenue_mode", "revenue_truncated"), about, strict=True):
                chart[name].append(value)
            chart["bucket_start"].append(datetime.fromtimestamp(float(point.x), UTC))
            chart["signups"].append(point.signups)
            chart["customers"].append(point.customers)
            chart["revenue_as_sent"].append(point.revenue)
    held = {ADS_ATTRIBUTION.name: attribution, ADS_TOTALS.name: totals, ADS_CHART.name: chart}
    return {
        table: _table(table, held[table.name], len(held[table.name]["date"]))
        for table in (ADS_ATTRIBUTION, ADS_TOTALS, ADS_CHART)
    }


def by_day(pages: Iterable[bytes]) -> dict[date, list[tuple[list[str], msgspec.Raw]]]:
    """Values and sub-row of each group, by start date."""
    days: dict[date, list[tuple[list[str], msgspec.Raw]]] = defaultdict(list)
    for page in pages:
        for group in PAGE.decode(page).data.stats.rows:
            for text in group.rows:
                days[date.fromisoformat(_DATED.decode(text).date)].append((group.metadata, text))
    return days


def cohorts_of(
    day: date, groups: Sequence[tuple[list[str], msgspec.Raw]], spec: ReportSpec, currency: str
) -> dict[Table, pa.Table]:
    """One start date of a report as its two typed tables; every interval is reached."""
    read = [_SUB_ROW.decode(text) for _, text in groups]
    each = spec.intervals + 1
    cells = [cell or MaskableNumber() for row in read for cell in row.values or ()]
    count = len(cells)
    at_group = pa.array([number for number in range(len(read)) for _ in range(each)], pa.int32())
    labels = {
        name: pa.array([values[place] for values, _ in groups], pa.string()) for place, name in enumerate(spec.group_by)
    }
    dates, money = pa.scalar(day, pa.date32()), pa.scalar(currency)
    cohorts = {
        "date": pa.repeat(dates, count),
        **{name: label.take(at_group) for name, label in labels.items()},
        "days_since_start": pa.array(list(range(each)) * len(read), pa.int16()),
        "value": [cell.value for cell in cells],
        "currency": pa.repeat(money, count),
        "is_masked": [bool(cell.is_masked) for cell in cells],
        "is_reached": pa.repeat(pa.scalar(True), count),
    }
    totals: dict[str, Any] = {"date": pa.repeat(dates, len(read)), **labels, "currency": pa.repeat(money, len(read))}
    for name, sent in (("cost", "total_cost"), ("revenue", "total_revenue"), ("users", "total_unique_users")):
        of = [getattr(row.total, sent) or MaskableNumber() for row in read]
        totals[name] = [cell.value for cell in of]
        totals[f"{name}_is_masked"] = [bool(cell.is_masked) for cell in of]
    return {
        cohorts_table(spec): _table(cohorts_table(spec), cohorts, count),
        cohort_totals_table(spec): _table(cohort_totals_table(spec), totals, len(read)),
    }


def _add(
    columns: Mapping[str, list[Any]], about: tuple[Any, ...], figures: Figures, *, currency: str, cents: int | None
) -> None:
    for name, value in zip(("date", "dimension", "revenue_mode", "revenue_truncated"), about, strict=True):
        columns[name].append(value)
    columns["currency"].append(currency)
    columns["is_main_currency"].append(currency == figures.revenue_currency)
    columns["signups"].append(figures.signups)
    columns["customers"].append(figures.customers)
    columns["customer_rate_percent"].append(figures.customer_rate)
    columns["revenue_cents"].append(cents)


def _money(figures: Figures) -> Iterator[tuple[str, int | None]]:
    if figures.revenue_by_currency:
        yield from figures.revenue_by_currency.items()
    else:
        yield figures.revenue_currency or "", figures.revenue_cents


def _columns(table: Table) -> dict[str, list[Any]]:
    return {name: [] for name in table.schema.names}


def _table(table: Table, columns: Mapping[str, Any], rows: int) -> pa.Table:
    return pa.Table.from_arrays(
        [
            column if isinstance(column, pa.Array) else pa.array(column, field.type)
            for field in table.schema
            for column in [columns.get(field.name, [None] * rows)]
        ],
        schema=table.schema,
    )
