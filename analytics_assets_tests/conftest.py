"""What every test shares: an environment that says nothing.

Keep fixtures that only some tests need beside those tests.
"""

import gc
import os
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

import analytics_assets.sources
from analytics_assets import SOURCES

# The example of docs/add-a-source.md is `analytics_assets.sources.kiosk`, as in a checkout that it is copied to.
analytics_assets.sources.__path__.append(str(Path(__file__).parents[1] / "docs/example_source"))

# A machine that is busy is slow; that is no finding.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

# These files look at the same observations, which take longer to make than to look at.
_TOGETHER = "analytics_assets_tests/contract/"
# Seconds for a test with one of these marks; pyproject.toml has the bound of the others, .ci/run that of all.
_SLOW_MARKS = ("proof", "alone")
_SLOW_S = 720
_OURS = ("ANALYTICS_", "DAGSTER_HOME", *(f"{source.upper()}_" for source in SOURCES))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Starts the longest proofs first, so that several processes end at the same time; proofs have a longer time-out."""
    items.sort(key=lambda item: -_minutes(item))
    for item in items:
        if any(map(item.get_closest_marker, _SLOW_MARKS)) and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(_SLOW_S))


def _minutes(item: pytest.Item) -> float:
    proof = item.get_closest_marker("proof")
    return proof.args[0] if proof else 0


def pytest_collection_finish() -> None:
    """All that was imported stays, so that looking through it for garbage again and again, a fifth of the time of tests that run Dagster, is spared."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


def pytest_unconfigure() -> None:
    """At the end all of it goes, as it would have."""
    gc.unfreeze()


class _FilesApart(LoadFileScheduling):
    """A process for each file, and one for all files that share what they look at."""

    def _assign_work_unit(self, node: Any) -> None:
        # xdist hands out a file before the two last tests of the one before it. The second file of a process waits for one of the longest, so it
        # is one of the shortest; every other one is the longest that is left.
        if len(self.assigned_work[node]) == 1:
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return _TOGETHER if file.startswith(_TOGETHER) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _FilesApart:
    """Which tests go to one process when there are several."""
    return _FilesApart(config, log)


@pytest.fixture(scope="session")
def _states(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("states")


@pytest.fixture(autouse=True)
def _silent_environment(monkeypatch: pytest.MonkeyPatch, _states: Path) -> None:
    """Takes away what the machine that runs the tests has set, so that they mean the same everywhere.

    Each test has a state database of its own, which belongs to its lake; that of this checkout is not touched.
    """
    for name in [name for name in os.environ if name.startswith(_OURS)]:  # noqa: TID251 - clearing needs the names
        monkeypatch.delenv(name)
    monkeypatch.setenv("ANALYTICS_STATE", f"sqlite:///{_states}/{uuid.uuid4().hex}.db")
