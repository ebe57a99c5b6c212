"""The queries that tables give to copy are right about what their descriptions warn of: null, masks, and counts beside currencies."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics_assets.lake.store import Lake
from analytics_assets.lake.table import Table
from analytics_assets.orchestration.asset_specs import query
from analytics_assets.sources.airbridge.tables import cohort_totals_table, cohorts_table
from analytics_assets.sources.bento.tables import ADS_ATTRIBUTION
from analytics_assets_tests.sources.airbridge.vendor import spec
from analytics_assets_tests.sources.bento.ads_rows import ATTRIBUTION_ROW

DAYS = [date(2026, 3, 1), date(2026, 3, 2)]


def answered(folder: Path, table: Table, *days: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """What the table's query says of days with these rows."""
    lake = Lake(str(folder))
    for day, rows in zip(DAYS, days, strict=False):
        lake.store_day("shop", table, day, table.rows({**row, "date": day} for row in rows))
    return duckdb.sql(query(lake.folder("shop", table.name), table.example)).fetchall()


def test_signups_of_a_key_are_all_its_signups_whichever_currency_was_the_main_one(tmp_path: Path) -> None:
    """On the second day it sold in EUR alone; its signups are those of both days, and no currency's."""
    euro = {"currency": "EUR", "revenue_cents": 700, "revenue_per_signup_cents": None}
    row = {**ATTRIBUTION_ROW, "signups": 10, "customers": 2}
    first = [row, {**row, **euro, "is_main_currency": False}]
    assert answered(tmp_path, ADS_ATTRIBUTION, first, [{**row, **euro, "signups": 3}]) == [
        ("source", "all_revenue", "google", "EUR", 1400, 13, 4),
        ("source", "all_revenue", "google", "USD", 5050, 13, 4),
    ]


def cohort(channel: str, value: int | None, *, metric: str, is_masked: bool = False) -> dict[str, Any]:
    """A reached interval."""
    row = {"channel": channel, "days_since_start": 0, "value": value, "is_masked": is_masked, "is_reached": True}
    return row | ({} if metric == "app_user_count" else {"currency": "EUR"})


@pytest.mark.parametrize("metric", ["app_revenue", "app_user_count"])
def test_a_cohort_of_which_a_number_is_missing_has_no_sum(tmp_path: Path, metric: str) -> None:
    """Null is not zero. Masked numbers are added as sent and told; money has its currency beside it."""
    table, currency = cohorts_table(spec(metric=metric)), () if metric == "app_user_count" else ("EUR",)
    whole = [cohort("a", 1, metric=metric), cohort("b", 2, metric=metric, is_masked=True)]
    short = [cohort("a", 1, metric=metric), cohort("b", None, metric=metric)]
    assert answered(tmp_path, table, whole, short) == [
        (DAYS[1], 0, *currency, None, 0),
        (DAYS[0], 0, *currency, 3, 1),
    ]


def test_ratios_of_money_have_their_currency_beside_them(tmp_path: Path) -> None:
    """A row a group: they are never added."""
    assert answered(tmp_path, cohorts_table(spec(metric="app_arpu")), [cohort("a", 1, metric="app_arpu")]) == [
        (DAYS[0], "a", 0, Decimal(1), "EUR", False)
    ]


def test_totals_of_which_a_number_is_missing_are_none(tmp_path: Path) -> None:
    """The cost of one day was not sent, so the cost of both is not known; the days with masked numbers are counted."""
    masks = dict.fromkeys(("cost_is_masked", "revenue_is_masked", "users_is_masked"), False)
    row = {"channel": "a", "users": 2, "cost": 5, "revenue": 7, "currency": "EUR", **masks}
    other = {**row, "cost": None, "users_is_masked": True}
    found = answered(tmp_path, cohort_totals_table(spec()), [row, {**row, "channel": "b"}], [other])
    assert found == [("a", "EUR", 4, None, 14, 1), ("b", "EUR", 2, 5, 7, 0)]
