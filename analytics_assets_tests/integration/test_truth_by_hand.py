"""Every typed row of three days equals what was worked out on paper, so that the seeded world and its oracles cannot be wrong together.

The world is in `hand_world.py`, its rows, typed out with the arithmetic beside them, in the `hand_*` modules of each vendor.
"""

from collections.abc import Callable

import dagster as dg

from analytics_assets.sandbox.options import Options
from analytics_assets.sources.bento.streams import AdsSpec, AudienceSpec, ReportsSpec
from analytics_assets_tests.integration import hand_airbridge, hand_bento, hand_statsig
from analytics_assets_tests.integration.conftest import Place
from analytics_assets_tests.integration.hand_catalog import CATALOG
from analytics_assets_tests.integration.hand_world import DAYS, NOW, hand_world
from analytics_assets_tests.integration.running import (
    Wishes,
    definitions_at,
    failure_words,
    in_order,
    range_tags,
    report,
    rows,
    run,
)
from analytics_assets_tests.integration.server import sandbox_server

WISHES = Wishes(
    ads=AdsSpec(revenue_modes=("all_revenue", "subscriptions")),
    audience=AudienceSpec(("newsletter",)),
    bento_reports=ReportsSpec(("signups", "counter_total")),
    reports=(
        report("revenue", "app_revenue", "cumulative", intervals=2),
        report("users", "app_user_count", "unique-cumulative", intervals=2),
    ),
)
EXPECTED = {
    "bento/ads_attribution": hand_bento.ADS_ATTRIBUTION,
    "bento/ads_totals": hand_bento.ADS_TOTALS,
    "bento/ads_chart": hand_bento.ADS_CHART,
    "bento/audience_counts": hand_bento.AUDIENCE_COUNTS,
    "bento/report_points": hand_bento.REPORT_POINTS,
    "statsig/metric_values": hand_statsig.METRIC_VALUES,
    "statsig/event_metrics": hand_statsig.EVENT_METRICS,
    "airbridge/revenue_cohorts": hand_airbridge.REVENUE_COHORTS,
    "airbridge/revenue_cohort_totals": hand_airbridge.TOTALS,
    "airbridge/users_cohorts": hand_airbridge.USERS_COHORTS,
    "airbridge/users_cohort_totals": hand_airbridge.TOTALS,
    "airbridge/catalog": CATALOG,
}


def test_every_typed_row_of_three_days_equals_what_was_worked_out_on_paper(point: Callable[[str], Place]) -> None:
    """All typed tables with all their columns, purchases at the midnights of three zones included."""
    with sandbox_server(Options(now=lambda: NOW, task_seconds=0), hand_world()) as sandbox:
        place = point(sandbox.url)
        definitions = definitions_at(lambda: NOW, WISHES)
        with dg.DagsterInstance.ephemeral() as instance:
            for job in ("snapshots", "bento_daily", "statsig_daily", "airbridge_daily"):
                result = run(definitions, job, instance, {} if job == "snapshots" else range_tags(DAYS))
                assert result.success, failure_words(result)

    for name, expected in EXPECTED.items():
        assert in_order(rows(place.lake, *name.split("/"))) == in_order(expected), name
