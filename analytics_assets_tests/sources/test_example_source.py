"""The example source from its `defs.yaml` to files, plan, checks and diagnostics: the page docs/add-a-source.md holds."""

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.__main__ import main
from analytics_assets.orchestration.loading import whole
from analytics_assets.orchestration.source_resource import without_sandbox
from analytics_assets_tests.descriptions import undescribed
from analytics_assets_tests.integration.everywhere import found
from analytics_assets_tests.integration.running import failure_words, range_tags, rows, run
from analytics_assets_tests.readme import EXAMPLE
from analytics_assets_tests.sources.kiosk.vendor import TOKEN, Kiosk, sale, served_vendor

ROOT, NOW = "kiosk_project", datetime(2026, 3, 10, 12, tzinfo=UTC)
FIRST, SECOND = date(2026, 3, 1), date(2026, 3, 2)
TABLES = ("sales_raw", "sales", "campaigns_raw", "campaigns")
# Dagster warns of itself where it loads a folder.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kiosk]:
    """The vendor."""
    with served_vendor(monkeypatch) as running:
        yield running


@pytest.fixture
def defs(vendor: Kiosk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with the account of the example, its lake and its state below the test's folder."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("ANALYTICS_LAKE", str(tmp_path / "lake"))
    monkeypatch.setenv("ANALYTICS_STATE", f"sqlite:///{tmp_path}/state.db")
    text = (EXAMPLE / "defs/defs.yaml").read_text()
    # In a checkout, the line in `SOURCES` gives the component its short name.
    text = text.replace("analytics_assets.KioskSales", "analytics_assets.sources.kiosk.source.KioskSales")
    files = {
        "pyproject.toml": f'[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "{ROOT}"\n',
        f"{ROOT}/__init__.py": "",
        f"{ROOT}/defs/__init__.py": "",
        f"{ROOT}/defs/shared/defs.yaml": "type: analytics_assets.Shared\n",
        f"{ROOT}/defs/kiosk/defs.yaml": f"{text}  base_url: {vendor.url}\n",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    yield tmp_path / ROOT / "defs"
    for module in [one for one in sys.modules if one.split(".")[0] == ROOT]:
        del sys.modules[module]


def files_of(lake: Path) -> dict[str, bytes]:
    """Every file of the account's tables."""
    return {
        str(path.relative_to(lake)): path.read_bytes() for table in TABLES for path in lake.glob(f"kiosk/{table}/*/*")
    }


def checks_of(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    """The checks that a run evaluated, and whether they passed."""
    return {f"{one.asset_key.path[-1]}:{one.check_name}": one.passed for one in result.get_asset_check_evaluations()}


def test_two_days_and_a_snapshot_are_stored(defs: Path, vendor: Kiosk, tmp_path: Path) -> None:
    """Through Dagster's jobs; the same run again requests the days and rewrites no file."""
    definitions, lake = whole(defs), tmp_path / "lake"
    with dg.DagsterInstance.ephemeral() as instance:
        for job, tags in (("kiosk_daily", range_tags([FIRST, SECOND])), ("snapshots", {})):
            result = run(definitions, job, instance, tags)
            assert result.success, failure_words(result)
        assert rows(lake, "kiosk", "sales") == [
            {"date": day, "channel": channel, "currency": "EUR", "orders": orders, "revenue": Decimal(revenue)}
            for day, channel, orders, revenue in (
                (FIRST, "app", 3, "30"),
                (FIRST, "store", 1, "8.25"),
                (FIRST, "web", 2, "20.10"),
                (SECOND, "web", 5, "55.55"),
            )
        ]
        assert [row["campaign_id"] for row in rows(lake, "kiosk", "campaigns")] == ["k1", "k2"]
        assert vendor.requests == {"/sales": 3, "/campaigns": 1}
        before = files_of(lake)
        assert len(before) == 6
        again = run(definitions, "kiosk_daily", instance, range_tags([FIRST, SECOND]))
        assert again.success, failure_words(again)
    assert vendor.requests == {"/sales": 6, "/campaigns": 1}
    assert files_of(lake) == before


def test_a_day_that_fails_leaves_the_others_and_says_why(defs: Path, vendor: Kiosk, tmp_path: Path) -> None:
    """The body is kept in quarantine."""
    vendor.sales["2026-03-02"] = [{"id": "d"}]
    with dg.DagsterInstance.ephemeral() as instance:
        result = run(whole(defs), "kiosk_daily", instance, range_tags([FIRST, SECOND]))
    assert not result.success
    assert {row["date"] for row in rows(tmp_path / "lake", "kiosk", "sales")} == {FIRST}
    assert "kiosk/sales: 1 of 2 days were not stored.\n2026-03-02: Kiosk GET /sales: " in failure_words(result)
    assert [path.suffix for path in (tmp_path / "lake/_quarantine").rglob("*") if path.is_file()] != []


def test_a_token_that_the_vendor_repeats_is_stored_nowhere(
    defs: Path, vendor: Kiosk, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """In a field of a stored response, and in one that is refused: lake, quarantine, state and output have a mark in its place."""
    vendor.sales["2026-03-01"] = [sale("a", "app", 3, "30.00", note=f"Bearer {TOKEN}")]
    vendor.sales["2026-03-02"] = [{"id": TOKEN}]
    with dg.DagsterInstance.ephemeral() as instance:
        result = run(whole(defs), "kiosk_daily", instance, range_tags([FIRST, SECOND]))
    assert not result.success
    (tmp_path / "output").write_text("".join(capfd.readouterr()) + failure_words(result))
    places = found(tmp_path, [TOKEN.encode(), b"[redacted]"])
    assert places[TOKEN] == set()
    assert {place.split("/")[1] for place in places["[redacted]"]} == {"kiosk", "_quarantine"}


def test_its_checks_run_with_its_days(defs: Path, vendor: Kiosk) -> None:
    """Those of every table and its own; a planted contradiction fails one of them."""
    vendor.sales["2026-03-02"] = [sale("d", "web", 0, "5.00")]
    with dg.DagsterInstance.ephemeral() as instance:
        result = run(whole(defs), "kiosk_daily", instance, range_tags([FIRST, SECOND]))
    assert result.success, failure_words(result)
    checks = checks_of(result)
    # The days after them are missing.
    failed = {name for name, passed in checks.items() if not passed and "latest_day_stored" not in name}
    assert failed == {"sales:revenue_has_orders"}
    assert checks.keys() >= {
        "sales_raw:days_stored",
        "sales_raw:latest_day_stored",
        "sales_raw:fields_as_known",
        "sales:days_stored",
        "sales:volume_as_usual",
    }


def test_plan_load_and_doctor_know_it(defs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As they know every account."""
    days = ("--from", "2026-03-01", "--to", "2026-03-02")
    assert main(["plan", *days, "--select", "kiosk"], clock=lambda: NOW, defs=defs) == 0
    assert "kiosk: 1 runs\n  at least 2 GET /sales\n" in capsys.readouterr().out
    assert main(["doctor"], clock=lambda: NOW, defs=defs) in (0, 1)
    examined = capsys.readouterr().out
    assert "kiosk: KIOSK_TOKEN: set" in examined
    assert "kiosk: accepted: Kiosk answered in" in examined


def test_without_a_sandbox_it_says_so(
    defs: Path, vendor: Kiosk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the run, in the doctor's report and in the demo; the plan needs none."""
    monkeypatch.setenv("ANALYTICS_MODE", "sandbox")
    definitions = whole(defs)
    assert without_sandbox(definitions) == ["kiosk"]
    with dg.DagsterInstance.ephemeral() as instance:
        result = run(definitions, "kiosk_daily", instance, range_tags([FIRST]))
        assert "There is no sandbox of Kiosk, so nothing is loaded from it in sandbox mode." in failure_words(result)
        # The job of all snapshots leaves it out, and takes those of the other accounts.
        assert run(definitions, "snapshots", instance).success
    main(["doctor"], clock=lambda: NOW, defs=defs)
    assert "not checked  kiosk: accepted: there is no sandbox of Kiosk" in capsys.readouterr().out
    days = ("--from", "2026-03-01", "--to", "2026-03-02")
    assert main(["plan", *days, "--select", "kiosk"], clock=lambda: NOW, defs=defs) == 0
    assert vendor.requests == {}


def test_everything_it_shows_is_described(defs: Path) -> None:
    """As test_descriptions.py demands of every source in the checkout."""
    missing = undescribed(whole(defs), [])
    assert [line for line in missing if "kiosk" in line.lower()] == []
