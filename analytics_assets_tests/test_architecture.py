"""The shape of the code: charters, sizes, names, docstrings, import contracts. What breaks a rule is named.

What ruff or mypy say by themselves is not repeated here.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from analytics_assets import SOURCES
from analytics_assets_tests.readme import EXAMPLE

ROOT = Path(__file__).parent.parent
PACKAGE, TESTS = ROOT / "analytics_assets", ROOT / "analytics_assets_tests"
LONGEST = 400
BANNED = {"utils", "helpers", "common", "base", "core", "misc", "manager"}
# In two parts, so that this file does not hold what it looks for.
REGISTRIES = re.compile(
    "|".join(re.escape(host) for host in ("pypi" + ".org", "python" + "hosted.org", "npmjs" + ".org"))
)
MACHINE_PATHS = re.compile(r"(?<![\w.:/-])/(?:home|root|Users|work)/\w")
NOT_OURS = {"data", "__pycache__", "dist", "build", "node_modules"}
HIDDEN_BUT_OURS = {".ci", ".github"}

PLANTS = {
    "Layers": ("state/bucket.py", "from analytics_assets.lake import table"),
    "No circle": ("lake/table.py", "from analytics_assets.lake import store"),
    "Sources do not import each other": (
        "sources/statsig/tables.py",
        "from analytics_assets.sources.bento import tables",
    ),
    "Inside a source": ("sources/bento/client.py", "from analytics_assets.sources.bento import transform"),
    "Folders without Dagster": ("lake/store.py", "import dagster"),
    "The sandbox": ("sandbox/world.py", "from analytics_assets import errors"),
    "Only http/destination.py": ("sources/bento/streams.py", "from analytics_assets.sandbox import world"),
    "Only http imports": ("cli/load.py", "import httpx"),
}


@cache
def modules(folder: Path) -> dict[str, ast.Module]:
    """Every module of a folder, by its path from the root."""
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in sorted(folder.rglob("*.py"))}


def public(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Public functions and classes of a module, and public methods of its public classes."""
    held: list[ast.Module | ast.ClassDef] = [tree]
    while held:
        for node in held.pop().body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith(
                "_"
            ):
                yield node
                if isinstance(node, ast.ClassDef):
                    held.append(node)


def our_files() -> Iterator[Path]:
    """Every file that belongs to the project, whatever its kind."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name for name in folders if name not in NOT_OURS and (not name.startswith(".") or name in HIDDEN_BUT_OURS)
        ]
        yield from (Path(folder, name) for name in names)


def broken_contracts(root: Path) -> tuple[set[str], str]:
    """Names of the import contracts that do not hold for a copy of the project, and all that was said."""
    run = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"],
        cwd=root,
        env={**os.environ, "COLUMNS": "500", "PYTHONPATH": str(root)},  # noqa: TID251 - the child needs the rest of it
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = run.stdout + run.stderr
    verdicts = dict(re.findall(r"^(.+?) (KEPT|BROKEN)\b.*$", said, re.MULTILINE))
    assert verdicts.keys() == set(contracts()), said
    return {name for name, verdict in verdicts.items() if verdict == "BROKEN"}, said


def contracts() -> list[str]:
    """Names of all import contracts."""
    held = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    return [contract["name"] for contract in held]


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package and its contracts, with the example of docs/add-a-source.md as one more source."""
    copy, left_out = tmp_path_factory.mktemp("project"), shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, copy / PACKAGE.name, ignore=left_out)
    shutil.copytree(EXAMPLE / "kiosk", copy / PACKAGE.name / "sources/kiosk", ignore=left_out)
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


@pytest.fixture(scope="module")
def unplanted(copied: Path) -> tuple[set[str], str]:
    """The contracts that do not hold as the code is, and all that was said."""
    return broken_contracts(copied)


def test_every_module_opens_with_a_charter() -> None:
    """What lives there and what does not."""
    without = [path for path, tree in (modules(PACKAGE) | modules(TESTS)).items() if not ast.get_docstring(tree)]
    assert without == []


def test_no_module_is_longer_than_can_be_read_at_once() -> None:
    """What is longer is in the wrong room; only a list of what a test expects may be."""
    read = [path for path in modules(PACKAGE) | modules(TESTS) if not Path(path).name.startswith("expected")]
    lengths = {path: len((ROOT / path).read_text().splitlines()) for path in read}
    assert {path: length for path, length in lengths.items() if length > LONGEST} == {}


