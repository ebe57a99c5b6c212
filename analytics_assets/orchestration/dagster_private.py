"""Private names of Dagster without a public equivalent. No other module imports a private name of Dagster.

Dagster documents some of them, under their private path and without a promise of stability: https://docs.dagster.io/api/internals
Add a name with its reason and its page or issue, and with a test of what is used of it in `test_dagster_private.py`.
"""

from typing import Any

import dagster as dg

# Opening an instance creates its history. Only the reference of an instance shows where a history would be: https://docs.dagster.io/api/internals
from dagster._core.instance.ref import InstanceRef

# Run monitoring calls `check_run_worker_health` of a launcher, and its result has no public class. Dagster's launcher of one machine
# does not support it (https://docs.dagster.io/deployment/execution/run-monitoring), and its Celery launcher reports a killed worker as
# running (https://github.com/dagster-io/dagster/pull/33493).
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus

# `dagster.yaml` has no setting for a folder by mode. A relative `base_dir` depends on the working directory, and `{env: ...}` fails
# where the variable is not set (https://github.com/dagster-io/dagster/pull/11031). So these three are subclassed.
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.root import LocalArtifactStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

# Only this tag says on which host a run was started, and a process number means nothing without the host:
# https://github.com/dagster-io/dagster/blob/1.13.27/python_modules/dagster/dagster/_core/launcher/default_run_launcher.py
from dagster._core.storage.tags import GRPC_INFO_TAG

__all__ = [
    "GRPC_INFO_TAG",
    "CheckRunHealthResult",
    "DagsterSqliteStorage",
    "InstanceRef",
    "LocalArtifactStorage",
    "LocalComputeLogManager",
    "WorkerStatus",
    "backfill_keys",
    "instance_of",
]


def instance_of(launcher: Any) -> dg.DagsterInstance:
    """The instance that a run launcher belongs to.

    Dagster registers it with the launcher, whose base class has no public accessor: https://docs.dagster.io/api/internals
    """
    instance: dg.DagsterInstance = launcher._instance  # noqa: SLF001
    return instance


def backfill_keys(instance: dg.DagsterInstance, backfill_id: str, key: dg.AssetKey) -> list[str]:
    """The partition keys of an asset in a backfill, oldest first; empty where the backfill is gone or has none of them.

    The classes of a backfill are internal, and its public way to them needs the whole workspace, which a run does not have:
    https://github.com/dagster-io/dagster/blob/1.13.27/python_modules/dagster/dagster/_core/execution/backfill.py
    """
    backfill = instance.get_backfill(backfill_id)
    data = None if backfill is None else backfill.asset_backfill_data
    if data is None:
        return []
    subset = data.target_subset.partitions_subsets_by_asset_key.get(key)
    return [] if subset is None else sorted(subset.get_partition_keys())
