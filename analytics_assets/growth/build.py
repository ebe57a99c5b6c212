"""Makes the growth tables of a lake: one SQL file per table, run by DuckDB over the Parquet files.

The SQL reads these relations: `cohorts` and `totals` (rows of all reports), `stored_days` (account, date), `plan` (planned spend), `channel_map` (source_system, raw_name,
channel, rule), `attribution` (rows of all Bento sites), `week_reach`, and the growth tables made before. `week_of(date)` is the first day of a week.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from importlib.resources import files
from typing import Any, Final

import duckdb
import pyarrow as pa

from analytics_assets.growth.channels import ChannelRule, find_rule
from analytics_assets.growth.tables import TABLES
from analytics_assets.lake.reader import LakeReader
from analytics_assets.lake.table import MONEY, Table
from analytics_assets.sources.bento.tables import ADS_ATTRIBUTION
from analytics_assets.sources.statsig.tables import EVENT_METRICS, METRIC_VALUES

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CELLS: Final = ("days_since_start", "value", "currency", "is_masked", "is_reached")
_VALUES: Final = "date, metric_name, metric_type, unit_type, is_overall, display_name, value, numerator, denominator"
# What a metric's number depends on. Names, descriptions, tags and people are left out.
_DEFINING: Final = (
    "metric_events",
    "component_metrics",
    "funnel_events",
    "funnel_count_distinct",
    "rollup_time_window",
    "custom_rollup_start",
    "custom_rollup_end",
    "warehouse_native",
    "lineage_events",
    "lineage_metrics",
    "unit_types",
)
_DEFINITIONS: Final = (
    "date, metric_name, metric_type, is_reconstructed, struct_pack("
    + ", ".join(f"{name} := {name}" for name in _DEFINING)
    + ")::varchar as definition"
)
_TOTALS: Final = ("cost", "cost_is_masked", "users", "users_is_masked", "currency")


@dataclass(frozen=True)
class Report:
    """An Airbridge report that feeds the tables of acquisition.

    Attributes:
        account: Its account.
        cohorts: Table of its cells.
        totals: Table of its totals.
        channel: Column of the channel.
        campaign: Column of the campaign; None where the report has none.
        others: Columns of its other group-by fields; their groups are added up.
        source_system: System of its names in the channel map.
        zone: Zone of the app, in which its days begin.
    """

    account: str
    cohorts: Table
    totals: Table
    channel: str
    campaign: str | None
    others: Sequence[str] = ()
    source_system: str = "airbridge"
    zone: str = "UTC"


@dataclass(frozen=True)
class PlannedSpend:
    """Spend that is planned for a month.

    Attributes:
        account: The account.
        month: First day of the month.
        channel: Channel of the channel map.
        currency: Currency of the amount.
        amount: Amount in major units.
    """

    account: str
    month: date
    channel: str
    currency: str
    amount: Decimal


@dataclass(frozen=True)
class SignupSource:
    """Attribution of a Bento site that feeds the tables of sign-ups.

    Attributes:
        account: Its account.
        dimension: Dimension of the sources; the dimensions overlap, so one is used.
        revenue_mode: Mode whose rows are counted; counts repeat for each mode.
        zone: Zone of the site's days.
    """

    account: str
    dimension: str
    revenue_mode: str
    zone: str = "UTC"


@dataclass(frozen=True)
class MetricSource:
    """A Statsig project whose metrics are shown.

    Attributes:
        account: Its account.
        zone: Zone of the project's days.
    """

    account: str
    zone: str = "UTC"


@dataclass(frozen=True)
class GrowthSpec:
    """What the growth tables are made from.

    Attributes:
        reports: Reports of acquisition, at most one per account.
        rules: The channel map.
        week_start: First day of a week, such as monday.
        minimum_installs: Installs that a point of a chart rests on at least; fewer are not drawn.
        plan: Planned spend, at most one amount per account, month, channel and currency.
        signups: Bento sites whose sign-ups and revenue by source are shown, at most one dimension per account.
        metrics: Statsig projects whose metrics are shown.
    """

    reports: Sequence[Report]
    rules: Sequence[ChannelRule]
    week_start: str = "monday"
    minimum_installs: int = 50
    plan: Sequence[PlannedSpend] = ()
    signups: Sequence[SignupSource] = ()
    metrics: Sequence[MetricSource] = ()


@dataclass(frozen=True)
class GrowthTables:
    """The growth tables of a lake.

    Attributes:
        tables: Content of each table, by name, valid for its declaration.
        falls: Points of complete curves that fall by more than their cohorts do; none in right tables.
    """

    tables: Mapping[str, pa.Table]
    falls: Sequence[Mapping[str, Any]]


def build_growth(lake: LakeReader, spec: GrowthSpec) -> GrowthTables:
    """Makes all growth tables.

    Raises:
        UnexpectedPayloadError: The result of a query is not what its table declares.
        LakeError: The lake cannot be listed.
        duckdb.Error: A file of the lake cannot be read.
    """
    with _connected(lake) as connection:
        _create_inputs(connection, lake, spec)
        contents = {}
        for table in TABLES:
            result = connection.sql(query_of(table.name)).to_arrow_table()
            contents[table.name] = table.valid_rows(result)
            connection.register(table.name, contents[table.name])
        falls = connection.sql(query_of("curve_falls")).to_arrow_table().to_pylist()
        return GrowthTables(contents, falls)


def query_of(name: str) -> str:
    """The text of `sql/<name>.sql`."""
    return (files("analytics_assets.growth") / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def create_macros(connection: duckdb.DuckDBPyConnection, week_start: str) -> None:
    """The macros that all queries may use."""
    connection.execute(macros_of(week_start))


def macros_of(week_start: str) -> str:
    """The SQL that creates the macros."""
    offset = WEEKDAYS.index(week_start)
    week = f"create or replace macro week_of(day) as day - ((isodow(day)::integer + 6 - {offset}) % 7)::integer;\n"
    return f"{query_of('macros')}\n-- The first day of a week.\n{week}"


@contextmanager
def _connected(lake: LakeReader) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        if not lake.files.is_local:
            connection.register_filesystem(lake.files.fs)
        yield connection


def _create_inputs(connection: duckdb.DuckDBPyConnection, lake: LakeReader, spec: GrowthSpec) -> None:
    create_macros(connection, spec.week_start)
    cells, totals, days = [], [], []
    for number, report in enumerate(spec.reports):
        cells_name, totals_name = f"cells_{number}", f"totals_{number}"
        _create_relation(connection, lake, report.account, report.cohorts, cells_name)
        _create_relation(connection, lake, report.account, report.totals, totals_name)
        cells.append(_query_of_rows(report, cells_name, _CELLS))
        totals.append(_query_of_rows(report, totals_name, _TOTALS))
        stored = lake.days(report.account, report.cohorts.name)
        days += [{"account": report.account, "date": day} for day in stored]
    connection.execute(f"create temp view cohorts as {' union all '.join(cells)}")
    connection.execute(f"create temp view totals as {' union all '.join(totals)}")
    _create_attribution(connection, lake, spec.signups)
    _create_metrics(connection, lake, spec.metrics)
    schema = pa.schema([("account", pa.string()), ("date", pa.date32())])
    connection.register("stored_days", pa.Table.from_pylist(days, schema=schema))
    connection.register("plan", _plan(spec.plan))
    connection.register("channel_map", _channel_map(connection, spec.rules))
    connection.execute(f"create temp table week_reach as {query_of('week_reach')}")


def _query_of_rows(report: Report, relation: str, columns: Sequence[str]) -> str:
    """A query for the rows of a table of the lake, with account and names of the report's groups."""
    campaign = "''" if report.campaign is None else f'"{report.campaign}"'
    part = "[" + ", ".join(f'"{column}"' for column in report.others) + "]::varchar[]"
    names = f"'{report.account}' as account, '{report.source_system}' as source_system, \"{report.channel}\" as channel"
    return f"select {names}, {campaign} as campaign, {part} as part, date, {', '.join(columns)} from {relation}"  # noqa: S608 - declared names


