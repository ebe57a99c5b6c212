"""A day of Bento and of Statsig that is loaded before and after its evening: its materializations show the difference.

The vendors' world stops at noon for the first load, as if the rest came late. The expected difference is counted from both worlds.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from analytics_assets.sandbox.options import Options
from analytics_assets.sandbox.world import SeededWorld, StoppedWorld, World
from analytics_assets.sources.bento.streams import AdsSpec
from analytics_assets_tests.integration.conftest import Place
from analytics_assets_tests.integration.oracle_bento import BentoTruth
from analytics_assets_tests.integration.oracle_statsig import StatsigTruth
from analytics_assets_tests.integration.running import Wishes, definitions_at, failure_words, range_tags, run
from analytics_assets_tests.integration.server import sandbox_server

DAY = date(2025, 3, 4)
NOON, NOW = datetime(2025, 3, 4, 12, tzinfo=UTC), datetime(2025, 3, 6, 21, tzinfo=UTC)
TABLES = ("bento/ads_totals", "bento/ads_attribution", "statsig/metric_values")


KEYS = dict(
    zip(
        TABLES,
        (
            ("dimension", "revenue_mode", "currency"),
            ("dimension", "revenue_mode", "key", "currency"),
            ("metric_name", "metric_type", "unit_type"),
        ),
        strict=True,
    )
)
WISHES = Wishes(ads=AdsSpec(dimensions=("source", "campaign")))


def difference(instance: dg.DagsterInstance, table: str) -> dict[str, Any]:
    """The difference that the newest materialization of the day shows."""
    event = instance.get_latest_materialization_event(dg.AssetKey(table.split("/")))
    assert event is not None
    assert event.asset_materialization is not None
    metadata = event.asset_materialization.metadata
    return {
        name: value.value for name, value in metadata.items() if name.startswith("rows_") or name.endswith("_change")
    }


def row_counts(before: list[dict[str, Any]], after: list[dict[str, Any]], key: Sequence[str]) -> dict[str, int]:
    """Rows that changed, came and went, counted by key."""
    old, new = ({tuple(row[name] for name in key): row for row in rows} for rows in (before, after))
    return {
        "rows_changed": sum(old[row] != new[row] for row in old.keys() & new.keys()),
        "rows_added": len(new.keys() - old.keys()),
        "rows_removed": len(old.keys() - new.keys()),
    }


def test_a_day_that_is_loaded_again_shows_what_changed(
    point: Callable[[str], Place], instance: dg.DagsterInstance
) -> None:
    """Rows of each table, and of Bento's totals signups, customers and cents; the first load shows nothing."""
    world = SeededWorld(3)
    early: World = StoppedWorld(world, NOON)
    shown = []
    for until in (NOON, None):
        with sandbox_server(Options(seed=3, now=lambda: NOW, until=until), world) as sandbox:
            point(sandbox.url)
            for job, chosen in (("bento_daily", None), ("statsig_daily", ("statsig/values_raw", TABLES[2]))):
                result = run(definitions_at(lambda: NOW, WISHES), job, instance, range_tags([DAY]), chosen)
                assert result.success, failure_words(result)
        shown.append({table: difference(instance, table) for table in TABLES})

    rows = [
        {
            **{
                f"bento/{name}": rows
                for name, rows in BentoTruth(one, NOW).ads([DAY], ("source", "campaign"), ("all_revenue",)).items()
            },
            TABLES[2]: StatsigTruth(one, NOW).values([DAY]),
        }
        for one in (early, world)
    ]
    expected: dict[str, dict[str, Any]] = {
        table: row_counts(rows[0][table], rows[1][table], KEYS[table]) for table in TABLES
    }
    old, new = ({(row["dimension"], row["currency"]): row for row in reading[TABLES[0]]} for reading in rows)
    for name in ("signups", "customers"):
        expected[TABLES[0]][f"{name}_change"] = {
            f"{dimension}/all_revenue": new[dimension, "USD"][name] - old[dimension, "USD"][name]
            for dimension in ("source", "campaign")
        }
    expected[TABLES[0]]["revenue_cents_change"] = {
        f"{dimension}/all_revenue/{currency}": new[dimension, currency]["revenue_cents"] - row["revenue_cents"]
        for (dimension, currency), row in old.items()
    }
    assert shown == [{table: {} for table in TABLES}, expected]
    assert expected[TABLES[0]]["signups_change"]["source/all_revenue"] > 0
    assert len(old) == 4
