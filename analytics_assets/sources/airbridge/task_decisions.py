"""What the status of a report task means, and what to do next: decided from the status, its age and the attempts.

Airbridge makes a report in the background: a task is posted, polled until it has an end, and read. `poll_task` and `Verdict` serve both the
run (`report_loader.py`) and the sensor (`polling.py`): each polls, judges and records a task the same way. Waiting and transactions are theirs.
States: vendor page "Get Report" (PENDING, RUNNING, SUCCESS, FAILURE, CANCELED); some clients write FAILED; an expired task is 404.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import islice

from analytics_assets.clock import Clock
from analytics_assets.dates import in_words, spans
from analytics_assets.errors import BlockedError, PermanentError, SourceError
from analytics_assets.http.retries import is_untaken
from analytics_assets.sources.airbridge.client import AirbridgeClient
from analytics_assets.state.report_ledger import Ledger
from analytics_assets.state.requests import NOT_USABLE, PAUSED, READY, Request

REQUESTS_TAG = "analytics/report_requests"
RESUMES = "It resumes when the key or the report is changed; or materialize the days to ask again."
_NOT_FOUND = 404


class PollResult(StrEnum):
    """What a look at a task, or the attempt to request one, has shown."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCESS = READY
    FAILURE = "FAILURE"
    CANCELED = "CANCELED"
    FORGOTTEN = "FORGOTTEN"  # 404: the vendor no longer knows the task
    UNKNOWN = "UNKNOWN"  # a word the vendor's page does not have
    TROUBLE = "TROUBLE"  # the look itself failed in a way that may pass
    BLOCKED = "BLOCKED"  # the look did not reach the vendor: a proxy, a firewall or a bot wall answered
    UNSEEN = "UNSEEN"  # looks have gone on failing beyond the deadline
    UNPOSTED = "UNPOSTED"  # requesting the task failed in a way that may pass, and made none
    UNREAD = "UNREAD"  # the response to the request for the task could not be read, so a task may exist
    OVERDUE = "OVERDUE"  # no end within the deadline
    UNUSABLE = (
        NOT_USABLE  # the rows are not a response to what was asked, or could not be stored however often they were read
    )
    REFUSED = PAUSED  # the key, the app or the request is refused


UNANSWERED = frozenset({PollResult.TROUBLE, PollResult.BLOCKED, PollResult.UNSEEN})
WORKING = frozenset({PollResult.PENDING, PollResult.RUNNING, PollResult.UNKNOWN, *UNANSWERED})
LOST = frozenset(
    {
        PollResult.FAILURE,
        PollResult.CANCELED,
        PollResult.FORGOTTEN,
        PollResult.UNPOSTED,
        PollResult.UNREAD,
        PollResult.OVERDUE,
        PollResult.UNUSABLE,
    }
)
LOUD = frozenset({PollResult.REFUSED, PollResult.UNUSABLE, PollResult.UNSEEN})


@dataclass(frozen=True)
class Wait:
    """Look again after `seconds`."""

    seconds: float


@dataclass(frozen=True)
class Collect:
    """Read the report and store its days."""


@dataclass(frozen=True)
class Resubmit:
    """Ask for a new task after `seconds`; `is_loud` when it has gone wrong often."""

    seconds: float
    is_loud: bool


@dataclass(frozen=True)
class RequestStop:
    """Ask for nothing until a person has changed the key or the report, or materializes a day."""


Decision = Wait | Collect | Resubmit | RequestStop


