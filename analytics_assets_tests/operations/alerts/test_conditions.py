"""Report tasks, checks and late days are sent once, again once a day, and as a new issue when they come back."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned

from analytics_assets.errors import AccessRefusedError, PermanentError, SourceError
from analytics_assets.sources.airbridge.source import TasksConfig
from analytics_assets.sources.airbridge.task_decisions import PollResult, TaskPolicy, judge
from analytics_assets.state.alert_log import IssueKind
from analytics_assets_tests.operations.alerts.receivers import Receiver
from analytics_assets_tests.operations.alerts.scene import Scene
from analytics_assets_tests.shop import table_key

NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)
REFUSED = "Airbridge POST /reports: HTTP 401 (Unauthorized). The credentials are refused: check AIRBRIDGE_API_TOKEN."
WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR


def test_one_refusal_pauses_many_tasks_and_is_one_message(scene: Scene, receiver: Receiver) -> None:
    """It names each report with its days and the vendor's words; a task refused later with the key adds nothing, another refusal is new."""
    refusal = AccessRefusedError(REFUSED)

    def refused(report: str, day: date, error: SourceError) -> None:
        [request] = scene.ledger.join_or_open("shop", report, "a", [day], longest=92, now=NOW)
        judge(request, PollResult.REFUSED, str(error), error, now=NOW, policy=TaskPolicy()).record(scene.ledger)

    for report in ("revenue", "users"):
        refused(report, date(2026, 5, 1), refusal)
    assert [scene.tick(), scene.tick()] == ["1 new, 1 sent.", "0 new, 0 sent."]
    refused("users", date(2026, 5, 2), refusal)
    assert scene.tick() == "0 new, 0 sent."
    refused("users", date(2026, 5, 3), PermanentError("HTTP 400 (no such metric)."))
    assert scene.tick() == "1 new, 1 sent."
    parts = [
        f"shop/{report}: the report task is paused.\n"
        f"2026-05-01: {REFUSED}\n"
        "Next: It resumes when the key or the report is changed; or materialize the days to ask again.\n"
        f"Look: http://dagster.example.com/assets/shop/{report}_tasks"
        for report in ("revenue", "users")
    ]
    assert receiver.titles()[1:] == ["[sandbox] shop/users: the report task is paused"]
    assert [(post["title"], post["message"], post["type"]) for post in receiver.posts[:1]] == [
        ("[sandbox] shop: report tasks do not arrive (shop/revenue, shop/users)", "\n\n".join(parts), "failure")
    ]


def test_a_task_that_fails_again_and_again_is_sent_from_the_third_attempt(scene: Scene, receiver: Receiver) -> None:
    """Once; between two attempts it stays open. A day later it is sent again, and when its days are stored it is over."""
    ledger, policy = scene.ledger, TaskPolicy(first_pause_s=30)
    [request] = ledger.join_or_open("shop", "revenue", "a", [date(2026, 5, 1)], longest=92, now=NOW)

    def fails(reason: str) -> None:
        ledger.begin_attempt(request.id, now=NOW)
        scene.tick()
        judge(ledger.get(request.id), PollResult.FAILURE, reason, now=NOW, policy=policy).record(ledger)
        scene.tick()

    for reason in ("Internal error", "Internal error 2"):
        fails(reason)
    assert receiver.posts == []
    for reason in ("Internal error 3", "Something else"):
        fails(reason)
    assert receiver.titles() == ["[sandbox] shop/revenue: report task FAILURE in attempt 3"]
    assert receiver.posts[0]["message"].splitlines()[1:3] == [
        "2026-05-01: Internal error 3",
        "Next: The sensor requests a new task at 2026-06-01 08:02 UTC.",
    ]
    scene.later = timedelta(hours=25)
    assert [scene.tick(), scene.tick()] == ["0 new, 1 sent.", "0 new, 0 sent."]
    assert receiver.titles()[1:] == ["[sandbox] Still: shop/revenue: report task FAILURE in attempt 4"]
    ledger.begin_attempt(request.id, now=NOW)
    scene.tick()
    assert len(scene.log.open_issues()) == 1
    ledger.mark_stored(request.id, date(2026, 5, 1), now=NOW)
    assert (scene.tick(), scene.log.open_issues()) == ("0 new, 0 sent.", [])


def test_the_account_says_after_how_many_failures_a_task_is_sent(scene: Scene, receiver: Receiver) -> None:
    """`tasks.alert_after_failures` of its YAML."""
    policy = TasksConfig(alert_after_failures=1).policy()
    [request] = scene.ledger.join_or_open("shop", "revenue", "a", [date(2026, 5, 1)], longest=92, now=NOW)
    scene.ledger.begin_attempt(request.id, now=NOW)
    judge(scene.ledger.get(request.id), PollResult.FAILURE, "Internal error", now=NOW, policy=policy).record(
        scene.ledger
    )
    assert scene.tick() == "1 new, 1 sent."


