"""A backfill of all accounts under a real daemon, the processes that are killed while it goes on, and what it came to.

The accounts are the shipped ones, but for report tasks of ten days and short pauses. The daemon is started again at once, as a supervisor
does; all else is left to Dagster and the sensor, and once nothing moves any more a person re-executes the backfill from its failures.
What must hold afterwards is `promises.py`. Linux only: processes are found in /proc.
"""

import os
import re
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from random import Random

import dagster as dg
from dagster._core.execution.backfill import BULK_ACTION_TERMINAL_STATUSES
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from analytics_assets.__main__ import DEFS
from analytics_assets.clock import utc_now
from analytics_assets.state.ledger import Ledger
from analytics_assets_tests.integration.daemon import Daemon, Project

DAYS_PER_TASK = 10
# What the shipped YAML leaves open.
_TASKS = f"""
  tasks:
    days_per_task: {DAYS_PER_TASK}
    wait_seconds: 20
    first_pause_seconds: 1
    longest_pause_seconds: 5
    sensor_seconds: 3
"""
_LAUNCH = """
    mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
        __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }
"""
_CONTINUE = """
    mutation ($params: ReexecutionParams!) { reexecutePartitionBackfill(reexecutionParams: $params) {
        __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }
"""
_CANCEL = """
    mutation ($id: String!) { cancelPartitionBackfill(backfillId: $id) { __typename ... on PythonError { message } } }
"""
# A person waits this long for something to happen; longer where the sensor has open requests, for a killed run holds one for two minutes.
_PATIENCE_S, _PATIENCE_WITH_SENSOR_S = 20.0, 150.0
_MARKS = {"dagster._daemon": "daemon", "api\0grpc": "code server", "spawn_main": "run"}


def shipped() -> dict[str, str]:
    """The shipped `defs.yaml` of each account."""
    return {file.parent.name: file.read_text() for file in DEFS.glob("*/defs.yaml")}


def accounts(*, longest_runs: bool) -> dict[str, str]:
    """The accounts of a storm; with `longest_runs` each lands all its days in one run, which costs fewer processes."""
    chosen = shipped() | {"airbridge": shipped()["airbridge"] + _TASKS}
    if not longest_runs:
        return chosen
    # They must differ, or Dagster makes one run for all accounts.
    return {
        account: re.sub(r"days_per_run: \d+", f"days_per_run: {92 - number}", text)
        for number, (account, text) in enumerate(sorted(chosen.items()))
    }


