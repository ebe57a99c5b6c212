"""The lake as users' own assets and the steps get it."""

from pathlib import Path

import pytest

from analytics_assets.orchestration.lake_resource import LakeResource


def test_without_a_root_the_settings_say_where_the_lake_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Read when it is opened, so that one definition serves all environments."""
    resource = LakeResource()
    assert resource.open().root == str(Path("data/sandbox").absolute())
    monkeypatch.setenv("ANALYTICS_LAKE", str(tmp_path))
    assert resource.open().root == str(tmp_path)
    assert LakeResource(root="memory://elsewhere").open().root == "/elsewhere"


def test_the_mode_says_whether_numbers_are_invented(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless the resource says it itself."""
    assert LakeResource().is_sandbox()
    monkeypatch.setenv("ANALYTICS_MODE", "live")
    assert not LakeResource().is_sandbox()
    assert LakeResource(sandbox=True).is_sandbox()
