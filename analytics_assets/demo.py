"""`make demo`: the whole main job in a minute or two, against the sandbox, through a real Dagster instance with its daemon and sensor.

It starts the simulated vendors as a server and `dg dev`, asks for the snapshots and for the last 7 final days of every account through the
API that the UI uses, shows what lands, waits for the sensor to see failed report tasks through, and ends everything it started.
The history stays in data/dagster and the tables in data/sandbox, so `make dev` shows what happened here. Keep tests out of here.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import httpx

from analytics_assets.clock import utc_now
from analytics_assets.lake.resource import LakeResource
from analytics_assets.lake.store import Lake
from analytics_assets.partitions import DAILY_TAG, SNAPSHOT_TAG
from analytics_assets.settings import settings
from analytics_assets.spans import in_words
from analytics_assets.state.ledger import Ledger

DAYS = 7
PATIENCE_S = 150.0
LOG = Path("data/demo.log")
_ENDED = {"SUCCESS", "FAILURE", "CANCELED"}
# The second report task fails on purpose, so that the sensor has something to see through.
_SANDBOX = ("--port", "0", "--task-seconds", "3", "--fail-every", "2")
_QUESTION = "Which channel earned back its cost, among the people who installed in these days?"
_ANSWER = """
    select channel, sum(users) as users, sum(cost)::decimal(18, 2) as cost, sum(revenue)::decimal(18, 2) as revenue,
           any_value(currency) as currency,
           case when sum(cost) > 0 then round(100 * sum(revenue) / sum(cost))::int end as percent_earned_back
    from read_parquet('{lake}/airbridge/revenue_cohort_totals/*/data.parquet', hive_partitioning = false)
    where date between '{first}' and '{last}'
    group by channel order by percent_earned_back desc nulls last, revenue desc
"""


@dataclass(frozen=True)
class Load:
    """The days of one account's daily job."""

    job: str
    first: str
    last: str


def main() -> int:
    """Runs the demo; 0 if every table is there."""
    began = time.monotonic()
    # A shell that starts this in the background has interrupts ignored, and Dagster would pass that on to the end signal.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("w") as log, _sandbox(log) as url:
        _say(
            began,
            f"Sandbox ready at {url}: Bento, Statsig and Airbridge, simulated; every second report task fails on purpose.",
        )
        # Before the definitions are loaded, so that a terminal set up for live mode stays untouched by the demo.
        for name in ("ANALYTICS_LAKE", "ANALYTICS_STATE", "DAGSTER_HOME"):
            os.environ.pop(name, None)
        os.environ |= {"ANALYTICS_MODE": "sandbox", "ANALYTICS_SANDBOX_URL": url, "DAGSTER_DISABLE_TELEMETRY": "yes"}
        with _dagster(log) as graphql:
            _say(began, "Dagster ready: web server, daemon and sensor.")
            definitions = _definitions()
            loads = _loads(definitions)
            _follow(began, graphql, {"snapshots": graphql.launch("snapshots")})
            _follow(began, graphql, {load.job: graphql.launch(load.job, load) for load in loads})
            _wait_for_reports(began, graphql)
            tasks = [key for key in _tables(definitions, SNAPSHOT_TAG[1]) if key.path[-1].endswith("_tasks")]
            _follow(began, graphql, {"report tasks": graphql.launch("snapshots", assets=tasks)})
        _say(began, "Dagster and the sandbox have ended.")
    missing = _show(definitions, loads)
    for line in missing:
        print(f"MISSING: {line}")
    if missing:
        print(f"What Dagster and the sandbox said is in {LOG}.")
    else:
        print("Next: `make dev` opens the UI on http://127.0.0.1:3000 with this history.")
    return 1 if missing else 0


