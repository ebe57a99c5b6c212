"""Loading the folders of `defs/`, one by itself or all of them, and the words for what does not load.

What Dagster tells of a broken YAML is a traceback through both of us, and quotes the file, where somebody may have put a key in place of its
variable's name. Of all that only our own words, pydantic's and the place are repeated. Keep what a YAML may say out of here (`configuration.py`).
Dagster concept: components, https://docs.dagster.io/guides/build/components
"""

import importlib
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import yaml
from dagster_shared.error import DagsterUnresolvableSymbolError

from analytics_assets.errors import PermanentError
from analytics_assets.places import address
from analytics_assets.settings import is_variable, settings
from analytics_assets.yaml_text import find_misreadings

REMEDY = "Correct it there; docs/configuration.md has every field."
# Where Dagster stopped, and what is wrong: a field on a line of its own, if one is at fault, and the words of pydantic or of a validator of ours.
_STOPPED = re.compile(r"defs\.yaml:(\d+)(?: - (attributes[\w.\[\]]*))?")
_WRONG = re.compile(
    r"(?:^(?:`(?P<path>attributes.*) at .*defs\.yaml:(?P<line>\d+)`|(?P<field>[\w.]+))\n)?^ +(?:Value error, )?(?P<why>.+?) \[type=(?P<kind>\w+)",
    re.MULTILINE,
)
# What pydantic adds to a path to say which of several types it tried. Text is tried too, since a YAML may have `{{ ... }}` anywhere.
_TRIED = re.compile(r"\.(?:\w+Model|(?:tuple|list|dict)\[.*\])(?=\.|$)")
# Anything else in a field's place may be a key.
_FIELD_NAME = re.compile(r"[a-z_]+")
_UNSET = re.compile(r"^Environment variable (.+) is not set and no default", re.MULTILINE)
_PLAINLY = {"extra_forbidden": "there is no such field", "missing": "it has to be there"}
_NAMED = re.compile(r"\b([a-z_.]+)`?: ")
_OWN_WORDS = re.compile(r"^ValueError: (.+)$", re.MULTILINE)


class UnloadableError(PermanentError):
    """Settings or YAML that cannot be loaded; says which, where, why and what to do."""


def alone(defs: Path, name: str) -> tuple[dg.Component, dg.Definitions]:
    """The component of a folder and what Dagster sees of it, whatever is wrong with the others."""
    with quietly():
        project = dg.ComponentTree.for_project(defs)
        module = importlib.import_module(f"{project.defs_module_name}.{name}")
        tree = dg.ComponentTree.from_module(module, project.project_root)
        return tree.load_component(defs / name), tree.build_defs()


def check_places(defs: Path) -> None:
    """Sees that every YAML stands where all of the project looks for it; Dagster reads deeper folders too, and no `defs.yml`.

    Raises:
        UnloadableError: One stands elsewhere, so that its account would be seen by some parts of the project only, or by none.
    """
    wrong = [path for path in sorted(defs.rglob("defs.y*ml")) if path.parent.parent != defs or path.suffix != ".yaml"]
    if wrong:
        told = ", ".join(f"defs/{path.relative_to(defs).as_posix()}" for path in wrong)
        raise UnloadableError(f"{told}: not read. An account is one folder directly under defs/, with a defs.yaml.")


def whole(defs: Path) -> dg.Definitions:
    """What Dagster sees of all folders.

    Raises:
        UnloadableError: A setting or a YAML is wrong.
    """
    check_places(defs)
    with refused_in_words(defs), quietly():
        return dg.ComponentTree.for_project(defs).build_defs()


