"""What Bento's stats answers must look like, and what in them is not known here.

Facts: the vendor's page https://bentonow.com/stats names the top-level fields, so they are required; the inner fields are those of the
vendor's own client (bento-node-sdk 2.0.0) and may be missing or null. Numbers may come as text. Unknown fields are passed over and named.
"""

from collections.abc import Mapping
from functools import partial

import msgspec

from analytics_assets.errors import Evidence, UnexpectedPayloadError
from analytics_assets.http.fields import is_list, objects, sent_fields, unknown_fields
from analytics_assets.http.response import Finite, JsonResponse, Response, Whole, read


class Counts(msgspec.Struct):
    """Body of `/stats/site` and `/stats/segment`: people, as of now."""

    user_count: Whole | None
    subscriber_count: Whole | None
    unsubscriber_count: Whole | None


class ReportBody(msgspec.Struct):
    """Body of `/stats/report`, unwrapped. The shape of `data` depends on the report."""

    data: msgspec.Raw
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


class AdsTotals(Figures, rename="camel", kw_only=True):
    """Sums of the window."""

    revenue_visitor_count: Whole | None = None
    top_source: str | None = None


class Row(Figures, rename="camel", kw_only=True):
    """One value of the dimension. Its key is opaque: it may be empty, null, or a number for Bento's own ad ids."""

    key: str | int | None
    label: str | int | None = None
    revenue_per_signup_cents: Finite | None = None


class ChartPoint(msgspec.Struct, rename="camel"):
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
    totals: AdsTotals
    breakdown: list[Row]
    chart: list[ChartPoint] | None = None
    chart_data: list[ChartPoint] | None = None
    dimension_label: str | None = None
    attribution: Attribution | None = None
    revenue_mode: RevenueMode | None = None
    revenue_truncated: bool | None = None

    @property
    def points(self) -> list[ChartPoint]:
        """The chart under either of its names."""
        return self.chart or [] if self.chart_data is None else self.chart_data


def decoded_counts(answer: JsonResponse) -> Response[Counts]:
    """A response of `/stats/site` or `/stats/segment`; raises as `read`."""
    data = read_counts(answer.body, answer.endpoint)
    return Response.of(answer, data, partial(unknown_fields, answer.body, Counts))


def decoded_report(answer: JsonResponse) -> Response[ReportBody]:
    """A response of `/stats/report`; raises as `read`."""
    return Response.of(answer, read_report(answer.body, answer.endpoint), partial(unknown_in_report, answer.body))


def decoded_ads(answer: JsonResponse) -> Response[Ads]:
    """A response of `/stats/ads`; raises as `read_ads`."""
    data = read_ads(answer.body, dict(answer.params), answer.endpoint)
    return Response.of(answer, data, partial(unknown_fields, answer.body, Ads))


def read_counts(body: bytes | str, endpoint: str) -> Counts:
    """The body of `/stats/site` or `/stats/segment`."""
    return read(body, Counts, vendor="Bento", endpoint=endpoint)


def read_report(body: bytes | str, endpoint: str) -> ReportBody:
    """The body of `/stats/report`; older documents wrap it once in `report_data`."""
    return read(
        read(body, Wrapping, vendor="Bento", endpoint=endpoint).inner() or body,
        ReportBody,
        vendor="Bento",
        endpoint=endpoint,
    )


def read_ads(body: bytes | str, params: Mapping[str, str], endpoint: str) -> Ads:
    """The body of `/stats/ads`, if it answers `params` and does not contradict itself.

    Raises:
        UnexpectedPayloadError: No chart, another dimension or revenue mode than requested, or one currency with two different sums.
    """
    stats = read(body, Ads, vendor="Bento", endpoint=endpoint)
    mode = stats.revenue_mode.mode if stats.revenue_mode else None
    problem = None
    if stats.chart is None and stats.chart_data is None:
        problem = "it has neither `chart` nor `chartData`"
    elif stats.dimension != params["dimension"]:
        problem = f"it is grouped by {stats.dimension!r} where {params['dimension']!r} was requested"
    elif mode not in (None, params["revenue_mode"]):
        problem = f"it counts {mode!r} where {params['revenue_mode']!r} was requested"
    else:
        problem = next(filter(None, map(_contradiction, (stats.totals, *stats.breakdown))), None)
    if problem is None:
        return stats
    text = body if isinstance(body, str) else body.decode(errors="replace")
    raise UnexpectedPayloadError(
        f"Bento {endpoint}: the response is not as documented: {problem}.",
        remedy="Compare it with https://bentonow.com/stats.",
        evidence=Evidence(endpoint, body=text),
    )


def _contradiction(figures: Figures) -> str | None:
    """The sum is one of those by currency, or the only one there is; otherwise money would be counted wrong or not at all."""
    by_currency, cents, currency = (
        figures.revenue_by_currency or {},
        figures.revenue_cents,
        figures.revenue_currency or "",
    )
    if cents is None or not by_currency:
        return None
    only = list(by_currency.items()) if len(by_currency) == 1 else []
    is_other_sum = bool(only) and currency in ("", only[0][0]) and cents != only[0][1]
    # The vendor keeps its currency even where everything is zero.
    is_lost = currency not in ("", *by_currency) and cents != 0
    if not is_other_sum and not is_lost:
        return None
    whose = repr(figures.key) if isinstance(figures, Row) else "totals"
    by_name = ", ".join(f"{one} {name}" for name, one in by_currency.items())
    return f"{whose} has revenueCents {cents}{f' {currency}' if is_lost else ''} and revenueByCurrency {by_name}"


def unknown_in_report(body: bytes | str) -> set[str]:
    """As `unknown_fields`, for a body that `read_report` has read: the wrapping and the points included."""
    held = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    if "data" in held:
        return unknown_fields(held, ReportBody) | _unknown_in_points(held["data"], "")
    inside = msgspec.json.decode(held["report_data"], type=dict[str, msgspec.Raw])
    found = unknown_fields(inside, ReportBody, "report_data.") | _unknown_in_points(inside["data"], "report_data.")
    return found | unknown_fields(held, Wrapping)


def sent_in_report(body: str) -> set[str]:
    """As `sent_fields`, for a body that `read_report` has read: the points included, whatever they are wrapped in."""
    held = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    inside: msgspec.Raw | str = body if "data" in held else held["report_data"]
    data = msgspec.json.decode(inside, type=dict[str, msgspec.Raw])["data"]
    points = objects(data) if is_list(data) else ()
    return sent_fields(inside, ReportBody).union(*(sent_fields(point, ReportPoint, "data[].") for point in points))


def _unknown_in_points(data: msgspec.Raw, prefix: str) -> set[str]:
    points = objects(data) if is_list(data) else ()
    return set[str]().union(*(unknown_fields(point, ReportPoint, f"{prefix}data[].") for point in points))
