"""Charts of the growth page: lines over days or weeks, and sparklines. One drawing serves the page (SVG) and Dagster's UI (PNG)."""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from analytics_assets.orchestration.charts.canvas import FAINT, INK, PANEL, RULE, SERIES, legend, png, text

# Matplotlib writes these colours into the SVG; the style sheet of the page has one value of each for light and one for dark.
_VARIABLES: Final = {INK: "var(--ink)", FAINT: "var(--faint)", RULE: "var(--rule)"}
_DASHES: Final = ((0, ()), (0, (5, 1.6)), (0, (1.4, 1.4)))
_DPI: Final = 72
_MOST_DATES: Final = 8
_SMALL_SHARE: Final = 0.05
_WIDTH_PT, _HEIGHT_PT = 400.0, 200.0
_SPARK_PT: Final = (80.0, 18.0)


@dataclass(frozen=True)
class Look:
    """How a channel is drawn: a colour and a dash pattern, the same in every chart."""

    colour: str
    dash: int

    @property
    def dash_array(self) -> str:
        """The dash pattern for an SVG line; empty for a solid one."""
        return " ".join(str(2 * part) for part in _DASHES[self.dash][1])


@dataclass(frozen=True)
class ChartLine:
    """A line of a chart; a gap where a value is None."""

    name: str
    look: Look
    values: Sequence[float | None]


@dataclass(frozen=True)
class Chart:
    """Lines over common positions.

    Attributes:
        title: What is shown, for those who cannot see it.
        x: Days since start, or dates.
        lines: The lines.
        is_percent: True if the values are shares.
        level: A value with a line of its own; drawn where the lines come near it.
    """

    title: str
    x: Sequence[int] | Sequence[date]
    lines: Sequence[ChartLine]
    is_percent: bool = False
    level: float | None = None


def find_looks(channels: Sequence[str]) -> Mapping[str, Look]:
    """The look of each channel by its position. More than 24 channels repeat."""
    return {
        channel: Look(SERIES[number % len(SERIES)], number // len(SERIES) % len(_DASHES))
        for number, channel in enumerate(channels)
    }


def chart_svg(chart: Chart) -> Markup:
    """The chart for the page, in colours of its theme."""
    return _svg(_figure(chart, FigureCanvasSVG), chart.title)


def chart_png(chart: Chart, *, most_bytes: int) -> bytes:
    """The chart with a legend, on a panel that is readable on light and dark pages.

    Raises:
        PermanentError: It does not fit into so many bytes.
    """
    figure = _figure(chart, FigureCanvasAgg)
    figure.set_facecolor(PANEL)
    figure.set_size_inches(_WIDTH_PT * 1.4 / _DPI, _HEIGHT_PT / _DPI)
    figure.subplots_adjust(left=0.08, right=0.72)
    [axes] = figure.axes
    legend(axes, axes.get_lines()[: len(chart.lines)])
    return png(figure, most_bytes=most_bytes)


def sparkline_svg(title: str, look: Look, values: Sequence[float | None]) -> Markup:
    """A line without axes, from zero; days without a number are gaps. Empty where no day has a number."""
    points = _array(values)
    if np.isnan(points).all():
        return Markup()
    figure, axes = _empty(*_SPARK_PT, FigureCanvasSVG)
    figure.subplots_adjust(left=0.02, right=0.96, bottom=0.08, top=0.9)
    axes.axis("off")
    axes.plot(points, color=look.colour, linewidth=1.2, solid_capstyle="round")
    _plot_lone_points(axes, np.arange(len(points)), points, look.colour, size=2)
    last = int(np.flatnonzero(~np.isnan(points))[-1])
    axes.plot([last], [points[last]], ".", color=look.colour, markersize=5)
    axes.set_xlim(-0.5, len(points) - 0.5)
    axes.set_ylim(min(0.0, float(np.nanmin(points))), max(float(np.nanmax(points)), 1e-9) * 1.08)
    return _svg(figure, title)


def _figure(chart: Chart, canvas: type[FigureCanvasAgg] | type[FigureCanvasSVG]) -> Figure:
    figure, axes = _empty(_WIDTH_PT, _HEIGHT_PT, canvas)
    figure.subplots_adjust(left=0.105, right=0.985, bottom=0.115, top=0.965)
    places = np.arange(len(chart.x))
    for line in chart.lines:
        values = _array(line.values)
        dash = _DASHES[line.look.dash]
        axes.plot(places, values, color=line.look.colour, linewidth=1.7, linestyle=dash, label=text(line.name))
    for line in chart.lines:
        _plot_lone_points(axes, places, _array(line.values), line.look.colour, size=4)
    _scale(axes, chart)
    return figure


def _empty(width: float, height: float, canvas: type[FigureCanvasAgg] | type[FigureCanvasSVG]) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor="none")
    canvas(figure)
    axes = figure.add_subplot()
    axes.set_facecolor("none")
    axes.tick_params(colors=RULE, labelcolor=FAINT, labelsize=9, length=3)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(RULE)
    return figure, axes


