"""`analytics-assets load`, and a damaged lake repaired by the commands that `analytics-assets lake verify` prints, word by word."""

import shlex
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics_assets.__main__ import main
from analytics_assets.lake.footer import encoded, footer_of
from analytics_assets.lake.parquet import parquet
from analytics_assets.lake.store import Lake
from analytics_assets.sandbox.options import Options
from analytics_assets.sources.bento.tables import ADS_TOTALS
from analytics_assets_tests.integration.daemon import Project, made_project
from analytics_assets_tests.integration.server import Sandbox, sandbox_server

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
RANGE = ("--from", "2026-03-01", "--to", "2026-03-04")
BENTO = """\
    type: analytics_assets.BentoStats

    attributes:
      schedule: {cron: 10 2 * * *, lookback_days: 7, days_per_run: 3}
"""
AIRBRIDGE = """\
    type: analytics_assets.AirbridgeRevenue

    attributes:
      app_name: myapp
      timezone: Asia/Seoul
      currency: USD
      schedule: {cron: 30 0 * * *, lookback_days: 32, days_per_run: 92}
      reports:
        - name: revenue
          group_by: [channel, campaign]
          metric: app_revenue
          aggregation: cumulative
          intervals: 7
          start_events: [app_install]
          return_events: [app_order_complete]
"""
ADS = "bento GET /stats/ads"

Command = Callable[..., tuple[int, str]]


@pytest.fixture
def vendor() -> Iterator[Sandbox]:
    """The vendors."""
    with sandbox_server(Options(task_seconds=0.0)) as server:
        yield server


