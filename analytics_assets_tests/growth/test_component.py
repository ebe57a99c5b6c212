"""The growth tables as YAML declares them and Dagster runs them, and the sensor that follows the loads."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import duckdb
import pyarrow.parquet as pq
import pytest

from analytics_assets.growth.build import build_growth
from analytics_assets.growth.tables import TABLES
from analytics_assets.orchestration.loading import UnloadableError, whole
from analytics_assets_tests.growth.small_lake import small_lake, spec, written

# Dagster warns of itself here: it makes a check definition anew with a parameter that is in beta.
pytestmark = pytest.mark.filterwarnings("ignore:Parameter `execution_type`:dagster.BetaWarning")

ROOT = "project_of_growth"
APP = """\
type: analytics_assets.AirbridgeRevenue

attributes:
  app_name: myapp
  token: AIRBRIDGE_API_TOKEN
  timezone: Asia/Seoul
  currency: USD
  schedule: {cron: 30 0 * * *, lookback_days: 32, days_per_run: 92}
  reports:
    - &report
      name: revenue
      group_by: [channel, campaign]
      metric: app_revenue
      aggregation: cumulative
      start_events: [app_install]
      return_events: [app_order_complete]
      intervals: 30
    - {name: on_day, group_by: [channel], metric: app_revenue, aggregation: on-day, start_events: [app_install], return_events: [app_order_complete]}
    - {name: users, group_by: [channel], metric: app_user_count, aggregation: cumulative, start_events: [app_install], return_events: [app_order_complete]}
    - {name: signed_up, group_by: [channel], metric: app_revenue, aggregation: cumulative, start_events: [app_sign_up], return_events: [app_order_complete]}
""".replace("    - &report\n      name", "    - name")
GROWTH = """\
type: analytics_assets.Growth

attributes:
  acquisition:
    - account: app_a
      report: revenue
    - account: app_b
      report: revenue
  week_start: monday
  channels:
    - {source: airbridge, name: "", channel: Organic}
    - {source: airbridge, name: google.adwords, channel: Google Ads}
    - {source: airbridge, pattern: google*, channel: "Google, other"}
    - {source: airbridge, pattern: facebook.*, channel: Meta}
"""
SITE = """\
type: analytics_assets.BentoStats

attributes:
  ads: {dimensions: [source], revenue_modes: [all_revenue]}
  schedule: {cron: 10 2 * * *, lookback_days: 8, days_per_run: 12}
