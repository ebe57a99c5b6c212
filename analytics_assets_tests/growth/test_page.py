"""The growth page: its figures against plain loops, its words where figures are missing, and vendors' texts in it."""

import base64
import io
import re
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from analytics_assets.growth.build import GrowthSpec, build_growth
from analytics_assets.growth.channels import ChannelRule
from analytics_assets.growth.formats import change, markdown_text, number, percent, points_of_percent, week_in_words
from analytics_assets.growth.freshness import read_freshness
from analytics_assets.growth.page import GrowthPage, build_page
from analytics_assets.lake.reader import LakeReader
from analytics_assets.orchestration.charts.canvas import SERIES
from analytics_assets_tests.growth.small_lake import Group, SmallLake, small_lake, spec, written

AT = datetime(2026, 4, 17, 9, 30, tzinfo=UTC)
# The newest week whose cohorts are all seven days old on the small lake's last day.
D7_WEEK = date(2026, 3, 30)
Table = list[list[str]]


class Reader(HTMLParser):
    """The tables of a page by class, the words outside tables, and every address."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: dict[str, list[Table]] = defaultdict(list)
        self.words: list[str] = []
        self.addresses: list[str] = []
        self.tags: set[str] = set()
        self._table: Table | None = None
        self._hidden = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Opens a table, row or cell."""
        named = dict(attributes)
        self.tags.add(tag)
        self.addresses += [
            value for name, value in attributes if value and name in {"src", "href", "xlink:href", "action"}
        ]
        if tag == "table":
            self._table = []
            self.tables[named["class"] or ""].append(self._table)
        elif tag == "tr" and self._table is not None:
            self._table.append([])
        elif tag in {"td", "th"} and self._table is not None:
            self._table[-1].append("")
        self._hidden += tag in {"style", "svg"}

    def handle_endtag(self, tag: str) -> None:
        """Closes a table."""
        self._hidden -= tag in {"style", "svg"}
        if tag == "table":
            self._table = None

    def handle_data(self, data: str) -> None:
        """Adds words to their cell."""
        if self._hidden:
            return
        if self._table is None:
            self.words.append(data)
        elif self._table and self._table[-1] and data.strip():
            self._table[-1][-1] = f"{self._table[-1][-1]} {data.strip()}".strip()

    @property
    def text(self) -> str:
        """All words outside tables."""
        return " ".join(" ".join(self.words).split())


def page_of(small: SmallLake, folder: Path, settings: GrowthSpec | None = None) -> GrowthPage:
    """The page of a lake."""
    lake = written(small, folder)
    return made(lake, settings or spec())


def made(lake: LakeReader, settings: GrowthSpec) -> GrowthPage:
    """The page of a lake that is written."""
    return build_page(build_growth(lake, settings).tables, settings, read_freshness(lake, settings), made_at=AT)


def total(values: list[Any]) -> Any:
    """A sum that is unknown where a part is."""
    return None if None in values else sum(values, Decimal(0))


def groups_of(small: SmallLake, week: date) -> dict[tuple[str, str], dict[str, list[Group]]]:
    """The groups of a week by app and currency, and by channel."""
    groups: dict[tuple[str, str], dict[str, list[Group]]] = defaultdict(lambda: defaultdict(list))
    for group in small.groups:
        if week <= group.date < week + timedelta(days=7):
            groups[group.account, group.currency][group.channel].append(group)
    return groups


def ratio(value: Decimal | None, divisor: Decimal | None) -> float | None:
    """A ratio that is unknown where a side is, or the divisor is zero."""
    return None if value is None or not divisor else float(value) / float(divisor)


def test_d7_rows_equal_plain_loops(tmp_path: Path) -> None:
    """Of the newest week whose seven cohorts have reached day 7."""
    small = small_lake()
    reader = Reader(page_of(small, tmp_path).html)
    expected = []
    for _, channels in sorted(groups_of(small, D7_WEEK).items()):
        rows = set()
        for channel, groups in channels.items():
            installs, spend = total([one.users for one in groups]), total([one.cost for one in groups])
            revenue = total([one.cells[7] for one in groups])
            is_masked = any(n <= one.reached for one in groups for n in one.masked)
            shown_revenue = number(revenue) + " †" * is_masked
            rows.add((channel, number(installs), number(spend), shown_revenue, percent(ratio(revenue, spend))))
        expected.append(rows)
    shown = [
        {(row[0], row[1], row[2], row[3], row[5].split()[0]) for row in table[1:] if row[0] != "Channels with spend"}
        for table in reader.tables["d7"]
    ]
    assert shown == expected


