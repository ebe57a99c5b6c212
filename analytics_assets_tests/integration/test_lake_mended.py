"""`analytics-assets lake verify` from damage to a lake that is well: a real daemon carries out what the command has asked for."""

import sys
import time
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.__main__ import main
from analytics_assets.lake.resource import LakeResource
from analytics_assets.sandbox.options import Options
from analytics_assets_tests.integration.daemon import Project, made_project
from analytics_assets_tests.integration.running import days_from, range_tags
from analytics_assets_tests.integration.server import Sandbox, sandbox_server

pytestmark = pytest.mark.proof(1)

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAYS = days_from(datetime(2026, 3, 1, tzinfo=UTC).date(), 4)
PATIENCE_S = 540.0
BENTO = """\
    type: analytics_assets.BentoStats

    attributes:
      schedule: {cron: 10 2 * * *, lookback_days: 7, days_per_run: 12}
"""


def clock() -> datetime:
    """The present instant of the command."""
    return NOW


@pytest.fixture
def vendor() -> Iterator[Sandbox]:
    """The vendors."""
    with sandbox_server(Options()) as server:
        yield server


@pytest.fixture
def project(vendor: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project whose folder, instance, lake and state are those of this process too."""
    environment = {
        "ANALYTICS_SANDBOX_URL": vendor.url,
        "ANALYTICS_LAKE": str(tmp_path / "lake"),
        "ANALYTICS_STATE": f"sqlite:///{tmp_path}/state.db",
    }
    made = made_project(tmp_path, {"bento": BENTO}, environment)
    for name in (*environment, "DAGSTER_HOME"):
        monkeypatch.setenv(name, made.environment[name])
    monkeypatch.syspath_prepend(str(tmp_path))
    yield made
    for name in [name for name in sys.modules if name.partition(".")[0] == "growth"]:
        del sys.modules[name]


def land(project: Project) -> None:
    """Lands the days and a reading of the snapshot, without a daemon."""
    with warnings.catch_warnings():
        # Dagster's own.
        warnings.simplefilter("ignore")
        loaded = dg.ComponentTree.for_project(project.root / "growth/defs").build_defs()
    shared = dg.Definitions(
        resources={"lake": LakeResource()},
        jobs=[dg.define_asset_job("readings", selection=dg.AssetSelection.tag("reading", "snapshot"))],
        executor=dg.in_process_executor,
    )
    definitions = dg.Definitions.merge(loaded, shared)
    with project.instance() as instance:
        daily = definitions.resolve_job_def("bento_daily")
        assert daily.execute_in_process(instance=instance, tags=range_tags(DAYS)).success
        assert definitions.resolve_job_def("readings").execute_in_process(instance=instance).success


def carried_out(instance: dg.DagsterInstance) -> list[str]:
    """How the backfills end, once they all have."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        statuses = [one.status.value for one in instance.get_backfills()]
        if all(status.startswith("COMPLETED") for status in statuses):
            return statuses
        time.sleep(0.5)
    raise TimeoutError(f"the backfills have not ended: {statuses}")


def test_what_is_damaged_or_missing_stands_again_and_nothing_else_is_asked_for(
    project: Project, vendor: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two days whose raw is gone cost a request each, a typed day none, a snapshot one reading of the present day."""

    def verify(*options: str) -> tuple[int, str]:
        status = main(("lake", "verify", *options), clock=clock, defs=project.root / "growth/defs")
        return status, capsys.readouterr().out

    def file(table: str, day: str) -> Path:
        [found] = (project.root / "lake/bento" / table).glob(f"dt={day}/data.parquet")
        return found

    land(project)
    status, said = verify()
    assert (status, said.endswith(": all well.\n")) == (0, True)
    cut = file("ads_raw", "2026-03-02")
    cut.write_bytes(cut.read_bytes()[:-9])
    file("ads_raw", "2026-03-03").unlink()
    file("ads_totals", "2026-03-04").unlink()
    file("audience_counts", "*").write_bytes(b"")
    vendor.forget()
    status, said = verify("--ask-again")
    assert status == 1
    assert [line.partition(": ")[2] for line in said.splitlines() if line.startswith("Backfill ")] == [
        "bento/ads asked again after lake verify: 2026-03-02 to 2026-03-03.",
        "bento/ads made again after lake verify: 2026-03-04.",
        "bento/audience read anew after lake verify: of the present day.",
    ]
    assert "No daemon is at work on this instance" in said
    assert said.splitlines()[-1].endswith(": 4 findings (2 damaged, 2 missing).")
    with project.instance() as instance, project.daemon():
        assert carried_out(instance) == ["COMPLETED_SUCCESS"] * 3
    assert vendor.counts() == {"bento GET /stats/ads": 2, "bento GET /stats/site": 1}
    status, said = verify()
    assert (status, said.splitlines()[0]) == (0, "In the quarantine: 2 files, kept for a person to read.")
    assert said.splitlines()[-1].endswith(": all well.")
