"""`analytics-assets lake verify`: what it prints, what it writes, and with which status it ends."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets import SOURCES
from analytics_assets.__main__ import DEFS, main
from analytics_assets.cli.lake import declared_tables
from analytics_assets.definitions import defs
from analytics_assets.lake.store import Lake
from analytics_assets.operations.verify.repairs import BEFORE_START
from analytics_assets.sources.bento.tables import ADS_CHART, ADS_TOTALS
from analytics_assets_tests.lake.vendor import days

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
VERIFY = ("lake", "verify", "--select", "bento/ads_totals")
FIRST, SECOND = days(2)
REMEDY = "`analytics-assets lake verify --record-again` records the stored file"


def clock() -> datetime:
    """The present instant of these tests."""
    return NOW


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """An empty lake of the sandbox, and an instance on SQLite that knows nothing."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home/dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ANALYTICS_LAKE", str(tmp_path / "lake"))
    return Lake(str(tmp_path / "lake"))


def test_what_is_wrong_is_told_by_table_with_its_remedy_and_recorded(lake: Lake, tmp_path: Path, capsys) -> None:
    """A line for days with the same trouble, what is no trouble beside it, the figures last; then all is well."""
    stored = [lake.store_day("bento", ADS_TOTALS, day, ADS_TOTALS.rows([]), is_sandbox=True) for day in (FIRST, SECOND)]
    for day in (FIRST, SECOND):
        lake.store_day("old_account", ADS_TOTALS, day, ADS_TOTALS.rows([]), is_sandbox=True)
    for name in ("bento/notes.txt", f"bento/_{'a' * 32}.tmp"):
        lake.files.put(f"{lake.root}/{name}", b"")
    size = sum(problem.size for problem in stored)
    others = (
        "Files of no declared table, which no load, check or reader uses: bento/notes.txt, old_account/ads_totals (2 files).\n"
        f"Temporary files of writers, killed or running: bento/_{'a' * 32}.tmp.\n"
    )
    figures = f"{lake.root}: 2 files of 2 days in 1 tables, {size / 2**20:.1f} MiB"
    told = (
        "bento/ads_totals\n"
        "  2026-03-01 to 2026-03-02: not recorded: the file is stored, and Dagster has no materialization of it. "
        f"{REMEDY}.\n{others}"
    )
    report = tmp_path / "result.json"
    assert main((*VERIFY, "--json", str(report)), clock=clock) == 1
    verdict = f"{figures}: 2 problems (2 not recorded).\n"
    home = tmp_path / "home"
    missing = f"Dagster has no history in {home} yet: no file is recorded.\n"
    assert capsys.readouterr() == (f"{told}{verdict}", f"{missing}1 of 1: bento/ads_totals, 2 files\n")
    assert json.loads(report.read_text()) == [
        {
            "account": "bento",
            "table": "ads_totals",
            "day": str(day),
            "kind": "not recorded",
            "description": "the file is stored, and Dagster has no materialization of it",
            "remedy": REMEDY,
            "command": None,
        }
        for day in (FIRST, SECOND)
    ]
    assert main((*VERIFY, "--record-again"), clock=clock) == 0
    assert capsys.readouterr().out == f"{told}Recorded in Dagster: 2 stored files.\n{figures}: all correct.\n"
    assert main(VERIFY, clock=clock) == 0
    assert capsys.readouterr().out == f"{others}{figures}: all correct.\n"
    assert main((*VERIFY, "--from", "2026-03-02"), clock=clock) == 0
    assert capsys.readouterr().out.endswith(f"{lake.root}: 1 files of 1 days in 1 tables, 0.0 MiB: all correct.\n")


