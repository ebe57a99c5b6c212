"""What years of days cost a reader of the lake: by day files as they land, and with months copied.

The days land through the account's own job, from the sandbox. Dagster's history is not in question here (`years.py`).
"""

import logging
import statistics
import time
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import dagster as dg
import duckdb

from analytics_assets.definitions import tables
from analytics_assets.lake.months import days_of
from analytics_assets.lake.store import Lake
from analytics_assets.upkeep.months import keep_copies
from analytics_assets_tests.upkeep.copied import page_query

TABLE = "ads_chart"
# Months are copied that many days after.
AFTER = timedelta(days=35)
_TIMES = 5


def read_costs(definitions: dg.Definitions, job: str, account: str, lake: Lake, days: Sequence[date]) -> dict[str, Any]:
    """Lands the days and reads them each way; `is_right` says that all ways give the same rows, also after an old day is restated."""
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
    by_day, by_copy = _views(lake, account)
    landed, answers = _cost(lake, account, by_day, days), _rows(by_day)
    graph = definitions.resolve_asset_graph()
    keys = [key for key in graph.get_all_asset_keys() if key.path[0] == account]
    typed = {
        tuple(key.path) for key in keys if graph.get(key).tags.get("layer") == "typed" and graph.get(key).is_partitioned
    }
    daily = {name: table for name, table in tables().items() if name in typed}

    def keep() -> tuple[int, int]:
        done = keep_copies(
            lake,
            daily,
            is_wanted=lambda month: days_of(month)[-1] + AFTER <= days[-1],
            is_sandbox=True,
            say=lambda _words: None,
        )
        assert not done.unusable
        assert not done.removed
        return done.written, done.equal

    began = time.monotonic()
    made = keep()
    seconds = round(time.monotonic() - began, 1)
    began = time.monotonic()
    left = keep()
    again = round(time.monotonic() - began, 1)
    copied, same = _cost(lake, account, by_copy, days), _rows(by_copy) == answers

    [restated] = [table for name, table in daily.items() if name[1] == TABLE]
    standing = lake.read(account, restated, [days[10]])
    lake.land(account, restated, days[10], standing.slice(1), is_sandbox=True)
    behind = _rows(by_copy) == answers
    followed = (
        keep() == (1, made[0] - 1) and _rows(by_copy) == _rows(by_day) and len(_rows(by_copy)) == len(answers) - 1
    )
    return {
        "as landed": landed,
        "months copied": copied,
        "copies_made": made[0],
        "making_s": seconds,
        "another_night_s": again,
        "is_right": run.success and same and left == (0, made[0]) and behind and followed,
    }


def _views(lake: Lake, account: str) -> tuple[str, str]:
    """What makes a view of the table: from its day files, and as the page says with copies."""
    pattern = f"{lake.folder(account, TABLE)}/*/data.parquet"
    by_day = (
        f"set variable files = (select list(file) from glob('{pattern}'));"
        f"create view {TABLE} as from read_parquet(getvariable('files'), hive_partitioning = false, union_by_name = true);"
    )
    return by_day, page_query(lake, account, TABLE)


def _cost(lake: Lake, account: str, view: str, days: Sequence[date]) -> dict[str, float]:
    """Files that a reader opens, what the account takes in the lake, and seconds of two questions, each from nothing."""
    with duckdb.connect() as connection:
        connection.execute(view)
        [paths] = connection.execute("select getvariable('files')").fetchone() or ([],)
    held = [one.size for path, one in lake.files.listed(lake.root).items() if account in path.parts]
    week = f"select sum(signups) from {TABLE} where date between date '{days[-40]}' and date '{days[-34]}'"
    return {
        "files": len(paths),
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
