"""Comparisons as YAML declares them, loaded as Dagster loads it, and evaluated by the daily job."""

import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from textwrap import indent

import dagster as dg
import pytest
from dagster.components.core.component_tree import ComponentTreeException

from analytics_assets.__main__ import main
from analytics_assets.clock import utc_now
from analytics_assets.lake.store import Lake
from analytics_assets_tests.lake.vendor import NUMBERS

# Dagster warns of itself here: it makes a check definition anew with a parameter that is in beta.
pytestmark = pytest.mark.filterwarnings("ignore:Parameter `execution_type`:dagster.BetaWarning")

ROOT = "project_of_comparisons"
FIGURES = """\
figures:
  - name: numbers
    left: {table: left/numbers, column: number}
    right: {table: right/numbers, column: number, where: {part: 0}}
    relative: 0.1
"""
Load = Callable[[str], dg.Definitions]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Loads a project whose one folder, `same`, compares what the attributes say."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "{ROOT}"\nregistry_modules = ["analytics_assets"]\n'
    )
    (tmp_path / ROOT / "defs/same").mkdir(parents=True)
    (tmp_path / ROOT / "__init__.py").touch()
    (tmp_path / ROOT / "defs/__init__.py").touch()
    (tmp_path / ROOT / "defs/shared").mkdir()
    (tmp_path / ROOT / "defs/shared/defs.yaml").write_text("type: analytics_assets.Shared\n")
    monkeypatch.setenv("ANALYTICS_LAKE", str(tmp_path / "lake"))
    monkeypatch.setenv("ANALYTICS_STATE", f"sqlite:///{tmp_path}/state.db")

    def loaded(attributes: str) -> dg.Definitions:
        text = f"type: analytics_assets.Comparisons\n\nattributes:\n{indent(attributes, '  ')}"
        (tmp_path / ROOT / "defs/same/defs.yaml").write_text(text)
        return dg.load_from_defs_folder(path_within_project=tmp_path / ROOT)

    yield loaded
    for module in [one for one in sys.modules if one.split(".")[0] == ROOT]:
        del sys.modules[module]


def test_a_declared_comparison_is_a_node_of_its_own_that_the_daily_job_evaluates(load: Load, tmp_path: Path) -> None:
    """Behind its two tables, so that no load waits for it; the days that differ are named with both numbers."""
    lake, yesterday = Lake(str(tmp_path / "lake")), utc_now().date() - timedelta(days=1)
    for account, number, day in (
        ("left", 100, yesterday),
        ("right", 80, yesterday),
        ("left", 7, yesterday - timedelta(days=1)),
        ("right", 7, yesterday - timedelta(days=1)),
    ):
        rows = [{"date": day, "part": part, "number": number if part == 0 else 0} for part in (0, 1)]
        lake.store_day(account, NUMBERS, day, NUMBERS.rows(rows))
    definitions = load(FIGURES)
    node = definitions.resolve_asset_graph().get(dg.AssetKey(["same", "numbers"]))
    assert (node.is_executable, node.group_name) == (False, "same")
    assert node.parent_keys == {dg.AssetKey(["left", "numbers"]), dg.AssetKey(["right", "numbers"])}

    result = definitions.resolve_job_def("checks_daily").execute_in_process()

    [evaluation] = result.get_asset_check_evaluations()
    assert (evaluation.asset_key, evaluation.check_name, evaluation.passed) == (node.key, "figures_agree", False)
    assert (evaluation.description or "").startswith(f"{yesterday}: 100 against 80. Look which of the two")


def test_a_comparison_that_cannot_be_made_fails_in_words(load: Load, tmp_path: Path) -> None:
    """A column that the table does not have."""
    lake, yesterday = Lake(str(tmp_path / "lake")), utc_now().date() - timedelta(days=1)
    for account in ("left", "right"):
        lake.store_day(account, NUMBERS, yesterday, NUMBERS.rows([{"date": yesterday, "part": 0, "number": 1}]))
    definitions = load(FIGURES.replace("column: number}", "column: amount}"))
    [evaluation] = definitions.resolve_job_def("checks_daily").execute_in_process().get_asset_check_evaluations()
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert (evaluation.description or "").startswith(
        "not evaluated: left/numbers has no column amount. Use one of date, part, number."
    )


def test_a_plan_passes_comparisons_over_unless_they_are_named(
    load: Load, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They ask nobody for anything."""
    load(FIGURES)
    days, defs = ["plan", "--from", "2026-03-01", "--to", "2026-03-02"], tmp_path / ROOT / "defs"
    assert main(days, defs=defs) == 0
    assert main([*days, "--select", "same"], defs=defs) == 2
    assert capsys.readouterr().err == "analytics-assets: --select same: a Comparisons has no plan.\n"


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        (
            FIGURES.replace("left/numbers", "numbers"),
            "table 'numbers' is none. Write account and table, as bento/ads_totals.",
        ),
        (FIGURES.replace("column: number}", "aggregation: rows, column: number}"), "rows are counted without a column"),
        (FIGURES.replace("relative: 0.1", "relative: 2"), "Use `absolute` from 0, `relative` from 0 to below 1"),
        (FIGURES + FIGURES.partition("\n")[2], "two comparisons have the same name. Give each a name of its own."),
        (FIGURES + "days: 0\n", "0 days are none. Use 1 or more."),
        (
            FIGURES.replace("{part: 0}", "{currency: EUR}").replace(
                "column: number}", "column: number, currency: USD}"
            ),
            "the left is USD and the right is EUR, and these never compare",
        ),
    ],
)
def test_a_wrong_comparison_is_refused_when_it_loads(load: Load, attributes: str, words: str) -> None:
    """With the reason and the remedy."""
    with pytest.raises(ComponentTreeException) as refused:
        load(attributes)
    causes: list[BaseException] = [refused.value]
    while causes[-1].__cause__ is not None:
        causes.append(causes[-1].__cause__)
    assert words in "\n".join(map(str, causes))
