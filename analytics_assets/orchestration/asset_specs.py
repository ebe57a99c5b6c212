"""What Dagster shows of a table: one asset specification made from its declaration, and where it is kept and by whom.

Dagster's own UI draws no lineage of columns; it is in the metadata for what reads it, and each column says in a tag what it is made from.
Dagster concept: asset metadata, https://docs.dagster.io/guides/build/assets/metadata-and-tags
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from analytics_assets.lake.store import StoredDay
from analytics_assets.lake.table import Column, Origin, Table
from analytics_assets.orchestration.partitions import DAILY_TAG, SNAPSHOT_TAG, STREAM_TAG

_ROOT = Path(__file__).parents[2]
# What declares the columns, makes the rows, and asks the vendor.
_MODULES = ("tables.py", "transform.py", "client.py")


@dataclass(frozen=True)
class AccountTables:
    """Where an account's tables are kept, and by whom.

    Attributes:
        lake: Folder or URL of the lake, as a reader on this machine names it.
        owners: E-mail addresses, or teams as `team:name`.
        code: Folder of the source's modules.
        repository: Address of the checkout's root where code is read; None links to the files of this machine.
    """

    lake: str
    owners: Sequence[str]
    code: Path
    repository: str | None = None


@dataclass(frozen=True)
class DailyTables:
    """Daily tables that one step loads together.

    Attributes:
        account: Their account.
        name: Name of the stream, such as `ads`.
        raw: The table of the responses, if there is one.
        typed: The other tables.
        first: The first day.
    """

    account: str
    name: str
    raw: str | None
    typed: Sequence[str]
    first: date

    @property
    def tables(self) -> Sequence[str]:
        """All of them, the raw one first."""
        return [*([] if self.raw is None else [self.raw]), *self.typed]


def daily_tables(definitions: dg.Definitions) -> list[DailyTables]:
    """The daily tables of all accounts, step by step."""
    steps: list[DailyTables] = []
    for assets in definitions.assets or ():
        if not isinstance(assets, dg.AssetsDefinition) or not isinstance(
            assets.partitions_def, dg.DailyPartitionsDefinition
        ):
            continue
        specs = [spec for spec in assets.specs if STREAM_TAG in spec.tags]
        if not specs:
            continue
        account, name = specs[0].key.path[0], specs[0].tags[STREAM_TAG]
        raw = [spec.key.path[-1] for spec in specs if spec.tags.get("layer") == "raw"]
        typed = [spec.key.path[-1] for spec in specs if spec.tags.get("layer") != "raw"]
        first = assets.partitions_def.start.date()
        steps.append(DailyTables(account, name, raw[0] if raw else None, typed, first))
    return steps


def asset_key(account: str, table: str) -> dg.AssetKey:
    """The asset of a table: `[account, table]`, like its folder in the lake."""
    return dg.AssetKey([account, table])


def asset_spec(
    account: str,
    table: Table,
    *,
    vendor: str,
    stream: str,
    partitions: dg.PartitionsDefinition[str] | None = None,
    deps: Sequence[dg.AssetKey | dg.AssetDep] = (),
    is_raw: bool = False,
) -> dg.AssetSpec:
    """The asset of a table, with its columns, key and page of the vendor."""
    return dg.AssetSpec(
        asset_key(account, table.name),
        description=table.description + (f"\n\n[{vendor.title()}'s page]({table.docs_url})" if table.docs_url else ""),
        group_name=account,
        kinds={vendor, "parquet"},
        tags=dict(
            [
                ("layer", "raw" if is_raw else "typed"),
                (STREAM_TAG, stream),
                SNAPSHOT_TAG if partitions is None else DAILY_TAG,
            ]
        ),
        deps=deps,
        partitions_def=partitions,
        skippable=True,
        metadata={
            "dagster/column_schema": column_schema(table),
            "dagster/table_name": f"{account}.{table.name}",
            **({"dagster/column_lineage": lineage} if (lineage := column_lineage(account, table)) else {}),
            "key": ", ".join(table.key) or "none",
            "query": table.example,
        },
    )


def placed(spec: dg.AssetSpec, place: AccountTables) -> dg.AssetSpec:
    """The asset of a table with its owners, its files, a query that reads them, and its code."""
    account, table = spec.key.path
    folder = f"{place.lake}/{account}/{table}"
    return spec.merge_attributes(
        owners=place.owners,
        metadata={
            "dagster/uri": folder,
            "query": dg.MetadataValue.md(f"```sql\n{query(folder, spec.metadata['query'])}\n```"),
            "dagster/code_references": code_references((place.code / name for name in _MODULES), place.repository),
        },
    )


def query(folder: str, example: str) -> str:
    """A query for DuckDB over all days of a table that are stored; without an example, the rows of the newest day."""
    files = f"{folder}/*/data.parquet".replace("'", "''")
    example = example or "\nfrom days where date = (select max(date) from days)"
    return (
        "with days as (\n  from read_parquet(\n"
        f"    '{files}',\n    hive_partitioning = false, union_by_name = true)\n){example}\nlimit 100;"
    )


def code_references(paths: Iterable[Path], repository: str | None, *, line: int = 1) -> dg.CodeReferencesMetadataValue:
    """Links to files of this project: in its repository where there is one, else on this machine."""
    with warnings.catch_warnings():
        # Links to code are beta in Dagster.
        warnings.filterwarnings("ignore", message=".*CodeReference", category=dg.BetaWarning)
        links: list[dg.LocalFileCodeReference | dg.UrlCodeReference] = []
        for path in paths:
            label = f"{path.parent.name}/{path.name}"
            if repository and path.is_relative_to(_ROOT):
                url = f"{repository.rstrip('/')}/{path.relative_to(_ROOT).as_posix()}#L{line}"
                links.append(dg.UrlCodeReference(url=url, label=label))
            else:
                links.append(dg.LocalFileCodeReference(file_path=str(path), line_number=line, label=label))
        return dg.CodeReferencesMetadataValue(code_references=links)


def column_schema(table: Table) -> dg.TableSchema:
    """The columns of a table as Dagster shows them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.name,
                str(column.type),
                description=column.description,
                tags=_tags(column, table),
                constraints=dg.TableColumnConstraints(
                    nullable=column.nullable, other=["part of the key"] if column.name in table.key else None
                ),
            )
            for column in table.columns
        ]
    )


