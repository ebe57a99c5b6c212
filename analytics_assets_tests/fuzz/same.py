"""Whether rows that stand are the rows expected, to the last digit."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

# Two ways from a binary number of seconds to an instant may differ in the last microsecond.
_APART_S = 0.00001


@dataclass(frozen=True)
class Near:
    """A text that spells this number."""

    number: float


@dataclass(frozen=True)
class Json:
    """A JSON text that says this, with these very digits."""

    value: Any


def difference(expected: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]]) -> str | None:
    """What is not the same, in words; None where all rows are. Columns that no expected row names are not looked at."""
    if len(expected) != len(found):
        return f"{len(found)} rows instead of {len(expected)}"
    names = [name for name in expected[0] if all(isinstance(row[name], str) for row in expected)] if expected else []
    left: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for one in found:
        left.setdefault(tuple(one.get(name) for name in names), []).append(one)
    for row in expected:
        alike = left.get(tuple(row[name] for name in names), [])
        at = next((number for number, one in enumerate(alike) if _is_row(row, one)), None)
        if at is None:
            nearest = max(found, key=lambda one: sum(_is(value, one.get(name)) for name, value in row.items()))
            unlike = {
                name: (nearest.get(name), value) for name, value in row.items() if not _is(value, nearest.get(name))
            }
            return f"no row {str(row)[:300]}; the nearest differs in (found, expected) {str(unlike)[:300]}"
        alike.pop(at)
    return None


def _is_row(expected: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    return all(name in found and _is(value, found[name]) for name, value in expected.items())


def _is(expected: Any, found: Any) -> bool:
    match expected:
        case None:
            return found is None
        case Json():
            return isinstance(found, str) and _read(found) == expected.value
        case Near():
            return isinstance(found, str) and _number(found) == expected.number
        case datetime():
            return isinstance(found, datetime) and abs((found - expected).total_seconds()) < _APART_S
        case bool():
            return found is expected
    return bool(found is not None and expected == found)


def _read(text: str) -> Any:
    try:
        return json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError):
        return text


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
