"""Every check there is: it fails where it must, holds where it must, and says what a failure means and what to do."""

import importlib
import importlib.util
import re
from collections import defaultdict
from functools import lru_cache

import dagster as dg
import pytest

from analytics_assets import SOURCES
from analytics_assets.checks.comparison import Comparison, Side
from analytics_assets.checks.volume import Figure
from analytics_assets.growth.tables import TABLES
from analytics_assets.orchestration.asset_checks import check_specs
from analytics_assets.orchestration.backfill_guard import PLAN_KEY
from analytics_assets_tests.checks.cases import CASES, Case
from analytics_assets_tests.checks.planted import Planted, failures
from analytics_assets_tests.integration.jobs import shipped


@lru_cache(maxsize=1)
def declared() -> list[dg.AssetCheckSpec]:
    """Every check of the shipped definitions, and that of comparisons, of which none is shipped."""
    figure = Figure("numbers")
    agree = Comparison("numbers", Side("a", figure), Side("b", figure)).check()
    found = [spec for one in shipped().assets or () for spec in getattr(one, "check_specs", ())]
    return [*found, *check_specs("comparisons", [agree])]


# Their checks read tables of growth and not days; their tests are beside them.
GROWTH = {dg.AssetKey(["growth", table.name]) for table in TABLES}


def own_cases(source: str) -> dict[str, Case]:
    """Cases for the checks of a source, from `check_cases.py` of its tests."""
    module = f"analytics_assets_tests.sources.{source}.check_cases"
    return dict(importlib.import_module(module).CASES) if importlib.util.find_spec(module) else {}


ALL = {name: case for cases in (CASES, *map(own_cases, (*SOURCES, "kiosk"))) for name, case in cases.items()}


def test_every_check_has_a_lake_that_makes_it_fail_and_one_that_must_not() -> None:
    """A new check without both is named here."""
    names = {spec.name for spec in declared() if spec.asset_key not in GROWTH}
    missing = [f"Add a case for {name} to check_cases.py in the tests of its source." for name in names - set(ALL)]
    assert missing == []
    assert set(CASES) <= names


@pytest.mark.parametrize("name", ALL)
def test_a_check_fails_where_it_must_and_says_why(name: str, planted: Planted) -> None:
    """Exactly one day, at its level, in its words."""
    case = ALL[name]
    [(level, words)] = failures(case.fails(planted)).values()
    assert (level, case.words in words) == (case.level, True), words


@pytest.mark.parametrize("name", ALL)
def test_a_check_holds_where_it_must(name: str, planted: Planted) -> None:
    """Something was looked at, and nothing of it fails."""
    found = ALL[name].holds(planted)
    assert failures(found) == {}
    # What is not in trouble in the ledger has nothing to say of a day.
    assert bool(found) == (name != "reports_arrive")


def test_every_check_says_what_a_failure_means_and_what_to_do() -> None:
    """On each table it is of, in one form; its name is plain snake_case."""
    specs = declared()
    assert len(specs) > len(CASES)
    form = re.compile(r"\*\*What a failure means\.\*\* \S.{40,}\.\n\n\*\*What to do\.\*\* \S.{40,}\.", re.DOTALL)
    assert [spec.key for spec in specs if not form.fullmatch(spec.description or "")] == []
    assert [spec.key for spec in specs if not re.fullmatch(r"[a-z]+(_[a-z]+)+", spec.name)] == []


def test_every_daily_table_is_watched_for_its_newest_day_and_every_snapshot_for_its_reading() -> None:
    """And all of them for landing whole."""
    checks: dict[str, set[str]] = defaultdict(set)
    for spec in declared():
        checks[spec.asset_key.to_user_string()].add(spec.name)
    specs = [
        spec for spec in shipped().resolve_all_asset_specs() if spec.key != PLAN_KEY and spec.group_name != "growth"
    ]
    tables = {spec.key.to_user_string(): spec.partitions_def is None for spec in specs}
    wanted = {
        table: {"days_stored", "snapshot_stored" if is_snapshot else "latest_day_stored"}
        for table, is_snapshot in tables.items()
    }
    assert {table: names - checks[table] for table, names in wanted.items() if names - checks[table]} == {}
