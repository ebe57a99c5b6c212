"""The steps of docs/add-a-source.md, carried out in a copy of the checkout: no list of vendors elsewhere has to be changed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from analytics_assets_tests.sources.complete import ROOT

PAGE = ROOT / "docs/add-a-source.md"
# Tests that name accounts, components, tables, checks or files of all sources.
TESTS = (
    *("sources/acme", "sources/test_every_source.py", "test_architecture.py", "test_columns.py", "test_definitions.py"),
    *("test_descriptions.py", "test_readme.py", "checks/test_every_check.py", "cli/test_command.py"),
    *("cli/test_resume.py", "operations/doctor/test_broken_places.py", "orchestration/test_backfill_plan.py"),
    *("orchestration/test_fourth_source.py", "orchestration/test_loading.py", "orchestration/test_yaml_text.py"),
)

pytestmark = [pytest.mark.proof(2)]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout after the steps of the page up to `make docs`."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("analytics_assets", "analytics_assets_tests", "bench", "deploy", "docs"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "Makefile", "pyproject.toml", "dagster.yaml", "requirements.lock"):
        shutil.copy(ROOT / name, copy)
    page = PAGE.read_text()
    [commands, *_] = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    subprocess.run(["bash", "-euo", "pipefail", "-c", commands], cwd=copy, check=True, timeout=60)
    [line] = re.findall(r"^    \"acme\": \"\w+\",\n", page, re.MULTILINE)
    package = copy / "analytics_assets/__init__.py"
    package.write_text(re.sub(r"(SOURCES: Final = \{\n(?:    .*\n)*)", rf"\g<1>{line}", package.read_text(), count=1))
    done(copy, sys.executable, "-m", "analytics_assets_tests.readme")
    return copy


def done(checkout: Path, *command: str) -> None:
    """Runs a command in the copy; what it printed is shown if it fails."""
    environment = {**os.environ, "PYTHONPATH": str(checkout)}  # noqa: TID251 - the child needs the rest of it
    run = subprocess.run(
        command, cwd=checkout, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]


def test_the_source_passes_the_checks(checkout: Path) -> None:
    """Lint, form, types and import contracts, as in `make check`."""
    done(checkout, sys.executable, "-m", "ruff", "check", "analytics_assets", "analytics_assets_tests/sources/acme")
    done(checkout, sys.executable, "-m", "ruff", "format", "--check", "analytics_assets")
    done(checkout, sys.executable, "-m", "mypy", "analytics_assets/sources/acme", "--cache-dir", str(checkout / "mypy"))
    contracts = "from importlinter.cli import lint_imports_command as run; run()"
    done(checkout, sys.executable, "-c", contracts, "--no-cache")


def test_no_test_fails_for_another_reason_than_the_source(checkout: Path) -> None:
    """Those that look at all sources pass with one more."""
    tests = [f"analytics_assets_tests/{name}" for name in TESTS]
    done(checkout, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)
