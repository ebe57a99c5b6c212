"""What the figures are held to: each limit beside the value measured.

Wall times are those of ways of one work, run in turns.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.one import BARE, DAGSTER, DLT, LAKE
from bench.works import AIRBRIDGE, BENTO, BENTO_MONTH, STATSIG, Sizes

# Tables that Dagster logs a day of: raw and typed, of a report its restatements too.
_TABLES = 4
_OVER_BARE, _ADDED_MS, _MEMORY = 1.15, 30.0, 1.3

Figures = Mapping[tuple[str, str], Mapping[str, Any]]


@dataclass(frozen=True)
class Verdict:
    """A limit and what was measured."""

    name: str
    limit: float
    value: float

    def __str__(self) -> str:
        kept = "kept" if self.value <= self.limit else "MISSED"
        return f"{self.name:62}{self.value:8.2f}  at most {self.limit:5.2f}  {kept}"


def verdicts(results: Sequence[Mapping[str, Any]], sizes: Sizes) -> list[Verdict]:
    """The limits that these results can be held to.

    What Dagster adds is judged where a work has many days; the two runs of the Statsig day are mostly the start of a run.
    """
    of = {(one["work"], one["way"]): one for one in results}
    return [*_over(of, BARE, _OVER_BARE), *_over(of, DLT, 1.0), *_added(of, sizes), *_memory(of)]


def _over(of: Figures, other: str, limit: float) -> Iterator[Verdict]:
    for work in (STATSIG, BENTO, AIRBRIDGE):
        if (work, LAKE) in of and (work, other) in of:
            value = of[work, LAKE]["wall_s"] / of[work, other]["wall_s"]
            yield Verdict(f"{work}: without Dagster, times {other}", limit, value)


def _added(of: Figures, sizes: Sizes) -> Iterator[Verdict]:
    for work, days in ((BENTO, sizes.days), (AIRBRIDGE, sizes.cohorts)):
        if (work, LAKE) in of and (work, DAGSTER) in of:
            added_s = of[work, DAGSTER]["wall_s"] - of[work, LAKE]["wall_s"]
            yield Verdict(f"{work}: ms Dagster adds per asset and day", _ADDED_MS, 1000 * added_s / (_TABLES * days))


def _memory(of: Figures) -> Iterator[Verdict]:
    if (BENTO, LAKE) in of and (BENTO_MONTH, LAKE) in of:
        value = of[BENTO, LAKE]["peak_mb"] / of[BENTO_MONTH, LAKE]["peak_mb"]
        yield Verdict("bento: peak memory of a year, times that of a month", _MEMORY, value)