def test_unknown_d7_revenue_is_a_dash_and_not_an_older_week(tmp_path: Path) -> None:
    """The newest week that reached day 7 is shown, though nothing is known of it."""
    small = small_lake()
    groups = [
        replace(one, cells=(*one.cells[:7], None, *one.cells[8:]))
        if D7_WEEK <= one.date < D7_WEEK + timedelta(days=7)
        else one
        for one in small.groups
    ]
    reader = Reader(page_of(replace(small, groups=groups), tmp_path).html)
    assert "Installs of 30 March to 5 April 2026" in reader.text
    assert {row[5] for row in reader.tables["d7"][0][1:]} == {"\N{EN DASH} \N{EN DASH}"}


def test_week_rows_equal_plain_loops(tmp_path: Path) -> None:
    """Figures and changes of the last complete week."""
    small = small_lake()
    [_, _, table] = Reader(page_of(small, tmp_path).html).tables["week"]
    key, week = ("app_b", "KRW"), date(2026, 4, 6)
    now, before = groups_of(small, week)[key], groups_of(small, week - timedelta(days=7))[key]
    rows = {row[0]: row[1:4] for row in table[1:]}
    for channel, groups in now.items():
        cells = []
        for name in ("cost", "users"):
            value, old = (total([getattr(one, name) for one in part]) for part in (groups, before[channel]))
            is_masked = any(one.is_cost_masked if name == "cost" else one.is_users_masked for one in groups)
            cells.append(
                f"{number(value)}{' †' * is_masked} {change(None if value is None or old is None else ratio(value - old, old))}"
            )
        assert rows[channel][:2] == cells
    paid = [one for groups in now.values() for one in groups if one.cost is not None]
    spend, installs = total([one.cost for one in paid]), total([one.users for one in paid])
    assert rows["Channels with spend"][2].split()[0] == number(ratio(spend, installs), 2)
    # Organic names no cost, so the spend of all channels is unknown.
    assert rows["Organic"][0] == "\N{EN DASH} \N{EN DASH}"
    assert rows["All channels"][0] == "\N{EN DASH} \N{EN DASH}"


def test_parts_of_campaigns_add_up_to_the_change(tmp_path: Path) -> None:
    """Points of D7 ROAS; a campaign without spend has a part too."""
    reader = Reader(page_of(small_lake(), tmp_path).html)
    for campaigns, d7 in zip(reader.tables["campaigns"], reader.tables["d7"], strict=True):
        parts = [row[3].split() for row in campaigns[1:]]
        sum_of_parts = sum(float(size) * (1 if arrow == "▲" else -1) for arrow, size in parts)
        [_, arrow, size] = d7[-1][5].split()
        assert sum_of_parts == pytest.approx(float(size) * (1 if arrow == "▲" else -1), abs=0.3)
        assert {row[0] for row in campaigns[1:]} == {"brand", "search", "wide", "spring", "first"}


def test_ltv_rests_on_weeks_that_reached_the_same_day(tmp_path: Path) -> None:
    """Of the first app the weeks of 2 and 9 March; the second has an incomplete first week."""
    small = small_lake()
    reader = Reader(page_of(small, tmp_path).html)
    for key, table, weeks in (
        (("app_a", "USD"), reader.tables["ltv"][0], [date(2026, 3, 2), date(2026, 3, 9)]),
        (("app_b", "KRW"), reader.tables["ltv"][1], [date(2026, 3, 9)]),
    ):
        groups = [one for week in weeks for part in groups_of(small, week)[key].values() for one in part]
        rows = {row[0]: row[1:] for row in table[1:]}
        for channel in {one.channel for one in groups}:
            cohorts = [one for one in groups if one.channel == channel]
            installs = total([one.users for one in cohorts])
            assert rows[channel][0] == number(installs)
            if installs is None or installs < 50:
                assert rows[channel][1] == "too few installs"
            else:
                revenue, spend = total([one.cells[30] for one in cohorts]), total([one.cost for one in cohorts])
                assert rows[channel][2] == number(ratio(revenue, installs), 2)
                assert rows[channel][4] == percent(ratio(revenue, spend))


def test_charts_show_the_eight_largest_channels(tmp_path: Path) -> None:
    """The tables have all of them."""
    small = small_lake()
    more = [
        replace(one, raw_channel=f"network {number}")
        for one in small.groups
        if one.raw_channel == "google.adwords" and one.account == "app_b"
        for number in range(6)
    ]
    html = page_of(replace(small, groups=[*small.groups, *more]), tmp_path).html
    assert len(Reader(html).tables["ltv"][1]) == 12
    assert html.count("The 8 channels with most installs are drawn.") == 2


def test_charts_leave_out_channels_with_few_installs(tmp_path: Path) -> None:
    """A sentence takes the place of a chart without lines."""
    lake = written(small_lake(), tmp_path)
    html = made(lake, replace(spec(), minimum_installs=10**6)).html
    assert "No channel has 1000000 installs in these weeks." in html
    assert "<svg" in made(lake, spec()).html