def _create_attribution(
    connection: duckdb.DuckDBPyConnection, lake: LakeReader, sources: Sequence[SignupSource]
) -> None:
    """The view `attribution`: rows of all sites; empty without sites."""
    queries = [_query_of_attribution("", "attribution_none", dimension="", revenue_mode="")]
    connection.register("attribution_none", ADS_ATTRIBUTION.schema.empty_table())
    for number, source in enumerate(sources):
        _create_relation(connection, lake, source.account, ADS_ATTRIBUTION, f"attribution_{number}")
        queries.append(
            _query_of_attribution(
                source.account,
                f"attribution_{number}",
                dimension=source.dimension,
                revenue_mode=source.revenue_mode,
            )
        )
    connection.execute(f"create temp view attribution as {' union all '.join(queries)}")


def _create_metrics(connection: duckdb.DuckDBPyConnection, lake: LakeReader, sources: Sequence[MetricSource]) -> None:
    """The views `metric_values` and `metric_definitions`: rows of all projects; empty without projects."""
    for table, columns in ((METRIC_VALUES, _VALUES), (EVENT_METRICS, _DEFINITIONS)):
        relation = f"{table.name}_none"
        connection.register(relation, table.schema.empty_table())
        queries = [f"select '' as account, {columns} from {relation}"]  # noqa: S608 - declared names
        for number, source in enumerate(sources):
            relation = f"{table.name}_{number}"
            _create_relation(connection, lake, source.account, table, relation)
            queries.append(f"select '{source.account}' as account, {columns} from {relation}")  # noqa: S608 - declared names
        name = "metric_values" if table is METRIC_VALUES else "metric_definitions"
        connection.execute(f"create temp view {name} as {' union all '.join(queries)}")


