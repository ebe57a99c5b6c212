"""What is wrong in a `defs.yaml`, with line and field, and without the values of the file: a key may have been pasted there.

Misreadings are text and numbers that YAML reads as something else: `NO` as false, `0123` as 83, `1:30` as 90, `1.10` as 1.1. Which fields hold text
or numbers is read from the component's annotations. `orchestration/source_component.py` examines the attributes here, `orchestration/loading.py` the file around them.
"""

import difflib
import functools
import json
import operator
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from analytics_assets.errors import FieldError

_TAG: Final = "tag:yaml.org,2002:"
# Dagster reads dates as text.
_TEXT: Final = {f"{_TAG}str", f"{_TAG}timestamp"}
_NULLS: Final = ("", "~", "null")
# Minutes or seconds after a colon count sixty to one, and digits after a zero are octal.
_OTHER_NUMBER: Final = re.compile(r".*:.*|[-+]?0[0-9_]+")
# An unknown field of another form may be a key.
_FIELD_NAME: Final = re.compile(r"[a-z_]+")
_HEAD: Final = ("type", "attributes", "template_vars_module", "requirements", "post_processing")


@dataclass(frozen=True)
class Problem:
    """Something wrong in a YAML file.

    Attributes:
        line: Line in the file, from 1.
        field: Path of the field, such as `attributes.reports.0.name`; empty where the file as a whole is wrong.
        reason: What is wrong and what to write instead.
    """

    line: int
    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}" if self.field else self.reason


_NO_TYPE: Final = Problem(1, "type", "Field required, such as `type: analytics_assets.BentoStats`.")


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Reads what Dagster reads: dates are text, and a part may not contain itself."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: ARG002 - as in PyYAML
        return super().construct_object(node, deep=True)


_Loader.add_constructor(f"{_TAG}timestamp", yaml.SafeLoader.construct_yaml_str)


def examine_file(text: str) -> tuple[dict[str, Any], list[Problem]]:
    """The fields of a component's file, and what is wrong with it outside of its attributes."""
    try:
        values = list(yaml.load_all(text, Loader=_Loader))
        documents = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        # The context of these two is one of PyYAML's constants; the problem and other contexts may quote the file.
        is_constant = isinstance(error, yaml.scanner.ScannerError | yaml.parser.ParserError) and error.context
        where = f" ({error.context})" if is_constant else ""
        mark = error.problem_mark or error.context_mark
        return {}, [Problem(mark.line + 1 if mark else 1, "", f"this is not valid YAML{where}.")]
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return {}, [Problem(line, "", "this is not valid YAML (a character that it does not allow).")]
    except ValueError:
        return {}, [Problem(1, "", "a value does not fit its `!!` tag. Remove the tag.")]
    if len(documents) > 1:
        line = documents[1].start_mark.line + 1
        return {}, [Problem(line, "", "a second document begins here. Put it in a folder of its own.")]
    if not documents or not isinstance(values[0], dict):
        return {}, [_NO_TYPE]
    return values[0], list(_examine_head(documents[0], values[0]))


def _examine_head(root: yaml.Node, values: dict[Any, Any]) -> Iterator[Problem]:
    for name in values:
        if name not in _HEAD:
            line, path = locate(root, [name])
            yield _unknown(line, path, f"Use {', '.join(_HEAD)}.")
    if "type" not in values:
        yield _NO_TYPE
    elif not isinstance(values["type"], str):
        yield Problem(locate(root, ["type"])[0], "type", "this must be the name of a component.")
    if not isinstance(values.get("attributes"), dict | None):
        yield Problem(locate(root, ["attributes"])[0], "attributes", "this must be fields with values.")