class GraphQL:
    """The API that Dagster's UI uses."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=30.0, trust_env=False)

    def is_ready(self) -> bool:
        """Whether the definitions are loaded."""
        try:
            asked = self.ask(
                "{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError { __typename } } } } }"
            )
        except (httpx.HTTPError, RuntimeError):
            return False
        entries = asked["workspaceOrError"].get("locationEntries", [])
        return bool(entries) and all(
            (entry["locationOrLoadError"] or {}).get("__typename") == "RepositoryLocation" for entry in entries
        )

    def launch(self, job: str, load: Load | None = None, assets: Sequence[dg.AssetKey] | None = None) -> str:
        """Queues a run of a job, for a range of days or some of its assets; returns its id."""
        days = {} if load is None else {"start": load.first, "end": load.last}
        asked = self.ask(
            "mutation ($run: ExecutionParams!) { launchRun(executionParams: $run) "
            "{ __typename ... on LaunchRunSuccess { run { runId } } ... on Error { message } } }",
            run={
                "selector": {
                    "repositoryLocationName": "analytics_assets",
                    "repositoryName": "__repository__",
                    "jobName": job,
                    "assetSelection": None if assets is None else [{"path": key.path} for key in assets],
                },
                "mode": "default",
                "executionMetadata": {
                    "tags": [{"key": f"dagster/asset_partition_range_{end}", "value": day} for end, day in days.items()]
                },
            },
        )["launchRun"]
        if asked["__typename"] != "LaunchRunSuccess":
            raise RuntimeError(f"Dagster did not take the run of {job}: {asked.get('message', asked)}")
        return str(asked["run"]["runId"])

    def run(self, run_id: str) -> tuple[str, int]:
        """Status of a run, and how many tables have landed in it so far, a day of a table counted once."""
        asked = self.ask(
            "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status assetMaterializations { partition } } } }",
            id=run_id,
        )["runOrError"]
        return asked["status"], len(asked["assetMaterializations"])

    def unfinished(self) -> int:
        """Runs that are queued or at work."""
        asked = self.ask(
            "{ runsOrError(filter: { statuses: [QUEUED, NOT_STARTED, STARTING, STARTED] }) { ... on Runs { results { runId } } } }"
        )
        return len(asked["runsOrError"]["results"])

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of an answer; what is refused is raised."""
        answer = self._http.post("/graphql", json={"query": query, "variables": variables})
        answer.raise_for_status()
        body = answer.json()
        if body.get("errors"):
            raise RuntimeError(body["errors"][0]["message"])
        return body["data"]


@contextmanager
def _sandbox(log: Any) -> Iterator[str]:
    # The vendors' clock begins late on the present day and nothing happens after it: a second demo reads exactly the same numbers.
    late = utc_now().replace(hour=23, minute=30, second=0, microsecond=0).isoformat()
    command = [sys.executable, "-m", "analytics_assets.sandbox", *_SANDBOX, "--now", late, "--until", late]
    with _process(command, stdout=subprocess.PIPE, stderr=log) as server:
        assert server.stdout is not None
        url = server.stdout.readline().decode().split()[-1]
        yield url


@contextmanager
def _dagster(log: Any) -> Iterator[GraphQL]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("dg")), "dev", "--host", "127.0.0.1", "--port", str(port)]
    with _process(command, stdout=log, stderr=log) as services:
        graphql = GraphQL(f"http://127.0.0.1:{port}")
        until = time.monotonic() + PATIENCE_S
        while not graphql.is_ready():
            if services.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"Dagster did not start; see {LOG}.")
            time.sleep(0.5)
        yield graphql


@contextmanager
def _process(command: Sequence[str], *, stdout: Any, stderr: Any) -> Iterator["subprocess.Popen[bytes]"]:
    """A process in a group of its own, ended with all it has started."""
    with subprocess.Popen(  # noqa: S603 - our own commands
        command,
        stdout=stdout,
        stderr=stderr,
        process_group=0,
    ) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _definitions() -> dg.Definitions:
    from analytics_assets.definitions import defs  # noqa: PLC0415 - it reads the environment set above

    return defs()


