"""A deployment with all its parts, each of which can be taken away and given back, beside a lake that nothing disturbed.

What is done to it is the table of `faults.py`. The deployment is that of `production/test_deployment.py`: PostgreSQL, Redis, an S3 server (behind a
gate), code server, web server, daemon, two workers, over simulated vendors. Only numbers of the instance file are other than shipped.
"""

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg
import httpx
import pytest
from dagster import DagsterEventType

from analytics_assets.lake.files import Files
from analytics_assets.sandbox.app import create_app
from analytics_assets.sandbox.options import Options
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.chaos.acts import UNTIL, environment, tables_of, undisturbed
from analytics_assets_tests.chaos.rate_limiter import RateLimiter
from analytics_assets_tests.chaos.storm import shipped
from analytics_assets_tests.integration.daemon import made_project
from analytics_assets_tests.integration.server import Sandbox, sandbox_server, served
from analytics_assets_tests.prerequisites import skip_or_fail
from analytics_assets_tests.production.deployment import Deployment, deployed
from analytics_assets_tests.production.parts import Postgres, Redis, bucket_server, free_port, postgres, redis

WORKERS = ("first", "second")
LAKE = "s3://lake/analytics"
# As shipped, the monitoring asks every 60 seconds and gives a run 300 to start.
NUMBERS = {"poll_interval_seconds": 10, "start_timeout_seconds": 60}
_LATENCY_S = 0.4
_AT_WORK = re.compile(r"\(pid: (\d+)\)")


class Vendors:
    """The simulated vendors, which can be switched off; what they have counted stays."""

    def __init__(self, options: Options) -> None:
        self.port = free_port()
        self.sandbox = Sandbox(f"http://127.0.0.1:{self.port}")
        self._app = create_app(options)
        self._up = ExitStack()
        self.start()

    def start(self) -> None:
        """Switches them on, for the first time or again."""
        self._up.enter_context(served(self._app, port=self.port))

    def stop(self) -> None:
        """Nobody listens any more."""
        self._up.close()


@dataclass
class Scene:
    """All parts.

    Attributes:
        deployment: The processes of the Procfile.
        database: PostgreSQL.
        broker: Redis.
        bucket: The gate before the bucket.
        vendors: The simulated vendors.
        undisturbed: The lake of one machine with the same days.
        tables: The daily tables, as `account/table`.
    """

    deployment: Deployment
    database: Postgres
    broker: Redis
    bucket: RateLimiter
    vendors: Vendors
    undisturbed: Path
    tables: Sequence[str]

    @property
    def ledger(self) -> Ledger:
        """The ledger of report tasks."""
        return Ledger(self.deployment.environment["ANALYTICS_STATE"])

    def busy(self) -> str:
        """A worker that is at a run, or one that is not where none is."""
        started = {run for run, status in self.deployment.runs().items() if status == "STARTED"}
        return next((name for name in WORKERS if self.deployment.begun_by(name) & started), WORKERS[0])

    def kill_run(self) -> None:
        """Ends the process of a run with -9.

        Raises:
            LookupError: There is none.
        """
        with self.deployment.instance() as instance:
            for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
                said = instance.all_logs(run.run_id, of_type=DagsterEventType.ENGINE_EVENT)
                numbers = [found[1] for entry in said if (found := _AT_WORK.search(entry.message or ""))]
                if numbers:
                    os.kill(int(numbers[-1]), signal.SIGKILL)
                    return
        raise LookupError("no run is at work")


@contextmanager
def scene(root: Path, days: Sequence[date], *, seed: int) -> Iterator[Scene]:
    """All parts, at work; the undisturbed lake has the days already.

    Args:
        root: An empty folder.
        days: All days that will be backfilled.
        seed: Of the business.
    """
    quiet, snapshots = root / "undisturbed", root / "snapshots"
    with sandbox_server(Options(seed=seed, until=UNTIL, task_seconds=0.0)) as sandbox:
        where = environment(sandbox.url, quiet, f"sqlite:///{root}/q.db")
        undisturbed(made_project(root / "project", shipped(), where), days, snapshots)
    with ExitStack() as stack:
        enter = stack.enter_context
        database, broker = enter(postgres()), enter(redis())
        bucket, leading = enter(bucket_behind())
        vendors = Vendors(Options(seed=seed, until=UNTIL, task_seconds=2.0, latency_s=_LATENCY_S))
        stack.callback(vendors.stop)
        for name, value in leading.items():
            enter(pytest.MonkeyPatch.context()).setenv(name, value)
        files = Files(LAKE)
        files.fs.put(f"{snapshots}/", f"{files.root}/", recursive=True)
        where = {
            **leading,
            "ANALYTICS_LAKE": LAKE,
            "ANALYTICS_SANDBOX_URL": vendors.sandbox.url,
            "ANALYTICS_STATE": database.database("state"),
            "DAGSTER_POSTGRES_URL": database.database("dagster"),
            "ANALYTICS_BROKER": broker.url,
        }
        deployment = enter(deployed(root / "deployment", where, NUMBERS))
        deployment.start("code", "web", "daemon")
        deployment.start(*WORKERS, of="worker")
        deployment.ready()
        tables = [table for table in tables_of(quiet) if table not in tables_of(snapshots)]
        yield Scene(deployment, database, broker, bucket, vendors, quiet, tables)


@contextmanager
def bucket_behind() -> Iterator[tuple[RateLimiter, dict[str, str]]]:
    """A bucket `lake` behind a gate, and the environment that leads to it."""
    with bucket_server() as address:
        rate_limiter = RateLimiter(address)
        httpx.put(f"{address}/lake").raise_for_status()
        with served(rate_limiter) as url:
            key = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
            yield rate_limiter, {"AWS_ENDPOINT_URL": url, **key}


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A file system of its own in memory, which can be filled; the test is skipped, or fails under TESTS_NEED_ALL, where none may be mounted."""
    with tempfile.TemporaryDirectory() as folder:
        mounting = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder]
        done = subprocess.run(mounting, check=False, capture_output=True, text=True, timeout=10)
        if done.returncode:
            skip_or_fail(f"no file system that could be filled may be mounted here: {done.stderr.strip()}")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True, timeout=10)
