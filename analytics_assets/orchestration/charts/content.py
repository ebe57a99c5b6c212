"""What a picture shows, as plain values: a heat map, curves, stacked bars or trends, each with a caption; which days and names it shows.

Money keeps its currency in the unit; None is what is not there and never a zero.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum

from analytics_assets.dates import days_between

NAMED = 8
_WEEK = 7


@dataclass(frozen=True)
class Caption:
    """What is written on a picture.

    Attributes:
        title: What is shown.
        of: The app, site or project it is of.
        unit: Unit of the values, with the currency of money.
        first: The first day shown.
        last: The last day shown.
        notes: What to know before believing it; stands below the picture.
    """

    title: str
    of: str
    unit: str
    first: date
    last: date
    notes: Sequence[str] = ()


class ChartCell(IntEnum):
    """What is known of a cell of a heat map."""

    ABSENT = 0
    UNREACHED = 1
    MISSING = 2
    MASKED = 3
    PARTLY_MASKED = 4
    PLAIN = 5


@dataclass(frozen=True)
class HeatMap:
    """Values by row and column.

    Attributes:
        caption: What is written on it.
        row_title: What the rows are.
        rows: Name of each row, the first on top.
        column_title: What the columns are; they are numbered from 0.
        unit: Unit of the scale of colours, in a word.
        values: By row and column; None where there is none.
        cells: What is known of each.
    """

    caption: Caption
    row_title: str
    rows: Sequence[str]
    column_title: str
    unit: str
    values: Sequence[Sequence[float | None]]
    cells: Sequence[Sequence[ChartCell]]


@dataclass(frozen=True)
class Curve:
    """One line.

    Attributes:
        name: Its name.
        values: Its points, from x = 0; a gap where there is no value.
        is_masked: True if one of its numbers is masked.
        colour: Number of its colour, where several charts share the colours of names; by default its place in the chart.
    """

    name: str
    values: Sequence[float | None]
    is_masked: bool = False
    colour: int | None = None


@dataclass(frozen=True)
class Curves:
    """Lines over a common x from 0; `level` is a value worth a line of its own, with its name."""

    caption: Caption
    x_title: str
    curves: Sequence[Curve]
    level: tuple[float, str] | None = None


@dataclass(frozen=True)
class Bars:
    """Bars by day, stacked by name, in a panel for each unit.

    Attributes:
        caption: What is written on it.
        days: The days.
        absent: Those of them that have no rows: not stored, or stored empty.
        panels: By unit: by name, a value for each day.
        totals: By unit: the whole of each day, where the names may not add up to it.
    """

    caption: Caption
    days: Sequence[date]
    absent: frozenset[date]
    panels: Mapping[str, Mapping[str, Sequence[float | None]]]
    totals: Mapping[str, Sequence[float | None]]


@dataclass(frozen=True)
class Trends:
    """A small panel for each name, each with a scale of its own, over common days."""

    caption: Caption
    days: Sequence[date]
    absent: frozenset[date]
    panels: Mapping[str, Sequence[float | None]]


Content = HeatMap | Curves | Bars | Trends


def days_to(last: date, most: int, *, stored: Collection[date]) -> list[date]:
    """The days up to `last`, oldest first: `most` of them, or only those from the first that stands, but a week at least.

    Days before the first were never wanted, and a young table would drown in them.
    """
    days = days_between(last - timedelta(days=most - 1), last)
    before = next((number for number, day in enumerate(days) if day in stored), most)
    return days[min(before, most - _WEEK) :]


def foremost(weights: Mapping[str, float]) -> tuple[list[str], list[str]]:
    """The names that are shown by themselves, heaviest first and at most `NAMED`, and the rest; equal ones by name."""
    ordered = sorted(weights, key=lambda name: (-weights[name], name))
    return ordered[:NAMED], ordered[NAMED:]