def test_what_recording_does_not_repair_keeps_status_1(lake: Lake, capsys) -> None:
    """A damaged file needs a load, whatever was recorded beside it."""
    for day in (FIRST, SECOND):
        lake.store_day("bento", ADS_TOTALS, day, ADS_TOTALS.rows([]), is_sandbox=True)
    Path(lake.path("bento", ADS_TOTALS.name, SECOND)).write_bytes(b"PAR1")
    for counted in (1, 0):
        assert main((*VERIFY, "--record-again"), clock=clock) == 1
        out = capsys.readouterr().out.splitlines()
        assert out[-2] == f"Recorded in Dagster: {counted} stored files."
        assert out[-1].endswith(" MiB: 1 problems (1 damaged).")


def test_a_file_that_cannot_be_written_is_refused_after_the_findings(lake: Lake, tmp_path: Path, capsys) -> None:
    """What was read to the end of every file is not lost, and nothing is fixed that the file would not have told."""
    lake.store_day("bento", ADS_TOTALS, FIRST, ADS_TOTALS.rows([]), is_sandbox=True)
    file = tmp_path / "none/result.json"
    assert main((*VERIFY, "--record-again", "--json", str(file)), clock=clock) == 2
    out, err = capsys.readouterr()
    told = f"bento/ads_totals\n  2026-03-01: not recorded: the file is stored, and Dagster has no materialization of it. {REMEDY}.\n"
    words = f"analytics-assets: --json {file}: it cannot be written (No such file or directory).\n"
    assert (out, err.partition("\n")[2]) == (told, words)


def test_days_that_a_load_repairs_are_named_with_its_command(lake: Lake, tmp_path: Path, capsys) -> None:
    """On the terminal once for adjacent days, and with each finding for programs; a day before the first day of the account has none."""
    lake.store_day("bento", ADS_CHART, SECOND, ADS_CHART.rows([]), is_sandbox=True)
    with dg.DagsterInstance.get() as instance:
        for day in ("2020-02-27", *map(str, days(2)), "2026-03-05"):
            instance.report_runless_asset_event(
                dg.AssetMaterialization(dg.AssetKey(["bento", "ads_totals"]), partition=day)
            )
    report = tmp_path / "result.json"
    assert main((*VERIFY, "--json", str(report)), clock=clock) == 1
    load = "analytics-assets load bento --from {} --to {} --tables ads_raw"
    assert capsys.readouterr().out.splitlines()[-5:-1] == [
        "Repair with:",
        f"  {load.format(FIRST, SECOND)}",
        f"  {load.format('2026-03-05', '2026-03-05')}",
        f"2020-02-27: {BEFORE_START}.",
    ]
    commands = {problem["day"]: problem["command"] for problem in json.loads(report.read_text())}
    assert commands["2026-03-02"] == load.format(FIRST, SECOND)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--from", "2026-03-02", "--to", "2026-03-01"), "--to 2026-03-01 is before --from 2026-03-02."),
        (
            ("--select", "shop"),
            f"--select shop: there is no such account or table. There are: {', '.join(sorted(SOURCES))}.",
        ),
        (
            ("--select", "statsig/values"),
            "--select statsig/values: there is no such account or table. There are: "
            + ", ".join(f"statsig/{name}" for name in ("values_raw", "metric_values", "event_metrics", "listing_raw.")),
        ),
    ],
)
def test_what_cannot_be_looked_at_is_refused_with_the_remedy(capsys, arguments, words) -> None:
    """Before anything is read."""
    assert main(("lake", "verify", *arguments), clock=clock) == 2
    assert capsys.readouterr() == ("", f"analytics-assets: {words}\n")


def test_an_instance_that_does_not_load_is_refused_without_its_values(lake: Lake, tmp_path: Path, capsys) -> None:
    """An empty record would show every file as not recorded; a value may be a password."""
    lake.store_day("bento", ADS_TOTALS, FIRST, ADS_TOTALS.rows([]), is_sandbox=True)
    home = tmp_path / "home"
    url = "{username: growth, password: open-sesame, hostname: db}"
    (tmp_path / "home/dagster.yaml").write_text(f"storage: {{postgres: {{postgres_db: {url}}}}}\n")
    assert main(VERIFY, clock=clock) == 2
    err = capsys.readouterr().err
    assert (err.startswith("analytics-assets: dagster.yaml does not load: "), "sesame" in err) == (True, False)
    assert err.endswith(f" Correct {home}/dagster.yaml.\n")


