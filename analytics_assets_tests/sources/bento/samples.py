"""Sample answers of Bento's stats endpoints, typed in.

`ADS` is the sample of the vendor's own client (bento-node-sdk 2.0.0); `COUNTS` and the reports are those of its stats pages and client.
No test logic here.
"""

from datetime import date

DAY = date(2026, 3, 1)  # the day of the sample's only chart point, 1772323200

ADS = """
{
  "dimension": "source",
  "dimensionLabel": "Source",
  "attribution": {
    "mode": "last_click",
    "modeLabel": "Last Click",
    "windowDays": 7,
    "settingsPath": "/account/sites/1/attribution_settings",
    "appliesToAdRevenue": false
  },
  "revenueMode": {"mode": "all_revenue", "label": "All revenue", "description": "Every revenue event"},
  "totals": {
    "signups": 10,
    "customers": 2,
    "revenueCents": 5050,
    "revenueCurrency": "USD",
    "revenueByCurrency": {"USD": 5050},
    "revenueVisitorCount": 10,
    "customerRate": 20,
    "topSource": "google"
  },
  "chartData": [{"x": 1772323200, "signups": 10, "customers": 2, "revenue": 5050}],
  "breakdown": [
    {
      "key": "google",
      "label": "google",
      "signups": 10,
      "customers": 2,
      "customerRate": 20,
      "revenueCents": 5050,
      "revenueCurrency": "USD",
      "revenueByCurrency": {"USD": 5050},
      "revenuePerSignupCents": 505
    }
  ],
  "revenueTruncated": false
}
"""

COUNTS = '{"user_count": 1200, "subscriber_count": 950, "unsubscriber_count": 230}'

NUMBER_REPORT = """
{
  "data": 42,
  "chart_style": "counter",
  "report_type": "Reporting::Reports::VisitorCountReport",
  "report_name": "New subscribers"
}
"""

POINTS_REPORT = """
{
  "data": [{"x": "2026-03-01", "y": 12, "g": "Newsletter"}, {"x": "2026-03-02", "y": 9, "g": "Newsletter"}],
  "chart_style": "column_chart",
  "report_name": "Opens"
}
"""

WRAPPED_REPORT = """
{
  "report_data": {
    "data": {},
    "chart_style": "count",
    "report_type": "Reporting::Reports::VisitorCountReport",
    "report_name": "New subscribers"
  }
}
"""
