"""What is drawn of a report: its cohorts as a heat map and, of revenue, what a user has brought and what of the cost is earned back.

A day is read, added up and let go before the next, so that memory stays flat. Ratios of different groups cannot be added, so a report of
ratios has no picture. Keep looks out of here (`orchestration/charts/`), rows too (`cohorts.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from analytics_assets.lake.store import Lake
from analytics_assets.orchestration.charts.content import (
    Caption,
    ChartCell,
    Content,
    Curve,
    Curves,
    HeatMap,
    days_to,
    foremost,
)
from analytics_assets.sources.airbridge.report_spec import ReportSpec
from analytics_assets.sources.airbridge.tables import (
    ADDITIVE_METRICS,
    MONEY_METRICS,
    cohort_totals_table,
    cohorts_table,
    group_columns,
)

DAYS: Final = 45
_TITLES: Final = {"app_revenue": "Revenue", "app_user_count": "Users", "app_event_count": "Events"}
_Sums = npt.NDArray[np.float64]


@dataclass
class _Earned:
    """What the cohorts of one group of users have brought by interval, beside the users and the cost of the same cohorts."""

    revenue: tuple[_Sums, _Sums]
    whole: tuple[_Sums, _Sums]
    users: float = 0.0
    is_masked: bool = False

    @classmethod
    def nothing(cls, intervals: int) -> "_Earned":
        """Of no cohort yet."""
        return cls(*(tuple(np.zeros(intervals) for _ in range(2)) for _ in range(2)))  # type: ignore[arg-type]

    def add(self, other: "_Earned") -> None:
        """Takes another group's in."""
        for mine, its in zip((*self.revenue, *self.whole), (*other.revenue, *other.whole), strict=True):
            np.add(mine, its, out=mine)
        self.users += other.users
        self.is_masked |= other.is_masked

    def share(self, kind: int) -> list[float | None]:
        """Revenue per user (0) or per cost (1), by interval; None where no cohort tells."""
        pairs = zip(self.revenue[kind].tolist(), self.whole[kind].tolist(), strict=True)
        return [revenue / whole if whole > 0 else None for revenue, whole in pairs]


@dataclass
class _ChartData:
    """What was read: a row of the heat map for each day, and what was earned by name."""

    values: list[list[float | None]] = field(default_factory=list)
    cells: list[list[ChartCell]] = field(default_factory=list)
    earned: dict[str, _Earned] = field(default_factory=dict)


def has_pictures(spec: ReportSpec) -> bool:
    """Whether the report's numbers can be added over groups."""
    return spec.metric in ADDITIVE_METRICS


def report_pictures(
    account: str, spec: ReportSpec, lake: Lake, last: date, *, app: str, currency: str
) -> Mapping[str, Content]:
    """The pictures of the cohorts of at most `DAYS` days up to `last`: `cohort_heat_map`, and of cumulative revenue `ltv` and `roas`."""
    days, reading = days_to(last, DAYS, standing=set(lake.days(account, cohorts_table(spec).name))), _ChartData()
    is_revenue = (spec.metric, spec.aggregation) == ("app_revenue", "cumulative")
    for day in days:
        _read(account, spec, lake, day, reading, is_revenue=is_revenue)
    started = ", ".join(spec.start_events)
    unit = currency if spec.metric in MONEY_METRICS else _TITLES[spec.metric].lower()
    span = "that day alone" if spec.aggregation == "on-day" else "up to and with that day"
    pictures: dict[str, Content] = {
        "cohort_heat_map": HeatMap(
            Caption(f"{_TITLES[spec.metric]} by cohort", app, f"{unit}, {span}", days[0], last, _about(spec)),
            row_title=f"day of {started}",
            rows=[str(day) for day in days],
            column_title=f"days since {started}",
            unit=unit,
            values=reading.values,
            cells=reading.cells,
        )
    }
    if is_revenue and reading.earned:
        by = group_columns(spec)[0]
        pictures |= _curves(reading.earned, by, Caption("", app, currency, days[0], last, _pooled(started)), started)
    return pictures


def _about(spec: ReportSpec) -> list[str]:
    return [f"Each cell is the sum over {', '.join(spec.group_by)}. A masked number is kept as it was sent."]


def _pooled(started: str) -> list[str]:
    return [
        f"Each point takes the cohorts that had reached that day since {started}: later points rest on fewer and older cohorts.",
        "Users are Airbridge's totalUniqueUsers and cost its totalCost; a masked number is kept as it was sent.",
    ]