def test_short_form_has_a_chart_and_a_table(tmp_path: Path) -> None:
    """The chart has a line in the colour of each channel."""
    summary = page_of(small_lake(), tmp_path).summary
    match = re.search(r"!\[LTV\]\(data:image/png;base64,([^)]+)\)", summary)
    assert match is not None
    image = Image.open(io.BytesIO(base64.b64decode(match[1]))).convert("RGB")
    # The legend is on the right.
    pixels = np.asarray(image)[:, : image.width // 2].reshape(-1, 3).astype(int)
    for colour in SERIES[:4]:
        distances = np.abs(pixels - [int(colour[place : place + 2], 16) for place in (1, 3, 5)]).max(axis=1)
        assert (distances < 12).sum() > 50
    assert "| channel | spend, USD | installs | CAC, USD |" in summary


def test_young_and_empty_lakes_say_what_is_missing(tmp_path: Path) -> None:
    """In place of each section."""
    small = small_lake()
    days = {day for _, day in small.stored}
    young = replace(small, stored={("app_a", day) for day in days if day > max(days) - timedelta(days=4)})
    text = Reader(page_of(young, tmp_path / "young").html).text
    assert "No week has all seven days yet." in text
    assert "No week has seven cohorts that have all reached day 7 yet." in text
    assert "Nothing is stored of app_b yet." in text
    empty = page_of(SmallLake(), tmp_path / "empty")
    assert "Nothing is stored of app_a yet." in Reader(empty.html).text
    assert empty.summary == ""


def test_sources_show_zone_newest_day_and_missing_days(tmp_path: Path) -> None:
    """Of each account that feeds the tables."""
    lake = written(small_lake(), tmp_path)
    reports = [replace(one, zone="Asia/Seoul") for one in spec().reports]
    [rows] = Reader(made(lake, replace(spec(), reports=reports)).html).tables["sources"]
    assert [row[1:] for row in rows[1:]] == [
        ["Asia/Seoul", "15 April 2026, 2 days ago", "1: 2026-03-18"],
        ["Asia/Seoul", "15 April 2026, 2 days ago", "1: 2026-03-05"],
    ]


def test_vendors_texts_are_escaped_and_nothing_is_loaded(tmp_path: Path) -> None:
    """On the page and in its short form."""
    name = '"><script src="https://example.com/x.js"></script>|`'
    small = small_lake()
    groups = [replace(one, campaign=name + one.campaign) for one in small.groups if one.cost is not None]
    page = page_of(
        replace(small, groups=groups), tmp_path, replace(spec(), rules=[ChannelRule("airbridge", name, pattern="*")])
    )
    reader = Reader(page.html)
    assert reader.tags.isdisjoint({"script", "link", "img", "iframe", "object"})
    assert all(address.startswith("#") for address in reader.addresses)
    assert not re.search(r"url\((?!#)|@import", page.html)
    assert name in reader.tables["campaigns"][0][1][0]
    assert "<script" not in page.summary
    assert f"| {markdown_text(name)} |" in page.summary


def test_a_channel_has_one_colour_in_all_charts(tmp_path: Path) -> None:
    """In the order of the channel map, whatever else the page shows."""
    html = page_of(small_lake(), tmp_path).html
    colours = defaultdict(set)
    for colour, name in re.findall(r'stroke="(#\w+)"[^>]*/></svg>\s*<bdi>([^<]+)</bdi>', html):
        colours[name].add(colour)
    channels = ["Organic", "Google Ads", "Google, other", "Meta", "tiktok"]
    assert [colours[channel] for channel in channels] == [{colour} for colour in SERIES[:5]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (number(None), "\N{EN DASH}"),
        (number(-123.5, 1), "\N{MINUS SIGN}123.5"),
        (number(1234.56, 2), "1,235"),
        (number(Decimal(999_999)), "999,999"),
        (number(Decimal(12_345_678)), "12.35M"),
        (number(-98_765_432_100), "\N{MINUS SIGN}98.77B"),
        (percent(0.0994), "9.9%"),
        (percent(0.0996), "10%"),
        (percent(None), "\N{EN DASH}"),
        (change(-0.004), "= 0%"),
        (change(0.254), "▲ 25%"),
        (points_of_percent(-0.0123), "▼ 1.2"),
        (week_in_words(date(2026, 11, 23)), "23 to 29 November 2026"),
        (week_in_words(date(2026, 11, 30)), "30 November to 6 December 2026"),
        (week_in_words(date(2026, 12, 28)), "28 December 2026 to 3 January 2027"),
    ],
)
def test_figures_in_words(text: str, expected: str) -> None:
    """Unknown is a dash."""
    assert text == expected
