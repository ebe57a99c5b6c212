"""Empty lakes, on a disk and on a file system behind fsspec, and a shop whose days are stored."""

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.lake.store import Lake
from analytics_assets_tests.shop import Shop, span


@pytest.fixture
def disk(tmp_path: Path) -> Lake:
    """An empty lake on the disk."""
    return Lake(str(tmp_path / "lake"))


@pytest.fixture(params=["disk", "memory"])
def lake(request: pytest.FixtureRequest, disk: Lake) -> Lake:
    """An empty lake on either."""
    return disk if request.param == "disk" else Lake(f"memory://lake-{uuid.uuid4().hex}")


@pytest.fixture(scope="session")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three days of the shop in `lake`, and Dagster's record of them in `dagster`."""
    folder = tmp_path_factory.mktemp("landed")
    (folder / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(folder / "dagster")) as instance:
        Shop(folder / "lake", instance).run(span("01", "03"))
    return folder


@pytest.fixture
def shop(stored: Path, tmp_path: Path) -> Iterator[Shop]:
    """The shop after three days, a copy of its own."""
    shutil.copytree(stored, tmp_path, dirs_exist_ok=True)
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as instance:
        yield Shop(tmp_path / "lake", instance)
