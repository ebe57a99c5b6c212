"""Names of columns: queries need no quotes for them."""

from collections.abc import Iterable, Iterator

import duckdb

from analytics_assets.definitions import defs
from analytics_assets.growth.assets import DATABASE, PAGE
from analytics_assets.lake.table import DATE
from analytics_assets.orchestration.backfill_guard import PLAN_KEY
from analytics_assets.sources.airbridge.tables import daily_tables
from analytics_assets_tests.sources.airbridge.vendor import spec as spec_of_report

# https://spark.apache.org/docs/latest/sql-ref-ansi-compliance.html, reserved in ANSI mode
SPARK = """
    all and any as authorization both case cast check collate column constraint create cross current_date current_time current_timestamp
    current_user distinct else end escape except false fetch filter for foreign from full grant group having in inner intersect into is join
    lateral leading left natural not null on only or order outer overlaps percentile_cont percentile_disc primary references right select
    session_user some table then time to trailing union unique unknown user using when where with within
"""
# https://docs.aws.amazon.com/athena/latest/ug/reserved-words.html, in DDL and in SELECT
ATHENA = """
    all alter and array as authorization between bigint binary boolean both by case cashe cast char column conf constraint commit create cross
    cube current current_catalog current_date current_path current_schema current_time current_timestamp current_user cursor database date
    dayofweek deallocate decimal delete describe distinct div double drop else end escape except exchange execute exists extended external
    extract false fetch first float floor following for foreign from full function grant group grouping having if import in inner insert int
    integer intersect interval into is join json_array json_exists json_object json_query json_table json_value last lateral left less like
    listagg local localtime localtimestamp macro map more natural none normalize not null numeric of on only or order out outer over
    partialscan partition percent preceding precision prepare preserve primary procedure range reads recursive reduce references regexp revoke
    right rlike rollback rollup row rows select set skip smallint start table tablesample then time timestamp to transform trigger trim true
    truncate uescape unbounded union uniquejoin unnest update user using utc_timestamp values varchar views when where window with
"""
# https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical
BIGQUERY = """
    all and any array as asc assert_rows_modified at between by case cast collate contains create cross cube current default define desc
    distinct else end enum escape except exclude exists extract false fetch following for from full group grouping groups hash having if ignore
    in inner intersect interval into is join lateral left like limit lookup merge natural new no not null nulls of on or order outer over
    partition preceding proto qualify range recursive respect right rollup rows select set some struct tablesample then to treat true
    unbounded union unnest using when where window with within
"""
# https://docs.rs/sqlparser/latest/sqlparser/keywords/: RESERVED_FOR_IDENTIFIER and RESERVED_FOR_COLUMN_ALIAS of DataFusion's parser
DATAFUSION = """
    analyze cluster distinct distribute end except exists explain fetch from group having interval intersect into lateral limit offset order
    returning select sort struct top trim union view where with
"""


LISTS = {"Spark": SPARK, "Athena": ATHENA, "BigQuery": BIGQUERY, "DataFusion": DATAFUSION}
# Everybody's name for it; Athena's DDL alone wants quotes.
ALLOWED = {DATE}


def reserved() -> dict[str, set[str]]:
    """Reserved words by the program that reserves them; DuckDB lists its own."""
    with duckdb.connect() as connection:
        rows = connection.sql(
            "select keyword_name from duckdb_keywords() where keyword_category = 'reserved'"
        ).fetchall()
    return {"DuckDB": {word for (word,) in rows}, **{name: set(words.split()) for name, words in LISTS.items()}}


def columns() -> Iterator[tuple[str, str]]:
    """Every declared column with the asset key of its table, those of a ROAS report among them."""
    others = {PLAN_KEY.path[-1], PAGE, DATABASE}
    for spec in (spec for spec in defs().resolve_all_asset_specs() if spec.key.path[-1] not in others):
        for column in spec.metadata["dagster/column_schema"].columns:
            yield spec.key.to_user_string(), column.name
    for table in daily_tables(spec_of_report(name="roas", metric="app_roas")):
        yield from ((table.name, column.name) for column in table.columns)


def taken(names: Iterable[tuple[str, str]]) -> list[str]:
    """The columns whose name is a reserved word, with who reserves it."""
    words = reserved()
    return [
        f"{table}.{name}: {program}"
        for table, name in names
        for program, of_program in words.items()
        if name in of_program - ALLOWED
    ]


def test_no_column_is_a_reserved_word() -> None:
    """Of DuckDB, Spark, Athena, BigQuery or DataFusion."""
    assert taken(columns()) == []


def test_duckdb_reads_every_column_without_quotes() -> None:
    """Also words that are reserved in some places only, such as `interval`."""
    with duckdb.connect() as connection:
        for name in sorted({name for _, name in columns()}):
            connection.execute(f"create or replace table days ({name} int)")
            connection.execute(
                f"select {name}, count(*) as n from days where {name} > 0 group by {name} order by {name}"
            )


def test_a_reserved_word_is_found_with_who_reserves_it() -> None:
    """The names that two columns had before."""
    found = taken([("cohorts", "interval"), ("points", "group"), ("points", "date"), ("points", "series")])
    assert found == [
        "cohorts.interval: Athena",
        "cohorts.interval: BigQuery",
        "cohorts.interval: DataFusion",
        *(f"points.group: {name}" for name in ("DuckDB", "Spark", "Athena", "BigQuery", "DataFusion")),
    ]
