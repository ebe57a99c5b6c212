"""What Dagster shows of a table: one asset specification made from its declaration.

Keep what a day holds out of here (`daily.py`, `snapshots.py` log that with each materialization).
Dagster concept: asset metadata, https://docs.dagster.io/guides/build/assets/metadata-and-tags
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import dagster as dg

from analytics_assets.lake.store import Landed
from analytics_assets.lake.table import Table
from analytics_assets.partitions import DAILY_TAG, SNAPSHOT_TAG


def asset_key(account: str, table: str) -> dg.AssetKey:
    """The asset of a table: `[account, table]`, like its folder in the lake."""
    return dg.AssetKey([account, table])


def asset_spec(
    account: str,
    table: Table,
    *,
    vendor: str,
    partitions: dg.PartitionsDefinition[str] | None = None,
    deps: Sequence[dg.AssetKey] = (),
    is_raw: bool = False,
) -> dg.AssetSpec:
    """The asset of a table, with its columns, key and page of the vendor."""
    return dg.AssetSpec(
        asset_key(account, table.name),
        description=table.description + (f"\n\n[{vendor.title()}'s page]({table.docs_url})" if table.docs_url else ""),
        group_name=account,
        kinds={vendor, "parquet"},
        tags=dict([("layer", "raw" if is_raw else "typed"), SNAPSHOT_TAG if partitions is None else DAILY_TAG]),
        deps=deps,
        partitions_def=partitions,
        skippable=True,
        metadata={
            "dagster/column_schema": column_schema(table),
            "dagster/table_name": f"{account}.{table.name}",
            "key": ", ".join(table.key) or "none",
        },
    )


def column_schema(table: Table) -> dg.TableSchema:
    """The columns of a table as Dagster shows them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.name,
                str(column.type),
                description=column.description,
                constraints=dg.TableColumnConstraints(
                    nullable=column.nullable, other=["part of the key"] if column.name in table.key else None
                ),
            )
            for column in table.columns
        ]
    )


def materialization(
    key: dg.AssetKey,
    landed: Landed,
    figures: Mapping[str, Any],
    *,
    partition: str | None,
    requested_at: datetime | None,
) -> dg.AssetMaterialization:
    """The event of a table that stands in the lake, with its own data version and figures.

    `requested_at` is when it was asked for now; an equal day that was left as it is stands since an earlier time.
    """
    count = "dagster/row_count" if partition is None else "dagster/partition_row_count"
    return dg.AssetMaterialization(
        key,
        partition=partition,
        metadata={
            count: landed.rows,
            "bytes": landed.size,
            "path": dg.MetadataValue.path(landed.path),
            "content_changed": landed.is_changed,
            **({"sandbox": "These numbers are invented."} if landed.footer.is_sandbox else {}),
            **({"requested_at": requested_at.isoformat()} if requested_at else {}),
            **{name: _shown(value) for name, value in figures.items()},
        },
        tags={"dagster/data_version": landed.footer.content_hash},
    )


def _shown(value: Any) -> Any:
    """A figure as a metadata value: numbers plot, the rest is text or JSON. A set has no order, so it is given one."""
    if isinstance(value, set | frozenset):
        return dg.MetadataValue.json(sorted(value))
    return dg.MetadataValue.json(list(value)) if isinstance(value, list | tuple) else value