@dataclass(frozen=True)
class TaskPolicy:
    """Bounds of waiting for report tasks.

    Attributes:
        first_poll_s: Seconds from the request to the first look; looks then grow with the age of the task.
        longest_poll_s: No two looks are further apart; less than the sensor's interval, or a tick a moment too early would wait for the next.
        first_blocked_poll_s: Seconds to the next look at least, where the path to the vendor is blocked.
        longest_blocked_poll_s: The same at most.
        deadline_s: A task without an end after this is given up; the vendor names up to 5 minutes.
        patience_s: A task that no look gets through to is given up after this, and is loud from the deadline on.
        first_pause_s: Pause before the second task; it doubles with each attempt.
        longest_pause_s: No pause is longer.
        loud_from: Failed attempts in a row from which people are alerted.
        max_store_runs: Runs that may try to store a finished report before it counts as unusable.
        most_unread: Requests for a task in a row whose response cannot be read, before no more are sent: each may have made a task. With the
            growing pauses, 8 take half an hour.
    """

    first_poll_s: float = 2.0
    longest_poll_s: float = 10.0
    first_blocked_poll_s: float = 60.0
    longest_blocked_poll_s: float = 900.0
    deadline_s: float = 900.0
    patience_s: float = 86400.0
    first_pause_s: float = 15.0
    longest_pause_s: float = 3600.0
    loud_from: int = 3
    max_store_runs: int = 6
    most_unread: int = 8


@dataclass(frozen=True)
class Verdict:
    """The status of the present task of a request, and what to do next.

    Attributes:
        request: The request as it was before.
        decision: What to do.
        state: The status, or OVERDUE, or UNSEEN.
        at: Instant of the status.
        reason: Why, in words.
        error: The error behind the status, where one was raised.
        issue: What happens next, where people are alerted to the status; None otherwise.
    """

    request: Request
    decision: Decision
    state: PollResult
    at: datetime
    reason: str | None = None
    error: SourceError | None = None
    issue: str | None = None

    @property
    def next_poll_at(self) -> datetime:
        """Nothing is done about the request before this instant."""
        pause_s = self.decision.seconds if isinstance(self.decision, Wait | Resubmit) else 0.0
        return self.at + timedelta(seconds=pause_s)

    @property
    def message(self) -> str:
        """The state and its reason; of an attempt after several failed ones also its number."""
        is_loud = isinstance(self.decision, Resubmit) and self.decision.is_loud
        reason = f" ({self.reason})." if self.reason else "."
        return f"{self.state}{reason}" + (f" This was attempt {self.request.attempts}." if is_loud else "")

    @property
    def remedy(self) -> str:
        """What happens next where the task cannot end well; empty otherwise."""
        match self.decision:
            case Resubmit(seconds):
                return f"The sensor of {self.request.account} requests a new task in {seconds:.0f} s."
            case RequestStop():
                return "Nothing more is requested until this is fixed."
        return ""

    def record(self, ledger: Ledger) -> bool:
        """Writes the state to the ledger; False if the request is closed or has another task by now."""
        return ledger.saw(
            self.request.id,
            self.state,
            task_id=self.request.task_id,
            now=self.at,
            next_poll_at=self.next_poll_at,
            reason=self.reason,
            error=self.error,
            is_refusal=self.state is PollResult.REFUSED,
            issue=self.issue,
        )


async def poll_task(client: AirbridgeClient, request: Request, *, policy: TaskPolicy, clock: Clock) -> Verdict:
    """Polls the present task of a request once; an error of the poll is part of the verdict."""
    assert request.task_id is not None
    try:
        task = await client.report_state(request.task_id)
    except SourceError as error:
        return judge(request, poll_failure(error), str(error), error, now=clock(), policy=policy)
    return judge(request, PollResult(task.status), task.words, now=clock(), policy=policy)


def judge(
    request: Request,
    seen: PollResult,
    reason: str | None = None,
    error: SourceError | None = None,
    *,
    now: datetime,
    policy: TaskPolicy,
) -> Verdict:
    """What to do about a request whose present task has this status; see `decide`."""
    age_s = 0.0 if request.posted_at is None else (now - request.posted_at).total_seconds()
    decision = decide(seen, age_s=age_s, attempts=request.attempts, policy=policy)
    state = PollResult.UNSEEN if seen in UNANSWERED and age_s >= policy.deadline_s else seen
    state = PollResult.OVERDUE if isinstance(decision, Resubmit) and seen in WORKING else state
    verdict = Verdict(request, decision, state, now, reason, error)
    if not has_issue(state, request.attempts, policy):
        return verdict
    return replace(
        verdict,
        issue=_NEXT.get(state, f"The sensor requests a new task at {verdict.next_poll_at:%Y-%m-%d %H:%M} UTC."),
    )


