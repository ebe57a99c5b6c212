"""What is drawn of a project: the metrics computed from the most rows, day by day."""

from collections.abc import Mapping
from datetime import date
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from analytics_assets.lake.store import Lake
from analytics_assets.orchestration.charts.content import Caption, Content, Trends, days_to
from analytics_assets.sources.statsig.tables import METRIC_VALUES

DAYS: Final = 28
MOST: Final = 12
_Key = tuple[str, str, str]


def value_pictures(account: str, lake: Lake, last: date) -> Mapping[str, Content]:
    """Values of at most `DAYS` days up to `last`: `metric_trends`, at most `MOST` metrics in one unit type each."""
    days = days_to(last, DAYS, stored=set(lake.days(account, METRIC_VALUES.name)))
    chosen: list[_Key] = []
    values: dict[_Key, dict[date, float | None]] = {}
    absent = set[date]()
    for day in reversed(days):
        columns = ["metric_name", "metric_type", "unit_type", "is_overall", "value", "input_rows"]
        content = lake.read(account, METRIC_VALUES, [day], columns)
        if not content.num_rows:
            absent.add(day)
            continue
        chosen = chosen or _chosen(content)
        names = pa.array({name for name, _, _ in chosen}, pa.string())
        for row in content.filter(pc.is_in(content["metric_name"], names)).to_pylist():
            key = row["metric_name"], row["metric_type"], row["unit_type"]
            values.setdefault(key, {})[day] = row["value"]
    if not chosen:
        return {}
    caption = Caption(
        "Metrics day by day",
        account,
        "each metric in its own unit and scale",
        days[0],
        last,
        [
            f"The {len(chosen)} metrics computed from the most rows on the newest day that has any; overall, or else in the unit type named.",
            "A gap in a line is a day for which no value was sent.",
        ],
    )
    panels = {_name(key): [values[key].get(day) for day in days] for key in chosen}
    return {"metric_trends": Trends(caption, days, frozenset(absent), panels)}


def _chosen(content: pa.Table) -> list[_Key]:
    """The metrics with the most rows behind them: each overall where it is, or else in the first unit type by name; then by name."""
    best: dict[tuple[str, str], tuple[bool, str, int]] = {}
    for row in content.to_pylist():
        metric, told = (
            (row["metric_name"], row["metric_type"]),
            (not row["is_overall"], row["unit_type"], -(row["input_rows"] or 0)),
        )
        best[metric] = min(best.get(metric, told), told)
    first = sorted(best, key=lambda metric: (best[metric][2], metric))[:MOST]
    return sorted((*metric, best[metric][1]) for metric in first)


def _name(key: _Key) -> str:
    name, kind, unit = key
    return f"{name} ({kind})" if unit == "overall" else f"{name} ({kind}, {unit})"
