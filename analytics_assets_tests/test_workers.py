"""In which queue a run of a deployment waits, and what is said of one whose process was killed."""

import dagster as dg
import pytest
from billiard.exceptions import WorkerLostError
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

from analytics_assets.workers import WatchedCeleryRunLauncher, queue_of


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


def test_a_run_whose_process_was_killed_says_so() -> None:
    """In the words of its worker, with nothing after them."""
    launcher = WatchedCeleryRunLauncher(default_queue="dagster", broker="memory://", backend="cache+memory://")
    ended = WorkerLostError("Worker exited prematurely: signal 9 (SIGKILL) Job: 3.")
    launcher.celery.backend.store_result("task", ended, "FAILURE")
    killed = dg.DagsterRun(job_name="airbridge_daily", run_id="run", tags={DAGSTER_CELERY_TASK_ID_TAG: "task"})
    assert launcher.check_run_worker_health(killed) == CheckRunHealthResult(
        WorkerStatus.FAILED, "The process of the run ended: Worker exited prematurely: signal 9 (SIGKILL) Job: 3."
    )
    assert launcher.get_run_worker_debug_info(killed) is None  # type: ignore[func-returns-value]
