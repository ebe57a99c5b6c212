"""Bento's answers to rows. Pure: the same raw day gives the same tables.

Figures, only where there is something to say:
    ads_attribution, ads_totals  signups, customers, revenue_cents_<CUR> (totals of the first response); revenue_truncated
    ads_attribution              keys_<dimension> (values of the dimension in its first response)
    ads_chart                    points
    all three                    window_unverified (no response of the day has a chart that proves the day, see `ads_chart.py`)
    audience_counts              user_count, subscriber_count, unsubscriber_count of the site; segments
    report_points                reports, points; unrecognised_reports (ids of reports whose data has no documented shape)
    all typed tables             unknown_fields (paths of fields that are not documented; raw has them)
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pyarrow as pa

from analytics_assets.http.fields import is_list
from analytics_assets.http.response import Finite, Response
from analytics_assets.lake.raw import stored_responses
from analytics_assets.lake.stream import Typed
from analytics_assets.lake.table import DATE, Table
from analytics_assets.sources.bento.ads_chart import bucket_starts, is_proof
from analytics_assets.sources.bento.responses import (
    Ads,
    Attribution,
    Counts,
    Figures,
    ReportBody,
    ReportPoint,
    decoded_ads,
    decoded_counts,
    decoded_report,
)
from analytics_assets.sources.bento.tables import (
    ADS_ATTRIBUTION,
    ADS_CHART,
    ADS_TOTALS,
    AUDIENCE_COUNTS,
    REPORT_POINTS,
)


@dataclass(frozen=True)
class _AdsResponse:
    """A response of `/stats/ads`: the query, the decoded body, the instants of its chart, and fields not known here."""

    params: Mapping[str, str]
    stats: Ads
    starts: list[datetime]
    unknown: AbstractSet[str]

    @property
    def about(self) -> tuple[Any, ...]:
        """The values every table has: dimension, revenue mode, whether revenue is truncated."""
        return self.params["dimension"], self.params["revenue_mode"], self.stats.revenue_truncated


_ABOUT = ("dimension", "revenue_mode", "revenue_truncated")
_MONEY = ("currency", "revenue_cents", "is_main_currency")
_COUNTS = ("signups", "customers", "customer_rate_percent")


def ads_tables(day: date, raw: pa.Table, *, zone: ZoneInfo) -> dict[str, Typed]:
    """The typed tables of a day of `ads_raw`.

    Args:
        day: The day that was requested.
        raw: Rows of `ads_raw`.
        zone: Where the day begins and ends.

    Raises:
        UnexpectedPayloadError: A response is not as documented, or a chart point lies outside the day.
    """
    return ads_rows(day, list(map(decoded_ads, stored_responses(raw))), zone=zone)


def ads_rows(day: date, responses: Sequence[Response[Ads]], *, zone: ZoneInfo) -> dict[str, Typed]:
    """As `ads_tables`, of decoded responses."""
    readings = [
        _AdsResponse(dict(response.params), response.data, bucket_starts(response, day, zone=zone), response.unknown)
        for response in responses
    ]
    about_all = {} if any(is_proof(reading.starts, day, zone) for reading in readings) else {"window_unverified": True}
    sums = _sums(readings)
    keys: dict[str, int] = {}
    for reading in readings:
        keys.setdefault(f"keys_{reading.stats.dimension}", len(reading.stats.breakdown))
    made = (_attribution(day, readings), _totals(day, readings), _chart(day, readings))
    unknown = set[str]().union(*(reading.unknown for reading in readings))
    in_rows = {path for path in unknown if path.startswith("breakdown[]")}
    in_chart = {path for path in unknown if path.startswith(("chart[]", "chartData[]"))}
    figures: dict[str, dict[str, Any]] = {
        ADS_ATTRIBUTION.name: {**keys, **sums, **_named(in_rows)},
        ADS_TOTALS.name: {**sums, **_named(unknown - in_rows - in_chart)},
        ADS_CHART.name: {"points": sum(len(reading.starts) for reading in readings), **_named(in_chart)},
    }
    return {
        table.name: Typed(content, {**figures[table.name], **about_all})
        for table, content in zip((ADS_ATTRIBUTION, ADS_TOTALS, ADS_CHART), made, strict=True)
    }


def audience_tables(day: date, raw: pa.Table) -> dict[str, Typed]:
    """`audience_counts` of a day of `audience_raw`."""
    return audience_rows(day, list(map(decoded_counts, stored_responses(raw))))


def audience_rows(day: date, responses: Sequence[Response[Counts]]) -> dict[str, Typed]:
    """As `audience_tables`, of decoded responses."""
    rows: list[dict[str, Any]] = []
    figures: dict[str, Any] = {}
    unknown = set[str]()
    for response in responses:
        counts = msgspec.structs.asdict(response.data)
        segment = dict(response.params).get("segment_id")
        if segment is None:
            figures |= {name: value for name, value in counts.items() if value is not None}
        kind = "site" if segment is None else "segment"
        rows.append({DATE: day, "kind": kind, "id": segment or "", **counts, "observed_at": response.requested_at})
        unknown |= response.unknown
    figures["segments"] = sum(row["kind"] == "segment" for row in rows)
    return {AUDIENCE_COUNTS.name: Typed(AUDIENCE_COUNTS.rows(rows), {**figures, **_named(unknown)})}


def report_tables(day: date, raw: pa.Table) -> dict[str, Typed]:
    """`report_points` of a day of `reports_raw`."""
    return report_rows(day, list(map(decoded_report, stored_responses(raw))))


def report_rows(day: date, responses: Sequence[Response[ReportBody]]) -> dict[str, Typed]:
    """As `report_tables`, of decoded responses."""
    rows: list[dict[str, Any]] = []
    unrecognised: list[str] = []
    unknown = set[str]()
    for response in responses:
        report, params = response.data, dict(response.params)
        unknown |= response.unknown
        try:
            points = _points(report.data)
        except msgspec.ValidationError:
            unrecognised.append(params["report_id"])
            continue
        about = {
            DATE: day,
            "report_id": params["report_id"],
            "report_name": report.report_name,
            "chart_style": report.chart_style,
            "report_type": report.report_type,
            "observed_at": response.requested_at,
        }
        rows += [
            {**about, "point_no": number, "series": _text(point.g), "x": _text(point.x), "y": point.y}
            for number, point in enumerate(points)
        ]
    figures: dict[str, Any] = {"reports": len(responses), "points": len(rows), **_named(unknown)}
    if unrecognised:
        figures["unrecognised_reports"] = sorted(unrecognised)
    return {REPORT_POINTS.name: Typed(REPORT_POINTS.rows(rows), figures)}


def _money(figures: Figures) -> list[tuple[str, int | None, bool]]:
    """One of `_MONEY` per currency: its name, its cents, and whether it is the row to sum counts over."""
    currency = figures.revenue_currency or ""
    by_currency: Mapping[str, int | None] = figures.revenue_by_currency or {currency: figures.revenue_cents}
    main = currency if currency in by_currency else min(by_currency)
    return [(name, cents, name == main) for name, cents in by_currency.items()]


def _attribution(day: date, readings: Iterable[_AdsResponse]) -> pa.Table:
    names = (*_ABOUT, "key", "label", *_COUNTS, *_MONEY, "revenue_per_signup_cents")
    rows: list[tuple[Any, ...]] = []
    for reading in readings:
        about = reading.about
        for row in reading.stats.breakdown:
            own = row.revenue_currency or ""
            same = (*about, _text(row.key), _text(row.label), row.signups, row.customers, row.customer_rate)
            for name, cents, is_main in _money(row):
                # A sum over several currencies is nobody's share, and so is what is made of it.
                is_of_it = name == own and row.revenue_cents in (None, cents)
                rows.append((*same, name, cents, is_main, row.revenue_per_signup_cents if is_of_it else None))
    return _content(ADS_ATTRIBUTION, day, names, rows)


def _totals(day: date, readings: Iterable[_AdsResponse]) -> pa.Table:
    names = (
        *_ABOUT,
        *_COUNTS,
        *("value_filter", "revenue_visitor_count", "top_source"),
        *("attribution_mode", "attribution_window_days", "attribution_applies_to_ad_revenue"),
        *_MONEY,
    )
    rows: list[tuple[Any, ...]] = []
    for reading in readings:
        totals, attribution = reading.stats.totals, reading.stats.attribution or Attribution()
        same = (
            *reading.about,
            *(totals.signups, totals.customers, totals.customer_rate),
            *(reading.params.get("value"), totals.revenue_visitor_count, totals.top_source),
            *(attribution.mode, attribution.window_days, attribution.applies_to_ad_revenue),
        )
        rows += [(*same, *money) for money in _money(totals)]
    return _content(ADS_TOTALS, day, names, rows)


def _chart(day: date, readings: Iterable[_AdsResponse]) -> pa.Table:
    names = (*_ABOUT, "bucket_start", "signups", "customers", "revenue_as_sent")
    rows = [
        (*about, start, point.signups, point.customers, point.revenue)
        for reading in readings
        for about in [reading.about]
        for point, start in zip(reading.stats.points, reading.starts, strict=True)
    ]
    return _content(ADS_CHART, day, names, rows)


def _content(table: Table, day: date, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    columns = dict(zip(names, zip(*rows, strict=True) if rows else [()] * len(names), strict=True))
    return table.of_columns({DATE: [day] * len(rows), **columns})


def _sums(readings: list[_AdsResponse]) -> dict[str, Any]:
    """Totals of the first response, as figures."""
    totals = readings[0].stats.totals
    sums: dict[str, Any] = {"signups": totals.signups, "customers": totals.customers}
    sums |= {f"revenue_cents_{currency}": cents for currency, cents, _ in _money(totals)}
    if any(reading.stats.revenue_truncated for reading in readings):
        sums["revenue_truncated"] = True
    return {name: value for name, value in sums.items() if value is not None}


def _points(data: msgspec.Raw) -> list[ReportPoint]:
    """Points of a report's data in a documented shape: a number, a list of {g, x, y}, or nothing.

    Raises:
        msgspec.ValidationError: Any other shape.
    """
    if is_list(data):
        return msgspec.json.decode(data, type=list[ReportPoint], strict=False)
    if bytes(data).translate(None, b" \t\r\n") == b"{}":
        return []
    return [ReportPoint(None, msgspec.json.decode(data, type=Finite, strict=False))]


def _text(value: float | str | None) -> str | None:
    return None if value is None else str(value)


def _named(paths: Iterable[str]) -> dict[str, list[str]]:
    found = sorted(paths)
    return {"unknown_fields": found} if found else {}
