"""`make demo`: the whole main job in a minute or two, against the sandbox, through a real Dagster instance with its daemon and sensor.

It starts the simulated vendors as a server and `dg dev`, requests the snapshots and for the last 8 weeks of every account through the
API that the UI uses, shows what is stored, waits for the sensor to see failed report tasks through, and ends everything it started.
The history stays in data/dagster/sandbox and the tables in data/sandbox, so `make dev` shows what happened here.
"""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pyarrow.parquet as pq

from analytics_assets.cli.graphql import GraphQL, Load
from analytics_assets.clock import utc_now
from analytics_assets.dates import in_words
from analytics_assets.errors import SourceError
from analytics_assets.growth.assets import DATABASE, PAGE, READING, database_path, page_path, table_path
from analytics_assets.lake.reader import LakeReader, StoredDay
from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets.orchestration.loading import whole
from analytics_assets.orchestration.partitions import DAILY_TAG, SNAPSHOT_TAG
from analytics_assets.orchestration.source_resource import without_sandbox
from analytics_assets.settings import VARIABLES, settings
from analytics_assets.state.report_ledger import Ledger

DEFS = Path(__file__).parents[1] / "defs"
# Eight weeks, so that the growth page has weeks that reached day 30.
DAYS = 56
PATIENCE_S = 150.0
LOG = Path("data/demo.log")
_AGAIN = "make demo"
# What would make `make dev` open another history than that of the demo.
_CHOOSE_A_HISTORY = ("ANALYTICS_MODE", "ANALYTICS_LAKE", "ANALYTICS_STATE", "DAGSTER_HOME")
_INTERRUPTED = 130
_ENDED = {"SUCCESS", "FAILURE", "CANCELED"}
# The second report task fails on purpose, so that the sensor has something to see through.
_SANDBOX = ("--port", "0", "--task-seconds", "3", "--fail-every", "2")
_ASKED = "airbridge"
_QUESTION = "Which channel earned back its cost, among the people who installed in these days?"
_ANSWER = """
    select channel, sum(users) as users, sum(cost)::decimal(18, 2) as cost, sum(revenue)::decimal(18, 2) as revenue,
           any_value(currency) as currency,
           case when sum(cost) > 0 then round(100 * sum(revenue) / sum(cost))::int end as percent_earned_back
    from read_parquet('{lake}/airbridge/revenue_cohort_totals/*/data.parquet', hive_partitioning = false)
    where date between '{first}' and '{last}'
    group by channel order by percent_earned_back desc nulls last, revenue desc
"""


def main() -> int:
    """Runs the demo; 0 if every table is there."""
    began = time.monotonic()
    # A shell that starts this in the background has interrupts ignored, and Dagster would pass that on to the end signal.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return _demonstrate(began)
    except KeyboardInterrupt:
        print(
            f"Stopped: Dagster and the sandbox have ended. What is stored stays; `{_AGAIN}` starts over.",
            file=sys.stderr,
        )
        return _INTERRUPTED


def next_step(environment: Mapping[str, str]) -> str:
    """How to open the demo's history from the terminal of a demo, whose variables the demo itself did not read."""
    changed = [name for name in _CHOOSE_A_HISTORY if environment.get(name)]
    without = f"env {' '.join(f'-u {name}' for name in changed)} " if changed else ""
    return f"Next: `{without}make dev` opens the UI on http://127.0.0.1:3000 with this history."


