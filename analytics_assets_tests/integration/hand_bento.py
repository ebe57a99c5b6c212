"""Bento's rows of the world on paper, by UTC day and source, for all revenue and for subscriptions alone."""

from datetime import date
from typing import Any

from analytics_assets_tests.integration.hand_world import D10, D11, D12, NOW, at, table

ALL, SUBS = "all_revenue", "subscriptions"
SEEN_ON = date(2025, 6, 13)

# Without dollars among the money of a key, the row of counts is that of the first currency, and revenue per signup (of dollars) has no row.
# Without any money there is one row of no dollars.
ADS_ATTRIBUTION = table(
    (
        "date",
        "revenue_mode",
        "key",
        "currency",
        "is_main_currency",
        "signups",
        "customers",
        "customer_rate_percent",
        "revenue_cents",
        "revenue_per_signup_cents",
        "label",
    ),
    (D10, ALL, "", "USD", True, 1, 0, 0.0, 0, 0.0, ""),
    (D10, ALL, "facebook", "EUR", True, 1, 1, 100.0, 500, None, "facebook"),
    (D10, ALL, "google", "USD", True, 1, 1, 100.0, 1000, 1000.0, "google"),
    (D10, SUBS, "", "USD", True, 1, 0, 0.0, 0, 0.0, ""),
    (D10, SUBS, "facebook", "USD", True, 1, 0, 0.0, 0, 0.0, "facebook"),
    (D10, SUBS, "google", "USD", True, 1, 0, 0.0, 0, 0.0, "google"),
    (D11, ALL, "", "USD", True, 0, 1, 0.0, 250, 0.0, ""),
    (D11, ALL, "google", "USD", True, 0, 1, 0.0, 499, 0.0, "google"),
    (D11, SUBS, "google", "USD", True, 0, 1, 0.0, 499, 0.0, "google"),
    (D12, ALL, "facebook", "EUR", True, 1, 1, 100.0, 999, None, "facebook"),
    (D12, ALL, "google", "USD", True, 1, 0, 0.0, 0, 0.0, "google"),
    (D12, SUBS, "facebook", "EUR", True, 1, 1, 100.0, 999, None, "facebook"),
    (D12, SUBS, "google", "USD", True, 1, 0, 0.0, 0, 0.0, "google"),
    dimension="source",
    revenue_truncated=False,
)

# Two customers of three signups are 66.67, sent as 67. People behind the revenue are counted whatever the mode: ann and bob on the 10th.
# The strongest source is that with the most dollars; where none has any, the first by name, which on the 10th is the empty one.
ADS_TOTALS = table(
    (
        "date",
        "revenue_mode",
        "currency",
        "is_main_currency",
        "signups",
        "customers",
        "revenue_visitor_count",
        "customer_rate_percent",
        "revenue_cents",
        "top_source",
    ),
    (D10, ALL, "EUR", False, 3, 2, 2, 67.0, 500, "google"),
    (D10, ALL, "USD", True, 3, 2, 2, 67.0, 1000, "google"),
    (D10, SUBS, "USD", True, 3, 0, 2, 0.0, 0, ""),
    (D11, ALL, "USD", True, 0, 2, 2, 0.0, 749, "google"),
    (D11, SUBS, "USD", True, 0, 1, 2, 0.0, 499, "google"),
    (D12, ALL, "EUR", True, 2, 1, 1, 50.0, 999, "facebook"),
    (D12, SUBS, "EUR", True, 2, 1, 1, 50.0, 999, "facebook"),
    dimension="source",
    value_filter=None,
    attribution_mode="last_click",
    attribution_window_days=7,
    attribution_applies_to_ad_revenue=False,
    revenue_truncated=False,
)

# Whole hours; the chart's revenue is in dollars, so bob's and dee's euros are not in it.
ADS_CHART = table(
    ("date", "revenue_mode", "bucket_start", "signups", "customers", "revenue_as_sent"),
    (D10, ALL, at(10, 10), 1, 0, 0.0),
    (D10, ALL, at(10, 12), 0, 1, 1000.0),
    (D10, ALL, at(10, 14), 1, 0, 0.0),
    (D10, ALL, at(10, 15), 1, 0, 0.0),
    (D10, ALL, at(10, 23), 0, 1, 0.0),
    (D10, SUBS, at(10, 10), 1, 0, 0.0),
    (D10, SUBS, at(10, 14), 1, 0, 0.0),
    (D10, SUBS, at(10, 15), 1, 0, 0.0),
    (D11, ALL, at(11, 7), 0, 1, 250.0),
    (D11, ALL, at(11, 15), 0, 1, 499.0),
    (D11, SUBS, at(11, 15), 0, 1, 499.0),
    (D12, ALL, at(12, 8), 1, 0, 0.0),
    (D12, ALL, at(12, 14), 0, 1, 0.0),
    (D12, ALL, at(12, 16), 1, 0, 0.0),
    (D12, SUBS, at(12, 8), 1, 0, 0.0),
    (D12, SUBS, at(12, 14), 0, 1, 0.0),
    (D12, SUBS, at(12, 16), 1, 0, 0.0),
    dimension="source",
    revenue_truncated=False,
)

# Bob has unsubscribed. The segment is all but eve.
AUDIENCE_COUNTS = table(
    ("kind", "id", "user_count", "subscriber_count", "unsubscriber_count"),
    ("site", "", 5, 4, 1),
    ("segment", "newsletter", 4, 3, 1),
    date=SEEN_ON,
    observed_at=NOW,
)

_X = [f"2025-05-{31}"] + [f"2025-06-{day:02}" for day in range(1, 14)]
_SIGNUPS = {
    "": [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0],
    "facebook": [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0],
    "google": [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0],
}
_POINTS = [(group, x, float(y)) for group, of_days in _SIGNUPS.items() for x, y in zip(_X, of_days, strict=True)]
# The counter's segment is ann, bob and eve.
REPORT_POINTS: list[dict[str, Any]] = [
    *table(
        ("point_no", "series", "x", "y"),
        *((number, *point) for number, point in enumerate(_POINTS)),
        date=SEEN_ON,
        report_id="signups",
        report_name="Signups by source",
        chart_style="column_chart",
        report_type="Reporting::Reports::VisitorSourceReport",
        observed_at=NOW,
    ),
    {
        "date": SEEN_ON,
        "report_id": "counter_total",
        "point_no": 0,
        "report_name": "New subscribers",
        "chart_style": "counter",
        "report_type": "Reporting::Reports::VisitorCountReport",
        "series": None,
        "x": None,
        "y": 3.0,
        "observed_at": NOW,
    },
]
