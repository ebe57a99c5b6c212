"""The queries of `docs/questions.md` on a seeded lake: their figures by plain loops, and the results on the page."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics_assets_tests.growth.questions import PAGE, figure_queries, parts, queries
from analytics_assets_tests.growth.seeded_lake import DAYS, seeded_lake
from analytics_assets_tests.integration.running import rows
from analytics_assets_tests.readme import with_parts

TEXT = PAGE.read_text()
CHANNELS = {
    "unattributed": "Organic",
    "google.adwords": "Google Ads",
    "facebook.business": "Meta",
    "tiktok": "TikTok",
    "youtube": "YouTube",
    "newsletter": "Newsletter",
}
# All days of a week have reached day 7 on the 31st, and day 30.
D7_WEEK, D30_WEEKS = date(2025, 3, 17), [date(2025, 2, 3), date(2025, 2, 10), date(2025, 2, 17)]
LAST_WEEK = date(2025, 3, 24)
Row = dict[str, Any]


@dataclass(frozen=True)
class Seeded:
    """The database, and the rows of the lake's daily tables."""

    database: duckdb.DuckDBPyConnection
    cohorts: list[Row]
    totals: list[Row]
    attribution: list[Row]
    ads_totals: list[Row]
    audience: list[Row]
    values: list[Row]
    definitions: list[Row]

    def ask(self, number: int) -> list[tuple[Any, ...]]:
        """The result of a question's query."""
        return self.database.sql(queries(TEXT)[number]).fetchall()

    def revenue(self, channel: str, days: Iterable[date], day: int) -> Decimal | None:
        """Revenue of a channel's cohorts through a day since start."""
        return add(
            row["value"]
            for row in self.cohorts
            if CHANNELS[row["channel"]] == channel and row["date"] in days and row["days_since_start"] == day
        )

    def total(self, column: str, channel: str, days: Iterable[date]) -> Any:
        """Cost or users of a channel's cohorts."""
        return add(row[column] for row in self.totals if CHANNELS[row["channel"]] == channel and row["date"] in days)


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    """The lake, loaded once."""
    lake = seeded_lake(tmp_path_factory.mktemp("questions"))
    tables = [
        ("airbridge", "revenue_cohorts"),
        ("airbridge", "revenue_cohort_totals"),
        ("bento", "ads_attribution"),
        ("bento", "ads_totals"),
        ("bento", "audience_counts"),
        ("statsig", "metric_values"),
        ("statsig", "event_metrics"),
    ]
    with duckdb.connect(f"{lake.root}/_growth/growth.duckdb", read_only=True) as database:
        yield Seeded(database, *(rows(Path(lake.root), account, table) for account, table in tables))


def test_the_results_on_the_page_are_those_of_its_queries(seeded: Seeded) -> None:
    """`make docs` writes them."""
    assert with_parts(TEXT, parts(TEXT, seeded.database)) == TEXT, "Run `make docs`: questions.md differs."


def test_the_page_has_ten_short_queries() -> None:
    """A query of more than ten lines is not read."""
    assert list(queries(TEXT)) == list(range(1, 11))
    assert {number: query for number, query in queries(TEXT).items() if query.count("\n") >= 10} == {}


def test_what_a_channel_cost_and_earned(seeded: Seeded) -> None:
    """Question 1."""
    days = week(D7_WEEK)
    expected = []
    for channel in CHANNELS.values():
        spend, installs = seeded.total("cost", channel, days), seeded.total("users", channel, days)
        revenue = seeded.revenue(channel, days, 7)
        expected.append((channel, "USD", D7_WEEK, spend, installs, ratio(spend, installs), ratio(revenue, spend)))
    assert seeded.ask(1) == about(sorted(expected, key=lambda row: (-row[3], row[0])))


def test_how_ltv_grows(seeded: Seeded) -> None:
    """Question 2."""
    days = [day for start in D30_WEEKS for day in week(start)]
    expected = []
    for channel in CHANNELS.values():
        installs = seeded.total("users", channel, days)
        ltv = [ratio(seeded.revenue(channel, days, day), installs) for day in (0, 7, 30)]
        expected.append((channel, "USD", installs, *ltv))
    assert seeded.ask(2) == about(sorted(expected, key=lambda row: (-row[2], row[0])))


