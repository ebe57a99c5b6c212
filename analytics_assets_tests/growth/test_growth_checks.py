"""Each check of the growth tables finds what it is for."""

import itertools
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from analytics_assets.growth.build import GrowthTables, build_growth
from analytics_assets.growth.checks import different_sums, in_words, unexplained_falls, unmapped_channels
from analytics_assets.growth.tables import ACQUISITION_DAILY
from analytics_assets_tests.growth.small_lake import small_lake, spec, written


def test_sums_that_differ_from_the_daily_tables_are_named(tmp_path: Path) -> None:
    """A changed spend and a row that is missing; right tables have none."""
    lake = written(small_lake(), tmp_path)
    growth = build_growth(lake, spec())
    assert different_sums(lake, spec(), growth) == []
    rows = growth.tables["acquisition_daily"].to_pylist()
    gone = rows.pop(0)
    rows[0]["spend"] = (rows[0]["spend"] or Decimal(0)) + 1
    changed = GrowthTables({**growth.tables, "acquisition_daily": ACQUISITION_DAILY.rows(rows)}, ())

    sentences = different_sums(lake, spec(), changed)

    assert len(sentences) == 2
    assert any(f"{gone['channel']} {gone['campaign']} {gone['currency']}: no row here" in one for one in sentences)


def test_a_curve_may_fall_as_far_as_its_cohorts_do(tmp_path: Path) -> None:
    """The refund of the small lake is explained by its cells."""
    growth = build_growth(written(small_lake(), tmp_path), spec())
    curve = [row for row in growth.tables["cohort_ltv"].to_pylist() if row["channel"] == "Google, other"]
    falls = [
        (row["days_since_start"], row["week"])
        for before, row in itertools.pairwise(curve)
        if row["revenue"] < before["revenue"]
    ]
    assert {day for day, _ in falls} >= {10}
    assert growth.falls == []


def test_a_fall_that_no_cohort_explains_is_named(tmp_path: Path) -> None:
    """A cell that a stored cohort lost makes a curve rest on other cohorts."""
    small = small_lake()
    lake = written(small, tmp_path)
    day = date(2026, 3, 9 + 1)
    table = spec().reports[0].cohorts
    cells = lake.read("app_a", table, [day])
    is_lost = [row["channel"] == "facebook.business" and row["days_since_start"] == 12 for row in cells.to_pylist()]
    lake.store_day("app_a", table, day, cells.filter(pa.array([not one for one in is_lost])))

    growth = build_growth(lake, spec())

    [sentence] = unexplained_falls(lake, spec(), growth)
    assert sentence.startswith("app_a 2026-03-09 Meta USD: day 12 is ")


def test_unmapped_names_without_spend_are_left_out(tmp_path: Path) -> None:
    """They stay in the table, and only spend makes a warning."""
    small = small_lake()
    groups = [replace(one, cost=None) if one.raw_channel == "tiktok" else one for one in small.groups]
    lake = written(replace(small, groups=groups), tmp_path)
    growth = build_growth(lake, spec())
    assert "tiktok" in growth.tables["channels"]["channel"].to_pylist()
    assert unmapped_channels(lake, spec(), growth) == []


def test_long_lists_are_cut() -> None:
    """With the number of the rest."""
    assert in_words(list("abcdefg")) == "a; b; c; d; e; and 2 more"
    assert in_words([]) == ""
