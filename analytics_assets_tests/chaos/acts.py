"""The acts: a lake that nothing disturbed, a storm over another one, and what is promised of it. `__main__.py` and the test play them."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random

import dagster as dg

from analytics_assets.dates import spans
from analytics_assets.orchestration.partitions import daily_partitions, end_of_utc_day
from analytics_assets.sandbox.options import Options
from analytics_assets.settings import settings
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.chaos.promises import asked_again, differing, most_tasks, posted_twice
from analytics_assets_tests.chaos.storm import DAYS_PER_TASK, Storm, Watch, accounts
from analytics_assets_tests.chaos.weather import Weather
from analytics_assets_tests.integration.daemon import Project, made_project
from analytics_assets_tests.integration.running import days_from
from analytics_assets_tests.integration.server import POST_REPORT, sandbox_server

FIRST_DAY = date(2025, 6, 1)
REPORTS = ("revenue", "users")
# The business stands still from here on, so that both lakes are told the same numbers whenever they ask.
UNTIL = datetime(2026, 3, 1, tzinfo=UTC)
_UNDISTURBED_S = 300.0


@dataclass(frozen=True)
class Outcome:
    """What an act came to.

    Attributes:
        figures: In one line.
        broken: The promises that were not kept.
    """

    figures: str
    broken: Sequence[str]


def storm_over(
    root: Path,
    *,
    days: int,
    kills: int,
    kinds: Sequence[str],
    fail_every: int,
    seed: int,
    longest_s: float,
    say: Callable[[str], None],
    longest_runs: bool = False,
) -> Outcome:
    """A backfill of all accounts, killed so often, beside the same days undisturbed.

    Args:
        root: An empty folder for lakes, state, project and instance.
        days: How many.
        kills: How many.
        kinds: What is killed, in turn: `run`, `code server`, `daemon`.
        fail_every: Every n-th report task fails; 0 is none.
        seed: Of the business and of the kills.
        longest_s: Bound of the storm.
        say: Told what happens.
        longest_runs: Whether each account lands all its days in one run, which costs fewer processes.
    """
    wanted = days_from(FIRST_DAY, days)
    quiet, lake, state = root / "undisturbed", root / "lake", f"sqlite:///{root}/state.db"
    with sandbox_server(Options(seed=seed, until=UNTIL, task_seconds=0.0)) as sandbox:
        project = made_project(
            root / "project",
            accounts(longest_runs=longest_runs),
            environment(sandbox.url, quiet, f"sqlite:///{root}/q.db"),
        )
        undisturbed(project, wanted, lake)
    tables = [table for table in tables_of(quiet) if table not in tables_of(lake)]
    say(f"the undisturbed lake has {len(tables)} daily tables")
    stormy = Options(seed=seed, until=UNTIL, task_seconds=2.0, latency_s=0.2, fail_every=fail_every)
    with sandbox_server(stormy) as sandbox:
        project = replace(project, environment={**project.environment, **environment(sandbox.url, lake, state)})
        weather = Weather(project, Ledger(state), tables, wanted, say)
        storm = Storm(project, weather, kinds, kills, Random(seed))
        watch = Watch(lake)
        with watch.watching():
            storm.rage(longest_s)
        counts, log = sandbox.counts(), sandbox.log()
    planned = len(REPORTS) * len(list(spans(wanted, longest=DAYS_PER_TASK)))
    most = most_tasks(planned, fail_every=fail_every, kills=len(storm.killed))
    posted = counts[POST_REPORT]
    with project.instance() as instance:
        runs = instance.get_runs_count()
        broken = [
            *differing(quiet, lake, tables, wanted),
            *asked_again(log, watch.seen),
            *posted_twice(weather.ledger, REPORTS, wanted, kills=len(storm.killed)),
            *([f"{posted} report tasks were requested, {most} at most were due"] if posted > most else []),
            *([f"only {len(storm.killed)} of {kills} kills found a victim"] if len(storm.killed) < kills else []),
            *not_green(instance, tables, wanted),
        ]
    killed = ", ".join(f"{storm.killed.count(kind)} {kind}" for kind in sorted(set(storm.killed)))
    figures = (
        f"{days} days of {len(tables)} tables, {kills} kills ({killed or 'none'}), {runs} runs, {posted} report tasks "
        f"({planned} planned, {most} at most), {sum(counts.values())} requests, {weather.continued} times re-executed by hand, "
        f"{storm.seconds:.0f} s"
    )
    return Outcome(figures, broken)


def environment(url: str, lake: Path, state: str) -> dict[str, str]:
    """What points a project to a sandbox, a lake and a state database."""
    return {"ANALYTICS_SANDBOX_URL": url, "ANALYTICS_LAKE": str(lake), "ANALYTICS_STATE": state}


def undisturbed(project: Project, days: Sequence[date], copy: Path) -> None:
    """Fills the lake of a project as nothing goes wrong, and copies it to `copy` as it is after the snapshots."""
    program = "analytics_assets_tests.chaos.undisturbed"
    done = subprocess.run(
        [sys.executable, "-m", program, f"{days[0]}", f"{days[-1]}", str(copy)],
        cwd=project.root,
        env=dict(project.environment),
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_UNDISTURBED_S,
    )
    if done.returncode:
        raise RuntimeError(f"the undisturbed lake was not filled:\n{done.stdout[-4000:]}")


def tables_of(lake: Path) -> list[str]:
    """The tables of a lake, as `account/table`."""
    return sorted({"/".join(file.parts[-4:-2]) for file in lake.glob("*/*/dt=*/data.parquet")})


def not_green(instance: dg.DagsterInstance, tables: Sequence[str], days: Sequence[date]) -> list[str]:
    """Days that the UI does not show as materialized."""
    partitions, names = daily_partitions(settings().start_date, end_of_utc_day), [day.isoformat() for day in days]
    found = []
    for table in tables:
        shown = instance.get_status_by_partition(dg.AssetKey(table.split("/")), names, partitions) or {}
        colours = {day: status.value if status else "missing" for day, status in shown.items()}
        found += [f"{table} {day} is {colour}" for day, colour in colours.items() if colour != "MATERIALIZED"]
    return found