def test_signups_by_source_against_the_week_before(seeded: Seeded) -> None:
    """Question 3."""
    signups: dict[tuple[date, str], int] = defaultdict(int)
    for row in seeded.attribution:
        if row["dimension"] == "source" and row["revenue_mode"] == "all_revenue" and row["is_main_currency"]:
            signups[monday(row["date"]), row["key"]] += row["signups"]
    before = LAST_WEEK - timedelta(days=7)
    expected = [
        (start, source, count, count - signups[before, source])
        for (start, source), count in list(signups.items())
        if start == LAST_WEEK
    ]
    assert seeded.ask(3) == sorted(expected, key=lambda row: (-row[2], row[1]))


def test_how_a_metric_develops(seeded: Seeded) -> None:
    """Question 4."""
    expected = []
    for start in sorted({monday(day) for day in DAYS}, reverse=True)[:4]:
        values = [
            row
            for row in seeded.values
            if row["metric_name"] == "checkout_per_cart" and row["is_overall"] and row["date"] in week(start)
        ]
        edits = [
            row["last_modified_at"].date()
            for row in seeded.definitions
            if row["metric_name"] == "checkout_per_cart" and row["date"] in week(start)
        ]
        share = ratio(add(row["numerator"] for row in values), add(row["denominator"] for row in values))
        expected.append((start, share, len(values), max(edits)))
    assert seeded.ask(4) == about(expected)


def test_bento_beside_airbridge(seeded: Seeded) -> None:
    """Question 5."""
    airbridge: dict[date, Decimal] = defaultdict(Decimal)
    cells = {
        (row["date"], row["channel"], row["campaign"], row["days_since_start"]): row["value"]
        for row in seeded.cohorts
        if row["is_reached"]
    }
    for (day, channel, campaign, since), value in cells.items():
        before = cells[day, channel, campaign, since - 1] if since else 0
        airbridge[monday(day + timedelta(days=since))] += value - before
    bento: dict[tuple[date, str], int] = defaultdict(int)
    for row in seeded.ads_totals:
        if row["dimension"] == "source":
            bento[monday(row["date"]), row["currency"]] += row["revenue_cents"]
    expected = [
        (start, currency, Decimal(cents) / 100, airbridge[start] if currency == "USD" else None)
        for (start, currency), cents in bento.items()
    ]
    assert seeded.ask(5) == sorted(sorted(expected, key=lambda row: row[1]), key=lambda row: row[0], reverse=True)[:8]


def test_the_day_on_which_spend_is_paid_back(seeded: Seeded) -> None:
    """Question 6."""
    days = [day for start in D30_WEEKS for day in week(start)]
    expected = []
    for channel in CHANNELS.values():
        spend = seeded.total("cost", channel, days)
        if spend:
            paid = [day for day in range(31) if (revenue := seeded.revenue(channel, days, day)) and revenue >= spend]
            expected.append((channel, "USD", spend, min(paid, default=None)))
    assert seeded.ask(6) == sorted(expected, key=lambda row: (row[3] is None, row[3] or 0, row[0]))
    assert len({row[3] for row in expected}) > 2


def test_the_campaigns_that_earn_most(seeded: Seeded) -> None:
    """Question 7."""
    last = max(row["date"] for row in seeded.cohorts if row["days_since_start"] == 7 and row["is_reached"])
    days = [last - timedelta(days=number) for number in range(28)]
    expected = []
    for channel, campaign in {(row["channel"], row["campaign"]) for row in seeded.totals}:
        totals = [
            row
            for row in seeded.totals
            if (row["channel"], row["campaign"]) == (channel, campaign) and row["date"] in days and row["cost"]
        ]
        spend, installs = add(row["cost"] for row in totals), add(row["users"] for row in totals)
        revenue = add(
            row["value"]
            for row in seeded.cohorts
            if (row["channel"], row["campaign"]) == (channel, campaign)
            and row["date"] in days
            and row["days_since_start"] == 7
        )
        if spend and installs >= 50:
            expected.append((CHANNELS[channel], campaign, "USD", spend, installs, ratio(revenue, spend)))
    assert seeded.ask(7) == about(sorted(expected, key=lambda row: -row[5]))


