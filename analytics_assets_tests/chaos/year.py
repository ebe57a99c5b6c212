"""A year of all daily tables as the UI backfills it: shipped accounts, real daemon, and a plan written before it starts.

The plan is compared with what the vendors counted, endpoint by endpoint; where it says at least, with at least that.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import dagster as dg

from analytics_assets.sandbox.options import Options
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.chaos.acts import (
    FIRST_DAY,
    UNTIL,
    Outcome,
    environment,
    not_green,
    tables_of,
    undisturbed,
)
from analytics_assets_tests.chaos.storm import Storm, shipped
from analytics_assets_tests.chaos.weather import Weather
from analytics_assets_tests.integration.daemon import Project, made_project
from analytics_assets_tests.integration.running import days_from
from analytics_assets_tests.integration.server import sandbox_server

_PLANNING_S = 60.0


def year_of(root: Path, *, days: int, seed: int, longest_s: float, say: Callable[[str], None]) -> Outcome:
    """Backfills so many days of all daily tables and compares what was planned with what was counted.

    Args:
        root: An empty folder for lake, state, project and instance.
        days: How many.
        seed: Of the business.
        longest_s: Bound of the backfill.
        say: Told what happens.
    """
    wanted = days_from(FIRST_DAY, days)
    first, lake, state = root / "first", root / "lake", f"sqlite:///{root}/state.db"
    with sandbox_server(Options(seed=seed, until=UNTIL, task_seconds=2.0)) as sandbox:
        project = made_project(root / "project", shipped(), environment(sandbox.url, first, f"sqlite:///{root}/f.db"))
        undisturbed(project, wanted[:1], lake)
        tables = [table for table in tables_of(first) if table not in tables_of(lake)]
        sandbox.forget()
        project = replace(project, environment={**project.environment, **environment(sandbox.url, lake, state)})
        plan = _planned(project, f"{wanted[0]}", f"{wanted[-1]}")
        say(f"planned: {plan['requests']}, runs {plan['runs']}")
        storm = Storm(project, Weather(project, Ledger(state), tables, wanted, say), (), 0, Random(seed))
        storm.rage(longest_s)
        counts, log = sandbox.counts(), sandbox.log()
    with project.instance() as instance:
        runs = _runs(instance)
        broken = [
            *_beside_plan(plan, counts),
            *_pages_twice(log),
            *([] if runs == plan["runs"] else [f"runs {runs}, planned {plan['runs']}"]),
            *not_green(instance, tables, wanted),
        ]
    told = ", ".join(f"{account} {number} runs" for account, number in sorted(runs.items()))
    spent = ", ".join(f"{number} {what}" for what, number in counts.items())
    return Outcome(f"{days} days of {len(tables)} tables: {told}; {spent}; {storm.seconds:.0f} s", broken)


def _planned(project: Project, first: str, last: str) -> dict[str, Any]:
    """What `analytics-assets plan` writes."""
    file = project.root / "plan.json"
    subprocess.run(
        [sys.executable, "-m", "analytics_assets", "plan", "--from", first, "--to", last, "--json", str(file)],
        cwd=project.root,
        env=dict(project.environment),
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=_PLANNING_S,
    )
    plan: dict[str, Any] = json.loads(file.read_text())
    return plan


def _beside_plan(plan: Mapping[str, Any], counts: Mapping[str, int]) -> list[str]:
    """Endpoints that were not asked as often as planned; how often a task is looked at, and pages of responses, only add to it."""
    found = []
    planned = {
        # The sandbox spells the app's place in the path in its own way.
        f"{account} {endpoint}".replace("{app_name}", "{app}"): (number, account in plan["at_least"])
        for account, requests in plan["requests"].items()
        for endpoint, number in requests.items()
    }
    for what in sorted(planned.keys() | counts.keys()):
        number, is_least = planned.get(what, (0, False))
        counted = counts.get(what, 0)
        is_exact = not is_least or " POST " in what
        if counted < number or (is_exact and counted != number):
            found.append(f"{what}: {counted} counted, {number} planned")
    return found


def _pages_twice(log: Sequence[Mapping[str, Any]]) -> list[str]:
    """Pages of reports that were requested more than once; a look at a task requests one row."""
    pages = Counter(
        f"{entry['path']}?{entry['query']}"
        for entry in log
        if entry["vendor"] == "airbridge" and "/query/" in entry["path"] and "size=1" not in entry["query"].split("&")
    )
    return [f"{number} times {page[-60:]}" for page, number in pages.items() if number > 1]


def _runs(instance: dg.DagsterInstance) -> dict[str, int]:
    """Runs by account."""
    found: Counter[str] = Counter()
    for run in instance.get_runs():
        accounts = {key.path[0] for key in run.asset_selection or ()}
        found["+".join(sorted(accounts))] += 1
    return dict(found)
