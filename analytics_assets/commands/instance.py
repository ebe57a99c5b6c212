"""The Dagster instance a command works on: that of DAGSTER_HOME, or the one that `dagster dev` has in this folder.

How it is opened, and what is wrong with one that is not, is `analytics_assets/doctor/dagster_home.py`. Keep what is done with it out of
here; each command has its own module.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import dagster as dg

from analytics_assets.commands.accounts import RefusedError
from analytics_assets.doctor.dagster_home import opens


@contextmanager
def opened_instance() -> Iterator[dg.DagsterInstance]:
    """The instance.

    Raises:
        RefusedError: There is none, or it cannot be opened; in the doctor's words, which hold no password.
    """
    with ExitStack() as stack:
        opened: list[dg.DagsterInstance] = []
        *_, last = opens(stack, opened)
        if not opened:
            raise RefusedError(f"{last.found}. {last.remedy}")
        yield opened[0]
