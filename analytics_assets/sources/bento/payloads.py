"""What Bento's stats answers must look like, and what in them is not known here.

Facts: the vendor's page https://bentonow.com/stats names the top-level fields, so they are required; the inner fields are those of the
vendor's own client (bento-node-sdk 2.0.0) and may be missing or null. Numbers may come as text. Unknown fields are passed over and named.
Keep requests out of here (`client.py`) and rows too (`transform.py`).
"""

import sys
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from analytics_assets.errors import Evidence, UnexpectedPayloadError
from analytics_assets.http.answer import read
from analytics_assets.http.fields import sent_fields, unknown_fields

_LARGEST = sys.float_info.max
Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Finite = Annotated[float, msgspec.Meta(ge=-_LARGEST, le=_LARGEST)]  # numbers may come as text, and "nan" is none


class Counts(msgspec.Struct):
    """Body of `/stats/site` and `/stats/segment`: people, as of now."""

    user_count: Whole | None
    subscriber_count: Whole | None
    unsubscriber_count: Whole | None


class Report(msgspec.Struct):
    """Body of `/stats/report`, unwrapped. The shape of `data` depends on the report."""

    data: Any
    chart_style: str | None = None
    report_type: str | None = None
    report_name: str | None = None
    report_id: str | None = None


class Wrapping(msgspec.Struct):
    """The report as older documents have it, inside `report_data`."""

    report_data: msgspec.Raw = msgspec.Raw()
    data: msgspec.Raw = msgspec.Raw()

    def inner(self) -> bytes:
        """The report inside; empty where `data` stands outside."""
        return b"" if bytes(self.data) else bytes(self.report_data)


class ReportPoint(msgspec.Struct):
    """One point of a report's `data`, where that is a list."""

    x: str | int | float | None
    y: Finite | None
    g: str | int | float | None = None


class Figures(msgspec.Struct, rename="camel", kw_only=True):
    """What totals and rows of the breakdown have alike: people, and integer cents of one or more currencies."""

    signups: Whole | None = None
    customers: Whole | None = None
    customer_rate: Finite | None = None
    revenue_cents: Whole | None = None
    revenue_currency: str | None = None
    revenue_by_currency: dict[str, Whole] | None = None


class Totals(Figures, rename="camel", kw_only=True):
    """Sums of the window."""

    revenue_visitor_count: Whole | None = None
    top_source: str | None = None


class Row(Figures, rename="camel", kw_only=True):
    """One value of the dimension. Its key is opaque: it may be empty, null, or a number for Bento's own ad ids."""

    key: str | int | None
    label: str | int | None = None
    revenue_per_signup_cents: Finite | None = None


class Point(msgspec.Struct, rename="camel"):
    """One bucket of the chart; the unit of `x` and `revenue` is not documented."""

    x: int | float | str
    signups: Whole | None = None
    customers: Whole | None = None
    revenue: Finite | None = None


class Attribution(msgspec.Struct, rename="camel"):
    """How the site attributes."""

    mode: str | None = None
    mode_label: str | None = None
    window_days: Whole | None = None
    settings_path: str | None = None
    applies_to_ad_revenue: bool | None = None


class RevenueMode(msgspec.Struct):
    """Which revenue events are counted."""

    mode: str | None = None
    label: str | None = None
    description: str | None = None


class Ads(msgspec.Struct, rename="camel", kw_only=True):
    """Body of `/stats/ads`."""

    dimension: str
    totals: Totals
    breakdown: list[Row]
    chart: list[Point] | None = None
    chart_data: list[Point] | None = None
    dimension_label: str | None = None
    attribution: Attribution | None = None
    revenue_mode: RevenueMode | None = None
    revenue_truncated: bool | None = None

    @property
    def points(self) -> list[Point]:
        """The chart under either of its names."""
        return self.chart or [] if self.chart_data is None else self.chart_data


def read_counts(body: bytes | str, endpoint: str) -> Counts:
    """The body of `/stats/site` or `/stats/segment`."""
    return read(body, Counts, endpoint=endpoint)


def read_report(body: bytes | str, endpoint: str) -> Report:
    """The body of `/stats/report`; older documents wrap it once in `report_data`."""
    return read(read(body, Wrapping, endpoint=endpoint).inner() or body, Report, endpoint=endpoint)


def read_ads(body: bytes | str, params: Mapping[str, str], endpoint: str) -> Ads:
    """The body of `/stats/ads`, if it answers `params` and does not contradict itself.

    Raises:
        UnexpectedPayloadError: No chart, another dimension or revenue mode than asked for, or one currency with two different sums.
    """
    stats = read(body, Ads, endpoint=endpoint)
    mode = stats.revenue_mode.mode if stats.revenue_mode else None
    problem = None
    if stats.chart is None and stats.chart_data is None:
        problem = "it has neither `chart` nor `chartData`"
    elif stats.dimension != params["dimension"]:
        problem = f"it is grouped by {stats.dimension!r} where {params['dimension']!r} was asked for"
    elif mode not in (None, params["revenue_mode"]):
        problem = f"it counts {mode!r} where {params['revenue_mode']!r} was asked for"
    else:
        problem = next(filter(None, map(_contradiction, (stats.totals, *stats.breakdown))), None)
    if problem is None:
        return stats
    text = body if isinstance(body, str) else body.decode(errors="replace")
    raise UnexpectedPayloadError(
        f"Bento {endpoint}: the answer is not as documented: {problem}. Compare it with https://bentonow.com/stats.",
        evidence=Evidence(endpoint, body=text),
    )


def _contradiction(figures: Figures) -> str | None:
    """With one currency only, the sum and the sum by currency are the same money."""
    by_currency, currency = figures.revenue_by_currency or {}, figures.revenue_currency or ""
    if (
        figures.revenue_cents is None
        or list(by_currency) != [currency]
        or by_currency[currency] == figures.revenue_cents
    ):
        return None
    whose = repr(figures.key) if isinstance(figures, Row) else "totals"
    return f"{whose} has revenueCents {figures.revenue_cents} and revenueByCurrency {by_currency[currency]} {currency}"


def unknown_in_report(body: str) -> set[str]:
    """As `unknown_fields`, for a body that `read_report` has read: the wrapping and the points included."""
    plain = msgspec.json.decode(body)
    if "data" in plain:
        return unknown_fields(plain, Report) | _unknown_in_points(plain["data"], "")
    inside = plain["report_data"]
    found = unknown_fields(inside, Report, "report_data.") | _unknown_in_points(inside["data"], "report_data.")
    return found | unknown_fields(plain, Wrapping)


def sent_in_report(body: str) -> set[str]:
    """As `sent_fields`, for a body that `read_report` has read: the points included, whatever they are wrapped in."""
    plain = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    inside = plain["report_data"] if "data" not in plain else msgspec.Raw(body.encode())
    data = msgspec.json.decode(inside, type=dict[str, Any])["data"]
    points = [point for point in data if isinstance(point, dict)] if isinstance(data, list) else []
    in_points = (sent_fields(msgspec.json.encode(point), ReportPoint, "data[].") for point in points)
    return sent_fields(inside, Report).union(*in_points)


def _unknown_in_points(data: Any, prefix: str) -> set[str]:
    points = [point for point in data if isinstance(point, dict)] if isinstance(data, list) else []
    return set[str]().union(*(unknown_fields(point, ReportPoint, f"{prefix}data[].") for point in points))
