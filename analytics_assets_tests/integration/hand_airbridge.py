"""Airbridge's rows of the world on paper, by Seoul day, channel and campaign, for cohorts of three intervals (0 to 2)."""

from decimal import Decimal

from analytics_assets_tests.integration.hand_world import D10, D11, D12, table

GOOGLE, FACEBOOK, TIKTOK = ("google.adwords", "brand"), ("facebook.business", "look"), ("tiktok", "spark")
ORGANIC = ("unattributed", "")

_COHORTS = ("date", "channel", "campaign", "days_since_start", "value", "is_masked", "is_reached")
_0, _250, _540, _1000, _1079, _1499 = map(Decimal, ("0", "2.50", "5.40", "10.00", "10.79", "14.99"))

# Cumulative dollars. Facebook's channel has fewer than three buyers throughout, so its values are masked: number kept, flag set.
REVENUE_COHORTS = table(
    _COHORTS,
    # Ann: 10.00 on the 10th, 4.99 at 00:30 of the 12th; 7.77 on the 14th are interval 4.
    (D10, *GOOGLE, 0, _1000, False, True),
    (D10, *GOOGLE, 1, _1000, False, True),
    (D10, *GOOGLE, 2, _1499, False, True),
    # Bob: 5.00 euros at 08:59 of the 11th are 5.40 dollars.
    (D10, *FACEBOOK, 0, _0, True, True),
    (D10, *FACEBOOK, 1, _540, True, True),
    (D10, *FACEBOOK, 2, _540, True, True),
    # Cid: 2.50 at 16:59 of the 11th.
    (D11, *ORGANIC, 0, _250, False, True),
    (D11, *ORGANIC, 1, _250, False, True),
    (D11, *ORGANIC, 2, _250, False, True),
    # Money was spent and nobody came.
    (D11, *GOOGLE, 0, _0, False, True),
    (D11, *GOOGLE, 1, _0, False, True),
    (D11, *GOOGLE, 2, _0, False, True),
    # Dee: 9.99 euros at 23:59:59 of the 12th; her dollar of the 14th falls into a day that is not over.
    (D12, *FACEBOOK, 0, _1079, True, True),
    (D12, *FACEBOOK, 1, _1079, True, True),
    (D12, *FACEBOOK, 2, None, False, False),
    (D12, *TIKTOK, 0, _0, False, True),
    (D12, *TIKTOK, 1, _0, False, True),
    (D12, *TIKTOK, 2, None, False, False),
    currency="USD",
)

# Different buyers so far.
USERS_COHORTS = table(
    _COHORTS,
    (D10, *GOOGLE, 0, 1, False, True),
    (D10, *GOOGLE, 1, 1, False, True),
    (D10, *GOOGLE, 2, 1, False, True),
    (D10, *FACEBOOK, 0, 0, True, True),
    (D10, *FACEBOOK, 1, 1, True, True),
    (D10, *FACEBOOK, 2, 1, True, True),
    (D11, *ORGANIC, 0, 1, False, True),
    (D11, *ORGANIC, 1, 1, False, True),
    (D11, *ORGANIC, 2, 1, False, True),
    (D11, *GOOGLE, 0, 0, False, True),
    (D11, *GOOGLE, 1, 0, False, True),
    (D11, *GOOGLE, 2, 0, False, True),
    (D12, *FACEBOOK, 0, 1, True, True),
    (D12, *FACEBOOK, 1, 1, True, True),
    (D12, *FACEBOOK, 2, None, False, False),
    (D12, *TIKTOK, 0, 0, False, True),
    (D12, *TIKTOK, 1, 0, False, True),
    (D12, *TIKTOK, 2, None, False, False),
)

# Up to now: dee's dollar of the unfinished day is in (10.79 + 1.00), ann's 7.77 of interval 4 is not.
TOTALS = table(
    ("date", "channel", "campaign", "cost", "revenue", "users", "users_is_masked"),
    (D10, *GOOGLE, Decimal("4.00"), Decimal("14.99"), 1, False),
    (D10, *FACEBOOK, Decimal(0), Decimal("5.40"), 1, True),
    (D11, *ORGANIC, Decimal(0), Decimal("2.50"), 1, False),
    (D11, *GOOGLE, Decimal("3.25"), Decimal(0), 0, False),
    (D12, *FACEBOOK, Decimal("1.50"), Decimal("11.79"), 1, True),
    (D12, *TIKTOK, Decimal("2.00"), Decimal(0), 0, False),
    currency="USD",
    cost_is_masked=False,
    revenue_is_masked=False,
)
