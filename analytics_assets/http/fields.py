"""Fields a vendor sends that are not known here: named, so that a person learns of them, and never fatal."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from types import GenericAlias, NoneType, UnionType
from typing import Any, Union, cast, get_args, get_origin

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
    if not isinstance(value, Mapping) and _holds_only_known(value, kind):
        return set()
    known, found = _fields(kind), set[str]()
    given = value if isinstance(value, Mapping) else msgspec.json.decode(value, type=dict[str, msgspec.Raw])
    for name, held in given.items():
        inner = known.get(name)
        if name not in known:
            found.add(f"{prefix}{name}")
        elif inner is not None:
            mark = "[]" if is_list(held) else ""
            for one in objects(held):
                found |= unknown_fields(one, inner, f"{prefix}{name}{mark}.")
    return found


def sent_fields(value: msgspec.Raw | bytes | str, kind: type[msgspec.Struct], prefix: str = "") -> set[str]:
    """Paths of the fields of a JSON object that are sent and that `kind` and the structs inside it have; the rest as in `unknown_fields`."""
    known, found = _fields(kind), set[str]()
    for name, held in msgspec.json.decode(value, type=dict[str, msgspec.Raw]).items():
        if name not in known:
            continue
        found.add(f"{prefix}{name}")
        if (inner := known[name]) is not None:
            found |= _sent_inside(held, inner, f"{prefix}{name}{'[]' if is_list(held) else ''}.")
    return found


def _sent_inside(held: msgspec.Raw, inner: type[msgspec.Struct], prefix: str) -> set[str]:
    """The fields sent in an object, or in any of a list: hundreds of cells mostly say the same as the first."""
    fields, found = _fields(inner), set[str]()
    is_flat = not any(fields.values())
    for one in objects(held):
        found |= sent_fields(one, inner, prefix)
        if is_flat and len(found) == len(fields):
            break
    return found


def _holds_only_known(text: msgspec.Raw | bytes | str, kind: type[msgspec.Struct]) -> bool:
    """True if one reading, far quicker than a walk, finds all fields known; a value of another type than documented leaves it open."""
    try:
        _known(kind).decode(text)
    except msgspec.ValidationError:
        return False
    return True


@cache
def _known(kind: type[msgspec.Struct]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(_names_of(kind))


def _names_of(annotation: Any) -> Any:
    """The annotation with structs that forbid what they do not know, and with text in place of everything that holds no struct."""
    if _struct_in(annotation) is None:
        return msgspec.Raw
    if get_origin(annotation) in (Union, UnionType):
        return Union[tuple(one if one is NoneType else _names_of(one) for one in get_args(annotation))]  # noqa: UP007 - made here
    if get_origin(annotation) in (list, Sequence):
        return GenericAlias(list, (_names_of(get_args(annotation)[0]),))
    fields = [
        (f"field_{number}", _names_of(one.type), msgspec.field(name=one.encode_name, default=None))
        for number, one in enumerate(msgspec.structs.fields(annotation))
    ]
    return msgspec.defstruct("Known", fields, forbid_unknown_fields=True, gc=False)


def is_list(held: Any) -> bool:
    """True if a field, as text or as plain values, holds a list."""
    return _first(held) == b"[" if isinstance(held, msgspec.Raw) else isinstance(held, list)


def objects(held: Any) -> Iterable[Any]:
    """The objects that a field or its list holds; text stays text, so that nothing is decoded that nobody looks at."""
    if isinstance(held, msgspec.Raw):
        inside = msgspec.json.decode(held, type=list[msgspec.Raw]) if is_list(held) else [held]
        return (one for one in inside if _first(one) == b"{")
    return (one for one in (held if isinstance(held, list) else [held]) if isinstance(one, dict))


def _first(text: msgspec.Raw) -> bytes:
    return bytes(memoryview(text)[:1])


@cache
def _fields(kind: type[msgspec.Struct]) -> dict[str, type[msgspec.Struct] | None]:
    """The fields a struct knows by their names in JSON, each with the struct inside it."""
    return {one.encode_name: _struct_in(one.type) for one in msgspec.structs.fields(kind)}


def _struct_in(annotation: Any) -> type[msgspec.Struct] | None:
    kind = get_origin(annotation) or annotation
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        # Of a generic struct the whole annotation, which says what is inside.
        return cast("type[msgspec.Struct]", annotation)
    return next(filter(None, map(_struct_in, get_args(annotation))), None)
