"""`Shared` in somebody else's project, loaded by Dagster's own loader: it serves the accounts of this project, and nothing else of it."""

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from textwrap import dedent
from typing import Any

import dagster as dg
import pyarrow.parquet as pq
import pytest
from dagster._core.definitions.job_base import RepoBackedJob
from dagster._core.execution.api import execute_run
from dagster._core.remote_origin import InProcessCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.utils import make_new_run_id
from dagster.components.core.component_tree import ComponentTreeException

from analytics_assets.__main__ import main
from analytics_assets.orchestration.loading import UnloadableError, whole
from analytics_assets.sandbox.options import Options
from analytics_assets_tests.integration.conftest import Place
from analytics_assets_tests.integration.running import range_tags, run
from analytics_assets_tests.integration.server import sandbox_server

ROOT, DAY = "own_project", date(2026, 3, 5)
# Dagster warns of itself where it loads a folder.
pytestmark = pytest.mark.filterwarnings("ignore")
FILES = {
    "pyproject.toml": f"""
        [tool.dg]
        directory_type = "project"
        [tool.dg.project]
        root_module = "{ROOT}"
        registry_modules = ["analytics_assets"]
    """,
    f"{ROOT}/__init__.py": "",
    f"{ROOT}/defs/__init__.py": "",
    f"{ROOT}/defs/shared/defs.yaml": """
        type: analytics_assets.Shared
        attributes:
          checks_cron: 15 5 * * *
    """,
    f"{ROOT}/defs/shop/defs.yaml": """
        type: analytics_assets.StatsigMetrics
        attributes:
          schedule: {cron: 20 20 * * *, lookback_days: 1, days_per_run: 31}
    """,
    # What the platform team has beside it, with the same tags and in the account's group.
    f"{ROOT}/defs/orders.py": """
        import dagster as dg

        @dg.asset(group_name="shop", tags={"reading": "snapshot", "layer": "raw"}, check_specs=[dg.AssetCheckSpec("fits", asset="orders")])
        def orders():
            raise AssertionError("this is not an asset of an account")

        orders_job = dg.define_asset_job("orders_job", selection=["orders"])
    """,
}
# An account without YAML; its function does not say what it returns.
IN_PYTHON = """
    import dagster as dg
    from analytics_assets.sources.statsig.source import StatsigMetrics
    from analytics_assets.orchestration.source_component import ScheduleConfig

    @dg.component_instance
    def account(context):
        return StatsigMetrics(schedule=ScheduleConfig(cron="0 21 * * *", lookback_days=1, days_per_run=30))
"""
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes the project, with other files or without some; returns the folder of its definitions."""
    monkeypatch.syspath_prepend(tmp_path)

    def written(*, without: str = "", **more: str) -> Path:
        files = FILES | {f"{ROOT}/defs/{name}/defs.yaml": text for name, text in more.items()}
        for name, text in files.items():
            if without and f"/{without}/" in name:
                continue
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text).lstrip())
        return tmp_path / ROOT / "defs"

    yield written
    for module in [one for one in sys.modules if one.split(".")[0] == ROOT]:
        del sys.modules[module]


def load(defs: Path) -> dg.Definitions:
    """The project as Dagster loads it."""
    return dg.load_from_defs_folder(path_within_project=defs.parent)


def test_the_jobs_are_those_of_the_accounts_and_of_nothing_else(write: Write) -> None:
    """Jobs, schedules and the lake; each job is one process, and the project's own job keeps the project's executor."""
    repository = load(write()).get_repository_def()
    jobs = {job.name: job for job in repository.get_all_jobs()}
    assert sorted(jobs) == ["__ASSET_JOB", "checks_daily", "housekeeping", "orders_job", "shop_daily", "snapshots"]
    assert {schedule.name: schedule.cron_schedule for schedule in repository.schedule_defs} == {
        "shop_daily": "20 20 * * *",
        "snapshots": "30 9 * * *",
        "checks_daily": "15 5 * * *",
        "housekeeping": "0 4 * * *",
    }
    assert set(repository.get_top_level_resources()) >= {"lake", "shop"}
    assert jobs["snapshots"].asset_layer.executable_asset_keys == {dg.AssetKey(["shop", "listing_raw"])}
    checked = {key.asset_key.path[0] for key in jobs["checks_daily"].asset_layer.asset_graph.asset_check_keys}
    assert checked == {"shop"}
    ours = {name for name, job in jobs.items() if job.executor_def is dg.in_process_executor}
    assert ours == {"checks_daily", "housekeeping", "shop_daily", "snapshots"}


def test_every_check_of_the_accounts_is_in_the_daily_job(write: Write) -> None:
    """Also those of an account made in Python, by a function whose annotation says nothing."""
    defs = write()
    (defs / "lab").mkdir()
    (defs / "lab/account.py").write_text(dedent(IN_PYTHON))
    repository = load(defs).get_repository_def()
    every = {key for key in repository.asset_graph.asset_check_keys if key.asset_key.path[0] != "orders"}
    daily = repository.get_job("checks_daily").asset_layer.asset_graph.asset_check_keys
    assert {key.asset_key.path[0] for key in every} == {"lab", "shop"}
    assert daily == every


def test_a_day_is_stored_and_checked(write: Write, point: Callable[[str], Place], instance: dg.DagsterInstance) -> None:
    """The snapshots, the job of the account and the checks run on the lake of the setting."""
    definitions = load(write())
    with sandbox_server(Options(seed=3)) as sandbox:
        place = point(sandbox.url)
        day = range_tags([DAY])
        for job, tags in (("snapshots", {}), ("shop_daily", day), ("checks_daily", {})):
            result = run(definitions, job, instance, tags)
            assert result.success, job
    tables = {
        path.parents[1].name: pq.read_table(path).num_rows for path in place.lake.glob(f"shop/*/dt={DAY}/*.parquet")
    }
    assert sorted(tables) == ["event_metrics", "metric_values", "values_raw"]
    assert min(tables.values()) > 0


def test_the_housekeeping_deletes_old_runs_of_the_accounts_only(
    write: Write, point: Callable[[str], Place], tmp_path: Path
) -> None:
    """A history can be shared: runs of the project's own jobs and assets stay, and those of other code locations."""
    point("http://127.0.0.1:9")
    repository = load(write()).get_repository_def()
    job = repository.get_job("housekeeping")
    here, elsewhere = (
        RemoteRepositoryOrigin(
            InProcessCodeLocationOrigin(LoadableTargetOrigin(), location_name=name), "__repository__"
        )
        for name in ("here", "elsewhere")
    )
    ours, theirs = dg.AssetKey(["shop", "metric_values"]), dg.AssetKey("orders")
    old: dict[str, dict[str, Any]] = {
        "account": {"job_name": "shop_daily"},
        "tables": {"job_name": "__ASSET_JOB", "asset_selection": frozenset({ours})},
        "own job": {"job_name": "orders_job"},
        "own asset": {"job_name": "__ASSET_JOB", "asset_selection": frozenset({theirs})},
        "both": {"job_name": "__ASSET_JOB", "asset_selection": frozenset({ours, theirs})},
        "elsewhere": {"job_name": "housekeeping", "remote_job_origin": RemoteJobOrigin(elsewhere, "housekeeping")},
    }
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        ids = {}
        for name, run in old.items():
            origin = {"remote_job_origin": RemoteJobOrigin(here, run["job_name"])} | run
            made = dg.DagsterRun(run_id=make_new_run_id(), status=dg.DagsterRunStatus.SUCCESS, **origin)
            ids[instance.run_storage.add_historical_run(made, datetime(2020, 1, 1, tzinfo=UTC)).run_id] = name
        cleaning = instance.create_run_for_job(job_def=job, remote_job_origin=RemoteJobOrigin(here, "housekeeping"))
        execute_run(RepoBackedJob("housekeeping", repository), cleaning, instance, raise_on_error=True)
        left = [ids.get(run.run_id, "this one") for run in instance.get_runs()]
    assert sorted(left) == ["both", "elsewhere", "own asset", "own job", "this one"]


