"""Issues of an account, a report or a table that is no longer configured are closed."""

from datetime import UTC, date, datetime, timedelta

import dagster as dg

from analytics_assets.errors import TransientError
from analytics_assets.sources.airbridge.task_decisions import PollResult, TaskPolicy, judge
from analytics_assets_tests.operations.alerts.receivers import Receiver
from analytics_assets_tests.operations.alerts.scene import Scene

NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)


def fails(scene: Scene, report: str) -> int:
    """A report whose third task has failed; the number of its request."""
    [request] = scene.ledger.join_or_open("shop", report, "a", [date(2026, 5, 1)], longest=92, now=NOW)
    for _ in range(3):
        scene.ledger.begin_attempt(request.id, now=NOW)
    attempt = scene.ledger.get(request.id)
    judge(attempt, PollResult.FAILURE, "too large", now=NOW, policy=TaskPolicy()).record(scene.ledger)
    return request.id


def test_issues_of_a_removed_account_are_closed_without_a_message(scene: Scene, receiver: Receiver) -> None:
    """A failed run, a check and a report task."""
    scene.evaluates("numbers", "volume", passed=False, description="3 rows, 60 before.")
    scene.fails({1: TransientError("HTTP 503")}, days=2)
    fails(scene, "revenue")
    assert (scene.tick(), len(scene.log.open_issues())) == ("3 new, 3 sent.", 3)
    scene.loaded = dg.Definitions(assets=[dg.AssetSpec(["another", "table"])]).get_repository_def()

    assert (scene.tick(), scene.log.open_issues()) == ("0 new, 0 sent.", [])

    scene.later = timedelta(hours=25)
    assert (scene.tick(), len(receiver.posts)) == ("0 new, 0 sent.", 3)


def test_a_request_of_a_removed_report_is_no_issue(scene: Scene, receiver: Receiver) -> None:
    """The issue of the other report is closed once its days are stored."""
    fails(scene, "its_old_name")
    kept = fails(scene, "revenue")
    assert scene.tick() == "1 new, 1 sent."
    scene.ledger.mark_stored(kept, date(2026, 5, 1), now=NOW)
    assert (scene.tick(), scene.log.open_issues()) == ("0 new, 0 sent.", [])
    assert receiver.titles() == ["[sandbox] shop/revenue: report task FAILURE in attempt 3"]
