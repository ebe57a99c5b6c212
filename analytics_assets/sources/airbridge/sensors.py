"""The sensor of an Airbridge account: looks at all open report tasks and asks for runs that land what is ready.

A thin shell: it looks (GET), lets `report_tasks.py` decide, writes the ledger and asks for as few range runs as possible. Runs ask for tasks
and land days. Nothing depends on the cursor: the ledger is the truth, so a lost tick, a wiped cursor or a restart change nothing.
Dagster concept: sensors, https://docs.dagster.io/guides/automate/sensors ; a tick is cut at 60 s, so looking stops well before.
"""

import asyncio
from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import dagster as dg

from analytics_assets.catalogue import asset_key
from analytics_assets.checking import verdict
from analytics_assets.clock import Clock
from analytics_assets.errors import SourceError
from analytics_assets.sources.airbridge.checks import in_trouble, reports_arrive
from analytics_assets.sources.airbridge.client import AirbridgeClient
from analytics_assets.sources.airbridge.looks import looked_at
from analytics_assets.sources.airbridge.report_tasks import (
    LOST,
    REQUESTS_TAG,
    RESUMES,
    Collect,
    Resubmit,
    Seen,
    TaskPolicy,
    Verdict,
    Wait,
    is_trouble,
    judge,
    landings,
    requests_of,
)
from analytics_assets.sources.airbridge.request import DAYS_PER_TASK, ReportSpec, spec_hash
from analytics_assets.sources.airbridge.resource import AirbridgeResource
from analytics_assets.sources.airbridge.restatements import restatements_table
from analytics_assets.sources.airbridge.tables import daily_tables
from analytics_assets.spans import in_words
from analytics_assets.state.budget import Caller, Kind
from analytics_assets.state.ledger import INTENT, Ledger
from analytics_assets.state.requests import Request

LOOKING_S = 40.0
MOST_RUNS = 20
_IN_FLIGHT = 16
_UNFINISHED = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
_LANDING_PAUSE_S = 60.0
_LONGEST_LANDING_PAUSE_S = 3600.0


@dataclass
class Tick:
    """What one look at the open requests has shown.

    Attributes:
        ready: Requests whose days a run should land, or ask for anew.
        counts: How many requests were found in which situation.
        words: What went wrong, one sentence a request.
        looks: What each look has shown and come to, when, and why.
        troubled: Reports with a request that somebody should know of since this look.
    """

    ready: list[Request] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    words: list[str] = field(default_factory=list)
    looks: list[tuple[Request, Verdict, datetime, str | None]] = field(default_factory=list)
    troubled: set[str] = field(default_factory=set)

    def summary(self) -> str:
        """The tick in words."""
        counts = ", ".join(f"{number} {what}" for what, number in sorted(self.counts.items()))
        return " ".join([f"Open report requests: {counts or 'none'}.", *self.words])


