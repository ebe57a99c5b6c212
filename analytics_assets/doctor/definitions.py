"""Whether each `defs.yaml` loads. Each is loaded by itself, so that a broken one keeps nobody from looking at the others.

Of what Dagster says of a broken one, only our own words, pydantic's and the place are repeated: the rest quotes the YAML, where somebody may have
put a key in place of its variable's name.
Dagster concept: components, https://docs.dagster.io/guides/build/components
"""

import importlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import yaml
from dagster_shared.error import DagsterUnresolvableSymbolError

from analytics_assets.checks.landed import LATEST_DAY
from analytics_assets.doctor.line import Line
from analytics_assets.probe import Probe, Probed

_PLACE = re.compile(r"defs\.yaml:(\d+)")
_FIELD = re.compile(r"`(attributes[\w.\[\]]*) at |defs\.yaml:\d+ - (attributes[\w.\[\]]*)")
_WORDS = re.compile(r"^\s*(?:Value error, )?(.+?) \[type=\w+", re.MULTILINE)
_NAMED = re.compile(r"\b([a-z_.]+)`?: ")
_OWN_WORDS = re.compile(r"^ValueError: (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Loaded:
    """A folder that loads.

    Attributes:
        name: The folder, which is the account.
        probe: What it has to examine; None where that is nothing.
        definitions: What Dagster sees of it.
    """

    name: str
    probe: Probe | None
    definitions: dg.Definitions

    def daily_tables(self) -> list[str]:
        """Tables with a day to miss: those that are checked for it."""
        made = [one for one in self.definitions.assets or [] if isinstance(one, dg.AssetsDefinition)]
        keys = [key for assets in made for key in assets.check_keys]
        return sorted(key.asset_key.path[-1] for key in keys if key.name == LATEST_DAY)


def loads(defs: Path, name: str, into: list[Loaded]) -> Iterator[Line]:
    """Loads a folder; what has loaded is put into a list for the other checks."""
    whole = dg.ComponentTree.for_project(defs)
    file = f"defs/{name}/defs.yaml"
    try:
        module = importlib.import_module(f"{whole.defs_module_name}.{name}")
        tree = dg.ComponentTree.from_module(module, whole.project_root)
        component = tree.load_component(defs / name)
        definitions = tree.build_defs()
    except Exception as error:  # noqa: BLE001 - Dagster has no class for a YAML it cannot load
        place, words = _refusal(_chain(error), (defs / name / "defs.yaml").read_text())
        remedy = "Correct it there; `dg check defs` shows the lines around."
        yield Line("definitions", name, "wrong", f"{file}{place} does not load: {words}", remedy)
        return
    into.append(Loaded(name, component.probe() if isinstance(component, Probed) else None, definitions))
    yield Line("definitions", name, "ok", f"{file} loads")


def _chain(error: BaseException | None) -> list[BaseException]:
    return [] if error is None else [error, *_chain(error.__cause__)]


def _refusal(errors: Sequence[BaseException], text: str) -> tuple[str, str]:
    """The line of the file as `:4`, where one is known, and why it does not load."""
    for error in errors:
        if isinstance(error, DagsterUnresolvableSymbolError):
            return _line_of("type", text), str(error).rstrip(".")
        if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
            return f":{error.problem_mark.line + 1}", f"it is no YAML ({error.problem})"
    said = "\n".join(map(str, errors))
    line, field = _PLACE.search(said), _FIELD.search(said)
    words = _WORDS.search(said) or _OWN_WORDS.search(said)
    why = words[1].rstrip(".") if words else type(errors[-1]).__name__
    place = f":{line[1]}" if line else _line_of(named[1], text) if (named := _NAMED.search(why)) else ""
    return place, f"{field[1] or field[2]}: {why}" if field else why


def _line_of(field: str, text: str) -> str:
    """Where a field stands first; what fits together only as a whole, Dagster tells without a line."""
    key = re.compile(rf"\b{re.escape(field.rpartition('.')[2])}:")
    numbers = [number for number, line in enumerate(text.splitlines(), start=1) if key.search(line)]
    return f":{numbers[0]}" if numbers else ""
