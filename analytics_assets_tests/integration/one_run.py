"""A process that lands one range of the shipped revenue report: `python -m ... FIRST LAST`, which waits for a line before it begins.

The test that starts two of them lets them go at the same moment. Where they land stands in the environment.
"""

import faulthandler
import sys

import dagster as dg

from analytics_assets_tests.integration.jobs import airbridge_daily
from analytics_assets_tests.integration.running import FIRST, LAST

LONGEST_S = 90
COHORTS = ("revenue_raw", "revenue_cohorts", "revenue_cohort_totals")


def main(first: str, last: str) -> None:
    """Says that it is ready, waits, and runs."""
    faulthandler.dump_traceback_later(LONGEST_S, exit=True)
    job = airbridge_daily()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    with dg.DagsterInstance.ephemeral() as instance:
        job.execute_in_process(
            instance=instance,
            tags={FIRST: first, LAST: last},
            asset_selection=[dg.AssetKey(["airbridge", table]) for table in COHORTS],
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
