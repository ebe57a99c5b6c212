"""What to do about a report task: every cell of the table, and the runs that ready requests become."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from analytics_assets.errors import (
    AccessRefusedError,
    BlockedError,
    Evidence,
    PermanentError,
    SourceError,
    TransientError,
    UnexpectedPayloadError,
    UnreachableError,
)
from analytics_assets.sources.airbridge.task_decisions import (
    LOST,
    Collect,
    Decision,
    PollResult,
    RequestStop,
    Resubmit,
    TaskPolicy,
    Verdict,
    Wait,
    decide,
    failed_post,
    has_issue,
    judge,
    poll_failure,
    post_failure,
    store_runs,
)
from analytics_assets.state.requests import Request

POLICY = TaskPolicy(
    first_poll_s=2,
    longest_poll_s=15,
    deadline_s=900,
    patience_s=86_400,
    first_pause_s=30,
    longest_pause_s=3600,
    loud_from=3,
    max_store_runs=6,
)
NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
DAY = date(2026, 3, 1)

# What was seen, seconds since the task was requested, tasks requested so far: what to do.
TABLE: list[tuple[PollResult, float, int, Decision]] = [
    (PollResult.PENDING, 0, 1, Wait(2)),
    (PollResult.PENDING, 40, 1, Wait(10)),
    (PollResult.PENDING, 899, 1, Wait(15)),
    (PollResult.PENDING, 900, 1, Resubmit(30, is_loud=False)),
    (PollResult.RUNNING, 0, 1, Wait(2)),
    (PollResult.RUNNING, 900, 2, Resubmit(60, is_loud=False)),
    (PollResult.UNKNOWN, 10, 1, Wait(2.5)),
    (PollResult.UNKNOWN, 5000, 3, Resubmit(120, is_loud=True)),
    (PollResult.SUCCESS, 10, 1, Collect()),
    (PollResult.SUCCESS, 90_000, 40, Collect()),
    (PollResult.FAILURE, 10, 1, Resubmit(30, is_loud=False)),
    (PollResult.FAILURE, 10, 2, Resubmit(60, is_loud=False)),
    (PollResult.FAILURE, 10, 3, Resubmit(120, is_loud=True)),
    (PollResult.FAILURE, 10, 8, Resubmit(3600, is_loud=True)),
    (PollResult.FAILURE, 10, 5000, Resubmit(3600, is_loud=True)),
    (PollResult.CANCELED, 10, 1, Resubmit(30, is_loud=False)),
    (PollResult.FORGOTTEN, 10, 1, Resubmit(30, is_loud=False)),
    (PollResult.FORGOTTEN, 90_000, 1, Resubmit(30, is_loud=False)),
    (PollResult.UNPOSTED, 0, 1, Resubmit(30, is_loud=False)),
    (PollResult.UNREAD, 0, 1, Resubmit(30, is_loud=False)),
    (PollResult.UNREAD, 0, 3, Resubmit(120, is_loud=True)),
    (PollResult.BLOCKED, 0, 1, Wait(60)),
    (PollResult.BLOCKED, 600, 1, Wait(150)),
    (PollResult.BLOCKED, 86_399, 1, Wait(900)),
    (PollResult.BLOCKED, 86_400, 1, Resubmit(30, is_loud=False)),
    (PollResult.OVERDUE, 1000, 1, Resubmit(30, is_loud=False)),
    (PollResult.UNUSABLE, 40, 1, Resubmit(30, is_loud=False)),
    (PollResult.UNUSABLE, 90_000, 9, Resubmit(3600, is_loud=True)),
    (PollResult.TROUBLE, 0, 1, Wait(2)),
    (PollResult.TROUBLE, 86_399, 1, Wait(15)),
    (PollResult.TROUBLE, 86_400, 1, Resubmit(30, is_loud=False)),
    (PollResult.UNSEEN, 900, 1, Wait(15)),
    (PollResult.UNSEEN, 86_400, 2, Resubmit(60, is_loud=False)),
    (PollResult.REFUSED, 0, 1, RequestStop()),
    (PollResult.REFUSED, 90_000, 9, RequestStop()),
]


@pytest.mark.parametrize(
    ("seen", "age_s", "attempts", "expected"),
    TABLE,
    ids=[f"{row[0]} after {row[1]} s, {row[2]} tasks" for row in TABLE],
)
def test_each_state_age_and_number_of_attempts_has_one_decision(
    seen: PollResult, age_s: float, attempts: int, expected: Decision
) -> None:
    """The whole table: waiting grows with the age, pauses double up to the limit, only refusals pause."""
    assert decide(seen, age_s=age_s, attempts=attempts, policy=POLICY) == expected


def test_the_table_has_every_state() -> None:
    """A new word of the vocabulary needs rows of its own."""
    assert {row[0] for row in TABLE} == set(PollResult)


def test_a_task_without_an_end_is_remembered_as_overdue() -> None:
    """The vendor's PENDING would be looked at again for ever; the ledger has to say that a new task is due."""
    verdict = _judged(PollResult.PENDING, age_s=901)

    assert (verdict.decision, verdict.state) == (Resubmit(30, is_loud=False), PollResult.OVERDUE)
    assert verdict.next_poll_at == NOW + timedelta(seconds=30)


