"""How what is expected of a stream under another form is written down; the expectations themselves are in `expected_*_forms.py`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from analytics_assets_tests.contract.expected_faults import ROWS, UNEXPECTED
from analytics_assets_tests.contract.readings import RowsOf

ADDED = "addedByTheVendor"
ABSENT, ANY = "(absent)", "(any)"
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Change:
    """How a stream differs from the usual.

    Attributes:
        kind: Class of the error, or `rows`.
        requests: Requests in all; None is as many as usual.
        most: Requests may be up to so many: of pages requested at once, some are given up while they travel.
        words: What the person reads.
        is_kept: True if the response is kept in quarantine.
        rows: What the usual rows of a table become.
        named: Figures of a table that differ, on every day; `ABSENT` is gone, `ANY` may be whatever it is.
    """

    kind: str = ROWS
    requests: int | None = None
    most: int | None = None
    words: str = ""
    is_kept: bool = False
    rows: Mapping[str, RowsOf] = field(default_factory=dict)
    named: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def refused(words: str, requests: int | None, **more: Any) -> Change:
    """A response that cannot be used: told, kept, and nothing is stored."""
    return Change(UNEXPECTED, requests, words=words, is_kept=True, **more)


def setting(**columns: Any) -> RowsOf:
    """Columns with one value, or a function of the row, in every row."""

    def made(rows: Rows) -> Rows:
        return [{**row, **{name: one(row) if callable(one) else one for name, one in columns.items()}} for row in rows]

    return made


def unknown(*paths: str) -> dict[str, Any]:
    """Fields named in the metadata."""
    return {"unknown_fields": sorted(paths)}


def main_currency(rows: RowsOf) -> RowsOf:
    """The rows of the main currency only."""
    return lambda usual: rows([row for row in usual if row["is_main_currency"]])
