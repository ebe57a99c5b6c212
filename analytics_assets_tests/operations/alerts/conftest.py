"""A receiver that listens, and an account whose alerts go there."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.clock import utc_now
from analytics_assets_tests.lake.vendor import Vendor
from analytics_assets_tests.operations.alerts.receivers import Receiver
from analytics_assets_tests.operations.alerts.scene import DAYS, Scene
from analytics_assets_tests.shop import Shop


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A web server that takes everything."""
    with Receiver().listening() as one:
        yield one


@pytest.fixture
def scene(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """An account that has been watched for a tick already; Dagster's history is in memory."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield _watched(instance, tmp_path, receiver, monkeypatch)


@pytest.fixture
def scene_on_disk(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """The same with Dagster's history in the files that a checkout has."""
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as instance:
        yield _watched(instance, tmp_path, receiver, monkeypatch)


def _watched(instance: dg.DagsterInstance, folder: Path, receiver: Receiver, environment: pytest.MonkeyPatch) -> Scene:
    state = f"sqlite:///{folder}/state.db"
    environment.setenv("ANALYTICS_STATE", state)
    environment.setenv("OPS_HOOK", receiver.address)
    scene = Scene(Shop(folder / "lake", instance, Vendor(), clock=utc_now, partitions=DAYS), state)
    scene.tick()
    return scene
