"""One tick of an account's report sensor, without Dagster: polls the open report tasks and says which days a run can store.

The ledger is the only memory, so a lost tick or a restart changes nothing. What a status means is decided in `task_decisions.py`.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from analytics_assets.clock import Clock
from analytics_assets.dates import in_words
from analytics_assets.errors import SourceError
from analytics_assets.orchestration.source_resource import SourceResource
from analytics_assets.sources.airbridge.client import POLL_RETRIES, AirbridgeClient
from analytics_assets.sources.airbridge.report_spec import DAYS_PER_TASK
from analytics_assets.sources.airbridge.request_leases import LEASE_S
from analytics_assets.sources.airbridge.task_decisions import (
    LOST,
    RESUMES,
    UNANSWERED,
    Collect,
    PollResult,
    RequestStop,
    Resubmit,
    TaskPolicy,
    Verdict,
    Wait,
    judge,
    poll_task,
    store_runs,
)
from analytics_assets.state.rate_limit import RequestOrigin, RequestPriority
from analytics_assets.state.report_ledger import Ledger
from analytics_assets.state.requests import INTENT, Request

POLLING_S: Final = 40.0
MOST_RUNS: Final = 20
# A run can know a newer YAML than the sensor, until the code location is reloaded.
UNKNOWN_FOR: Final = timedelta(minutes=15)
_IN_FLIGHT: Final = 16
_STORE_RUN_PAUSE_S: Final = 60.0
_LONGEST_STORE_RUN_PAUSE_S: Final = 3600.0
_SITUATIONS: Final = {Collect: "ready", Wait: "waiting", Resubmit: "failed", RequestStop: "paused"}


@dataclass(frozen=True)
class PolledAccount:
    """What a tick needs to know of an account.

    Attributes:
        name: The account.
        reports: The hash of what each report asks, by the report's name.
        policy: Bounds of waiting.
        days_per_run: Days a run stores at most.
        first_day: First day of its tables.
    """

    name: str
    reports: Mapping[str, str]
    policy: TaskPolicy
    days_per_run: int
    first_day: date = date.min


@dataclass
class PollSummary:
    """What one poll of the open requests has shown.

    Attributes:
        ready: Requests whose days a run should store, or request again.
        counts: How many requests were found in which situation.
        words: What went wrong, one sentence a request.
        troubled: Reports with a request that somebody should know of since this poll.
    """

    ready: list[Request] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    words: list[str] = field(default_factory=list)
    troubled: set[str] = field(default_factory=set)

    def summary(self) -> str:
        """The tick in words."""
        counts = ", ".join(f"{number} {what}" for what, number in sorted(self.counts.items()))
        return " ".join([f"Open report requests: {counts or 'none'}.", *self.words])


def poll(
    account: PolledAccount,
    resource: SourceResource[AirbridgeClient],
    ledger: Ledger,
    *,
    busy: Container[int],
    clock: Clock,
    polling_s: float = POLLING_S,
) -> tuple[PollSummary, list[tuple[str, list[date], list[Request]]]]:
    """Polls all open requests of an account; returns what was seen, and the runs to launch: report, days, requests.

    The ledger remembers those runs, so that none is launched again before a pause that grows with each.
    """
    ledger.bring_to_present(account.name, lease_s=LEASE_S, now=clock())
    for report, spec_hash in account.reports.items():
        _request_as_defined(ledger, account, report, spec_hash, clock)
    tick = PollSummary()
    to_poll = _sorted_out(account, ledger, tick, busy=busy, clock=clock)
    verdicts = asyncio.run(_poll_all(account, resource, to_poll, tick, clock, polling_s=polling_s)) if to_poll else []
    with ledger.at_once():
        for verdict in verdicts:
            _record(verdict, ledger, tick)
        runs = list(store_runs(tick.ready, longest=account.days_per_run, most=MOST_RUNS, first_day=account.first_day))
        # Once for each request, also where its days need several runs.
        for request in {request.id: request for _, _, requests in runs for request in requests}.values():
            pause = min(_LONGEST_STORE_RUN_PAUSE_S, _STORE_RUN_PAUSE_S * 2 ** min(request.store_runs, 10))
            ledger.record_store_run(request.id, now=clock(), next_poll_at=clock() + timedelta(seconds=pause))
    return tick, runs


def _request_as_defined(ledger: Ledger, account: PolledAccount, report: str, present: str, clock: Clock) -> None:
    """Requests the days of an older definition of a report with the present one."""
    stale = [one for one in ledger.open_requests(account.name, report) if one.spec_hash != present]
    if stale:
        left = sorted({day for one in stale for day in one.days_left})
        longest = min(account.days_per_run, DAYS_PER_TASK)
        # The new requests first: a crash in between leaves both open, and the next tick goes on.
        ledger.join_or_open(account.name, report, present, left, longest=longest, now=clock())
        ledger.supersede(account.name, report, but=present, now=clock())


def _sorted_out(
    account: PolledAccount, ledger: Ledger, tick: PollSummary, *, busy: Container[int], clock: Clock
) -> list[Request]:
    """Puts the open requests into the tick by what the ledger knows; returns those to poll."""
    to_poll: list[Request] = []
    for request in ledger.open_requests(account.name):
        if request.id in busy or (request.lease_until is not None and request.lease_until > clock()):
            tick.counts["in a run's hands"] += 1
        elif request.report not in account.reports:
            _pass_over(account, ledger, request, tick, clock())
        elif max(request.days_left, default=account.first_day) < account.first_day:
            why = f"these days are before the account's first day, {account.first_day}"
            ledger.close_removed(request.id, f"{why}.", now=clock())
            tick.counts["closed"] += 1
            tick.words.append(f"{request.report} {_days(request)} is closed: {why}.")
        elif request.state == PollResult.REFUSED and not ledger.has_new_key(request):
            tick.counts["paused"] += 1
            tick.words.append(f"{request.report} {_days(request)} is paused: {request.reason} {RESUMES}")
        elif request.next_poll_at is not None and request.next_poll_at > clock():
            tick.counts["waiting"] += 1
        elif request.state in {*LOST, INTENT, PollResult.REFUSED} or request.task_id is None:
            tick.counts["to be requested again"] += 1
            why = f"{request.state} ({request.reason})" if request.reason else request.state
            why = (
                f"refused before, and the key has changed since ({why})" if request.state == PollResult.REFUSED else why
            )
            tick.words.append(
                f"{request.report} {_days(request)} is requested again after attempt {request.attempts}: {why}."
            )
            tick.ready.append(request)
        elif request.state == PollResult.SUCCESS and request.store_runs >= account.policy.max_store_runs:
            why = f"it was not stored in {request.store_runs} runs; their logs say why"
            verdict = judge(request, PollResult.UNUSABLE, why, now=clock(), policy=account.policy)
            _record(verdict, ledger, tick)
        elif request.state == PollResult.SUCCESS:
            tick.counts["ready"] += 1
            tick.ready.append(request)
        else:
            to_poll.append(request)
    return to_poll


def _pass_over(account: PolledAccount, ledger: Ledger, request: Request, tick: PollSummary, now: datetime) -> None:
    """Closes a request of a report that the YAML does not have; one that is in use elsewhere waits a little."""
    why = f"defs/{account.name}/defs.yaml has no report {request.report}"
    touched = max(at for at in (request.opened_at, request.posted_at, request.polled_at) if at is not None)
    if now - touched < UNKNOWN_FOR:
        tick.counts["of an unknown report"] += 1
        tick.words.append(f"{request.report} {_days(request)}: {why}. Reload the code location if it is new there.")
        return
    ledger.close_removed(request.id, f"{why}.", now=now)
    tick.counts["closed"] += 1
    tick.words.append(
        f"{request.report} {_days(request)} is closed: {why}. If it was renamed, materialize these days under the new name."
    )


async def _poll_all(
    account: PolledAccount,
    resource: SourceResource[AirbridgeClient],
    to_poll: Collection[Request],
    tick: PollSummary,
    clock: Clock,
    *,
    polling_s: float,
) -> list[Verdict]:
    """Polls some requests at once, within the time of a tick; returns what was seen until then."""
    slots, unanswered, verdicts = asyncio.Semaphore(_IN_FLIGHT), dict[int, Request](), list[Verdict]()

    async def poll_one(client: AirbridgeClient, request: Request) -> None:
        async with slots:
            unanswered[request.id] = request
            verdicts.append(await poll_task(client, request, policy=account.policy, clock=clock))
            del unanswered[request.id]

    try:
        async with (
            resource.open(clock=clock, origin=RequestOrigin(RequestPriority.SENSOR), retries=POLL_RETRIES) as client,
            asyncio.timeout(polling_s),
        ):
            await asyncio.gather(*(poll_one(client, request) for request in to_poll))
    except TimeoutError:
        # What was polled until then is recorded all the same.
        tick.words.append(f"Looking took longer than {polling_s:g} s; the rest is looked at in the next tick.")
        reason = f"no response within {polling_s:g} s, waits for the rate limit included"
        verdicts += [
            judge(request, PollResult.TROUBLE, reason, now=clock(), policy=account.policy)
            for request in unanswered.values()
        ]
    except SourceError as error:
        # Only the opening raises: a token that is not set, an address that is refused.
        tick.words.append(str(error))
    return verdicts


def _record(verdict: Verdict, ledger: Ledger, tick: PollSummary) -> None:
    """Records a verdict in the ledger and in the tick."""
    request, decision = verdict.request, verdict.decision
    is_present = verdict.record(ledger)
    # Once: polls go on, and the check stands until a run evaluates it anew.
    if verdict.issue is not None and verdict.state != request.state:
        tick.troubled.add(request.report)
    tick.counts[_SITUATIONS[type(decision)]] += 1
    if isinstance(decision, Collect):
        # If a run has posted another task meanwhile, the days are not ready because the old task is.
        tick.ready += [request] if is_present else []
    elif verdict.remedy or verdict.state in UNANSWERED:
        tick.words.append(f"{request.report} {_days(request)}: {verdict.message} {verdict.remedy}".rstrip())


def _days(request: Request) -> str:
    return in_words(request.days_left)
