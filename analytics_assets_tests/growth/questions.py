"""The results on `docs/questions.md`: its queries, run in the database of a seeded lake.

`make docs` writes them; `test_questions.py` fails when page and results differ.
"""

import logging
import re
import sys
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from analytics_assets_tests.growth.seeded_lake import seeded_lake
from analytics_assets_tests.readme import with_parts

PAGE = Path(__file__).parents[2] / "docs" / "questions.md"
_SECTION = re.compile(r"^## (\d+)\. .*?^```sql\n(.*?)^```", re.MULTILINE | re.DOTALL)
_FIGURES = ("Google's spend", "Google's D30 LTV", "sign-ups", "checkouts", "Bento's revenue")


def queries(text: str) -> dict[int, str]:
    """The query of each question, by its number."""
    return {int(number): query.strip() for number, query in _SECTION.findall(text.partition("## Why not")[0])}


def figure_queries(text: str) -> list[tuple[str, str]]:
    """The naive and the right query of each figure."""
    blocks = re.findall(r"^```sql\n(.*?)^```", text.partition("## Why not")[2], re.MULTILINE | re.DOTALL)
    return [(naive, right) for naive, right, _ in (block.split(";\n") for block in blocks)]


def parts(text: str, database: duckdb.DuckDBPyConnection) -> Mapping[str, Callable[[], str]]:
    """The results of the page, by the name of their place."""
    results = {f"result {number}": _table(database.sql(query)) for number, query in queries(text).items()}
    results["naive"] = _figures(text, database)
    return {name: lambda result=result: result for name, result in results.items()}  # type: ignore[misc]


def _table(relation: duckdb.DuckDBPyRelation) -> str:
    return _markdown(relation.columns, relation.fetchall())


def _figures(text: str, database: duckdb.DuckDBPyConnection) -> str:
    rows = []
    for name, pair in zip(_FIGURES, figure_queries(text), strict=True):
        naive, right = (value for query in pair for (value,) in database.sql(query).fetchall())
        rows.append((name, naive, right))
    return _markdown(["figure", "naive query", "right query"], rows)


def _markdown(columns: list[str], rows: list[tuple[Any, ...]]) -> str:
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return "\n".join([*lines, *(f"| {' | '.join(map(_cell, row))} |" for row in rows)])


def _cell(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case float() | Decimal():
            return f"{value:,.2f}"
        case int():
            return f"{value:,}"
    return str(value)


if __name__ == "__main__":
    logging.disable()
    with TemporaryDirectory() as folder:
        lake = seeded_lake(Path(folder))
        with duckdb.connect(f"{lake.root}/_growth/growth.duckdb", read_only=True) as database:
            page = PAGE.read_text()
            PAGE.write_text(with_parts(page, parts(page, database)))
    sys.exit(0)
