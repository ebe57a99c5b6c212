"""In which queue a run of a deployment waits, and what is said of one whose process was killed or that no broker takes."""

import sys
from pathlib import Path
from uuid import uuid4

import dagster as dg
import pytest
import yaml
from billiard.exceptions import WorkerLostError
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, WorkerStatus
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG
from kombu.exceptions import OperationalError

from analytics_assets.operations.celery_launcher import WatchedCeleryRunLauncher, account_of
from analytics_assets_tests.production.deployment import DEPLOY, procfile


def run(job: str, *tables: str) -> dg.DagsterRun:
    """A run of a job, for some tables."""
    keys = frozenset(dg.AssetKey(table.split("/")) for table in tables) or None
    return dg.DagsterRun(job_name=job, run_id="run", asset_selection=keys)


@pytest.mark.parametrize(
    ("asked", "account"),
    [
        (run("__ASSET_JOB", "bento/ads_raw", "bento/ads_totals"), "bento"),
        (run("__ASSET_JOB", "bento/ads_raw", "statsig/values_raw"), None),
        (run("airbridge_daily"), "airbridge"),
        (run("airbridge_daily", "airbridge/revenue_raw"), "airbridge"),
        (run("snapshots"), None),
        (run("checks_daily"), None),
    ],
)
def test_a_run_belongs_to_the_account_of_its_tables(asked: dg.DagsterRun, account: str | None) -> None:
    """Runs over several accounts, or without assets, belong to none."""
    assert account_of(asked) == account


@pytest.mark.parametrize(("configured", "queue"), [([], "dagster"), (["shop"], "dagster"), (["lab"], "lab")])
def test_runs_of_a_new_account_wait_in_the_queue_that_every_worker_serves(
    tmp_path: Path, configured: list[str], queue: str
) -> None:
    """As the files of deploy/ have it, and unless `account_queues` names the account."""
    settings = yaml.safe_load((DEPLOY / "dagster.yaml").read_text())["run_launcher"]["config"]
    assert (settings["default_queue"], settings["account_queues"]) == ("dagster", [])
    worker = procfile()["worker"].split()
    assert worker[worker.index("--queues") + 1] == settings["default_queue"]
    launcher = {
        "module": "analytics_assets.operations.celery_launcher",
        "class": "WatchedCeleryRunLauncher",
        "config": {
            **settings,
            "broker": "memory://",
            "backend": "cache+memory://",
            "account_queues": configured,
        },
    }
    code = RepositoryPythonOrigin(sys.executable, ModuleCodePointer("none", "none"), entry_point=[])
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides={"run_launcher": launcher}) as instance:
        asked = run("lab_daily")._replace(run_id=str(uuid4()), job_code_origin=JobPythonOrigin("lab_daily", code))
        waiting = instance.add_run(asked)
        instance.run_launcher.launch_run(LaunchRunContext(waiting, workspace=None))
        events = [
            one.dagster_event.event_specific_data for one in instance.all_logs(waiting.run_id) if one.dagster_event
        ]
    assert [event.metadata["Celery Queue"].value for event in events if "Celery Queue" in event.metadata] == [queue]


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


def test_dagsters_celery_launcher_does_not_notice_a_dead_worker() -> None:
    """The reason for a launcher of our own; once Dagster's notices it, the health check of ours can go."""
    launcher = CeleryRunLauncher(default_queue="dagster", broker="memory://", backend="cache+memory://")
    launcher.celery.backend.store_result("begun", {"hostname": "dead"}, "STARTED")
    begun = dg.DagsterRun(job_name="airbridge_daily", run_id="run", tags={DAGSTER_CELERY_TASK_ID_TAG: "begun"})
    assert launcher.check_run_worker_health(begun).status is WorkerStatus.RUNNING


def test_a_run_that_no_broker_takes_says_so(tmp_path: Path) -> None:
    """The run itself names what is missing, and the daemon is told, which does not launch it."""
    code = RepositoryPythonOrigin(sys.executable, ModuleCodePointer("none", "none"), entry_point=[])
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        launcher = WatchedCeleryRunLauncher(
            default_queue="dagster", broker="redis://127.0.0.1:1/0", backend="cache+memory://"
        )
        launcher.register_instance(instance)
        assert launcher.celery.conf.task_publish_retry_policy["max_retries"] >= 10
        launcher.celery.conf.task_publish_retry_policy = {"max_retries": 0}
        waiting = instance.add_run(
            run("bento_daily")._replace(run_id=str(uuid4()), job_code_origin=JobPythonOrigin("bento_daily", code))
        )
        with pytest.raises(OperationalError):
            launcher.launch_run(LaunchRunContext(waiting, workspace=None))
        [failed] = instance.all_logs(waiting.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
        assert failed.dagster_event is not None
        assert failed.dagster_event.message == (
            "The broker of ANALYTICS_BROKER cannot be reached: see that it runs. "
            "(Error 111 connecting to 127.0.0.1:1. Connection refused.)"
        )
