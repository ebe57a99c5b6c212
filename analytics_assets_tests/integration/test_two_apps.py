"""A second app is a second folder, a second report an entry in YAML: tables, sensor and ledger rows of their own, with numbers of their own.

Loaded from YAML as Dagster loads it, run on the real clock. The cohorts are old enough to be complete; what they hold is the oracle's
rows by channel and campaign, put together as each report groups them.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from textwrap import dedent
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from analytics_assets.sandbox.options import Options
from analytics_assets.sandbox.world import SeededWorld
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.integration.conftest import Place
from analytics_assets_tests.integration.oracle_airbridge import AirbridgeTruth
from analytics_assets_tests.integration.running import days_from, failure_words, in_order, range_tags, rows, run
from analytics_assets_tests.integration.server import POST_REPORT, sandbox_server

DAYS, INTERVALS, SEED = days_from(date(2025, 6, 1), 3), 4, 3
PROJECT = """
    [tool.dg]
    directory_type = "project"
    [tool.dg.project]
    root_module = "two_apps"
    registry_modules = ["analytics_assets"]
"""
APP = """
    type: analytics_assets.AirbridgeRevenue

    attributes:
      app_name: {app}
      timezone: Asia/Seoul
      currency: USD
      reports:
        - name: revenue
          group_by: [{fields}]
          metric: app_revenue
          aggregation: cumulative
          start_events: [app_install]
          return_events: [app_order_complete]
          intervals: {intervals}
        {more}
      schedule: {{cron: 30 20 * * *, lookback_days: 5, days_per_run: 92}}
"""
BUYERS = """- name: buyers
          group_by: [campaign]
          metric: app_user_count
          aggregation: unique-cumulative
          start_events: [app_install]
          return_events: [app_first_order_complete]
          intervals: 2
          cohort:
            and_clauses:
              - or_clauses:
                  - segment:
                      event: {type: app_install, operator: more than or equals, value: 1}
"""


@pytest.fixture
def accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.Definitions]:
    """Two folders: `shop` as it is shipped but for its intervals, `shop_eu` with another app, other fields and a second report."""
    texts = {
        "pyproject.toml": PROJECT,
        "two_apps/__init__.py": "",
        "two_apps/defs/__init__.py": "",
        "two_apps/defs/shared/defs.yaml": "type: analytics_assets.Shared\n",
        "two_apps/defs/shop/defs.yaml": APP.format(
            app="myapp", fields="channel, campaign", intervals=INTERVALS, more=""
        ),
        "two_apps/defs/shop_eu/defs.yaml": APP.format(
            app="otherapp", fields="channel", intervals=INTERVALS, more=BUYERS
        ),
    }
    for name, text in texts.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
    monkeypatch.syspath_prepend(tmp_path)
    yield dg.load_from_defs_folder(path_within_project=tmp_path / "two_apps")
    for module in [one for one in sys.modules if one.split(".")[0] == "two_apps"]:
        del sys.modules[module]


def grouped(found: Sequence[dict[str, Any]], by: str, *, buyers: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows by channel and campaign as a report by one of the two has them: nobody is in two groups, so values add up.

    The vendor masks a value of Meta's channel behind which fewer than three buyers stand, and knows no channel where none is requested.
    """
    made: dict[tuple[Any, ...], dict[str, Any]] = {}
    people: dict[tuple[Any, ...], int] = {}
    for row, counted in zip(found, buyers, strict=True):
        key = (row["date"], row[by], row["days_since_start"])
        kept = {name: value for name, value in row.items() if name == by or name not in {"channel", "campaign"}}
        people[key] = people.get(key, 0) + counted["value"]
        value = made[key]["value"] + row["value"] if key in made else row["value"]
        made[key] = {**kept, "value": value, "is_masked": row.get("channel") == "facebook.business" and people[key] < 3}
        if by != "channel":
            made[key]["is_masked"] = False
    return list(made.values())


def test_a_second_app_and_a_second_report_land_in_tables_of_their_own(
    accounts: dg.Definitions, point: Callable[[str], Place], instance: dg.DagsterInstance
) -> None:
    """Each table has the columns its report groups by and the numbers of the world; one sensor an account, one task a report."""
    with sandbox_server(Options(seed=SEED, task_seconds=0)) as sandbox:
        place = point(sandbox.url)
        for account in ("shop", "shop_eu"):
            result = run(accounts, f"{account}_daily", instance, range_tags(DAYS))
            assert result.success, failure_words(result)
        posts = sandbox.counts()[POST_REPORT]

    now, seoul = datetime(2025, 9, 1, tzinfo=UTC), ZoneInfo("Asia/Seoul")
    truth, short = (AirbridgeTruth(SeededWorld(SEED), seoul, now, intervals) for intervals in (INTERVALS, 2))
    revenue, users = truth.cohorts(DAYS, "revenue"), truth.cohorts(DAYS, "users")
    first_users = short.cohorts(DAYS, "users")
    expected = {
        ("shop", "revenue"): revenue,
        ("shop_eu", "revenue"): grouped(revenue, "channel", buyers=users),
        ("shop_eu", "buyers"): grouped(first_users, "campaign", buyers=first_users),
    }
    for (account, report), wanted in expected.items():
        assert in_order(rows(place.lake, account, f"{report}_cohorts")) == in_order(wanted), (account, report)
    assert Decimal(0) < sum(row["value"] for row in rows(place.lake, "shop_eu", "revenue_cohorts"))

    folders = {str(folder.relative_to(place.lake)) for folder in place.lake.glob("*/*_cohorts")}
    assert folders == {f"{account}/{report}_cohorts" for account, report in expected}
    sensors = {one.name: one for one in accounts.get_repository_def().sensor_defs}
    assert sorted(sensors) == ["backfill_plan_ready", "shop_eu_reports", "shop_reports"]
    assert posts == len(expected)
    ledger = Ledger(place.state)
    states = {key: [(one.state, one.attempts) for one in ledger.all_requests(*key)] for key in expected}
    assert states == {key: [("STORED", 1)] for key in expected}
