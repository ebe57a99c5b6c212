"""`analytics-assets alerts test`: what it prints, and the status it ends with."""

import re
from pathlib import Path

import pytest

from analytics_assets.__main__ import main
from analytics_assets_tests.operations.alerts.receivers import Receiver


@pytest.fixture
def alerts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose alerts go to two destinations; its folder of accounts."""
    name = f"project_{re.sub(r'[^a-z0-9]', '_', tmp_path.name)}"
    monkeypatch.syspath_prepend(tmp_path)
    project = f'[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "{name}"\nregistry_modules = ["analytics_assets"]\n'
    (tmp_path / "pyproject.toml").write_text(project)
    folder = tmp_path / name / "defs/alerts"
    folder.mkdir(parents=True)
    (tmp_path / name / "__init__.py").touch()
    (folder.parent / "__init__.py").touch()
    (folder / "defs.yaml").write_text(
        "type: analytics_assets.Alerts\n\nattributes:\n  destinations: [OPS_HOOK, OPS_DOWN]\n"
    )
    return folder.parent


def test_each_destination_is_tried_and_told(
    alerts: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 1 where one did not take it, 0 where all did; no address is printed."""
    monkeypatch.setenv("OPS_HOOK", receiver.address)
    monkeypatch.setenv("OPS_DOWN", "json://127.0.0.1:1/hunter2-path")
    assert main(["alerts", "test"], defs=alerts) == 1
    out, err = capsys.readouterr()
    assert (out.splitlines()[0], err) == ("OPS_HOOK: arrived.", "")
    assert out.splitlines()[1].startswith("OPS_DOWN: did not arrive. A Connection error")
    assert [one for one in ("hunter2-path", "tOkEn") if one in out] == []
    monkeypatch.setenv("OPS_DOWN", receiver.address)
    assert main(["alerts", "test"], defs=alerts) == 0
    assert receiver.titles() == ["analytics_assets (sandbox): alerts arrive here"] * 3


def test_without_a_destination_it_says_where_to_name_one(capsys: pytest.CaptureFixture[str]) -> None:
    """As the project is shipped; status 2."""
    assert main(["alerts", "test"]) == 2
    assert capsys.readouterr() == (
        "",
        "analytics-assets: no destination is configured: name one under `destinations` in defs/alerts/defs.yaml.\n",
    )
