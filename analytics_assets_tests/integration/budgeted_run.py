"""A process that stores days of some tables within a budget: `python -m ... TAG FIRST LAST REQUESTS PER_S TABLE...`, begun by a line.

TAG is the one that Dagster gives to such a run; a TABLE is `account/table`, and the accounts are stored one after the other. Where they
land stands in the environment. The status is 0 when all days are stored.
"""

import faulthandler
import sys
from datetime import date

import dagster as dg

from analytics_assets.clock import utc_now
from analytics_assets.orchestration.state_resource import BudgetSettings
from analytics_assets_tests.integration.running import Wishes, definitions_at, range_tags, run

LONGEST_S = 240


def main(tag: str, first: str, last: str, requests: str, per_s: str, *tables: str) -> int:
    """Says that it is ready, waits, and runs."""
    faulthandler.dump_traceback_later(LONGEST_S, exit=True)
    definitions = definitions_at(
        utc_now, Wishes(budget=BudgetSettings(requests=int(requests), per_seconds=float(per_s)))
    )
    tags = {**range_tags([date.fromisoformat(first), date.fromisoformat(last)]), tag: "shop"}
    definitions.get_repository_def()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    with dg.DagsterInstance.ephemeral() as instance:
        done = [
            run(
                definitions,
                f"{account}_daily",
                instance,
                tags,
                [one for one in tables if one.startswith(f"{account}/")],
            )
            for account in dict.fromkeys(table.partition("/")[0] for table in tables)
        ]
    return not all(one.success for one in done)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
