"""This project through Dagster: range runs of the assets as production defines them, in this process, events on SQLite.

Loading definitions and opening the instance are not part of the work. A range longer than a run takes at most becomes several runs.
"""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.parquet as pq

from analytics_assets.clock import utc_now
from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets.orchestration.partitions import daily_partitions
from analytics_assets.settings import settings
from analytics_assets.sources.airbridge.assets import report_assets
from analytics_assets.sources.airbridge.source import AirbridgeResource
from analytics_assets.sources.bento.assets import ads_assets
from analytics_assets.sources.bento.source import BentoResource
from analytics_assets.sources.statsig.assets import definitions_assets, listing_assets
from analytics_assets.sources.statsig.source import StatsigResource
from analytics_assets.sources.statsig.streams import ListingSpec
from bench.works import AIRBRIDGE, APP, BENTO, DAYS_PER_RUN, STATSIG, WAITING, Sizes, tasks


def prepared(work: str, sizes: Sizes, folder: Path) -> Callable[[], int]:
    """The work, ready to be done; it gives the rows of the typed tables."""
    assets, resource, days = _assets(work, sizes)
    account = {STATSIG: "statsig", BENTO: "bento", AIRBRIDGE: "airbridge"}[work]
    jobs = [dg.define_asset_job(f"job_{number}", selection=[one]) for number, one in enumerate(assets)]
    definitions = dg.Definitions(
        assets=assets, jobs=jobs, resources={account: resource, "lake": LakeResource()}, executor=dg.in_process_executor
    )
    resolved = [definitions.resolve_job_def(job.name) for job in jobs]
    home = folder / "dagster"
    home.mkdir()
    instance = dg.DagsterInstance.from_config(str(_configured(home)))

    def run() -> int:
        for job in resolved:
            ranges = tasks(days, each=DAYS_PER_RUN) if job.partitions_def else [(None, None)]
            for first, last in ranges:
                tags = (
                    {}
                    if first is None
                    else {
                        "dagster/asset_partition_range_start": f"{first}",
                        "dagster/asset_partition_range_end": f"{last}",
                    }
                )
                job.execute_in_process(instance=instance, tags=tags)
        return _rows(folder / "lake" / account)

    return run


def _assets(work: str, sizes: Sizes) -> tuple[list[dg.AssetsDefinition], dg.ConfigurableResource[Any], list[date]]:
    partitions = daily_partitions(settings())
    if work == STATSIG:
        spec = ListingSpec(events=tuple(sizes.event_names()))
        listing = listing_assets("statsig", spec, clock=utc_now)
        made = definitions_assets("statsig", spec, partitions, days_per_run=DAYS_PER_RUN, clock=utc_now)
        return [listing, made], StatsigResource(), [sizes.metric_day()]
    if work == BENTO:
        ads = ads_assets("bento", sizes.ads(), partitions, days_per_run=DAYS_PER_RUN, clock=utc_now)
        return [ads], BentoResource(), sizes.bento_days()
    report = report_assets(
        "airbridge", APP, sizes.report(), WAITING, partitions, days_per_run=DAYS_PER_RUN, clock=utc_now
    )
    return [report], AirbridgeResource(app_name=APP.name), sizes.cohort_days()


def _configured(home: Path) -> Path:
    """A Dagster home on SQLite whose run logs stay out of the terminal."""
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\npython_logs:\n  dagster_handler_config: {}\n")
    return home


def _rows(account: Path) -> int:
    """Rows of the typed tables in the lake; reading the footers takes milliseconds."""
    files: Sequence[Path] = [
        file for file in account.glob("*/dt=*/data.parquet") if not file.parts[-3].endswith("_raw")
    ]
    return sum(pq.read_metadata(file).num_rows for file in files)
