"""A real Dagster daemon over a project of the test's own: its folders, its process, and what it did.

The project is one Airbridge account in a `defs.yaml`, loaded as the shipped ones are. No assertions here.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType

PYTHON_ROOT = Path(__file__).parents[2]
_PATIENCE_S = 20.0

_INSTANCE = """
    run_coordinator:
      module: dagster._core.run_coordinator
      class: QueuedRunCoordinator
      config:
        max_concurrent_runs: 4
        dequeue_interval_seconds: 1
    sensors:
      use_threads: true
      num_workers: 4
    telemetry:
      enabled: false
"""
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

    from analytics_assets.lake.resource import LakeResource


    @dg.definitions
    def defs() -> dg.Definitions:
        """Everything Dagster sees."""
        loaded = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
        shared = dg.Definitions(resources={"lake": LakeResource()}, executor=dg.in_process_executor)
        return dg.Definitions.merge(loaded, shared)
'''


@dataclass(frozen=True)
class Project:
    """A project with an instance of its own, and the environment in which Dagster's commands are run for it."""

    root: Path
    environment: Mapping[str, str]

    def launch(self, job: str, tags: Mapping[str, str]) -> None:
        """Puts one run of a job into the instance's queue."""
        command = [sys.executable, "-m", "dagster", "job", "launch", "-w", str(self.root / "workspace.yaml"), "-j", job]
        done = subprocess.run(
            [*command, "--tags", json.dumps(dict(tags))],
            cwd=self.root,
            env=dict(self.environment),
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        if done.returncode:
            raise RuntimeError(f"the run was not launched:\n{done.stdout}")

    @contextmanager
    def daemon(self) -> Iterator[None]:
        """`dagster-daemon run` until the block ends; it and all it has started are ended then."""
        with (self.root / "daemon.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dagster._daemon", "run", "-w", str(self.root / "workspace.yaml")],
                cwd=self.root,
                env=dict(self.environment),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(_PATIENCE_S)
            finally:
                # What it started is in its group, and so ends with it even if it did not end itself.
                _end_group(process.pid)
                process.wait(_PATIENCE_S)

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        """The instance the daemon works on."""
        with dg.DagsterInstance.local_temp(str(self.root / "home")) as one:
            yield one


def made_project(root: Path, account: str, defs_yaml: str, environment: Mapping[str, str]) -> Project:
    """Writes the project into an empty folder."""
    files = {
        "home/dagster.yaml": _INSTANCE,
        "pyproject.toml": _PROJECT,
        "workspace.yaml": _WORKSPACE,
        "growth/__init__.py": '"""A project that uses the package."""\n',
        "growth/definitions.py": _DEFINITIONS,
        "growth/defs/__init__.py": '"""What is pulled."""\n',
        f"growth/defs/{account}/defs.yaml": defs_yaml,
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}  # noqa: TID251
    paths = os.pathsep.join([str(root), str(PYTHON_ROOT)])
    project = Project(root, {**kept, **environment, "DAGSTER_HOME": str(root / "home"), "PYTHONPATH": paths})
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
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return