def decide(seen: PollResult, *, age_s: float, attempts: int, policy: TaskPolicy) -> Decision:
    """What to do next.

    Args:
        seen: What was seen.
        age_s: Seconds since the present task was requested.
        attempts: Tasks requested so far, the present one included.
        policy: The bounds.
    """
    if seen is PollResult.SUCCESS:
        return Collect()
    if seen is PollResult.REFUSED:
        return RequestStop()
    # A look that fails says nothing about the task, so an outage costs no new one; an end, or none in time, does.
    if seen in WORKING and age_s < (policy.patience_s if seen in UNANSWERED else policy.deadline_s):
        if seen is PollResult.BLOCKED:
            return Wait(min(policy.longest_blocked_poll_s, max(policy.first_blocked_poll_s, age_s / 4)))
        return Wait(min(policy.longest_poll_s, max(policy.first_poll_s, age_s / 4)))
    pause = min(policy.longest_pause_s, policy.first_pause_s * 2 ** min(attempts - 1, 20)) if attempts else 0.0
    return Resubmit(pause, is_loud=attempts >= policy.loud_from)


def requests_of(tags: Mapping[str, str]) -> frozenset[int]:
    """The requests that the sensor asked a run to be stored, by the run's tags; none for other runs, or for a tag that a person has changed."""
    return frozenset(int(part) for part in tags.get(REQUESTS_TAG, "").split(",") if part.isascii() and part.isdigit())


_NEXT: Mapping[str, str] = {
    PollResult.REFUSED: RESUMES,
    PollResult.UNSEEN: "The sensor goes on looking, and a day after the task was requested, it requests a new one.",
}


def has_issue(state: str, attempts: int, policy: TaskPolicy) -> bool:
    """True if somebody should know: nothing comes of it by itself, the vendor's rows are at fault, or its tasks have gone wrong often."""
    return state in LOUD or (state in LOST and attempts >= policy.loud_from)


def troubles(requests: Iterable[Request]) -> dict[str, str]:
    """The days of open requests that people are alerted to: what is wrong, why, and what happens next."""
    return {
        in_words(request.days_left): f"{request.state} in attempt {request.attempts}"
        + (f" ({request.reason.removesuffix('.')}). " if request.reason else ". ")
        + request.issue
        for request in requests
        if request.issue is not None
    }


def poll_failure(error: SourceError) -> PollResult:
    """What a failed look at a task means."""
    if isinstance(error, BlockedError):
        return PollResult.BLOCKED
    if error.status == _NOT_FOUND:
        return PollResult.FORGOTTEN
    return PollResult.REFUSED if isinstance(error, PermanentError) else PollResult.TROUBLE


def post_failure(error: SourceError) -> PollResult:
    """What a failed request for a task means."""
    if isinstance(error, PermanentError):
        return PollResult.REFUSED
    return PollResult.UNPOSTED if is_untaken(error) else PollResult.UNREAD


def failed_post(error: SourceError, *, unread: int, policy: TaskPolicy) -> tuple[PollResult, str]:
    """What a failed request for a task means, and why; `unread` counts those in a row before it whose response could not be read."""
    seen, number = post_failure(error), unread + 1
    if seen is not PollResult.UNREAD or number < policy.most_unread:
        return seen, str(error)
    return PollResult.REFUSED, (
        f"{error} The responses to {number} requests in a row could not be read. Each may have made a task at Airbridge, so no more are sent."
    )


def store_runs(
    ready: Sequence[Request], *, longest: int, most: int, first_day: date = date.min
) -> Iterator[tuple[str, list[date], list[Request]]]:
    """As few range runs as the ready requests allow: report, adjacent days, and the requests these belong to.

    Only days from `first_day` on that are not stored are in a run, at most `longest` of them; at most `most` runs, by report and oldest days
    first.
    """
    found = (
        (
            report,
            days,
            [request for request in ready if request.report == report and set(days) & set(request.days_left)],
        )
        for report in sorted({request.report for request in ready})
        for days in spans(
            {day for request in ready if request.report == report for day in request.days_left if day >= first_day},
            longest=longest,
        )
    )
    yield from islice(found, most)
