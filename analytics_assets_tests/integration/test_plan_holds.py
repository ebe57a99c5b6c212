"""A plan written before the runs start is what the vendors then count, endpoint by endpoint; where it says at least, at least."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import dagster as dg

from analytics_assets.__main__ import main
from analytics_assets.sandbox.options import Options
from analytics_assets_tests.integration.conftest import Place
from analytics_assets_tests.integration.jobs import airbridge_daily, bento_daily, statsig_daily
from analytics_assets_tests.integration.running import days_from, range_tags
from analytics_assets_tests.integration.server import sandbox_server

DAYS = days_from(date(2025, 6, 1), 10)


def test_a_plan_equals_what_the_vendors_count(
    point: Callable[[str], Place], instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    """Ten days of all three shipped accounts; the requests of the days add up to them too, a task's on the first day it answers for."""
    file = tmp_path / "plan.json"
    with sandbox_server(Options(task_seconds=0.1)) as sandbox:
        point(sandbox.url)
        select = ["--select", "airbridge,bento,statsig"]
        assert main(["plan", "--from", str(DAYS[0]), "--to", str(DAYS[-1]), *select, "--json", str(file)]) == 0
        for job in (bento_daily(), statsig_daily(), airbridge_daily()):
            # Statsig's definitions need readings of the listing, which no plan of days has.
            job.execute_in_process(instance=instance, tags=range_tags(DAYS), raise_on_error=False)
        counted = sandbox.counts()
    plan = json.loads(file.read_text())
    asked = {
        # The sandbox spells the app's place in the path in its own way.
        f"{account} {endpoint}".replace("{app_name}", "{app}"): number
        for account, requests in plan["requests"].items()
        for endpoint, number in requests.items()
    }
    assert counted.keys() == asked.keys()
    exact = {what: number for what, number in asked.items() if what.startswith(("bento ", "airbridge POST "))}
    assert {what: counted[what] for what in exact} == exact
    assert all(counted[what] >= number for what, number in asked.items())
    spent = {
        table: _spent(instance, dg.AssetKey(table.split("/")))
        for table in ("bento/ads_raw", "statsig/values_raw", "airbridge/revenue_raw", "airbridge/users_raw")
    }
    for account in ("bento", "statsig", "airbridge"):
        days = [day for table, found in spent.items() if table.startswith(account) for day in found.values()]
        assert sum(days) == sum(number for what, number in counted.items() if what.startswith(f"{account} "))
    assert spent["bento/ads_raw"] == dict.fromkeys(map(str, DAYS), 2)
    assert {day for day, number in spent["airbridge/users_raw"].items() if number} == {str(DAYS[0])}


def _spent(instance: dg.DagsterInstance, key: dg.AssetKey) -> dict[str, int]:
    """What each day of a raw table says was spent on it."""
    found = instance.fetch_materializations(key, limit=100).records
    events = [record.asset_materialization for record in found if record.asset_materialization]
    return {str(event.partition): int(str(event.metadata["requests"].value)) for event in events}
