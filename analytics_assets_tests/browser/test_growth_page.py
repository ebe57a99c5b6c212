"""The growth page in a browser: two widths, two themes, and printed."""

import itertools
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from analytics_assets.growth.build import build_growth
from analytics_assets.growth.freshness import read_freshness
from analytics_assets.growth.page import build_page
from analytics_assets_tests.growth.small_lake import Group, small_lake, spec, written

pytestmark = pytest.mark.proof(1)

LONG_NAME = "Q2_prospecting_lookalike_1pct_purchasers_30d_ios_android_EN-GB_video_v12"
# Each text with its box, the contrast of its colour with what is behind it, and whether the two boxes may touch.
TEXTS = """() => {
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const parts = colour => (colour.match(/[\\d.]+/g) || []).map(Number);
  const behind = element => {
    for (let one = element; one; one = one.parentElement) {
      const rgb = parts(getComputedStyle(one).backgroundColor);
      if (rgb.length && (rgb.length === 3 || rgb[3] > 0)) return rgb;
    }
    return [255, 255, 255];
  };
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, element = node.parentElement;
    if (!node.data.trim() || element.closest('style, title')) continue;
    const style = getComputedStyle(element);
    const colour = parts(element.closest('svg') ? style.fill : style.color);
    const [a, b] = [luminance(colour), luminance(behind(element))].sort((x, y) => y - x);
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects())
      if (box.width && box.height)
        texts.push({text: node.data.trim(), left: box.left, right: box.right, top: box.top, bottom: box.bottom, contrast: (a + 0.05) / (b + 0.05)});
  }
  return texts;
}"""
CHARTS = """() => {
  const rule = getComputedStyle(document.querySelector('td')).borderBottomColor, faint = getComputedStyle(document.querySelector('th')).color;
  return [...document.querySelectorAll('.chart svg, .spark svg')].map(svg => ({
  title: svg.getAttribute('aria-label'),
  // Grid, axes and level have the colours of rules and faint text; a value between two gaps is a point.
  shapes: [...svg.querySelectorAll('path, use')].filter(shape => {
    const box = shape.getBoundingClientRect(), style = getComputedStyle(shape);
    return box.width > 1 && box.height > 0.5 && /^rgb/.test(style.stroke) && ![rule, faint].includes(style.stroke) && !shape.closest('defs');
  }).length,
})); }"""
_TOUCH_PX = 2.0
_READABLE = 4.4


@dataclass(frozen=True)
class Text:
    """A line of text on the page."""

    text: str
    left: float
    right: float
    top: float
    bottom: float
    contrast: float

    def overlaps(self, other: "Text") -> bool:
        """True if the boxes share more than an edge."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        # Boxes of lines are taller than letters.
        return width > _TOUCH_PX and height > 0.3 * min(self.bottom - self.top, other.bottom - other.top)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a lake with a long name, one that reads from right to left, and amounts in Korean won."""
    folder = tmp_path_factory.mktemp("growth")
    names = {"spring": LONG_NAME, "wide": "حملة الربيع"}
    small = small_lake()
    small = replace(
        small, groups=[replace(one, campaign=names.get(one.campaign, one.campaign)) for one in small.groups]
    )
    small = replace(small, groups=[_in_won(one) if one.currency == "KRW" else one for one in small.groups])
    lake = written(small, folder / "lake")
    settings = replace(spec(), reports=[replace(one, zone="America/Los_Angeles") for one in spec().reports])
    page = build_page(
        build_growth(lake, settings).tables,
        settings,
        read_freshness(lake, settings),
        made_at=datetime(2026, 4, 17, 9, 30, tzinfo=UTC),
    )
    (folder / "page.html").write_text(page.html, encoding="utf-8")
    return (folder / "page.html").as_uri()


def _in_won(group: Group) -> Group:
    cells = tuple(None if value is None else value * 1300 for value in group.cells)
    return replace(group, cost=None if group.cost is None else group.cost * 1300, cells=cells)


def opened(browser: Browser, address: str, width: int, theme: str) -> tuple[Page, list[str]]:
    """The page in a new window, with the addresses that it requested."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
    page = context.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(address, wait_until="networkidle")
    return page, requests


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_page_is_readable(browser: Browser, address: str, tmp_path: Path, width: int, theme: str) -> None:
    """Nothing is requested or cut off, no texts overlap, every chart has lines, and colours are told from the ground."""
    page, requests = opened(browser, address, width, theme)
    page.screenshot(path=tmp_path / "page.png", full_page=True)
    texts = [Text(**one) for one in page.evaluate(TEXTS)]
    charts = page.evaluate(CHARTS)
    widths = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.context.close()

    assert requests == [address]
    assert widths[0] <= widths[1]
    assert all(one.left >= 0 and one.right <= width for one in texts)
    assert [(a.text, b.text) for a, b in itertools.combinations(texts, 2) if a.overlaps(b)] == []
    assert [one.text for one in texts if one.contrast < _READABLE] == []
    assert len(charts) > 4
    assert [one["title"] for one in charts if not one["shapes"]] == []
    assert (ground == "rgb(16, 18, 23)") == (theme == "dark")


def test_page_prints_in_light_colours(browser: Browser, address: str, tmp_path: Path) -> None:
    """Also for a reader whose theme is dark; no section is cut by the edge of a page."""
    page, _ = opened(browser, address, 711, "dark")
    page.emulate_media(media="print")
    ground, widths = page.evaluate(
        "[getComputedStyle(document.body).backgroundColor, [document.documentElement.scrollWidth, document.documentElement.clientWidth]]"
    )
    texts = [Text(**one) for one in page.evaluate(TEXTS)]
    page.context.close()
    assert ground == "rgb(255, 255, 255)"
    assert widths[0] <= widths[1]
    assert [one.text for one in texts if one.contrast < _READABLE] == []
    assert [(a.text, b.text) for a, b in itertools.combinations(texts, 2) if a.overlaps(b)] == []
