"""What Dagster loads of this checkout: the folders of `defs/`.

A run is one process, because days are read several at once inside a step. The jobs say so themselves; this executor is for assets launched without a job.
Dagster concept: definitions, https://docs.dagster.io/guides/build/projects-and-components
"""

from pathlib import Path

import dagster as dg

from analytics_assets.orchestration.loading import whole


@dg.definitions
def defs() -> dg.Definitions:
    """Everything Dagster sees.

    Raises:
        UnloadableError: A setting or a YAML is wrong; the UI and `dg` show it in place of everything else.
    """
    loaded = whole(Path(__file__).parent / "defs")
    return dg.Definitions.merge(loaded, dg.Definitions(executor=dg.in_process_executor))
