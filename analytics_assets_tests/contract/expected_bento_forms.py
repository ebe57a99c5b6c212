"""What is expected of Bento's streams when it answers in another form: written by hand, before it was run.

A stream that is not named has the same rows, the same figures and as many requests as with the usual form.
"""

from analytics_assets_tests.contract.form_changes import ABSENT, ADDED, Change, main_currency, refused, setting, unknown
from analytics_assets_tests.contract.readings import RowsOf

_NO_ADS_EXTRAS: dict[str, RowsOf] = {
    "ads_attribution": main_currency(
        setting(label=None, customer_rate_percent=None, revenue_per_signup_cents=None, revenue_truncated=None)
    ),
    "ads_totals": main_currency(
        setting(
            revenue_visitor_count=None,
            customer_rate_percent=None,
            top_source=None,
            attribution_mode=None,
            attribution_window_days=None,
            attribution_applies_to_ad_revenue=None,
            revenue_truncated=None,
        )
    ),
    "ads_chart": setting(revenue_truncated=None),
}
_NO_EUROS = {"revenue_cents_EUR": ABSENT}
BENTO_BARE = {
    "ads": Change(rows=_NO_ADS_EXTRAS, named={"ads_attribution": _NO_EUROS, "ads_totals": _NO_EUROS}),
    "reports": Change(rows={"report_points": setting(report_name=None, chart_style=None, report_type=None)}),
}
_QUIET = {"window_unverified": True}
BENTO: dict[str, dict[str, Change]] = {
    **{
        key: {}
        for key in (
            "bento-chart",
            "bento-milliseconds",
            "bento-iso-points",
            "bento-wrapped-report",
            "bento-numbers-as-text",
        )
    },
    "bento-extra-fields": {
        "ads": Change(
            named={
                "ads_attribution": unknown(f"breakdown[].{ADDED}"),
                "ads_totals": unknown(ADDED, f"totals.{ADDED}"),
                "ads_chart": unknown(f"chartData[].{ADDED}"),
            }
        ),
        "audience": Change(named={"audience_counts": unknown(ADDED)}),
        "reports": Change(
            named={
                "report_points": unknown(
                    *(f"{at}{one}{ADDED}" for at in ("", "report_data.") for one in ("", "data[]."))
                )
            }
        ),
    },
    "bento-optional-missing": BENTO_BARE,
    "bento-optional-null": BENTO_BARE,
    "bento-quiet-day": {
        "ads": Change(
            rows={"ads_attribution": lambda _: [], "ads_chart": lambda _: []},
            named={
                "ads_raw": _QUIET,
                "ads_attribution": {**_QUIET, "keys_source": 0},
                "ads_totals": _QUIET,
                "ads_chart": {**_QUIET, "points": 0},
            },
        )
    },
    "bento-odd-report": {
        "reports": Change(
            rows={"report_points": lambda _: []},
            named={"report_points": {"points": 0, "unrecognised_reports": ["report_signups"]}},
        )
    },
    "bento-required-missing": {
        "ads": refused("missing required field `totals`", 1),
        "audience": refused("missing required field `user_count`", 1),
        "reports": refused("missing required field `data`", 1),
    },
    "bento-other-day": {
        "ads": refused(
            "the answer for the day in UTC (2026-07-13 00:00 to 2026-07-14 00:00 UTC) has a chart point at x", 1
        )
    },
    "bento-key-twice": {"ads": refused("keys occur more than once", 1)},
    "bento-other-dimension": {"ads": refused("it is grouped by 'tag' where 'source' was requested", 1)},
}