@pytest.mark.parametrize(
    ("age_s", "expected"),
    [
        (899, (Wait(15), PollResult.TROUBLE)),
        (900, (Wait(15), PollResult.UNSEEN)),
        (86_400, (Resubmit(30, is_loud=False), PollResult.OVERDUE)),
    ],
)
def test_looks_that_fail_are_loud_from_the_deadline_on_and_cost_a_task_after_a_day(
    age_s: float, expected: tuple[Decision, PollResult]
) -> None:
    """Half a day without the vendor costs no task; one that can never be looked at must not stay for ever."""
    verdict = _judged(PollResult.TROUBLE, age_s=age_s)
    assert (verdict.decision, verdict.state) == expected


# Tasks requested so far: what somebody should know of.
LOUD: list[tuple[int, set[PollResult]]] = [
    (1, {PollResult.REFUSED, PollResult.UNUSABLE, PollResult.UNSEEN}),
    (2, {PollResult.REFUSED, PollResult.UNUSABLE, PollResult.UNSEEN}),
    (3, {PollResult.REFUSED, PollResult.UNUSABLE, PollResult.UNSEEN, *LOST}),
]


@pytest.mark.parametrize(("attempts", "expected"), LOUD)
def test_somebody_is_told_of_refusals_of_bad_rows_and_of_what_fails_often(
    attempts: int, expected: set[PollResult]
) -> None:
    """What a wait or the next task will fix is not worth a warning."""
    assert {seen for seen in PollResult if has_issue(seen, attempts, POLICY)} == expected


def test_the_next_look_follows_from_the_decision() -> None:
    """A wait is as long as decided; a finished report is due at once."""
    assert _judged(PollResult.RUNNING, age_s=40).next_poll_at == NOW + timedelta(seconds=10)
    assert _judged(PollResult.SUCCESS, age_s=40).next_poll_at == NOW


def _of_status(kind: type[SourceError], status: int | None) -> SourceError:
    return kind("told", evidence=Evidence("GET /x", status=status))


@pytest.mark.parametrize(
    ("error", "in_look", "in_post"),
    [
        (_of_status(PermanentError, 404), PollResult.FORGOTTEN, PollResult.REFUSED),
        (_of_status(PermanentError, 400), PollResult.REFUSED, PollResult.REFUSED),
        (_of_status(AccessRefusedError, 401), PollResult.REFUSED, PollResult.REFUSED),
        (_of_status(AccessRefusedError, 403), PollResult.REFUSED, PollResult.REFUSED),
        (_of_status(TransientError, 429), PollResult.TROUBLE, PollResult.UNPOSTED),
        (_of_status(TransientError, 503), PollResult.TROUBLE, PollResult.UNPOSTED),
        (_of_status(TransientError, 500), PollResult.TROUBLE, PollResult.UNREAD),
        (_of_status(TransientError, None), PollResult.TROUBLE, PollResult.UNREAD),
        (_of_status(UnexpectedPayloadError, 200), PollResult.TROUBLE, PollResult.UNREAD),
        (_of_status(UnreachableError, None), PollResult.TROUBLE, PollResult.UNPOSTED),
        (_of_status(BlockedError, 403), PollResult.BLOCKED, PollResult.UNPOSTED),
        (_of_status(BlockedError, 404), PollResult.BLOCKED, PollResult.UNPOSTED),
        (_of_status(BlockedError, 401), PollResult.BLOCKED, PollResult.UNPOSTED),
        (PermanentError("told"), PollResult.REFUSED, PollResult.REFUSED),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, SourceError) else str(value),
)
def test_an_error_means_something_else_in_a_look_than_in_a_request(
    error: SourceError, in_look: PollResult, in_post: PollResult
) -> None:
    """A task the vendor does not know is forgotten; an app it does not know is a refusal."""
    assert (poll_failure(error), post_failure(error)) == (in_look, in_post)


