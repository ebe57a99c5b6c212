"""The growth page: one HTML file that shows the growth tables, and a short form of it for Dagster's UI.

Its figures are queries over the growth tables, one file each in `sql/page/`. `page.html` is the template.
Importing this module imports matplotlib, which takes a second: import it where a page is made.
"""

import base64
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import duckdb
import jinja2
import pyarrow as pa
from markupsafe import Markup

from analytics_assets.dates import in_words
from analytics_assets.growth.build import GrowthSpec, create_macros, query_of
from analytics_assets.growth.charts import Chart, ChartLine, Look, chart_png, chart_svg, find_looks, sparkline_svg
from analytics_assets.growth.formats import (
    change,
    day_in_words,
    level_name,
    markdown_text,
    number,
    percent,
    points_of_percent,
    week_in_words,
)
from analytics_assets.growth.freshness import Freshness

_SITE_QUERIES: Final = ("signups_week", "revenue_week")
_QUERIES: Final = ("last_week", "installs_daily", "d7_week", "roas_weeks", "campaigns", "ltv")
_SHOWN_CAMPAIGNS: Final = 8
_DRAWN_CHANNELS: Final = 8
_SHOWN_SOURCES: Final = 12
_SHOWN_METRICS: Final = 10
_SHORT_FORM_BYTES: Final = 40_000

Row = Mapping[str, Any]


@dataclass(frozen=True)
class GrowthPage:
    """The page and its short form.

    Attributes:
        html: The page.
        summary: A chart and a table in Markdown; empty where nothing can be drawn.
    """

    html: str
    summary: str


@dataclass(frozen=True)
class AppSection:
    """What the page shows of an app in one currency.

    Attributes:
        account: The app.
        currency: The currency.
        week: Rows of `last_week`.
        d7: Rows of `d7_week`.
        campaigns: Rows of `campaigns`.
        curves: The last point of each LTV curve, with `d7_ltv`; curves with too few installs included.
        small: Channels with too few installs for a curve.
        sparklines: Installs of each channel.
        ltv: Chart of the curves; None where no week is old enough.
        roas: Chart of D7 ROAS by week; None where no week is old enough.
        paid_channels: Channels with spend in these weeks.
        undrawn: Those of them that have too few installs in each of the weeks.
    """

    account: str
    currency: str
    week: Sequence[Row]
    d7: Sequence[Row]
    campaigns: Sequence[Row]
    curves: Sequence[Row]
    small: Sequence[str]
    sparklines: Mapping[str, Markup]
    ltv: Chart | None
    roas: Chart | None
    paid_channels: int
    undrawn: Sequence[str]


@dataclass(frozen=True)
class SiteSection:
    """What the page shows of a Bento site.

    Attributes:
        account: The site.
        signups: Rows of `signups_week`, most sign-ups first.
        revenue: Rows of `revenue_week`.
    """

    account: str
    signups: Sequence[Row]
    revenue: Sequence[Row]


@dataclass(frozen=True)
class ProjectSection:
    """What the page shows of a Statsig project.

    Attributes:
        account: The project.
        metrics: Rows of `metrics_week`, the largest change first.
    """

    account: str
    metrics: Sequence[Row]


