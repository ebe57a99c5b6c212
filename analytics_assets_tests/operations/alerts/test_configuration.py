"""What the YAML of the alerts may say, and what a wrong one gets to read. Loaded as Dagster loads it."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent, indent

import dagster as dg
import pytest
from dagster.components.core.component_tree import ComponentTreeException

from analytics_assets.definitions import defs

Load = Callable[[str], dg.SensorDefinition]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Loads a project with alerts alone, its attributes as YAML; its sensor."""
    name = f"project_{re.sub(r'[^a-z0-9]', '_', tmp_path.name)}"
    monkeypatch.syspath_prepend(tmp_path)
    project = f'[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "{name}"\nregistry_modules = ["analytics_assets"]\n'
    (tmp_path / "pyproject.toml").write_text(project)
    (tmp_path / name / "defs/alerts").mkdir(parents=True)
    (tmp_path / name / "__init__.py").touch()
    (tmp_path / name / "defs/__init__.py").touch()

    def loaded(attributes: str) -> dg.SensorDefinition:
        text = f"type: analytics_assets.Alerts\n\nattributes:\n{indent(dedent(attributes), '  ')}\n"
        (tmp_path / name / "defs/alerts/defs.yaml").write_text(text)
        try:
            found = dg.load_from_defs_folder(path_within_project=tmp_path / name)
            [sensor] = found.get_repository_def().sensor_defs
            return sensor
        finally:
            for module in [one for one in sys.modules if one.split(".")[0] == name]:
                del sys.modules[module]

    return loaded


def words(load: Load, attributes: str) -> str:
    """All that is told of a YAML that does not load, the causes included."""
    with pytest.raises(ComponentTreeException) as refused:
        load(attributes)
    causes: list[BaseException] = [refused.value]
    while causes[-1].__cause__ is not None:
        causes.append(causes[-1].__cause__)
    return "\n".join(map(str, causes))


def test_the_sensor_runs_by_itself_where_there_is_a_destination(load: Load) -> None:
    """As shipped there is none, and it is off."""
    sensor = load("destinations: [OPS_SLACK, OPS_MAIL]")
    assert (sensor.name, sensor.default_status) == ("alerts", dg.DefaultSensorStatus.RUNNING)
    shipped = defs().get_repository_def().get_sensor_def("alerts")
    assert shipped.default_status == dg.DefaultSensorStatus.STOPPED


@pytest.mark.parametrize(
    ("attributes", "place", "reason"),
    [
        ("destination: [OPS_SLACK]", "destination", "unknown field."),
        ("destinations: OPS_SLACK", "destinations", "Input should be a valid list"),
        ("kinds: [failure, success]", "kinds.1", "Input should be 'failure', 'task', 'check' or 'late'"),
        ("checks_from: info", "checks_from", "Input should be 'warn' or 'error'"),
        ("repeat_hours: 0", "repeat_hours", "0.0 hours are no time to wait: use more than 0, such as 24."),
        ("repeat_hours: .nan", "repeat_hours", "nan hours are no time to wait: use more than 0, such as 24."),
        ("ui: dagster.example.com", "ui", "this must be the address of the UI, without a password"),
        (
            "destinations: [OPS_SLACK, OPS_SLACK]",
            "destinations",
            "destinations: a variable is named twice, so each alert would come twice. Name it once.",
        ),
    ],
)
def test_a_wrong_yaml_is_told_with_its_place_and_reason(load: Load, attributes: str, place: str, reason: str) -> None:
    """The file, the field and what may stand there."""
    said = words(load, attributes)
    assert f"defs/alerts/defs.yaml:4 attributes.{place}: {reason}" in said


def test_an_address_in_the_yaml_is_refused_and_not_repeated(load: Load) -> None:
    """It is a secret; only the name of its variable belongs there."""
    said = words(load, "destinations: ['slack://TokenA/TokenB/TokenC']")
    assert "this must be the NAME of an environment variable, in capital letters" in said
    assert "TokenB" not in said
