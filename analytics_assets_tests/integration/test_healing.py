"""Races, lost state and refusals: whatever happens between runs, sensor and ledger, the days are stored once and nothing is asked twice."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.lake.store import Lake
from analytics_assets.sandbox.credentials import AIRBRIDGE_API_TOKEN
from analytics_assets.sandbox.options import Options
from analytics_assets.sources.airbridge.source import AirbridgeResource
from analytics_assets_tests.integration.conftest import Place
from analytics_assets_tests.integration.driven import TASK_S, Driven, driven
from analytics_assets_tests.integration.hand_airbridge import REVENUE_COHORTS
from analytics_assets_tests.integration.hand_world import D11, DAYS, NOW, hand_world
from analytics_assets_tests.integration.running import FIRST, LAST, SEOUL_APP, failure_words, in_order, report, rows
from analytics_assets_tests.integration.server import POST_REPORT, READ_REPORT, REPORT

COHORTS = dg.AssetKey(["airbridge", "revenue_cohorts"])


@pytest.fixture
def account(point: Callable[[str], Place], instance: dg.DagsterInstance) -> Iterator[Driven]:
    """The world on paper; tasks take twenty seconds, and runs do not wait for them."""
    spec = replace(report("revenue", "app_revenue", "cumulative", intervals=2), settle_days=0)
    with driven(NOW, point, instance, report=spec, options=Options(task_seconds=TASK_S), world=hand_world()) as one:
        yield one


def stored(account: Driven) -> bool:
    """True if the truth stands, and nothing was restated."""
    assert in_order(rows(account.place.lake, "airbridge", "revenue_cohorts")) == in_order(REVENUE_COHORTS)
    return rows(account.place.lake, "airbridge", "revenue_restatements") == []


def copied(source: Path, target: Path) -> None:
    """A copy of the state database as a backup tool makes it."""
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


def test_two_backfills_over_overlapping_days_share_the_open_task(account: Driven) -> None:
    """The second requests the day that no open task covers, and no day is requested twice."""
    account.materialize(DAYS[:2])
    account.materialize(DAYS[1:])
    assert account.sandbox.counts()[POST_REPORT] == 2
    # Both are ready in one tick, and their days are adjacent: one run.
    assert account.settle() == 1
    assert stored(account)
    assert account.sandbox.counts()[POST_REPORT] == 2


def test_a_backfill_that_is_quicker_than_the_sensors_run_leaves_it_nothing_to_ask(account: Driven) -> None:
    """The sensor's run finds the days stored: it logs them as they stand and posts no task of its own."""
    account.materialize(DAYS)
    account.pass_seconds(TASK_S)
    [request], _, _ = account.tick()
    assert account.materialize(DAYS).success
    before = account.sandbox.counts()
    late = account.execute(request)
    assert late.success, failure_words(late)
    assert account.sandbox.counts() == before
    assert before[POST_REPORT] == 1
    assert stored(account)


def test_a_ledger_restored_from_a_backup_lands_its_older_task_and_replaces_nothing(account: Driven) -> None:
    """The task of the backup is read again, found older than what stands, and closed; no task is posted."""
    path = Path(account.place.state.removeprefix("sqlite:///"))
    account.materialize(DAYS)
    copied(path, path.with_name("backup.db"))
    account.settle()
    account.pass_seconds(3600)
    account.materialize(DAYS)
    account.settle()
    assert account.sandbox.counts()[POST_REPORT] == 2
    files = sorted((account.place.lake / "airbridge/revenue_raw").glob("dt=*/data.parquet"))
    newest = [file.read_bytes() for file in files]

    account.forget_connections()
    for old in path.parent.glob("state.db*"):
        old.unlink()
    copied(path.with_name("backup.db"), path)
    assert [one.state for one in account.ledger.open_requests("airbridge")] == ["POSTED"]
    assert account.settle() == 1

    assert account.ledger.open_requests("airbridge") == []
    assert [file.read_bytes() for file in files] == newest
    assert account.sandbox.counts()[POST_REPORT] == 2
    assert stored(account)


def test_a_deleted_run_history_and_a_wiped_cursor_change_nothing(account: Driven) -> None:
    """The ledger knows what is open; the sensor reads neither."""
    account.materialize(DAYS)
    for run in account.instance.get_runs():
        account.instance.delete_run(run.run_id)
    account.pass_seconds(TASK_S)
    [request], _, _ = account.tick()
    assert account.execute(request).success
    assert stored(account)
    assert account.sandbox.counts()[POST_REPORT] == 1


