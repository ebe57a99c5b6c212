"""Ways to spell the same JSON otherwise: numbers as text, fields added, left out or null. For the simulated vendors' forms.

Here live changes that know nothing of a vendor; which fields they are for is in ``bento_forms``, ``statsig_forms`` and
``airbridge_forms``. Each gives a new value and leaves the one it was given as it is, because answers may be kept.
"""

from collections.abc import Callable, Collection
from typing import Any, Final

ADDED: Final = {"addedByTheVendor": {"since": "yesterday", "of": [1, None]}}


def numbers_as_text(value: Any) -> Any:
    """Every number as text; true, false and null stay."""
    return changed(value, lambda one: str(one) if isinstance(one, int | float) and not isinstance(one, bool) else one)


def changed(value: Any, change: Callable[[Any], Any]) -> Any:
    """The value with ``change`` made to everything in it that is neither object nor list."""
    if isinstance(value, dict):
        return {name: changed(one, change) for name, one in value.items()}
    if isinstance(value, list):
        return [changed(one, change) for one in value]
    return change(value)


def objects(value: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """The value with ``change`` made to every object in it, inner ones first."""
    if isinstance(value, dict):
        return change({name: objects(one, change) for name, one in value.items()})
    if isinstance(value, list):
        return [objects(one, change) for one in value]
    return value


def without(names: Collection[str]) -> Callable[[Any], Any]:
    """Leaves fields of these names out, wherever they stand."""
    return lambda value: objects(value, lambda one: {name: one[name] for name in one if name not in names})


def nulled(names: Collection[str]) -> Callable[[Any], Any]:
    """Sends fields of these names as null, wherever they stand."""
    return lambda value: objects(value, lambda one: {name: None if name in names else one[name] for name in one})


def with_added(marks: Collection[str]) -> Callable[[Any], Any]:
    """A field nobody has heard of in every object that has one of the fields ``marks``."""
    return lambda value: objects(value, lambda one: {**one, **ADDED} if one.keys() & set(marks) else one)


def first_twice(value: Any, name: str) -> Any:
    """The first entry of the list ``name`` a second time."""
    return {**value, name: [*value[name][:1], *value[name]]}
