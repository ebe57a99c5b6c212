"""One fault of the table, played: a backfill, the fault at its moment, and what was seen until all was stored.

What is measured: the seconds from the fault until a run or the page says something of it, until work goes on after the fault has passed,
and until everything is stored; and the words a person reads.
"""

import re
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

import dagster as dg
from dagster import DagsterEventType
from dagster._core.events import JobFailureData
from dagster._core.execution.plan.objects import StepFailureData
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES
from dagster._core.storage.tags import BACKFILL_ID_TAG
from dagster_postgres.utils import DagsterPostgresException
from sqlalchemy.exc import SQLAlchemyError

from analytics_assets_tests.chaos.acts import REPORTS, not_green
from analytics_assets_tests.chaos.faults import Fault, Moment
from analytics_assets_tests.chaos.promises import asked_again, differing, posted_twice
from analytics_assets_tests.chaos.scene import LAKE, Scene
from analytics_assets_tests.chaos.seen import Seen
from analytics_assets_tests.chaos.weather import Weather
from analytics_assets_tests.integration.running import FIRST, LAST
from analytics_assets_tests.integration.server import POST_REPORT

# What a question may be answered while a part is gone.
BEARABLE = (OSError, SQLAlchemyError, DagsterPostgresException)
_LONGEST_S = 900.0
# Days of raw tables that are stored by then.
_HALF_WAY = 2


@dataclass
class Trial:
    """A fault, the backfill it hits, and what was seen."""

    scene: Scene
    fault: Fault
    weather: Weather
    seen: Seen

    def play(self) -> Seen:
        """Launches, breaks, fixes, waits and looks at what stands."""
        scene, weather, sandbox = self.scene, self.weather, self.scene.vendors.sandbox
        sandbox.forget()
        with scene.deployment.instance() as instance:
            before = {run.run_id for run in instance.get_runs()}
            course = self._course(instance, before)
            try:
                if self.fault.moment is Moment.BEFORE:
                    next(course)
                weather.launch()
                weather.endure(instance, until=time.monotonic() + _LONGEST_S, meanwhile=lambda: next(course, False))
            except TimeoutError as error:
                self.seen.broken.append(str(error))
            finally:
                course.close()
            self._listen()
            self.seen.clicks, self.seen.cancelled = weather.continued, weather.cancelled
            self.seen.runs = len(_failed(instance, before))
            self.seen.doubled = _doubled(instance, before)
            self.seen.tasks = sandbox.answered(POST_REPORT)[200] - len(REPORTS)
            again = asked_again(sandbox.log(), scene.bucket.seen)
            self.seen.again = len(again)
            self.seen.broken += [
                *differing(scene.undisturbed, LAKE, scene.tables, weather.days),
                *([] if self.fault.doubles else again),
                *([f"{self.seen.doubled} runs launched twice"] if self.seen.doubled and not self.fault.doubles else []),
                *posted_twice(weather.ledger, REPORTS, weather.days, kills=len(REPORTS) * self.fault.kills),
                *not_green(instance, scene.tables, weather.days),
            ]
            if self.seen.tasks > self.fault.kills + self.fault.tasks:
                self.seen.broken.append(f"{self.seen.tasks} report tasks more than planned")
        return self.seen

    def _course(self, instance: dg.DagsterInstance, before: set[str]) -> Generator[bool, None, None]:
        """What is done and looked at each time round; true until the fault has passed."""
        while not self._is_due(instance):
            yield True
        began = time.monotonic()
        self.weather.say(f"now: {self.fault.name}")
        with self.fault.strike(self.scene):
            while time.monotonic() < began + self.fault.lasts_s:
                self._look(instance, before, began)
                yield True
        mended = time.monotonic()
        self.seen.lasted_s = mended - began
        self.weather.say("passed")
        stored = len(self.scene.bucket.seen)
        while True:
            self._look(instance, before, began)
            if self.seen.resumed_s is None and len(self.scene.bucket.seen) > stored:
                self.seen.resumed_s = time.monotonic() - began
            self.seen.done_s = time.monotonic() - began
            yield False

    def _is_due(self, instance: dg.DagsterInstance) -> bool:
        if self.fault.moment is Moment.BEFORE:
            return True
        if self.fault.moment is Moment.STARTING:
            return bool(instance.get_runs_count(dg.RunsFilter(statuses=NOT_FINISHED_STATUSES)))
        at_work = instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
        return bool(at_work) and sum(day in self.weather.days for _, _, day in self.scene.bucket.seen) >= _HALF_WAY

    def _listen(self) -> None:
        if self.fault.warning is not None:
            printed = "".join(log.read_text() for log in self.scene.deployment.folder.glob("daemon*.log"))
            found = re.search(self.fault.warning, printed)
            self.seen.warning = found[0] if found else None
            self.seen.broken += [] if found else [f"no daemon printed {self.fault.warning!r}"]

    def _look(self, instance: dg.DagsterInstance, before: set[str], began: float) -> None:
        if self.seen.page is None:
            try:
                self.scene.deployment.runs()
            except OSError as error:
                self.seen.page = first_words(str(error))
        if self.seen.words is None:
            with suppress(*BEARABLE):
                for run in _failed(instance, before)[:1]:
                    self.seen.words = words_of(instance, run)
                    self.seen.noticed_s = time.monotonic() - began
                    self.weather.say(f"noticed: {self.seen.words}")


def trial(scene: Scene, fault: Fault, days: Sequence[date], say: Callable[[str], None]) -> Seen:
    """Plays one fault over days that are not stored."""
    weather = Weather(scene.deployment, scene.ledger, scene.tables, days, say, BEARABLE)
    return Trial(scene, fault, weather, Seen(fault.name)).play()


def _failed(instance: dg.DagsterInstance, before: set[str]) -> list[dg.DagsterRun]:
    found = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
    return [run for run in found[::-1] if run.run_id not in before and BACKFILL_ID_TAG in run.tags]


def _doubled(instance: dg.DagsterInstance, before: set[str]) -> int:
    same = (BACKFILL_ID_TAG, FIRST, LAST)
    asked = [
        (run.asset_selection, *(run.tags.get(tag) for tag in same))
        for run in instance.get_runs()
        if run.run_id not in before and run.parent_run_id is None and BACKFILL_ID_TAG in run.tags
    ]
    return len(asked) - len(set(asked))


def words_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    """What the page of a failed run says first: the failure of its step, or else its own."""
    for kind in (DagsterEventType.STEP_FAILURE, DagsterEventType.RUN_FAILURE):
        for entry in instance.all_logs(run.run_id, of_type=kind):
            event = entry.dagster_event
            assert event is not None
            # The run monitoring says it in the message alone.
            failure = event.event_specific_data
            error = failure.error if isinstance(failure, StepFailureData | JobFailureData) else None
            while error is not None and error.cause is not None:
                error = error.cause
            return first_words(error.message if error else event.message or "")
    return "nothing"


def first_words(text: str) -> str:
    """The first two lines: what it is, and the first reason."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(lines[:2])
