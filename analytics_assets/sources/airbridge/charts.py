"""What is drawn of a report: its cohorts as a heat map and, of revenue, what a user has brought and what of the cost is earned back.

A day is read, added up and let go before the next, so that memory stays flat. Ratios of different groups cannot be added, so a report of
ratios has no picture.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from analytics_assets.lake.store import Lake
from analytics_assets.orchestration.charts.content import (
    NAMED,
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
# Start dates that the curves rest on, where so many are stored: a week has each weekday once.
LEAST_DATES: Final = 7
# A curve of fewer users shows chance.
LEAST_USERS: Final = 50
_TITLES: Final = {"app_revenue": "Revenue", "app_user_count": "Users", "app_event_count": "Events"}
_NO_NAME: Final = "(organic or none)"
_Sums = npt.NDArray[np.float64]


@dataclass
class _Cohort:
    """A group of one start date, or several such cohorts together.

    Attributes:
        revenue: Revenue by interval; nan where it is not known.
        users: Its users; None where they are not known.
        cost: Its cost; None where it is not known.
        is_masked: True if one of its numbers is masked.
    """

    revenue: _Sums
    users: float | None
    cost: float | None
    is_masked: bool


@dataclass
class _ChartData:
    """The rows of the heat maps, a row for each day, and the cohorts of each day by name.

    Attributes:
        values: Sums of all groups.
        cells: What is known of each.
        users: Users of all groups; None where they are not known.
        reached: Last interval that a day's cohorts have reached.
        cohorts: By day, the cohorts by name.
    """

    values: list[list[float | None]] = field(default_factory=list)
    cells: list[list[ChartCell]] = field(default_factory=list)
    users: list[float | None] = field(default_factory=list)
    reached: dict[date, int] = field(default_factory=dict)
    cohorts: dict[date, dict[str, _Cohort]] = field(default_factory=dict)


def has_pictures(spec: ReportSpec) -> bool:
    """True if the report's numbers can be added over groups."""
    return spec.metric in ADDITIVE_METRICS


def report_pictures(
    account: str, spec: ReportSpec, lake: Lake, last: date, *, app: str, currency: str
) -> Mapping[str, Content]:
    """The charts of the cohorts of at most `DAYS` days up to `last`, by name.

    Each report has `cohort_heat_map`, revenue has `cohort_heat_map_per_user` too, and cumulative revenue `ltv` and `roas`.
    """
    days, reading = days_to(last, DAYS, stored=set(lake.days(account, cohorts_table(spec).name))), _ChartData()
    is_revenue = (spec.metric, spec.aggregation) == ("app_revenue", "cumulative")
    for day in days:
        _read(account, spec, lake, day, reading)
    started = ", ".join(spec.start_events)
    unit = currency if spec.metric in MONEY_METRICS else _TITLES[spec.metric].lower()
    span = "that day alone" if spec.aggregation == "on-day" else "up to and with that day"
    heat_map = HeatMap(
        Caption(f"{_TITLES[spec.metric]} by cohort", app, f"{unit}, {span}", days[0], last, _about(spec)),
        row_title=f"day of {started}",
        rows=[str(day) for day in days],
        column_title=f"days since {started}",
        unit=unit,
        values=reading.values,
        cells=reading.cells,
    )
    pictures: dict[str, Content] = {"cohort_heat_map": heat_map}
    if spec.metric == "app_revenue":
        pictures["cohort_heat_map_per_user"] = _per_user(heat_map, reading.users)
    if is_revenue and reading.cohorts:
        by = group_columns(spec)[0]
        pictures |= _curves(reading, by, Caption("", app, currency, days[0], last), started)
    return pictures


def _per_user(heat_map: HeatMap, users: Sequence[float | None]) -> HeatMap:
    """The heat map with each row divided by its users."""
    values = [
        [None if value is None or not count else value / count for value in row]
        for row, count in zip(heat_map.values, users, strict=True)
    ]
    cells = [
        [ChartCell.MISSING if cell >= ChartCell.PARTLY_MASKED and not count else cell for cell in row]
        for row, count in zip(heat_map.cells, users, strict=True)
    ]
    caption = heat_map.caption
    unit = caption.unit.replace(heat_map.unit, f"{heat_map.unit} per user", 1)
    notes = [*caption.notes, "Users are Airbridge's totalUniqueUsers of the row; a row without them has no number."]
    named = replace(caption, title="Revenue per user by cohort", unit=unit, notes=notes)
    return replace(heat_map, caption=named, values=values, cells=cells)


def _about(spec: ReportSpec) -> list[str]:
    return [f"Each cell is the sum over {', '.join(spec.group_by)}. A masked number is kept as it was sent."]


def _read(account: str, spec: ReportSpec, lake: Lake, day: date, reading: _ChartData) -> None:
    """Adds a day to the chart data."""
    by = group_columns(spec)[0]
    columns = [by, "days_since_start", "value", "is_masked", "is_reached"]
    cohorts = lake.read(account, cohorts_table(spec), [day], columns)
    missing = pc.and_(pc.and_(cohorts["is_reached"], cohorts["value"].is_null()), pc.invert(cohorts["is_masked"]))
    cohorts = cohorts.append_column("missing", missing)
    found = {row["days_since_start"]: row for row in _summed(cohorts, ["days_since_start"]).to_pylist()}
    row = [_cell(found.get(interval)) for interval in range(spec.intervals + 1)]
    reading.cells.append([cell for cell, _ in row])
    reading.values.append([value for _, value in row])
    totals = lake.read(account, cohort_totals_table(spec), [day])
    is_known = totals.num_rows > 0 and not totals["users"].null_count
    reading.users.append(float(pc.sum(totals["users"]).as_py()) if is_known else None)
    reached = pc.max(cohorts["days_since_start"].filter(cohorts["is_reached"])).as_py()
    if reached is not None:
        reading.reached[day] = reached
        reading.cohorts[day] = _cohorts(_summed(cohorts, [by, "days_since_start"]), totals, by, spec.intervals + 1)


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


