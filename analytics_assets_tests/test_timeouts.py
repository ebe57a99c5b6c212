"""How tests are run: one that hangs fails by name, alone and in several processes, and the longest files start first."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from analytics_assets_tests.conftest import _FilesApart

ROOT = Path(__file__).parents[1]
TESTS = """\
import asyncio
import threading

import pytest


def test_in_a_lock():
    threading.Event().wait()


async def test_in_the_loop():
    await asyncio.Event().wait()


def test_in_good_time(request):
    assert request.node.get_closest_marker("timeout") is None


@pytest.mark.parametrize("_", [pytest.param(0, marks=pytest.mark.proof(1)), pytest.param(1, marks=pytest.mark.alone)])
def test_that_takes_minutes(request, _):
    assert request.node.get_closest_marker("timeout").args == (720,)
"""


def outcome(folder: Path, tests: str, *options: str) -> str:
    """What pytest says of tests under this project's configuration, with half a second for each."""
    (folder / "test_given.py").write_text(tests)
    command = [
        sys.executable,
        "-m",
        "pytest",
        f"--rootdir={folder}",
        "-c",
        str(ROOT / "pyproject.toml"),
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [
            *command,
            "-p",
            "analytics_assets_tests.conftest",
            "--timeout=0.5",
            "-q",
            *options,
            str(folder / "test_given.py"),
        ],
        cwd=folder,
        env={"PYTHONPATH": ":".join([str(ROOT), *sys.path]), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("options", [[], ["--numprocesses=1"]], ids=["alone", "several processes"])
def test_a_hanging_test_is_named_and_the_others_run(tmp_path: Path, options: list[str]) -> None:
    """In a lock as in the event loop; tests that take minutes have more time."""
    said = outcome(tmp_path, TESTS, *options)
    for name in ("test_in_a_lock", "test_in_the_loop"):
        assert f"test_given.py::{name} - Failed: Timeout (>0.5s) from pytest-timeout." in said
    assert "2 failed, 3 passed" in said


def test_a_test_that_swallows_the_time_out_ends_its_process_with_its_stack(tmp_path: Path) -> None:
    """Code between that catches everything costs the rest of the run, but not the name."""
    tests = """\
import threading


def test_that_catches_everything():
    while True:
        try:
            threading.Event().wait()
        except BaseException:
            continue
"""
    said = outcome(tmp_path, tests, "-o", "faulthandler_timeout=1.5")
    assert "in test_that_catches_everything" in said


class _Process:
    """A process of xdist that notes which tests it is given."""

    gateway = SimpleNamespace(id="gw0")
    shutting_down = False

    def __init__(self) -> None:
        self.given: list[int] = []

    def send_runtest_some(self, indices: list[int]) -> None:
        """Notes them."""
        self.given += indices


def test_a_short_file_waits_behind_each_of_the_longest() -> None:
    """A file of one test holds back the file after it, which would else be the next longest."""
    tests = [f"{name}.py::test" for name in "abcdef"]
    config = SimpleNamespace(getvalue=lambda _: ["popen"] * 2, option=SimpleNamespace(loadscopereorder=False))
    scheduler = _FilesApart(config, SimpleNamespace(loadscopesched=lambda *_: None, loadfilesched=lambda *_: None))  # type: ignore[arg-type]
    processes = [_Process(), _Process()]
    for process in processes:
        scheduler.add_node(process)  # type: ignore[arg-type]
        scheduler.add_node_collection(process, tests)  # type: ignore[arg-type]
    scheduler.schedule()
    first, second = processes
    assert ([tests[number][0] for number in first.given], [tests[number][0] for number in second.given]) == (
        ["a", "f"],
        ["b", "e"],
    )
    scheduler.mark_test_complete(second, 1)  # type: ignore[arg-type]
    assert [tests[number][0] for number in second.given] == ["b", "e", "c"]


def test_everything_has_a_time_out(pytestconfig: pytest.Config) -> None:
    """The bound of this run's own configuration; a process ends after the longest of them only."""
    assert float(pytestconfig.getini("timeout")) == 240
    assert float(pytestconfig.getini("faulthandler_timeout")) > 720
