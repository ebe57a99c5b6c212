"""Checks under Dagster: at the end of runs, before a failure, and alone over the lake."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from analytics_assets.checks.check import Check, CheckContext, CheckResult, CheckResults
from analytics_assets.errors import PermanentError
from analytics_assets.orchestration.asset_checks import verdict
from analytics_assets_tests.lake.vendor import NUMBERS
from analytics_assets_tests.shop import TABLES, Shop, span

BAD = date(2026, 3, 3)
FIRST = date(2026, 3, 1)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """An account whose runs are kept in memory; its last partition is 10 March."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield Shop(tmp_path / "lake", instance)


def table_of(evaluation: dg.AssetCheckEvaluation) -> list[tuple[Any, ...]]:
    """Day, level and finding of each row in an evaluation's table."""
    shown = evaluation.metadata["days"]
    assert isinstance(shown, dg.TableMetadataValue)
    return [(row.data["day"], row.data["level"], row.data["finding"]) for row in shown.records]


def test_a_run_says_of_each_of_its_days_what_was_found_before_it_fails(shop: Shop) -> None:
    """On every table of the stream, with the reason, the place of the response and the remedy."""
    shop.vendor.answers = {BAD: ["not a number"]}
    run = shop.run(span("01", "04"))
    assert run.status == dg.DagsterRunStatus.FAILURE
    [kept] = (shop.folder / "_quarantine/shop").iterdir()
    reason = f"numbers: not a number. The response is kept in {kept}."
    verdicts = shop.verdicts(run.run_id)
    assert {table for table, name in verdicts if name == "days_stored"} == set(TABLES)
    for table in TABLES:
        evaluation = verdicts[table, "days_stored"]
        assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.ERROR)
        assert (evaluation.description or "").startswith(f"2026-03-03: {reason} Read the reason;")
        assert table_of(evaluation) == [
            ("2026-03-01", "fine", ""),
            ("2026-03-02", "fine", ""),
            ("2026-03-03", "error", reason),
            ("2026-03-04", "fine", ""),
        ]
    [measured] = {row.data["measured"] for row in verdicts["sums", "days_stored"].metadata["days"].records[:2]}  # type: ignore[union-attr]
    assert measured == "rows 1"


def test_a_check_that_breaks_fails_alone(shop: Shop) -> None:
    """While it looks, or with what it found: the other checks of the run and of the daily job are evaluated."""

    def broken(_look: CheckContext) -> CheckResults:
        return {FIRST: CheckResult(str({}["value"]))}

    def unsayable(_look: CheckContext) -> CheckResults:
        return {FIRST: CheckResult("too much", "warning", {"measured": [1]})}  # type: ignore[dict-item]

    shop.checks = [
        Check("broken", "numbers", "It breaks.", "Read the log.", broken),
        Check("unsayable", "sums", "It breaks.", "Read the log.", unsayable),
    ]
    run = shop.run(span("01", "01"))
    daily = shop.look()
    assert (run.status, daily.success) == (dg.DagsterRunStatus.SUCCESS, True)
    for verdicts in (shop.verdicts(run.run_id), shop.verdicts(daily.run_id)):
        words = "the check failed with KeyError ('value'); the run's log has the traceback"
        assert verdicts["numbers", "broken"].description == f"not evaluated: {words}. Read the log."
        assert "the check failed with TypeError" in (verdicts["sums", "unsayable"].description or "")
        assert [one.passed for (_, name), one in verdicts.items() if name == "days_stored"] == [True] * 3


@pytest.mark.parametrize("content", ["empty", "of another table"])
def test_a_file_that_is_no_day_fails_the_checks_that_read_it(shop: Shop, content: str) -> None:
    """The daily job goes on; `days_stored` names path and day."""
    shop.run(span("01", "02"))
    path = Path(shop.lake.path("shop", "numbers", FIRST))
    other = Path(shop.lake.path("shop", "sums", FIRST))
    path.write_bytes(b"" if content == "empty" else other.read_bytes())
    shop.checks = [
        Check(
            "sum",
            "numbers",
            "Sums.",
            "Sum.",
            lambda look: {FIRST: CheckResult(str(look.read(NUMBERS, FIRST).num_rows))},
        ),
        Check("fine", "sums", "Fine.", "Nothing.", lambda _look: {FIRST: CheckResult()}),
    ]
    daily = shop.look()
    assert daily.success
    verdicts = shop.verdicts(daily.run_id)
    for table, name in (("numbers", "days_stored"), ("numbers", "sum")):
        assert not verdicts[table, name].passed
        assert f"{path} cannot be used: " in (verdicts[table, name].description or "")
    assert verdicts["sums", "fine"].passed
    assert verdicts["sums", "days_stored"].passed


