"""A deployment as `deploy/` describes it: the processes of its Procfile, on ports of the test's own, with real parts behind them.

Ports are the only thing changed in the files. No assertions here.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from analytics_assets_tests.production.parts import PATIENCE_S, free_port, patient

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
_PORTS = ("3000", "3001", "4266")
_LAUNCH = """
    mutation ($params: LaunchBackfillParams!) {
      launchPartitionBackfill(backfillParams: $params) { __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } }
    }
"""
_BACKFILL = """
    query ($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }
"""
_ASSETS = "{ assetNodes { assetKey { path } isPartitioned } }"
_RUNS = "{ runsOrError { ... on Runs { results { runId status tags { key value } } } } }"


def procfile() -> dict[str, str]:
    """The commands of `deploy/Procfile`, by name."""
    lines = (DEPLOY / "Procfile").read_text().splitlines()
    return {name: command.strip() for name, _, command in (line.partition(":") for line in lines) if command}


@dataclass
class Deployment:
    """Processes of the Procfile, each started and killed by name."""

    folder: Path
    environment: Mapping[str, str]
    ports: Mapping[str, str] = field(default_factory=lambda: {port: str(free_port()) for port in _PORTS})
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def prepare(self) -> None:
        """Puts the instance's files in place and makes its storage, as `deploy/README.md` says."""
        home = self.folder / "home"
        home.mkdir(parents=True)
        (home / "dagster.yaml").write_text((DEPLOY / "dagster.yaml").read_text())
        workspace = (DEPLOY / "workspace.yaml").read_text().replace("4266", self.ports["4266"])
        (self.folder / "workspace.yaml").write_text(workspace)
        subprocess.run(
            self._command("dagster instance migrate"),
            env=self._environment(),
            cwd=ROOT,
            check=True,
            shell=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE_S,
        )

    def start(self, *names: str, of: str | None = None) -> None:
        """Starts processes by their names; `of` is the line of the Procfile where the name is another."""
        for name in names:
            with (self.folder / f"{name}.log").open("ab") as log:
                self.processes[name] = subprocess.Popen(
                    self._command(procfile()[of or name]),
                    env=self._environment(),
                    cwd=ROOT,
                    shell=True,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )

    def kill(self, name: str) -> None:
        """Ends a process and all it has started with -9, as a machine that is switched off would."""
        process = self.processes.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """Ends everything."""
        for process in self.processes.values():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        until = time.monotonic() + 20
        for process in self.processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, until - time.monotonic()))
        for name in list(self.processes):
            self.kill(name)

    @property
    def url(self) -> str:
        """Address of the web server."""
        return f"http://127.0.0.1:{self.ports['3000']}"

    def ready(self) -> None:
        """Waits until the web server shows the definitions."""
        patient(lambda: bool(self.ask(_ASSETS)["assetNodes"]), "the deployment")

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of an answer of the API that the UI uses."""
        try:
            answer = httpx.post(f"{self.url}/graphql", json={"query": query, "variables": variables}, timeout=30.0)
        except httpx.HTTPError as error:
            raise OSError(str(error)) from error
        body = answer.raise_for_status().json()
        if body.get("errors"):
            raise OSError(body["errors"][0]["message"])
        return body["data"]

    def backfill(self, days: Sequence[str]) -> str:
        """Launches a backfill of all partitioned assets, as the UI does; returns its id."""
        keys = [node["assetKey"] for node in self.ask(_ASSETS)["assetNodes"] if node["isPartitioned"]]
        launched = self.ask(_LAUNCH, params={"assetSelection": keys, "partitionNames": list(days), "tags": []})
        return str(launched["launchPartitionBackfill"]["backfillId"])

    def status(self, backfill: str) -> str:
        """Status of a backfill."""
        return str(self.ask(_BACKFILL, id=backfill)["partitionBackfillOrError"]["status"])

    def runs(self) -> list[dict[str, Any]]:
        """All runs, each with `status` and its tags by key."""
        told = self.ask(_RUNS)["runsOrError"]["results"]
        return [{**run, "tags": {tag["key"]: tag["value"] for tag in run["tags"]}} for run in told]

    def _command(self, command: str) -> str:
        for port, ours in self.ports.items():
            command = command.replace(port, ours)
        return "exec " + command.replace("deploy/workspace.yaml", str(self.folder / "workspace.yaml"))

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}  # noqa: TID251
        return {
            **kept,
            **self.environment,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}",
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(DEPLOY)]),
            "DAGSTER_HOME": str(self.folder / "home"),
            "DAGSTER_LOGS": str(self.folder / "logs"),
            "DAGSTER_DISABLE_TELEMETRY": "yes",
            "ANALYTICS_CODE_HOST": "127.0.0.1",
        }


@contextmanager
def deployed(folder: Path, environment: Mapping[str, str]) -> Iterator[Deployment]:
    """A deployment whose instance is made and whose processes are still to be started."""
    deployment = Deployment(folder, environment)
    deployment.prepare()
    try:
        yield deployment
    finally:
        deployment.stop()
