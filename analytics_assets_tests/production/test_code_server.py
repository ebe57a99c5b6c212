"""The code server and the daemon as `deploy/Procfile` starts them, on one machine: what a killed code server costs.

The instance is that of `dagster.yaml` on SQLite; all else is the deployment's.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._grpc.client import DagsterGrpcClient

from analytics_assets_tests.integration.backfills import LAUNCH, backfill_of, launching
from analytics_assets_tests.integration.daemon import Project
from analytics_assets_tests.integration.server import sandbox_server
from analytics_assets_tests.production.deployment import DEPLOY, ROOT, Deployment, procfile
from analytics_assets_tests.production.test_files import compose

TABLES = ("bento/ads_raw", "bento/ads_attribution")
DAYS = ("2026-03-01", "2026-03-02", "2026-03-03")
NOTICED_WITHIN_S = 15.0
PATIENCE_S = 240.0


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Deployment]:
    """A machine on which the processes of the Procfile can be started; its lake and state are its own."""
    with sandbox_server() as vendors:
        deployment = Deployment(
            tmp_path,
            {
                "ANALYTICS_SANDBOX_URL": vendors.url,
                "ANALYTICS_LAKE": str(tmp_path / "lake"),
                "ANALYTICS_STATE": f"sqlite:///{tmp_path}/state.db",
            },
        )
        (tmp_path / "home").mkdir()
        instance = (ROOT / "dagster.yaml").read_text().replace("data/dagster", str(tmp_path / "dagster"))
        (tmp_path / "home" / "dagster.yaml").write_text(instance)
        workspace = (DEPLOY / "workspace.yaml").read_text().replace("4266", deployment.ports["4266"])
        (tmp_path / "workspace.yaml").write_text(workspace)
        try:
            yield deployment
        finally:
            deployment.stop()


def answers(deployment: Deployment) -> bool:
    """True if the code server gives its definitions, and not only says that it is there."""
    client = DagsterGrpcClient(port=int(deployment.ports["4266"]), host="127.0.0.1")
    with suppress(DagsterUserCodeUnreachableError):
        return "ListRepositoriesResponse" in client.list_repositories()
    return False


def until_it_answers(deployment: Deployment) -> None:
    """Waits for the code server."""
    end = time.monotonic() + PATIENCE_S
    while not answers(deployment):
        assert time.monotonic() < end, deployment.log("code").read_text()
        time.sleep(0.2)


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], check=False, capture_output=True, text=True)
    return [int(one) for one in found.stdout.split()]


def innermost(pid: int) -> int:
    """The process at the end of the chain that begins with one: it holds the definitions."""
    while found := children(pid):
        pid = found[-1]
    return pid


def test_a_code_server_ends_with_the_process_that_holds_the_definitions(machine: Deployment) -> None:
    """So its supervisor sees that and starts it again: a proxy that outlived it would say that it is well."""
    machine.start("code")
    until_it_answers(machine)
    started = machine.processes["code"]
    os.kill(innermost(started.pid), signal.SIGKILL)
    try:
        started.wait(NOTICED_WITHIN_S)
    except subprocess.TimeoutExpired:
        assert answers(machine), "the code server lives on and gives no definitions"
    machine.kill("code")
    machine.start("code")
    until_it_answers(machine)


def test_containers_are_started_again_when_they_end() -> None:
    """The supervisor of the compose file."""
    services = compose()["services"]
    assert {name: services[name]["restart"] for name in procfile()} == dict.fromkeys(procfile(), "unless-stopped")


@pytest.mark.proof(2)
def test_a_backfill_waits_for_a_code_server_that_is_away_when_the_daemon_looks_at_it(machine: Deployment) -> None:
    """Killed once the backfill is launched, and started again three seconds after the daemon has missed it: every day is stored."""
    project = Project(machine.folder, machine._environment("person"))
    machine.start("code")
    until_it_answers(machine)
    backfill = backfill_of(project.graphql(LAUNCH, **launching(TABLES, DAYS)))
    machine.kill("code")
    machine.start("daemon")
    end = time.monotonic() + PATIENCE_S
    while backfill not in machine.log("daemon").read_text(errors="replace"):
        assert time.monotonic() < end, "the daemon does not look at the backfill"
        time.sleep(0.2)
    time.sleep(3)
    machine.start("code")
    with project.instance() as instance:
        while not (status := instance.get_backfill(backfill).status.value).startswith(("COMPLETED", "FAIL")):
            assert time.monotonic() < end, f"the backfill is {status}"
            time.sleep(0.5)
    assert status == "COMPLETED_SUCCESS"
    files = {str(file.relative_to(machine.folder / "lake")) for file in (machine.folder / "lake").rglob("data.parquet")}
    assert files == {f"{table}/dt={day}/data.parquet" for table in TABLES for day in DAYS}
