"""The query that each asset gives to copy really reads that table, in DuckDB, from a lake that was loaded as production loads it."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pyarrow as pa
import pytest

from analytics_assets.clock import utc_now
from analytics_assets.definitions import defs
from analytics_assets.lake.store import Lake
from analytics_assets.orchestration.backfill_guard import PLAN_KEY
from analytics_assets.orchestration.source_resource import without_sandbox
from analytics_assets.sources.airbridge.report_spec import ReportSpec
from analytics_assets.sources.airbridge.restatements import restatements_table
from analytics_assets_tests.integration.running import range_tags, report, run

REPORTS = (
    report("revenue", "app_revenue", "cumulative", intervals=30),
    report("users", "app_user_count", "unique-cumulative", intervals=30),
)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.Definitions]:
    """The shipped definitions over a lake with two days of every table, loaded from the sandbox inside the process."""
    folder = tmp_path_factory.mktemp("queries")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANALYTICS_LAKE", str(folder / "a user's lake"))
        patch.setenv("ANALYTICS_STATE", f"sqlite:///{folder}/state.db")
        definitions = defs()
        newest = utc_now().date() - timedelta(days=9)
        tags = range_tags([newest - timedelta(days=1), newest])
        with dg.DagsterInstance.ephemeral() as instance:
            # Report tasks are seen in a snapshot when there are some; definitions are made from a snapshot of the listing.
            for job in ("airbridge_daily", "bento_daily", "snapshots", "statsig_daily"):
                assert run(definitions, job, instance, {} if job == "snapshots" else tags).success
        for spec in REPORTS:
            _restate(Lake(str(folder / "a user's lake")), spec, newest)
        yield definitions


def _restate(lake: Lake, spec: ReportSpec, day: date) -> None:
    # In days that were read once nothing is restated, so the table would be empty.
    table = restatements_table(spec)
    flags = {column.name: False for column in table.columns if pa.types.is_boolean(column.type)}
    group = {"date": day, "channel": "google.adwords", "campaign": "spring", "days_since_start": 0}
    value = {"old_value": 1, "new_value": 2, "seen_at": utc_now()}
    lake.store_day("airbridge", table, day, table.rows([flags | group | value]), is_sandbox=True)


def test_every_query_to_copy_reads_rows_of_its_table(loaded: dg.Definitions) -> None:
    """As it stands in the catalogue, with no word changed."""
    found = {}
    left_out = without_sandbox(loaded)
    for spec in loaded.resolve_all_asset_specs():
        # Growth has tests of its own.
        if spec.key.path[0] in {*left_out, "growth"} or spec.key == PLAN_KEY:
            continue
        fenced = re.fullmatch(r"```sql\n(.*)\n```", spec.metadata["query"].md_str, re.DOTALL)
        assert fenced is not None
        assert Path(spec.metadata["dagster/uri"]).is_dir(), spec.key
        found[spec.key.to_user_string()] = len(duckdb.sql(fenced[1]).fetchall())
    assert {table: rows for table, rows in found.items() if not rows} == {}
    assert len(found) == 23
