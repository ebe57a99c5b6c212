"""The tables of sign-ups, figure by figure, against plain loops over the rows of two small sites."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from analytics_assets.growth.build import SignupSource, build_growth
from analytics_assets.growth.freshness import read_freshness
from analytics_assets.growth.page import build_page
from analytics_assets.lake.store import Lake
from analytics_assets.sources.bento.tables import ADS_ATTRIBUTION
from analytics_assets_tests.growth.small_lake import SmallLake, spec, written
from analytics_assets_tests.growth.test_page import AT, Reader

FIRST = date(2026, 3, 2)
SITES = (SignupSource("site_a", "source", "all_revenue"), SignupSource("site_b", "cam'paign", "new_revenue"))
SENT = {"site_a": ("source", "campaign"), "site_b": ("cam'paign",)}
MODES = {"site_a": ("all_revenue", "new_revenue"), "site_b": ("new_revenue",)}
SOURCES = ("", "google", None)
Row = dict[str, Any]


def site_rows(account: str, number: int) -> Iterator[Row]:
    """A day of a site: counts repeat for each dimension, mode and currency; two currencies, unknown figures, an empty day."""
    if (account, number) == ("site_a", 4):
        return
    for place, dimension in enumerate(SENT[account]):
        for mode in MODES[account]:
            for rank, key in enumerate(SOURCES):
                signups = None if (key, number) == ("google", 6) else 10 * number + rank + 7 * place
                for currency in ("USD", "EUR") if key == "google" else ("USD",):
                    yield {
                        "date": FIRST + timedelta(days=number),
                        "dimension": dimension,
                        "revenue_mode": mode,
                        "key": key,
                        "currency": currency,
                        "label": key or "Direct",
                        "is_main_currency": currency == "USD",
                        "signups": signups,
                        "customers": number + rank,
                        "customer_rate": None,
                        "revenue_cents": None if (key, number) == ("", 7) else 1001 * number + 3 * rank + len(mode),
                        "revenue_per_signup_cents": None,
                        "revenue_truncated": number == 9 or None,
                    }


ROWS = {account: [row for number in range(15) for row in site_rows(account, number)] for account in SENT}


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Row]]:
    """The growth tables of both sites."""
    lake = stored(tmp_path_factory.mktemp("lake"))
    growth = build_growth(lake, replace(spec(), signups=SITES))
    return {name: content.to_pylist() for name, content in growth.tables.items()}


def stored(folder: Path) -> Lake:
    """A lake with the days of both sites, and no day of an app."""
    lake = written(SmallLake(), folder)
    for account, rows in ROWS.items():
        for number in range(15):
            day = FIRST + timedelta(days=number)
            of_day = [row for row in rows if row["date"] == day]
            lake.store_day(account, ADS_ATTRIBUTION, day, ADS_ATTRIBUTION.rows(of_day))
    return lake


def in_order(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: [str(value) for value in row.values()])


def test_signups_are_counted_once(tables: dict[str, list[Row]]) -> None:
    expected = [
        {
            "account": site.account,
            "source": row["key"],
            **{name: row[name] for name in ("date", "label", "signups", "customers")},
        }
        for site in SITES
        for row in ROWS[site.account]
        if (row["dimension"], row["revenue_mode"], row["currency"]) == (site.dimension, site.revenue_mode, "USD")
    ]
    names = list(tables["signups_daily"][0])
    assert in_order(tables["signups_daily"]) == in_order([{name: row[name] for name in names} for row in expected])


def test_revenue_is_exact_in_each_mode_and_currency(tables: dict[str, list[Row]]) -> None:
    expected = [
        {
            "account": site.account,
            "date": row["date"],
            "source": row["key"],
            "label": row["label"],
            "revenue_mode": row["revenue_mode"],
            "currency": row["currency"],
            "revenue": None if row["revenue_cents"] is None else Decimal(row["revenue_cents"]) / 100,
            "is_truncated": row["revenue_truncated"],
        }
        for site in SITES
        for row in ROWS[site.account]
        if row["dimension"] == site.dimension
    ]
    assert in_order(tables["source_revenue_daily"]) == in_order(expected)
    assert {row["currency"] for row in tables["source_revenue_daily"]} == {"USD", "EUR"}


def test_without_sites_the_tables_are_empty(tmp_path: Path) -> None:
    growth = build_growth(stored(tmp_path), spec())
    assert [growth.tables[name].num_rows for name in ("signups_daily", "source_revenue_daily")] == [0, 0]


def test_the_page_compares_the_last_whole_week(tmp_path: Path) -> None:
    lake = stored(tmp_path)
    growth_spec = replace(spec(), signups=SITES)
    growth = build_growth(lake, growth_spec)
    page = build_page(growth.tables, growth_spec, read_freshness(lake, growth_spec), made_at=AT)
    weeks: dict[tuple[str | None, int], int | None] = {}
    for row in growth.tables["signups_daily"].to_pylist():
        week = (row["date"] - FIRST).days // 7
        key = row["source"], week
        if row["account"] == "site_b" and week < 2:
            before = weeks.get(key, 0)
            weeks[key] = None if before is None or row["signups"] is None else before + row["signups"]
    # The first site has an empty day in its first week, so its week before is not whole.
    site_b = Reader(page.html).tables["signups"][-1]
    expected = sorted(((weeks[source, 1], source) for source in SOURCES), key=lambda pair: -(pair[0] or 0))
    assert [int(cell.split()[0].replace(",", "")) for _, cell in site_b[1:]] == [count for count, _ in expected]
    assert "Bento, <bdi>site_a</bdi>" in page.html
