"""Every typed row of a seeded fortnight equals what the oracles count person by person from the same world.

Three vendors, three calendars: Airbridge in Seoul's days, Statsig in fixed UTC-8 days, Bento in UTC days. The vendors' clock and ours stand at
one instant, so that the days under way are exact too. A metric is created within the fortnight, and the users report is so short that the
oldest cohorts are complete.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from analytics_assets.lake.store import Lake
from analytics_assets.lake.table import Table
from analytics_assets.operations.verify.verification import LakeScope, Verification, verify_tables
from analytics_assets.sandbox.options import Options
from analytics_assets.sandbox.world import SeededWorld
from analytics_assets.sources.airbridge.restatements import restatements_table
from analytics_assets.sources.airbridge.snapshot_tables import CATALOG, tasks_table
from analytics_assets.sources.airbridge.tables import daily_tables
from analytics_assets.sources.bento import tables as bento_tables
from analytics_assets.sources.bento.streams import AdsSpec, AudienceSpec, ReportsSpec
from analytics_assets.sources.statsig import tables as statsig_tables
from analytics_assets_tests.integration.conftest import Place
from analytics_assets_tests.integration.oracle_airbridge import AirbridgeTruth, catalog_rows
from analytics_assets_tests.integration.oracle_bento import BentoTruth
from analytics_assets_tests.integration.oracle_statsig import StatsigTruth
from analytics_assets_tests.integration.running import (
    REVENUE,
    Wishes,
    days_from,
    definitions_at,
    failure_words,
    in_order,
    range_tags,
    report,
    rows,
    run,
)
from analytics_assets_tests.integration.server import sandbox_server

# Statsig's last day is final half an hour before; in Seoul it is 05:30 of the 11th.
NOW = datetime(2025, 3, 10, 20, 30, tzinfo=UTC)
DAYS = days_from(date(2025, 2, 24), 14)
SEOUL = ZoneInfo("Asia/Seoul")
USERS = report("users", "app_user_count", "unique-cumulative", intervals=7)
ADS = AdsSpec(dimensions=("source", "campaign"), revenue_modes=("all_revenue", "first_revenue", "subscriptions"))
SEGMENTS = ("newsletter", "vip")

TABLES = {
    **{("bento", table.name): table for table in vars(bento_tables).values() if isinstance(table, Table)},
    **{("statsig", table.name): table for table in vars(statsig_tables).values() if isinstance(table, Table)},
    **{
        ("airbridge", table.name): table
        for spec in (REVENUE, USERS)
        for table in (*daily_tables(spec), restatements_table(spec), tasks_table(spec), CATALOG)
    },
}


@pytest.fixture
def world() -> SeededWorld:
    """The business of one seed."""
    return SeededWorld(7)


@pytest.fixture
def stored(world: SeededWorld, point: Callable[[str], Place]) -> tuple[Place, Verification]:
    """A lake with everything of the fortnight, and what `lake verify` finds there."""
    wishes = Wishes(
        ads=ADS,
        audience=AudienceSpec(SEGMENTS),
        bento_reports=ReportsSpec(("signups", "counter_total", "signups_wrapped")),
        reports=(REVENUE, USERS),
    )
    with sandbox_server(Options(seed=7, now=lambda: NOW, task_seconds=0), world) as sandbox:
        place = point(sandbox.url)
        definitions = definitions_at(lambda: NOW, wishes)
        with dg.DagsterInstance.ephemeral() as instance:
            for job in ("snapshots", "bento_daily", "statsig_daily", "airbridge_daily"):
                result = run(definitions, job, instance, {} if job == "snapshots" else range_tags(DAYS))
                assert result.success, failure_words(result)
            scope = LakeScope(
                lake=Lake(str(place.lake)),
                is_sandbox=True,
                instance=instance,
                tables=TABLES,
                daily=frozenset(
                    name for name in TABLES if definitions.resolve_asset_graph().get(dg.AssetKey(name)).is_partitioned
                ),
                selected=list(TABLES),
            )
            found = verify_tables(scope, lambda _words: None)
    return place, found


def test_every_typed_row_of_a_fortnight_equals_what_the_world_holds(
    stored: tuple[Place, Verification], world: SeededWorld
) -> None:
    """All typed tables of all sources, in full, to the cent; nothing besides them and the raw ones stands in the lake, and all is well there."""
    place, found = stored
    bento = BentoTruth(world, NOW)
    statsig = StatsigTruth(world, NOW)
    revenue, users = (AirbridgeTruth(world, SEOUL, NOW, one.intervals) for one in (REVENUE, USERS))
    attribution = bento.ads(DAYS, ADS.dimensions, ADS.revenue_modes)
    points = [
        *bento.signups_by_source("signups"),
        *bento.counter("counter_total"),
        *bento.signups_by_source("signups_wrapped"),
    ]
    expected: dict[str, list[dict[str, Any]]] = {
        **{f"bento/{name}": held for name, held in attribution.items()},
        "bento/audience_counts": bento.audience(SEGMENTS),
        "bento/report_points": points,
        "statsig/event_metrics": statsig.definitions(DAYS),
        "statsig/metric_values": statsig.values(DAYS),
        "airbridge/revenue_cohorts": revenue.cohorts(DAYS, "revenue"),
        "airbridge/revenue_cohort_totals": revenue.totals(DAYS),
        "airbridge/users_cohorts": users.cohorts(DAYS, "users"),
        "airbridge/users_cohort_totals": users.totals(DAYS),
        "airbridge/catalog": catalog_rows(date(2025, 3, 11), NOW),
    }

    stand = {str(folder.relative_to(place.lake)) for folder in place.lake.glob("*/*")}
    typed = {name for name in stand if not name.endswith(("_raw", "_tasks"))}

    # Everything was read once, so nothing has been restated.
    unchanged = {"airbridge/revenue_restatements", "airbridge/users_restatements"}
    assert typed == set(expected) | unchanged
    assert [rows(place.lake, *name.split("/")) for name in sorted(unchanged)] == [[], []]
    for name, wanted in expected.items():
        assert wanted, name
        assert in_order(rows(place.lake, *name.split("/"))) == in_order(wanted), name
    assert (found.problems, found.inventory.strangers, found.inventory.leftovers) == ([], [], [])
    assert found.files == len(list(place.lake.glob("*/*/*/data.parquet")))
