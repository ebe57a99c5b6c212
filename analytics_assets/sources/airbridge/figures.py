"""Numbers of a day of cohorts that a growth team follows from day to day, beside those the rows are made with. Pure.

Keep rows out of here (`cohorts.py`): what is counted is what stands in the tables.
"""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from analytics_assets.lake.stream import Typed
from analytics_assets.sources.airbridge.request import ReportSpec
from analytics_assets.sources.airbridge.tables import MONEY_METRICS, cohort_totals_table, cohorts_table

_TOTALS = ("cost", "revenue", "users")


def with_figures(made: Mapping[str, Typed], spec: ReportSpec, *, currency: str) -> dict[str, Typed]:
    """The tables of a day with further figures.

    Cohorts: `currency` of the money metrics. Totals: `currency`, and `masked_share` of the numbers, as it is of the cohorts'.
    """
    cohorts, totals = cohorts_table(spec).name, cohort_totals_table(spec).name
    money: dict[str, Any] = {"currency": currency}
    further = {
        cohorts: money if spec.metric in MONEY_METRICS else {},
        totals: {**money, "masked_share": _masked_share(made[totals].content)},
    }
    return {name: Typed(typed.content, {**typed.figures, **further[name]}) for name, typed in made.items()}


def _masked_share(totals: pa.Table) -> float:
    flags = [totals[f"{name}_is_masked"].combine_chunks() for name in _TOTALS]
    masked = sum(flag.true_count for flag in flags)
    return round(float(masked / (len(flags) * totals.num_rows)), 4) if totals.num_rows else 0.0