def build_page(
    tables: Mapping[str, pa.Table], spec: GrowthSpec, sources: Sequence[Freshness], *, made_at: datetime
) -> GrowthPage:
    """Makes the page from the growth tables. An empty table is a sentence in place of its section.

    Args:
        tables: The growth tables, by name.
        spec: What they are made from.
        sources: How fresh their accounts are.
        made_at: The present instant.
    """
    is_sandbox = any(source.is_sandbox for source in sources)
    with duckdb.connect() as connection:
        create_macros(connection, spec.week_start)
        for name, content in tables.items():
            connection.register(name, content)
        looks = find_looks(_channels(connection, spec))
        apps = _apps(connection, spec, looks)
        sites = _sites(connection, spec)
        projects = _projects(connection, spec)
    page = (
        _environment()
        .get_template("page.html")
        .render(
            apps=apps,
            sites=sites,
            projects=projects,
            shown_metrics=_SHOWN_METRICS,
            empty_accounts=[one.account for one in spec.reports if one.account not in {app.account for app in apps}],
            looks=looks,
            sources=sources,
            made_at=made_at,
            minimum_installs=spec.minimum_installs,
            shown_campaigns=_SHOWN_CAMPAIGNS,
            drawn_channels=_DRAWN_CHANNELS,
            shown_sources=_SHOWN_SOURCES,
            is_sandbox=is_sandbox,
        )
    )
    # The short form has room for one app in one currency: the first that has curves.
    shown = next((app for app in apps if app.ltv is not None), apps[0] if apps else None)
    return GrowthPage(page, "" if shown is None else _summary(shown, is_sandbox=is_sandbox))


def _channels(connection: duckdb.DuckDBPyConnection, spec: GrowthSpec) -> list[str]:
    """The channels of the tables in the order of the channel map, so that a colour does not change from week to week."""
    names = {name for (name,) in connection.execute("select distinct channel from channel_weekly").fetchall()}
    mapped = [channel for channel in dict.fromkeys(rule.channel for rule in spec.rules) if channel in names]
    return [*mapped, *sorted(names - {*mapped})]


def _apps(connection: duckdb.DuckDBPyConnection, spec: GrowthSpec, looks: Mapping[str, Look]) -> list[AppSection]:
    results: dict[str, dict[tuple[str, str], list[Row]]] = {}
    for name in _QUERIES:
        groups = results[name] = defaultdict(list)
        for row in connection.sql(query_of(f"page/{name}")).to_arrow_table().to_pylist():
            groups[row["account"], row["currency"]].append(row)
    keys = connection.execute("select distinct account, currency from channel_weekly order by all").fetchall()
    return [_app(key, {name: groups[key] for name, groups in results.items()}, spec, looks) for key in keys]


def _sites(connection: duckdb.DuckDBPyConnection, spec: GrowthSpec) -> list[SiteSection]:
    rows = {name: connection.sql(query_of(f"page/{name}")).to_arrow_table().to_pylist() for name in _SITE_QUERIES}
    return [
        SiteSection(
            source.account, *([row for row in rows[name] if row["account"] == source.account] for name in _SITE_QUERIES)
        )
        for source in spec.signups
    ]


def _projects(connection: duckdb.DuckDBPyConnection, spec: GrowthSpec) -> list[ProjectSection]:
    rows = connection.sql(query_of("page/metrics_week")).to_arrow_table().to_pylist()
    return [
        ProjectSection(source.account, [row for row in rows if row["account"] == source.account])
        for source in spec.metrics
    ]


def _app(
    key: tuple[str, str], rows: Mapping[str, Sequence[Row]], spec: GrowthSpec, looks: Mapping[str, Look]
) -> AppSection:
    name = ", ".join(key)
    installs = _by_channel(rows["installs_daily"])
    sparklines = {
        channel: sparkline_svg(
            f"Installs of {channel} by day, {name}", looks[channel], [row["installs"] for row in points]
        )
        for channel, points in installs.items()
    }
    curves = _by_channel(rows["ltv"])
    # The installs behind a curve repeat on each of its points.
    small = [channel for channel, points in curves.items() if (points[0]["installs"] or 0) < spec.minimum_installs]
    weeks = _by_channel(rows["roas_weeks"])
    return AppSection(
        *key,
        week=rows["last_week"],
        d7=rows["d7_week"],
        campaigns=rows["campaigns"],
        curves=sorted(
            ({**points[-1], "d7_ltv": _value_at(points, 7, "ltv")} for points in curves.values()),
            key=lambda row: -(row["installs"] or 0),
        ),
        small=small,
        sparklines=sparklines,
        ltv=_ltv_chart(name, {channel: points for channel, points in curves.items() if channel not in small}, looks),
        roas=_roas_chart(name, weeks, spec, looks),
        paid_channels=len(weeks),
        undrawn=[
            channel
            for channel, points in weeks.items()
            if all((point["installs"] or 0) < spec.minimum_installs for point in points)
        ],
    )


