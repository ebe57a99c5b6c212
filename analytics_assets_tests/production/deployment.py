"""A deployment as `deploy/` describes it: the processes of its Procfile, on ports of their own, and what can be asked of it.

Each process has a folder of its own for what runs print, as each machine has, so it can be told which worker began which run. Besides
ports and folders only what the caller says is changed in the files. No assertions here.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import httpx

from analytics_assets_tests.integration.backfills import LAUNCH, backfill_of, launching
from analytics_assets_tests.production.parts import PATIENCE_S, free_port, patient

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
_PORTS = ("3000", "3001", "4266")
_BACKFILL = """
    query ($id: String!) { partitionBackfillOrError(backfillId: $id) {
        ... on PartitionBackfill { status } ... on PythonError { message } } }
"""
_ASSETS = "{ assetNodes { assetKey { path } isPartitioned } }"
_RUNS = "{ runsOrError { ... on Runs { results { runId status tags { key value } } } } }"


def procfile() -> dict[str, str]:
    """The commands of `deploy/Procfile`, by name."""
    lines = (line.partition(":") for line in (DEPLOY / "Procfile").read_text().splitlines())
    return {name: command.strip() for name, _, command in lines if command}


@dataclass
class Deployment:
    """Processes of the Procfile, each started and killed by name.

    Attributes:
        folder: Where instance, logs and workspace stand.
        environment: What `deploy/README.md` says has to be set: lake, databases, broker and the like.
        numbers: Values of the instance file that are changed, by their keys, such as how often a dead worker is looked for.
        ports: The ports used, by those of the files.
        processes: Those that run, by name.
    """

    folder: Path
    environment: Mapping[str, str]
    numbers: Mapping[str, int] = field(default_factory=dict)
    ports: Mapping[str, str] = field(default_factory=lambda: {port: str(free_port()) for port in _PORTS})
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def prepare(self) -> None:
        """Puts the instance's files in place and makes its storage, as `deploy/README.md` says."""
        home = self.folder / "home"
        home.mkdir(parents=True)
        instance = (DEPLOY / "dagster.yaml").read_text()
        for key, value in self.numbers.items():
            instance, changed = re.subn(rf"^( +{key}: )\d+$", rf"\g<1>{value}", instance, flags=re.MULTILINE)
            if not changed:
                raise LookupError(f"{key} is no number of deploy/dagster.yaml")
        (home / "dagster.yaml").write_text(instance)
        workspace = (DEPLOY / "workspace.yaml").read_text().replace("4266", self.ports["4266"])
        (self.folder / "workspace.yaml").write_text(workspace)
        made = subprocess.run(
            self._command("dagster instance migrate"),
            env=self._environment("migrate"),
            cwd=self.folder,
            check=False,
            shell=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_S,
        )
        if made.returncode:
            raise RuntimeError(f"the storage was not made:\n{made.stdout[-4000:]}")

    def start(self, *names: str, of: str | None = None) -> None:
        """Starts processes by their names; `of` is the line of the Procfile where the name is another."""
        for name in names:
            with self.log(name).open("ab") as log:
                self.processes[name] = subprocess.Popen(
                    self._command(procfile()[of or name]),
                    env=self._environment(name),
                    cwd=self.folder,
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

    def log(self, name: str) -> Path:
        """What a process wrote to its terminal."""
        return self.folder / f"{name}.log"

    @property
    def url(self) -> str:
        """Address of the web server."""
        return f"http://127.0.0.1:{self.ports['3000']}"

    def ready(self) -> None:
        """Waits until the web server shows the definitions."""
        patient(lambda: bool(self.graphql(_ASSETS)["assetNodes"]), "the deployment", seconds=2 * PATIENCE_S)

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of a response of the API that the UI uses.

        Raises:
            OSError: There is no response, or it is an error.
        """
        try:
            answer = httpx.post(f"{self.url}/graphql", json={"query": query, "variables": variables}, timeout=30.0)
            body: dict[str, Any] = answer.raise_for_status().json()
        except httpx.HTTPStatusError as error:
            raise OSError(f"HTTP {error.response.status_code}") from error
        except httpx.HTTPError as error:
            raise OSError(str(error)) from error
        if body.get("errors"):
            raise OSError(body["errors"][0]["message"])
        data: dict[str, Any] = body["data"]
        return data

    def backfill(self, days: Sequence[str]) -> str:
        """Launches a backfill of all partitioned assets, as the UI does; returns its id."""
        nodes = self.graphql(_ASSETS)["assetNodes"]
        tables = ["/".join(node["assetKey"]["path"]) for node in nodes if node["isPartitioned"]]
        return backfill_of(self.graphql(LAUNCH, **launching(tables, days)))

    def status(self, backfill: str) -> str:
        """Status of a backfill."""
        return str(self.graphql(_BACKFILL, id=backfill)["partitionBackfillOrError"]["status"])

    def runs(self) -> dict[str, str]:
        """The status of every run, by its id."""
        return {run["runId"]: run["status"] for run in self.graphql(_RUNS)["runsOrError"]["results"]}

    def begun_by(self, worker: str) -> set[str]:
        """The runs that a worker has begun."""
        return {folder.name for folder in self._logs(worker).glob("*") if (folder / "compute_logs").is_dir()}

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        """The instance, to look at: its history, and nothing that launches."""
        folder = self.folder / "looking"
        folder.mkdir(exist_ok=True)
        url = self.environment["DAGSTER_POSTGRES_URL"]
        (folder / "dagster.yaml").write_text(f"storage:\n  postgres:\n    postgres_url: {url}\n")
        with dg.DagsterInstance.from_config(str(folder)) as one:
            yield one

    def _logs(self, name: str) -> Path:
        return self.folder / "logs" / name

    def _command(self, command: str) -> str:
        for port, ours in self.ports.items():
            command = command.replace(port, ours)
        return "exec " + command.replace("deploy/workspace.yaml", str(self.folder / "workspace.yaml"))

    def _environment(self, name: str) -> dict[str, str]:
        foreign = ("PYTEST", "ANALYTICS_", "DAGSTER_", "AWS_")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}  # noqa: TID251
        return {
            **kept,
            **self.environment,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}",
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(DEPLOY)]),
            "DAGSTER_HOME": str(self.folder / "home"),
            "DAGSTER_LOGS": str(self._logs(name)),
            "DAGSTER_DISABLE_TELEMETRY": "yes",
            "ANALYTICS_CODE_HOST": "127.0.0.1",
        }


@contextmanager
def deployed(
    folder: Path, environment: Mapping[str, str], numbers: Mapping[str, int] | None = None
) -> Iterator[Deployment]:
    """A deployment whose instance is made and whose processes are still to be started."""
    deployment = Deployment(folder, environment, numbers or {})
    deployment.prepare()
    try:
        yield deployment
    finally:
        deployment.stop()
