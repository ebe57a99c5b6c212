"""From what a picture shows to how it is drawn: heat maps, curves, bars by day, small panels of trends.

What is masked, not reached, missing or not stored has a look of its own beside zero, and the legend says which.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analytics_assets.orchestration.charts.canvas import (
    FAINT,
    INK,
    PANEL,
    REST,
    RULE,
    SERIES,
    Margins,
    captioned,
    colours,
    figure,
    legend,
    text,
    words,
)
from analytics_assets.orchestration.charts.content import Bars, ChartCell, Content, Curves, HeatMap, Trends

_ZERO: Final = "#e9dcc3"
_LOOKS: Final[Mapping[ChartCell, tuple[str, str, str, str]]] = {
    # What the legend says, the fill, the lines over it and their colour.
    ChartCell.MASKED: ("all of it masked", "#b9bec9", "////", "#6b7282"),
    ChartCell.MISSING: ("a number is missing", "#f2b8b5", "xxxx", "#b3261e"),
    ChartCell.UNREACHED: ("not reached yet", PANEL, "", RULE),
    ChartCell.ABSENT: ("no rows", "#e3e5ea", "----", "#c3c7d0"),
}
_MOST_TICKS: Final = 16
_BESIDE_LEGEND: Final = Margins(left=78, right=212, bottom=48)

Grid = npt.NDArray[np.float64]


def drawn(content: Content, *, is_sandbox: bool) -> Figure:
    """The picture of it."""
    match content:
        case HeatMap():
            chart = _heat_map(content)
        case Curves():
            chart = _curves(content)
        case Bars():
            chart = _bars(content)
        case Trends():
            chart = _trends(content)
    captioned(chart, content.caption, is_sandbox=is_sandbox)
    return chart


def _heat_map(content: HeatMap) -> Figure:
    chart, [axes] = figure(min(640, 160 + 11 * len(content.rows)), Margins(left=112, right=84, bottom=76))
    cells = np.array(content.cells, dtype=int)
    values = _grid(content.values)
    has_number = np.isin(cells, [ChartCell.PLAIN, ChartCell.PARTLY_MASKED])
    rows, columns = cells.shape
    image = axes.imshow(
        np.ma.masked_where(~has_number | (values == 0), values),
        cmap=_blues(),
        aspect="auto",
        interpolation="nearest",
        extent=(0, columns, rows, 0),
    )
    handles: list[Artist] = []
    zero = has_number & (values == 0)
    if zero.any():
        handles.append(_painted(axes, zero, "zero", fill=_ZERO))
    if (cells == ChartCell.PARTLY_MASKED).any():
        y, x = np.nonzero(cells == ChartCell.PARTLY_MASKED)
        check_context: dict[str, Any] = {
            "linestyle": "none",
            "marker": ".",
            "markersize": 2.5,
            "color": INK,
            "alpha": 0.55,
        }
        handles += axes.plot(x + 0.5, y + 0.5, label="some of it masked", scalex=False, scaley=False, **check_context)
    for kind, (name, fill, hatch, line) in _LOOKS.items():
        if (cells == kind).any():
            handles.append(_painted(axes, cells == kind, name, fill=fill, hatch=hatch, line=line))
    axes.set_xlabel(text(content.column_title, longest=60), fontsize=9.5, **words(INK))
    axes.set_ylabel(text(content.row_title, longest=60), fontsize=9.5, **words(INK))
    step = 1 if columns <= _MOST_TICKS else 5 if columns <= 5 * _MOST_TICKS else 10
    axes.set_xticks(np.arange(0, columns, step) + 0.5, labels=[str(number) for number in range(0, columns, step)])
    places = _from_newest(rows, _MOST_TICKS)
    axes.set_yticks([place + 0.5 for place in places], labels=[text(content.rows[place]) for place in places])
    axes.tick_params(length=0)
    if has_number.any() and np.nanmax(np.abs(values)) > 0:
        bar = chart.colorbar(image, cax=axes.inset_axes((1.015, 0.0, 0.018, 1.0)), format=FuncFormatter(_short))
        bar.ax.tick_params(labelsize=9, labelcolor=INK, colors=FAINT)
        bar.ax.spines["outline"].set_visible(False)
        bar.ax.set_title(text(content.unit), fontsize=9, loc="left", **words(FAINT))
    legend(chart, handles)
    return chart


def _painted(
    axes: Axes, where: npt.NDArray[np.bool_], name: str, *, fill: str, hatch: str = "", line: str = RULE
) -> Patch:
    """Fills the cells in which something holds, all in one shape called `name`; returns what the legend shows."""
    y, x = np.nonzero(where)
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1)])
    shapes = corners + np.stack([x, y], axis=1)[:, np.newaxis, :]
    check_context: dict[str, Any] = {"facecolor": fill, "hatch": hatch or None, "edgecolor": line, "label": name}
    axes.add_patch(PathPatch(Path.make_compound_path_from_polys(shapes), linewidth=0, **check_context))
    return Patch(linewidth=0.8, **check_context)


def _curves(content: Curves) -> Figure:
    chart, [axes] = figure(470, _BESIDE_LEGEND)
    handles: list[Artist] = []
    for number, curve in enumerate(content.curves):
        values = _grid([curve.values])[0]
        name = text(curve.name) + (" *" if curve.is_masked else "")
        marker = "o" if np.isfinite(values).sum() == 1 else None
        colour = _colour(number if curve.colour is None else curve.colour)
        handles += axes.plot(values, color=colour, linewidth=1.8, marker=marker, label=name)
    if content.level is not None:
        value, name = content.level
        check_context: dict[str, Any] = {"color": FAINT, "linewidth": 1, "linestyle": (0, (4, 3))}
        axes.axhline(value, zorder=1, **check_context)
        handles.append(Line2D([], [], label=text(name), **check_context))
    _scaled(axes)
    axes.set_xlabel(text(content.x_title, longest=60), fontsize=9.5, **words(INK))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    if any(curve.is_masked for curve in content.curves):
        handles.append(Line2D([], [], linestyle="none", label="* some of it masked"))
    legend(axes, handles)
    return chart


def _bars(content: Bars) -> Figure:
    chart, panels = figure(
        130 + 280 * len(content.panels), replace(_BESIDE_LEGEND, between_y=0.12), panels=len(content.panels)
    )
    positions = np.arange(len(content.days))
    colour = _colours(content.panels.values())
    for axes, (unit, stacks) in zip(panels, content.panels.items(), strict=True):
        above, below = np.zeros(len(positions)), np.zeros(len(positions))
        handles: list[Artist] = []
        for name, sent in stacks.items():
            values = np.nan_to_num(_grid([sent])[0])
            bottom = np.where(values >= 0, above, below)
            check_context: dict[str, Any] = {"color": colour[name], "label": text(name)}
            axes.bar(positions, values, 0.82, bottom=bottom, linewidth=0, **check_context)
            above += np.maximum(values, 0)
            below += np.minimum(values, 0)
            handles.append(Patch(**check_context))
        if unit in content.totals:
            whole = _grid([content.totals[unit]])[0]
            handles += axes.plot(positions, whole, "_", color=INK, markersize=9, label="total of the day")
        handles += _gaps(axes, content.days, content.absent)
        _scaled(axes)
        axes.set_ylabel(text(unit), fontsize=9.5, **words(INK))
        _dates(axes, content.days, most=8, is_named=axes is panels[-1])
        legend(axes, handles)
    return chart


def _trends(content: Trends) -> Figure:
    columns = min(3, len(content.panels))
    rows = -(-len(content.panels) // columns)
    margins = Margins(left=56, right=18, bottom=56, top=22, between_x=0.2, between_y=0.42)
    chart, panels = figure(144 + 135 * rows, margins, panels=len(content.panels), columns=columns)
    handles: list[Artist] = []
    for number, (axes, (name, sent)) in enumerate(zip(panels, content.panels.items(), strict=True)):
        axes.plot(_grid([sent])[0], color=SERIES[0], linewidth=1.5, marker=".", markersize=4, label=text(name))
        axes.set_title(text(name, longest=40), loc="left", fontsize=9, **words(INK))
        handles = _gaps(axes, content.days, content.absent)
        _scaled(axes, ticks=3)
        _dates(axes, content.days, most=4, is_named=number + columns >= len(panels))
    if handles:
        legend(chart, handles)
    return chart


def _gaps(axes: Axes, days: Sequence[date], absent: frozenset[date]) -> list[Artist]:
    """Marks days without rows, stored empty or not stored: no bar there is not a zero. Returns what the legend shows."""
    axes.set_xlim(-0.6, len(days) - 0.4)
    name, fill, hatch, line = _LOOKS[ChartCell.ABSENT]
    check_context: dict[str, Any] = {"facecolor": fill, "hatch": hatch, "edgecolor": line, "linewidth": 0}
    for place in (place for place, day in enumerate(days) if day in absent):
        axes.axvspan(place - 0.5, place + 0.5, zorder=0, **check_context)
    return [Patch(label=name, **check_context)] if absent else []


def _dates(axes: Axes, days: Sequence[date], *, most: int, is_named: bool) -> None:
    places = _from_newest(len(days), most)
    axes.set_xticks(places, labels=[f"{days[place]:%m-%d}" if is_named else "" for place in places])


def _from_newest(count: int, most: int) -> list[int]:
    """Some of so many places, counted from the last, so that the newest is always named."""
    return sorted(range(count - 1, -1, -count // most))


def _scaled(axes: Axes, *, ticks: int = 6) -> None:
    """From zero where nothing is below it, with few thin rules and short numbers."""
    lowest, highest = axes.dataLim.y0, axes.dataLim.y1
    if lowest >= 0:
        axes.set_ylim(0, highest * 1.06 if highest > 0 else 1)
    axes.yaxis.set_major_locator(MaxNLocator(ticks))
    axes.yaxis.set_major_formatter(FuncFormatter(_short))
    axes.grid(axis="y", color=RULE, linewidth=0.7)
    axes.set_axisbelow(True)


def _short(value: float, _place: int | None = None) -> str:
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if letter == 'k' else size):g}{letter}"
    return f"{value:,.6g}" if abs(value) < 1 else f"{value:,.5g}"


def _grid(rows: Sequence[Sequence[float | None]]) -> Grid:
    return np.array([[np.nan if value is None else value for value in row] for row in rows], dtype=float)


def _blues() -> ListedColormap:
    """Blues that begin where they can be told from the panel and from zero."""
    return ListedColormap(colours("GnBu")(np.linspace(0.25, 1, 64)), name="values")


def _colour(number: int) -> str:
    return SERIES[number] if number < len(SERIES) else REST


def _colours(panels: Iterable[Iterable[str]]) -> dict[str, str]:
    """One colour a name in all panels, and within one as many as there are."""
    colours: dict[str, str] = {}
    for names in map(list, panels):
        free = [colour for colour in SERIES if colour not in {colours.get(name) for name in names}]
        for name in (colour for colour in names if colour not in colours):
            colours[name] = free.pop(0) if free else REST
    return colours