def test_a_wrong_cron_is_refused_with_file_and_line(write: Write) -> None:
    """By Dagster's own loader too."""
    defs = write(
        shared="type: analytics_assets.Shared\nattributes:\n  snapshots_cron: 30 9 * * *\n  checks_cron: 30 25 * * *\n"
    )
    with pytest.raises(ComponentTreeException) as refused:
        load(defs)
    assert str(refused.value.__cause__) == (
        "defs/shared/defs.yaml:4 attributes.checks_cron: '30 25 * * *' is not a cron line. Use five fields, such as `20 20 * * *` "
        "for 20:20 each day."
    )


def test_two_are_refused_with_both_places(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """By Dagster's own loader, by the commands, and by the doctor, though each folder loads by itself."""
    defs, words = (
        write(again="type: analytics_assets.Shared\n"),
        "defs/again, defs/shared: each has a `Shared`, and a project takes one.",
    )
    with pytest.raises(ComponentTreeException) as refused:
        load(defs)
    assert str(refused.value.__cause__) == f"{words} Delete all but one of them."
    with pytest.raises(UnloadableError) as caught:
        whole(defs)
    assert str(caught.value) == f"{words} Delete all but one of them."
    assert (main(["doctor", "--offline"], defs=defs), words[:-1] in capsys.readouterr().out) == (1, True)


def test_accounts_without_it_are_refused(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """Dagster would name a step and a resource key."""
    defs, words = write(without="shared"), "The accounts have no lake, because no folder of defs/ has a `Shared`."
    with pytest.raises(UnloadableError) as caught:
        whole(defs)
    assert str(caught.value) == f"{words} Create defs/shared/defs.yaml with the line `type: analytics_assets.Shared`."
    assert (main(["doctor", "--offline"], defs=defs), words[:-1] in capsys.readouterr().out) == (1, True)
    days = ["--from", "2026-03-05", "--to", "2026-03-05", "--yes"]
    assert (main(["load", "shop", *days], defs=defs), words in capsys.readouterr().err) == (2, True)


def test_a_lake_that_the_project_brings_itself_is_enough(write: Write) -> None:
    """The jobs of `Shared` are then the project's own business."""
    defs = write(without="shared")
    (defs / "lake.py").write_text(
        "import dagster as dg\nfrom analytics_assets.orchestration.lake_resource import LakeResource\n"
        "resources = dg.Definitions(resources={'lake': LakeResource()})\n"
    )
    jobs = {job.name for job in whole(defs).get_repository_def().get_all_jobs()}
    assert jobs == {"__ASSET_JOB", "orders_job", "shop_daily"}