def listed_modules() -> set[str]:
    """The modules in the tree of docs/architecture.md, by their path in the package."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    tree = page.partition("analytics_assets/\n")[2].partition("\nanalytics_assets_tests/")[0]
    found, folders = set(), [""]
    for line in filter(str.strip, tree.splitlines()):
        depth = (len(line) - len(line.lstrip())) // 2
        names = [part for part in re.split(r"\s{2,}", line.strip()) if re.fullmatch(r"(\w+|<vendor>)(\.py|/)", part)]
        found |= {folders[depth - 1] + name for name in names if name.endswith(".py")}
        if names and names[0].endswith("/"):
            folders[depth:] = [folders[depth - 1] + names[0]]
    every, alone = {path for path in found if "<vendor>" in path}, {path for path in found if "<vendor>" not in path}
    return alone | {path.replace("<vendor>", source) for path in every for source in SOURCES}


def test_the_architecture_page_lists_every_module() -> None:
    """With a line each; the files of every source share one, as the vendors of the sandbox do."""
    written = {path.removeprefix(f"{PACKAGE.name}/") for path in modules(PACKAGE)}
    one_line = re.compile(r"sandbox/\w+/|defs/|(.*/)?__init__\.py")
    assert listed_modules() == {path for path in written if not one_line.match(path)}


def test_whatever_is_public_is_described() -> None:
    """Functions, classes and their methods."""
    without = [
        f"{path}: {node.name}"
        for path, tree in modules(PACKAGE).items()
        for node in public(tree)
        if not ast.get_docstring(node)
    ]
    assert without == []


def test_every_test_is_named_in_words() -> None:
    """Three at least."""
    tests = [
        (path, node)
        for path, tree in modules(TESTS).items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test")
    ]
    assert len(tests) > 100
    wrong = [
        f"{path}: {node.name}"
        for path, node in tests
        if len(node.name.split("_")) < 4 or not node.name.startswith("test_")
    ]
    assert wrong == []


def test_a_class_name_means_one_thing() -> None:
    names = Counter(
        node.name
        for tree in modules(PACKAGE).values()
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert len(names) > 100
    assert [name for name, count in names.items() if count > 1] == []


def test_test_packages_hold_a_docstring_and_nothing_else() -> None:
    """Whatever tests share has a module with a name."""
    packages = {path: tree for path, tree in modules(TESTS).items() if path.endswith("__init__.py")}
    folders = {str(Path(path).parent) for path in modules(TESTS)}
    assert folders == {str(Path(path).parent) for path in packages}
    assert [path for path, tree in packages.items() if len(tree.body) != 1] == []


def test_no_test_puts_something_in_a_modules_place() -> None:
    """Transports, clocks and clients are arguments; only the environment and the path are the process's own."""
    patched = re.compile(r"monkeypatch\.(setattr|setitem|delattr)\(|unittest\.mock|\bmocker\.")
    found = [path for path in modules(TESTS) if patched.search((ROOT / path).read_text())]
    assert found == []


def test_modules_are_named_after_what_they_hold() -> None:
    """Names that fit everything say nothing."""
    found = [path for path in modules(PACKAGE) | modules(TESTS) if BANNED & set(Path(path).with_suffix("").parts)]
    assert found == []


@pytest.mark.parametrize("pattern", [REGISTRIES, MACHINE_PATHS], ids=["package registry", "machine path"])
def test_no_file_knows_a_package_registry_or_a_machine(pattern: re.Pattern[str]) -> None:
    """Where packages come from and where the checkout lies is each user's own."""
    found = []
    for path in our_files():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in pattern.finditer(text)]
    assert found == []


def test_every_import_contract_holds(unplanted: tuple[set[str], str]) -> None:
    """As `lint-imports` says in `make check`."""
    broken, said = unplanted
    assert broken == set(), said


def test_every_import_contract_has_a_plant() -> None:
    """A contract nobody has seen broken may be one that cannot break."""
    assert [[plant for plant in PLANTS if name.startswith(plant)] for name in contracts()] == [
        [plant] for plant in PLANTS
    ]


@pytest.mark.parametrize("contract", PLANTS)
def test_an_import_contract_breaks_on_a_planted_import(
    copied: Path, unplanted: tuple[set[str], str], contract: str
) -> None:
    """That one and no other, and the two modules are named."""
    path, line = PLANTS[contract]
    planted = copied / PACKAGE.name / path
    before = planted.read_text()
    planted.write_text(f"{before}\n{line}\n")
    try:
        broken, said = broken_contracts(copied)
    finally:
        planted.write_text(before)
    assert broken - unplanted[0] == {name for name in contracts() if name.startswith(contract)}, said
    importer = f"{PACKAGE.name}.{path.removesuffix('.py').replace('/', '.')}"
    imported = ".".join(line.removeprefix("from ").replace(" import ", " ").split()).removeprefix("import.")
    circle = f".{importer.rpartition('.')[2]} -> .{imported.rpartition('.')[2]} (1 import)"
    assert f"{importer} -> {imported} (l." in said or circle in said
