"""Weeks of schedules and sensor over vendors that fail, in minutes; `make soak` runs them, and a test a few days of them.

Vendors and production live on one simulated clock; definitions, Dagster instance, runs, sockets and files are real. Each schedule is
evaluated at its hour and its runs are executed in this process; between them the sensor ticks while a report request is open. Nothing waits
for the clock, so runs do not wait for report tasks either: they leave all of them to the sensor.
Of the report tasks every 10th fails, every 13th is cancelled, every 17th is forgotten; a share of Airbridge's requests is answered 429 for an
hour, every 23rd of the others' for a second; once all vendors are down for half a day. What must stand at the end is in `soak_truth.py`.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from random import Random

import dagster as dg

from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets.sandbox.options import Options
from analytics_assets.sandbox.world import SeededWorld
from analytics_assets.sources.airbridge.report_loader import Waiting
from analytics_assets.sources.airbridge.source import AirbridgeResource
from analytics_assets.state.database import engine
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.integration.conftest import Place
from analytics_assets_tests.integration.running import (
    DAYS_PER_RUN,
    FIRST,
    LAST,
    SEOUL_APP,
    Wishes,
    days_from,
    definitions_at,
)
from analytics_assets_tests.integration.server import POST_REPORT, REPORT, Sandbox, sandbox_server
from analytics_assets_tests.integration.soak_truth import broken_promises

# The world of the sandbox is as long as its people remember before that, and no longer: what is counted by hand is counted soon.
START_DATE, FIRST_DAY = date(2023, 1, 1), date(2023, 5, 1)
# Between two ticks, and while every vendor is down: half a day of looks in vain shows no more than one in a quarter of an hour.
SENSOR_S, OUTAGE_STEP_S = 15, 900
TASK_S, OUTAGE = 40, timedelta(hours=12)
# Every so many-th task fails, is cancelled, is forgotten.
Fates = tuple[int, int, int]
FATES: Fates = (10, 13, 17)
MOST_OVER, FEWEST_DAYS = 0.05, 6
# Hour and minute, UTC, as shipped. The snapshots' is the door's own.
HOURS = {"bento_daily": (2, 10), "snapshots": (9, 30), "statsig_daily": (20, 20), "airbridge_daily": (0, 30)}
# Longer than any client waits within a request, so the runs and the sensor have to bear it.
LONG_S = 3600
MOST_TICKS_A_DAY = 400


@dataclass
class Told:
    """What a soak has come to.

    Attributes:
        asked: First and last day of each run the Airbridge schedule requested.
        needed: Report tasks these runs need if each ends well.
        accepted: Report tasks the vendor took.
        refused: Requests for a task that it answered 429 or 503.
        least: Tasks that have to be requested until as many as needed have ended well.
        a_cohort_a_day: Tasks that one for each cohort requested would have been.
        runs: Runs executed, by what requested them.
        requests: Requests to all vendors.
        broken: Promises that were not kept, in words.
    """

    asked: list[tuple[str, str]] = field(default_factory=list)
    needed: int = 0
    accepted: int = 0
    refused: int = 0
    least: int = 0
    a_cohort_a_day: int = 0
    runs: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    broken: list[str] = field(default_factory=list)

    def line(self) -> str:
        """The figures in one line."""
        over = 100 * (self.accepted - self.least) / self.least
        return (
            f"{self.needed} report tasks were needed (one a cohort a day: {self.a_cohort_a_day}); with the failures {self.least}, requested "
            f"{self.accepted} ({over:+.1f} %), beside {self.refused} answered 429 or 503; {self.runs.total()} runs, {self.requests} "
            f"requests; {len(self.broken)} promises broken"
        )


def least_for(good: int, fates: Fates) -> int:
    """Tasks that have to be requested until so many have ended well."""
    ends_well = (number for number in count(1) if all(number % every for every in fates))
    return [next(ends_well) for _ in range(good)][-1] if good else 0


@dataclass
class Soak:
    """Vendors, production and their one clock."""

    days: int
    wishes: Wishes
    sandbox: Sandbox
    place: Place
    instance: dg.DagsterInstance
    now: datetime
    say: Callable[[str], None]
    told: Told = field(default_factory=Told)
    is_down: bool = False

    def __post_init__(self) -> None:
        """Loads the definitions once, with this clock."""
        self._definitions = definitions_at(lambda: self.now, self.wishes)
        self._repository = self._definitions.get_repository_def()
        self._waiting = Waiting(0, DAYS_PER_RUN, 100, self.wishes.policy)

    def live(self, outage_at: datetime) -> None:
        """All days, one moment after the other, and then on until no report request is open."""
        self._spoil()
        for number, (at, act) in enumerate(self._moments(outage_at)):
            if number % (10 * len(HOURS)) == 0:
                self.say(f"{at:%Y-%m-%d}: {self.told.runs.total()} runs so far")
            self._sense(until=at)
            self.now = max(self.now, at)
            act()
        self._sense(until=self.now + timedelta(hours=6))

    def _moments(self, outage_at: datetime) -> list[tuple[datetime, Callable[[], None]]]:
        found: list[tuple[datetime, Callable[[], None]]] = [
            (outage_at, self._break_down),
            (outage_at + OUTAGE, self._come_back),
        ]
        for day in days_from(FIRST_DAY, self.days):
            for name, (hour, minute) in HOURS.items():
                at = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
                found.append((at, lambda name=name: self._evaluate(name)))
        return sorted(found, key=lambda moment: moment[0])

    def _spoil(self) -> None:
        """Throttling, as Airbridge does it where its service is in danger, and the others now and then."""
        for endpoint in (f"POST {REPORT}", f"GET {REPORT}/{{task_id}}"):
            self.sandbox.spoil(
                kind="status", vendor="airbridge", endpoint=endpoint, status=429, retry_after=LONG_S, rate=0.1
            )
        for vendor in ("bento", "statsig"):
            self.sandbox.spoil(kind="status", vendor=vendor, status=429, retry_after=1, every=23)

    def _break_down(self) -> None:
        self.is_down = True
        self.say(f"{self.now:%Y-%m-%d %H:%M} UTC: all vendors are down for {OUTAGE}")
        self.sandbox.mend()
        self.sandbox.spoil(kind="status", status=503, retry_after=LONG_S)

    def _come_back(self) -> None:
        self.is_down = False
        self.sandbox.mend()
        self._spoil()

    def _evaluate(self, name: str) -> None:
        """One tick of a schedule, and the runs it requests."""
        with dg.build_schedule_context(
            scheduled_execution_time=self.now, repository_def=self._repository, resources={"lake": LakeResource()}
        ) as context:
            requests = self._repository.get_schedule_def(name).evaluate_tick(context).run_requests or ()
        for request in requests:
            if name == "airbridge_daily":
                self._count(request)
            self._execute(name, request)
            self.told.runs[name] += 1

    def _count(self, request: dg.RunRequest) -> None:
        """The report tasks a run of the schedule needs: one a report for all its days, as `analytics-assets plan` counts."""
        first, last = date.fromisoformat(request.tags[FIRST]), date.fromisoformat(request.tags[LAST])
        days = days_from(first, (last - first).days + 1)
        reports = sum(key.path[-1].endswith("_raw") for key in request.asset_selection or ())
        of_one = sum(number for what, number in self._waiting.request_count(days).items() if what.startswith("POST "))
        self.told.asked.append((str(first), str(last)))
        self.told.needed += reports * of_one
        self.told.a_cohort_a_day += reports * len(days)

    def _sense(self, until: datetime) -> None:
        """Ticks of the sensor and the runs it requests, while a request is open; ticks in which nothing is due are left out."""
        [sensor] = self._definitions.sensors or ()
        assert isinstance(sensor, dg.SensorDefinition)
        ledger, ticks = Ledger(self.place.state), 0
        while opened := ledger.open_requests("airbridge"):
            due = min(request.next_poll_at or self.now for request in opened)
            step = timedelta(seconds=OUTAGE_STEP_S if self.is_down else SENSOR_S)
            if max(self.now + step, due) >= until:
                return
            self.now, ticks = max(self.now + step, due), ticks + 1
            if ticks > MOST_TICKS_A_DAY:
                raise RuntimeError(f"after {ticks} ticks, at {self.now}, requests are open still: {opened}")
            context = dg.build_sensor_context(
                instance=self.instance,
                repository_def=self._repository,
                resources={"airbridge": AirbridgeResource(app_name=SEOUL_APP.name), "lake": LakeResource()},
            )
            for request in sensor.evaluate_tick(context).run_requests or ():
                self._execute("airbridge_daily", request)
                self.told.runs["sensor"] += 1

    def _execute(self, job: str, request: dg.RunRequest) -> None:
        self._definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            tags=dict(request.tags),
            asset_selection=list(request.asset_selection) if request.asset_selection else None,
            raise_on_error=False,
        )


def soaked(
    days: int,
    seed: int,
    wishes: Wishes,
    point: Callable[[str], Place],
    instance: dg.DagsterInstance,
    *,
    fates: Fates = FATES,
    say: Callable[[str], None] = lambda _words: None,
) -> Told:
    """Lives the days and looks at what stands then; `seed` chooses world, throttling and the time of the outage."""
    draw, start = Random(seed), datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, tzinfo=UTC)
    # It lasts over evening and midnight, when two schedules ask, and a whole day is left in which what it has cost is fixed.
    outage_at = start + timedelta(days=draw.randint(days // 3, days - 3), minutes=draw.randint(13 * 60, 20 * 60))
    held: list[Soak] = []

    def clock() -> datetime:
        return held[0].now if held else start

    fail, cancel, forget = fates
    options = Options(
        seed=seed, now=clock, task_seconds=TASK_S, fail_every=fail, cancel_every=cancel, forget_every=forget
    )
    with sandbox_server(options) as sandbox:
        place = point(sandbox.url)
        try:
            soak = Soak(days, wishes, sandbox, place, instance, start, say)
            held.append(soak)
            soak.live(outage_at)
            told, counts, answered = soak.told, sandbox.counts(), sandbox.answered(POST_REPORT)
        finally:
            engine(place.state).dispose()
            engine.cache_clear()
    if answered.total() != counts[POST_REPORT]:
        raise RuntimeError(f"the sandbox no longer knows how {counts[POST_REPORT] - answered.total()} requests ended")
    told.accepted, told.least, told.requests = answered[200], least_for(told.needed, fates), sum(counts.values())
    told.refused = answered.total() - told.accepted
    last = FIRST_DAY + timedelta(days=days - 1)
    told.broken = [
        *broken_promises(
            place,
            instance,
            SeededWorld(seed),
            wishes,
            first=FIRST_DAY - timedelta(days=1),
            days=days,
            now=soak.now,
            cohorts_at=datetime.combine(last, time(*HOURS["airbridge_daily"]), UTC),
        ),
        *([f"{told.accepted} tasks, {told.least} were enough"] if told.accepted > (1 + MOST_OVER) * told.least else []),
    ]
    return told
