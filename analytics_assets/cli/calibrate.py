"""`analytics-assets calibrate bento`: finds out how Bento reads dates and prints the lines for the account's `defs.yaml`.

Status: 0 found, 1 open (the words say what to try). What is asked and concluded is `sources/bento/calibration.py`.
"""

import argparse
import asyncio
import sys
from datetime import date
from pathlib import Path
from typing import Any

from analytics_assets.cli.accounts import RefusedError, component, day
from analytics_assets.clock import Clock
from analytics_assets.settings import settings
from analytics_assets.sources.bento.calibration import CalibrationResult, calibrate, newest_day
from analytics_assets.sources.bento.source import BentoResource, BentoStats
from analytics_assets.sources.bento.streams import WindowSpec
from analytics_assets.state.rate_limit import RequestOrigin


def add(subparsers: Any) -> None:
    """Adds the command's parser."""
    calibrating = subparsers.add_parser("calibrate", help="find out what a vendor does not document")
    vendors = calibrating.add_subparsers(title="vendors", required=True, metavar="VENDOR")
    bento = vendors.add_parser(
        "bento",
        help="how Bento reads dates: zone, end and spelling",
        description="Asks a site for at most 12 overlapping windows of past days, of the about 30 an hour that Bento allows, and prints "
        "the `window` that fits the responses.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    bento.add_argument("--account", default="bento", help="folder under defs/")
    bento.add_argument("--day", type=day, help="a day with much traffic, as 2026-03-01; the fourth last by default")
    bento.set_defaults(carry_out=_calibrate)


def _calibrate(arguments: argparse.Namespace, defs: Path, clock: Clock) -> int:
    folder, day = defs / arguments.account, arguments.day
    newest = newest_day(clock())
    if day is not None and day > newest:
        raise RefusedError(f"--day {day}: the days around it are not over everywhere. Use {newest} or an earlier day.")
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


async def _found(resource: BentoResource, day: date, clock: Clock) -> CalibrationResult:
    origin = RequestOrigin(say=lambda text: print(text, file=sys.stderr, flush=True))
    async with resource.open(clock=clock, origin=origin) as client:
        return await calibrate(client, day=day, clock=clock)


def _bento_account(folder: Path) -> BentoStats:
    loaded = component(folder, option="--account")
    if not isinstance(loaded, BentoStats):
        raise RefusedError(f"--account {folder.name}: defs/{folder.name}/defs.yaml is no analytics_assets.BentoStats.")
    return loaded


def _yaml(window: WindowSpec) -> str:
    """The window as `defs.yaml` has it, at its depth there."""
    return f"    window:\n      zone: {window.zone}\n      end: {window.end}\n      format: {window.format}"
