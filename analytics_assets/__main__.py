"""The command line, `analytics-assets`: what a person asks once, outside of Dagster's runs.

`analytics-assets calibrate bento` finds out how Bento reads dates and prints the lines for the account's `defs.yaml`.
`analytics-assets plan` says what a range of days will cost and asks nothing. `analytics-assets alerts test` sends a message to every
destination of the alerts and says whether it arrived. Modes, addresses and
keys are those of the runs: the sandbox unless ANALYTICS_MODE is live. Answers go to stdout, what went wrong to stderr.
Status: 0 found or arrived, 1 open (the words say what to try), 2 not asked or refused.
Keep decisions out of here; this module reads arguments, opens the account and prints.
"""

import argparse
import asyncio
import json
import re
import sys
import warnings
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import dagster as dg

from analytics_assets.alerts.cause import SUCCESS
from analytics_assets.alerts.component import Alerts
from analytics_assets.alerts.delivery import send
from analytics_assets.clock import Clock, utc_now
from analytics_assets.comparisons import Comparisons
from analytics_assets.errors import SourceError
from analytics_assets.plan import AccountPlan, planned
from analytics_assets.settings import settings
from analytics_assets.sources.airbridge.component import AirbridgeRevenue
from analytics_assets.sources.bento.calibration import Finding, calibrate, newest_day
from analytics_assets.sources.bento.component import BentoStats
from analytics_assets.sources.bento.resource import BentoResource
from analytics_assets.sources.bento.streams import WindowSpec
from analytics_assets.sources.statsig.component import StatsigMetrics
from analytics_assets.state.budget import Caller
from analytics_assets.state.outbox import Message

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
        status: int = chosen.carry_out(chosen, defs, clock)
    except (_RefusedError, SourceError) as error:
        print(f"analytics-assets: {error}", file=sys.stderr)
        return 2
    return status


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
    bento.set_defaults(carry_out=lambda chosen, defs, clock: _calibrate(defs / chosen.account, chosen.day, clock))
    planning = commands.add_parser(
        "plan",
        help="what a range of days will cost",
        description="Says how many requests, report tasks and runs a backfill takes, which days are refused and why, and how long the budgets "
        "make it last. Nothing is asked.",
    )
    planning.add_argument(
        "--from", dest="first", type=_day, required=True, metavar="DAY", help="first day, as 2026-03-01"
    )
    planning.add_argument(
        "--to", dest="last", type=_day, required=True, metavar="DAY", help="last day, itself included"
    )
    planning.add_argument("--select", metavar="ACCOUNT,...", help="folders under defs/; all by default")
    planning.add_argument("--json", type=Path, metavar="FILE", help="where the plan is also written to, for programs")
    planning.set_defaults(carry_out=_plan)
    alerting = commands.add_parser("alerts", help="try where alerts go")
    testing = alerting.add_subparsers(title="what to do", required=True, metavar="WHAT").add_parser(
        "test",
        help="send a message to every destination",
        description="Sends one message to every destination, and says which took it.",
    )
    testing.set_defaults(carry_out=lambda _chosen, defs, _clock: _test_alerts(defs))
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


def _plan(chosen: argparse.Namespace, defs: Path, clock: Clock) -> int:
    if chosen.last < chosen.first:
        raise _RefusedError(f"--to {chosen.last} is before --from {chosen.first}.")
    accounts = chosen.select.split(",") if chosen.select else _accounts(defs)
    asked: dict[str, AccountPlan] = {}
    for account in dict.fromkeys(accounts):
        component = _component(defs / account, option="--select")
        if isinstance(component, Comparisons) and not chosen.select:
            # They ask nobody for anything.
            continue
        if not isinstance(component, BentoStats | StatsigMetrics | AirbridgeRevenue):
            raise _RefusedError(f"--select {account}: a {type(component).__name__} has no plan.")
        asked[account] = component.plan(account)
    here = settings()
    plan = planned(asked, chosen.first, chosen.last, start=here.start_date, zone=here.timezone, now=clock())
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(plan.as_json(), indent=2) + "\n")
    print("\n".join(plan.lines()))
    if not here.budget_on:
        print(f"In {here.mode} mode as set here, budgets are off: nothing waits.")
    return 0


def _test_alerts(defs: Path) -> int:
    loaded = (_component(defs / name, option="alerts") for name in _folders(defs) if _is_alerts(defs / name))
    names = [name for component in loaded if isinstance(component, Alerts) for name in component.destinations]
    if not names:
        raise _RefusedError("no destination is configured: name one under `destinations` in defs/alerts/defs.yaml.")
    words = "This is a test. Alerts arrive here: failed runs, report tasks in trouble, failed checks and late days."
    message = Message(f"analytics_assets ({settings().mode}): alerts arrive here", words, SUCCESS)
    troubles = {name: send(name, message) for name in names}
    for name, trouble in troubles.items():
        print(f"{name}: {'arrived.' if trouble is None else f'did not arrive. {trouble}'}")
    return int(any(troubles.values()))


async def _found(resource: BentoResource, day: date, clock: Clock) -> Finding:
    waiting = Caller(say=lambda words: print(words, file=sys.stderr, flush=True))
    async with resource.open(clock=clock, caller=waiting) as client:
        return await calibrate(client, day=day, clock=clock)


def _bento_account(folder: Path) -> BentoStats:
    component = _component(folder, option="--account")
    if not isinstance(component, BentoStats):
        raise _RefusedError(f"--account {folder.name}: defs/{folder.name}/defs.yaml is no analytics_assets.BentoStats.")
    return component


def _accounts(defs: Path) -> list[str]:
    return [name for name in _folders(defs) if not _is_alerts(defs / name)]


def _folders(defs: Path) -> list[str]:
    return sorted(path.parent.name for path in defs.glob("*/defs.yaml"))


def _is_alerts(folder: Path) -> bool:
    """Whether the folder is no account but says where alerts go; its YAML need not be one that loads."""
    named = rf"^type: *['\"]?{__package__}\.{Alerts.__name__}['\"]? *(?:#.*)?$"
    return re.search(named, (folder / "defs.yaml").read_text(), re.MULTILINE) is not None


def _component(folder: Path, *, option: str) -> dg.Component:
    """The component of an account, as Dagster loads it."""
    account, defs = folder.name, folder.parent
    if account not in _folders(defs):
        raise _RefusedError(
            f"{option} {account}: there is no such folder with a defs.yaml. There are: {', '.join(_accounts(defs))}."
        )
    try:
        with warnings.catch_warnings():
            # Dagster's own, which are no affair of the person who asks.
            warnings.simplefilter("ignore")
            return dg.ComponentTree.for_project(defs).load_component(account)
    except Exception as error:  # Dagster has no class for a YAML it cannot load
        raise _RefusedError(
            f"defs/{account}/defs.yaml cannot be loaded: {error}\n{error.__cause__ or ''}".rstrip()
        ) from error


def _yaml(window: WindowSpec) -> str:
    """The window as `defs.yaml` has it, at its depth there."""
    return f"    window:\n      zone: {window.zone}\n      end: {window.end}\n      format: {window.format}"


if __name__ == "__main__":
    sys.exit(main())
