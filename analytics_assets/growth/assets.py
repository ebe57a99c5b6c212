"""The growth tables, their page and the database of views as Dagster assets: made whole in one step; the sensor that follows loads."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import dagster as dg
import duckdb
import pyarrow as pa

from analytics_assets.clock import utc_now
from analytics_assets.errors import SourceError
from analytics_assets.growth.build import GrowthSpec, GrowthTables, build_growth, macros_of
from analytics_assets.growth.checks import CHECKS, in_words
from analytics_assets.growth.database import View, database_of, script_of
from analytics_assets.growth.freshness import read_freshness
from analytics_assets.growth.tables import TABLES
from analytics_assets.lake.content import content_hash
from analytics_assets.lake.parquet import parquet
from analytics_assets.lake.reader import LakeReader
from analytics_assets.lake.store import Lake
from analytics_assets.lake.table import Table
from analytics_assets.orchestration.asset_specs import asset_key, code_references, column_schema
from analytics_assets.settings import settings
from analytics_assets.sources.bento.tables import ADS_ATTRIBUTION
from analytics_assets.sources.statsig.tables import EVENT_METRICS, METRIC_VALUES

READING: Final = ("reading", "whole")
PAGE: Final = "page"
DATABASE: Final = "database"
_SQL: Final = Path(__file__).parent / "sql"
_UNFINISHED: Final = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


def table_path(lake: LakeReader, table: str) -> str:
    """Where a growth table is stored. Names of the lake that begin with `_` are not accounts."""
    return f"{lake.root}/_growth/{table}.parquet"


def page_path(lake: LakeReader) -> str:
    """Where the growth page is stored."""
    return f"{lake.root}/_growth/page.html"


def database_path(lake: LakeReader) -> str:
    """Where the database of views is stored; the same views as SQL are beside it."""
    return f"{lake.root}/_growth/growth.duckdb"


def upstream_keys(spec: GrowthSpec) -> list[dg.AssetKey]:
    """The tables of the lake that the growth tables are made from."""
    reports = [
        asset_key(report.account, table.name) for report in spec.reports for table in (report.cohorts, report.totals)
    ]
    sites = [asset_key(source.account, ADS_ATTRIBUTION.name) for source in spec.signups]
    metrics = [
        asset_key(source.account, table.name) for source in spec.metrics for table in (METRIC_VALUES, EVENT_METRICS)
    ]
    return [*reports, *sites, *metrics]


def growth_assets(
    folder: str, spec: GrowthSpec, *, address: str, views: Callable[[], list[View]], owners: Sequence[str] = ()
) -> dg.AssetsDefinition:
    """The step that makes all growth tables, evaluates their checks and makes the page and the database of views."""
    deps = upstream_keys(spec)
    names = {table.name: asset_key(folder, table.name) for table in TABLES}
    page, database = asset_key(folder, PAGE), asset_key(folder, DATABASE)

    @dg.multi_asset(
        name=f"{folder}__tables",
        specs=[
            *(_asset_spec(folder, table, deps, address, owners) for table in TABLES),
            _page_spec(page, list(names.values()), address, owners),
            _database_spec(database, list(names.values()), address, owners),
        ],
        check_specs=[
            dg.AssetCheckSpec(one.name, asset=names[one.table], description=one.description) for one in CHECKS
        ],
        can_subset=True,
        required_resource_keys={"lake"},
    )
    def tables(context: dg.AssetExecutionContext):  # type: ignore[no-untyped-def]  # noqa: ANN202 - read as outputs
        try:
            lake = context.resources.lake.open()
            growth = build_growth(lake, spec)
            for table in TABLES:
                if names[table.name] in context.selected_asset_keys:
                    yield _store(lake, names[table.name], table, growth.tables[table.name])
            yield from _evaluate(context, names, lake, spec, growth)
            if page in context.selected_asset_keys:
                yield _store_page(lake, page, spec, growth)
            if database in context.selected_asset_keys:
                yield _store_database(lake, database, views(), macros_of(spec.week_start))
        except SourceError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        except duckdb.Error as error:
            raise dg.Failure(
                f"DuckDB cannot make the growth tables: {error}. `analytics-assets lake verify` names damaged files of the lake."
            ) from error

    return tables


def growth_sensor(
    folder: str, assets: dg.AssetsDefinition, spec: GrowthSpec, views: Callable[[], list[View]]
) -> dg.SensorDefinition:
    """The sensor, with its job, that asks for one run once tables of the lake have changed and no load of them is open."""
    job = dg.define_asset_job(
        f"{folder}_tables",
        selection=dg.AssetSelection.assets(*assets.keys),
        description="Makes all growth tables from the lake. Nothing is requested from a vendor.",
        executor_def=dg.in_process_executor,
    )
    upstream = upstream_keys(spec)
    accounts = [
        *(report.account for report in spec.reports),
        *(source.account for source in spec.signups),
        *(source.account for source in spec.metrics),
    ]
    job_names = {job.name, "snapshots", *(f"{account}_daily" for account in accounts)}

    @dg.sensor(
        name=f"{folder}_follows_loads",
        job=job,
        description="Starts one run of the growth tables after loads, when no load of their tables is open.",
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        newest = _newest_storage_id(context.instance, upstream)
        version = hashlib.sha256(repr((spec, views(), settings().reader_lake)).encode()).hexdigest()[:12]
        cursor = f"{newest}:{version}"
        if newest is None or cursor == context.cursor:
            return dg.SkipReason("The tables of the lake have not changed.")
        if open_runs := _open_runs(context.instance, {*upstream}, job_names):
            return dg.SkipReason(f"Waiting for the end of {len(open_runs)} open runs.")
        # The id was read before the request: a day that is stored from now on has a higher one.
        return dg.SensorResult(run_requests=[dg.RunRequest()], cursor=cursor)

    return sensor


def _newest_storage_id(instance: dg.DagsterInstance, keys: Sequence[dg.AssetKey]) -> int | None:
    events = [record.asset_entry.last_materialization_record for record in instance.get_asset_records(list(keys))]
    return max((event.storage_id for event in events if event is not None), default=None)


def _open_runs(instance: dg.DagsterInstance, keys: set[dg.AssetKey], job_names: set[str]) -> list[str]:
    runs = instance.get_runs(dg.RunsFilter(statuses=list(_UNFINISHED)))
    return [run.run_id for run in runs if run.job_name in job_names or keys & (run.asset_selection or set())]


def _asset_spec(
    folder: str, table: Table, deps: Sequence[dg.AssetKey], address: str, owners: Sequence[str]
) -> dg.AssetSpec:
    path = f"{address}/_growth/{table.name}.parquet"
    quoted = path.replace("'", "''")
    return dg.AssetSpec(
        asset_key(folder, table.name),
        description=f"{table.description}\n\n[The vendor's page]({table.docs_url})",
        group_name=folder,
        kinds={"duckdb", "parquet"},
        owners=owners,
        tags=dict([READING, ("layer", "growth")]),
        deps=deps,
        skippable=True,
        metadata={
            "dagster/column_schema": column_schema(table),
            "dagster/table_name": f"{folder}.{table.name}",
            "dagster/uri": path,
            "key": ", ".join(table.key),
            "dagster/code_references": code_references([_SQL / f"{table.name}.sql"], settings().repository),
            "query": dg.MetadataValue.md(f"```sql\nselect * from read_parquet('{quoted}')\nlimit 100;\n```"),
        },
    )


def _store(lake: Lake, key: dg.AssetKey, table: Table, content: pa.Table) -> dg.MaterializeResult[None]:
    path, file = table_path(lake, table.name), parquet(content)
    with lake.files.staged({path: file}) as staged:
        staged.publish(path)
        staged.sync()
    return dg.MaterializeResult(
        asset_key=key,
        metadata={
            "dagster/row_count": content.num_rows,
            "bytes": file.size,
            "path": dg.MetadataValue.path(lake.files.named(path)),
        },
        data_version=dg.DataVersion(content_hash(table, content)),
    )


def _page_spec(key: dg.AssetKey, tables: Sequence[dg.AssetKey], address: str, owners: Sequence[str]) -> dg.AssetSpec:
    return dg.AssetSpec(
        key,
        description="The growth tables as one HTML file: open it in a browser, print it or send it. docs/growth.md explains its sections.",
        group_name=key.path[0],
        kinds={"html"},
        owners=owners,
        tags=dict([READING, ("layer", "growth")]),
        deps=tables,
        skippable=True,
        metadata={
            "dagster/uri": f"{address}/_growth/page.html",
            "dagster/code_references": code_references([_SQL.with_name("page.html")], settings().repository),
        },
    )


def _store_page(lake: Lake, key: dg.AssetKey, spec: GrowthSpec, growth: GrowthTables) -> dg.MaterializeResult[None]:
    # It imports matplotlib, which takes a second.
    from analytics_assets.growth.page import build_page  # noqa: PLC0415

    page = build_page(growth.tables, spec, read_freshness(lake, spec), made_at=utc_now())
    path, content = page_path(lake), page.html.encode()
    with lake.files.staged({path: content}) as staged:
        staged.publish(path)
        staged.sync()
    return dg.MaterializeResult(
        asset_key=key,
        metadata={
            "page": dg.MetadataValue.path(lake.files.named(path)),
            "bytes": len(content),
            **({"summary": dg.MetadataValue.md(page.summary)} if page.summary else {}),
        },
    )


def _database_spec(
    key: dg.AssetKey, tables: Sequence[dg.AssetKey], address: str, owners: Sequence[str]
) -> dg.AssetSpec:
    return dg.AssetSpec(
        key,
        description="A DuckDB file with a documented view over each table of the lake and each growth table, for BI tools. The same views "
        "as SQL are in `growth.sql` beside it. docs/growth.md says how to open it.",
        group_name=key.path[0],
        kinds={"duckdb"},
        owners=owners,
        tags=dict([READING, ("layer", "growth")]),
        deps=tables,
        skippable=True,
        metadata={
            "dagster/uri": f"{address}/_growth/growth.duckdb",
            "dagster/code_references": code_references([_SQL.with_name("database.py")], settings().repository),
        },
    )


def _store_database(lake: Lake, key: dg.AssetKey, views: Sequence[View], macros: str) -> dg.MaterializeResult[None]:
    path, readers_lake = database_path(lake), settings().reader_lake or lake.files.address
    # A session that wrote into the file may have left its log, which DuckDB would apply to the new file.
    lake.files.remove(f"{path}.wal")
    lake.files.put(path, database_of(views, readers_lake, macros))
    # DuckDB creates no view without a file.
    stored = [view for view in views if view.schema == "main" or lake.days(view.schema, view.table.name)]
    script = path.replace(".duckdb", ".sql")
    lake.files.put(script, script_of(stored, readers_lake, macros).encode())
    return dg.MaterializeResult(
        asset_key=key,
        metadata={
            "database": dg.MetadataValue.path(lake.files.named(path)),
            "script": dg.MetadataValue.path(lake.files.named(script)),
            "views": len(views),
        },
    )


def _evaluate(
    context: dg.AssetExecutionContext, names: dict[str, dg.AssetKey], lake: Lake, spec: GrowthSpec, growth: GrowthTables
) -> Iterator[dg.AssetCheckResult]:
    for check in CHECKS:
        key = names[check.table]
        if dg.AssetCheckKey(key, check.name) not in context.selected_asset_check_keys:
            continue
        sentences = check.find(lake, spec, growth)
        yield dg.AssetCheckResult(
            asset_key=key,
            check_name=check.name,
            passed=not sentences,
            severity=dg.AssetCheckSeverity.ERROR if check.is_error else dg.AssetCheckSeverity.WARN,
            description=in_words(sentences) or None,
            metadata={"problems": len(sentences)},
        )
