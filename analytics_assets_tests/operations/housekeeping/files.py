"""What years of day files cost a reader of the lake.

The days are stored through the account's own job, from the sandbox. Dagster's history is not in question here (`years.py`).
"""

import logging
import statistics
import time
from collections.abc import Sequence
from datetime import date
from typing import Any

import dagster as dg
import duckdb

from analytics_assets.lake.store import Lake
from analytics_assets.sources.bento.tables import ADS_CHART

TABLE = ADS_CHART.name
_TIMES = 5


def read_costs(definitions: dg.Definitions, job: str, account: str, lake: Lake, days: Sequence[date]) -> dict[str, Any]:
    """Loads the days and reads them with DuckDB; `is_right`: the rows are those of the lake, also after an old day is restated."""
    logging.disable(logging.CRITICAL)
    run = definitions.resolve_job_def(job).execute_in_process(
        instance=dg.DagsterInstance.ephemeral(),
        tags={
            "dagster/asset_partition_range_start": str(days[0]),
            "dagster/asset_partition_range_end": str(days[-1]),
        },
        raise_on_error=False,
    )
    logging.disable(logging.NOTSET)
    pattern = f"{lake.folder(account, TABLE)}/*/data.parquet"
    view = f"create view {TABLE} as from read_parquet('{pattern}', hive_partitioning = false, union_by_name = true);"
    costs, before = _cost(lake, account, view, days), _rows(view)
    is_whole = len(before) == lake.read(account, ADS_CHART).num_rows

    existing = lake.read(account, ADS_CHART, [days[10]])
    lake.store_day(account, ADS_CHART, days[10], existing.slice(1), is_sandbox=True)
    return {"costs": costs, "is_right": run.success and is_whole and len(_rows(view)) == len(before) - 1}


def _cost(lake: Lake, account: str, view: str, days: Sequence[date]) -> dict[str, float]:
    """Files that a reader opens, what the account takes in the lake, and seconds of two questions, each from nothing."""
    held = [one.size for path, one in lake.files.listed(lake.root).items() if account in path.parts]
    week = f"select sum(signups) from {TABLE} where date between date '{days[-40]}' and date '{days[-34]}'"
    return {
        "files": len(lake.days(account, TABLE)),
        "MB of the account": round(sum(held) / 1e6, 1),
        "s for a figure a month": _seconds(
            view, f"select date_trunc('month', date), sum(signups) from {TABLE} group by all"
        ),
        "s for one week": _seconds(view, week),
    }


def _seconds(view: str, question: str) -> float:
    """The median, connection and listing included; the first time, which finds no file in the system's cache, is not counted."""
    taken = []
    for _ in range(_TIMES + 1):
        began = time.monotonic()
        with duckdb.connect() as connection:
            connection.execute(view)
            connection.execute(question).fetchall()
        taken.append(time.monotonic() - began)
    return round(statistics.median(taken[1:]), 3)


def _rows(view: str) -> list[Any]:
    """All rows, in one order."""
    with duckdb.connect() as connection:
        connection.execute(view)
        return connection.execute(f"from {TABLE} order by all").fetchall()