def _read(account: str, spec: ReportSpec, lake: Lake, day: date, reading: _ChartData, *, is_revenue: bool) -> None:
    """Adds a day to what was read."""
    by = group_columns(spec)[0]
    columns = [by, "days_since_start", "value", "is_masked", "is_reached"]
    cohorts = lake.read(account, cohorts_table(spec), [day], columns)
    missing = pc.and_(pc.and_(cohorts["is_reached"], cohorts["value"].is_null()), pc.invert(cohorts["is_masked"]))
    cohorts = cohorts.append_column("missing", missing)
    found = {row["days_since_start"]: row for row in _summed(cohorts, ["days_since_start"]).to_pylist()}
    row = [_cell(found.get(interval)) for interval in range(spec.intervals + 1)]
    reading.cells.append([cell for cell, _ in row])
    reading.values.append([value for _, value in row])
    if is_revenue and cohorts.num_rows:
        totals = lake.read(account, cohort_totals_table(spec), [day])
        for name, one in _earned(_summed(cohorts, [by, "days_since_start"]), totals, by, spec.intervals + 1).items():
            reading.earned.setdefault(name, _Earned.nothing(spec.intervals + 1)).add(one)


def _summed(cohorts: pa.Table, by: list[str]) -> pa.Table:
    return cohorts.group_by(by).aggregate(
        [
            ("value", "sum"),
            ("value", "count"),
            ("missing", "sum"),
            ("is_masked", "sum"),
            ("is_reached", "all"),
            ([], "count_all"),
        ]
    )


def _cell(row: Mapping[str, Any] | None) -> tuple[ChartCell, float | None]:
    """What is known of a day and interval, and the sum over the groups where every number is there."""
    if row is None:
        return ChartCell.ABSENT, None
    if not row["is_reached_all"]:
        return ChartCell.UNREACHED, None
    if row["missing_sum"]:
        return ChartCell.MISSING, None
    if row["is_masked_sum"] == row["count_all"]:
        return ChartCell.MASKED, None
    return ChartCell.PARTLY_MASKED if row["is_masked_sum"] else ChartCell.PLAIN, float(row["value_sum"])


def _earned(cohorts: pa.Table, totals: pa.Table, by: str, intervals: int) -> dict[str, _Earned]:
    """What each name's cohort of one day has earned; a name of which a number is missing is left out where it is."""
    names = pc.unique(cohorts[by])
    at = pc.index_in(cohorts[by], names).to_numpy(), cohorts["days_since_start"].to_numpy()
    shape = (len(names), intervals)
    revenue, is_known, is_masked = np.zeros(shape), np.zeros(shape, bool), np.zeros(shape, bool)
    revenue[at] = cohorts["value_sum"].cast(pa.float64()).fill_null(0).to_numpy()
    # A masked one may have been sent without its number too.
    is_there = pc.equal(cohorts["value_count"], cohorts["count_all"])
    is_known[at] = pc.and_(cohorts["is_reached_all"], is_there).to_numpy()
    is_masked[at] = pc.greater(cohorts["is_masked_sum"], 0).to_numpy()
    found: dict[str, _Earned] = {name: _Earned.nothing(intervals) for name in names.to_pylist()}
    flags = ("users_is_masked", "cost_is_masked")
    sums = totals.group_by(by).aggregate(
        [(name, kind) for name in ("users", "cost") for kind in ("sum", "count")]
        + [(flag, "any") for flag in flags]
        + [([], "count_all")]
    )
    places = {name: place for place, name in enumerate(names.to_pylist())}
    for row in sums.to_pylist():
        if (place := places.get(row[by])) is None:
            continue
        one, known = found[row[by]], is_known[place]
        one.users = float(row["users_sum"] or 0)
        one.is_masked = bool((is_masked[place] & known).any()) or any(row[f"{flag}_any"] for flag in flags)
        for kind, whole in enumerate(("users", "cost")):
            if row[f"{whole}_count"] == row["count_all"]:
                one.revenue[kind][known] = revenue[place][known]
                one.whole[kind][known] = float(row[f"{whole}_sum"])
    return found


def _curves(earned: Mapping[str, _Earned], by: str, caption: Caption, started: str) -> dict[str, Content]:
    named, rest = foremost({name: one.users for name, one in earned.items()})

    def picture(kind: int, title: str, unit: str, factor: float) -> Curves:
        shown = {name or "(organic or none)": earned[name] for name in named}
        # What came without a cost would be earned back by the cost of the others.
        if others := [earned[name] for name in rest if earned[name].whole[kind].any()]:
            together = shown[f"{len(others)} others"] = _Earned.nothing(len(others[0].revenue[kind]))
            for one in others:
                together.add(one)
        told = Caption(f"{title} by {by}", caption.of, unit, caption.first, caption.last, caption.notes)
        curves = [
            Curve(name, [None if one is None else factor * one for one in values.share(kind)], values.is_masked)
            for name, values in shown.items()
            if values.whole[kind].any()
        ]
        level = (100.0, "cost earned back") if kind else None
        return Curves(told, f"days since {started}", curves, level)

    pictures: dict[str, Content] = {
        "ltv": picture(0, "Revenue per user so far (LTV)", f"{caption.unit} per user", 1),
        "roas": picture(1, "Revenue per cost so far (ROAS)", f"percent of cost, both in {caption.unit}", 100),
    }
    return {name: one for name, one in pictures.items() if isinstance(one, Curves) and one.curves}
