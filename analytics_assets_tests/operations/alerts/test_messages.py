"""How a message reads when there is much to say."""

from dataclasses import replace
from datetime import UTC, datetime

from analytics_assets.operations.alerts.issue import FAILURE, WARNING
from analytics_assets.operations.alerts.messages import Message, Writer
from analytics_assets.state.alert_log import IssueKey, IssueKind, Occurrence, OpenIssue

NOW = datetime(2026, 3, 1, 2, 10, 30, tzinfo=UTC)
WRITER = Writer("https://dagster.example.com", "live")


def occurrence(about: str, *reasons: str) -> Occurrence:
    """A failed run."""
    return Occurrence(FAILURE, about, "all is lost", reasons, "Wait.", "/runs/1")


def issue(*occurrences: Occurrence, sent_at: datetime | None = None, times: int = 1) -> OpenIssue:
    """An open issue with some occurrences."""
    key = IssueKey("shop", "", IssueKind.FAILURE, "TransientError")
    return OpenIssue(1, "HOOK", key, occurrences, {}, times, NOW, NOW, sent_at)


def message(*occurrences: Occurrence) -> Message:
    """The message of a new issue."""
    return WRITER.message([issue(*occurrences)])


def test_a_message_stays_short_however_many_occurrences_there_are() -> None:
    """Five parts; the others are counted. In live mode the title does not name the mode."""
    composed = message(*(occurrence(f"shop/t{number}", "Why.") for number in range(30)))
    assert composed.title == "shop: runs failed (shop/t0, shop/t1, shop/t2 and 27 more)"
    assert composed.body.endswith("\n\nAnd 25 more: shop/t5, shop/t6, shop/t7 and 22 more.")
    look = "Look: https://dagster.example.com/runs/1"
    assert composed.body.split("\n\n")[0] == f"shop/t0: all is lost.\nWhy.\nNext: Wait.\n{look}"
    assert composed.body.count(look) == 5


def test_a_repeated_failure_says_how_often_and_since_when() -> None:
    """All issues of the message are counted."""
    issues = [issue(occurrence("shop/a"), sent_at=NOW, times=3), issue(occurrence("shop/a"), sent_at=NOW, times=4)]
    composed = WRITER.message(issues)
    assert composed.title == "Again: shop: runs failed (shop/a)"
    assert composed.body.endswith("\n\n7 steps failed since 2026-03-01 02:10 UTC.")


def test_a_message_is_as_severe_as_its_worst_occurrence() -> None:
    """Red beats yellow."""
    mild = replace(occurrence("shop/a"), severity=WARNING)
    assert [message(mild).severity, message(mild, occurrence("shop/b")).severity] == [WARNING, FAILURE]