"""
PLAN = "monday\n  plan: [{month: 2026-03, account: app_a, channel: Meta, currency: USD, amount: 12.5}, "
Load = Callable[..., dg.Definitions]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Loads a project of two apps, with this `defs/growth/defs.yaml` and this second app."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "{ROOT}"\nregistry_modules = ["analytics_assets"]\n'
    )
    defs = tmp_path / ROOT / "defs"
    for name, text in {
        "app_a": APP,
        "app_b": APP,
        "site": SITE,
        "shared": "type: analytics_assets.Shared\n",
        "growth": "",
    }.items():
        (defs / name).mkdir(parents=True)
        (defs / name / "defs.yaml").write_text(text)
    (tmp_path / ROOT / "__init__.py").touch()
    (defs / "__init__.py").touch()
    monkeypatch.setenv("ANALYTICS_LAKE", str(tmp_path / "lake"))
    monkeypatch.setenv("ANALYTICS_STATE", f"sqlite:///{tmp_path}/state.db")

    def loaded(text: str, app_b: str = APP) -> dg.Definitions:
        (defs / "growth/defs.yaml").write_text(text)
        (defs / "app_b/defs.yaml").write_text(app_b)
        return whole(defs)

    yield loaded
    for module in [name for name in sys.modules if name.split(".")[0] == ROOT]:
        del sys.modules[module]


def test_a_run_stores_each_table_and_evaluates_its_checks(load: Load, tmp_path: Path) -> None:
    """The files hold the tables of the lake; an unmapped channel with spend is named, as a warning."""
    lake = written(small_lake(), tmp_path / "lake")
    result = load(GROWTH).resolve_job_def("growth_tables").execute_in_process()

    expected = build_growth(lake, spec()).tables
    for table in TABLES:
        assert pq.read_table(tmp_path / f"lake/_growth/{table.name}.parquet").equals(expected[table.name])
    *_, event, database = result.asset_materializations_for_node("growth__tables")
    assert database.asset_key == dg.AssetKey(["growth", "database"])
    assert event.asset_key == dg.AssetKey(["growth", "page"])
    assert event.metadata["page"].value == str(tmp_path / "lake/_growth/page.html")
    assert "app_b" in Path(str(event.metadata["page"].value)).read_text()
    assert "data:image/png;base64," in str(event.metadata["summary"].value)
    checks = {one.check_name: one for one in result.get_asset_check_evaluations()}
    assert {name: one.passed for name, one in checks.items()} == {
        "channels_are_mapped": False,
        "sums_equal_the_lake": True,
        "curves_fall_by_refunds": True,
    }
    unmapped = checks["channels_are_mapped"]
    assert unmapped.severity is dg.AssetCheckSeverity.WARN
    assert (unmapped.description or "").startswith("app_a: airbridge name 'tiktok' has spend, 2026-03-02 to ")


def test_the_daily_checks_find_a_day_that_changed_by_hand(load: Load, tmp_path: Path) -> None:
    """They make the tables anew and store nothing."""
    written(small_lake(), tmp_path / "lake")

    result = load(GROWTH).resolve_job_def("checks_daily").execute_in_process(raise_on_error=False)

    names = {one.check_name for one in result.get_asset_check_evaluations() if one.asset_key.path[0] == "growth"}
    assert names == {"channels_are_mapped", "sums_equal_the_lake", "curves_fall_by_refunds"}
    assert not (tmp_path / "lake/_growth").exists()


@pytest.mark.parametrize(
    ("wrong", "instead", "words"),
    [
        ("app_b\n", "app_x\n", "growth/defs.yaml:7 attributes.acquisition.1.account: no folder of defs/ with this name"),
        ("app_b\n", "shared\n", "growth/defs.yaml:7 attributes.acquisition.1.account: no folder of defs/ with this name"),
        ("app_b\n", "app_a\n", "growth/defs.yaml:7 attributes.acquisition.1.account: the account has a report above"),
        ("report: revenue", "report: sales", "growth/defs.yaml:6 attributes.acquisition.0.report: the account app_a has no report"),
        ("report: revenue", "report: on_day", "defs.yaml:6 attributes.acquisition.0.report: the report on_day cannot feed ROAS and LTV: its aggregation is on-day"),
        ("report: revenue", "report: users", "cannot feed ROAS and LTV: its metric is app_user_count"),
        ("report: revenue", "report: signed_up", "cannot feed ROAS and LTV: its start_events are app_sign_up"),
        ("report: revenue\n", "report: revenue\n      channel: medium\n", "defs.yaml:7 attributes.acquisition.0.channel: the report revenue is not grouped by it"),
        ("monday", "monday\n  minimum_installs: 0", "growth/defs.yaml:10 attributes.minimum_installs: "),
        ("monday", PLAN + "{month: 2026-03, account: app_c, channel: Meta, currency: USD, amount: 1}]", "attributes.plan.1.account: no report of `acquisition`"),
        ("monday", PLAN + "{month: march, account: app_b, channel: Meta, currency: USD, amount: 1}]", "attributes.plan.1: this is not a month"),
        ("monday", PLAN + "{month: 2026-04, account: app_b, channel: Meta, currency: USD, amount: -1}]", "attributes.plan.1.amount: "),
        ("monday", PLAN + "{month: 2026-03, account: app_a, channel: Meta, currency: USD, amount: 1}]", "attributes.plan.1: the plan has an amount above"),
        ("monday", "monday\n  signups: [{account: app_a}]", "attributes.signups.0.account: no folder of defs/ with this name is BentoStats"),
        ("monday", "monday\n  signups: [{account: site, dimension: medium}]", "attributes.signups.0.dimension: the site site does not read this dimension. Use source"),
        ("monday", "monday\n  signups: [{account: site}, {account: site}]", "attributes.signups.1.account: the site has a dimension above"),
        ("monday", "monday\n  metrics: [{account: site}]", "attributes.metrics.0.account: no folder of defs/ with this name is StatsigMetrics"),
        ("monday", "monday\n  metrics: [{account: site}, {account: site}]", "attributes.metrics.1.account: the project is named above"),
        ("monday", "mon", "growth/defs.yaml:9 attributes.week_start: this is not a day of the week. Use one of monday"),
        ('source: airbridge, name: ""', 'source: other, name: ""', "defs.yaml:11 attributes.channels.0.source: no table has raw names"),
        ("pattern: google*", "name: google.adwords", "defs.yaml:13 attributes.channels.2: a rule above has the same name or pattern"),
        ("pattern: google*, ", "", "defs.yaml:13 attributes.channels.2: a rule has either `name` or `pattern`"),
    ],
)  # fmt: skip
def test_wrong_yaml_is_refused_with_file_and_line(load: Load, wrong: str, instead: str, words: str) -> None:
    """Before anything runs."""
    assert wrong in GROWTH
    with pytest.raises(UnloadableError) as caught:
        load(GROWTH.replace(wrong, instead, 1))
    assert words in str(caught.value)


def test_a_run_stores_the_database_and_its_script(load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They have each table but raw ones, also of reports that feed nothing; the script leaves out tables without a day."""
    written(small_lake(), tmp_path / "lake")
    growth = tmp_path / "lake/_growth"
    growth.mkdir()
    # What a session leaves that wrote into an earlier file.
    (growth / "growth.duckdb.wal").write_bytes(b"log of another file")
    load(GROWTH).resolve_job_def("growth_tables").execute_in_process()

    assert not (growth / "growth.duckdb.wal").exists()
    views = "select schema_name || '.' || view_name from duckdb_views() where not internal"
    with duckdb.connect(str(growth / "growth.duckdb"), read_only=True) as database, duckdb.connect() as script:
        script.execute((growth / "growth.sql").read_text())
        names, stored = ({name for (name,) in one.sql(views).fetchall()} for one in (database, script))
        weeks = (
            "select week, known_sum(spend) from channel_weekly where week = week_of(week + 2) group by all order by all"
        )
        assert database.sql(weeks).fetchall() == script.sql(weeks).fetchall() != []
    assert stored == {
        *(f"main.{table.name}" for table in TABLES),
        *(f"{app}.revenue_{name}" for app in ("app_a", "app_b") for name in ("cohorts", "cohort_totals")),
    }
    assert names > {*stored, "app_a.users_cohorts", "app_b.revenue_restatements", "app_b.catalog"}
    assert not [name for name in names if name.endswith("_raw")]

    monkeypatch.setenv("ANALYTICS_READER_LAKE", "/mnt/lake")
    load(GROWTH).resolve_job_def("growth_tables").execute_in_process()
    assert "'/mnt/lake') || '/app_a/revenue_cohorts/*/data.parquet'" in (growth / "growth.sql").read_text()


