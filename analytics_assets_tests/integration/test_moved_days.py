"""A day of Bento and of Statsig that is read before and after its evening: each materialization says by how much its figures moved.

The vendors' world stops at noon for the first reading, as if the rest came late; what must have moved is counted from both worlds.
"""

from collections.abc import Callable
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
WISHES = Wishes(ads=AdsSpec(dimensions=("source",)))


def told(instance: dg.DagsterInstance, table: str) -> dict[str, Any]:
    """The figures of moves in the newest materialization of the day."""
    event = instance.get_latest_materialization_event(dg.AssetKey(table.split("/")))
    assert event is not None
    assert event.asset_materialization is not None
    found = event.asset_materialization.metadata
    return {
        name: value.value for name, value in found.items() if name.endswith(("_moved", "_shifted")) or "move_" in name
    }


def test_a_later_reading_says_by_how_much_it_moved_the_day(
    point: Callable[[str], Place], instance: dg.DagsterInstance
) -> None:
    """Signups, customers and cents of Bento's totals, cents that changed their source, and Statsig's largest move; a first reading says none."""
    world = SeededWorld(3)
    early: World = StoppedWorld(world, NOON)
    told_by_reading = []
    for until in (NOON, None):
        with sandbox_server(Options(seed=3, now=lambda: NOW, until=until), world) as sandbox:
            point(sandbox.url)
            for job, chosen in (("bento_daily", None), ("statsig_daily", ("statsig/values_raw", TABLES[2]))):
                result = run(definitions_at(lambda: NOW, WISHES), job, instance, range_tags([DAY]), chosen)
                assert result.success, failure_words(result)
        told_by_reading.append({table: told(instance, table) for table in TABLES})

    before, after = (BentoTruth(one, NOW).ads([DAY], ("source",), ("all_revenue",)) for one in (early, world))
    totals = [{row["currency"]: row for row in reading["ads_totals"]} for reading in (before, after)]
    expected: dict[str, Any] = {
        f"{name}_moved": next(iter(totals[1].values()))[name] - next(iter(totals[0].values()))[name]
        for name in ("signups", "customers")
    }
    shifted = {}
    for currency in totals[0] | totals[1]:
        old, new = (one.get(currency, {"revenue_cents": 0})["revenue_cents"] for one in totals)
        expected[f"revenue_cents_{currency}_moved"] = new - old
        cents = [
            {row["key"]: row["revenue_cents"] for row in reading["ads_attribution"] if row["currency"] == currency}
            for reading in (before, after)
        ]
        shifted[f"revenue_cents_{currency}_shifted"] = sum(
            abs(cents[1].get(key, 0) - cents[0].get(key, 0)) for key in cents[0] | cents[1]
        )
    values = [
        {
            (row["metric_name"], row["metric_type"], row["unit_type"]): row["value"]
            for row in StatsigTruth(one, NOW).values([DAY])
        }
        for one in (early, world)
    ]
    moved = {key: (old, values[1][key]) for key, old in values[0].items() if old != values[1][key]}
    percents = {key: 100 * (new - old) / abs(old) for key, (old, new) in moved.items() if old}
    largest = max(percents, key=lambda key: abs(percents[key]))
    statsig = told_by_reading[1][TABLES[2]]

    assert told_by_reading[0] == {table: {} for table in TABLES}
    assert expected["signups_moved"] > 0
    assert told_by_reading[1][TABLES[0]] == expected
    assert told_by_reading[1][TABLES[1]] == shifted
    assert statsig["metrics_moved"] == len({key[:2] for key in moved})
    assert statsig["largest_move_percent"] == round(percents[largest], 6)
    assert set(statsig) == {"metrics_moved", "largest_move_percent", "largest_move_metric"}
