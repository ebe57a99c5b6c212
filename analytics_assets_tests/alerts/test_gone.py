"""What was wrong with an account, a report or a table that is no longer configured is neither repeated nor called all clear."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from analytics_assets.errors import TransientError
from analytics_assets.state.told import Told
from analytics_assets_tests.alerts.receivers import Receiver
from analytics_assets_tests.alerts.scene import Scene

NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)


def fails(scene: Scene, report: str) -> int:
    """A report whose third task has failed; the number of its request."""
    [request] = scene.ledger.join_or_open("shop", report, "a", [date(2026, 5, 1)], longest=92, now=NOW)
    for _ in range(3):
        scene.ledger.begin_attempt(request.id, now=NOW)
    scene.ledger.saw(request.id, "FAILURE", task_id=None, now=NOW, reason="too large")
    return request.id


def test_what_was_wrong_with_a_removed_account_ends_without_a_message(scene: Scene, receiver: Receiver) -> None:
    """A failed run, a check and a report task: no cause stays open, and nothing says that they are well again."""
    scene.spec = replace(scene.spec, all_clear=True)
    scene.evaluates("numbers", "volume", passed=False, description="3 rows, 60 before.")
    scene.fails({1: TransientError("HTTP 503")}, days=2)
    fails(scene, "revenue")
    assert (scene.tick(), len(Told(scene.state).open_causes())) == ("3 new, 3 sent.", 3)
    scene.loaded = dg.Definitions(assets=[dg.AssetSpec(["another", "table"])]).get_repository_def()

    assert scene.tick() == "0 new, 0 sent."

    assert Told(scene.state).open_causes() == []
    scene.later = timedelta(hours=25)
    assert (scene.tick(), len(receiver.posts)) == ("0 new, 0 sent.", 3)


def test_a_request_of_a_removed_report_keeps_no_other_cause_open(scene: Scene, receiver: Receiver) -> None:
    """It is not told, although its task has failed often; the other report is all clear once its days are there."""
    scene.spec = replace(scene.spec, all_clear=True)
    fails(scene, "its_old_name")
    kept = fails(scene, "revenue")
    assert scene.tick() == "1 new, 1 sent."
    scene.ledger.landed(kept, date(2026, 5, 1), now=NOW)
    assert scene.tick() == "1 new, 1 sent."
    assert receiver.titles() == [
        "[sandbox] shop/revenue: report task FAILURE in attempt 3",
        "[sandbox] All clear: shop/revenue: report task FAILURE in attempt 3",
    ]
