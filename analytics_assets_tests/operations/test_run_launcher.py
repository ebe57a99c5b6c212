"""A run whose process is gone is known to be, and the shipped instance finishes it off."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import dagster as dg
import pytest
from dagster._core.events import EngineEventData
from dagster._core.launcher import WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._core.workspace.context import BaseWorkspaceRequestContext
from dagster._daemon.monitoring.run_monitoring import monitor_started_run

from analytics_assets.operations.run_launcher import WatchedRunLauncher, is_alive, pid_of
from analytics_assets_tests.integration.daemon import made_project

HERE, ELSEWHERE = {"host": "localhost", "socket": "s"}, {"host": "code.internal", "port": 4000}


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance with the shipped configuration."""
    with made_project(tmp_path, {}, {}).instance() as one:
        yield one


@pytest.fixture
def worker() -> "Iterator[subprocess.Popen[bytes]]":
    """A process that does nothing until it is ended."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        yield process
        process.kill()


def started(instance: dg.DagsterInstance, server: dict[str, object], pid: int | None) -> dg.DagsterRun:
    """A run at work, launched by a code server, that has said its process number, if it has one."""
    run = instance.create_run_for_job(
        dg.JobDefinition(name="job", graph_def=dg.GraphDefinition(name="graph")),
        status=dg.DagsterRunStatus.STARTED,
        tags={GRPC_INFO_TAG: json.dumps(server)},
    )
    if pid is not None:
        instance.report_engine_event(f"Started process for run (pid: {pid}).", run, EngineEventData.in_process(pid))
    return run


def status(instance: dg.DagsterInstance, run: dg.DagsterRun) -> WorkerStatus:
    """What the launcher of the instance says of a run."""
    return instance.run_launcher.check_run_worker_health(run).status


def test_the_shipped_instance_looks_after_its_runs(instance: dg.DagsterInstance) -> None:
    """Every half minute; a crashed run is started again, a run whose days failed is not."""
    assert isinstance(instance.run_launcher, WatchedRunLauncher)
    assert (instance.run_monitoring_enabled, instance.run_monitoring_poll_interval_seconds) == (True, 30)
    queue = instance.get_concurrency_config().run_queue_config
    assert queue is not None
    assert (queue.max_concurrent_runs, queue.max_user_code_failure_retries, queue.user_code_failure_retry_delay) == (
        4,
        10,
        15,
    )
    assert (instance.run_retries_max_retries, instance.run_retries_retry_on_asset_or_op_failure) == (2, False)


def test_a_run_is_at_work_as_long_as_its_process_is_there(
    instance: dg.DagsterInstance, worker: "subprocess.Popen[bytes]"
) -> None:
    """A killed one is gone even before somebody has requested its exit status."""
    run = started(instance, HERE, worker.pid)
    assert status(instance, run) is WorkerStatus.RUNNING
    worker.kill()
    os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOWAIT)
    assert status(instance, run) is WorkerStatus.FAILED


def test_a_run_of_another_machine_or_without_a_number_is_let_be(
    instance: dg.DagsterInstance, worker: "subprocess.Popen[bytes]"
) -> None:
    """Its number means another process here."""
    worker.kill()
    worker.wait()
    assert status(instance, started(instance, ELSEWHERE, worker.pid)) is WorkerStatus.RUNNING
    assert status(instance, started(instance, HERE, None)) is WorkerStatus.RUNNING


def test_the_events_of_a_run_have_the_number_of_its_process(instance: dg.DagsterInstance) -> None:
    """Dagster puts it into the metadata of the events that the run's process reports."""
    run = dg.GraphDefinition(name="graph").to_job().execute_in_process(instance=instance).dagster_run
    numbers = [pid_of(entry) for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)]
    assert numbers == [os.getpid()] * len(numbers) != []


def test_a_number_that_was_given_to_another_process_is_not_the_run(worker: "subprocess.Popen[bytes]") -> None:
    """As after the machine was started anew."""
    now = datetime.now(UTC)  # noqa: TID251 - the process began now
    assert is_alive(worker.pid, now)
    assert not is_alive(worker.pid, now - timedelta(hours=1))


def test_the_daemons_monitoring_fails_a_run_whose_process_is_gone(
    instance: dg.DagsterInstance, worker: "subprocess.Popen[bytes]"
) -> None:
    """With words that say why; the run retries take it from there."""
    run = started(instance, HERE, worker.pid)
    worker.kill()
    worker.wait()
    [record] = instance.get_run_records(dg.RunsFilter(run_ids=[run.run_id]))
    monitor_started_run(instance, cast("BaseWorkspaceRequestContext", None), record, logging.getLogger("monitoring"))
    failed = instance.get_run_by_id(run.run_id)
    assert failed is not None
    assert failed.status is dg.DagsterRunStatus.FAILURE
    said = " ".join(entry.message or "" for entry in instance.all_logs(run.run_id))
    assert f"the process of the run (pid {worker.pid}) is gone" in said
