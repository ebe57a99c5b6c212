"""The Dagster instance a command works on: that of DAGSTER_HOME, or the one that `dagster dev` has in this folder.

Keep what is done with it out of here; each command has its own module.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from dagster._core.instance.config import is_dagster_home_set

from analytics_assets.commands.accounts import RefusedError

_CONFIGURED = "dagster.yaml"


@contextmanager
def opened_instance() -> Iterator[dg.DagsterInstance]:
    """The instance.

    Raises:
        RefusedError: There is none.
    """
    here = Path.cwd()
    if not is_dagster_home_set() and not (here / _CONFIGURED).is_file():
        raise RefusedError(
            f"there is no Dagster instance: DAGSTER_HOME is not set, and {here} has no {_CONFIGURED}. Run this where `dagster dev` runs."
        )
    try:
        made = dg.DagsterInstance.get() if is_dagster_home_set() else dg.DagsterInstance.from_config(str(here))
    except Exception as error:  # whatever the storage of the instance raises
        raise RefusedError(f"the Dagster instance cannot be opened: {error}") from error
    with made as instance:
        yield instance
