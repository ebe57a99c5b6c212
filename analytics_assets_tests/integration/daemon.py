"""A real Dagster daemon over a project of the test's own: its folders, its process, and what it did.

The project's accounts are `defs.yaml` files, loaded as the shipped ones are; its instance is configured as the shipped one. No assertions
here.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType

PYTHON_ROOT = Path(__file__).parents[2]
_PATIENCE_S = 20.0
# As wherever a daemon is started: a backfill waits while its code cannot be loaded.
RETRIES = {"DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR": "1"}
_LONGEST_COMMAND_S = 300.0

_PROJECT = """
    [tool.dg]
    directory_type = "project"

    [tool.dg.project]
    root_module = "growth"
    registry_modules = ["analytics_assets"]
"""
_WORKSPACE = """
    load_from:
      - python_module:
          module_name: growth.definitions
          location_name: growth
"""
_DEFINITIONS = '''
    """The door of this project."""

    from pathlib import Path

    import dagster as dg


    @dg.definitions
    def defs() -> dg.Definitions:
        """Everything Dagster sees."""
        loaded = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
        return dg.Definitions.merge(loaded, dg.Definitions(executor=dg.in_process_executor))
'''


@dataclass(frozen=True)
class Project:
    """A project with an instance of its own, and the environment in which Dagster's commands are run for it."""

    root: Path
    environment: Mapping[str, str]

    def launch(self, job: str, tags: Mapping[str, str]) -> None:
        """Puts one run of a job into the instance's queue."""
        command = [sys.executable, "-m", "dagster", "job", "launch", "-w", str(self.root / "workspace.yaml"), "-j", job]
        self._carried_out([*command, "--tags", json.dumps(dict(tags))])

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        """What the instance answers to one document, as the web server would."""
        program = "from dagster_graphql.cli import main; main()"
        command = [sys.executable, "-c", program, "-w", str(self.root / "workspace.yaml"), "-t", query]
        answer = self.root / "answer.json"
        said = self._carried_out([*command, "-v", json.dumps(variables), "-o", str(answer)])
        told = json.loads(answer.read_text())
        if told.get("errors"):
            raise RuntimeError(f"the document was refused: {told['errors']}\n{said}")
        data: dict[str, Any] = told["data"]
        return data

    def _carried_out(self, command: Sequence[str]) -> str:
        done = subprocess.run(
            command,
            cwd=self.root,
            env=dict(self.environment),
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_LONGEST_COMMAND_S,
        )
        if done.returncode:
            raise RuntimeError(f"{command[2]} failed:\n{done.stdout}")
        return done.stdout

    @contextmanager
    def daemon(self) -> Iterator[None]:
        """`dagster-daemon run` until the block ends; it and all it has started are ended then."""
        one = Daemon(self)
        one.start()
        try:
            yield
        finally:
            one.end()

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        """The instance the daemon works on."""
        with dg.DagsterInstance.from_config(str(self.root / "home")) as one:
            yield one


@dataclass
class Daemon:
    """`dagster-daemon run` of a project, which may be started again after it was killed.

    Attributes:
        project: Whose.
        groups: The process groups of the daemons started; all that a daemon starts is in its own.
        process: The daemon of now.
    """

    project: Project
    groups: list[int] = field(default_factory=list)
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Starts one."""
        with (self.project.root / "daemon.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dagster._daemon", "run", "-w", str(self.project.root / "workspace.yaml")],
                cwd=self.project.root,
                env=dict(self.project.environment),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.groups.append(self.process.pid)

    def end(self) -> None:
        """Ends the daemon, and what is left of all that was started."""
        assert self.process is not None
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_PATIENCE_S)
        for group in self.groups:
            _end_group(group)
        self.process.wait(_PATIENCE_S)


def made_project(root: Path, accounts: Mapping[str, str], environment: Mapping[str, str]) -> Project:
    """Writes the project into an empty folder: the `defs.yaml` of each account, and the shipped instance with files of its own."""
    files = {
        "home/dagster.yaml": (PYTHON_ROOT / "dagster.yaml").read_text().replace("data/dagster", str(root / "dagster")),
        "pyproject.toml": _PROJECT,
        "workspace.yaml": _WORKSPACE,
        "growth/__init__.py": '"""A project that uses the package."""\n',
        "growth/definitions.py": _DEFINITIONS,
        "growth/defs/__init__.py": '"""What is pulled."""\n',
        "growth/defs/shared/defs.yaml": "type: analytics_assets.Shared\n",
        **{f"growth/defs/{account}/defs.yaml": text for account, text in accounts.items()},
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
    foreign = ("PYTEST", "ANALYTICS_", "DAGSTER_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}  # noqa: TID251
    paths = os.pathsep.join([str(root), str(PYTHON_ROOT)])
    project = Project(root, {**kept, **environment, "DAGSTER_HOME": str(root / "home"), "PYTHONPATH": paths, **RETRIES})
    with project.instance():
        # Makes the storage: two processes that find none would both make it, and one of them fail.
        return project


def tick_reasons(instance: dg.DagsterInstance) -> str:
    """What the sensor said in each of its ticks, oldest first."""
    told = []
    for state in instance.all_instigator_state(instigator_type=InstigatorType.SENSOR):
        for tick in reversed(instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=100)):
            said = tick.error.message if tick.error else tick.skip_reason or f"runs {tick.run_ids}"
            told.append(f"{tick.timestamp:.0f} {tick.status.value}: {said}")
    return "\n".join(told)


def _end_group(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
