"""Loading the folders of `defs/`, one by itself or all of them, with one line for each thing that is wrong.

Dagster's errors quote the file, where somebody may have pasted a key. So each file is examined before Dagster reads it, the components examine
their own attributes (`orchestration/source_component.py`), and only the messages of these two are passed on.
Dagster concept: components, https://docs.dagster.io/guides/build/components
"""

import importlib
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

import analytics_assets
from analytics_assets.errors import PermanentError
from analytics_assets.orchestration.yaml_text import Problem, examine_file, find_line
from analytics_assets.places import address
from analytics_assets.settings import settings

REMEDY = "Correct it there; docs/configuration.md has every field."


class UnloadableError(PermanentError):
    """Settings or YAML that cannot be loaded; says which, where, why and what to do."""


def unloadable(file: Path, problems: Sequence[Problem]) -> UnloadableError:
    """The error of an account's file, a line for each problem."""
    return UnloadableError(
        "\n".join(f"defs/{file.parent.name}/{file.name}:{problem.line} {problem}" for problem in problems)
    )


def check_places(defs: Path) -> None:
    """Refuses a file that Dagster reads and the rest of the project does not: in a deeper folder, or of another name.

    Raises:
        UnloadableError: There is such a file.
    """
    files = (path for name in ("defs.yaml", "defs.yml", "component.yaml") for path in defs.rglob(name))
    wrong = sorted(path for path in files if path.parent.parent != defs or path.name != "defs.yaml")
    if wrong:
        names = ", ".join(f"defs/{path.relative_to(defs).as_posix()}" for path in wrong)
        raise UnloadableError(f"{names}: not read. An account is one folder directly under defs/, with a defs.yaml.")


def check_files(defs: Path) -> None:
    """Examines the place of every YAML and what is in it beside the attributes.

    Raises:
        UnloadableError: Dagster would refuse one of them, and quote it.
    """
    check_places(defs)
    for file in sorted(defs.glob("*/defs.yaml")):
        check_file(file)


def check_file(file: Path) -> None:
    """Examines what is in a file beside the attributes.

    Raises:
        UnloadableError: Dagster would refuse it, and quote it.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise unloadable(file, [Problem(line, "", "this is not UTF-8 text. Save the file as UTF-8.")]) from None
    values, problems = examine_file(text)
    if not problems and not _is_component(values["type"]):
        own = ", ".join(f"{analytics_assets.__name__}.{name}" for name in sorted(analytics_assets.COMPONENTS))
        problems = [Problem(find_line(text, ["type"]), "type", f"there is no such component. This project has {own}.")]
    if problems:
        raise unloadable(file, problems)


def _is_component(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    if not module:
        # Dagster looks for a name that begins with a dot in the project.
        return name.startswith(".")
    try:
        candidate = getattr(importlib.import_module(module), attribute, None)
    except ModuleNotFoundError as error:
        if f"{module}.".startswith(f"{error.name}."):
            return False
        raise
    return isinstance(candidate, type) and issubclass(candidate, dg.Component)


def alone(defs: Path, name: str) -> tuple[dg.Component, dg.Definitions]:
    """The component of a folder and what Dagster sees of it, whatever is wrong with the others."""
    check_file(defs / name / "defs.yaml")
    with quietly():
        project = dg.ComponentTree.for_project(defs)
        module = importlib.import_module(f"{project.defs_module_name}.{name}")
        tree = dg.ComponentTree.from_module(module, project.project_root)
        return tree.load_component(defs / name), tree.build_defs()


def whole(defs: Path) -> dg.Definitions:
    """What Dagster sees of all folders.

    Raises:
        UnloadableError: A setting or a YAML is wrong.
    """
    with explained_errors(defs), quietly():
        check_files(defs)
        loaded = dg.ComponentTree.for_project(defs).build_defs()
        check_lake(loaded)
        return loaded


def check_lake(definitions: dg.Definitions) -> None:
    """Refuses accounts without a lake; Dagster would name a step and the key of a resource.

    Raises:
        UnloadableError: No component or module of the project brings the resource `lake`.
    """
    steps = [*(definitions.assets or ()), *(definitions.asset_checks or ())]
    is_needed = any(isinstance(step, dg.AssetsDefinition) and "lake" in step.required_resource_keys for step in steps)
    if is_needed and "lake" not in (definitions.resources or {}):
        raise UnloadableError(
            "The accounts have no lake, because no folder of defs/ has a `Shared`.",
            remedy=f"Create defs/shared/defs.yaml with the line `type: {analytics_assets.__name__}.Shared`.",
        )


@contextmanager
def quietly() -> Iterator[None]:
    """Without Dagster's own warnings, which are no affair of the person who asks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def explained_errors(defs: Path) -> Iterator[None]:
    """What is wrong with settings or YAML, in place of Dagster's traceback; any other error as it is.

    Raises:
        UnloadableError: A setting or a YAML is wrong.
    """
    try:
        yield
    except Exception as error:
        if (refused := refusal(defs) or _unloadable_cause(error)) is None:
            raise
        # Dagster follows a cause or a context that is not suppressed, and shows it.
        raise refused from None


def refusal(defs: Path) -> UnloadableError | None:
    """Why these folders do not load, in a line for each thing that is wrong; None where the fault is not in settings or YAML."""
    try:
        address(settings().lake)
        check_places(defs)
    except PermanentError as error:
        return UnloadableError(str(error))
    lines = []
    for name in sorted(path.parent.name for path in defs.glob("*/defs.yaml")):
        try:
            alone(defs, name)
        except Exception as error:  # noqa: BLE001 - Dagster has no class for a YAML it cannot load
            why = words(error, defs, name)
            if why is None:
                return None
            lines.append(why)
    return UnloadableError("\n".join([*lines, REMEDY])) if lines else None


def _unloadable_cause(error: BaseException | None) -> UnloadableError | None:
    """What is wrong between folders that load one by one."""
    while error is not None and not isinstance(error, UnloadableError):
        error = error.__cause__
    return error


def words(error: BaseException | None, defs: Path, name: str) -> str | None:
    """File, line and reason of a folder that does not load, without values of its file; None where the fault is not in the file."""
    file = defs / name / "defs.yaml"
    while error is not None:
        if isinstance(error, UnloadableError):
            return str(error)
        if isinstance(error, PermanentError):
            return str(unloadable(file, [Problem(1, "", str(error))]))
        error = error.__cause__
    text = file.read_text(encoding="utf-8")
    # Dagster itself reads these fields, and its errors quote them.
    own = examine_file(text)[0].keys() - {"type", "attributes"}
    problems = [Problem(find_line(text, [field]), field, "Dagster cannot use this field.") for field in sorted(own)]
    return str(unloadable(file, problems)) if problems else None
