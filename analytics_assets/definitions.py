"""The door: loads every account in `defs/` and adds what all of them share. Nothing else.

An account brings its own assets, checks, resource, job, schedule and sensor (`sources/<vendor>/source.py`); here come the lake, the jobs
of all snapshots, of all checks and of the housekeeping, and the executor: one process a run, because concurrency lives inside a step.
Dagster concept: definitions, https://docs.dagster.io/guides/build/projects-and-components
"""

from pathlib import Path

import dagster as dg

from analytics_assets.clock import utc_now
from analytics_assets.operations.housekeeping.job import housekeeping
from analytics_assets.orchestration.asset_checks import checks_daily
from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets.orchestration.loading import check_files, refused_in_words
from analytics_assets.orchestration.schedules import snapshots
from analytics_assets.settings import settings

ROOT = Path(__file__).parent
SNAPSHOTS_CRON = "30 9 * * *"
# After the last of the accounts' loads, and after the hours of grace of Bento's day, which ends last.
CHECKS_CRON = "30 4 * * *"
# Before the checks: a check is shown for the latest materialization only, and the housekeeping reports old days again.
HOUSEKEEPING_CRON = "0 4 * * *"


@dg.definitions
def defs() -> dg.Definitions:
    """Everything Dagster sees.

    Raises:
        UnloadableError: A setting or a YAML is wrong; the UI and `dg` show it in place of everything else.
    """
    with refused_in_words(ROOT / "defs"):
        check_files(ROOT / "defs")
        return dg.Definitions.merge(dg.load_from_defs_folder(path_within_project=ROOT), shared())


def shared() -> dg.Definitions:
    """What all accounts share."""
    is_on = settings().schedules_on
    schedules = [
        snapshots(SNAPSHOTS_CRON, is_on=is_on),
        checks_daily(CHECKS_CRON, is_on=is_on),
        housekeeping(HOUSEKEEPING_CRON, utc_now, is_on=is_on),
    ]
    return dg.Definitions(
        resources={"lake": LakeResource()},
        jobs=[schedule.job for schedule in schedules],
        schedules=schedules,
        executor=dg.in_process_executor,
    )
