"""`analytics-assets resume`: ends the pause that a vendor's Retry-After has put on the requests of an account.

Status: 0 requests may be sent, 2 there is no such account.
"""

import argparse
from pathlib import Path
from typing import Any

from analytics_assets.cli.accounts import RefusedError, accounts, component
from analytics_assets.clock import Clock
from analytics_assets.orchestration.diagnostics import Diagnosable
from analytics_assets.settings import settings


def add(subparsers: Any) -> None:
    """Adds the command's parser."""
    resuming = subparsers.add_parser(
        "resume",
        help="end the pause that a vendor's Retry-After has put on an account",
        description="Ends the pause that a vendor's Retry-After has put on the requests of an account, for every process and every account that "
        "shares its budget. `analytics-assets doctor` shows the pauses.",
    )
    resuming.add_argument("account", metavar="ACCOUNT", help="its folder under defs/")
    resuming.set_defaults(carry_out=_resume)


def _resume(arguments: argparse.Namespace, defs: Path, clock: Clock) -> int:
    name, current = arguments.account, settings()
    loaded = component(defs / name, option="resume")
    diagnostics = loaded.diagnostics().account if isinstance(loaded, Diagnosable) else None
    if diagnostics is None:
        raise RefusedError(f"resume {name}: it sends no requests. Accounts: {', '.join(accounts(defs))}.")
    if not current.budget_on:
        print(f"{name}: budgets are off in {current.mode} mode as set here; no pause is kept.")
        return 0
    pause = diagnostics.resource.rate_limiter(clock=clock).resume()
    if pause is None:
        print(f"{name}: requests are not paused.")
    else:
        print(
            f"{name}: the pause until {pause.until:%Y-%m-%d %H:%M:%S} UTC has ended ({pause.reason}). Processes that wait go on within a minute."
        )
    return 0
