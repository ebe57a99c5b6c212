"""The database of views: every typed table of the lake and every growth table, with descriptions as comments.

Views hold paths and no rows, so they show each day as soon as it is stored. The variable `lake` replaces the path of the lake in a session.
Growth tables are in DuckDB's default schema `main`: it finds no table `growth.x` in a database that is called `growth` too.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import duckdb
import pyarrow.parquet as pq

from analytics_assets.lake.table import Table

# Tools with DuckDB 1 open this version of the file; DuckDB 2 writes one that they refuse.
_STORAGE_VERSION: Final = "v1.0.0"


@dataclass(frozen=True)
class View:
    """A view of the database.

    Attributes:
        schema: Its schema: the account, or `main` for the growth tables.
        table: Declaration of its columns.
        path: Path or glob of its files, from the lake's root.
    """

    schema: str
    table: Table
    path: str


def lake_views(tables: Mapping[tuple[str, str], Table]) -> list[View]:
    """A view for each table of the accounts, except raw responses: other tables hold them typed."""
    raw = {(account, table.origin.table.name) for (account, _), table in tables.items() if table.origin is not None}
    return [
        View(account, table, f"{account}/{name}/*/data.parquet")
        for (account, name), table in sorted(tables.items(), key=lambda item: item[0])
        if (account, name) not in raw
    ]


def growth_views(tables: Sequence[Table]) -> list[View]:
    """A view for each growth table."""
    return [View("main", table, f"_growth/{table.name}.parquet") for table in tables]


def script_of(views: Sequence[View], lake: str, macros: str = "") -> str:
    """The SQL that creates the views and their comments.

    Args:
        views: The views.
        lake: Path or URL of the lake as readers reach it.
        macros: SQL that creates the macros of the growth tables, for queries of readers.
    """
    schemas = dict.fromkeys(view.schema for view in views if view.schema != "main")
    with duckdb.connect() as connection:
        return "\n".join(
            [
                f"-- Views over the lake {lake}, for DuckDB. For another path of the same lake: set variable lake = '...';",
                macros,
                *(f"create schema if not exists {_name(schema)};" for schema in schemas),
                *(line for view in views for line in _statements(connection, view, lake)),
                "",
            ]
        )


def database_of(views: Sequence[View], lake: str, macros: str = "") -> bytes:
    """A DuckDB file with the views. Nothing of the lake is read, so its path need not exist on this machine."""
    with TemporaryDirectory() as folder:
        for view in views:
            empty = Path(folder, "lake", view.path.replace("*", "dt=none"))
            empty.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(view.table.schema.empty_table(), empty)
        with duckdb.connect() as connection:
            file = f"{folder}/growth.duckdb"
            connection.execute(
                f"attach {_text(file)} as _database (storage_version '{_STORAGE_VERSION}'); use _database"
            )
            # DuckDB reads the files of a view that it creates. Here it reads these empty ones.
            connection.execute(f"set variable lake = {_text(f'{folder}/lake')}")
            connection.execute(f"begin; {script_of(views, lake, macros)} commit;")
            connection.execute("use memory; detach _database")
        return Path(file).read_bytes()


def _statements(connection: duckdb.DuckDBPyConnection, view: View, lake: str) -> Iterator[str]:
    name = f"{_name(view.schema)}.{_name(view.table.name)}"
    # The empty select adds columns that no stored file has yet.
    yield f"""
create or replace view {name} as
select {", ".join(_name(column.name) for column in view.table.columns)}
from (
  select {", ".join(_typed_nulls(connection, view.table))}
  where false
  union all by name
  select * from read_parquet(
    coalesce(getvariable('lake'), {_text(lake)}) || {_text(f"/{view.path}")}, hive_partitioning = false, union_by_name = true
  )
);
comment on view {name} is {_text(view.table.description)};"""  # noqa: S608 - declared names, quoted
    for column in view.table.columns:
        unit = f" Unit: {column.unit}." if column.unit else ""
        yield f"comment on column {name}.{_name(column.name)} is {_text(column.description + unit)};"


def _typed_nulls(connection: duckdb.DuckDBPyConnection, table: Table) -> list[str]:
    relation = connection.from_arrow(table.schema.empty_table())
    return [f"null::{kind} as {_name(name)}" for name, kind in zip(relation.columns, relation.types, strict=True)]


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