def _demonstrate(began: float) -> int:
    before, started_at = dict(os.environ), utc_now()
    with _log() as log, _sandbox(log) as url:
        _say(
            began,
            f"Sandbox ready at {url}: vendors are simulated, and every second report task fails on purpose.",
        )
        # Before the definitions are loaded, so that a terminal set up for live mode stays untouched by the demo.
        for name in VARIABLES:
            os.environ.pop(name, None)
        os.environ |= {
            "ANALYTICS_MODE": "sandbox",
            "ANALYTICS_SANDBOX_URL": url,
            "DAGSTER_DISABLE_TELEMETRY": "yes",
            # As `make dev` sets it.
            "DAGSTER_HOME": str(Path.cwd()),
            "DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR": "1",
        }
        check_lake()
        with _dagster(log) as graphql:
            _say(began, "Dagster ready: web server, daemon and sensor.")
            definitions = whole(DEFS)
            for account in without_sandbox(definitions):
                _say(began, f"{account} is left out: there is no sandbox of its vendor.")
            loads = _loads(definitions)
            _follow(
                began, graphql, {"snapshots": graphql.launch("snapshots", assets=tables(definitions, SNAPSHOT_TAG[1]))}
            )
            _follow(began, graphql, {load.job: graphql.launch(load.job, load) for load in loads})
            _wait_for_reports(began, graphql, [load.job.removesuffix("_daily") for load in loads])
            tasks = [key for key in tables(definitions, SNAPSHOT_TAG[1]) if key.path[-1].endswith("_tasks")]
            _follow(began, graphql, {"report tasks": graphql.launch("snapshots", assets=tasks)})
            # The sensor would start it within a minute; the demo does not wait for that.
            if growth := tables(definitions, READING[1]):
                job = f"{growth[0].path[0]}_tables"
                _follow(began, graphql, {job: graphql.launch(job, assets=growth)})
        _say(began, "Dagster and the sandbox have ended.")
    missing = _show(definitions, loads, since=started_at)
    for line in missing:
        print(f"MISSING: {line}")
    if missing:
        print(f"What Dagster and the sandbox said is in {LOG}.")
    else:
        print(next_step(before))
        print(f"Tables for BI tools: duckdb -readonly {os.path.relpath(database_path(LakeResource().located()))}")
        print(f"Growth page: open {os.path.relpath(page_path(LakeResource().located()))} in a browser.")
    return 1 if missing else 0


def check_lake() -> None:
    """Ends the demo where the sandbox's state database knows a lake that is not there: each of its runs would fail."""
    try:
        LakeResource().open()
    except SourceError as error:
        raise SystemExit(f"{error}\n`make clean` removes all local data; then the demo starts anew.") from None


