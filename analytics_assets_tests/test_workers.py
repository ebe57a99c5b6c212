"""In which queue a run of a deployment waits."""

import dagster as dg
import pytest

from analytics_assets.workers import queue_of


def run(job: str, *tables: str) -> dg.DagsterRun:
    """A run of a job, for some tables."""
    keys = frozenset(dg.AssetKey(table.split("/")) for table in tables) or None
    return dg.DagsterRun(job_name=job, run_id="run", asset_selection=keys)


@pytest.mark.parametrize(
    ("asked", "queue"),
    [
        (run("__ASSET_JOB", "bento/ads_raw", "bento/ads_totals"), "bento"),
        (run("__ASSET_JOB", "bento/ads_raw", "statsig/values_raw"), None),
        (run("airbridge_daily"), "airbridge"),
        (run("airbridge_daily", "airbridge/revenue_raw"), "airbridge"),
        (run("snapshots"), None),
        (run("checks_daily"), None),
    ],
)
def test_a_run_waits_in_the_queue_of_its_account(asked: dg.DagsterRun, queue: str | None) -> None:
    """Runs over several accounts, or over none that can be told, wait in the default queue."""
    assert queue_of(asked) == queue