@pytest.fixture
def project(vendor: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project whose folder, instance, lake and state are those of this process too."""
    environment = {
        "ANALYTICS_SANDBOX_URL": vendor.url,
        "ANALYTICS_LAKE": str(tmp_path / "lake"),
        "ANALYTICS_STATE": f"sqlite:///{tmp_path}/state.db",
    }
    made = made_project(tmp_path, {"bento": BENTO, "airbridge": AIRBRIDGE}, environment)
    for name in (*environment, "DAGSTER_HOME"):
        monkeypatch.setenv(name, made.environment[name])
    monkeypatch.syspath_prepend(str(tmp_path))
    yield made
    for name in [name for name in sys.modules if name.partition(".")[0] == "growth"]:
        del sys.modules[name]


@pytest.fixture
def command(project: Project, capsys: pytest.CaptureFixture[str]) -> Command:
    """Calls `analytics-assets`; gives status and output."""

    def called(*arguments: str) -> tuple[int, str]:
        status = main(arguments, clock=lambda: NOW, defs=project.root / "growth/defs")
        out, err = capsys.readouterr()
        return status, out + err

    return called


def file(project: Project, table: str, day: str) -> Path:
    """The file of a day; tables as `account/table`."""
    return project.root / "lake" / table / f"dt={day}/data.parquet"


def repaired(command: Command, vendor: Sandbox) -> tuple[list[str], dict[str, int]]:
    """Carries out what `lake verify` prints; the commands, and what the vendors were requested by them."""
    status, said = command("lake", "verify")
    assert status == 1
    commands = [line.strip() for line in said.splitlines() if line.startswith("  analytics-assets load ")]
    vendor.forget()
    for line in commands:
        status, printed = command(*shlex.split(line)[1:], "--yes")
        assert status == 0, printed
    return commands, vendor.counts()


def statuses(project: Project, table: str) -> dict[str, str]:
    """What Dagster shows of the days of a table."""
    days = dg.DailyPartitionsDefinition("2026-03-01", end_date="2026-03-06")
    with project.instance() as instance:
        key = dg.AssetKey(table.split("/"))
        shown = instance.get_status_by_partition(key, days.get_partition_keys(), days) or {}
    return {day[-2:]: status.name for day, status in shown.items() if status}


def test_a_range_is_loaded_in_runs_after_its_plan(project: Project, vendor: Sandbox, command: Command) -> None:
    """Four days in runs of three, with the requests that the plan says."""
    status, said = command("load", "bento", *RANGE, "--yes")
    lines = said.splitlines()
    assert (status, vendor.counts()) == (0, {ADS: 4}), said
    assert lines[:3] == [
        "Plan for 2026-03-01 to 2026-03-04, all days asked anew:",
        "bento: 2 runs",
        "  4 GET /stats/ads",
    ]
    told = ["Run 1 of 2: 2026-03-01 to 2026-03-03.", "Run 1 of 2: stored 3 of 3 days.", "Run 2 of 2: 2026-03-04."]
    assert [line for line in lines if line in told] == told
    assert "Stored 4 of 4 days." in lines
    assert statuses(project, "bento/ads_totals") == dict.fromkeys(("01", "02", "03", "04"), "MATERIALIZED")
    assert statuses(project, "bento/ads_raw") == dict.fromkeys(("01", "02", "03", "04"), "MATERIALIZED")


def test_days_that_fail_are_named_with_the_reason_and_the_others_stored(
    project: Project, vendor: Sandbox, command: Command
) -> None:
    """Status 1; a later load of that day alone makes all correct."""
    vendor.spoil(kind="status", vendor="bento", endpoint="/stats/ads", contains="2026-03-01", status=404)
    status, said = command("load", "bento", *RANGE, "--yes")
    assert status == 1, said
    assert "Run 1 of 2: stored 2 of 3 days." in said
    assert "bento/ads: 1 of 3 days were not stored.\n2026-03-01: Bento GET /stats/ads: HTTP 404" in said
    assert "Stored 3 of 4 days.\nFailed: 2026-03-01. Load them again when the cause is fixed.\n" in said
    assert statuses(project, "bento/ads_totals")["01"] == "FAILED"
    assert ("Stack Trace" in said, "dagster - " in said) == (False, False)


@pytest.mark.proof(1)
def test_an_account_that_is_refused_ends_the_load(vendor: Sandbox, command: Command) -> None:
    """The second run would be refused as the first was."""
    vendor.spoil(kind="status", vendor="bento", status=401, body={"error": "no"})
    status, said = command("load", "bento", *RANGE, "--yes")
    assert (status, "The other runs would fail in the same way and were not started." in said) == (1, True)
    assert said.count("Run 2 of 2") == 0
    assert "Failed: 2026-03-01 to 2026-03-04." in said


@pytest.mark.proof(1)
def test_typed_tables_alone_are_made_from_raw_without_a_request(
    project: Project, vendor: Sandbox, command: Command
) -> None:
    """A raw table brings its typed ones."""
    assert command("load", "bento", *RANGE, "--yes")[0] == 0
    vendor.forget()
    file(project, "bento/ads_totals", "2026-03-02").unlink()
    status, said = command("load", "bento", *RANGE, "--tables", "ads_totals", "--yes")
    assert (status, vendor.counts(), file(project, "bento/ads_totals", "2026-03-02").exists()) == (0, {}, True)
    assert "Tables: ads_totals." in said
    _, said = command("load", "bento", "--from", "2026-03-04", "--to", "2026-03-04", "--tables", "ads_raw", "--yes")
    assert "Tables: ads_raw, ads_attribution, ads_totals, ads_chart." in said
    assert vendor.counts() == {ADS: 1}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("bento", "--from", "2026-03-04", "--to", "2026-03-01"), "--to 2026-03-01 is before --from 2026-03-04."),
        (
            ("bento", *RANGE, "--tables", "ads"),
            "--tables ads: bento has no such daily table. There are: ads_raw, ads_attribution, ads_totals, ads_chart. The job `snapshots` loads what has no past days.",
        ),
        (("shop", *RANGE), "load shop: there is no such folder with a defs.yaml. There are: airbridge, bento."),
        (("bento", *RANGE), "Add --yes to load these days without a question; nothing was loaded."),
        (
            ("bento", "--from", "2026-03-01", "--to", "2026-03-10", "--yes"),
            "These days cannot be loaded: 2026-03-10: not final yet: 2026-03-10 can be loaded from 2026-03-11 01:00 UTC on. Choose other days; nothing was loaded.",
        ),
    ],
)
def test_what_cannot_be_loaded_is_refused(command: Command, vendor: Sandbox, arguments, words) -> None:
    """Before a request."""
    status, said = command("load", *arguments)
    assert (status, said.splitlines()[-1], vendor.counts()) == (2, f"analytics-assets: {words}", {})


def cut(path: Path) -> None:
    """As of a disk that was full."""
    path.write_bytes(path.read_bytes()[:-9])


def altered(path: Path) -> None:
    """Rewritten with the same footer and one row more or less."""
    held = pq.ParquetFile(path)
    table, footer = held.read(), footer_of(held.metadata)
    row = {field.name: None for field in table.schema} | {"date": footer.day}
    rows = table.slice(1) if table.num_rows else pa.Table.from_pylist([row], schema=nullable(table.schema))
    path.write_bytes(parquet(rows, encoded(footer)).to_pybytes())


def nullable(schema: pa.Schema) -> pa.Schema:
    """The same columns, each of which may be null."""
    return pa.schema([field.with_nullable(nullable=True) for field in schema])


def test_what_is_damaged_or_missing_is_repaired_and_nothing_else_is_requested(
    project: Project, vendor: Sandbox, command: Command
) -> None:
    """A day whose raw is damaged costs its requests, a typed day none; a raw day that is gone has expired."""
    assert command("load", "bento", *RANGE, "--yes")[0] == 0
    assert command("lake", "verify")[0] == 0
    cut(file(project, "bento/ads_raw", "2026-03-02"))
    file(project, "bento/ads_raw", "2026-03-03").unlink()
    file(project, "bento/ads_totals", "2026-03-04").unlink()
    altered(file(project, "bento/ads_attribution", "2026-03-04"))
    file(project, "bento/ads_chart", "2026-03-01").write_bytes(b"")
    commands, counts = repaired(command, vendor)
    assert commands == [
        "analytics-assets load bento --from 2026-03-01 --to 2026-03-01 --tables ads_chart",
        "analytics-assets load bento --from 2026-03-02 --to 2026-03-02 --tables ads_raw",
        "analytics-assets load bento --from 2026-03-04 --to 2026-03-04 --tables ads_attribution,ads_totals",
    ]
    assert counts == {ADS: 1}
    status, said = command("lake", "verify")
    assert status == 0, said
    assert ": all correct." in said
    assert "Expired raw days, without a file, whose typed days are stored: bento/ads_raw 2026-03-03." in said
    assert "In the quarantine: 3 files." in said


@pytest.mark.proof(1)
def test_an_expired_raw_day_with_a_missing_typed_day_is_requested(
    project: Project, vendor: Sandbox, command: Command
) -> None:
    """There is nothing to make it from."""
    assert command("load", "bento", *RANGE, "--yes")[0] == 0
    for table in ("ads_raw", "ads_totals"):
        for day in ("2026-03-02", "2026-03-03"):
            file(project, f"bento/{table}", day).unlink()
    commands, counts = repaired(command, vendor)
    assert commands == ["analytics-assets load bento --from 2026-03-02 --to 2026-03-03 --tables ads_raw"]
    assert counts == {ADS: 2}
    assert command("lake", "verify")[0] == 0


@pytest.mark.proof(1)
def test_a_typed_day_of_another_raw_day_is_made_again(project: Project, vendor: Sandbox, command: Command) -> None:
    """Without a request."""
    assert command("load", "bento", *RANGE, "--yes")[0] == 0
    day = date(2026, 3, 2)
    Lake(str(project.root / "lake")).store_day("bento", ADS_TOTALS, day, ADS_TOTALS.rows([]), is_sandbox=True)
    _, said = command("lake", "verify")
    assert "2026-03-02: of another raw day: " in said
    commands, counts = repaired(command, vendor)
    assert commands == ["analytics-assets load bento --from 2026-03-02 --to 2026-03-02 --tables ads_totals"]
    assert counts == {}
    assert command("lake", "verify")[0] == 0


def make_live(path: Path) -> None:
    """As if the file had been copied from a live lake."""
    parquet_file = pq.ParquetFile(path)
    footer = msgspec.structs.replace(footer_of(parquet_file.metadata), is_sandbox=False)
    path.write_bytes(parquet(parquet_file.read(), encoded(footer)).to_pybytes())


@pytest.mark.proof(1)
def test_files_of_the_other_mode_are_replaced_by_the_printed_command_alone(
    project: Project, vendor: Sandbox, command: Command
) -> None:
    """A load without the option fails the day and leaves the files: they may be a live lake in the wrong place."""
    assert command("load", "bento", *RANGE, "--yes")[0] == 0
    make_live(file(project, "bento/ads_raw", "2026-03-02"))
    make_live(file(project, "bento/ads_totals", "2026-03-04"))
    before = file(project, "bento/ads_raw", "2026-03-02").read_bytes()
    status, said = command("load", "bento", *RANGE, "--yes")
    assert (status, "Failed: 2026-03-02, 2026-03-04." in said) == (1, True), said
    assert file(project, "bento/ads_raw", "2026-03-02").read_bytes() == before
    commands, counts = repaired(command, vendor)
    assert commands == [
        "analytics-assets load bento --from 2026-03-02 --to 2026-03-02 --tables ads_raw --replace-other-mode",
        "analytics-assets load bento --from 2026-03-04 --to 2026-03-04 --tables ads_totals --replace-other-mode",
    ]
    assert counts == {ADS: 1}
    status, said = command("lake", "verify")
    assert status == 0, said
    assert "In the quarantine: 2 files" in said


@pytest.mark.proof(1)
@pytest.mark.parametrize("damage", [cut, altered])
def test_damaged_restatements_are_repaired_without_a_request(
    project: Project, vendor: Sandbox, command: Command, damage: Callable[[Path], None]
) -> None:
    """What earlier loads had added to them is lost, and the finding says so."""
    status, said = command("load", "airbridge", *RANGE, "--yes")
    assert status == 0, said
    path = file(project, "airbridge/revenue_restatements", "2026-03-02")
    damage(path)
    commands, counts = repaired(command, vendor)
    assert commands == [
        "analytics-assets load airbridge --from 2026-03-02 --to 2026-03-02 --tables revenue_restatements"
    ]
    assert counts == {}
    status, said = command("lake", "verify")
    assert status == 0, said
    assert "In the quarantine: 1 files" in said
