"""Empty lakes for copies of months: in a folder, and behind fsspec."""

import uuid
from pathlib import Path

import pytest

from analytics_assets.lake.store import Lake


@pytest.fixture(params=["disk", "memory"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    """An empty lake."""
    return Lake(str(tmp_path / "lake") if request.param == "disk" else f"memory://lake-{uuid.uuid4().hex}")


@pytest.fixture
def disk(tmp_path: Path) -> Lake:
    """An empty lake on the disk."""
    return Lake(str(tmp_path / "lake"))
