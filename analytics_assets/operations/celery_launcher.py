"""Runs on several machines: a worker that died is noticed in minutes, and an account can have a queue of its own.

The Celery launcher of Dagster asks the result backend how a run is, and that goes on saying STARTED when the machine that worked at it is
gone. Here the worker itself is asked. Dagster's run monitoring asks every `poll_interval_seconds`, marks the run as failed, and its run
retries begin a new one, which asks the vendors only for what was not stored. Used by `deploy/dagster.yaml`; needs the extra [celery].
Dagster concept: run launchers, https://docs.dagster.io/guides/deploy/execution/run-launchers
"""

from collections.abc import Collection
from typing import Any, Final

from dagster import DagsterRun, Field
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_QUEUE_TAG, DAGSTER_CELERY_TASK_ID_TAG
from kombu.exceptions import OperationalError

from analytics_assets.orchestration.dagster_private import CheckRunHealthResult, WorkerStatus, instance_of

# A busy machine may be late with a response; one that is gone stays silent.
_ASKED: Final = 3
_PATIENCE_S: Final = 5.0
# A broker that is started anew is back within half a minute; Celery's own patience is less than a second, and run retries would soon be used up.
_PUBLISHING: Final = {"max_retries": 30, "interval_start": 1, "interval_step": 0, "interval_max": 1}


class WatchedCeleryRunLauncher(CeleryRunLauncher):
    """Celery runs whose workers are asked whether they still work at them.

    All runs wait in `default_queue`, so that a new account needs no change here; those of `account_queues` wait in the queue of their name.
    """

    def __init__(self, *args: Any, account_queues: Collection[str] = (), **kwargs: Any) -> None:
        """With more patience than Celery has for a broker that is away."""
        super().__init__(*args, **kwargs)
        self._account_queues = frozenset(account_queues)
        self.celery.conf.task_publish_retry_policy = _PUBLISHING

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Fields of `dagster.yaml`."""
        about = "Accounts whose runs wait in the queue of their name; a worker has to name it in `--queues`."
        queues = Field([str], is_required=False, default_value=[], description=about)
        inherited: Any = super().config_type()
        return {**inherited, "account_queues": queues}

    def launch_run(self, context: Any) -> None:
        """Puts the run into its queue.

        A broker that stays away ends the run with a word of it, and Dagster's run retries begin it anew.
        """
        run, account = context.dagster_run, account_of(context.dagster_run)
        if account in self._account_queues and DAGSTER_CELERY_QUEUE_TAG not in run.tags:
            tags = {DAGSTER_CELERY_QUEUE_TAG: account}
            instance_of(self).add_run_tags(run.run_id, tags)
            context = context._replace(dagster_run=run.with_tags({**run.tags, **tags}))
        try:
            super().launch_run(context)
        except (OperationalError, RuntimeError) as error:
            # RuntimeError is how Celery says that the result backend stays away.
            message = (
                f"The broker of ANALYTICS_BROKER cannot be reached: see that it runs. ({' '.join(str(error).split())})"
            )
            instance_of(self).report_run_failed(run, message)
            raise

    @property
    def supports_resume_run(self) -> bool:
        """A new run takes what is stored from the lake, so nothing is gained by resuming; Dagster refuses a setting that wants it."""
        return False

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether a worker is still at the run; a broker that cannot be reached raises, and says nothing of the worker."""
        task_id = run.tags.get(DAGSTER_CELERY_TASK_ID_TAG)
        if task_id is None:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "The run is being put into its queue.")
        result = self.celery.AsyncResult(task_id)
        for _ in range(_ASKED):
            if result.state == "FAILURE":
                return CheckRunHealthResult(WorkerStatus.FAILED, f"The process of the run ended: {result.result}")
            # PENDING is what a backend says of what it has forgotten, too: Redis that was started anew.
            if result.state not in {"STARTED", "PENDING"}:
                return super().check_run_worker_health(run)
            outcome = result.info
            worker = str(outcome.get("hostname", "")) if isinstance(outcome, dict) else ""
            if task_id in self._active(worker):
                return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(
            WorkerStatus.FAILED, f"No response from {worker or 'any worker'} that it is at the run."
        )

    def get_run_worker_debug_info(self, run: DagsterRun, include_container_logs: bool | None = True) -> None:
        """Nothing: what a person can use of it stands in the words of the check, and Dagster would put it after them."""

    def _active(self, worker: str) -> set[str]:
        """The tasks a worker is at, or without its name those of all; none where nobody answers."""
        inspected = self.celery.control.inspect(
            destination=[worker] if worker else None, limit=1 if worker else None, timeout=_PATIENCE_S
        )
        active_by_worker: dict[str, list[dict[str, Any]]] = inspected.active() or {}
        return {str(task["id"]) for tasks in active_by_worker.values() for task in tasks}


def account_of(run: DagsterRun) -> str | None:
    """The account whose assets a run is for; None for several accounts, or no assets."""
    accounts = {key.path[0] for key in run.asset_selection or ()}
    if not accounts and run.job_name.endswith("_daily") and run.job_name != "checks_daily":
        return run.job_name.removesuffix("_daily")
    return accounts.pop() if len(accounts) == 1 else None