def _plot_lone_points(axes: Axes, places: Any, values: Any, colour: str, *, size: float) -> None:
    """A value between two gaps has no line, so it is a point."""
    known = ~np.isnan(values)
    before, after = np.append(False, known[:-1]), np.append(known[1:], False)
    lone = known & ~before & ~after
    if lone.any():
        axes.plot(places[lone], values[lone], "o", color=colour, markersize=size)


def _scale(axes: Axes, chart: Chart) -> None:
    known = [value for line in chart.lines for value in line.values if value is not None]
    top = max(known, default=0.0)
    if chart.level is not None and top > chart.level / 2:
        axes.axhline(chart.level, color=FAINT, linewidth=0.9, linestyle=(0, (2, 2)))
        top = max(top, chart.level)
    axes.set_ylim(min(0.0, *known, 0.0), top * 1.06 if top > 0 else 1.0)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(
        PercentFormatter(1.0, decimals=0 if top >= _SMALL_SHARE else 1) if chart.is_percent else FuncFormatter(_short)
    )
    axes.grid(axis="y", color=RULE, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(-0.3, len(chart.x) - 0.7)
    # Dates are counted from the newest, days since start from 0.
    count = len(chart.x)
    marked = (
        range(count - 1, -1, -max(1, -(-count // _MOST_DATES)))
        if _has_dates(chart)
        else range(0, count, _day_step(count))
    )
    axes.set_xticks(list(marked), labels=[_label(chart.x[place]) for place in marked])


def _day_step(count: int) -> int:
    return 1 if count <= _MOST_DATES else 5 * -(-count // (5 * _MOST_DATES))


def _has_dates(chart: Chart) -> bool:
    return bool(chart.x) and isinstance(chart.x[0], date)


def _label(x: int | date) -> str:
    return f"{x.day} {x:%b}" if isinstance(x, date) else str(x)


def _short(value: float, _place: int | None = None) -> str:
    for size, letter in ((1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if letter == 'k' else size):g}{letter}"
    return f"{value:,.5g}"


def _array(values: Sequence[float | None]) -> Any:
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def _svg(figure: Figure, title: str) -> Markup:
    """The figure as an element of HTML: text stays text, colours follow the theme, and ids do not meet those of another chart."""
    file = io.BytesIO()
    # A salt of its own gives a chart ids of its own, the same each time.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": title}):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = file.getvalue().decode()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    referred = set(re.findall(r"#([\w-]+)", svg))
    svg = re.sub(r' id="([\w-]+)"', lambda match: match[0] if match[1] in referred else "", svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    _, _, rest = svg.partition(">")
    width, height = (side * _DPI for side in figure.get_size_inches())
    # Matplotlib escapes texts, and these charts have numbers and dates only.
    content = Markup(rest)  # noqa: S704
    return Markup('<svg viewBox="0 0 {:g} {:g}" role="img" aria-label="{}">{}').format(width, height, title, content)
