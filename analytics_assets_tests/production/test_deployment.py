"""The deployment of `deploy/` for real: PostgreSQL, Redis, an S3 server, the processes of the Procfile and two workers, one of which dies.

`make proof` runs it. Only numbers of the instance file are other than shipped: how often dead workers are looked for.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from analytics_assets.definitions import defs
from analytics_assets.lake.files import Files
from analytics_assets.orchestration.backfill_guard import PLAN_KEY
from analytics_assets.sandbox.options import Options
from analytics_assets_tests.chaos.acts import environment, undisturbed
from analytics_assets_tests.chaos.storm import shipped
from analytics_assets_tests.integration.daemon import made_project
from analytics_assets_tests.integration.running import days_from
from analytics_assets_tests.integration.server import sandbox_server
from analytics_assets_tests.production.deployment import Deployment, deployed
from analytics_assets_tests.production.parts import bucket_server, postgres, redis

pytestmark = pytest.mark.proof(5)

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
DAYS = days_from(date(2026, 4, 1), 60)
WORKERS = ("first", "second")
LAKE = "s3://lake/analytics"
# As shipped a worker that is gone is noticed within two minutes, and a run that it had taken but not begun within five.
NUMBERS = {"poll_interval_seconds": 5, "start_timeout_seconds": 60}
PATIENCE_S = 900.0


@pytest.fixture
def vendors() -> Iterator[str]:
    """The vendors at one instant that does not pass, so that two lakes read the same; slow enough to be interrupted."""
    options = Options(now=lambda: NOW, until=NOW, task_seconds=0, latency_s=0.1)
    with sandbox_server(options) as sandbox:
        yield sandbox.url


@pytest.fixture
def alone(tmp_path: Path, vendors: str) -> Path:
    """The lake of one machine, a folder, with the days; beside it `snapshots`, as it was before the first of them."""
    lake = tmp_path / "alone"
    where = environment(vendors, lake, f"sqlite:///{tmp_path}/state.db")
    undisturbed(made_project(tmp_path / "project", shipped(), where), DAYS, tmp_path / "snapshots")
    return lake


@pytest.fixture
def bucket(alone: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mapping[str, str]]:
    """A bucket with the snapshots and nothing else: the environment that leads to it."""
    with bucket_server() as address:
        leading = {
            "AWS_ENDPOINT_URL": address,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        for name, value in leading.items():
            monkeypatch.setenv(name, value)
        files = Files(LAKE)
        files.fs.mkdir("lake")
        files.fs.put(f"{alone.parent}/snapshots/", f"{files.root}/", recursive=True)
        yield leading


@pytest.fixture
def deployment(tmp_path: Path, vendors: str, bucket: Mapping[str, str]) -> Iterator[Deployment]:
    """All processes of the Procfile but the web server for viewers, and two workers."""
    with postgres() as database, redis() as broker:
        where = {
            **bucket,
            "ANALYTICS_LAKE": LAKE,
            "ANALYTICS_SANDBOX_URL": vendors,
            "ANALYTICS_STATE": database.database("state"),
            "DAGSTER_POSTGRES_URL": database.database("dagster"),
            "ANALYTICS_BROKER": broker.url,
        }
        with deployed(tmp_path / "deployment", where, NUMBERS) as running:
            running.start("code", "web", "daemon")
            running.start(*WORKERS, of="worker")
            running.ready()
            yield running


def typed(files: Files) -> dict[str, bytes]:
    """The files of the typed daily tables, by path in the lake."""
    specs = [
        spec for spec in defs().resolve_all_asset_specs() if spec.partitions_def is not None and spec.key != PLAN_KEY
    ]
    names = {"/".join(spec.key.path) for spec in specs if spec.tags["layer"] == "typed"}
    found = {}
    for path in files.under(files.root):
        name = str(path).removeprefix(f"{files.root}/")
        if name.rsplit("/", 2)[0] in names:
            with files.opened(str(path)) as file:
                found[name] = file.read()
    return found


def until(is_so: Callable[[], bool], what: str) -> None:
    """Waits for something that takes its time."""
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < end, f"{what}: not within {PATIENCE_S:.0f} s"
        time.sleep(2)


def begun(deployment: Deployment, worker: str) -> set[str]:
    """The runs that a worker is at."""
    return deployment.begun_by(worker) & {run for run, status in deployment.runs().items() if status == "STARTED"}


def half_way(deployment: Deployment) -> str | None:
    """A worker that is at runs while part of a vendor's days are stored; None until then."""
    stored = max(
        len(Files(LAKE).under(f"{Files(LAKE).root}/{table}")) for table in ("bento/ads_raw", "statsig/values_raw")
    )
    return next((name for name in WORKERS if 6 <= stored < len(DAYS) and begun(deployment, name)), None)


def test_a_backfill_of_sixty_days_survives_the_death_of_a_worker(
    deployment: Deployment, alone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Killed with -9 while it works: its runs begin anew on the other, and the bucket holds what one machine would are stored."""
    began = time.monotonic()
    backfill = deployment.backfill([day.isoformat() for day in DAYS])
    until(lambda: half_way(deployment) is not None, "a worker half-way")
    victim = half_way(deployment) or WORKERS[0]
    deployment.kill(victim)
    cut_off = begun(deployment, victim)
    until(lambda: deployment.status(backfill).startswith("COMPLETED"), "the backfill")
    runs = {"killed" if name == victim else "other": len(deployment.begun_by(name)) for name in WORKERS}
    with capsys.disabled():
        told = f"runs begun by the killed worker {runs['killed']}, {len(cut_off)} of them cut off, by the other {runs['other']}"
        sys.stdout.write(f"\n{told}; {time.monotonic() - began:.0f} s\n")

    assert deployment.status(backfill) == "COMPLETED_SUCCESS"
    assert min(*runs.values(), len(cut_off)) >= 1
    assert {deployment.runs()[run] for run in cut_off} == {"FAILURE"}
    expected = typed(Files(str(alone)))
    assert len(expected) == len(DAYS) * len({path.rsplit("/", 2)[0] for path in expected})
    assert typed(Files(LAKE)) == expected
