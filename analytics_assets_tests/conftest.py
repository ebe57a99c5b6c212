"""What every test shares: an environment that says nothing.

Keep fixtures that only some tests need beside those tests.
"""

import os

import pytest
from hypothesis import settings

# A machine that is busy is slow; that is no finding.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

_OURS = ("ANALYTICS_", "BENTO_", "STATSIG_", "AIRBRIDGE_", "DAGSTER_HOME")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes begins first, so that several processes end at the same time."""
    items.sort(key=lambda item: item.get_closest_marker("first") is None)


@pytest.fixture(autouse=True)
def _silent_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes away what the machine that runs the tests has set, so that they mean the same everywhere."""
    for name in [name for name in os.environ if name.startswith(_OURS)]:  # noqa: TID251 - clearing needs the names
        monkeypatch.delenv(name)
