"""A lake of the test's own."""

from pathlib import Path

import pytest

from analytics_assets.lake.store import Lake
from analytics_assets_tests.checks.planted import Planted


@pytest.fixture
def planted(tmp_path: Path) -> Planted:
    """An empty lake."""
    return Planted(Lake(str(tmp_path)))
