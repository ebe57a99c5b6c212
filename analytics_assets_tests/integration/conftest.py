"""A lake and a state database of the test's own, and a Dagster instance."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest


@dataclass(frozen=True)
class Place:
    """Where the production code of a test is pointed to."""

    lake: Path
    state: str
    environment: dict[str, str]


def pointed(patch: pytest.MonkeyPatch, folder: Path) -> Callable[[str], Place]:
    """A function that points production to a sandbox server, with a lake and state below a folder."""

    def to(url: str) -> Place:
        place = Place(
            folder / "lake",
            f"sqlite:///{folder}/state.db",
            {
                "ANALYTICS_SANDBOX_URL": url,
                "ANALYTICS_LAKE": str(folder / "lake"),
                "ANALYTICS_STATE": f"sqlite:///{folder}/state.db",
            },
        )
        for name, value in place.environment.items():
            patch.setenv(name, value)
        return place

    return to


@pytest.fixture
def point(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], Place]:
    """A function that points production to a sandbox server, with a lake and state below the test's folder."""
    return pointed(monkeypatch, tmp_path)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """A Dagster instance in memory; tests with several processes have one on disk."""
    with dg.DagsterInstance.ephemeral() as one:
        yield one
