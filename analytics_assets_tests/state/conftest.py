"""The databases that hold the state: a SQLite file as on one machine, and PostgreSQL as in production."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from analytics_assets.state.rate_limit import Budget, RequestOrigin, SharedRateLimiter
from analytics_assets_tests.production.parts import Postgres, postgres
from analytics_assets_tests.state.watch import THREE_IN_TEN_S, Make, Watch


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


@pytest.fixture
def watch() -> Watch:
    """Noon of the first of March."""
    return Watch()


@pytest.fixture
def rate_limiter(url: str, watch: Watch) -> Make:
    """Makes gates of one database; each is what another process would have."""

    def make(
        key: str = "shop", budget: Budget = THREE_IN_TEN_S, origin: RequestOrigin | None = None
    ) -> SharedRateLimiter:
        return SharedRateLimiter(url, key, budget, origin or RequestOrigin(), clock=watch, sleep=watch.sleep)

    return make
