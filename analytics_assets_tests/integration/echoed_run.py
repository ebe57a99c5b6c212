"""A live process whose vendors repeat its keys: `python -m ... URL FOLDER` loads everything once in each manner of answering.

Keys and places stand in the environment. Prints a line of JSON a manner: whether the run succeeded and which tables landed.
"""

import faulthandler
import json
import sys
from datetime import UTC, date, datetime

import dagster as dg

from analytics_assets.lake.resource import LakeResource
from analytics_assets.partitions import daily_partitions
from analytics_assets.settings import settings
from analytics_assets.sources.airbridge.assets import catalog_assets, report_assets, tasks_assets
from analytics_assets.sources.airbridge.reader import Waiting
from analytics_assets.sources.airbridge.report_tasks import TaskPolicy
from analytics_assets.sources.airbridge.resource import AirbridgeResource
from analytics_assets.sources.bento.assets import ads_assets, audience_assets
from analytics_assets.sources.bento.resource import BentoResource
from analytics_assets.sources.bento.streams import AdsSpec, AudienceSpec
from analytics_assets.sources.statsig.assets import listing_assets, values_assets
from analytics_assets.sources.statsig.resource import StatsigResource
from analytics_assets.sources.statsig.streams import ListingSpec, ValuesSpec
from analytics_assets_tests.integration.echo import FAULTS, FINE
from analytics_assets_tests.integration.running import SEOUL_APP, report

NOW = datetime(2025, 3, 5, 22, 0, tzinfo=UTC)
DAY = date(2025, 3, 3)
LONGEST_S = 400


def assets() -> list[dg.AssetsDefinition]:
    """A stream and a snapshot of each vendor, and the ledger's table last: it shows what was said of the tasks."""
    partitions, waiting = daily_partitions(settings()), Waiting(5, 92, 100, TaskPolicy(first_look_s=0.01))
    spec = report("revenue", "app_revenue", "cumulative", intervals=1)
    return [
        ads_assets("bento", AdsSpec(), partitions, days_per_run=92, clock=lambda: NOW),
        audience_assets("bento", AudienceSpec(("vip",)), clock=lambda: NOW),
        values_assets("statsig", ValuesSpec(), partitions, days_per_run=92, clock=lambda: NOW),
        listing_assets("statsig", ListingSpec(events=("checkout",)), clock=lambda: NOW),
        report_assets("airbridge", SEOUL_APP, spec, waiting, partitions, days_per_run=92, clock=lambda: NOW),
        catalog_assets("airbridge", SEOUL_APP, clock=lambda: NOW),
        tasks_assets("airbridge", SEOUL_APP, spec, clock=lambda: NOW),
    ]


def main(url: str, folder: str) -> None:
    """Loads everything in each manner."""
    faulthandler.dump_traceback_later(LONGEST_S, exit=True)
    with dg.DagsterInstance.local_temp(folder) as instance:
        for manner in (FINE, *FAULTS):
            run = dg.materialize(
                assets(),
                instance=instance,
                partition_key=DAY.isoformat(),
                resources={
                    "bento": BentoResource(base_url=f"{url}/{manner}/bento/api/v1"),
                    "statsig": StatsigResource(base_url=f"{url}/{manner}/statsig/console/v1"),
                    "airbridge": AirbridgeResource(app_name="shop", base_url=f"{url}/{manner}/airbridge"),
                    "lake": LakeResource(),
                },
                raise_on_error=False,
            )
            landed = {event.asset_key.path[-1] for event in run.get_asset_materialization_events() if event.asset_key}
            sys.stdout.write(json.dumps({"manner": manner, "success": run.success, "landed": sorted(landed)}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