@pytest.mark.parametrize("arguments", [(), ("--record-again",)])
def test_a_verification_that_looked_at_nothing_is_not_well(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, arguments: tuple[str, ...]
) -> None:
    """A nightly job with a wrong setting must not end with status 0; where it was started nothing appears, nor where it looked."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert main((*VERIFY, *arguments), clock=clock) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"analytics-assets: Nothing was verified: {lake.root} has no file of these tables and days, and Dagster shows none. Check "
        "ANALYTICS_LAKE, ANALYTICS_MODE, DAGSTER_HOME and the options."
    )
    lake.store_day("bento", ADS_TOTALS, FIRST, ADS_TOTALS.rows([]), is_sandbox=True)
    assert main((*VERIFY, *arguments, "--to", "2026-02-28"), clock=clock) == 2
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == []


def test_a_look_from_another_folder_finds_the_lake_and_creates_nothing(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    """With the shipped `dagster.yaml`, whose folders are relative, before anything has run and after the files were recorded."""
    shutil.copy(Path(__file__).parents[3] / "dagster.yaml", tmp_path / "home")
    lake.store_day("bento", ADS_TOTALS, FIRST, ADS_TOTALS.rows([]), is_sandbox=True)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    home, before = tmp_path / "home", sorted(tmp_path.rglob("*"))
    assert main(VERIFY, clock=clock) == 1
    out, err = capsys.readouterr()
    assert "1 files of 1 days in 1 tables, 0.0 MiB: 1 problems (1 not recorded)." in out
    assert err.startswith(f"Dagster has no history in {home}/data/dagster/sandbox yet: no file is recorded.\n")
    assert sorted(tmp_path.rglob("*")) == before
    assert main((*VERIFY, "--record-again"), clock=clock) == 0
    monkeypatch.chdir(tmp_path)
    assert main(VERIFY, clock=clock) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", "home", "lake"]


def test_a_lake_of_the_other_mode_is_refused_with_the_remedy(lake: Lake, capsys) -> None:
    """And nothing of it is put away, whatever was requested."""
    lake.store_day("bento", ADS_TOTALS, FIRST, ADS_TOTALS.rows([]))
    assert main(VERIFY, clock=clock) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"analytics-assets: Every file of {lake.root}: it holds live numbers, and ANALYTICS_MODE is sandbox. Set ANALYTICS_MODE and "
        "ANALYTICS_LAKE to values that belong together."
    )
    assert lake.days("bento", ADS_TOTALS.name) == [FIRST]


def test_an_empty_lake_is_refused_where_dagster_shows_days(lake: Lake, capsys) -> None:
    """A wrong setting must not request years again."""
    with dg.DagsterInstance.get() as instance:
        instance.report_runless_asset_event(
            dg.AssetMaterialization(dg.AssetKey(["bento", "ads_totals"]), partition="2026-03-01")
        )
    assert main(VERIFY, clock=clock) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"analytics-assets: No table has a file in {lake.root}, and Dagster shows 1 stored days. Set ANALYTICS_LAKE and ANALYTICS_MODE "
        "to the lake of this instance. Restore a lost lake from a back-up, or load it again with `analytics-assets load`."
    )


def test_every_table_of_every_account_is_looked_at() -> None:
    """What a component says of its tables is what it makes assets of."""
    nodes = defs().resolve_asset_graph().asset_nodes
    held = {tuple(node.key.path) for node in nodes if node.tags.get("reading", "whole") != "whole"}
    assert set(declared_tables(DEFS)) == held
    schemas = {key: node.metadata["dagster/column_schema"] for node in nodes if (key := tuple(node.key.path)) in held}
    assert {name: [column.name for column in table.columns] for name, table in declared_tables(DEFS).items()} == {
        name: [column.name for column in schema.columns]
        for name, schema in schemas.items()
        if isinstance(schema, dg.TableSchema)
    }
