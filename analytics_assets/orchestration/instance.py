"""The local storage of Dagster's instance, named in `dagster.yaml`: one folder for each mode, wherever a process is started.

Dagster resolves a relative `base_dir` against the working directory and knows no mode, so the sandbox and live mode would share a history.
Its only public alternative, `base_dir: {env: ...}`, does not load where the variable is not set, as with a plain `dg dev`.
Dagster concept: the instance, https://docs.dagster.io/deployment/oss/oss-instance-configuration
"""

from pathlib import Path
from typing import Any

import yaml

from analytics_assets.orchestration.dagster_private import (
    DagsterSqliteStorage,
    InstanceRef,
    LocalArtifactStorage,
    LocalComputeLogManager,
)
from analytics_assets.settings import dagster_home, mode, project


def history_folder(base: str) -> Path:
    """The folder of this mode's history.

    Args:
        base: The `base_dir` of `dagster.yaml`; a relative one belongs to DAGSTER_HOME, or without it to the project.
    """
    home = dagster_home()
    root = Path(home).expanduser() if home else project() or Path.cwd()
    return (root / base / mode()).resolve()


class ModeStorage(DagsterSqliteStorage):
    """Runs, events and schedules of one mode, in SQLite."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> "ModeStorage":
        """As Dagster makes it from `dagster.yaml`."""
        return cls.from_local(str(history_folder(config_value["base_dir"])), inst_data=inst_data)


class ModeComputeLogs(LocalComputeLogManager):
    """What the runs of one mode print."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> "ModeComputeLogs":
        """As Dagster makes it from `dagster.yaml`."""
        folder = history_folder(config_value["base_dir"]) / "compute_logs"
        return cls(**{**config_value, "base_dir": str(folder)}, inst_data=inst_data)


class ModeArtifacts(LocalArtifactStorage):
    """Values that the runs of one mode pass between steps."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> "ModeArtifacts":
        """As Dagster makes it from `dagster.yaml`."""
        return cls(str(history_folder(config_value["base_dir"])), inst_data=inst_data)


def missing_history(reference: InstanceRef) -> Path | None:
    """The folder of a local history that has not begun; None where there is one, or where it is in a database server.

    Opening such an instance would create the folder, and nothing would be found in it.
    """
    storage = reference.storage_data
    if storage is None or storage.class_name not in {ModeStorage.__name__, DagsterSqliteStorage.__name__}:
        return None
    base = (yaml.safe_load(storage.config_yaml) or {}).get("base_dir")
    if not isinstance(base, str):
        return None
    folder = history_folder(base) if storage.class_name == ModeStorage.__name__ else Path(base)
    return None if (folder / "history" / "runs.db").exists() else folder
