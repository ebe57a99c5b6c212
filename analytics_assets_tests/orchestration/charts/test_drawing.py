"""What stands in a picture, asked of the things drawn and not of their pixels."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.text import Text

from analytics_assets.orchestration.charts.content import (
    Bars,
    Caption,
    ChartCell,
    Content,
    Curve,
    Curves,
    HeatMap,
    Trends,
)
from analytics_assets.orchestration.charts.drawing import drawn

FIRST = date(2026, 3, 1)
DAYS = [FIRST + timedelta(days=number) for number in range(4)]
CAPTION = Caption("Revenue by cohort", "shop-app", "EUR per user", FIRST, DAYS[-1])
ABSENT, UNREACHED, MISSING, MASKED, PARTLY, PLAIN = ChartCell
HEAT = HeatMap(
    CAPTION,
    row_title="day of install",
    rows=[str(day) for day in DAYS],
    column_title="days since install",
    unit="EUR",
    values=[[0.0, 4.0, 9.0], [2.0, 3.0, None], [None, None, None], [None, None, None]],
    cells=[[PLAIN, PARTLY, PLAIN], [PLAIN, PLAIN, UNREACHED], [MASKED, MISSING, UNREACHED], [ABSENT, ABSENT, ABSENT]],
)
CURVES = Curves(
    CAPTION,
    "days since install",
    [Curve("search", [1.0, 2.0, None]), Curve("social", [0.0, 1.0, 1.5], is_masked=True)],
    level=(100.0, "cost earned back"),
)
BARS = Bars(
    CAPTION,
    DAYS,
    frozenset({DAYS[1]}),
    panels={"EUR": {"search": [1.0, None, 0.0, -2.0], "social": [2.0, None, 5.0, -1.0]}, "USD": {"social": [1.0] * 4}},
    totals={"EUR": [3.5, None, 5.0, -3.0]},
)
TRENDS = Trends(CAPTION, DAYS, frozenset({DAYS[1]}), {"sign_up (count)": [3.0, None, 0.0, 4.0], "rate": [0.5] * 4})
EACH: Sequence[Content] = (HEAT, CURVES, BARS, TRENDS)


def words(made: Figure) -> list[str]:
    """All that is written on a picture."""
    made.draw_without_rendering()
    return [found.get_text() for found in made.findobj(Text) if found.get_text()]


def fills(made: Figure) -> dict[str, tuple[str, str, list[tuple[int, int]]]]:
    """Of each fill of a heat map its colour, its hatch, and the cells it covers by row and column."""
    found = {}
    for patch in made.axes[0].patches:
        assert isinstance(patch, PathPatch)
        corners = patch.get_path().vertices.reshape(-1, 5, 2)[:, 0, :].astype(int)
        cells = [(int(y), int(x)) for x, y in corners]
        found[patch.get_label()] = (to_hex(patch.get_facecolor()), patch.get_hatch() or "", cells)
    return found


def legend_of(holder: Any) -> list[str]:
    """What a legend says."""
    [held] = holder.legends if isinstance(holder, Figure) else [holder.get_legend()]
    return [label.get_text() for label in held.get_texts()]


@pytest.mark.parametrize("content", EACH, ids=lambda content: type(content).__name__)
def test_a_picture_names_its_app_its_days_and_its_unit_with_the_currency(content: Content) -> None:
    """On the picture itself, so that it stays true when it is copied into a chat."""
    said = words(drawn(content, is_sandbox=False))
    assert "Revenue by cohort" in said
    assert "shop-app  ·  2026-03-01 to 2026-03-04  ·  EUR per user" in said


@pytest.mark.parametrize("content", EACH, ids=lambda content: type(content).__name__)
def test_a_picture_of_invented_numbers_says_so_and_a_real_one_does_not(content: Content) -> None:
    """In both there is the same otherwise."""
    real, invented = words(drawn(content, is_sandbox=False)), words(drawn(content, is_sandbox=True))
    assert sorted(invented) == sorted([*real, "sandbox data: invented numbers"])


def test_masked_missing_unreached_and_absent_cells_look_unlike_each_other_and_unlike_zero() -> None:
    """Each kind has a fill of its own over exactly its cells; none of them has a colour of the values' scale."""
    made = drawn(HEAT, is_sandbox=False)
    found = fills(made)
    assert {name: cells for name, (_, _, cells) in found.items()} == {
        "zero": [(0, 0)],
        "all of it masked": [(2, 0)],
        "a number is missing": [(2, 1)],
        "not reached yet": [(1, 2), (2, 2)],
        "no rows": [(3, 0), (3, 1), (3, 2)],
    }
    looks = {name: (colour, hatch) for name, (colour, hatch, _) in found.items()}
    assert len({colour for colour, _ in looks.values()}) == len(looks)
    [image] = made.axes[0].images
    scale = {to_hex(colour) for colour in image.get_cmap()(np.linspace(0, 1, 256))}
    assert scale.isdisjoint(colour for colour, _ in looks.values())
    assert {name for name, (_, hatch) in looks.items() if hatch} == {
        "all of it masked",
        "a number is missing",
        "no rows",
    }


def test_a_heat_map_colours_the_numbers_that_are_not_zero_and_dots_what_is_partly_masked() -> None:
    """Everything else is left to its own fill."""
    made = drawn(HEAT, is_sandbox=False)
    [image] = made.axes[0].images
    assert image.get_array().filled(-1).tolist() == [[-1, 4, 9], [2, 3, -1], [-1, -1, -1], [-1, -1, -1]]
    [dots] = [line for line in made.axes[0].lines if line.get_label() == "some of it masked"]
    assert np.column_stack(dots.get_data()).tolist() == [[1.5, 0.5]]


