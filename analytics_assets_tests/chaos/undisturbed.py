"""A process that fills the lake as nothing goes wrong: `python -m ... FIRST LAST COPY`, what a disturbed lake is compared with.

It takes the snapshots, copies the lake as it then stands to COPY, where the disturbed one begins, and stores the days of all accounts.
Where it lands and whose definitions these are stands in the environment.
"""

import importlib
import shutil
import sys
from datetime import date

import dagster as dg

from analytics_assets.settings import settings
from analytics_assets_tests.integration.running import FIRST, LAST

ACCOUNTS = ("bento", "statsig", "airbridge")


def main(first: str, last: str, copy: str) -> None:
    """Lands it all, or ends with an error."""
    definitions: dg.Definitions = importlib.import_module("growth.definitions").defs()
    with dg.DagsterInstance.ephemeral() as instance:
        definitions.resolve_job_def("snapshots").execute_in_process(instance=instance)
        shutil.copytree(settings().lake, copy)
        tags = {FIRST: date.fromisoformat(first).isoformat(), LAST: date.fromisoformat(last).isoformat()}
        for account in ACCOUNTS:
            definitions.resolve_job_def(f"{account}_daily").execute_in_process(instance=instance, tags=tags)


if __name__ == "__main__":
    main(*sys.argv[1:])