def _request(number: int, report: str, *days: int) -> Request:
    left = tuple(DAY + timedelta(days=day) for day in days)
    return Request(
        id=number,
        account="airbridge",
        report=report,
        spec_hash="hash",
        first_day=left[0],
        last_day=left[-1],
        state="SUCCESS",
        is_open=True,
        task_id=f"task-{number}",
        attempts=1,
        store_runs=0,
        opened_at=NOW,
        posted_at=NOW,
        polled_at=NOW,
        next_poll_at=NOW,
        closed_at=None,
        reason=None,
        lease_owner=None,
        lease_until=None,
        days_left=left,
    )


def _judged(seen: PollResult, *, age_s: float) -> Verdict:
    request = replace(_request(1, "revenue", 0), posted_at=NOW - timedelta(seconds=age_s))
    return judge(request, seen, now=NOW, policy=POLICY)


def _planned(*ready: Request, longest: int = 92, most: int = 20) -> list[tuple[str, int, int, list[int]]]:
    """Report, first and last day as offsets, and the requests of each run."""
    return [
        (report, (days[0] - DAY).days, (days[-1] - DAY).days, [request.id for request in requests])
        for report, days, requests in store_runs(ready, longest=longest, most=most)
    ]


def test_adjacent_days_of_a_report_share_a_run() -> None:
    """Two requests that touch are one run; a gap makes another; reports never share."""
    ready = [
        _request(2, "revenue", 3, 4),
        _request(1, "revenue", 0, 1, 2),
        _request(3, "revenue", 7),
        _request(4, "users", 5),
    ]

    assert _planned(*ready) == [("revenue", 0, 4, [2, 1]), ("revenue", 7, 7, [3]), ("users", 5, 5, [4])]


def test_days_that_have_landed_are_in_no_run() -> None:
    """A request with a gap of stored days becomes two runs, so that nothing is requested again."""
    assert _planned(_request(1, "revenue", 0, 1, 4, 5)) == [("revenue", 0, 1, [1]), ("revenue", 4, 5, [1])]


def test_a_run_has_its_longest_and_a_tick_its_most() -> None:
    """A long range is cut into runs; what is over the number of runs waits for the next tick."""
    assert _planned(_request(1, "revenue", *range(10)), longest=4, most=2) == [
        ("revenue", 0, 3, [1]),
        ("revenue", 4, 7, [1]),
    ]


def test_a_blocked_path_is_loud_from_the_deadline_on() -> None:
    """Its looks are far apart and go on; the ledger says that nothing was seen."""
    found = [_judged(PollResult.BLOCKED, age_s=age_s) for age_s in (0, 899, 900)]
    assert [(verdict.state, verdict.decision) for verdict in found] == [
        (PollResult.BLOCKED, Wait(60)),
        (PollResult.BLOCKED, Wait(224.75)),
        (PollResult.UNSEEN, Wait(225)),
    ]
    assert [has_issue(verdict.state, 1, POLICY) for verdict in found] == [False, False, True]


def test_requests_whose_responses_cannot_be_read_end_after_eight() -> None:
    """Each may have made a task; one that certainly made none counts for nothing."""
    lost, closed = TransientError("no complete answer."), UnreachableError("no connection.")
    assert failed_post(lost, unread=6, policy=POLICY) == (PollResult.UNREAD, "no complete answer.")
    assert failed_post(lost, unread=7, policy=POLICY) == (
        PollResult.REFUSED,
        f"{lost} The responses to 8 requests in a row could not be read. Each may have made a task at Airbridge, so no more are sent.",
    )
    assert failed_post(closed, unread=7, policy=POLICY) == (PollResult.UNPOSTED, "no connection.")
