"""What a machine may lack: such tests are skipped there, and fail where TESTS_NEED_ALL is set, as in continuous integration."""

import os
from typing import NoReturn

import pytest


def skip_or_fail(reason: str) -> NoReturn:
    """Skip the test, or fail it where everything has to be there."""
    if os.environ.get("TESTS_NEED_ALL"):  # noqa: TID251 - how tests are run is no setting of the product
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def require_module(name: str, *, source: str) -> None:
    """Skip or fail the test where a module cannot be imported; `source` is the extra or group that has it."""
    try:
        __import__(name)
    except ImportError:
        skip_or_fail(f"{name} is in the {source}")