def _by_channel(rows: Sequence[Row]) -> Mapping[str, list[Row]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["channel"]].append(row)
    return groups


def _largest(groups: Mapping[str, Sequence[Row]]) -> Mapping[str, Sequence[Row]]:
    """The channels with most installs, as many as a chart can show."""
    sizes = {channel: sum(row["installs"] or 0 for row in rows) for channel, rows in groups.items()}
    return {
        channel: groups[channel] for channel in sorted(groups, key=lambda name: (-sizes[name], name))[:_DRAWN_CHANNELS]
    }


def _value_at(points: Sequence[Row], day: int, column: str) -> float | None:
    return next((point[column] for point in points if point["days_since_start"] == day), None)


def _ltv_chart(name: str, curves: Mapping[str, Sequence[Row]], looks: Mapping[str, Look]) -> Chart | None:
    curves = _largest(curves)
    days = range(max((points[0]["horizon"] for points in curves.values()), default=-1) + 1)
    lines = [
        ChartLine(channel, looks[channel], [_value_at(curves[channel], day, "ltv") for day in days])
        for channel in looks
        if channel in curves
    ]
    return Chart(f"LTV by day since install, {name}", days, lines) if _has_values(lines) else None


def _roas_chart(
    name: str, weeks: Mapping[str, Sequence[Row]], spec: GrowthSpec, looks: Mapping[str, Look]
) -> Chart | None:
    weeks = _largest(weeks)
    rows = [row for points in weeks.values() for row in points]
    if not rows:
        return None
    first, last = min(row["week"] for row in rows), max(row["week"] for row in rows)
    dates = [first + timedelta(days=days) for days in range(0, (last - first).days + 1, 7)]
    values = {
        (row["channel"], row["week"]): row["d7_roas"] for row in rows if (row["installs"] or 0) >= spec.minimum_installs
    }
    lines = [
        ChartLine(channel, looks[channel], [values.get((channel, week)) for week in dates])
        for channel in looks
        if channel in weeks
    ]
    return Chart(f"D7 ROAS by week, {name}", dates, lines, is_percent=True, level=1.0) if _has_values(lines) else None


def _has_values(lines: Sequence[ChartLine]) -> bool:
    return any(value is not None for line in lines for value in line.values)


def _summary(app: AppSection, *, is_sandbox: bool) -> str:
    """The LTV chart and the table of the last complete week, as Markdown."""
    parts = ["**Sandbox: invented numbers.**"] if is_sandbox else []
    if app.ltv is not None:
        image = base64.b64encode(chart_png(app.ltv, most_bytes=_SHORT_FORM_BYTES)).decode()
        parts.append(
            f"LTV by day since install, {app.account}, {app.currency}\n\n![LTV](data:image/png;base64,{image})"
        )
    if app.week:
        parts.append(
            "\n".join(
                [
                    f"Week of {app.week[0]['week']}, {app.account}",
                    "",
                    f"| channel | spend, {app.currency} | installs | CAC, {app.currency} |",
                    "|---|--:|--:|--:|",
                    *(
                        f"| {markdown_text(level_name(row))} | {number(row['spend'])} | {number(row['installs'])} | {number(row['cac'], 2)} |"
                        for row in app.week
                    ),
                ]
            )
        )
    return "\n\n".join(parts)


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("analytics_assets.growth", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "percent": percent,
        "change": change,
        "points": points_of_percent,
        "week": week_in_words,
        "day": day_in_words,
        "days": in_words,
        "level_name": level_name,
    }
    environment.globals |= {"chart_svg": chart_svg}
    return environment
