"""A process that lands days of Bento within a budget: `python -m ... TAG FIRST LAST REQUESTS PER_S`, begun by a line.

TAG is the one that Dagster gives to such a run. Where it lands stands in the environment. Its status is 0 when all days have landed.
"""

import faulthandler
import sys
from datetime import date

import dagster as dg

from analytics_assets.clock import utc_now
from analytics_assets.configuration import account_definitions
from analytics_assets.lake.resource import LakeResource
from analytics_assets.partitions import daily_partitions
from analytics_assets.schedules import DailyLoad
from analytics_assets.settings import settings
from analytics_assets.sources.bento.assets import ads_assets
from analytics_assets.sources.bento.resource import BentoResource
from analytics_assets.sources.bento.streams import AdsSpec
from analytics_assets.state.resource import BudgetSettings
from analytics_assets_tests.integration.running import FIRST, LAST

LONGEST_S = 120


def definitions(budget: BudgetSettings) -> dg.Definitions:
    """A Bento account of one request a day."""
    spec = AdsSpec()
    bento = account_definitions(
        "bento",
        daily=[ads_assets("bento", spec, daily_partitions(settings()), days_per_run=100, clock=utc_now)],
        snapshots=[],
        load=DailyLoad("0 0 * * *", 1, spec.final_at),
        resource=BentoResource(budget=budget),
    )
    return dg.Definitions.merge(bento, dg.Definitions(resources={"lake": LakeResource()}))


def main(tag: str, first: str, last: str, requests: str, per_s: str) -> int:
    """Says that it is ready, waits, and runs."""
    faulthandler.dump_traceback_later(LONGEST_S, exit=True)
    budget = BudgetSettings(requests=int(requests), per_seconds=float(per_s))
    job = definitions(budget).resolve_job_def("bento_daily")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    with dg.DagsterInstance.ephemeral() as instance:
        tags = {FIRST: date.fromisoformat(first).isoformat(), LAST: date.fromisoformat(last).isoformat(), tag: "shop"}
        return not job.execute_in_process(instance=instance, tags=tags, raise_on_error=False).success


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
