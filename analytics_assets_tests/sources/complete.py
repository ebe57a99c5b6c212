"""What a source still lacks, a sentence for each thing. No assertions here."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from analytics_assets.orchestration.source_component import AccountComponent

ROOT = Path(__file__).parents[2]
FILES = {
    "client": "the endpoints of the vendor",
    "responses": "what a payload holds",
    "tables": "the tables and their columns",
    "transform": "raw responses to rows",
    "source": "the component, its streams and its resource",
    "checks": "what the figures are checked for",
}
TESTS = {
    "test_client": "errors and pages over real HTTP",
    "test_transform": "rows of sample payloads, worked out by hand",
}


def missing(name: str, component: str, root: Path = ROOT) -> list[str]:
    """What the source `name` lacks in a checkout; `component` is its line in `SOURCES`."""
    return list(_missing(name, component, root))


def _missing(name: str, component: str, root: Path) -> Iterator[str]:
    folder, tests = root / "analytics_assets/sources" / name, root / "analytics_assets_tests/sources" / name
    for file, content in FILES.items():
        if not (folder / f"{file}.py").is_file():
            yield f"analytics_assets/sources/{name}/{file}.py is missing: it has {content}."
    for file, content in TESTS.items():
        if not (tests / f"{file}.py").is_file():
            yield f"analytics_assets_tests/sources/{name}/{file}.py is missing: it tests {content}."
    example = root / "analytics_assets/defs" / name / "defs.yaml"
    if not example.is_file() or yaml.safe_load(example.read_text()).get("type") != f"analytics_assets.{component}":
        yield f"analytics_assets/defs/{name}/defs.yaml is missing: an account with `type: analytics_assets.{component}`."
    for page, word in (("docs/configuration.md", component), ("docs/tables.md", name)):
        if not re.search(rf"\b{word}\b", (root / page).read_text(), re.IGNORECASE):
            yield f"{page} does not name {word}. Run `make docs`."
    if (folder / "source.py").is_file():
        yield from _of_component(name, component)


def _of_component(name: str, component: str) -> Iterator[str]:
    kind = getattr(importlib.import_module(f"analytics_assets.sources.{name}.source"), component, None)
    if not (isinstance(kind, type) and issubclass(kind, AccountComponent)):
        yield f"analytics_assets/sources/{name}/source.py has no class {component} that extends AccountComponent."
