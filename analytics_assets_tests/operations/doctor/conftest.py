"""A server of vendors for all set-ups of a module, and set-ups that use it."""

from collections.abc import Callable, Iterator

import pytest

from analytics_assets_tests.integration.server import Sandbox, sandbox_server
from analytics_assets_tests.operations.doctor.patient import Patient


@pytest.fixture(scope="module")
def vendors() -> Iterator[Sandbox]:
    """The vendors."""
    with sandbox_server() as server:
        yield server


@pytest.fixture(scope="module")
def admit(vendors: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Patient]:
    """A function that makes a set-up with nothing wrong but that its daemon has never run."""
    return lambda: Patient(tmp_path_factory.mktemp("patient"), vendors.url)
