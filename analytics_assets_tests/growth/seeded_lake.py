"""A lake with eight weeks of the sandbox's seeded business, its growth tables and their database; no assertions here."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

import dagster as dg
import pyarrow.parquet as pq
import pytest

from analytics_assets.growth.build import (
    GrowthSpec,
    MetricSource,
    PlannedSpend,
    Report,
    SignupSource,
    build_growth,
    macros_of,
)
from analytics_assets.growth.channels import ChannelRule
from analytics_assets.growth.database import database_of, growth_views, lake_views
from analytics_assets.growth.tables import TABLES
from analytics_assets.lake.store import Lake
from analytics_assets.lake.table import Table
from analytics_assets.sandbox.options import Options
from analytics_assets.sources.airbridge.tables import cohort_totals_table, cohorts_table
from analytics_assets.sources.bento import tables as bento_tables
from analytics_assets.sources.bento.streams import AdsSpec, AudienceSpec
from analytics_assets.sources.statsig import tables as statsig_tables
from analytics_assets_tests.integration.conftest import pointed
from analytics_assets_tests.integration.running import (
    REVENUE,
    Wishes,
    days_from,
    definitions_at,
    failure_words,
    range_tags,
    run,
)
from analytics_assets_tests.integration.server import sandbox_server

# Monday to Sunday, in each vendor's zone.
DAYS: Final = days_from(date(2025, 2, 3), 56)
NOW: Final = datetime(2025, 3, 31, 20, 30, tzinfo=UTC)
RULES: Final = (
    ChannelRule("airbridge", "Organic", name="unattributed"),
    ChannelRule("airbridge", "Google Ads", name="google.adwords"),
    ChannelRule("airbridge", "Meta", pattern="facebook.*"),
    ChannelRule("airbridge", "TikTok", pattern="tiktok*"),
    ChannelRule("airbridge", "YouTube", pattern="youtube*"),
    ChannelRule("airbridge", "Newsletter", name="newsletter"),
)
SITES = (SignupSource("bento", "source", "all_revenue"),)
PLAN: Final = (
    PlannedSpend("airbridge", date(2025, 2, 1), "Google Ads", "USD", Decimal(5000)),
    PlannedSpend("airbridge", date(2025, 3, 1), "Google Ads", "USD", Decimal(5000)),
    PlannedSpend("airbridge", date(2025, 3, 1), "Meta", "USD", Decimal(3000)),
)
COHORTS, TOTALS = cohorts_table(REVENUE), cohort_totals_table(REVENUE)
LAKE_TABLES: Final = {
    **{("airbridge", table.name): table for table in (COHORTS, TOTALS)},
    **{("bento", table.name): table for table in vars(bento_tables).values() if isinstance(table, Table)},
    **{("statsig", table.name): table for table in vars(statsig_tables).values() if isinstance(table, Table)},
}


def seeded_lake(folder: Path) -> Lake:
    """The lake in this folder; its database is `_growth/growth.duckdb`."""
    # Audience is counted when it is observed: on the last three Sundays and the day before the first of them.
    observed = [NOW - timedelta(days=days) for days in (16, 15, 8, 1)]
    now = NOW

    def clock() -> datetime:
        return now

    with (
        pytest.MonkeyPatch.context() as patch,
        sandbox_server(Options(seed=7, now=clock, task_seconds=0)) as sandbox,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        place = pointed(patch, folder)(sandbox.url)
        definitions = definitions_at(
            clock, Wishes(ads=AdsSpec(dimensions=("source", "campaign")), audience=AudienceSpec(("vip",)))
        )
        for instant in observed:
            now = instant
            result = run(definitions, "snapshots", instance, {}, ["bento/audience_raw", "bento/audience_counts"])
            assert result.success, failure_words(result)
        now = NOW
        # Days of definitions are reconstructed from this observation.
        result = run(definitions, "snapshots", instance, {}, ["statsig/listing_raw"])
        assert result.success, failure_words(result)
        for job in ("bento_daily", "statsig_daily", "airbridge_daily"):
            result = run(definitions, job, instance, range_tags(DAYS))
            assert result.success, failure_words(result)
    lake = Lake(str(place.lake))
    _store_growth(lake)
    return lake


def _store_growth(lake: Lake) -> None:
    spec = GrowthSpec(
        [Report("airbridge", COHORTS, TOTALS, "channel", "campaign")],
        RULES,
        plan=PLAN,
        signups=SITES,
        metrics=(MetricSource("statsig"),),
    )
    folder = Path(lake.root, "_growth")
    folder.mkdir()
    for name, content in build_growth(lake, spec).tables.items():
        pq.write_table(content, folder / f"{name}.parquet")
    views = [*lake_views(LAKE_TABLES), *growth_views(TABLES)]
    (folder / "growth.duckdb").write_bytes(database_of(views, lake.root, macros_of(spec.week_start)))
