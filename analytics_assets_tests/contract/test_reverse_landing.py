"""An older report task that lands after a newer one changes nothing; over a real socket."""

import shutil
from datetime import datetime, timedelta
from pathlib import Path

from analytics_assets.lake.load import DayResult
from analytics_assets.lake.store import Lake
from analytics_assets.sandbox.options import Options
from analytics_assets.sources.airbridge.report_loader import Waiting
from analytics_assets.sources.airbridge.source import report_stream
from analytics_assets.sources.airbridge.tables import cohorts_table
from analytics_assets.sources.airbridge.task_decisions import TaskPolicy
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.contract.clients import NOW, clients
from analytics_assets_tests.contract.operations import DAY, REPORT
from analytics_assets_tests.contract.readings import APP, land, ticking
from analytics_assets_tests.contract.server import SandboxServer, sandbox_server
from analytics_assets_tests.opened import work

_TASK_S = 60.0


async def run(server: SandboxServer, lake: Path, ledger: Path, now: datetime, *, wait_s: float) -> DayResult:
    """One run over the day at an instant, which is the vendor's too."""
    server.set_clock(now)
    clock, store = ticking(now), Lake(str(lake))
    waiting = Waiting(wait_s, 92, 100, TaskPolicy(first_poll_s=0.01, longest_poll_s=0.01))
    async with clients(server.url, clock=clock, only="airbridge") as to:
        stream = report_stream("airbridge", APP, REPORT, waiting)
        opened = stream.open(work(to.airbridge, store, clock, ledger=Ledger(f"sqlite:///{ledger}")))
        async with opened as fetcher:
            return (await land(store, stream, [DAY], clock, fetcher, attempt_group=f"{ledger}"))[0]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a lake."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def copied(ledger: Path, name: str) -> None:
    """A ledger under another name, what its database has not put in its place yet included."""
    for part in ledger.parent.glob(f"{ledger.name}*"):
        shutil.copy(part, part.with_name(part.name.replace(ledger.stem, name)))


async def test_an_older_task_that_lands_after_a_newer_one_changes_nothing(tmp_path: Path):
    """Two machines with ledgers of their own: the task of Wednesday is collected after the one of Thursday is stored."""
    older, newer, done = NOW, NOW + timedelta(days=1), timedelta(seconds=_TASK_S + 1)
    lake, early, late = tmp_path / "lake", tmp_path / "early.db", tmp_path / "late.db"
    with sandbox_server(Options(now=lambda: NOW, task_seconds=_TASK_S)) as server:
        for ledger, at in ((early, older), (late, newer)):
            waiting = await run(server, lake, ledger, at, wait_s=0)
            assert "The sensor of airbridge stores these days when it is ready." in str(waiting.error)
        assert server.counts()["airbridge POST /reports/api/v3/apps/{app}/revenue/query"] == 2
        copied(early, "again")
        assert (await run(server, lake, late, newer + done, wait_s=5)).error is None
        stored = contents(lake)
        result = await run(server, lake, early, newer + 2 * done, wait_s=5)
        assert (result.error, result.was_requested, contents(lake)) == (None, True, stored)
        # The same older task where nothing newer stands: it does say something else.
        alone = await run(server, tmp_path / "alone", tmp_path / "again.db", newer + 2 * done, wait_s=5)
    assert alone.error is None
    assert (
        Lake(str(tmp_path / "alone")).read("airbridge", cohorts_table(REPORT)).to_pylist()
        != Lake(str(lake)).read("airbridge", cohorts_table(REPORT)).to_pylist()
    )
    assert not Ledger(f"sqlite:///{early}").open_requests("airbridge")
