"""`analytics-assets load --url`: a real web server and daemon load the days, as one backfill."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from analytics_assets.__main__ import main
from analytics_assets.cli.graphql import GraphQL
from analytics_assets_tests.integration.daemon import Project
from analytics_assets_tests.integration.server import Sandbox
from analytics_assets_tests.integration.test_lake_repaired import ADS, RANGE, project, vendor  # noqa: F401 - fixtures

pytestmark = pytest.mark.proof(4)

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
PATIENCE_S = 180.0


def load(project: Project, *arguments: str) -> int:  # noqa: F811 - the value of the fixture
    """The status of the command."""
    return main(("load", "bento", *arguments, "--yes"), clock=lambda: NOW, defs=project.root / "growth/defs")


@contextmanager
def web_server(project: Project) -> Iterator[str]:  # noqa: F811 - the value of the fixture
    """Serves the UI of a project; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "dagster_webserver", "-h", "127.0.0.1", "-p", str(port)]
    with (project.root / "web.log").open("ab") as log:
        process = subprocess.Popen(
            [*command, "-w", str(project.root / "workspace.yaml")],
            cwd=project.root,
            env=dict(project.environment),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        url, until = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE_S
        with closing(GraphQL(url)) as graphql:
            while not graphql.is_ready():
                if time.monotonic() > until or process.poll() is not None:
                    raise RuntimeError((project.root / "web.log").read_text()[-3000:])
                time.sleep(0.5)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def test_a_deployment_loads_the_days_as_one_backfill(
    project: Project,  # noqa: F811
    vendor: Sandbox,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A day that fails is named with the reason; typed days are then made again without a request."""
    vendor.spoil(kind="status", vendor="bento", endpoint="/stats/ads", contains="2026-03-01", status=404)
    with project.daemon(), web_server(project) as url:
        assert load(project, *RANGE, "--url", url) == 1
        said = capsys.readouterr().out
        vendor.forget()
        file = tmp_path / "lake/bento/ads_totals/dt=2026-03-03/data.parquet"
        file.unlink()
        days = ("--from", "2026-03-02", "--to", "2026-03-04")
        assert load(project, *days, "--url", url, "--tables", "ads_totals") == 0, capsys.readouterr()
        typed = capsys.readouterr().out
        assert load(project, "--from", "2026-03-01", "--to", "2026-03-01", "--url", url) == 0
    assert f"Backfill {said.partition('Backfill ')[2][:8]}: {url}/runs/b/" in said
    assert "2026-03-01: Bento GET /stats/ads: HTTP 404" in said
    assert "Stored 3 of 4 days; the backfill is COMPLETED_FAILED.\n" in said
    assert typed.endswith("Stored 3 of 3 days; the backfill is COMPLETED_SUCCESS.\n")
    assert (file.exists(), vendor.counts()) == (True, {ADS: 1})


def test_an_address_where_nothing_answers_is_refused(
    project: Project,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With status 2 and what to check."""
    assert load(project, *RANGE, "--url", "http://127.0.0.1:9") == 2
    err = capsys.readouterr().err
    assert err.startswith("analytics-assets: --url http://127.0.0.1:9: ")
    assert err.endswith(" Check the address and that the deployment runs.\n")