def test_checks_alone_ask_nobody_and_say_of_the_lake_what_the_run_said(shop: Shop) -> None:
    """No request, no materialization; one history with the run's evaluation; the red day is told until it is stored."""
    shop.vendor.answers = {BAD: ["not a number"]}
    shop.run(span("01", "04"))
    shop.vendor.asked.clear()

    alone = shop.look()

    assert alone.success
    assert (shop.vendor.asked, alone.get_asset_materialization_events()) == ([], [])
    landing, newest = (shop.verdicts(alone.run_id)["numbers", name] for name in ("days_stored", "latest_day_stored"))
    red = "the last run that requested it did not store it; its error names the reason"
    assert [row for row in table_of(landing) if row[1] != "fine"] == [("2026-03-03", "error", red)]
    missing = [(day, level) for day, level, _ in table_of(newest)]
    assert missing == [("2026-03-03", "warning"), *((f"2026-03-{day:02}", "error") for day in range(5, 11))]
    assert (newest.description or "").startswith(
        "2026-03-03: missing; could be stored since 2026-03-04 02:00 UTC; "
        "2026-03-05 to 2026-03-10: missing; could be stored since 2026-03-06 02:00 UTC. See whether"
    )
    history = shop.instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(landing.asset_key, "days_stored"),
        limit=9,
        status={AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED},
    )
    assert len(history) == 2

    shop.vendor.answers = {}
    shop.run(span("03", "10"))
    verdicts = shop.verdicts(shop.look().run_id)
    assert {key: one.description for key, one in verdicts.items() if not one.passed} == {}
    assert set(verdicts) == {(table, name) for table in TABLES for name in ("days_stored", "latest_day_stored")}


def test_every_check_can_be_executed_by_itself(shop: Shop) -> None:
    """Which is when Dagster offers a button for it; nothing else is evaluated then."""
    shop.run(span("01", "02"))
    job = shop.job("checks_daily")
    keys = job.asset_layer.asset_graph.asset_check_keys
    assert {key: set(job.asset_layer.asset_graph.get_execution_set_asset_and_check_keys(key)) for key in keys} == {
        key: {key} for key in keys
    }
    chosen = dg.AssetCheckKey(dg.AssetKey(["shop", "sums"]), "days_stored")
    result = job.get_subset(asset_check_selection={chosen}).execute_in_process(instance=shop.instance)
    assert list(shop.verdicts(result.run_id)) == [("sums", "days_stored")]


def test_an_account_that_cannot_be_opened_fails_the_check_of_every_day(shop: Shop) -> None:
    """Days that share a reason share its words."""
    shop.variable = "SHOP_KEY"
    evaluation = shop.verdicts(shop.run(span("01", "03")).run_id)["numbers", "days_stored"]
    assert (evaluation.description or "").startswith(
        "2026-03-01 to 2026-03-03: The environment variable SHOP_KEY is not set."
    )


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermanentError("No such column."), "No such column."),
        (pa.ArrowInvalid("No magic bytes."), "a file of the lake cannot be read: No magic bytes."),
    ],
)
def test_a_check_that_cannot_read_the_lake_fails_and_the_others_go_on(shop: Shop, error: Exception, words: str) -> None:
    """Its words are the error's, and the run does not fail by it."""

    def find(_look: CheckContext) -> CheckResults:
        raise error

    shop.checks = [Check("is_readable", "numbers", "It is not.", "Fix it.", find)]
    run = shop.run(span("01", "01"))
    assert run.status == dg.DagsterRunStatus.SUCCESS
    verdicts = shop.verdicts(run.run_id)
    unreadable = verdicts["numbers", "is_readable"]
    assert (unreadable.passed, unreadable.severity, unreadable.description) == (
        False,
        dg.AssetCheckSeverity.ERROR,
        f"not evaluated: {words} Fix it.",
    )
    assert verdicts["numbers", "days_stored"].passed


CHECK = Check("of_a_test", "numbers", "It means this.", "Do that.", lambda _look: {})


def test_warnings_alone_warn_and_what_is_only_told_passes() -> None:
    """Words of what passes are shown where nothing fails."""
    told = {FIRST: CheckResult("told", "information"), BAD: CheckResult()}
    assert [verdict(CHECK, told)[name] for name in ("passed", "description")] == [True, "2026-03-01: told"]
    warned = verdict(CHECK, {**told, BAD: CheckResult("odd", "warning", {"rows": 7, "at": "noon"})})
    assert [warned[name] for name in ("passed", "severity", "description")] == [
        False,
        dg.AssetCheckSeverity.WARN,
        "2026-03-03: odd. Do that.",
    ]
    assert [row.data["measured"] for row in warned["metadata"]["days"].records] == ["", "rows 7, at noon"]
    nothing = verdict(CHECK, {})
    assert (nothing["passed"], nothing["description"], list(nothing["metadata"])) == (True, None, ["days_looked_at"])


def test_of_many_causes_the_newest_are_told_and_the_rest_counted() -> None:
    """The table has them all, up to its bound."""
    days = [FIRST + timedelta(days=number) for number in range(500)]
    said = verdict(CHECK, {day: CheckResult(f"odd {number}", "error") for number, day in enumerate(days)})
    assert said["description"] == (
        "; ".join(f"{days[number]}: odd {number}" for number in range(495, 500))
        + "; and 495 more, see `days`. Do that."
    )
    assert [row.data["day"] for row in said["metadata"]["days"].records] == [str(day) for day in days[100:]]