def find_problems(error: ValidationError | FieldError, text: str, component: type[BaseModel]) -> list[Problem]:
    """What is refused in the attributes of a file.

    Args:
        error: What the component raised.
        text: The file.
        component: Class of the component; a misspelt field gets the nearest of its fields that is not set.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if isinstance(error, FieldError):
        line, path = locate(root, ("attributes", *error.field))
        return [Problem(line, _dotted(path), str(error))]
    errors = error.errors(include_input=False, include_url=False)
    unknown = {details["loc"] for details in errors if details["type"] == "extra_forbidden"}
    unset = {loc: _fields(component, loc[:-1]) - _keys(root, ("attributes", *loc[:-1])) for loc in unknown}
    meant = {loc: difflib.get_close_matches(str(loc[-1]), sorted(names), n=1) for loc, names in unset.items()}
    # The line of the misspelt field says what is missing.
    explained = {(*loc[:-1], *names) for loc, names in meant.items() if names}
    problems = [
        _problem(root, details, meant.get(details["loc"], []))
        for details in errors
        if details["type"] != "missing" or details["loc"] not in explained
    ]
    return list(dict.fromkeys(problems))


def _fields(model: type[BaseModel], path: Sequence[str | int]) -> set[str]:
    """The fields that belong at a path of a component's attributes."""
    types: list[Any] = [model]
    for step in path:
        if isinstance(step, int):
            inner = [get_args(kind)[0] for kind in types if get_origin(kind) in (list, tuple)]
        else:
            inner = [fields[step].annotation for fields in map(_own_fields, types) if step in fields]
        types = [arm for annotation in inner for arm in _arms(annotation)]
    return {name for kind in types for name in _own_fields(kind)}


def _own_fields(kind: Any) -> Mapping[str, FieldInfo]:
    return kind.model_fields if isinstance(kind, type) and issubclass(kind, BaseModel) else {}


def _keys(root: yaml.Node, path: Sequence[str | int]) -> set[str]:
    """The fields that a file has at a path."""
    node = root
    for step in path:
        child = _step(node, step)
        if child is None:
            return set()
        _, node = child
    return {str(key.value) for key, _ in node.value} if isinstance(node, yaml.MappingNode) else set()


def _problem(root: yaml.Node, details: ErrorDetails, meant: Sequence[str]) -> Problem:
    original = details.get("ctx", {}).get("error")
    field = ("attributes", *details["loc"], *(original.field if isinstance(original, FieldError) else ()))
    line, path = locate(root, field)
    if details["type"] == "extra_forbidden":
        return _unknown(line, path, *(f"Did you mean `{name}`?" for name in meant))
    # What is missing is not in the file, and neither are the steps that say which of several types pydantic tried.
    shown = field if details["type"] == "missing" else path
    return Problem(line, _dotted(shown), details["msg"] if original is None else str(original))


def locate(root: yaml.Node, field: Sequence[str | int]) -> tuple[int, Sequence[str | int]]:
    """The line of a field, and the steps of its path that the file has."""
    line, node = 1, root
    for number, step in enumerate(field):
        child = _step(node, step)
        if child is None:
            return line, field[:number]
        line, node = child
    return line, field


def _step(node: yaml.Node, step: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode):
        item = node.value[step] if isinstance(step, int) and step < len(node.value) else None
        return item and (item.start_mark.line + 1, item)
    if not isinstance(node, yaml.MappingNode):
        return None
    for key, value in reversed(node.value):
        if key.value == step:
            return key.start_mark.line + 1, value
    for key, value in node.value:
        if key.tag == f"{_TAG}merge":
            for part in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                if child := _step(part, step):
                    return child
    return None


def _unknown(line: int, path: Sequence[str | int], remedy: str = "") -> Problem:
    shown = path if path and _FIELD_NAME.fullmatch(str(path[-1])) else path[:-1]
    return Problem(line, _dotted(shown), f"unknown field. {remedy}".strip())


def _dotted(path: Sequence[str | int]) -> str:
    return ".".join(map(str, path))


def find_line(text: str, field: Sequence[str | int]) -> int:
    """The line of a field in a file."""
    return locate(yaml.compose(text, Loader=yaml.SafeLoader), field)[0]


def find_misreadings(component: type, text: str) -> list[Problem]:
    """Every misreading in the attributes of a component.

    Args:
        component: Class of the component.
        text: The file.
    """
    document = yaml.compose(text, Loader=yaml.SafeLoader)
    attributes = _step(document, "attributes")
    return [] if attributes is None else list(_walk(attributes[1], component, "attributes"))