def _loads(definitions: dg.Definitions) -> list[Load]:
    """The last days that each daily schedule would ask for now."""
    loads = []
    names = {f"{key.path[0]}_daily" for key in _tables(definitions, DAILY_TAG[1])}
    for schedule in definitions.schedules or []:
        if schedule.name not in names or not isinstance(schedule, dg.ScheduleDefinition):
            continue
        with dg.build_schedule_context(
            scheduled_execution_time=utc_now(), resources={"lake": LakeResource()}
        ) as context:
            tags: Mapping[str, str] = (schedule.evaluate_tick(context).run_requests or [])[0].tags
        last = datetime.fromisoformat(tags["dagster/asset_partition_range_end"]).date()
        loads.append(Load(schedule.name, (last - timedelta(days=DAYS - 1)).isoformat(), last.isoformat()))
    return loads


def _follow(began: float, graphql: GraphQL, runs: Mapping[str, str]) -> None:
    """Says how far runs are until all have ended."""
    said: dict[str, tuple[str, int]] = {}
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and {said.get(name, ("", 0))[0] for name in runs} - _ENDED:
        for name, run_id in runs.items():
            seen = graphql.run(run_id)
            if said.get(name) != seen:
                said[name] = seen
                _say(began, f"{name:<16} {seen[0].lower():<10} {seen[1]:>4} tables of a day have landed")
        time.sleep(1.0)


def _wait_for_reports(began: float, graphql: GraphQL) -> None:
    """Says what the sensor does about report tasks until all have landed."""
    ledger, said = Ledger(settings().state), ""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        opened = ledger.open_requests("airbridge")
        words = "; ".join(f"{one.report} {in_words(one.days_left)}: task {one.attempts} {one.state}" for one in opened)
        if words != said:
            _say(began, f"report tasks     {words or 'all have landed'}")
            said = words
        if not opened and not graphql.unfinished():
            return
        time.sleep(1.0)


def _tables(definitions: dg.Definitions, reading: str) -> list[dg.AssetKey]:
    """The assets that are read daily, or as snapshots."""
    specs = definitions.resolve_all_asset_specs()
    return sorted(
        (spec.key for spec in specs if spec.tags.get(SNAPSHOT_TAG[0]) == reading), key=lambda key: tuple(key.path)
    )


def _show(definitions: dg.Definitions, loads: Sequence[Load]) -> list[str]:
    """Prints what stands in the lake, and the answer to a question; returns what is missing."""
    lake, missing = Lake(settings().lake), []
    wanted = {load.job.removesuffix("_daily"): load for load in loads}
    print(f"\n{'table':<34}{'days':>6}{'rows':>9}{'bytes':>11}")
    for reading in ("daily", SNAPSHOT_TAG[1]):
        for key in _tables(definitions, reading):
            account, table = key.path
            load = wanted[account]
            days = [
                day
                for day in lake.days(account, table)
                if reading != "daily" or load.first <= day.isoformat() <= load.last
            ]
            landed = [one for one in (lake.landed(account, table, day) for day in days) if one is not None]
            rows = sum(one.rows for one in landed)
            print(f"{key.to_user_string():<34}{len(landed):>6}{rows:>9}{sum(one.size for one in landed):>11}")
            # What later readings changed is nothing at first.
            is_empty = not rows and not table.endswith("_restatements")
            if len(landed) < (DAYS if reading == "daily" else 1) or is_empty:
                missing.append(f"{key.to_user_string()} has {len(landed)} days with {rows} rows")
    print(f"\nThe lake is {os.path.relpath(lake.root)}; these numbers are the sandbox's.\n\n{_QUESTION}")
    if not missing:
        load = wanted["airbridge"]
        print(duckdb.sql(_ANSWER.format(lake=lake.root, first=load.first, last=load.last)))
    return missing


def _say(began: float, words: str) -> None:
    print(f"{time.monotonic() - began:5.0f} s  {words}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
