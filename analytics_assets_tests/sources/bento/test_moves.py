"""By how much another reading moved a day of attribution."""

import pytest

from analytics_assets.lake.changes import counted
from analytics_assets.sources.bento.moves import ads_moved
from analytics_assets.sources.bento.tables import ADS_ATTRIBUTION, ADS_CHART, ADS_TOTALS
from analytics_assets_tests.sources.bento.ads_rows import ATTRIBUTION_ROW, CHART_ROW, TOTALS_ROW

EUROS = {"currency": "EUR", "is_main_currency": False}


def moved(table, before, after):
    """The figures of a table, whose readings are changes of its row in the sample."""
    row = {ADS_ATTRIBUTION: ATTRIBUTION_ROW, ADS_TOTALS: TOTALS_ROW, ADS_CHART: CHART_ROW}[table]
    old, new = (table.rows({**row, **changes} for changes in reading) for reading in (before, after))
    return ads_moved(table, old, new, dimension="source", mode="all_revenue")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            [{}, {**EUROS, "revenue_cents": 1200}],
            [
                {"signups": 12, "customers": 1, "revenue_cents": 5000},
                {**EUROS, "signups": 12, "customers": 1, "revenue_cents": 1300},
            ],
            {"signups_moved": 2, "customers_moved": -1, "revenue_cents_USD_moved": -50, "revenue_cents_EUR_moved": 100},
        ),
        # A currency that comes had no revenue before, and one that goes has none now.
        (
            [{}],
            [{**EUROS, "is_main_currency": True, "revenue_cents": 900}],
            {
                "signups_moved": 0,
                "customers_moved": 0,
                "revenue_cents_USD_moved": -5050,
                "revenue_cents_EUR_moved": 900,
            },
        ),
        ([{"signups": None, "revenue_cents": None}], [{}], {"customers_moved": 0}),
        # Other answers of the day have totals of their own, which are not the day's figures.
        (
            [{}, {"dimension": "campaign"}, {"revenue_mode": "subscriptions"}],
            [
                {},
                {"dimension": "campaign", "revenue_cents": 1},
                {"revenue_mode": "subscriptions", "revenue_cents": 1},
            ],
            {"signups_moved": 0, "customers_moved": 0, "revenue_cents_USD_moved": 0},
        ),
    ],
)
def test_totals_tell_the_new_number_less_the_old_for_each_currency(before, after, expected):
    """Counts repeat on each currency row and are told once; what is not known on either side is not told."""
    assert moved(ADS_TOTALS, before, after) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # 1,000 cents go from one source to the other: no total moves.
        (
            [{}, {"key": "tiktok", "revenue_cents": 2000}],
            [{"revenue_cents": 4050}, {"key": "tiktok", "revenue_cents": 3000}],
            {"revenue_cents_USD_shifted": 2000},
        ),
        ([{}], [{}, {"key": None, "revenue_cents": 700}], {"revenue_cents_USD_shifted": 700}),
        ([{}], [], {"revenue_cents_USD_shifted": 5050}),
        ([{}, {"key": "tiktok", "revenue_cents": None}], [{"revenue_cents": 1}, {"key": "tiktok"}], {}),
        (
            [{**EUROS, "revenue_cents": 5}],
            [{**EUROS, "revenue_cents": 7}, {"key": "tiktok"}],
            {"revenue_cents_EUR_shifted": 2, "revenue_cents_USD_shifted": 5050},
        ),
    ],
)
def test_attribution_tells_the_cents_that_its_keys_won_and_lost(before, after, expected):
    """Without the sign, so that revenue that only changes its source is seen; per currency, never across."""
    assert moved(ADS_ATTRIBUTION, before, after) == expected


def test_the_chart_tells_no_move():
    """Neither unit nor currency of its revenue is documented."""
    assert moved(ADS_CHART, [{}], [{"revenue_as_sent": 1.0}]) == {}


@pytest.mark.parametrize(
    ("before", "after", "changed", "added", "removed"),
    [
        ([{"key": None}, {}], [{"key": None, "signups": 11}, {}], 1, 0, 0),
        ([{"key": None}, {"key": ""}], [{"key": ""}, {"key": None}], 0, 0, 0),
        ([{"key": None}], [{"key": ""}], 0, 1, 1),
        ([], [{"key": None}], 0, 1, 0),
    ],
)
def test_the_row_of_the_null_key_is_the_same_row_in_another_reading(before, after, changed, added, removed):
    """It came and went with every change of the day otherwise, and its own changes were none; an empty key is another one."""
    old, new = (ADS_ATTRIBUTION.rows({**ATTRIBUTION_ROW, **one} for one in reading) for reading in (before, after))
    assert counted(ADS_ATTRIBUTION, old, new) == {
        "rows_changed": changed,
        "rows_added": added,
        "rows_removed": removed,
    }
