"""The values of a dimension beside the total of the day: what is more, what is less, and what cannot be held against it."""

from typing import Any

import pytest

from analytics_assets.checks.check import USUAL, CheckResult
from analytics_assets.sources.bento.checks import ads_checks
from analytics_assets.sources.bento.streams import AdsSpec
from analytics_assets.sources.bento.tables import ADS_ATTRIBUTION, ADS_TOTALS
from analytics_assets_tests.checks.planted import DAY, Planted
from analytics_assets_tests.sources.bento.ads_rows import ATTRIBUTION_ROW, TOTALS_ROW

EURO = {"currency": "EUR", "is_main_currency": False, "revenue_cents": 700}
OVER = CheckResult(
    "revenue_cents of source all_revenue EUR over the total by 700", "error", {"sums": 4, "over": 1, "short": 0}
)


@pytest.mark.parametrize(
    ("parts", "totals", "expected"),
    [
        # Who adds up ads_totals would miss these 7.00 EUR.
        ([{}, EURO], [{}], OVER),
        ([{}, EURO], [{}, {**EURO, "revenue_cents": 0}], OVER),
        ([{}, EURO], [{}, EURO], CheckResult(numbers={"sums": 4, "over": 0, "short": 0})),
        # Money of a total without a currency, or without a number, may be anything.
        (
            [{}, EURO],
            [{"currency": ""}],
            CheckResult(
                "revenue_cents of source all_revenue no currency short of the total by 5050",
                "information",
                {"sums": 3, "over": 0, "short": 1},
            ),
        ),
        ([{}, EURO], [{"revenue_cents": None}], CheckResult(numbers={"sums": 2, "over": 0, "short": 0})),
        # Other answers of the day have totals of their own.
        (
            [{}, {"revenue_mode": "subscriptions", **EURO}],
            [{}],
            CheckResult(numbers={"sums": 3, "over": 0, "short": 0}),
        ),
    ],
)
def test_a_currency_that_the_total_lacks_is_told(
    planted: Planted, parts: list[dict[str, Any]], totals: list[dict[str, Any]], expected: CheckResult
) -> None:
    """As far as the total says anything of money."""
    planted.store_day(ADS_ATTRIBUTION, *({**ATTRIBUTION_ROW, **one} for one in parts))
    planted.store_day(ADS_TOTALS, *({**TOTALS_ROW, **one} for one in totals))
    [check] = [
        one for one in ads_checks(AdsSpec(), USUAL, truncated_share=0.0) if one.name == "breakdown_within_totals"
    ]
    assert planted.found(check) == {DAY: expected}