@dataclass
class Storm:
    """A backfill and what was done to it.

    Attributes:
        project: Whose backfill.
        ledger: The ledger its runs and sensor use.
        lake: Where they land.
        tables: The daily tables, as `account/table`.
        days: The days.
        kinds: What is killed, in turn: `run`, `code server`, `daemon`.
        kills: How often.
        rng: Draws moments and victims.
        say: Told what happens.
        killed: What was killed.
        continued: How often a person re-executed it from failure.
        seconds: How long it all took.
    """

    project: Project
    ledger: Ledger
    lake: Path
    tables: Sequence[str]
    days: Sequence[date]
    kinds: Sequence[str]
    kills: int
    rng: Random
    say: Callable[[str], None]
    killed: list[str] = field(default_factory=list)
    continued: int = 0
    seconds: float = 0.0

    def rage(self, longest_s: float) -> None:
        """Launches the backfill, kills, and waits until every day of every table has landed and nothing is under way.

        Raises:
            TimeoutError: It did not come to that.
        """
        began = time.monotonic()
        daemon = Daemon(self.project)
        daemon.start()
        try:
            with self.project.instance() as instance:
                backfill = self._launched()
                self.say(f"backfill {backfill}: {len(self.days)} days of {len(self.tables)} tables")
                self._weather(daemon, instance, backfill, until=began + longest_s)
        finally:
            daemon.end()
            self.seconds = time.monotonic() - began

    def _weather(self, daemon: Daemon, instance: dg.DagsterInstance, backfill: str, *, until: float) -> None:
        strikes_at, moved_at, seen = None, time.monotonic(), None
        while True:
            now = time.monotonic()
            if now > until:
                raise TimeoutError(f"not at an end: {self.missing(instance)} still missing")
            working = instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
            if len(self.killed) < self.kills and working and strikes_at is None:
                strikes_at = now + self.rng.uniform(0.0, 4.0)
            if strikes_at is not None and now >= strikes_at:
                strikes_at = None
                self._strike(daemon)
            unfinished = instance.get_runs_count(dg.RunsFilter(statuses=NOT_FINISHED_STATUSES))
            ended = self._has_ended(instance, backfill)
            waits = len(self.ledger.open_requests("airbridge"))
            state = (unfinished, ended, self.missing(instance), waits, len(self.killed))
            if ended and not (unfinished or state[2] or waits):
                return
            if state != seen:
                seen, moved_at = state, now
                self.say(
                    f"{unfinished} runs under way, {state[2]} days of tables to land, {waits} open report requests"
                )
            elif not ended and not unfinished and now - moved_at > _PATIENCE_WITH_SENSOR_S:
                # The daemon died when it had promised to start a run again, and the backfill waits for that run.
                self.project.graphql(_CANCEL, id=backfill)
                self.say(f"cancelled: {backfill}, which waits for a run that nobody starts")
                moved_at = now
            elif ended and not unfinished and now - moved_at > (_PATIENCE_WITH_SENSOR_S if waits else _PATIENCE_S):
                self.continued += 1
                backfill = self._continued(backfill)
                self.say(f"re-executed from failure as {backfill}")
                seen = None
            time.sleep(2.0)

    def missing(self, instance: dg.DagsterInstance) -> int:
        """Days of tables without a materialization."""
        wanted = {day.isoformat() for day in self.days}
        keys = [dg.AssetKey(table.split("/")) for table in self.tables]
        return sum(len(wanted - instance.get_materialized_partitions(key)) for key in keys)

    def _has_ended(self, instance: dg.DagsterInstance, backfill: str) -> bool:
        found = instance.get_backfill(backfill)
        return found is not None and found.status in BULK_ACTION_TERMINAL_STATUSES

    def _launched(self) -> str:
        selection = [{"path": table.split("/")} for table in self.tables]
        names = [day.isoformat() for day in self.days]
        return _backfill(
            self.project.graphql(_LAUNCH, params={"assetSelection": selection, "partitionNames": names, "tags": []})
        )

    def _continued(self, backfill: str) -> str:
        return _backfill(self.project.graphql(_CONTINUE, params={"parentRunId": backfill, "strategy": "FROM_FAILURE"}))

    def _strike(self, daemon: Daemon) -> None:
        kind = self.kinds[len(self.killed) % len(self.kinds)]
        found = sorted(pid for pid, its in processes(daemon.groups) if its == kind)
        if not found:
            return
        pid = self.rng.choice(found)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.killed.append(kind)
            self.say(f"killed: {kind} {pid}")
        if kind == "daemon":
            assert daemon.process is not None
            daemon.process.wait()
            daemon.start()


@dataclass
class Watch:
    """When days of raw tables were first seen in a lake.

    Attributes:
        lake: The lake.
        seen: By account, table and day, the instant.
    """

    lake: Path
    seen: dict[tuple[str, str, date], datetime] = field(default_factory=dict)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Looks ten times a second until the block ends."""
        stop = threading.Event()
        thread = threading.Thread(target=self._look, args=(stop,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _look(self, stop: threading.Event) -> None:
        while not stop.wait(0.1):
            for file in self.lake.glob("*/*_raw/dt=*/data.parquet"):
                account, table, day, _ = file.parts[-4:]
                key = (account, table, date.fromisoformat(day.removeprefix("dt=")))
                if key not in self.seen:
                    self.seen[key] = utc_now()


def processes(groups: Collection[int]) -> list[tuple[int, str]]:
    """The daemons, code servers and runs of some process groups, as number and kind."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            group = int((folder / "stat").read_text().rpartition(")")[2].split()[2])
            said = (folder / "cmdline").read_text()
            kind = next((kind for mark, kind in _MARKS.items() if mark in said), None)
            if group in groups and kind is not None:
                found.append((int(folder.name), kind))
    return found


def _backfill(answer: dict[str, dict[str, str]]) -> str:
    [told] = answer.values()
    if "backfillId" not in told:
        raise RuntimeError(f"the backfill was not taken: {told}")
    return told["backfillId"]