def column_lineage(account: str, table: Table) -> dg.TableColumnLineage | None:
    """The raw columns that each column of a table is made from; None for a table that is read itself."""
    if table.origin is None:
        return None
    key = asset_key(account, table.origin.table.name)
    return dg.TableColumnLineage(
        {
            column.name: [dg.TableColumnDep(key, name) for name in _made_from(column, table.origin)]
            for column in table.columns
        }
    )


def materialization(
    key: dg.AssetKey,
    stored: StoredDay,
    figures: Mapping[str, Any],
    *,
    partition: str | None,
    requested_at: datetime | None,
) -> dg.AssetMaterialization:
    """The event of a table that stands in the lake, with its own data version and figures.

    `requested_at` is when it was requested now; an equal day that was left as it is stands since an earlier time.
    """
    count = "dagster/row_count" if partition is None else "dagster/partition_row_count"
    return dg.AssetMaterialization(
        key,
        partition=partition,
        metadata={
            count: stored.rows,
            "bytes": stored.size,
            "path": dg.MetadataValue.path(stored.path),
            "content_changed": stored.is_changed,
            **({"sandbox": "These numbers are invented."} if stored.footer.is_sandbox else {}),
            **({"requested_at": dg.MetadataValue.timestamp(requested_at)} if requested_at else {}),
            **{name: _shown(value) for name, value in figures.items()},
        },
        tags={"dagster/data_version": stored.footer.content_hash},
    )


def _tags(column: Column, table: Table) -> dict[str, str]:
    tags = {"unit": column.unit} if column.unit else {}
    if table.origin is not None and (names := _made_from(column, table.origin)):
        tags["from"] = f"{table.origin.table.name}.{', '.join(names)}"
    return tags


def _made_from(column: Column, origin: Origin) -> Sequence[str]:
    return (origin.column,) if column.made_from is None else column.made_from


def _shown(value: Any) -> Any:
    """A figure as a metadata value: numbers plot, the rest is text or JSON. A set has no order, so it is given one."""
    if isinstance(value, dg.MetadataValue):
        # It calls itself a tuple.
        return value
    if isinstance(value, set | frozenset):
        return dg.MetadataValue.json(sorted(value))
    return dg.MetadataValue.json(list(value)) if isinstance(value, list | tuple) else value
