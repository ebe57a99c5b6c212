"""The tables of acquisition, figure by figure, against plain loops over the rows of a small lake."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from analytics_assets.growth.build import WEEKDAYS, build_growth
from analytics_assets.growth.tables import TABLES
from analytics_assets_tests.growth.small_lake import LAST_REACHED, PLAN, Group, SmallLake, small_lake, spec, written

HORIZONS = (0, 1, 3, 7, 14, 30)
Row = dict[str, Any]


@pytest.fixture(scope="module", params=["monday", "sunday"])
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[SmallLake, str, dict[str, pa.Table]]:
    """The rows of the lake, the first day of a week, and the growth tables."""
    small = small_lake()
    lake = written(small, tmp_path_factory.mktemp("lake"))
    return small, request.param, dict(build_growth(lake, spec(request.param, PLAN)).tables)


def test_each_table_is_made_with_its_declared_columns(made: tuple[SmallLake, str, dict[str, pa.Table]]) -> None:
    tables = made[2]
    assert {name: content.schema for name, content in tables.items()} == {table.name: table.schema for table in TABLES}
    # No Bento site and no Statsig project feeds these.
    without_rows = {name for name, content in tables.items() if not content.num_rows}
    assert without_rows == {"signups_daily", "source_revenue_daily", "metric_daily"}


def test_acquisition_daily_equals_loops_over_the_rows(made: tuple[SmallLake, str, dict[str, pa.Table]]) -> None:
    """Sums of a channel and campaign, with each horizon that the cohort has reached."""
    small, _, tables = made
    expected = [
        {"account": key[0], "date": key[1], "channel": key[2], "campaign": key[3], "currency": key[4], **_daily(groups)}
        for key, groups in _by(
            small.groups, lambda one: (one.account, one.date, one.channel, one.campaign, one.currency)
        )
    ]
    assert_rows(tables["acquisition_daily"], expected)


def test_spend_plan_equals_loops_over_the_rows(made: tuple[SmallLake, str, dict[str, pa.Table]]) -> None:
    """Spend without a known term, of no row or of a month that is not stored is not known; a plan of 0 has no share."""
    small, _, tables = made
    expected = []
    for plan in PLAN:
        month = plan.month.year, plan.month.month
        days = {day for account, day in small.stored if account == plan.account and (day.year, day.month) == month}
        groups = [
            group
            for group in small.groups
            if (group.account, group.channel, group.currency) == (plan.account, plan.channel, plan.currency)
            and group.date in days
        ]
        spend = _sum(group.cost for group in groups) if groups else None
        expected.append(
            {
                "account": plan.account,
                "month": plan.month,
                "channel": plan.channel,
                "currency": plan.currency,
                "planned_spend": plan.amount,
                "spend": spend,
                "spend_share": _ratio(spend, plan.amount),
                "days_stored": len(days),
                "days_in_month": 30 if plan.month.month == 4 else 31,
            }
        )
    assert_rows(tables["spend_plan"], expected)


def test_cohort_ltv_equals_loops_over_the_rows(made: tuple[SmallLake, str, dict[str, pa.Table]]) -> None:
    """Each curve ends where the youngest stored day of its week ends, also where that day is empty."""
    small, start, tables = made
    expected = []
    for (account, week, channel, currency), groups in _by(
        small.groups, lambda one: (one.account, _week(one.date, start), one.channel, one.currency)
    ):
        days = _stored(small, account, week)
        end = min(30, *((LAST_REACHED - day).days for day in days))
        for n in range(end + 1):
            revenue, installs = _sum(one.cells[n] for one in groups), _sum(one.users for one in groups)
            masked = sum(n in one.masked for one in groups)
            expected.append(
                {
                    "account": account,
                    "week": week,
                    "channel": channel,
                    "days_since_start": n,
                    "currency": currency,
                    "installs": installs,
                    "revenue": revenue,
                    "ltv": _ratio(revenue, installs),
                    "cells": len(groups),
                    "masked_cells": masked,
                    "masked_share": masked / len(groups),
                    "is_complete": len(days) == 7,
                }
            )
    assert_rows(tables["cohort_ltv"], expected)


def test_channel_weekly_equals_loops_over_the_rows(made: tuple[SmallLake, str, dict[str, pa.Table]]) -> None:
    """D7 and D30 need seven stored days that have all reached them; changes need two complete weeks."""
    small, start, tables = made
    weeks = {
        key: _weekly(small, key[0], key[1], groups)
        for key, groups in _by(
            small.groups, lambda one: (one.account, _week(one.date, start), one.channel, one.currency)
        )
    }
    expected = []
    for (account, week, channel, currency), row in weeks.items():
        before = weeks.get((account, week - timedelta(days=7), channel, currency))
        for name in ("spend", "installs", "cac"):
            row[f"{name}_change"] = None
            if before and before["is_complete"] and row["is_complete"] and None not in (row[name], before[name]):
                row[f"{name}_change"] = _ratio(row[name] - before[name], before[name])
        expected.append({"account": account, "week": week, "channel": channel, "currency": currency, **row})
    assert_rows(tables["channel_weekly"], expected)
    # The cases that the loops are for occur in this lake.
    assert {row["is_complete"] for row in expected} == {True, False}
    assert {row["d7_revenue"] is None for row in expected} == {True, False}
    assert any(row["spend_change"] is not None for row in expected)


def test_channels_lists_every_raw_name_with_its_rule(made: tuple[SmallLake, str, dict[str, pa.Table]]) -> None:
    """An exact name wins over a pattern, a rule of another system does not count, and an unmapped name is its own channel."""
    rows = [row for row in made[2]["channels"].to_pylist() if row["account"] == "app_a"]
    assert {row["raw_name"]: (row["channel"], row["rule"], row["is_mapped"], row["has_spend"]) for row in rows} == {
        "": ("Organic", "name ", True, None),
        "google.adwords": ("Google Ads", "name google.adwords", True, True),
        "google.display": ("Google, other", "pattern google*", True, True),
        "facebook.business": ("Meta", "pattern facebook.*", True, True),
        "facebook.lite": ("Meta", "pattern facebook.*", True, True),
        "tiktok": ("tiktok", None, False, True),
    }


def test_tables_of_a_lake_without_days_are_empty(tmp_path: Path) -> None:
    """As on the first morning."""
    tables = build_growth(written(SmallLake(), tmp_path), spec()).tables
    assert {name: content.num_rows for name, content in tables.items()} == {table.name: 0 for table in TABLES}


def assert_rows(content: pa.Table, expected: list[Row]) -> None:
    """Compares all rows and columns; sums exactly, ratios to the last digits of a float."""
    names = content.schema.names
    actual = content.to_pylist()
    key = [
        name
        for name in names
        if name in {"account", "date", "week", "month", "channel", "campaign", "days_since_start", "currency"}
    ]
    order = sorted(expected, key=lambda row: [row[name] for name in key])
    by_key = {tuple(row[name] for name in key): row for row in actual}
    assert set(by_key) == {tuple(row[name] for name in key) for row in order}
    assert len(actual) == len(order)
    for row in order:
        found = by_key[tuple(row[name] for name in key)]
        assert set(found) == set(row)
        wrong = {name: (found[name], row[name]) for name in names if not _is_equal(found[name], row[name])}
        assert (tuple(row[name] for name in key), wrong) == (tuple(row[name] for name in key), {})


def _is_equal(actual: Any, expected: Any) -> bool:
    if isinstance(expected, float) and actual is not None:
        return actual == pytest.approx(expected, rel=1e-12)
    return actual == expected


def _by(groups: Iterable[Group], key: Callable[[Group], tuple[Any, ...]]) -> list[tuple[tuple[Any, ...], list[Group]]]:
    found = defaultdict(list)
    for group in groups:
        found[key(group)].append(group)
    return list(found.items())


def _sum(values: Iterable[Any]) -> Any:
    total: Any = 0
    for value in values:
        if value is None:
            return None
        total += value
    return total


def _ratio(above: Any, below: Any) -> float | None:
    return None if above is None or below is None or below == 0 else float(above) / float(below)


def _week(day: date, start: str) -> date:
    while WEEKDAYS[day.weekday()] != start:
        day -= timedelta(days=1)
    return day


def _stored(small: SmallLake, account: str, week: date) -> list[date]:
    days = (week + timedelta(days=number) for number in range(7))
    return [day for day in days if (account, day) in small.stored]


def _masks(groups: list[Group]) -> Row:
    cells = sum(one.reached + 1 for one in groups)
    masked = sum(n <= one.reached for one in groups for n in one.masked)
    return {"cells": cells, "masked_cells": masked, "masked_share": _ratio(masked, cells)}


def _daily(groups: list[Group]) -> Row:
    spend, installs = _sum(one.cost for one in groups), _sum(one.users for one in groups)
    row = {
        "spend": spend,
        "spend_is_masked": any(one.is_cost_masked for one in groups),
        "installs": installs,
        "installs_is_masked": any(one.is_users_masked for one in groups),
        "cac": _ratio(spend, installs),
        **_masks(groups),
    }
    for n in HORIZONS:
        revenue = _sum(one.cells[n] for one in groups) if n <= groups[0].reached else None
        row[f"d{n}_revenue"] = revenue
        row[f"d{n}_installs"] = None if revenue is None else installs
        row[f"d{n}_spend"] = None if revenue is None else spend
        row[f"d{n}_roas"] = _ratio(revenue, spend)
    return row


def _weekly(small: SmallLake, account: str, week: date, groups: list[Group]) -> Row:
    days = _stored(small, account, week)
    daily = _daily(groups)
    row = {name: daily[name] for name in ("spend", "spend_is_masked", "installs", "installs_is_masked", "cac")}
    row |= {"days_stored": len(days), "is_complete": len(days) == 7, **_masks(groups)}
    for n in (7, 30):
        has_reached = len(days) == 7 and all((LAST_REACHED - day).days >= n for day in days)
        revenue: Decimal | None = _sum(one.cells[n] for one in groups) if has_reached else None
        row[f"d{n}_revenue"] = revenue
        row[f"d{n}_roas"] = _ratio(revenue, row["spend"])
        row[f"d{n}_ltv"] = _ratio(revenue, row["installs"])
    return row


def test_a_lake_in_a_bucket_makes_the_same_tables(tmp_path: Path) -> None:
    """DuckDB reads it through the same file system as the rest of the program."""
    local = build_growth(written(small_lake(), tmp_path), spec()).tables
    lake = written(small_lake(), "memory://growth-lake")

    remote = build_growth(lake, spec()).tables

    lake.files.fs.rm("/growth-lake", recursive=True)
    assert all(remote[name].equals(content) for name, content in local.items())