@contextmanager
def _log() -> Iterator[Any]:
    """The file for what the processes say. They hold it too, so that two demos never write to one lake and one history."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("a") as log:
        try:
            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SystemExit(
                f"Another demo is at work in {Path.cwd()}: wait for its end or stop it, then `{_AGAIN}` again."
            ) from None
        log.truncate(0)
        yield log


@contextmanager
def _sandbox(log: Any) -> Iterator[str]:
    # The vendors' clock begins late on the present day and nothing happens after it: a second demo reads exactly the same numbers.
    late = utc_now().replace(hour=23, minute=30, second=0, microsecond=0).isoformat()
    command = [sys.executable, "-m", "analytics_assets.sandbox", *_SANDBOX, "--now", late, "--until", late]
    with _process(command, stdout=subprocess.PIPE, stderr=log) as server:
        assert server.stdout is not None
        reply = server.stdout.readline().decode().split()
        if not reply:
            raise SystemExit(f"The sandbox did not start; see {LOG}.")
        yield reply[-1]


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


def _loads(definitions: dg.Definitions) -> list[Load]:
    """The last days that each daily schedule would request now."""
    loads = []
    names = {f"{key.path[0]}_daily" for key in tables(definitions, DAILY_TAG[1])}
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
    printed: dict[str, tuple[str, int]] = {}
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and {printed.get(name, ("", 0))[0] for name in runs} - _ENDED:
        for name, run_id in runs.items():
            run = graphql.run(run_id)
            if printed.get(name) != run:
                printed[name] = run
                _say(began, f"{name:<16} {run[0].lower():<10} {run[1]:>4} tables of a day are stored")
        time.sleep(1.0)


def _wait_for_reports(began: float, graphql: GraphQL, accounts: Sequence[str]) -> None:
    """Says what the sensor does about report tasks until all are stored."""
    ledger, printed = Ledger(settings().state), ""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        opened = [request for account in accounts for request in ledger.open_requests(account)]
        text = "; ".join(
            f"{request.report} {in_words(request.days_left)}: task {request.attempts} {request.state}"
            for request in opened
        )
        if text != printed:
            _say(began, f"report tasks     {text or 'all are stored'}")
            printed = text
        if not opened and not graphql.unfinished():
            return
        time.sleep(1.0)


def tables(definitions: dg.Definitions, reading: str) -> list[dg.AssetKey]:
    """The assets that the demo loads daily, or as snapshots."""
    left_out = without_sandbox(definitions)
    keys = [spec.key for spec in definitions.resolve_all_asset_specs() if spec.tags.get(SNAPSHOT_TAG[0]) == reading]
    return sorted((key for key in keys if key.path[0] not in left_out), key=lambda key: tuple(key.path))


def _show(definitions: dg.Definitions, loads: Sequence[Load], *, since: datetime) -> list[str]:
    """Prints the tables of the lake, and the response to a question; returns what this demo, begun at `since`, did not load."""
    lake, missing = LakeResource().located(), []
    load_of = {load.job.removesuffix("_daily"): load for load in loads}
    print(f"\n{'table':<34}{'days':>6}{'rows':>9}{'bytes':>11}")
    for reading in ("daily", SNAPSHOT_TAG[1]):
        for key in tables(definitions, reading):
            account, table = key.path
            load = load_of[account]
            days = [
                day
                for day in lake.days(account, table)
                if reading != "daily" or load.first <= day.isoformat() <= load.last
            ]
            stored = [
                stored_day
                for stored_day in (lake.stored_day(account, table, day) for day in days)
                if stored_day is not None
            ]
            rows = sum(stored_day.rows for stored_day in stored)
            print(
                f"{key.to_user_string():<34}{len(stored):>6}{rows:>9}{sum(stored_day.size for stored_day in stored):>11}"
            )
            # What later readings changed is nothing at first.
            is_empty = not rows and not table.endswith("_restatements")
            if len(stored) < (DAYS if reading == "daily" else 1) or is_empty:
                missing.append(f"{key.to_user_string()} has {len(stored)} days with {rows} rows")
            elif old := stale_days(lake, stored, since=since):
                missing.append(f"{key.to_user_string()} has {old} days that an earlier demo requested")
    missing += _show_growth(definitions, lake)
    print(f"\nThe lake is {os.path.relpath(lake.root)}; these numbers are the sandbox's.")
    if not missing and (report_load := load_of.get(_ASKED)):
        print(f"\n{_QUESTION}")
        print(duckdb.sql(_ANSWER.format(lake=lake.root, first=report_load.first, last=report_load.last)))
    return missing


def _show_growth(definitions: dg.Definitions, lake: LakeReader) -> list[str]:
    """Prints the growth tables; returns what is not stored of them and the page."""
    missing, paths = [], {PAGE: page_path(lake), DATABASE: database_path(lake)}
    for key in tables(definitions, READING[1]):
        name = key.path[-1]
        path = paths.get(name) or table_path(lake, name)
        if lake.files.mark(path) is None:
            missing.append(f"{key.to_user_string()} is not stored")
        elif name not in paths:
            with lake.files.opened(path) as file:
                rows = pq.read_metadata(file).num_rows
            print(f"{key.to_user_string():<34}{'':>6}{rows:>9}{lake.files.listed_file(path).size:>11}")
    return missing


def stale_days(lake: LakeReader, stored: Sequence[StoredDay], *, since: datetime) -> int:
    """How many raw days were last requested before `since`; typed days carry no instant."""
    raw = [
        stored_day.footer
        for stored_day in stored
        if stored_day.footer.day is not None and stored_day.footer.requested_at is not None
    ]
    last = (
        lake.last_request(stored_day.account, stored_day.table, stored_day.day, stored_day).requested_at
        for stored_day in raw
        if stored_day.day is not None
    )
    return sum(requested_at is not None and requested_at < since for requested_at in last)


def _say(began: float, text: str) -> None:
    print(f"{time.monotonic() - began:5.0f} s  {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
