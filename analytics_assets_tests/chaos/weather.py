"""A backfill as it goes on while something is done to it: what is under way, what is missing, and what a person clicks in the end.

All is left to Dagster and the sensor; once nothing moves any more a person re-executes the backfill from its failures. What is done to it
is `storm.py`'s and `trial.py`'s; what must hold afterwards is in `promises.py`.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

import dagster as dg
from dagster._core.execution.backfill import BULK_ACTION_TERMINAL_STATUSES
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.integration.backfills import CANCEL, CONTINUE, LAUNCH, backfill_of, continuing, launching

# A person waits this long for something to happen; longer where the sensor has open requests, for a killed run holds one for two minutes.
_PATIENCE_S, _PATIENCE_WITH_SENSOR_S = 20.0, 150.0


class Host(Protocol):
    """A project or a deployment: an instance, and what its pages ask for."""

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        """What the instance answers to one document."""

    def instance(self) -> AbstractContextManager[dg.DagsterInstance]:
        """The instance itself."""


@dataclass
class Weather:
    """A backfill and how it is going.

    Attributes:
        host: Whose backfill.
        ledger: The ledger its runs and sensor use.
        tables: The daily tables, as `account/table`.
        days: The days.
        say: Told what happens.
        bears: What may go wrong with a question for a while.
        backfill: The backfill of now.
        continued: How often a person re-executed it from failure.
        cancelled: How often a person cancelled it.
    """

    host: Host
    ledger: Ledger
    tables: Sequence[str]
    days: Sequence[date]
    say: Callable[[str], None]
    bears: tuple[type[Exception], ...] = ()
    backfill: str = ""
    continued: int = 0
    cancelled: int = 0
    _moved_at: float = 0.0
    _seen: tuple[int, ...] = field(default=())

    def launch(self) -> None:
        """Launches the backfill, as the UI does."""
        names = [day.isoformat() for day in self.days]
        self.backfill = backfill_of(self.host.graphql(LAUNCH, **launching(self.tables, names)))
        self._moved_at = time.monotonic()
        self.say(f"backfill {self.backfill}: {len(self.days)} days of {len(self.tables)} tables")

    def endure(self, instance: dg.DagsterInstance, *, until: float, meanwhile: Callable[[], bool]) -> None:
        """Waits until every day of every table is stored and nothing is under way.

        Args:
            instance: The instance of the host.
            until: The end of patience, on the monotonic clock.
            meanwhile: Called each time round; true while it has something to do still.

        Raises:
            TimeoutError: It did not come to that.
        """
        while time.monotonic() < until:
            is_quiet = not meanwhile()
            with suppress(*self.bears):
                if self._is_over(instance) and is_quiet:
                    return
            time.sleep(2.0)
        raise TimeoutError(f"not at an end: {self.missing(instance)} still missing")

    def missing(self, instance: dg.DagsterInstance) -> int:
        """Days of tables without a materialization."""
        wanted = {day.isoformat() for day in self.days}
        keys = [dg.AssetKey(table.split("/")) for table in self.tables]
        return sum(len(wanted - instance.get_materialized_partitions(key)) for key in keys)

    def _is_over(self, instance: dg.DagsterInstance) -> bool:
        unfinished = instance.get_runs_count(dg.RunsFilter(statuses=NOT_FINISHED_STATUSES))
        found = instance.get_backfill(self.backfill)
        ended = found is not None and found.status in BULK_ACTION_TERMINAL_STATUSES
        waits = len(self.ledger.open_requests("airbridge"))
        state, now = (unfinished, ended, self.missing(instance), waits), time.monotonic()
        still = now - self._moved_at
        if state != self._seen:
            self._seen, self._moved_at = state, now
            self.say(
                f"{unfinished} runs under way, {state[2]} days of tables to be stored, {waits} open report requests"
            )
        elif not ended and not unfinished and still > _PATIENCE_WITH_SENSOR_S:
            # The daemon died when it had promised to start a run again, and the backfill waits for that run.
            self.host.graphql(CANCEL, id=self.backfill)
            self.cancelled += 1
            self.say(f"cancelled: {self.backfill}, which waits for a run that nobody starts")
            self._moved_at = now
        elif ended and state[2] and not unfinished and still > (_PATIENCE_WITH_SENSOR_S if waits else _PATIENCE_S):
            self.continued += 1
            self.backfill = backfill_of(self.host.graphql(CONTINUE, **continuing(self.backfill)))
            self.say(f"re-executed from failure as {self.backfill}")
            self._seen = ()
        return ended and not (unfinished or state[2] or waits)
