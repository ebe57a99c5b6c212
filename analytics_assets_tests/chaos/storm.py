"""A backfill of all accounts under a real daemon, the processes that are killed while it goes on, and what it came to.

The accounts are the shipped ones, but for report tasks of ten days and short pauses. The daemon is started again at once, as a supervisor
does; all else is `weather.py`'s. What must hold afterwards is in `promises.py`. Linux only: processes are found in /proc.
"""

import os
import re
import signal
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from random import Random

import dagster as dg

from analytics_assets.__main__ import DEFS
from analytics_assets.clock import utc_now
from analytics_assets_tests.chaos.weather import Weather
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
    """A backfill and the kills it is put through.

    Attributes:
        project: Whose backfill.
        weather: The backfill.
        kinds: What is killed, in turn: `run`, `code server`, `daemon`.
        kills: How often.
        rng: Draws moments and victims.
        killed: What was killed.
        seconds: How long it all took.
    """

    project: Project
    weather: Weather
    kinds: Sequence[str]
    kills: int
    rng: Random
    killed: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def rage(self, longest_s: float) -> None:
        """Launches the backfill, kills, and waits until every day of every table is stored and nothing is under way.

        Raises:
            TimeoutError: It did not come to that.
        """
        began = time.monotonic()
        daemon = Daemon(self.project)
        daemon.start()
        try:
            with self.project.instance() as instance:
                self.weather.launch()
                strikes = self._strikes(daemon, instance)
                self.weather.endure(instance, until=began + longest_s, meanwhile=lambda: next(strikes, False))
        finally:
            daemon.end()
            self.seconds = time.monotonic() - began

    def _strikes(self, daemon: Daemon, instance: dg.DagsterInstance) -> Iterator[bool]:
        """Kills up to four seconds after a run was seen at work, so often; says each time whether a kill is due."""
        at = None
        while len(self.killed) < self.kills:
            now = time.monotonic()
            if at is None and instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
                at = now + self.rng.uniform(0.0, 4.0)
            if at is not None and now >= at:
                at = None
                self._strike(daemon)
            # Where all lands before the last kill there is nothing to kill any more; the act counts the kills.
            yield False

    def _strike(self, daemon: Daemon) -> None:
        kind = self.kinds[len(self.killed) % len(self.kinds)]
        found = sorted(pid for pid, its in processes(daemon.groups) if its == kind)
        if not found:
            return
        pid = self.rng.choice(found)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.killed.append(kind)
            self.weather.say(f"killed: {kind} {pid}")
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
