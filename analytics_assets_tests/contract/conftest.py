"""The cells of the contract, run once for all tests that look at them."""

import pytest

from analytics_assets_tests.contract.observed_faults import Cells, observed_faults
from analytics_assets_tests.contract.observed_forms import Readings, observed_forms
from analytics_assets_tests.contract.observed_refusals import Refused, observed_refusals


@pytest.fixture(scope="session")
def fault_cells() -> Cells:
    """What came of every operation under every fault."""
    return observed_faults()


@pytest.fixture(scope="session")
def refused_cells() -> Refused:
    """What came of asking amiss, and of lists that move."""
    return observed_refusals()


@pytest.fixture(scope="session")
def form_readings(tmp_path_factory: pytest.TempPathFactory) -> Readings:
    """What came of every stream under every form."""
    return observed_forms(tmp_path_factory.mktemp("forms"))
