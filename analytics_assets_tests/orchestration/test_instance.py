"""The history of each mode, as the shipped `dagster.yaml` has it, opened by processes of all kinds."""

import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.cli.demo import next_step

ROOT = Path(__file__).parents[2]


@dg.asset
def kept() -> dg.MaterializeResult:
    """What a run of the mode materializes."""
    return dg.MaterializeResult()


def opened(home: Path) -> dg.DagsterInstance:
    """The instance of a DAGSTER_HOME."""
    return dg.DagsterInstance.from_config(str(home))


def test_each_mode_has_a_history_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Squares of the sandbox are not shown in live mode; back in the sandbox they are there again."""
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with opened(tmp_path) as sandbox:
        dg.materialize([kept], instance=sandbox)
    monkeypatch.setenv("ANALYTICS_MODE", "live")
    with opened(tmp_path) as live:
        assert live.get_latest_materialization_event(dg.AssetKey("kept")) is None
    monkeypatch.setenv("ANALYTICS_MODE", "sandbox")
    with opened(tmp_path) as again:
        assert again.get_latest_materialization_event(dg.AssetKey("kept")) is not None
    assert sorted(path.name for path in (tmp_path / "data/dagster").iterdir()) == ["live", "sandbox"]
    # What runs print, and what they pass from step to step, is beside their history.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dagster.yaml", "data"]


def test_a_history_is_the_same_from_whichever_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative folder of `dagster.yaml` belongs to DAGSTER_HOME; nothing appears where a process was started."""
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    shutil.copy(ROOT / "dagster.yaml", home)
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    monkeypatch.chdir(elsewhere)
    with opened(home) as instance:
        dg.materialize([kept], instance=instance)
    monkeypatch.chdir(tmp_path)
    with opened(home) as instance:
        assert instance.get_latest_materialization_event(dg.AssetKey("kept")) is not None
    assert list(elsewhere.iterdir()) == []


def test_a_mode_that_is_not_known_opens_no_history(tmp_path: Path) -> None:
    """Not that of the sandbox, for one."""
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", "import dagster; dagster.DagsterInstance.get()"],
        env={"DAGSTER_HOME": str(tmp_path), "ANALYTICS_MODE": "Live", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "ANALYTICS_MODE='Live' is not known. Use sandbox or live." in done.stderr
    assert not (tmp_path / "data").exists()


def test_the_demo_ends_with_the_command_that_opens_its_history() -> None:
    """A terminal that was set up for live mode would open another one."""
    opens = "make dev` opens the UI on http://127.0.0.1:3000 with this history."
    assert next_step({"ANALYTICS_START_DATE": "2026-01-01", "DAGSTER_HOME": ""}) == f"Next: `{opens}"
    live = {"ANALYTICS_MODE": "live", "DAGSTER_HOME": "/srv/dagster"}
    assert next_step(live) == f"Next: `env -u ANALYTICS_MODE -u DAGSTER_HOME {opens}"
