"""A response being changed: as plain values that keep every digit, with texts put in that need not be JSON at all."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

Where = tuple[Any, Any]

_HALF = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Text:
    """JSON text put in as it is, valid or not."""

    json: str


class Twice:
    """A name that stands in its object already."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Half:
    """A name with half a character behind it."""

    name: str
    half: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Draft:
    """Where chance comes from, the document in a list of its own, and the texts that may be sent in a field whatever else is sent."""

    draw: Random
    top: list[Any]
    free: Mapping[str, Sequence[str]]

    def somewhere(self, of: Callable[[Any], bool] = lambda _: True) -> Where | None:
        """A place whose value is of a kind. The name is drawn first, so that a long list hides no lone field."""
        named: dict[str, list[Where]] = {}
        for held, name in places(self.top):
            if of(held[name]):
                named.setdefault(name if isinstance(name, str) else "[]", []).append((held, name))
        return self.draw.choice(named[self.draw.choice(sorted(named))]) if named else None

    def named(self, names: Sequence[str] | None = None) -> Where | None:
        """A place in an object, of one of some names."""
        found = [where for where in places(self.top) if isinstance(where[1], str) and (not names or where[1] in names)]
        by_name = sorted({where[1] for where in found})
        chosen = self.draw.choice(by_name) if by_name else None
        return self.draw.choice([where for where in found if where[1] == chosen]) if found else None


def parsed(body: bytes) -> Any:
    """A genuine answer as plain values."""
    return json.loads(body, parse_float=Decimal)


def written(value: Any) -> str:
    """Plain values as JSON text."""
    match value:
        case Text():
            return value.json
        case dict():
            return "{" + ",".join(f"{_name(name)}:{written(held)}" for name, held in value.items()) + "}"
        case list():
            return "[" + ",".join(map(written, value)) + "]"
        case Decimal():
            return str(value)
        case _:
            # A half of a character has no bytes of its own, so it stays an escape.
            return _HALF.sub(lambda half: f"\\u{ord(half[0]):04x}", json.dumps(value, ensure_ascii=False))


def _name(name: Any) -> str:
    return f'{json.dumps(name.name)[:-1]}{name.half}"' if isinstance(name, Half) else json.dumps(str(name))


def places(value: Any) -> Iterator[Where]:
    """Every place in a document: what holds it, and its name or number there."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, held in list(inside):
        yield value, name
        yield from places(held)
