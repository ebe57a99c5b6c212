"""Numbers of a day of values that a data team follows from day to day. Pure.

Keep rows out of here (`transform.py`): what is counted is what stands in the table.
"""

from collections.abc import Mapping
from datetime import date

import pyarrow as pa

from analytics_assets.lake.stream import Typed
from analytics_assets.sources.statsig.tables import METRIC_VALUES
from analytics_assets.sources.statsig.transform import metric_values


def counted_values(day: date, raw: pa.Table) -> Mapping[str, Typed]:
    """As `transform.metric_values`, with the figures `values` (rows with a number) and, where there are any, `missing_values` (without)."""
    typed = metric_values(day, raw)[METRIC_VALUES.name]
    missing = typed.content["value"].null_count
    counts = {"values": typed.content.num_rows - missing, **({"missing_values": missing} if missing else {})}
    return {METRIC_VALUES.name: Typed(typed.content, {**typed.figures, **counts})}