def _query_of_attribution(account: str, relation: str, *, dimension: str, revenue_mode: str) -> str:
    return (
        f"select '{account}' as account, date, key as source, label, revenue_mode, revenue_mode = {_quoted(revenue_mode)} as is_counted, "  # noqa: S608 - declared names
        "currency, is_main_currency, signups, customers, revenue_cents, revenue_truncated "
        f"from {relation} where dimension = {_quoted(dimension)}"
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _create_relation(
    connection: duckdb.DuckDBPyConnection, lake: LakeReader, account: str, table: Table, name: str
) -> None:
    """A view of all stored days of a table; a file too short to be one is a missing day."""
    paths = [lake.files.named(lake.path(account, table.name, day)) for day in lake.days(account, table.name)]
    if paths:
        connection.read_parquet(paths, hive_partitioning=False, union_by_name=True).create_view(name)
    else:
        connection.register(name, table.schema.empty_table())


def _plan(plan: Sequence[PlannedSpend]) -> pa.Table:
    names = {
        "account": pa.string(),
        "month": pa.date32(),
        "channel": pa.string(),
        "currency": pa.string(),
        "amount": MONEY,
    }
    return pa.Table.from_pylist([asdict(planned) for planned in plan], schema=pa.schema(names))


def _channel_map(connection: duckdb.DuckDBPyConnection, rules: Sequence[ChannelRule]) -> pa.Table:
    """A row for each raw name of the totals and cohorts; a name that no rule maps is its own channel."""
    names = connection.execute(
        "select source_system, channel from totals union select source_system, channel from cohorts order by all"
    ).fetchall()
    rows = []
    for source, raw_name in names:
        rule = find_rule(rules, source, raw_name)
        channel, text = (raw_name, None) if rule is None else (rule.channel, rule.text)
        rows.append({"source_system": source, "raw_name": raw_name, "channel": channel, "rule": text})
    fields = ["source_system", "raw_name", "channel", "rule"]
    return pa.Table.from_pylist(rows, schema=pa.schema([(field, pa.string()) for field in fields]))