@contextmanager
def quietly() -> Iterator[None]:
    """Without Dagster's own warnings, which are no affair of the person who asks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def refused_in_words(defs: Path) -> Iterator[None]:
    """What is wrong with settings or YAML, in place of Dagster's traceback; any other error as it is.

    Raises:
        UnloadableError: A setting or a YAML is wrong.
    """
    try:
        yield
    except Exception:
        if (refused := refusal(defs)) is None:
            raise
        raise refused from None


def refusal(defs: Path) -> UnloadableError | None:
    """Why these folders do not load, in a line for each thing that is wrong; None where the fault is not in settings or YAML."""
    try:
        address(settings().lake)
        check_places(defs)
    except PermanentError as error:
        return UnloadableError(str(error))
    said = []
    for name in sorted(path.parent.name for path in defs.glob("*/defs.yaml")):
        try:
            alone(defs, name)
        except Exception as error:  # noqa: BLE001 - Dagster has no class for a YAML it cannot load
            why = words(error, defs, name)
            if why is None:
                return None
            said.append(why)
    return UnloadableError("\n".join([*said, REMEDY])) if said else None


def words(error: BaseException, defs: Path, name: str) -> str | None:
    """File, line and reason of a folder that does not load; None where nobody foresaw the reason."""
    text = (defs / name / "defs.yaml").read_text()
    found = _explain_misreadings(text) or _reason(error, text)
    return None if found is None else f"defs/{name}/defs.yaml{found[0]} does not load: {found[1]}"


def _explain_misreadings(text: str) -> tuple[str, str] | None:
    """The line and words of text that would be read as something else; Dagster's words for it name neither the text nor the quotes."""
    component = re.search(r"^type: *([\w.]+)\.(\w+)", text, re.MULTILINE)
    try:
        wrong = (
            find_misreadings(getattr(importlib.import_module(component[1]), component[2]), text) if component else []
        )
    except (yaml.YAMLError, AttributeError, ImportError):
        return None
    if not wrong:
        return None
    others = (f"{one.field} (line {one.line}): {one.reason}" for one in wrong[1:])
    return f":{wrong[0].line}", "; ".join([str(wrong[0]), *others])


def _reason(error: BaseException, text: str) -> tuple[str, str] | None:
    """The line of the file as `:4`, where one is known, and why it does not load."""
    errors = list(_chain(error))
    for one in errors:
        if isinstance(one, DagsterUnresolvableSymbolError):
            return _place(None, "type", "", text), str(one).rstrip(".")
        if isinstance(one, yaml.MarkedYAMLError) and one.problem_mark is not None:
            # The parser quotes the file, where the quoted word may be a key.
            problem = re.sub(r" '[^'<]{3,}'", "", one.problem or "syntax error")
            return f":{one.problem_mark.line + 1}", f"it is no YAML ({problem})"
    if not re.search(r"^type:", text, re.MULTILINE):
        return "", "it names no component; begin it with one, such as `type: analytics_assets.BentoStats`"
    said = "\n".join(map(str, errors))
    stopped = _STOPPED.search(said)
    line, outer = (int(stopped[1]), stopped[2]) if stopped else (None, None)
    troubles = [one for one in _WRONG.finditer(said) if not (one["path"] or "").endswith(".str")]
    if not troubles:
        own = _OWN_WORDS.search(said) or _OWN_WORDS.search(f"{type(errors[-1]).__name__}: {errors[-1]}")
        why = _template(said, text, line) if own is None else own[1].rstrip(".")
        if why is None:
            return None
        return _place(line, None, why, text), f"{outer}: {why}" if outer else why
    told: dict[str, str] = {}
    for trouble in troubles:
        field: str = _TRIED.sub("", trouble["path"] or ".".join(filter(None, (outer, trouble["field"]))))
        why = _PLAINLY.get(trouble["kind"], trouble["why"].rstrip("."))
        parent, _, name = field.rpartition(".")
        shown = parent if trouble["kind"] == "extra_forbidden" and not _FIELD_NAME.fullmatch(name) else field
        told.setdefault(f"{shown}: {why}" if shown else why, "" if trouble["kind"] == "missing" else field)
    first, sought = next(iter(told.items()))
    return _place(line, sought, first, text), "; ".join(told)


def _template(said: str, text: str, line: int | None) -> str | None:
    """What is wrong with a `{{ }}`, without its words, which may be a key; None where none is at fault."""
    if unset := _UNSET.search(said):
        name = unset[1] if is_variable(unset[1]) else "an environment variable"
        return f"{name}, named inside `{{{{ }}}}`, is not set"
    quoted = text.splitlines()[line - 1] if line else ""
    return "what is inside `{{ }}` cannot be resolved" if "{{" in quoted else None


def _place(line: int | None, field: str | None, why: str, text: str) -> str:
    """The line as `:4`: of the field, else where Dagster stopped, else of what the words name."""
    named = _NAMED.search(why) if not line else None
    after = line or 1
    sought = field or (named[1] if named else None)
    if sought is not None:
        key = re.compile(rf"\b{re.escape(sought.rpartition('.')[2])}:")
        for number, one in enumerate(text.splitlines(), start=1):
            if number >= after and key.search(one):
                return f":{number}"
    return f":{line}" if line else ""


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