def report_sensor(
    account: str, reports: Sequence[ReportSpec], *, policy: TaskPolicy, days_per_run: int, interval_s: int, clock: Clock
) -> dg.SensorDefinition:
    """The sensor of an account; runs by default."""
    keys = {
        spec.name: [asset_key(account, table.name) for table in (*daily_tables(spec), restatements_table(spec))]
        for spec in reports
    }

    @dg.sensor(
        name=f"{account}_reports",
        description=(
            f"Looks at the open report tasks of {account}: asks for a run when a report is ready, and for a new task when one failed, "
            "was cancelled or is forgotten, until every day has landed."
        ),
        asset_selection=[key for of_report in keys.values() for key in of_report],
        minimum_interval_seconds=interval_s,
        default_status=dg.DefaultSensorStatus.RUNNING,
        required_resource_keys={account},
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        resource: AirbridgeResource = getattr(context.resources, account)
        ledger = resource.ledger()
        for spec in reports:
            _ask_as_now_written(ledger, account, spec, days_per_run, clock)
        tick = asyncio.run(
            _look(
                getattr(context.resources, account),
                ledger,
                account,
                busy=_busy(context.instance),
                policy=policy,
                clock=clock,
            )
        )
        asked = []
        with ledger.at_once():
            for report, days, requests in landings(tick.ready, longest=days_per_run, most=MOST_RUNS):
                asked.append(_run(account, report, days, requests, keys[report], now=clock()))
                for request in requests:
                    pause = min(_LONGEST_LANDING_PAUSE_S, _LANDING_PAUSE_S * 2 ** min(request.landings, 10))
                    ledger.asked_landing(request.id, now=clock(), next_look_at=clock() + timedelta(seconds=pause))
        context.log.info(tick.summary())
        return dg.SensorResult(
            run_requests=asked,
            skip_reason=None if asked else dg.SkipReason(tick.summary()),
            asset_events=[_warning(ledger, account, spec, policy) for spec in reports if spec.name in tick.troubled],
        )

    return sensor


async def _look(
    resource: AirbridgeResource, ledger: Ledger, account: str, *, busy: Container[int], policy: TaskPolicy, clock: Clock
) -> Tick:
    """Looks at all open requests at once, within the time of a tick."""
    tick = Tick()
    to_look_at = _sorted_out(ledger, account, tick, busy=busy, policy=policy, clock=clock)
    if not to_look_at:
        return tick
    try:
        async with resource.open(clock=clock, caller=Caller(Kind.SENSOR)) as client, asyncio.timeout(LOOKING_S):
            slots = asyncio.Semaphore(_IN_FLIGHT)
            looks = (_look_at(client, one, tick, slots=slots, policy=policy, clock=clock) for one in to_look_at)
            await asyncio.gather(*looks)
    except TimeoutError:
        # What was looked at until then is remembered all the same.
        tick.words.append(f"Looking took longer than {LOOKING_S:.0f} s; the rest is looked at in the next tick.")
    except SourceError as error:
        # Only the opening raises: a token that is not set, an address that is refused.
        tick.words.append(str(error))
    with ledger.at_once():
        for request, verdict, seen_at, reason in tick.looks:
            is_present = ledger.saw(
                request.id,
                verdict.state,
                task_id=request.task_id,
                now=seen_at,
                next_look_at=verdict.next_look_at,
                reason=reason,
                is_refusal=verdict.state is Seen.REFUSED,
            )
            # A run has asked for another task meanwhile; its days are not ready because the old one was.
            tick.ready = [one for one in tick.ready if is_present or one.id != request.id]
    return tick


def _sorted_out(
    ledger: Ledger, account: str, tick: Tick, *, busy: Container[int], policy: TaskPolicy, clock: Clock
) -> list[Request]:
    """Puts the open requests into the tick by what the ledger knows; returns those to look at."""
    to_look_at: list[Request] = []
    for request in ledger.open_requests(account):
        if request.id in busy or (request.lease_until is not None and request.lease_until > clock()):
            tick.counts["in a run's hands"] += 1
        elif request.state == Seen.REFUSED and not ledger.has_new_key(request):
            tick.counts["paused"] += 1
            tick.words.append(f"{request.report} {_days(request)} is paused: {request.reason} {RESUMES}")
        elif request.next_look_at is not None and request.next_look_at > clock():
            tick.counts["waiting"] += 1
        elif request.state in {*LOST, INTENT, Seen.REFUSED}:
            tick.counts["to be asked for again"] += 1
            why = f"{request.state} ({request.reason})" if request.reason else request.state
            why = f"refused before, and the key has changed since ({why})" if request.state == Seen.REFUSED else why
            tick.words.append(
                f"{request.report} {_days(request)} is asked for again after attempt {request.attempts}: {why}."
            )
            tick.ready.append(request)
        elif request.state == Seen.SUCCESS and request.landings >= policy.most_landings:
            why, now = f"it did not land in {request.landings} runs; their logs say why", clock()
            said = judge(Seen.UNUSABLE, posted_at=None, attempts=request.attempts, now=now, policy=policy)
            ledger.saw(
                request.id, said.state, task_id=request.task_id, now=now, next_look_at=said.next_look_at, reason=why
            )
            tick.counts["failed"] += 1
            tick.words.append(f"{request.report} {_days(request)}: {said.state} ({why}). A new task is asked for.")
            tick.troubled.add(request.report)
        elif request.state == Seen.SUCCESS:
            tick.counts["ready"] += 1
            tick.ready.append(request)
        else:
            to_look_at.append(request)
    return to_look_at


async def _look_at(
    client: AirbridgeClient,
    request: Request,
    tick: Tick,
    *,
    slots: asyncio.Semaphore,
    policy: TaskPolicy,
    clock: Clock,
) -> None:
    assert request.task_id is not None
    async with slots:
        seen, reason, _ = await looked_at(client, request.task_id)
    now = clock()
    verdict = judge(seen, posted_at=request.posted_at, attempts=request.attempts, now=now, policy=policy)
    tick.looks.append((request, verdict, now, reason))
    decision = verdict.decision
    # Once: looks go on, and the check stands until a run evaluates it anew.
    if is_trouble(verdict.state, request.attempts, policy) and verdict.state != request.state:
        tick.troubled.add(request.report)
    said = f"{request.report} {_days(request)}: {verdict.state}" + (f" ({reason})." if reason else ".")
    if isinstance(decision, Collect):
        tick.counts["ready"] += 1
        tick.ready.append(request)
    elif isinstance(decision, Wait):
        tick.counts["waiting"] += 1
        tick.words += [said] if seen is Seen.TROUBLE else []
    elif isinstance(decision, Resubmit):
        tick.counts["failed"] += 1
        loudly = f" This was attempt {request.attempts}." if decision.is_loud else ""
        tick.words.append(f"{said} A new task is asked for in {decision.seconds:.0f} s.{loudly}")
    else:
        tick.counts["paused"] += 1
        tick.words.append(f"{said} Nothing more is asked until this is mended.")


def _ask_as_now_written(ledger: Ledger, account: str, spec: ReportSpec, longest: int, clock: Clock) -> None:
    """Days asked for with an older specification are asked for with the present one."""
    present = spec_hash(spec)
    stale = [one for one in ledger.open_requests(account, spec.name) if one.spec_hash != present]
    if stale:
        left = sorted({day for one in stale for day in one.days_left})
        # The new requests first: a crash in between leaves both open, and the next tick goes on.
        ledger.join_or_open(account, spec.name, present, left, longest=min(longest, DAYS_PER_TASK), now=clock())
        ledger.supersede(account, spec.name, but=present, now=clock())


def _warning(ledger: Ledger, account: str, spec: ReportSpec, policy: TaskPolicy) -> dg.AssetCheckEvaluation:
    """The check of the cohorts, evaluated the moment a request is in trouble; the run that lands its days evaluates it anew."""
    check = reports_arrive(account, spec, policy)
    found = in_trouble(ledger.open_requests(account, spec.name), policy)
    return dg.AssetCheckEvaluation(
        asset_key=asset_key(account, check.table), check_name=check.name, **verdict(check, found)
    )


def _run(
    account: str,
    report: str,
    days: Sequence[date],
    requests: Sequence[Request],
    keys: Sequence[dg.AssetKey],
    *,
    now: datetime,
) -> dg.RunRequest:
    """A range run that lands `days`; its key names the requests, how often they were tried, and when.

    That none is asked for twice is the ledger's doing. The instant is in the key, because a ledger restored from a backup counts anew.
    """
    tried = ",".join(f"{request.id}.{request.attempts}.{request.landings}" for request in requests)
    return dg.RunRequest(
        run_key=f"{account}/{report}/{days[0]}/{days[-1]}/{tried}/{now:%Y%m%dT%H%M%SZ}",
        asset_selection=list(keys),
        tags={
            "dagster/asset_partition_range_start": days[0].isoformat(),
            "dagster/asset_partition_range_end": days[-1].isoformat(),
            REQUESTS_TAG: ",".join(str(request.id) for request in requests),
        },
    )


def _busy(instance: dg.DagsterInstance) -> frozenset[int]:
    """The requests that a run asked for earlier is still at, or waits in the queue for."""
    runs = instance.get_runs(dg.RunsFilter(statuses=list(_UNFINISHED)))
    return frozenset(number for run in runs for number in requests_of(run.tags))


def _days(request: Request) -> str:
    return in_words(request.days_left)