def _cohorts(cohorts: pa.Table, totals: pa.Table, by: str, intervals: int) -> dict[str, _Cohort]:
    """The cohorts of one day, by name."""
    names = pc.unique(cohorts[by])
    at = pc.index_in(cohorts[by], names).to_numpy(), cohorts["days_since_start"].to_numpy()
    shape = (len(names), intervals)
    revenue, is_masked = np.full(shape, np.nan), np.zeros(shape, bool)
    # A masked cell may have been sent without its number too.
    is_known = pc.and_(cohorts["is_reached_all"], pc.equal(cohorts["value_count"], cohorts["count_all"]))
    revenue[at] = pc.if_else(is_known, cohorts["value_sum"].cast(pa.float64()), np.nan).to_numpy()
    is_masked[at] = pc.and_(is_known, pc.greater(cohorts["is_masked_sum"], 0)).to_numpy()
    flags = ("users_is_masked", "cost_is_masked")
    sums = totals.group_by(by).aggregate(
        [(name, kind) for name in ("users", "cost") for kind in ("sum", "count")]
        + [(flag, "any") for flag in flags]
        + [([], "count_all")]
    )
    of_name = {row[by]: row for row in sums.to_pylist()}

    def total(name: str, column: str) -> float | None:
        row = of_name.get(name)
        return float(row[f"{column}_sum"]) if row and row[f"{column}_count"] == row["count_all"] else None

    return {
        name: _Cohort(
            revenue[place],
            total(name, "users"),
            total(name, "cost"),
            bool(is_masked[place].any()) or any(of_name.get(name, {}).get(f"{flag}_any") for flag in flags),
        )
        for place, name in enumerate(names.to_pylist())
    }


def _curves(reading: _ChartData, by: str, caption: Caption, started: str) -> dict[str, Content]:
    """Curves whose points all rest on the same cohorts, so that one falls only where revenue does."""
    reaches = sorted(reading.reached.values(), reverse=True)
    last = reaches[min(LEAST_DATES, len(reaches)) - 1]
    days = sorted(day for day, reached in reading.reached.items() if reached >= last)
    cohorts = [(name, cohort) for day in days for name, cohort in reading.cohorts[day].items()]
    notes = [
        f"The same {len(days)} start dates are behind each point: each has reached day {last} since {started}.",
        f"A group with fewer than {LEAST_USERS} users is not drawn. A cohort without one of its numbers is left out.",
        "Users are Airbridge's totalUniqueUsers and cost its totalCost; a masked number is kept as it was sent.",
    ]

    # A name has the same colour in both charts.
    colours: dict[str, int] = {}

    def chart(whole: Callable[[_Cohort], float | None], title: str, unit: str, factor: float) -> Curves | None:
        known: dict[str, list[_Cohort]] = {}
        for name, cohort in cohorts:
            if whole(cohort) is not None and not np.isnan(cohort.revenue[: last + 1]).any():
                known.setdefault(name, []).append(cohort)
        # What came without a cost would be earned back by the cost of the others.
        known = {name: group for name, group in known.items() if sum(whole(one) or 0 for one in group) > 0}
        weights = _users_by_name([(name, one) for name, group in known.items() for one in group])
        named, rest = foremost({name: users for name, users in weights.items() if users >= LEAST_USERS})
        rest += [name for name in weights if weights[name] < LEAST_USERS]
        free = [number for number in range(NAMED) if number not in {colours.get(name) for name in named}]
        colours.update({name: free.pop(0) for name in named if name not in colours})
        groups = {name: known[name] for name in named}
        if sum(weights[name] for name in rest) >= LEAST_USERS:
            groups[f"{len(rest)} other{'s' if len(rest) > 1 else ''}"] = [
                cohort for name in rest for cohort in known[name]
            ]
        curves = []
        for name, group in groups.items():
            revenue: _Sums = sum((one.revenue[: last + 1] for one in group), np.zeros(last + 1))
            share = factor * revenue / sum(whole(one) or 0 for one in group)
            is_masked = any(one.is_masked for one in group)
            curves.append(Curve(name or _NO_NAME, share.tolist(), is_masked, colours.get(name, NAMED)))
        about = Caption(f"{title} by {by}", caption.of, unit, days[0], days[-1], notes)
        level = (100.0, "cost earned back") if factor > 1 else None
        return Curves(about, f"days since {started}", curves, level) if curves else None

    charts = {
        "ltv": chart(lambda one: one.users, "Revenue per user so far (LTV)", f"{caption.unit} per user", 1),
        "roas": chart(
            lambda one: one.cost, "Revenue per cost so far (ROAS)", f"percent of cost, both in {caption.unit}", 100
        ),
    }
    return {name: one for name, one in charts.items() if one is not None}


def _users_by_name(cohorts: Iterable[tuple[str, _Cohort]]) -> dict[str, float]:
    users: dict[str, float] = {}
    for name, cohort in cohorts:
        users[name] = users.get(name, 0) + (cohort.users or 0)
    return users