def test_spend_of_a_month_against_the_plan(seeded: Seeded) -> None:
    """Question 8."""
    expected = []
    for month, channel, amount, stored, length in (
        (3, "Google Ads", 5000, 30, 31),
        (3, "Meta", 3000, 30, 31),
        (2, "Google Ads", 5000, 26, 28),
    ):
        spend = seeded.total("cost", channel, [day for day in DAYS if day.month == month])
        expected.append(
            (date(2025, month, 1), channel, "USD", amount, spend, ratio(spend, amount), ratio(stored, length))
        )
    assert seeded.ask(8) == about(expected)


def test_a_metric_before_and_after_a_date(seeded: Seeded) -> None:
    """Question 9."""
    change = date(2025, 3, 12)
    before, after = [], []
    for row in seeded.values:
        if (row["metric_name"], row["metric_type"], row["is_overall"]) == ("sign_up", "event_dau", True):
            if change - timedelta(days=14) <= row["date"] < change:
                before.append(row["value"])
            elif change <= row["date"] < change + timedelta(days=14):
                after.append(row["value"])
    assert seeded.ask(9) == about(
        [
            (is_after, sum(values) / 14, min(values), max(values), 14)
            for is_after, values in ((False, before), (True, after))
        ]
    )


def test_net_subscribers_gained_between_observations(seeded: Seeded) -> None:
    """Question 10."""
    sites = sorted((row["date"], row["subscriber_count"]) for row in seeded.audience if row["kind"] == "site")
    expected: list[tuple[Any, ...]] = [(*sites[0], None, None)]
    for (earlier, count), (day, later) in pairwise(sites):
        expected.append((day, later, later - count, (day - earlier).days))
    assert seeded.ask(10) == expected


def test_naive_queries_of_the_daily_tables_are_wrong(seeded: Seeded) -> None:
    """By a factor of at least 1.5, and the others are right."""
    results = [
        [value for query in pair for (value,) in seeded.database.sql(query).fetchall()] for pair in figure_queries(TEXT)
    ]
    days, weeks = week(LAST_WEEK), [day for start in D30_WEEKS for day in week(start)]
    main = [row for row in seeded.ads_totals if row["dimension"] == "source" and row["date"] in days]
    right = [
        seeded.total("cost", "Google Ads", week(D7_WEEK)),
        ratio(seeded.revenue("Google Ads", weeks, 30), seeded.total("users", "Google Ads", weeks)),
        add(row["signups"] for row in main if row["is_main_currency"]),
        add(
            row["numerator"]
            for row in seeded.values
            if row["metric_name"] == "checkout_per_cart" and row["is_overall"] and row["date"] in days
        ),
        add(row["revenue_cents"] for row in main if row["currency"] == "USD") / 100,
    ]
    assert [float(result[1]) for result in results] == pytest.approx([float(value) for value in right])
    factors = [float(naive) / float(value) for (naive, _), value in zip(results, right, strict=True)]
    assert all(factor > 1.5 or factor < 1 / 1.5 for factor in factors), factors


def add(values: Iterable[Any]) -> Any:
    """The sum; None where one of them is None."""
    terms = list(values)
    return None if None in terms else sum(terms)


def ratio(x: Any, y: Any) -> float | None:
    """The ratio; None where it is not known."""
    return None if x is None or not y else float(x) / float(y)


def monday(day: date) -> date:
    """The first day of the week."""
    return day - timedelta(days=day.weekday())


def week(start: date) -> list[date]:
    """The days of a week."""
    return [start + timedelta(days=number) for number in range(7)]


def about(expected: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows to compare with: floats to their last digits, everything else exactly."""
    return [
        tuple(pytest.approx(value, rel=1e-12) if isinstance(value, float) else value for value in row)
        for row in expected
    ]
