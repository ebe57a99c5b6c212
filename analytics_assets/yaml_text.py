"""Text and numbers in a component's YAML that would be read as something else: `NO` as false, `0123` as 83, `1:30` as 90, `1.10` as 1.1.

Contains the one rule for all components; which fields hold text or numbers is read from their annotations. `configuration.py` applies it when a component
loads and passes quoted text on as it is written; `loading.py` turns what is found into the message.
"""

import functools
import json
import operator
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin

import yaml
from pydantic import BaseModel

_TAG: Final = "tag:yaml.org,2002:"
# Dagster reads dates as text.
_TEXT: Final = {f"{_TAG}str", f"{_TAG}timestamp"}
_NULLS: Final = ("", "~", "null")
# Minutes or seconds after a colon count sixty to one, and digits after a zero are octal.
_OTHER_NUMBER: Final = re.compile(r".*:.*|[-+]?0[0-9_]+")


@dataclass(frozen=True)
class Misreading:
    """A place in a YAML file that does not hold what it seems to hold.

    Attributes:
        line: Line in the file, from 1.
        field: Path of the field, such as `attributes.reports.0.name`.
        reason: What happens there and what to write instead.
    """

    line: int
    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


def find_misreadings(component: type, text: str, *, line: int | None = None) -> list[Misreading]:
    """Every misreading in the attributes of a component.

    Args:
        component: Class of the component.
        text: The file.
        line: First line of the component's document, where the file holds several; by default all are examined.
    """
    found: list[Misreading] = []
    for document in yaml.compose_all(text, Loader=yaml.SafeLoader):
        if isinstance(document, yaml.MappingNode) and line in (None, document.start_mark.line + 1):
            for key, value in document.value:
                if key.value == "attributes":
                    found.extend(_walk(value, component, "attributes"))
    return found


def _walk(node: yaml.Node, annotation: Any, field: str) -> Iterator[Misreading]:
    types = list(_arms(annotation))
    if isinstance(node, yaml.ScalarNode):
        reason = _explain(node, types) or _explain_number(node, types)
        if reason is not None:
            yield Misreading(node.start_mark.line + 1, field, reason)
    elif isinstance(node, yaml.SequenceNode):
        inner = next((get_args(one)[0] for one in types if get_origin(one) in (list, tuple)), _any_of(types))
        for number, item in enumerate(node.value):
            yield from _walk(item, inner, f"{field}.{number}")
    elif isinstance(node, yaml.MappingNode):
        yield from _walk_mapping(node, types, field)


def _walk_mapping(node: yaml.MappingNode, types: list[Any], field: str) -> Iterator[Misreading]:
    model = next((one for one in types if isinstance(one, type) and issubclass(one, BaseModel)), None)
    of_values = next((get_args(one)[1] for one in types if get_origin(one) is dict), _any_of(types))
    names: set[str] = set()
    for key, value in node.value:
        if key.tag == f"{_TAG}merge":
            yield from _walk(value, functools.reduce(operator.or_, types), field)
            continue
        name = str(key.value)
        if name in names:
            yield Misreading(key.start_mark.line + 1, f"{field}.{name}", "it is set twice. Keep one of them.")
        names.add(name)
        if model is not None:
            if name in model.model_fields:
                yield from _walk(value, model.model_fields[name].annotation, f"{field}.{name}")
        elif of_values is not None:
            yield from _walk(key, str, f"{field}.{name}")
            yield from _walk(value, of_values, f"{field}.{name}")


def _arms(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) in (Union, UnionType):
        for one in get_args(annotation):
            yield from _arms(one)
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
