"""Dagster's storages of one machine with a place to interrupt: what a test has put at a step is called before the step is taken.

They are configured like any other storage. No assertions here.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.runs import SqliteRunStorage

# Before the events of a run go, after that, and before the run goes.
STEPS = ("delete_logs", "free_concurrency_slots_for_run", "delete_run")

before: dict[str, Callable[[], Any]] = {}


def _reached(step: str) -> None:
    before.get(step, lambda: None)()


class Events(SqliteEventLogStorage):
    """Events of runs."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> "Events":
        """One as `dagster.yaml` says; Dagster's own makes one of its own class."""
        return cls(inst_data=inst_data, **config_value)

    def free_concurrency_slots_for_run(self, run_id: str) -> None:
        """Gives back what a run holds."""
        _reached("free_concurrency_slots_for_run")
        super().free_concurrency_slots_for_run(run_id)


class Logs(LocalComputeLogManager):
    """What runs print."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> "Logs":
        """One as `dagster.yaml` says."""
        return cls(inst_data=inst_data, **config_value)

    def delete_logs(self, log_key: Any = None, prefix: Any = None) -> None:
        """Deletes that of a run."""
        _reached("delete_logs")
        super().delete_logs(log_key, prefix)


class Runs(SqliteRunStorage):
    """Runs."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> "Runs":
        """One as `dagster.yaml` says."""
        made = SqliteRunStorage.from_local(config_value["base_dir"], inst_data)
        return cls(made._conn_string, inst_data)

    def delete_run(self, run_id: str) -> None:
        """Deletes one."""
        _reached("delete_run")
        super().delete_run(run_id)


def overrides(folder: Path) -> dict[str, Any]:
    """The storages, as `dagster.yaml` names them."""
    here = {"module": __name__}
    sqlite = {"module": "dagster._core.storage.schedules", "class": "SqliteScheduleStorage"}
    return {
        "event_log_storage": {**here, "class": "Events", "config": {"base_dir": str(folder / "history")}},
        "run_storage": {**here, "class": "Runs", "config": {"base_dir": str(folder / "runs")}},
        "schedule_storage": {**sqlite, "config": {"base_dir": str(folder / "schedules")}},
        "compute_logs": {**here, "class": "Logs", "config": {"base_dir": str(folder / "logs")}},
    }
