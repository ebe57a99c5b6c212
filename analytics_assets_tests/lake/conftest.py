"""Empty lakes: on a disk, and on a file system behind fsspec."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from analytics_assets.lake.store import Lake


@pytest.fixture(params=["disk", "disk with brackets in its name", "memory"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lake]:
    """An empty lake."""
    if request.param == "memory":
        root = f"/lake-{uuid.uuid4().hex}"
        yield Lake(f"memory:/{root}")
        memory = fsspec.filesystem("memory")
        if memory.exists(root):
            memory.rm(root, recursive=True)
        return
    yield Lake(str(tmp_path / ("lake" if request.param == "disk" else "[a]*?")))


@pytest.fixture
def disk(tmp_path: Path) -> Lake:
    """An empty lake on the disk."""
    return Lake(str(tmp_path))
