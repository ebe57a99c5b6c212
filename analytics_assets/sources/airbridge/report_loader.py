"""How a run reads an Airbridge report: joins or requests the tasks that cover its days, waits for them, reads them, hands out the days.

One task answers for up to 92 days. The ledger knows which are open, so that a second run joins a task instead of asking again, and a crash
costs at most the task in hand. A run waits only so long; what is not ready by then is left to the sensor, in words.
What a state means is decided in `task_decisions.py`; what rows mean in `transform.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from logging import Logger
from typing import Any

from analytics_assets.clock import Clock
from analytics_assets.dates import spans
from analytics_assets.errors import AwaitedError, SourceError, TransientError, UnexpectedPayloadError
from analytics_assets.http.meter import Meter
from analytics_assets.lake.raw import RawDay
from analytics_assets.lake.store import Lake
from analytics_assets.sources.airbridge.client import QUERY, TASK, AirbridgeClient
from analytics_assets.sources.airbridge.declared import refuse_other_count
from analytics_assets.sources.airbridge.report_days import FinishedTask, ReportDays
from analytics_assets.sources.airbridge.report_spec import ReportSpec, body, spec_hash
from analytics_assets.sources.airbridge.request_leases import REPEAT_S, RequestLeases
from analytics_assets.sources.airbridge.responses import shown
from analytics_assets.sources.airbridge.tables import report_raw_table
from analytics_assets.sources.airbridge.task_decisions import (
    LOST,
    UNANSWERED,
    Collect,
    PollResult,
    RequestStop,
    TaskPolicy,
    Verdict,
    Wait,
    failed_post,
    judge,
    poll_task,
)
from analytics_assets.state.report_ledger import Ledger
from analytics_assets.state.requests import Request
from analytics_assets.state.threads import Threads

_THREADS = 4
_WRITES = 3
MEMORY_BYTES = 128 * 2**20
ReadDay = Callable[[date], RawDay]


@dataclass(frozen=True)
class Waiting:
    """How a run waits for its tasks.

    Attributes:
        wait_s: Seconds a run waits for a task before it leaves the days to the sensor.
        days_per_task: Days one task covers at most; the vendor allows 92.
        page_size: Groups read at once.
        policy: Bounds of looks and new attempts.
        memory_bytes: How much of the pages of its tasks a run holds in memory.
    """

    wait_s: float
    days_per_task: int
    page_size: int
    policy: TaskPolicy
    memory_bytes: int = MEMORY_BYTES

    def request_count(self, days: Sequence[date]) -> dict[str, int]:
        """The least requests for some days, by endpoint: a task for each span, one look that finds it ready, and one page."""
        tasks = len(list(spans(days, longest=self.days_per_task)))
        return {f"POST {QUERY}": tasks, f"GET {TASK}": 2 * tasks}


class ReportReader:
    """Reads the days of one run, a task for many of them."""

    def __init__(
        self,
        account: str,
        spec: ReportSpec,
        client: AirbridgeClient,
        *,
        ledger: Ledger,
        lake: Lake,
        waiting: Waiting,
        clock: Clock,
        owner: str,
        log: Logger,
        only: Collection[int],
        zone: str,
        accepts_totals: bool = False,
        meter: Meter | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Reads with `client`, whose requests `meter` counts, for the run `owner` a report of an app in `zone`; nothing is asked before `announce`.

        A run that the sensor requested stores the requests `only`. What another run has stored of them meanwhile is taken from the lake, and
        never requested anew. With `accepts_totals` a number of groups that differs from the declared one is stored whatever it was before.
        """
        self._only, self._zone, self._accepts_totals = only, zone, accepts_totals
        self._account, self._spec, self._client = account, spec, client
        self._ledger, self._lake, self._waiting = ledger, lake, waiting
        self._clock, self._log, self._sleep = clock, log, sleep
        self._held = RequestLeases(ledger, owner, clock=clock, sleep=sleep, log=log)
        # The ledger, the lake and the run's log are called in threads: each can be slow, and requests to the vendor go on meanwhile.
        self._threads = Threads(_THREADS)
        self._raw = report_raw_table(spec)
        self._memory_bytes = waiting.memory_bytes
        self._opening: asyncio.Future[None] | None = None
        self._request_of: dict[date, int] = {}
        self._reports: dict[int, asyncio.Future[ReadDay]] = {}
        self._collected: list[ReportDays] = []
        self._meter = meter or Meter()
        self._counted: Mapping[str, float] = {}

    def announce(self, days: Sequence[date]) -> None:
        """Joins or opens the requests that cover the days, and begins to wait for all of them at once."""
        self._opening = asyncio.ensure_future(self._open(days))

    async def _open(self, days: Sequence[date]) -> None:
        if self._only:
            left = await self._threads.call(self._ledger.days_left, self._only)
            days = [day for day in days if day in left]
        if not days:
            return
        opened = await self._threads.call(
            self._ledger.join_or_open,
            self._account,
            self._spec.name,
            spec_hash(self._spec),
            days,
            longest=self._waiting.days_per_task,
            now=self._clock(),
        )
        # Their reports are read side by side; 0 would be no bound.
        self._memory_bytes = max(1, self._waiting.memory_bytes // max(1, len(opened)))
        for request in opened:
            for day in set(request.days_left) & set(days):
                self._request_of[day] = request.id
            self._reports[request.id] = asyncio.ensure_future(
                self._report(request.id, [d for d in request.days_left if d in set(days)])
            )

    async def fetch(self, day: date) -> RawDay:
        """The raw rows of one day, with what was spent since the day read before it: a task's requests are on the first day it answers for."""
        if self._opening is not None:
            await asyncio.shield(self._opening)
        if day not in self._request_of:
            read_day: ReadDay = self._kept
        else:
            read_day = await asyncio.shield(self._reports[self._request_of[day]])
        spent = self._newly_spent()
        return replace(await self._threads.call(read_day, day), spent=spent)

    def _newly_spent(self) -> dict[str, float]:
        before, self._counted = self._counted, self._meter.spent()
        return {name: round(number - before.get(name, 0), 3) for name, number in self._counted.items()}

    def mark_stored(self, day: date) -> None:
        """Tells the ledger that a day stands in the lake."""
        if day in self._request_of:
            self._ledger.mark_stored(self._request_of[day], day, now=self._clock())

    async def close(self) -> None:
        """Stops waiting, and ends the leases once the calls that have begun are completed."""
        pending: list[asyncio.Future[Any]] = [*([self._opening] if self._opening else []), *self._reports.values()]
        for one in pending:
            one.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        await self._threads.close()
        for report in self._collected:
            report.close()
        await self._held.close()

    async def _report(self, request_id: int, days: Sequence[date]) -> ReadDay:
        """The days of a request; one that does not come to them is given back at once, so that another process can continue."""
        try:
            return await self._awaited(request_id, days)
        except SourceError:
            await self._held.release(request_id)
            raise

    async def _awaited(self, request_id: int, days: Sequence[date]) -> ReadDay:
        """Waits for a request's task and reads it; days that another run stores meanwhile are taken from the lake."""
        longest = timedelta(seconds=self._waiting.wait_s)
        until = self._clock() + longest
        is_mine = False
        while True:
            # A clock that is set back meanwhile makes the wait no longer.
            until = min(until, self._clock() + longest)
            is_held = await self._held.take(request_id)
            # Read once the lease is held: until then another process may have posted.
            request = await self._threads.call(self._ledger.get, request_id)
            if not set(days) & set(request.days_left):
                return self._kept
            if not request.is_open:
                raise TransientError(
                    f"The report request of these days was closed: {request.reason or request.state}",
                    remedy="Reload the code location if the YAML was changed, then materialize the days again.",
                )
            pause_s = self._waiting.policy.first_poll_s
            if is_held:
                step = await self._step(request, is_first=not is_mine)
                is_mine = True
                if isinstance(step, Collect):
                    return await self._collect(request, days)
                pause_s = step.seconds
            if self._clock() >= until:
                state = (await self._threads.call(self._ledger.get, request_id)).state
                raise AwaitedError(
                    f"Airbridge is still making the report {self._spec.name} ({request.first_day} to {request.last_day}, state "
                    f"{state}).",
                    remedy=f"The sensor of {self._account} stores these days when it is ready.",
                )
            await self._sleep(min(pause_s, (until - self._clock()).total_seconds()))

    async def _step(self, request: Request, *, is_first: bool) -> Wait | Collect:
        """Requests a task if there is none that can still end well, and otherwise looks at it once."""
        if request.task_id is None or (
            is_first and (request.state in {*LOST, PollResult.REFUSED} or self._is_stuck(request))
        ):
            await self._post(request)
            return Wait(self._waiting.policy.first_poll_s)
        verdict = await poll_task(self._client, request, policy=self._waiting.policy, clock=self._clock)
        return await self._recorded(verdict)

    def _is_stuck(self, request: Request) -> bool:
        """True if a person, not the sensor, requests days whose task should be stored since long: then a new one is due."""
        age_s = (self._clock() - (request.posted_at or self._clock())).total_seconds()
        is_old = age_s > self._waiting.policy.deadline_s
        return not self._only and is_old and request.state in {PollResult.SUCCESS, *UNANSWERED}

    async def _post(self, request: Request) -> None:
        try:
            await self._client.refuse_without_cost(self._spec)
            if not await self._threads.call(
                self._ledger.begin_attempt, request.id, now=self._clock(), owner=self._held.owner
            ):
                return
            handle = await self._client.request_report(body(self._spec, request.first_day, request.last_day))
        except SourceError as error:
            present = await self._threads.call(self._ledger.get, request.id)
            unread = await self._threads.call(self._ledger.count_since, request.id, PollResult.UNREAD, "POSTED")
            seen, reason = failed_post(error, unread=unread, policy=self._waiting.policy)
            await self._recorded(self._judged(present, seen, reason, error))
            raise
        await self._remember_task(request.id, handle.task_id)
        days = (request.first_day, request.last_day)
        line = "Asked Airbridge for the report %s, %s to %s; it is task %s"
        await self._threads.call(self._log.info, line, self._spec.name, *days, shown(handle.task_id))

    async def _remember_task(self, request_id: int, task_id: str) -> None:
        """Writes the id of a task; a database that fails is tried again, because the vendor has begun the task."""
        posted_at = self._clock()
        for tries_left in reversed(range(_WRITES)):
            try:
                await self._threads.call(self._ledger.posted, request_id, task_id, now=posted_at)
            except TransientError:
                if not tries_left:
                    raise
                await self._sleep(REPEAT_S)
            else:
                return

    def _judged(self, request: Request, seen: PollResult, reason: str, error: SourceError) -> Verdict:
        return judge(request, seen, reason, error, now=self._clock(), policy=self._waiting.policy)

    async def _recorded(self, verdict: Verdict) -> Wait | Collect:
        """Records a verdict; a task that cannot end well ends the wait with the reason and what happens next."""
        await self._threads.call(verdict.record, self._ledger)
        decision, request, error = verdict.decision, verdict.request, verdict.error
        if isinstance(decision, Wait | Collect):
            return decision
        days = f"{request.first_day} to {request.last_day}"
        message = f"Airbridge task {shown(request.task_id)} for {days}: {verdict.message}"
        evidence = error.evidence if error else None
        if isinstance(decision, RequestStop):
            raise (type(error) if error else TransientError)(message, remedy=verdict.remedy, evidence=evidence)
        # A response that is not as documented stays one, and its body is kept.
        kind = UnexpectedPayloadError if isinstance(error, UnexpectedPayloadError) else AwaitedError
        raise kind(message, remedy=verdict.remedy, evidence=evidence)

    async def _collect(self, request: Request, days: Sequence[date]) -> ReadDay:
        """Reads all pages of a finished task and splits them into days."""
        if request.task_id is None or request.posted_at is None:
            raise TransientError(
                f"The ledger has no task for the report request {request.id} ({request.first_day} to {request.last_day}), although one "
                f"was reported as finished.",
                remedy=f"The sensor of {self._account} requests the report again.",
            )
        task = FinishedTask(request.task_id, request.posted_at, request.first_day, request.last_day)
        memory_bytes = self._memory_bytes
        report = ReportDays(days, task, self._spec, zone=self._zone, memory_bytes=memory_bytes)
        self._collected.append(report)
        try:
            pages = await self._client.report_pages(
                task.task_id, self._waiting.page_size, take=report.take, memory_bytes=memory_bytes
            )
            line = "Airbridge task %s is ready: %d pages read."
            await self._threads.call(self._log.info, line, shown(task.task_id), len(pages))
            if not self._accepts_totals:
                checked = (self._lake, self._account, self._spec, task.task_id, pages)
                await self._threads.call(refuse_other_count, *checked)
        except UnexpectedPayloadError as error:
            await self._recorded(self._judged(request, PollResult.UNUSABLE, str(error), error))
            raise
        report.finish(pages)
        return report.day

    def _kept(self, day: date) -> RawDay:
        standing = self._lake.usable(self._account, self._raw.name, day)
        footer = None if standing is None else standing.footer
        if footer is None or footer.requested_at is None or footer.emptied_at:
            raise TransientError(
                "The day was stored by another run, but its rows are gone.", remedy="Materialize it again.", day=day
            )
        last = self._lake.last_request(self._account, self._raw.name, day, footer)
        requested_at = last.requested_at or footer.requested_at
        return RawDay(self._lake.read(self._account, self._raw, [day]), requested_at, {})
