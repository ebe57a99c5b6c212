"""The door: loads every account in `defs/` and adds what all of them share. Nothing else.

An account brings its own assets, resource, job, schedule and sensor (`sources/<vendor>/component.py`); here come the lake, the job
of all snapshots, and the executor: one process a run, because concurrency lives inside a step.
Dagster concept: definitions, https://docs.dagster.io/guides/build/projects-and-components
"""

from pathlib import Path

import dagster as dg

from analytics_assets.lake.resource import LakeResource
from analytics_assets.schedules import snapshots
from analytics_assets.settings import settings

SNAPSHOTS_CRON = "30 9 * * *"


@dg.definitions
def defs() -> dg.Definitions:
    """Everything Dagster sees."""
    job, schedule = snapshots(SNAPSHOTS_CRON, is_on=settings().schedules_on)
    return dg.Definitions.merge(
        dg.load_from_defs_folder(path_within_project=Path(__file__).parent),
        dg.Definitions(
            resources={"lake": LakeResource()},
            jobs=[job],
            schedules=[schedule],
            executor=dg.in_process_executor,
        ),
    )
