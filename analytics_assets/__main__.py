"""The command line, `analytics-assets`: what a person asks once, outside of Dagster's runs.

Each command is a module of `cli/`. Modes, addresses and keys are those of the runs: the sandbox unless ANALYTICS_MODE is live. Answers
go to stdout, what went wrong to stderr. Status: 0 as it should be, 1 not (the words say what to do), 2 not asked or refused.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from analytics_assets.cli import alerts, calibrate, doctor, lake, load, plan, resume
from analytics_assets.cli.accounts import RefusedError
from analytics_assets.clock import Clock, utc_now
from analytics_assets.errors import SourceError
from analytics_assets.orchestration.loading import check_places

DEFS = Path(__file__).parent / "defs"


def main(arguments: Sequence[str] | None = None, *, clock: Clock = utc_now, defs: Path = DEFS) -> int:
    """Carries out one command and returns its exit status.

    Args:
        arguments: Those of the command line by default.
        clock: The present instant.
        defs: Folder of the accounts, in a Dagster project.
    """
    chosen = _parser().parse_args(arguments)
    try:
        check_places(defs)
        status: int = chosen.carry_out(chosen, defs, clock)
    except RefusedError as error:
        print(f"analytics-assets: {error}", file=sys.stderr)
        return 2
    except SourceError as error:
        print(f"analytics-assets: {error.dated}", file=sys.stderr)
        return 2
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="analytics-assets", description="Commands beside Dagster's own.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    calibrate.add(commands)
    plan.add(commands)
    load.add(commands)
    alerts.add(commands)
    doctor.add(commands)
    resume.add(commands)
    lake.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
