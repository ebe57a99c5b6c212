"""Whether each `defs.yaml` loads. Each is loaded by itself, so that a broken one keeps nobody from looking at the others.

How it is loaded and what is said of a broken one is `analytics_assets/orchestration/loading.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import dagster as dg

from analytics_assets.checks.completeness import LATEST_DAY
from analytics_assets.operations.doctor.line import Line
from analytics_assets.orchestration.asset_specs import daily_tables
from analytics_assets.orchestration.diagnostics import Diagnosable, Diagnostics
from analytics_assets.orchestration.loading import REMEDY, alone, whole, words

TOGETHER: Final = "all together"


@dataclass(frozen=True)
class Loaded:
    """A folder that loads.

    Attributes:
        name: The folder, which is the account.
        diagnostics: What it has to examine; None where that is nothing.
        definitions: What Dagster sees of it.
    """

    name: str
    diagnostics: Diagnostics | None
    definitions: dg.Definitions

    def daily_tables(self) -> list[str]:
        """Tables with a day to miss: those that are checked for it."""
        definitions = [asset for asset in self.definitions.assets or [] if isinstance(asset, dg.AssetsDefinition)]
        keys = [key for assets in definitions for key in assets.check_keys]
        return sorted(key.asset_key.path[-1] for key in keys if key.name == LATEST_DAY)

    def made_from(self) -> dict[str, list[str]]:
        """The daily tables made from each raw one."""
        return {step.raw: list(step.typed) for step in daily_tables(self.definitions) if step.raw is not None}

    def all_tables(self) -> set[str]:
        """Every table of the account."""
        definitions = [asset for asset in self.definitions.assets or [] if isinstance(asset, dg.AssetsDefinition)]
        return {key.path[-1] for assets in definitions for key in assets.keys}


def loads(defs: Path, name: str, into: list[Loaded]) -> Iterator[Line]:
    """Loads a folder; what has loaded is put into a list for the other checks."""
    file = f"defs/{name}/defs.yaml"
    try:
        component, definitions = alone(defs, name)
    except Exception as error:  # noqa: BLE001 - Dagster has no class for a YAML it cannot load
        why = words(error, defs, name) or f"{file} does not load: {type(error.__cause__ or error).__name__}"
        yield Line("definitions", name, "wrong", why.replace("\n", "; "), REMEDY)
        return
    into.append(Loaded(name, component.diagnostics() if isinstance(component, Diagnosable) else None, definitions))
    yield Line("definitions", name, "ok", f"{file} loads")


def loads_together(defs: Path) -> Iterator[Line]:
    """Loads all folders as Dagster does; each of them loads by itself.

    Raises:
        UnloadableError: They do not fit together; the message has the remedy.
    """
    try:
        whole(defs).get_repository_def()
    except Exception as error:
        origin = error.__cause__ or error
        if not isinstance(origin, dg.DagsterError):
            raise
        remedy = "Change one of the two; `dg check defs` shows the whole error."
        yield Line("definitions", TOGETHER, "wrong", f"the folders load one by one only: {origin}", remedy)
    else:
        yield Line("definitions", TOGETHER, "ok", "the folders of defs/ load together")
