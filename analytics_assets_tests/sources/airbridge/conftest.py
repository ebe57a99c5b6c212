"""The account whose sensor is driven."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.state.database import engine
from analytics_assets_tests.sources.airbridge.sensor_account import Account, Vendor


@pytest.fixture
def account(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Account]:
    """The account with an empty ledger."""
    url = f"sqlite:///{tmp_path}/state.db"
    with dg.DagsterInstance.ephemeral() as instance:
        yield Account(Vendor(url), instance, capsys)
    engine(url).dispose()
    engine.cache_clear()
