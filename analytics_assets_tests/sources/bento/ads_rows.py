"""The rows Bento's sample answer becomes, and the way there. No test logic here."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

from analytics_assets.sources.bento.tables import ADS_ATTRIBUTION, ADS_CHART, ADS_RAW, ADS_TOTALS
from analytics_assets.sources.bento.transform import ads_tables
from analytics_assets_tests.sources.bento.samples import DAY
from analytics_assets_tests.sources.bento.vendor import raw_of

UTC_ZONE = ZoneInfo("UTC")
PARAMS = {
    "dimension": "source",
    "start_date": "2026-03-01",
    "end_date": "2026-03-02",
    "revenue_mode": "all_revenue",
}
ATTRIBUTION_ROW = {
    "date": DAY,
    "dimension": "source",
    "revenue_mode": "all_revenue",
    "key": "google",
    "currency": "USD",
    "label": "google",
    "is_main_currency": True,
    "signups": 10,
    "customers": 2,
    "customer_rate_percent": 20.0,
    "revenue_cents": 5050,
    "revenue_per_signup_cents": 505.0,
    "revenue_truncated": False,
}
TOTALS_ROW = {
    "date": DAY,
    "dimension": "source",
    "revenue_mode": "all_revenue",
    "currency": "USD",
    "is_main_currency": True,
    "value_filter": None,
    "signups": 10,
    "customers": 2,
    "revenue_visitor_count": 10,
    "customer_rate_percent": 20.0,
    "revenue_cents": 5050,
    "top_source": "google",
    "revenue_truncated": False,
    "attribution_mode": "last_click",
    "attribution_window_days": 7,
    "attribution_applies_to_ad_revenue": False,
}
CHART_ROW = {
    "date": DAY,
    "dimension": "source",
    "revenue_mode": "all_revenue",
    "bucket_start": datetime(2026, 3, 1, tzinfo=UTC),
    "signups": 10,
    "customers": 2,
    "revenue_as_sent": 5050.0,
    "revenue_truncated": False,
}
SUMS = {"signups": 10, "customers": 2, "revenue_cents_USD": 5050}


def ads(*bodies, zone=UTC_ZONE, **params):
    """Rows and figures of a day with these responses, by table; params beyond the usual ones are those of all responses."""
    answers = [
        ("/stats/ads", {**PARAMS, "dimension": msgspec.json.decode(body)["dimension"], **params}, body)
        for body in bodies
    ]
    typed = ads_tables(DAY, raw_of(ADS_RAW, *answers), zone=zone)
    tables = (ADS_ATTRIBUTION, ADS_TOTALS, ADS_CHART)
    assert list(typed) == [table.name for table in tables]
    return {
        table.name: (table.validated(typed[table.name].content, DAY).to_pylist(), typed[table.name].figures)
        for table in tables
    }
