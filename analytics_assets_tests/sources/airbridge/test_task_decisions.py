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
    Pause,
    Resubmit,
    Seen,
    TaskPolicy,
    Verdict,
    Wait,
    decide,
    failed_post,
    is_trouble,
    judge,
    landings,
    seen_in_look,
    seen_in_post,
)
from analytics_assets.state.requests import Request

POLICY = TaskPolicy(
    first_look_s=2,
    longest_look_s=15,
    deadline_s=900,
    patience_s=86_400,
    first_pause_s=30,
    longest_pause_s=3600,
    loud_from=3,
    most_landings=6,
)
NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
DAY = date(2026, 3, 1)

# What was seen, seconds since the task was asked for, tasks asked for so far: what to do.
TABLE: list[tuple[Seen, float, int, Decision]] = [
    (Seen.PENDING, 0, 1, Wait(2)),
    (Seen.PENDING, 40, 1, Wait(10)),
    (Seen.PENDING, 899, 1, Wait(15)),
    (Seen.PENDING, 900, 1, Resubmit(30, is_loud=False)),
    (Seen.RUNNING, 0, 1, Wait(2)),
    (Seen.RUNNING, 900, 2, Resubmit(60, is_loud=False)),
    (Seen.UNKNOWN, 10, 1, Wait(2.5)),
    (Seen.UNKNOWN, 5000, 3, Resubmit(120, is_loud=True)),
    (Seen.SUCCESS, 10, 1, Collect()),
    (Seen.SUCCESS, 90_000, 40, Collect()),
    (Seen.FAILURE, 10, 1, Resubmit(30, is_loud=False)),
    (Seen.FAILURE, 10, 2, Resubmit(60, is_loud=False)),
    (Seen.FAILURE, 10, 3, Resubmit(120, is_loud=True)),
    (Seen.FAILURE, 10, 8, Resubmit(3600, is_loud=True)),
    (Seen.FAILURE, 10, 5000, Resubmit(3600, is_loud=True)),
    (Seen.CANCELED, 10, 1, Resubmit(30, is_loud=False)),
    (Seen.FORGOTTEN, 10, 1, Resubmit(30, is_loud=False)),
    (Seen.FORGOTTEN, 90_000, 1, Resubmit(30, is_loud=False)),
    (Seen.UNPOSTED, 0, 1, Resubmit(30, is_loud=False)),
    (Seen.UNREAD, 0, 1, Resubmit(30, is_loud=False)),
    (Seen.UNREAD, 0, 3, Resubmit(120, is_loud=True)),
    (Seen.BLOCKED, 0, 1, Wait(60)),
    (Seen.BLOCKED, 600, 1, Wait(150)),
    (Seen.BLOCKED, 86_399, 1, Wait(900)),
    (Seen.BLOCKED, 86_400, 1, Resubmit(30, is_loud=False)),
    (Seen.OVERDUE, 1000, 1, Resubmit(30, is_loud=False)),
    (Seen.UNUSABLE, 40, 1, Resubmit(30, is_loud=False)),
    (Seen.UNUSABLE, 90_000, 9, Resubmit(3600, is_loud=True)),
    (Seen.TROUBLE, 0, 1, Wait(2)),
    (Seen.TROUBLE, 86_399, 1, Wait(15)),
    (Seen.TROUBLE, 86_400, 1, Resubmit(30, is_loud=False)),
    (Seen.UNSEEN, 900, 1, Wait(15)),
    (Seen.UNSEEN, 86_400, 2, Resubmit(60, is_loud=False)),
    (Seen.REFUSED, 0, 1, Pause()),
    (Seen.REFUSED, 90_000, 9, Pause()),
]


@pytest.mark.parametrize(
    ("seen", "age_s", "attempts", "expected"),
    TABLE,
    ids=[f"{row[0]} after {row[1]} s, {row[2]} tasks" for row in TABLE],
)
def test_each_state_age_and_number_of_attempts_has_one_decision(
    seen: Seen, age_s: float, attempts: int, expected: Decision
) -> None:
    """The whole table: waiting grows with the age, pauses double up to the limit, only refusals pause."""
    assert decide(seen, age_s=age_s, attempts=attempts, policy=POLICY) == expected


def test_the_table_has_every_state() -> None:
    """A new word of the vocabulary needs rows of its own."""
    assert {row[0] for row in TABLE} == set(Seen)


def test_a_task_without_an_end_is_remembered_as_overdue() -> None:
    """The vendor's PENDING would be looked at again for ever; the ledger has to say that a new task is due."""
    verdict = _judged(Seen.PENDING, age_s=901)

    assert (verdict.decision, verdict.state) == (Resubmit(30, is_loud=False), Seen.OVERDUE)
    assert verdict.next_look_at == NOW + timedelta(seconds=30)


@pytest.mark.parametrize(
    ("age_s", "expected"),
    [
        (899, (Wait(15), Seen.TROUBLE)),
        (900, (Wait(15), Seen.UNSEEN)),
        (86_400, (Resubmit(30, is_loud=False), Seen.OVERDUE)),
    ],
)
def test_looks_that_fail_are_loud_from_the_deadline_on_and_cost_a_task_after_a_day(
    age_s: float, expected: tuple[Decision, Seen]
) -> None:
    """Half a day without the vendor costs no task; one that can never be looked at must not stay for ever."""
    verdict = _judged(Seen.TROUBLE, age_s=age_s)
    assert (verdict.decision, verdict.state) == expected


