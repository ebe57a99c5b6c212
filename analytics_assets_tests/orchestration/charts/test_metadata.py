"""Pictures as metadata: small enough, the same for the same numbers, and never in the way of a landing."""

import base64
import io
import logging
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import numpy as np
import pytest
from PIL import Image

from analytics_assets.lake.store import Lake
from analytics_assets.orchestration.charts.content import Bars, ChartCell, Content, Curve, Trends
from analytics_assets.orchestration.charts.metadata import MOST, Pictures, pictured
from analytics_assets_tests.orchestration.charts.test_drawing import CAPTION, CURVES, EACH, HEAT

DAY = date(2026, 3, 4)
LOG = logging.getLogger("pictures")
RANDOM = np.random.default_rng(7)
YEAR = [DAY - timedelta(days=back) for back in range(365)]
WIDE = {f"channel {number}, and a name that is long": RANDOM.random(365).tolist() for number in range(40)}
FEW = {name: values[:28] for name, values in list(WIDE.items())[:9]}
NOISE = [ChartCell.PLAIN, *ChartCell]
LARGE: Mapping[str, Content] = {
    "heat": replace(
        HEAT,
        rows=[str(day) for day in YEAR[:120]],
        values=RANDOM.random((120, 121)).tolist(),
        cells=[
            [ChartCell.UNREACHED if row + column > 180 else NOISE[row * column % 7] for column in range(121)]
            for row in range(120)
        ],
    ),
    "curves": replace(CURVES, curves=[Curve(name, values, is_masked=True) for name, values in WIDE.items()]),
    "bars": Bars(CAPTION, YEAR[:28], frozenset(YEAR[:28:9]), {"EUR": FEW, "USD": FEW, "KRW": FEW}, {}),
    "trends": Trends(CAPTION, YEAR, frozenset(YEAR[::9]), dict(list(WIDE.items())[:12])),
}


def shown(contents: Mapping[str, Content]) -> dict[str, dg.MetadataValue]:
    """The pictures as metadata."""
    return pictured(Pictures("numbers", lambda _lake, _day: contents), Lake("nowhere"), DAY, is_sandbox=True, log=LOG)


def image(value: object) -> Image.Image:
    """The image inside the Markdown that Dagster shows."""
    assert isinstance(value, dg.MarkdownMetadataValue)
    found = re.match(r"!\[[^\]]*\]\(data:image/png;base64,([A-Za-z0-9+/=]+)\)", value.value or "")
    assert found, value.value
    return Image.open(io.BytesIO(base64.b64decode(found[1])))


@pytest.mark.parametrize("name", LARGE)
def test_a_picture_larger_than_any_source_draws_keeps_within_its_size(name: str) -> None:
    """As it is kept in Dagster's database, with its notes; it is drawn smaller where it must be."""
    [value] = shown({name: replace(LARGE[name], caption=replace(CAPTION, notes=["A note."] * 5))}).values()
    assert isinstance(value, dg.MarkdownMetadataValue)
    assert len((value.value or "").encode()) <= MOST
    assert image(value).width in {960, 768, 576, 384}


def test_equal_numbers_give_equal_bytes_and_notes_stand_below() -> None:
    """Nothing of the day, the machine or the version is in them."""
    contents = {"one": replace(EACH[1], caption=replace(CAPTION, title="LTV [so far]", notes=["First.", "Second."]))}
    once, again = shown(contents), shown(contents)
    assert once == again
    text = str(once["one"].value)
    assert text.startswith("![LTV (so far)](data:image/png;base64,")
    assert text.endswith(")\n\n* First.\n* Second.")
    assert image(once["one"]).size == (960, 470)


def test_a_picture_that_cannot_be_drawn_is_a_note_and_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """The others are drawn."""
    broken = replace(HEAT, values=[[1.0], [1.0, 2.0]])
    found = shown({"broken": broken, "curves": CURVES})
    assert list(found) == ["curves", "pictures_not_drawn"]
    [reason] = found["pictures_not_drawn"].value.values()
    [line] = [record.getMessage() for record in caplog.records]
    assert line == f"Picture not drawn (broken of numbers, 2026-03-04): {reason}. The rows are stored."


def test_tables_that_cannot_be_read_are_a_note_too() -> None:
    """Whatever happens there is no reason to fail what is stored."""

    def read(_lake: Lake, _day: date) -> Mapping[str, Content]:
        raise ZeroDivisionError("no user")

    found = pictured(Pictures("numbers", read), Lake("nowhere"), DAY, is_sandbox=False, log=LOG)
    assert found == {"pictures_not_drawn": dg.MetadataValue.json({"all": "ZeroDivisionError: no user"})}


def test_definitions_are_loaded_without_matplotlib() -> None:
    """It takes longer to import than all the rest, and every sensor tick and every run would wait for it."""
    accounts = ", ".join(f"analytics_assets.sources.{name}.source" for name in ("airbridge", "bento", "statsig"))
    said = subprocess.run(
        [sys.executable, "-c", f"import sys, {accounts}; print('matplotlib' in sys.modules, 'PIL' in sys.modules)"],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert said.stdout == "False False\n"
