"""One bad day among ten turns exactly that day red on every table of its stream, and a re-execution requests that day alone.

Shipped definitions, a Dagster instance on SQLite, and a sandbox server that spoils the responses of one day. Airbridge answers all days with one
task, so there the day is spoilt inside the report: a sub-row with one value too many, as sent by a vendor that lost count.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import dagster as dg
import httpx
import pytest

from analytics_assets.clock import utc_now
from analytics_assets.orchestration.partitions import daily_partitions, end_of_utc_day
from analytics_assets.sandbox.credentials import AIRBRIDGE_API_TOKEN
from analytics_assets.sandbox.options import Options
from analytics_assets.settings import settings
from analytics_assets.sources.airbridge.report_spec import body
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.integration import jobs
from analytics_assets_tests.integration.conftest import Place
from analytics_assets_tests.integration.running import REVENUE, days_from, range_tags
from analytics_assets_tests.integration.server import POST_REPORT, READ_REPORT, REPORT, Sandbox, sandbox_server

# Final at all three vendors, and recent.
DAYS = days_from(utc_now().date() - timedelta(days=14), 10)
BAD = DAYS[4]
ALL_GREEN = {day.isoformat(): "MATERIALIZED" for day in DAYS}
ONE_RED = ALL_GREEN | {BAD.isoformat(): "FAILED"}
ADS = ("ads_raw", "ads_attribution", "ads_totals", "ads_chart")
VALUES = ("values_raw", "metric_values")
COHORTS = ("revenue_raw", "revenue_cohorts", "revenue_cohort_totals")
NONSENSE = {"message": "nothing of what was requested"}


@pytest.fixture
def sandbox(point: Callable[[str], Place]) -> Iterator[Sandbox]:
    """A sandbox server whose report tasks are ready at once, with production pointed to it."""
    with sandbox_server(Options(task_seconds=0)) as server:
        point(server.url)
        yield server


def _keys(account: str, tables: Sequence[str]) -> list[dg.AssetKey]:
    return [dg.AssetKey([account, table]) for table in tables]


def _first_attempt(
    job: Callable[[], dg.JobDefinition], instance: dg.DagsterInstance, keys: Sequence[dg.AssetKey]
) -> dg.JobExecutionResult:
    return dg.execute_job(
        dg.reconstructable(job), instance, tags=range_tags(DAYS), asset_selection=keys, raise_on_error=False
    )


def _from_failure(
    job: Callable[[], dg.JobDefinition], instance: dg.DagsterInstance, first: dg.JobExecutionResult
) -> dg.JobExecutionResult:
    """Re-executes as the UI does: the failed steps, with the tags of the run before."""
    return dg.execute_job(
        dg.reconstructable(job),
        instance,
        tags=range_tags(DAYS),
        reexecution_options=dg.ReexecutionOptions.from_failure(first.run_id, instance),
        raise_on_error=False,
    )


def _colours(instance: dg.DagsterInstance, keys: Sequence[dg.AssetKey]) -> dict[str, dict[str, str | None]]:
    """What the UI shows of each table's days."""
    partitions, days = daily_partitions(settings().start_date, end_of_utc_day), [day.isoformat() for day in DAYS]
    shown = {}
    for key in keys:
        statuses = instance.get_status_by_partition(key, days, partitions) or {}
        shown[key.path[-1]] = {day: status and status.value for day, status in statuses.items()}
    return shown


def _written(result: dg.JobExecutionResult) -> dict[str, list[str]]:
    """The days of each table whose file a run has written."""
    written: dict[str, list[str]] = {}
    for event in result.all_events:
        if event.is_step_materialization:
            stored = event.step_materialization_data.materialization
            changed = written.setdefault(stored.asset_key.path[-1], [])
            changed += [str(stored.partition)] if stored.metadata["content_changed"].value else []
    return written


def _said(result: dg.JobExecutionResult) -> str:
    [failed] = [event for event in result.all_events if event.is_step_failure]
    error = failed.step_failure_data.error
    assert error is not None
    return (error.cause or error).message


