"""The Dagster instance a command works on: that of DAGSTER_HOME, or the one that `dg dev` has in the project.

How it is opened, and what is wrong with one that is not, is `analytics_assets/doctor/dagster_home.py`.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import dagster as dg

from analytics_assets.commands.accounts import RefusedError
from analytics_assets.doctor.dagster_home import HISTORY, opens


@contextmanager
def opened_instance(*, creates: bool) -> Iterator[dg.DagsterInstance]:
    """The instance.

    Args:
        creates: Whether a history that has not begun is created; else an empty one in memory stands for it.

    Raises:
        RefusedError: There is none, or it cannot be opened; in the doctor's words, which hold no password.
    """
    with ExitStack() as stack:
        opened: list[dg.DagsterInstance] = []
        *_, last = opens(stack, opened, creates=creates)
        if not opened and last.what == HISTORY:
            print(f"{last.found}: no file is recorded.", file=sys.stderr)
            opened.append(stack.enter_context(dg.DagsterInstance.ephemeral()))
        if not opened:
            raise RefusedError(f"{last.found}. {last.remedy}")
        yield opened[0]
