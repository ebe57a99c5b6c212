"""`analytics-assets plan`: says what a range of days will cost, and asks nothing. The arithmetic is `analytics_assets.orchestration.backfill_plan`."""

import argparse
from pathlib import Path
from typing import Any

import dagster as dg

from analytics_assets.cli.accounts import RefusedError, accounts, component, day, write_json
from analytics_assets.clock import Clock
from analytics_assets.orchestration.backfill_plan import AccountPlan, planned
from analytics_assets.orchestration.comparisons import Comparisons
from analytics_assets.orchestration.source_component import AccountComponent
from analytics_assets.settings import settings


def add(subparsers: Any) -> None:
    """Adds the command's parser."""
    planning = subparsers.add_parser(
        "plan",
        help="what a range of days will cost",
        description="Says how many requests, report tasks and runs a backfill takes, which days are refused and why, and how long the budgets "
        "make it last. Nothing is asked.",
    )
    planning.add_argument(
        "--from", dest="first", type=day, required=True, metavar="DAY", help="first day, as 2026-03-01"
    )
    planning.add_argument("--to", dest="last", type=day, required=True, metavar="DAY", help="last day, itself included")
    planning.add_argument("--select", metavar="ACCOUNT,...", help="folders under defs/; all by default")
    planning.add_argument("--json", type=Path, metavar="FILE", help="where the plan is also written to, for programs")
    planning.set_defaults(carry_out=_plan)


def account_plan(loaded: dg.Component, account: str, *, option: str) -> AccountPlan:
    """What an account requests.

    Raises:
        RefusedError: The component loads no days.
    """
    if not isinstance(loaded, AccountComponent):
        raise RefusedError(f"{option} {account}: a {type(loaded).__name__} has no plan.")
    return loaded.plan(account)


def _plan(arguments: argparse.Namespace, defs: Path, clock: Clock) -> int:
    if arguments.last < arguments.first:
        raise RefusedError(f"--to {arguments.last} is before --from {arguments.first}.")
    names = arguments.select.split(",") if arguments.select else accounts(defs)
    plans: dict[str, AccountPlan] = {}
    for account in dict.fromkeys(names):
        if "/" in account:
            raise RefusedError(
                f"--select {account}: a plan is of whole accounts. Use --select {account.partition('/')[0]}, or leave it out."
            )
        loaded = component(defs / account, option="--select")
        if isinstance(loaded, Comparisons) and not arguments.select:
            # They ask nobody for anything.
            continue
        plans[account] = account_plan(loaded, account, option="--select")
    current = settings()
    plan = planned(plans, arguments.first, arguments.last, start=current.start_date, now=clock())
    print("\n".join(plan.lines()))
    if not current.budget_on:
        print(f"In {current.mode} mode as set here, budgets are off: nothing waits.")
    if arguments.json is not None:
        write_json(arguments.json, plan.as_json())
    return 0
