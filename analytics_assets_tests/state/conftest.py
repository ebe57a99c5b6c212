"""The databases that hold the state: a SQLite file as on one machine, and PostgreSQL as in production."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from analytics_assets_tests.production.parts import Postgres, postgres


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """A PostgreSQL server for all tests of the state."""
    with postgres() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a state database that is not made yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/state.db"
    new: Callable[[], str] = request.getfixturevalue("server").database
    return new()
