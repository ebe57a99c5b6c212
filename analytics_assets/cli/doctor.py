"""`analytics-assets doctor`: says what is wrong with this set-up, and what to do about it.

Status: 0 nothing is wrong (there may be warnings), 1 something is. What is looked at is `analytics_assets/operations/doctor/`.
"""

import argparse
from pathlib import Path
from typing import Any

from analytics_assets.cli.accounts import folders, write_json
from analytics_assets.clock import Clock
from analytics_assets.operations.doctor.examination import examine
from analytics_assets.operations.doctor.line import as_json, is_wrong, table


def add(subparsers: Any) -> None:
    """Adds the command's parser."""
    examining = subparsers.add_parser(
        "doctor",
        help="what is wrong with this set-up",
        description="Looks at definitions, keys, clock, lake, state, Dagster, the daemon, schedules, budgets, report tasks and late days, and says "
        "of each what was found and what to do. Sends one request to each account; fixes nothing.",
    )
    examining.add_argument(
        "--json", type=Path, metavar="FILE", help="where the lines are also written to, for programs"
    )
    examining.add_argument("--offline", action="store_true", help="ask no vendor")
    examining.set_defaults(carry_out=_examine)


def _examine(arguments: argparse.Namespace, defs: Path, clock: Clock) -> int:
    lines = examine(defs, folders(defs), clock=clock, is_offline=arguments.offline)
    print("\n".join(table(lines)))
    if arguments.json is not None:
        write_json(arguments.json, as_json(lines))
    return int(is_wrong(lines))
