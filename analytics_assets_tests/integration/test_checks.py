"""Checks over the whole way, from what the vendors send to what the UI shows: what is odd is told by the run and again by the daily job."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import dagster as dg

from analytics_assets.lake.store import Lake
from analytics_assets.sandbox.options import Options
from analytics_assets.sources.airbridge.tables import cohorts_table
from analytics_assets_tests.integration.conftest import Place
from analytics_assets_tests.integration.hand_world import D11, DAYS, NOW, hand_world
from analytics_assets_tests.integration.running import Wishes, definitions_at, range_tags, report, run
from analytics_assets_tests.integration.server import sandbox_server

JOBS = ("snapshots", "bento_daily", "statsig_daily", "airbridge_daily")
ODD = ("bento-extra-fields", "statsig-extra-fields", "airbridge-extra-fields", "airbridge-value-null")
WISHES = Wishes(reports=(report("revenue", "app_revenue", "cumulative", intervals=2),))
FIELDS = {
    *("bento/ads_raw", "bento/audience_raw", "bento/reports_raw"),
    *("statsig/values_raw", "statsig/listing_raw", "airbridge/revenue_raw", "airbridge/catalog"),
}
UNLANDED = {
    f"statsig/{table}:{name}"
    for table in ("values_raw", "metric_values")
    for name in ("days_stored", "latest_day_stored")
}
EXPECTED = {f"{table}:fields_as_known" for table in FIELDS} | UNLANDED | {"airbridge/revenue_cohorts:intervals_present"}


def evaluations(*results: dg.ExecuteInProcessResult) -> dict[str, bool]:
    """Whether each check of some runs passed, as `account/table:check`."""
    events = [one for result in results for one in result.get_asset_check_evaluations()]
    return {f"{one.asset_key.to_user_string()}:{one.check_name}": one.passed for one in events}


def failed(found: dict[str, bool]) -> set[str]:
    """What did not pass."""
    return {name for name, passed in found.items() if not passed}


def test_what_is_odd_is_told_by_the_run_and_again_by_the_daily_job(
    point: Callable[[str], Place], instance: dg.DagsterInstance
) -> None:
    """Unknown fields of every kind of answer, values that were not sent, a day whose answer is nonsense; then nothing is asked."""
    with sandbox_server(Options(now=lambda: NOW, task_seconds=0), hand_world(), forms=ODD) as sandbox:
        point(sandbox.url)
        sandbox.spoil(kind="body", vendor="statsig", endpoint="/metrics/values", contains=f"date={D11}", body={"a": 1})
        definitions = definitions_at(lambda: NOW, WISHES)
        runs = [run(definitions, job, instance, {} if job == "snapshots" else range_tags(DAYS)) for job in JOBS]
        by_run = evaluations(*runs)
        sandbox.forget()
        daily = run(definitions, "checks_daily", instance)
        by_job = evaluations(daily)
        assert sandbox.counts() == {}
    assert failed(by_run) == EXPECTED
    assert failed(by_job) == EXPECTED
    assert by_job.keys() == by_run.keys()
    assert daily.get_asset_materialization_events() == []


def test_what_is_as_it_should_be_passes_every_check(
    point: Callable[[str], Place], instance: dg.DagsterInstance
) -> None:
    """The same world without oddities."""
    with sandbox_server(Options(now=lambda: NOW, task_seconds=0), hand_world()) as sandbox:
        point(sandbox.url)
        definitions = definitions_at(lambda: NOW, WISHES)
        runs = [run(definitions, job, instance, {} if job == "snapshots" else range_tags(DAYS)) for job in JOBS]
        assert failed(evaluations(*runs)) == set()
        assert failed(evaluations(run(definitions, "checks_daily", instance))) == set()


def test_a_cohort_is_looked_at_until_it_is_mature(point: Callable[[str], Place], instance: dg.DagsterInstance) -> None:
    """Fifty days old, it is older than the days the job looks at, and lacks what its sixty intervals have by now."""
    place, spec = point("http://127.0.0.1:9"), report("revenue", "app_revenue", "cumulative", intervals=60)
    table, day = cohorts_table(spec), NOW.date() - timedelta(days=50)
    row = {"date": day, "channel": "", "campaign": "", "days_since_start": 0, "value": Decimal(1), "currency": "USD"}
    Lake(str(place.lake)).store_day(
        "airbridge", table, day, table.rows([{**row, "is_masked": False, "is_reached": True}]), is_sandbox=True
    )
    key = dg.AssetCheckKey(dg.AssetKey(["airbridge", table.name]), "intervals_present")
    job = definitions_at(lambda: NOW, Wishes(reports=(spec,))).resolve_job_def("checks_daily")
    result = job.get_subset(asset_check_selection={key}).execute_in_process(instance=instance)
    [evaluation] = result.get_asset_check_evaluations()
    assert (evaluation.description or "").startswith(f"{day}: read up to interval 0, old enough for 49. Materialize")
