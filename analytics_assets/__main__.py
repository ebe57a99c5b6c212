"""The command line, `analytics-assets`: what a person asks once, outside of Dagster's runs.

`analytics-assets calibrate bento` finds out how Bento reads dates and prints the lines for the account's `defs.yaml`. Modes, addresses and
keys are those of the runs: the sandbox unless ANALYTICS_MODE is live. Answers go to stdout, what went wrong to stderr.
Status: 0 found, 1 open (the words say what to try), 2 not asked or refused.
Keep decisions out of here; this module reads arguments, opens the account and prints.
"""

import argparse
import asyncio
import sys
import warnings
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import dagster as dg

from analytics_assets.clock import Clock, utc_now
from analytics_assets.errors import SourceError
from analytics_assets.settings import settings
from analytics_assets.sources.bento.calibration import Finding, calibrate, newest_day
from analytics_assets.sources.bento.component import BentoStats
from analytics_assets.sources.bento.resource import BentoResource
from analytics_assets.sources.bento.streams import WindowSpec

DEFS = Path(__file__).parent / "defs"


class _RefusedError(Exception):
    """The command cannot be carried out; says why and what to do."""


def main(arguments: Sequence[str] | None = None, *, clock: Clock = utc_now, defs: Path = DEFS) -> int:
    """Carries out one command and returns its exit status.

    Args:
        arguments: Those of the command line by default.
        clock: The present instant.
        defs: Folder of the accounts, in a Dagster project.
    """
    chosen = _parser().parse_args(arguments)
    try:
        return _calibrate(defs / chosen.account, chosen.day, clock)
    except (_RefusedError, SourceError) as error:
        print(f"analytics-assets: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="analytics-assets", description="Commands beside Dagster's own.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    calibrating = commands.add_parser("calibrate", help="find out what a vendor does not document")
    vendors = calibrating.add_subparsers(title="vendors", required=True, metavar="VENDOR")
    bento = vendors.add_parser(
        "bento",
        help="how Bento reads dates: zone, end and spelling",
        description="Asks a site for at most 12 overlapping windows of past days, of the about 30 an hour that Bento allows, and prints "
        "the `window` that fits the answers.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    bento.add_argument("--account", default="bento", help="folder under defs/")
    bento.add_argument("--day", type=_day, help="a day with much traffic, as 2026-03-01; the fourth last by default")
    return parser


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; write it as 2026-03-01") from error


def _calibrate(folder: Path, day: date | None, clock: Clock) -> int:
    newest = newest_day(clock())
    if day is not None and day > newest:
        raise _RefusedError(f"--day {day}: the days around it are not over everywhere. Use {newest} or an earlier day.")
    resource = _bento_account(folder).resource()
    print(f"Asking Bento ({settings().mode}), account {folder.name}, about {day or newest} ...", flush=True)
    finding = asyncio.run(_found(resource, day or newest, clock))
    for number, line in enumerate(finding.seen, start=1):
        print(f"{number:>3}. {line}")
    print(finding.verdict)
    if finding.window is None:
        return 1
    print(f"Write this under `ads` in defs/{folder.name}/defs.yaml:\n\n{_yaml(finding.window)}")
    return 0


async def _found(resource: BentoResource, day: date, clock: Clock) -> Finding:
    async with resource.open(clock=clock) as client:
        return await calibrate(client, day=day, clock=clock)


def _bento_account(folder: Path) -> BentoStats:
    """The component of an account, as Dagster loads it."""
    account, defs = folder.name, folder.parent
    accounts = sorted(path.parent.name for path in defs.glob("*/defs.yaml"))
    if account not in accounts:
        raise _RefusedError(
            f"--account {account}: there is no such folder with a defs.yaml. There are: {', '.join(accounts)}."
        )
    try:
        with warnings.catch_warnings():
            # Dagster's own, which are no affair of the person who asks.
            warnings.simplefilter("ignore")
            component = dg.ComponentTree.for_project(defs).load_component(account)
    except Exception as error:  # Dagster has no class for a YAML it cannot load
        raise _RefusedError(
            f"defs/{account}/defs.yaml cannot be loaded: {error}\n{error.__cause__ or ''}".rstrip()
        ) from error
    if not isinstance(component, BentoStats):
        raise _RefusedError(f"--account {account}: defs/{account}/defs.yaml is no analytics_assets.BentoStats.")
    return component


def _yaml(window: WindowSpec) -> str:
    """The window as `defs.yaml` has it, at its depth there."""
    return f"    window:\n      zone: {window.zone}\n      end: {window.end}\n      format: {window.format}"


if __name__ == "__main__":
    sys.exit(main())
