"""How every picture looks, and how it becomes bytes: panel, colours, words, and a bound on its size.

Dagster shows a picture as it is, on a light or a dark page, so each brings a panel of its own. Names of channels and metrics are other
people's: formulas in them are not set, letters the font lacks are boxes, and long ones are cut. Only this room and `drawing.py` know
matplotlib, and only through its objects: no `pyplot`, no global settings. What is drawn where is in `drawing.py`.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, cast

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from PIL import Image

from analytics_assets.errors import PermanentError
from analytics_assets.orchestration.charts.content import Caption

# Dagster's window for Markdown is narrower than its page and cuts what is wider.
WIDTH_PX: Final = 960
CAPTION_PX: Final = 66
_DPI: Final = 100
_FONT: Final = "DejaVu Sans"  # comes with matplotlib
_LONGEST_NAME: Final = 24
# Scale and number of colours; the next one only where a picture is too large.
_SIZES: Final = ((1.0, 128), (0.8, 64), (0.6, 32), (0.4, 16))

PANEL, INK, FAINT, RULE = "#fbfbfd", "#1f2430", "#626a7a", "#d9dce3"
SANDBOX: Final = "#b45309"
# Told apart by people who do not see red and green alike; the last is for all the rest.
SERIES: Final = ("#3b6fd4", "#e08214", "#1b9e77", "#c2388a", "#7a5cc0", "#8c6d31", "#17a2b8", "#d64545")
REST: Final = "#9aa1ae"


@dataclass(frozen=True)
class Margins:
    """Room around the panels in pixels; the caption's is always kept. Fixed, because a layout that is worked out takes a second."""

    left: int
    right: int
    bottom: int
    top: int = 0
    between_x: float = 0.0
    between_y: float = 0.0


def figure(height_px: int, margins: Margins, *, panels: int = 1, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure of so many equal panels over a common x, without a word on it yet."""
    drawn = Figure(figsize=(WIDTH_PX / _DPI, height_px / _DPI), dpi=_DPI, facecolor=PANEL)
    FigureCanvasAgg(drawn)
    grid = drawn.subplots(
        -(-panels // columns),
        columns,
        squeeze=False,
        gridspec_kw={
            "left": margins.left / WIDTH_PX,
            "right": 1 - margins.right / WIDTH_PX,
            "bottom": margins.bottom / height_px,
            "top": 1 - (CAPTION_PX + margins.top) / height_px,
            "wspace": margins.between_x,
            "hspace": margins.between_y,
        },
    )
    axes = cast("list[Axes]", list(grid.flat))
    for left_over in axes[panels:]:
        left_over.remove()
    for panel in axes[:panels]:
        panel.set_facecolor(PANEL)
        panel.tick_params(colors=FAINT, labelcolor=INK, labelsize=9, length=3, labelfontfamily=_FONT)
        for side, spine in panel.spines.items():
            spine.set_visible(side in {"left", "bottom"})
            spine.set_color(RULE)
    return drawn, axes[:panels]


def captioned(drawn: Figure, caption: Caption, *, is_sandbox: bool) -> None:
    """Writes title, app, days and unit on top, and whether the numbers are invented."""
    days = f"{caption.first} to {caption.last}" if caption.first != caption.last else f"{caption.first}"
    below = f"{text(caption.of, longest=40)}  ·  {days}  ·  {text(caption.unit, longest=70)}"
    height_px = drawn.get_figheight() * _DPI
    title = text(caption.title, longest=60)
    for line, at_px, size, colour, weight in ((title, 10, 13, INK, "bold"), (below, 35, 9.5, FAINT, "normal")):
        drawn.text(
            12 / WIDTH_PX, 1 - at_px / height_px, line, va="top", fontsize=size, fontweight=weight, **words(colour)
        )
    if is_sandbox:
        box = {"boxstyle": "round,pad=0.35", "facecolor": SANDBOX, "edgecolor": "none"}
        corner = 1 - 12 / WIDTH_PX, 1 - 12 / height_px
        drawn.text(
            *corner, "sandbox data: invented numbers", ha="right", va="top", fontsize=9, bbox=box, **words("white")
        )


def words(colour: str) -> dict[str, Any]:
    """How a text is set, whatever stands in it."""
    return {"color": colour, "fontfamily": _FONT, "parse_math": False}


def text(name: str, *, longest: int = _LONGEST_NAME) -> str:
    """Somebody's name for something, fit to be set: one line, not too long, letters that the font lacks as boxes."""
    letters = _known_letters()
    line = " ".join(name.split())
    line = line if len(line) <= longest else f"{line[: longest - 1]}…"
    return "".join(letter if ord(letter) in letters else "□" for letter in line)


def legend(parent: Axes | Figure, handles: Sequence[Artist]) -> None:
    """A legend to the right of a panel, or in one line at the foot of a figure."""
    place: dict[str, Any] = (
        {"loc": "upper left", "bbox_to_anchor": (1.015, 1.0)}
        if isinstance(parent, Axes)
        else {"loc": "lower right", "bbox_to_anchor": (1.0, 0.0), "ncols": len(handles)}
    )
    drawn = parent.legend(
        handles=handles,
        frameon=False,
        prop=FontProperties(family=_FONT, size=9),
        labelcolor=INK,
        handlelength=1.4,
        borderaxespad=0.3,
        **place,
    )
    for label in drawn.get_texts():
        label.set_parse_math(False)


def png(drawn: Figure, *, most_bytes: int) -> bytes:
    """The figure as PNG of few colours, smaller and of fewer where it would be too large. The same figure gives the same bytes.

    Raises:
        PermanentError: It does not fit however small.
    """
    for scale, colours in _SIZES:
        drawn.set_dpi(_DPI * scale)
        canvas = cast("FigureCanvasAgg", drawn.canvas)
        canvas.draw()  # type: ignore[no-untyped-call]
        pixels = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")  # type: ignore[no-untyped-call]
        buffer = io.BytesIO()
        pixels.quantize(colours, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
        if buffer.tell() <= most_bytes:
            return buffer.getvalue()
    raise PermanentError(
        f"The picture has more than {most_bytes} bytes however small it is drawn.", remedy="Draw fewer series."
    )


@cache
def _known_letters() -> frozenset[int]:
    return frozenset(get_font(findfont(FontProperties(family=_FONT))).get_charmap())


def colours(name: str) -> Any:
    """A scale of colours by its name."""
    return mpl.colormaps[name]