def test_a_check_is_told_when_it_fails_and_again_only_after_it_has_passed(scene: Scene, receiver: Receiver) -> None:
    """With the severity it has; the same check of two tables is one message."""
    for table in ("numbers", "sums"):
        scene.evaluates(table, "volume", passed=False, severity=WARN, description=f"{table}: 3 rows, 60 before.")
    assert [scene.tick(), scene.tick()] == ["2 new, 1 sent.", "0 new, 0 sent."]
    parts = [
        f"shop/{table}: check volume failed.\n"
        f"{table}: 3 rows, 60 before.\n"
        "Next: Nothing is held back; the check is evaluated again when the table is.\n"
        f"Look: http://dagster.example.com/assets/shop/{table}?view=checks"
        for table in ("numbers", "sums")
    ]
    assert [(post["title"], post["message"], post["type"]) for post in receiver.posts] == [
        ("[sandbox] shop: checks failed (shop/numbers, shop/sums)", "\n\n".join(parts), "warning")
    ]
    scene.evaluates("numbers", "volume", passed=True)
    assert scene.tick() == "0 new, 0 sent."
    scene.evaluates("numbers", "volume", passed=False, severity=ERROR, description="No rows.")
    assert scene.tick() == "1 new, 1 sent."
    assert (receiver.posts[-1]["title"], receiver.posts[-1]["type"]) == (
        "[sandbox] shop/numbers: check volume failed",
        "failure",
    )


def test_late_days_have_words_of_their_own_and_one_message_an_account(scene: Scene, receiver: Receiver) -> None:
    """As soon as it is an error: a run for older days only warns that newer ones are missing, and that is told to nobody."""
    scene.evaluates("numbers", "latest_day_stored", passed=False, severity=WARN)
    scene.evaluates("sums", "latest_day_stored", passed=False, description="2026-05-31 is missing.")
    assert scene.tick() == "1 new, 1 sent."
    assert [(post["title"], post["message"]) for post in receiver.posts] == [
        (
            "[sandbox] shop/sums: the newest final day is not stored",
            (
                "shop/sums: the newest final day is not stored.\n"
                "2026-05-31 is missing.\n"
                "Next: The schedule requests it again with its next run; or materialize the day now.\n"
                "Look: http://dagster.example.com/assets/shop/sums?view=checks"
            ),
        )
    ]


def test_a_check_counts_when_its_run_has_ended(scene: Scene, receiver: Receiver) -> None:
    """Until then its other tables may still be on their way; one that is being evaluated again is neither new nor over."""
    run = scene.instance.create_run_for_job(scene.shop.job(), status=dg.DagsterRunStatus.STARTED)

    def logs(data: dg.AssetCheckEvaluation | None) -> None:
        planned = dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED
        evaluated = dg.DagsterEventType.ASSET_CHECK_EVALUATION
        key = dg.AssetCheckKey(table_key("numbers"), "volume")
        scene.instance.report_dagster_event(
            dg.DagsterEvent(
                (evaluated if data else planned).value,
                "shop_daily",
                event_specific_data=data or AssetCheckEvaluationPlanned(asset_key=key.asset_key, check_name=key.name),
            ),
            run.run_id,
        )

    logs(None)
    logs(dg.AssetCheckEvaluation(asset_key=table_key("numbers"), check_name="volume", passed=False))
    assert (scene.tick(), receiver.posts) == ("0 new, 0 sent.", [])
    scene.instance.report_run_canceled(run)
    assert scene.tick() == "1 new, 1 sent."
    run = scene.instance.create_run_for_job(scene.shop.job(), status=dg.DagsterRunStatus.STARTED)
    logs(None)
    assert (scene.tick(), len(scene.log.open_issues())) == ("0 new, 0 sent.", 1)


def test_only_the_kinds_that_are_asked_for_are_told(scene: Scene, receiver: Receiver) -> None:
    """The others are not looked for."""
    scene.spec = replace(scene.spec, kinds=frozenset({IssueKind.LATE}))
    scene.evaluates("numbers", "volume", passed=False)
    [request] = scene.ledger.join_or_open("shop", "revenue", "a", [date(2026, 5, 1)], longest=92, now=NOW)
    judge(request, PollResult.REFUSED, REFUSED, now=NOW, policy=TaskPolicy()).record(scene.ledger)
    scene.evaluates("numbers", "latest_day_stored", passed=False)
    scene.tick()
    assert receiver.titles() == ["[sandbox] shop/numbers: the newest final day is not stored"]


def test_what_the_ledger_tells_the_check_of_it_does_not_repeat(scene: Scene, receiver: Receiver) -> None:
    """`reports_arrive` is the ledger in the UI."""
    scene.evaluates("numbers", "reports_arrive", passed=False)
    assert (scene.tick(), receiver.posts) == ("0 new, 0 sent.", [])