def _walk(node: yaml.Node, annotation: Any, field: str) -> Iterator[Problem]:
    types = list(_arms(annotation))
    if isinstance(node, yaml.ScalarNode):
        reason = _explain(node, types) or _explain_number(node, types)
        if reason is not None:
            yield Problem(node.start_mark.line + 1, field, reason)
    elif isinstance(node, yaml.SequenceNode):
        inner = next((get_args(kind)[0] for kind in types if get_origin(kind) in (list, tuple)), _any_of(types))
        for number, item in enumerate(node.value):
            yield from _walk(item, inner, f"{field}.{number}")
    elif isinstance(node, yaml.MappingNode):
        yield from _walk_mapping(node, types, field)


def _walk_mapping(node: yaml.MappingNode, types: list[Any], field: str) -> Iterator[Problem]:
    model = next((kind for kind in types if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
    of_values = next((get_args(kind)[1] for kind in types if get_origin(kind) is dict), _any_of(types))
    names: set[str] = set()
    for key, value in node.value:
        if key.tag == f"{_TAG}merge":
            yield from _walk(value, functools.reduce(operator.or_, types), field)
            continue
        name = str(key.value)
        if name in names:
            shown = field if model is not None and name not in model.model_fields else f"{field}.{name}"
            yield Problem(key.start_mark.line + 1, shown, "it is set twice. Keep one of them.")
        names.add(name)
        if model is not None:
            if name in model.model_fields:
                yield from _walk(value, model.model_fields[name].annotation, f"{field}.{name}")
        elif of_values is not None:
            yield from _walk(key, str, f"{field}.{name}")
            yield from _walk(value, of_values, f"{field}.{name}")


def _arms(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) in (Union, UnionType):
        for arm in get_args(annotation):
            yield from _arms(arm)
    else:
        yield annotation


def _any_of(types: list[Any]) -> Any:
    return Any if Any in types else None


def _explain(node: yaml.ScalarNode, types: list[Any]) -> str | None:
    """Why a scalar is not the text that is written there; None where it is, or where no text belongs."""
    if not {str, Any} & set(types) or node.style is not None or node.tag in _TEXT:
        return None
    may_be_other = bool({int, float, bool, Any} & set(types))
    if node.tag == f"{_TAG}null":
        # A field that is left empty and has to hold text is refused by its type.
        if node.value == "" or (node.value in _NULLS and {type(None), Any} & set(types)):
            return None
    elif may_be_other and _is_as_written(node):
        return None
    is_number = node.tag in (f"{_TAG}int", f"{_TAG}float")
    if is_number and not may_be_other:
        # A key may have been pasted here, so it is not repeated.
        return 'this is a number where text belongs. Write it in quotes, as in "0123".'
    try:
        value = json.dumps(yaml.safe_load(node.value))
    except yaml.YAMLError:
        return f'`{node.value}` is a sign of YAML. Write it in quotes: "{node.value}".'
    other = f", or write `{value}` if you mean that" if may_be_other else ""
    return f'`{node.value}` is read as {value}. Write it in quotes: "{node.value}"{other}.'


def _explain_number(node: yaml.ScalarNode, types: list[Any]) -> str | None:
    """Why a scalar is not the number that is written there; None where it is, or where other things belong too."""
    is_number = node.tag in (f"{_TAG}int", f"{_TAG}float") and _OTHER_NUMBER.fullmatch(node.value)
    is_switch = node.tag == f"{_TAG}bool" and bool not in types
    if {str, Any} & set(types) or not {int, float} & set(types) or not (is_number or is_switch):
        return None
    value = json.dumps(yaml.safe_load(node.value))
    return f"`{node.value}` is read as {value}. Write a number without colons and leading zeros."


def _is_as_written(node: yaml.ScalarNode) -> bool:
    try:
        value = yaml.safe_load(node.value)
    except yaml.YAMLError:
        return False
    if isinstance(value, bool):
        return node.value.lower() in ("true", "false")
    return isinstance(value, int | float) and json.dumps(value) == node.value