def test_the_legend_of_a_heat_map_names_what_is_there_and_nothing_else() -> None:
    """A map of plain numbers needs no legend for masks."""
    assert legend_of(drawn(HEAT, is_sandbox=False)) == [
        "zero",
        "some of it masked",
        "all of it masked",
        "a number is missing",
        "not reached yet",
        "no rows",
    ]
    plain = replace(HEAT, rows=["a"], values=[[0.0, 1.0]], cells=[[PLAIN, UNREACHED]])
    assert legend_of(drawn(plain, is_sandbox=False)) == ["zero", "not reached yet"]


def test_the_axes_of_a_heat_map_name_the_newest_row_the_first_column_and_the_unit() -> None:
    """Forty rows are too many to name; the newest is what people came for."""
    many = replace(HEAT, rows=[f"row {number}" for number in range(40)], values=[[1.0]] * 40, cells=[[PLAIN]] * 40)
    made = drawn(many, is_sandbox=False)
    made.draw_without_rendering()
    axes = made.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()][-2:] == ["row 36", "row 39"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0"]
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("day of install", "days since install")
    [scale] = axes.child_axes
    assert scale.get_title(loc="left") == "EUR"


def test_a_heat_map_without_a_single_number_is_drawn_all_the_same() -> None:
    """The first day of a new report: nothing is reached, and zero is not the highest."""
    for cells, values in (([[UNREACHED]], [[None]]), ([[PLAIN]], [[0.0]])):
        made = drawn(replace(HEAT, rows=["a"], values=values, cells=cells), is_sandbox=False)
        made.draw_without_rendering()
        assert len(fills(made)) == 1


def test_curves_have_gaps_where_there_is_no_number_and_a_star_where_some_is_masked() -> None:
    """Zero is a point like any other; the level worth knowing is in the legend."""
    made = drawn(CURVES, is_sandbox=False)
    lines = {line.get_label(): line.get_ydata() for line in made.axes[0].lines[:2]}
    np.testing.assert_equal(lines, {"search": [1.0, 2.0, np.nan], "social *": [0.0, 1.0, 1.5]})
    assert made.axes[0].lines[2].get_ydata() == [100.0, 100.0]
    assert legend_of(made.axes[0]) == ["search", "social *", "cost earned back", "* some of it masked"]
    assert made.axes[0].get_ylim()[0] == 0


def test_bars_are_stacked_away_from_zero_on_both_sides_in_a_panel_for_each_currency() -> None:
    """A refund stands below, a day without rows is marked, and no currency is added to another."""
    made = drawn(BARS, is_sandbox=False)
    euros, dollars = made.axes
    stacks = {
        bars.get_label(): [(bar.get_y(), bar.get_height()) for bar in bars]
        for bars in euros.containers
        if isinstance(bars, BarContainer)
    }
    assert stacks == {
        "search": [(0, 1), (0, 0), (0, 0), (0, -2)],
        "social": [(1, 2), (0, 0), (0, 5), (-2, -1)],
    }
    np.testing.assert_equal(euros.lines[0].get_ydata(), [3.5, np.nan, 5.0, -3.0])
    assert [panel.get_ylabel() for panel in made.axes] == ["EUR", "USD"]
    assert legend_of(euros) == ["search", "social", "total of the day", "no rows"]
    [gap] = [patch for patch in euros.patches if patch.get_hatch()]
    assert (gap.get_x(), gap.get_width()) == (0.5, 1.0)
    # One name has one colour in all panels.
    assert to_hex(euros.containers[1][0].get_facecolor()) == to_hex(dollars.containers[0][0].get_facecolor())


def test_sources_of_another_currency_are_told_apart_too() -> None:
    """Eight in euros and eight others in dollars, one of them in both: none of a panel looks like another of it."""
    euros, dollars = ([f"{first}{number}" for number in range(7)] for first in "ab")
    panels = {
        "EUR": {name: [1.0] * 4 for name in [*euros, "both"]},
        "USD": {name: [1.0] * 4 for name in [*dollars, "both"]},
    }
    made = drawn(replace(BARS, panels=panels, totals={}), is_sandbox=False)
    found = [{bars.get_label(): to_hex(bars[0].get_facecolor()) for bars in axes.containers} for axes in made.axes]
    assert [len(set(colours.values())) for colours in found] == [8, 8]
    assert found[0]["both"] == found[1]["both"]


def test_trends_have_a_panel_and_a_scale_for_each_name_and_gaps_where_there_is_no_number() -> None:
    """The newest day is named below."""
    made = drawn(TRENDS, is_sandbox=False)
    np.testing.assert_equal(
        {panel.get_title(loc="left"): panel.lines[0].get_ydata() for panel in made.axes},
        {"sign_up (count)": [3.0, np.nan, 0.0, 4.0], "rate": [0.5] * 4},
    )
    assert [panel.get_ylim() for panel in made.axes] == [(0, pytest.approx(4.24)), (0, pytest.approx(0.53))]
    assert [label.get_text() for label in made.axes[0].get_xticklabels()] == ["03-01", "03-02", "03-03", "03-04"]
    assert legend_of(made) == ["no rows"]


def test_names_of_other_people_are_set_as_they_are_where_the_font_can_and_cut_where_they_are_long() -> None:
    """A formula is no formula; letters that the font lacks are boxes; nothing warns."""
    names = ["_x", "$x^2$ \\frac{a}", "광고", "a\nb", "x" * 500, "läuft"]
    made = drawn(replace(CURVES, curves=[Curve(name, [1.0, 2.0]) for name in names], level=None), is_sandbox=False)
    made.draw_without_rendering()
    assert legend_of(made.axes[0]) == ["_x", "$x^2$ \\frac{a}", "□□", "a b", "x" * 23 + "…", "läuft"]