# Tasks asked for so far: what somebody should know of.
LOUD: list[tuple[int, set[Seen]]] = [
    (1, {Seen.REFUSED, Seen.UNUSABLE, Seen.UNSEEN}),
    (2, {Seen.REFUSED, Seen.UNUSABLE, Seen.UNSEEN}),
    (3, {Seen.REFUSED, Seen.UNUSABLE, Seen.UNSEEN, *LOST}),
]


@pytest.mark.parametrize(("attempts", "expected"), LOUD)
def test_somebody_is_told_of_refusals_of_bad_rows_and_of_what_fails_often(attempts: int, expected: set[Seen]) -> None:
    """What a wait or the next task will mend is not worth a warning."""
    assert {seen for seen in Seen if is_trouble(seen, attempts, POLICY)} == expected


def test_the_next_look_follows_from_the_decision() -> None:
    """A wait is as long as decided; a finished report is due at once."""
    assert _judged(Seen.RUNNING, age_s=40).next_look_at == NOW + timedelta(seconds=10)
    assert _judged(Seen.SUCCESS, age_s=40).next_look_at == NOW


def _of_status(kind: type[SourceError], status: int | None) -> SourceError:
    return kind("told", evidence=Evidence("GET /x", status=status))


@pytest.mark.parametrize(
    ("error", "in_look", "in_post"),
    [
        (_of_status(PermanentError, 404), Seen.FORGOTTEN, Seen.REFUSED),
        (_of_status(PermanentError, 400), Seen.REFUSED, Seen.REFUSED),
        (_of_status(AccessRefusedError, 401), Seen.REFUSED, Seen.REFUSED),
        (_of_status(AccessRefusedError, 403), Seen.REFUSED, Seen.REFUSED),
        (_of_status(TransientError, 429), Seen.TROUBLE, Seen.UNPOSTED),
        (_of_status(TransientError, 503), Seen.TROUBLE, Seen.UNPOSTED),
        (_of_status(TransientError, 500), Seen.TROUBLE, Seen.UNREAD),
        (_of_status(TransientError, None), Seen.TROUBLE, Seen.UNREAD),
        (_of_status(UnexpectedPayloadError, 200), Seen.TROUBLE, Seen.UNREAD),
        (_of_status(UnreachableError, None), Seen.TROUBLE, Seen.UNPOSTED),
        (_of_status(BlockedError, 403), Seen.BLOCKED, Seen.UNPOSTED),
        (_of_status(BlockedError, 404), Seen.BLOCKED, Seen.UNPOSTED),
        (_of_status(BlockedError, 401), Seen.BLOCKED, Seen.UNPOSTED),
        (PermanentError("told"), Seen.REFUSED, Seen.REFUSED),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, SourceError) else str(value),
)
def test_an_error_means_something_else_in_a_look_than_in_a_request(
    error: SourceError, in_look: Seen, in_post: Seen
) -> None:
    """A task the vendor does not know is forgotten; an app it does not know is a refusal."""
    assert (seen_in_look(error), seen_in_post(error)) == (in_look, in_post)


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
        landings=0,
        opened_at=NOW,
        posted_at=NOW,
        seen_at=NOW,
        next_look_at=NOW,
        closed_at=None,
        reason=None,
        lease_owner=None,
        lease_until=None,
        days_left=left,
    )


def _judged(seen: Seen, *, age_s: float) -> Verdict:
    request = replace(_request(1, "revenue", 0), posted_at=NOW - timedelta(seconds=age_s))
    return judge(request, seen, now=NOW, policy=POLICY)


def _planned(*ready: Request, longest: int = 92, most: int = 20) -> list[tuple[str, int, int, list[int]]]:
    """Report, first and last day as offsets, and the requests of each run."""
    return [
        (report, (days[0] - DAY).days, (days[-1] - DAY).days, [request.id for request in requests])
        for report, days, requests in landings(ready, longest=longest, most=most)
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
    """A request with a gap of landed days becomes two runs, so that nothing is asked for again."""
    assert _planned(_request(1, "revenue", 0, 1, 4, 5)) == [("revenue", 0, 1, [1]), ("revenue", 4, 5, [1])]


def test_a_run_has_its_longest_and_a_tick_its_most() -> None:
    """A long range is cut into runs; what is over the number of runs waits for the next tick."""
    assert _planned(_request(1, "revenue", *range(10)), longest=4, most=2) == [
        ("revenue", 0, 3, [1]),
        ("revenue", 4, 7, [1]),
    ]


def test_a_blocked_path_is_loud_from_the_deadline_on() -> None:
    """Its looks are far apart and go on; the ledger says that nothing was seen."""
    found = [_judged(Seen.BLOCKED, age_s=age_s) for age_s in (0, 899, 900)]
    assert [(verdict.state, verdict.decision) for verdict in found] == [
        (Seen.BLOCKED, Wait(60)),
        (Seen.BLOCKED, Wait(224.75)),
        (Seen.UNSEEN, Wait(225)),
    ]
    assert [is_trouble(verdict.state, 1, POLICY) for verdict in found] == [False, False, True]


def test_requests_whose_responses_cannot_be_read_end_after_eight() -> None:
    """Each may have made a task; one that certainly made none counts for nothing."""
    lost, closed = TransientError("no complete answer."), UnreachableError("no connection.")
    assert failed_post(lost, unread=6, policy=POLICY) == (Seen.UNREAD, "no complete answer.")
    assert failed_post(lost, unread=7, policy=POLICY) == (
        Seen.REFUSED,
        f"{lost} The responses to 8 requests in a row could not be read. Each may have made a task at Airbridge, so no more are sent.",
    )
    assert failed_post(closed, unread=7, policy=POLICY) == (Seen.UNPOSTED, "no connection.")
