"""This project through Dagster: range runs of the assets as production defines them, in this process, events on SQLite.

Loading definitions and opening the instance are not part of the work. A range longer than a run takes at most becomes several runs.
"""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.parquet as pq

from analytics_assets.orchestration.daily_assets import daily_assets
from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets.orchestration.partitions import daily_partitions, end_of_utc_day
from analytics_assets.orchestration.snapshot_assets import snapshot_assets
from analytics_assets.orchestration.stream import AssetOptions
from analytics_assets.settings import settings
from analytics_assets.sources.airbridge.source import AirbridgeResource, report_stream
from analytics_assets.sources.bento.source import BentoResource, ads_stream
from analytics_assets.sources.statsig.source import StatsigResource, definitions_stream, listing_stream
from analytics_assets.sources.statsig.streams import ListingSpec, end_of_day
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
    resource: dg.ConfigurableResource[Any]
    if work == STATSIG:
        spec = ListingSpec(events=tuple(sizes.event_names()))
        definitions = definitions_stream("statsig", spec, final_at=end_of_day)
        streams, resource, days = (
            [listing_stream("statsig", spec), definitions],
            StatsigResource(),
            [sizes.metric_day()],
        )
    elif work == BENTO:
        streams, resource, days = [ads_stream("bento", sizes.ads())], BentoResource(), sizes.bento_days()
    else:
        report = report_stream("airbridge", APP, sizes.report(), WAITING)
        streams, resource, days = [report], AirbridgeResource(app_name=APP.name), sizes.cohort_days()
    options = AssetOptions(work, daily_partitions(settings().start_date, end_of_utc_day), DAYS_PER_RUN)
    assets = [(snapshot_assets if stream.is_snapshot else daily_assets)(stream, options) for stream in streams]
    return assets, resource, days


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