@pytest.mark.parametrize("table", ["revenue_raw", "revenue_cohorts"])
def test_a_file_removed_by_hand_comes_back_with_the_next_schedule(account: Driven, table: str) -> None:
    """The schedule asks from that day on, though it is settled."""
    account.materialize(DAYS)
    account.settle()
    account.pass_seconds(24 * 3600)
    [usual] = account.schedule()
    assert (usual.tags[FIRST], usual.tags[LAST]) == ("2025-06-12", "2025-06-14")

    Path(Lake(str(account.place.lake)).path("airbridge", table, D11)).unlink()
    [request] = account.schedule()
    assert (request.tags[FIRST], request.tags[LAST]) == ("2025-06-11", "2025-06-14")
    account.execute(request)
    account.settle()
    assert Lake(str(account.place.lake)).days("airbridge", table) == [*DAYS, date(2025, 6, 13), date(2025, 6, 14)]


def refused(account: Driven) -> None:
    """Three days whose task is refused with 401."""
    account.sandbox.spoil(kind="status", vendor="airbridge", endpoint=f"POST {REPORT}", status=401)
    assert not account.materialize(DAYS).success
    account.sandbox.forget()


def latest_check(account: Driven) -> dg.AssetCheckEvaluation:
    """The last evaluation of whether reports arrive."""
    key = dg.AssetCheckKey(COHORTS, "reports_arrive")
    [record] = account.instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert record.event is not None
    assert record.event.dagster_event is not None
    return record.event.dagster_event.asset_check_evaluation_data


def test_a_pause_ends_by_itself_when_the_key_changes(account: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    """The vendor refuses the one key and takes the other: the first is not tried again, an hour later; the second is, once."""
    for name, value in (("MODE", "live"), ("BUDGET", "off")):
        monkeypatch.setenv(f"ANALYTICS_{name}", value)
    account.resource = AirbridgeResource(app_name=SEOUL_APP.name, base_url=f"{account.sandbox.url}/airbridge")
    monkeypatch.setenv("AIRBRIDGE_API_TOKEN", "a-key-that-was-withdrawn")
    assert not account.materialize(DAYS).success
    assert account.sandbox.answered(POST_REPORT) == {401: 1}
    account.sandbox.forget()
    account.pass_seconds(3600)
    requests, words, _ = account.tick()
    assert (requests, account.sandbox.counts()) == ([], {})
    assert "1 paused" in words
    warned = latest_check(account)
    assert (warned.passed, warned.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert (warned.description or "").startswith("2025-06-10 to 2025-06-12: REFUSED in attempt 1 (Airbridge POST ")
    assert "HTTP 401" in (warned.description or "")

    monkeypatch.setenv("AIRBRIDGE_API_TOKEN", AIRBRIDGE_API_TOKEN)
    [request], _, _ = account.tick()
    account.execute(request)
    account.settle()
    assert stored(account)
    assert account.sandbox.answered(POST_REPORT) == {200: 1}
    assert latest_check(account).passed


def test_a_pause_ends_by_itself_when_the_report_changes(account: Driven) -> None:
    """The days of the refused request are requested as the report is written now."""
    refused(account)
    account.report = report("revenue", "app_revenue", "cumulative", intervals=1)
    account.settle()
    assert account.sandbox.counts()[POST_REPORT] == 1
    expected = [row for row in REVENUE_COHORTS if row["days_since_start"] <= 1]
    assert in_order(rows(account.place.lake, "airbridge", "revenue_cohorts")) == in_order(expected)
    assert account.ledger.open_requests("airbridge") == []


def test_a_look_that_is_refused_warns_at_once(account: Driven) -> None:
    """The tick itself evaluates the check of the cohorts, with days and reason; later ticks say it in words alone."""
    account.materialize(DAYS)
    account.sandbox.spoil(kind="status", vendor="airbridge", endpoint=f"GET {REPORT}/{{task_id}}", status=403)
    account.pass_seconds(TASK_S)
    requests, words, [warning] = account.tick()
    assert requests == []
    assert (warning.asset_key, warning.check_name, warning.passed) == (COHORTS, "reports_arrive", False)
    assert (warning.description or "").startswith("2025-06-10 to 2025-06-12: REFUSED in attempt 1 (Airbridge GET ")
    assert "Nothing more is requested until this is fixed." in words
    account.sandbox.mend()
    looks = account.sandbox.counts()[READ_REPORT]
    account.pass_seconds(3600)
    assert account.tick()[2] == []
    assert account.sandbox.counts()[READ_REPORT] == looks


def test_a_resource_without_a_key_resumes_nothing(account: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    """No key is not another key; the ledger itself can be read without one."""
    refused(account)
    monkeypatch.setenv("ANALYTICS_MODE", "live")
    ledger = AirbridgeResource(app_name="myapp").ledger()
    [paused] = ledger.open_requests("airbridge")
    assert paused.key_mark is not None
    assert not ledger.has_new_key(paused)
