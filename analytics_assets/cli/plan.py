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


def account_plan(found: dg.Component, account: str, *, option: str) -> AccountPlan:
    """What an account requests.

    Raises:
        RefusedError: The component loads no days.
    """
    if not isinstance(found, AccountComponent):
        raise RefusedError(f"{option} {account}: a {type(found).__name__} has no plan.")
    return found.plan(account)


def _plan(chosen: argparse.Namespace, defs: Path, clock: Clock) -> int:
    if chosen.last < chosen.first:
        raise RefusedError(f"--to {chosen.last} is before --from {chosen.first}.")
    names = chosen.select.split(",") if chosen.select else accounts(defs)
    asked: dict[str, AccountPlan] = {}
    for account in dict.fromkeys(names):
        if "/" in account:
            raise RefusedError(
                f"--select {account}: a plan is of whole accounts. Use --select {account.partition('/')[0]}, or leave it out."
            )
        found = component(defs / account, option="--select")
        if isinstance(found, Comparisons) and not chosen.select:
            # They ask nobody for anything.
            continue
        asked[account] = account_plan(found, account, option="--select")
    here = settings()
    plan = planned(asked, chosen.first, chosen.last, start=here.start_date, now=clock())
    print("\n".join(plan.lines()))
    if not here.budget_on:
        print(f"In {here.mode} mode as set here, budgets are off: nothing waits.")
    if chosen.json is not None:
        write_json(chosen.json, plan.as_json())
    return 0