def test_a_bad_day_of_bento_is_red_alone_and_asked_for_alone(sandbox: Sandbox, instance: dg.DagsterInstance) -> None:
    """Both questions of the day are answered with nonsense; its re-execution costs two requests, one a dimension."""
    keys = _keys("bento", ADS)
    sandbox.spoil(kind="body", vendor="bento", endpoint="/stats/ads", contains=f"start_date={BAD}", body=NONSENSE)

    first = _first_attempt(jobs.bento_daily, instance, keys)

    assert _colours(instance, keys) == dict.fromkeys(ADS, ONE_RED)
    assert f"bento/ads: 1 of 10 days were not stored.\n{BAD}: " in _said(first)
    # The second question of the bad day may be taken back before it is sent.
    assert sandbox.counts()["bento GET /stats/ads"] in {19, 20}

    sandbox.forget()
    second = _from_failure(jobs.bento_daily, instance, first)

    window = f"start_date={BAD}&end_date={BAD + timedelta(days=1)}&revenue_mode=all_revenue"
    path = "/bento/api/v1/stats/ads"
    assert sorted(sandbox.requests("bento")) == [
        f"{path}?dimension=campaign&{window}",
        f"{path}?dimension=source&{window}",
    ]
    assert second.success
    assert _written(second) == {table: [BAD.isoformat()] for table in ADS}
    assert _colours(instance, keys) == dict.fromkeys(ADS, ALL_GREEN)


def test_a_bad_day_of_statsig_is_red_alone_and_asked_for_alone(sandbox: Sandbox, instance: dg.DagsterInstance) -> None:
    """The list of the day's values is nonsense; its re-execution requests pages of that day and of no other."""
    keys = _keys("statsig", VALUES)
    sandbox.spoil(kind="body", vendor="statsig", endpoint="/metrics/values", contains=f"date={BAD}", body=NONSENSE)

    first = _first_attempt(jobs.statsig_daily, instance, keys)

    assert _colours(instance, keys) == dict.fromkeys(VALUES, ONE_RED)
    assert f"statsig/values: 1 of 10 days were not stored.\n{BAD}: " in _said(first)

    sandbox.forget()
    second = _from_failure(jobs.statsig_daily, instance, first)

    asked = [httpx.URL(one) for one in sandbox.requests("statsig")]
    assert {(url.path, url.params["date"]) for url in asked} == {("/statsig/console/v1/metrics/values", str(BAD))}
    assert [url.params["page"] for url in asked] == [str(number + 1) for number in range(len(asked))]
    assert second.success
    assert _written(second) == {table: [BAD.isoformat()] for table in VALUES}
    assert _colours(instance, keys) == dict.fromkeys(VALUES, ALL_GREEN)


def _report_with_a_bad_day(sandbox: Sandbox) -> Any:
    """The true report of the ten days, with one value too many in the first sub-row of the bad day."""
    url = f"{sandbox.url}/airbridge{REPORT.format(app='myapp')}"
    headers = {"Authorization": f"Bearer {AIRBRIDGE_API_TOKEN}"}
    posted = httpx.post(url, json=body(REVENUE, DAYS[0], DAYS[-1]), headers=headers).raise_for_status().json()
    report = httpx.get(f"{url}/{posted['data']['taskId']}?skip=0&size=100", headers=headers).raise_for_status().json()
    sub_rows = [row for group in report["data"]["stats"]["rows"] for row in group["rows"] if row["date"] == str(BAD)]
    sub_rows[0]["values"] = [{"value": 1, "isMasked": False}] * (REVENUE.intervals + 2)
    sandbox.forget()
    return report


def test_a_bad_day_of_airbridge_is_red_alone_and_read_again_from_the_same_task(
    sandbox: Sandbox, instance: dg.DagsterInstance
) -> None:
    """One task answers for ten days: nine land, and for the tenth the same task is read again, so nothing is posted a second time."""
    keys = _keys("airbridge", COHORTS)
    ledger = Ledger(settings().state)
    report = _report_with_a_bad_day(sandbox)
    sandbox.spoil(kind="body", vendor="airbridge", contains="size=100", body=report)

    first = _first_attempt(jobs.airbridge_daily, instance, keys)

    assert _colours(instance, keys) == dict.fromkeys(COHORTS, ONE_RED)
    assert f"airbridge/revenue: 1 of 10 days were not stored.\n{BAD}: " in _said(first)
    assert sandbox.counts()[POST_REPORT] == 1
    [left] = ledger.open_requests("airbridge")
    assert (left.days_left, left.attempts, left.state) == ((BAD,), 1, "SUCCESS")

    sandbox.forget()
    second = _from_failure(jobs.airbridge_daily, instance, first)

    # A look at the task and its one page.
    assert sandbox.counts() == {READ_REPORT: 2}
    assert {httpx.URL(one).path.rpartition("/")[2] for one in sandbox.requests("airbridge")} == {left.task_id}
    assert second.success
    assert _written(second) == {table: [BAD.isoformat()] for table in COHORTS}
    assert _colours(instance, keys) == dict.fromkeys(COHORTS, ALL_GREEN)
    assert ledger.open_requests("airbridge") == []
