"""The alert log in SQLite and PostgreSQL: what a destination gets, when, once, and what is dropped."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from analytics_assets.state.alert_log import AlertLog, Detection, IssueKey, IssueKind, Occurrence, OpenIssue
from analytics_assets.state.database import alert_log, engine
from analytics_assets.state.requests import as_text

NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)
DAY, MINUTE, HOUR = timedelta(days=1), timedelta(minutes=1), timedelta(hours=1)


def seen(name: str, run: str | None = None, day: str | None = None, after: int = 0) -> Detection:
    """An issue that was seen, in a failed run if one is named."""
    kind = IssueKind.FAILURE if run else IssueKind.CHECK
    occurrence = Occurrence("failure", f"shop/{name}", f"failed in {run}", ("Why.",), "Wait.", "/", ("shop/a",))
    missing = {"shop/a": {day: after}} if day else {}
    return Detection(IssueKey("shop", name, kind, "E" if run else name), occurrence, run, missing)


def record(
    log: AlertLog,
    *detections: Detection,
    over: Sequence[OpenIssue] = (),
    at: datetime = NOW,
    runs: Sequence[str] | None = None,
    kinds: Sequence[IssueKind] = tuple(IssueKind),
    destinations: Sequence[str] = ("A", "B"),
) -> int:
    """Writes what a tick has seen."""
    of_sightings = {detection.run for detection in detections if detection.run}
    read = dict.fromkeys(of_sightings if runs is None else runs, at)
    return log.record(detections, runs=read, over=over, kinds=kinds, destinations=destinations, now=at)


def claimed(log: AlertLog, destination: str = "A", at: datetime = NOW) -> list[list[str]]:
    """The occurrences of the issues of the next message."""
    issues = log.claim(destination, repeat=DAY, now=at)
    return [[occurrence.headline for occurrence in issue.occurrences] for issue in issues]


def send(log: AlertLog, destination: str = "A", at: datetime = NOW) -> list[list[str]]:
    """The same, and the destination takes the message."""
    issues = log.claim(destination, repeat=DAY, now=at)
    log.sent(issues, now=at)
    return [[occurrence.headline for occurrence in issue.occurrences] for issue in issues]


def test_a_state_is_sent_once_a_day_to_each_destination_until_it_is_over(url: str) -> None:
    """Then it is a new issue. While it is not seen, as between two evaluations, it is not repeated."""
    log = AlertLog(url)
    assert record(log, seen("a")) == 1
    assert [send(log, name) for name in "ABA"] == [[["failed in None"]], [["failed in None"]], []]
    assert (record(log, seen("a"), at=NOW + DAY / 2), send(log, at=NOW + DAY / 2)) == (0, [])
    assert (record(log, at=NOW + DAY), claimed(log, at=NOW + DAY * 1.01)) == (0, [["failed in None"]])
    record(log, over=log.open_issues())
    assert log.open_issues() == []
    assert (record(log, seen("a"), at=NOW + DAY), send(log, at=NOW + DAY)) == (1, [["failed in None"]])
    record(log, at=NOW + 3 * DAY)
    assert send(log, at=NOW + 3 * DAY) == []


def test_a_failed_run_counts_once(url: str) -> None:
    """Two daemons that read the same run add it once. What is missing is merged, the later position counts."""
    log = AlertLog(url)
    assert record(log, seen("a", "r1", "d1", 5), seen("a", "r2", "d2", 7)) == 1
    assert record(AlertLog(url), seen("a", "r1", "d1", 5), seen("b", "r1")) == 0
    assert record(log, seen("a", "r3", "d1", 9)) == 0
    issue, _ = log.open_issues()
    assert (issue.times, issue.missing) == (3, {"shop/a": {"d1": 9, "d2": 7}})
    assert [one.headline for one in issue.occurrences] == ["failed in r1", "failed in r2", "failed in r3"]


def test_a_run_that_another_daemon_has_passed_counts_once(url: str) -> None:
    """Its position is hours further by now, so the run is no longer among those it remembers."""
    log = AlertLog(url)
    record(log, seen("a", "r1"))
    record(log, runs=["r2"], at=NOW + 3 * HOUR)
    assert log.position(now=NOW + 3 * HOUR)[1] == {"r2"}
    log.record(
        [seen("b", "r1")], runs={"r1": NOW}, over=[], kinds=list(IssueKind), destinations=["A"], now=NOW + 3 * HOUR
    )
    assert [issue.times for issue in log.open_issues()] == [1]


def test_failures_after_a_message_are_kept_for_the_next(url: str) -> None:
    """Also one that comes in while the message is on its way."""
    log = AlertLog(url)
    record(log, seen("a", "r1"))
    issues = log.claim("A", repeat=DAY, now=NOW)
    record(log, seen("a", "r2"))
    log.sent(issues, now=NOW)
    assert send(log, at=NOW + DAY / 2) == []
    assert send(log, at=NOW + DAY) == [["failed in r1", "failed in r2"]]
    record(log, seen("a", "r3"), at=NOW + DAY)
    assert send(log, at=NOW + 2 * DAY) == [["failed in r3"]]
    assert send(log, at=NOW + 4 * DAY) == []


def test_runs_without_an_issue_are_taken_in_too(url: str) -> None:
    """Or they would be read in every tick."""
    log = AlertLog(url)
    record(log, runs=["r1"])
    assert log.position(now=NOW)[1] == {"r1"}


def test_the_first_tick_starts_now_and_later_ones_overlap(url: str) -> None:
    """By an hour, because clocks differ; never before the first tick, and a clock that is ahead skips nothing."""
    log = AlertLog(url)
    assert log.position(now=NOW) == (NOW, set())
    record(log, runs=["r1"], at=NOW + 10 * MINUTE)
    assert log.position(now=NOW + DAY) == (NOW, {"r1"})
    record(log, runs=["r2"], at=NOW + 5 * HOUR)
    assert log.position(now=NOW + DAY) == (NOW + 4 * HOUR, {"r2"})
    log.record(
        [], runs={"ahead": NOW + 9 * DAY}, over=[], kinds=list(IssueKind), destinations=["A"], now=NOW + 6 * HOUR
    )
    assert log.position(now=NOW + 6 * HOUR) == (NOW + 5 * HOUR, {"r2", "ahead"})


def test_an_issue_is_open_once_whatever_a_program_believes(url: str) -> None:
    """The database refuses a second row."""
    record(AlertLog(url), seen("a"), destinations=["A"])
    with engine(url).connect() as connection:
        row = connection.execute(select(alert_log).where(alert_log.c.destination == "A")).mappings().one()
    values = {name: value for name, value in row.items() if name != "id"}
    with pytest.raises(IntegrityError), engine(url).begin() as connection:
        connection.execute(insert(alert_log).values(**values))


def test_a_claimed_message_is_left_alone_until_it_arrives_fails_or_its_sender_is_dead(url: str) -> None:
    """Another destination has its own rows; one that failed comes back when it is due."""
    log = AlertLog(url)
    record(log, seen("a"), seen("b"))
    first, second = (log.claim("A", repeat=DAY, now=NOW) for _ in range(2))
    assert [issue.key.stream for issue in (*first, *second)] == ["a", "b"]
    assert claimed(log) == []
    log.sent(first, now=NOW)
    log.failed(second, "It was refused.", next_try_at=NOW + MINUTE)
    assert log.undelivered() == {"A": "1 undelivered; It was refused."}
    assert claimed(log) == []
    [again] = log.claim("A", repeat=DAY, now=NOW + MINUTE)
    assert (again.key.stream, again.tries) == ("b", 1)
    # This sender dies.
    assert [len(claimed(log, at=NOW + minutes * MINUTE)) for minutes in (2, 3)] == [0, 1]
    assert len(claimed(log, "B")) == 1


def test_what_was_tried_less_often_goes_first(url: str) -> None:
    """A message that is refused for good delays no newer issue."""
    log = AlertLog(url)
    record(log, seen("old"), destinations=["A"])
    log.failed(log.claim("A", repeat=DAY, now=NOW), "refused", next_try_at=NOW)
    record(log, seen("old"), seen("new"), destinations=["A"])
    assert [issue.key.stream for issue in log.claim("A", repeat=DAY, now=NOW)] == ["new"]


@pytest.mark.parametrize(
    ("kind", "errors", "groups"),
    [
        (IssueKind.FAILURE, ("E", "E"), 2),
        (IssueKind.TASK, ("FAILED", "FAILED"), 1),
        (IssueKind.TASK, ("FAILED", "REFUSED"), 2),
        (IssueKind.CHECK, ("volume", "volume"), 1),
        (IssueKind.CHECK, ("volume", "fields"), 2),
        (IssueKind.LATE, ("latest_day_stored", "snapshot_stored"), 1),
    ],
)
def test_which_issues_share_a_message(url: str, kind: IssueKind, errors: tuple[str, str], groups: int) -> None:
    """One check of several tables, report tasks in one state, all late tables."""
    log, occurrence = AlertLog(url), seen("a").occurrence
    keys = [IssueKey("shop", stream, kind, error) for stream, error in zip("ab", errors, strict=True)]
    record(log, *(Detection(key, occurrence) for key in keys))
    assert [len(claimed(log)) for _ in range(groups + 1)] == [2 // groups] * groups + [0]


@pytest.mark.parametrize("ahead", [DAY, 400 * DAY])
def test_a_clock_that_was_set_back_delays_nothing(url: str, ahead: timedelta) -> None:
    """Neither the repetition of an issue nor a try, beyond its longest pause."""
    log = AlertLog(url)
    record(log, seen("a"), at=NOW + ahead)
    send(log, at=NOW + ahead)
    record(log, seen("a"))
    assert send(log) == [["failed in None"]]
    log.failed(log.claim("B", repeat=DAY, now=NOW + ahead), "busy", next_try_at=NOW + 2 * HOUR)
    assert len(log.claim("B", repeat=DAY, now=NOW)) == 1


def test_an_issue_that_has_changed_since_it_was_read_is_not_closed(url: str) -> None:
    """Another daemon has seen a new failed run of it meanwhile."""
    log = AlertLog(url)
    record(log, seen("a", "r1", "d1"))
    over = log.open_issues()
    record(log, seen("a", "r2", "d1", 9), at=NOW + MINUTE)
    record(log, over=over, at=NOW + MINUTE)
    assert len(log.open_issues()) == 2


def test_rows_of_removed_destinations_and_kinds_are_dropped(url: str) -> None:
    """When failures are wanted again, they start anew; what failed meanwhile is old."""
    log = AlertLog(url)
    log.position(now=NOW)
    record(log, seen("a"), seen("b", "r1"))
    record(log, destinations=["B"])
    assert {issue.destination for issue in log.open_issues()} == {"B"}
    record(log, kinds=[IssueKind.CHECK])
    assert [(issue.destination, issue.key.kind) for issue in log.open_issues()] == [("B", IssueKind.CHECK)]
    assert log.position(now=NOW + 9 * DAY) == (NOW + 9 * DAY, set())


def test_a_failure_that_was_not_seen_for_a_month_is_dropped(url: str) -> None:
    """Such as of a run without tables; the position stays."""
    log = AlertLog(url)
    record(log, seen("a", "r1"))
    record(log, at=NOW + 31 * DAY)
    with engine(url).connect() as connection:
        [row] = connection.execute(select(alert_log)).all()
    assert (row.destination, row.occurrences) == ("", {"r1": as_text(NOW)})


def test_an_issue_keeps_a_bounded_number_of_occurrences(url: str) -> None:
    """The newest ones; all are counted."""
    log = AlertLog(url)
    record(log, *(seen("a", f"r{number}") for number in range(150)), destinations=["A"])
    [issue] = log.open_issues()
    assert (issue.times, len(issue.occurrences)) == (150, 100)
    assert issue.occurrences[-1].headline == "failed in r149"
