"""By how much another reading moved the values of a day: figures beside the numbers of rows that changed. Pure.

Statsig computes a day again when late rows change it (imported metrics: the last 3 days are checked again), so recent days still
change. No history of the moves is kept: what a day holds is its last reading, and each materialization says what it moved.
Keep rows of a day out of here (`transform.py`).
"""

from typing import Any

import pyarrow as pa

from analytics_assets.lake.changes import matched
from analytics_assets.lake.table import Table
from analytics_assets.sources.statsig.tables import METRIC_VALUES


def values_moved(table: Table, before: pa.Table, after: pa.Table) -> dict[str, Any]:
    """`metrics_moved`, the metrics of which a value is another one now in some unit; `largest_move_percent` and `largest_move_metric`.

    Values have units of their own, so moves are compared in percent of the old value; a value that was zero or unknown, or is unknown
    now, has no percent.
    """
    if table.name != METRIC_VALUES.name:
        return {}
    rows = matched(METRIC_VALUES.key, before, after)
    pairs = zip(before.take(rows.before).to_pylist(), after.take(rows.after).to_pylist(), strict=True)
    moves = [(old, new) for old, new in pairs if old["value"] != new["value"]]
    figures: dict[str, Any] = {"metrics_moved": len({_metric(new) for _, new in moves})}
    sizes = [
        (100 * (new["value"] - old["value"]) / abs(old["value"]), *_metric(new))
        for old, new in moves
        if old["value"] and new["value"] is not None
    ]
    if sizes:
        percent, *metric = max(sizes, key=lambda size: (abs(size[0]), size))
        figures |= {"largest_move_percent": round(percent, 6), "largest_move_metric": " ".join(metric)}
    return figures


def _metric(row: dict[str, Any]) -> tuple[str, str]:
    return row["metric_name"], row["metric_type"]
