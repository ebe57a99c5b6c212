"""The run launcher of one machine: Dagster's default one, which also tells whether a run's process is still there.

Dagster's own notices a killed run only while the code server that started it lives. When both are gone (the daemon killed, the machine
started anew) a run would stay STARTED until its maximum runtime. Named in `dagster.yaml`; the run monitoring of the daemon asks it, marks
a run whose process is gone as failed, and the run retries start it again.
Dagster concept: run monitoring, https://docs.dagster.io/deployment/execution/run-monitoring
"""

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dagster import DagsterEventType, DagsterRun, DefaultRunLauncher, EventLogEntry

from analytics_assets.clock import utc_now
from analytics_assets.orchestration.dagster_private import (
    GRPC_INFO_TAG,
    CheckRunHealthResult,
    WorkerStatus,
    instance_of,
)

_HERE = {"localhost", "127.0.0.1", "::1"}
# A process that began this long after the run said its number is another one with that number.
_LATE = timedelta(seconds=60)


class WatchedRunLauncher(DefaultRunLauncher):
    """Runs as processes of this machine, with their health."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """It does."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether the run's process is there; a run of another machine, or one that has not said its number, is let be."""
        host = json.loads(run.tags.get(GRPC_INFO_TAG, "{}")).get("host")
        if host not in _HERE or not self.has_instance:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        events = instance_of(self).all_logs(run.run_id, of_type=DagsterEventType.ENGINE_EVENT)
        numbers = [(pid, entry.timestamp) for entry in events if (pid := pid_of(entry)) is not None]
        if not numbers:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        number, noted_at = numbers[-1]
        if is_alive(number, datetime.fromtimestamp(noted_at, UTC)):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        message = f"the process of the run (pid {number}) is gone: it was killed, or the machine was started anew"
        return CheckRunHealthResult(WorkerStatus.FAILED, message)


def pid_of(entry: EventLogEntry) -> int | None:
    """The number of the run's process, which it puts into its engine events; a step's process reports with its step."""
    event = entry.dagster_event
    pid = None if event is None or entry.step_key else event.engine_event_data.metadata.get("pid")
    return None if pid is None else int(str(pid.value))


def is_alive(pid: int, since: datetime) -> bool:
    """True if the process that had this number at an instant is there; where the system does not tell when it began, any of that number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    try:
        # After the name, which may hold anything: the state first, and the beginning in ticks since the machine's.
        state, *more = stat.read_text().rpartition(")")[2].split()
    except OSError:
        return not Path("/proc/self/stat").exists()
    booted = utc_now() - timedelta(seconds=time.clock_gettime(time.CLOCK_BOOTTIME))
    began = booted + timedelta(seconds=int(more[18]) / os.sysconf("SC_CLK_TCK"))
    return state not in {"Z", "X"} and began < since + _LATE