def test_the_database_of_a_bucket_reads_from_there(load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader has a copy of it, and its own access to the bucket."""
    monkeypatch.setenv("ANALYTICS_LAKE", "memory://bucket/lake")
    lake = written(small_lake(), "memory://bucket/lake")
    assert load(GROWTH).resolve_job_def("growth_tables").execute_in_process().success

    with lake.files.opened(f"{lake.root}/_growth/growth.duckdb") as file:
        (tmp_path / "copy.duckdb").write_bytes(file.read())
    with duckdb.connect(str(tmp_path / "copy.duckdb"), read_only=True) as reader:
        reader.register_filesystem(lake.files.fs)
        counts = "select (select count(*) from app_a.revenue_cohorts), (select count(*) from channel_weekly)"
        [(cells, weeks)] = reader.sql(counts).fetchall()
    lake.files.fs.rm("/bucket", recursive=True)
    assert cells == sum(len(group.cells) for group in small_lake().groups if group.account == "app_a")
    assert weeks > 0


def test_the_sensor_starts_one_run_after_loads_and_loses_no_day(load: Load, tmp_path: Path) -> None:
    """It waits for open loads, and a day that is stored after its request leads to another run."""
    definitions = load(GROWTH)
    sensor = definitions.get_repository_def().get_sensor_def("growth_follows_loads")
    upstream = dg.AssetKey(["app_b", "revenue_cohort_totals"])
    with dg.instance_for_test() as instance:

        def tick(cursor: str | None) -> tuple[int, str | None]:
            with dg.build_sensor_context(instance, cursor=cursor, definitions=definitions) as context:
                data = sensor.evaluate_tick(context)
            return len(data.run_requests or []), data.cursor or cursor

        def store(day: str) -> None:
            instance.report_runless_asset_event(dg.AssetMaterialization(upstream, partition=day))

        assert tick(None) == (0, None)
        store("2026-03-02")
        store("2026-03-03")
        load_run = instance.create_run_for_job(
            definitions.resolve_job_def("app_b_daily"), status=dg.DagsterRunStatus.STARTED
        )
        assert tick(None) == (0, None)
        instance.report_run_canceled(load_run)
        runs, cursor = tick(None)
        assert runs == 1
        assert tick(cursor) == (0, cursor)
        store("2026-03-02")
        runs, later = tick(cursor)
        assert (runs, later != cursor) == (1, True)
        # Another channel map makes other tables.
        sensor = load(GROWTH.replace("Meta", "Facebook")).get_repository_def().get_sensor_def("growth_follows_loads")
        assert tick(later)[0] == 1
        # A table more is a view more.
        sensor = (
            load(GROWTH, APP.replace("name: users", "name: buyers"))
            .get_repository_def()
            .get_sensor_def("growth_follows_loads")
        )
        assert tick(later)[0] == 1


def test_a_backfill_of_these_tables_without_their_job_is_waited_for(load: Load) -> None:
    """Such a run has Dagster's own job name, and its asset selection."""
    definitions = load(GROWTH)
    sensor = definitions.get_repository_def().get_sensor_def("growth_follows_loads")
    upstream = dg.AssetKey(["app_a", "revenue_cohorts"])
    with dg.instance_for_test() as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization(upstream, partition="2026-03-02"))
        job = definitions.resolve_implicit_global_asset_job_def()
        instance.create_run_for_job(
            job.get_subset(asset_selection={upstream}), asset_selection={upstream}, status=dg.DagsterRunStatus.STARTED
        )
        with dg.build_sensor_context(instance, definitions=definitions) as context:
            data = sensor.evaluate_tick(context)
    assert (data.run_requests, data.skip_message) == ([], "Waiting for the end of 1 open runs.")
