"""Fields a vendor sends that are not known here: named, so that a person learns of them, and never fatal.

Keep what is done with the names out of here; transforms put them into the figures of a day, raw keeps the fields themselves.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, get_args

import msgspec


def unknown_fields(
    value: Mapping[str, Any] | msgspec.Raw | bytes | str, kind: type[msgspec.Struct], prefix: str = ""
) -> set[str]:
    """Paths of the fields of a JSON object that `kind` and the structs inside it do not have, such as `values[].rate`.

    Args:
        value: The object, as text or as plain values.
        kind: The struct it is read as; other structs are found inside its annotations.
        prefix: Where the object stands, with a dot at its end.
    """
    known, found = _fields(kind), set[str]()
    given = value if isinstance(value, Mapping) else msgspec.json.decode(value, type=dict[str, msgspec.Raw])
    for name, held in given.items():
        inner = known.get(name)
        if name not in known:
            found.add(f"{prefix}{name}")
        elif inner is not None:
            mark, objects = _objects(held)
            for one in objects:
                found |= unknown_fields(one, inner, f"{prefix}{name}{mark}.")
    return found


def _objects(held: Any) -> tuple[str, Iterable[Any]]:
    """The objects that a field holds, and how its path marks a list; text stays text, so that large bodies are not decoded whole."""
    if isinstance(held, msgspec.Raw):
        first = _first(held)
        if first == b"[":
            return "[]", (one for one in msgspec.json.decode(held, type=list[msgspec.Raw]) if _first(one) == b"{")
        return "", [held] if first == b"{" else []
    if isinstance(held, list):
        return "[]", (one for one in held if isinstance(one, dict))
    return "", [held] if isinstance(held, dict) else []


def _first(text: msgspec.Raw) -> bytes:
    return bytes(memoryview(text)[:1])


@cache
def _fields(kind: type[msgspec.Struct]) -> dict[str, type[msgspec.Struct] | None]:
    """The fields a struct knows by their names in JSON, each with the struct inside it."""
    return {one.encode_name: _struct_in(one.type) for one in msgspec.structs.fields(kind)}


def _struct_in(annotation: Any) -> type[msgspec.Struct] | None:
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return annotation
    return next(filter(None, map(_struct_in, get_args(annotation))), None)
