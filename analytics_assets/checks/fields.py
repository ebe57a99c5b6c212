"""Whether a vendor's responses have the fields they had: new ones nobody knows, and old ones that are gone.

An unknown field is kept in raw and goes nowhere else; a field that is gone becomes null in the typed tables, which nobody sees by itself.
Which fields are known is each source's own (`sources/<vendor>/checks.py`).
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

import msgspec
import pyarrow as pa

from analytics_assets.checks.check import Check, CheckContext, CheckResult, CheckResults, by_day
from analytics_assets.http.fields import sent_fields, unknown_fields
from analytics_assets.lake.raw import bodies
from analytics_assets.lake.table import Table

_BEFORE: Final = 7
_LEAST_BEFORE: Final = 3


@dataclass(frozen=True)
class Fields:
    """The fields of the responses of a day, as paths such as `data[].value`: those known here, and those not."""

    known: frozenset[str]
    unknown: frozenset[str]


def fields_of(kind: type[msgspec.Struct]) -> Callable[[pa.Table], Fields]:
    """Reads the fields of a raw table of plain endpoints, each of whose responses is a `kind`."""

    def read(raw: pa.Table) -> Fields:
        texts = [body for _, _, body in bodies(raw)]
        known, unknown = (sent_fields(text, kind) for text in texts), (unknown_fields(text, kind) for text in texts)
        return Fields(frozenset[str]().union(*known), frozenset[str]().union(*unknown))

    return read


def fields_as_known(table: Table, read: Callable[[pa.Table], Fields]) -> Check:
    """Whether the responses of a raw table have no field that is unknown, and every field that the readings before had.

    Only a field that all of the last readings had can vanish, and only out of an object that is still there: what is sometimes left out, or
    lies in an empty list, is none.
    """

    def find(context: CheckContext) -> CheckResults:
        days = context.standing(table.name)
        if not days:
            return {}
        earlier = [day for day in context.all_days(table.name) if day < days[0]][-_BEFORE:]
        sent = by_day([*earlier, *days], lambda day: read(context.read(table, day)))
        before: deque[frozenset[str]] = deque(maxlen=_BEFORE)
        results: dict[date, CheckResult] = {}
        for day, fields in sent.items():
            results[day] = _judged(fields, before)
            # A day without any answer says nothing of fields.
            if fields.known:
                before.append(fields.known)
        return {day: results[day] for day in days}

    return Check(
        "fields_as_known",
        table.name,
        f"The vendor sends a field that is not known here, or leaves out one that each of the last {_BEFORE} readings had. An unknown field is "
        "kept in this raw table and nowhere else; a vanished one is null in the typed tables.",
        "Read the vendor's change log. A new field becomes a column in `tables.py` and `transform.py` of the source, and past days get it by "
        "materializing the typed tables alone. For a vanished one, see whether it has a new name.",
        find,
    )


def _judged(fields: Fields, before: deque[frozenset[str]]) -> CheckResult:
    parents = {_parent(path) for path in fields.known}
    always = frozenset.intersection(*before) if len(before) >= _LEAST_BEFORE else frozenset[str]()
    gone = sorted(path for path in always - fields.known if _parent(path) in parents)
    messages = [
        *([f"unknown: {', '.join(sorted(fields.unknown))}"] if fields.unknown else []),
        *([f"vanished: {', '.join(gone)}"] if gone else []),
    ]
    numbers = {"fields": len(fields.known), "unknown": len(fields.unknown), "vanished": len(gone)}
    return CheckResult("; ".join(messages), "warning" if messages else "fine", numbers)


def _parent(path: str) -> str:
    return path.rpartition(".")[0]
