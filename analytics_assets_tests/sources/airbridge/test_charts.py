"""What is drawn of a report, from a lake planted by hand: sums, states of cells, and curves worked out on paper."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from analytics_assets.lake.store import Lake
from analytics_assets.orchestration.charts.content import Caption, ChartCell, Content, Curves, HeatMap
from analytics_assets.sources.airbridge.charts import has_pictures, report_pictures
from analytics_assets.sources.airbridge.tables import cohort_totals_table, cohorts_table
from analytics_assets_tests.sources.airbridge.vendor import spec

OF = spec()
LAST = date(2026, 3, 10)
# Where no older day stands.
WEEK = 7
ABSENT, UNREACHED, MISSING, MASKED, PARTLY, PLAIN = ChartCell
MASKED_3, MASKED_NULL, NOT_SENT = ("masked", 3), ("masked", None), ("plain", None)


def plant(
    lake: Lake,
    day: date,
    cohorts: Mapping[str, Sequence[Any]],
    totals: Mapping[str, tuple[Any, Any]] = {},
) -> None:
    """A day of cohorts by channel (None is not reached), and users and cost by channel."""
    pairs = [
        (channel, interval, value if isinstance(value, tuple) else ("plain", value), value is not None)
        for channel, values in cohorts.items()
        for interval, value in enumerate(values)
    ]
    table = cohorts_table(OF)
    rows = [
        {
            "date": day,
            "channel": channel,
            "days_since_start": interval,
            "value": None if number is None else Decimal(number),
            "currency": "EUR",
            "is_masked": kind == "masked",
            "is_reached": is_reached,
        }
        for channel, interval, (kind, number), is_reached in pairs
    ]
    lake.store_day("app", table, day, table.rows(rows))
    whole = cohort_totals_table(OF)
    sums = [
        {
            "date": day,
            "channel": channel,
            "cost": None if cost is None else Decimal(cost),
            "cost_is_masked": False,
            "revenue": None,
            "revenue_is_masked": False,
            "users": users,
            "users_is_masked": False,
            "currency": "EUR",
        }
        for channel, (users, cost) in totals.items()
    ]
    lake.store_day("app", whole, day, whole.rows(sums))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """An empty lake."""
    return Lake(str(tmp_path))


def pictures(lake: Lake, of: Any = OF) -> Mapping[str, Content]:
    """The pictures up to the last day."""
    return report_pictures("app", of, lake, LAST, app="shop-app", currency="EUR")


def curves(lake: Lake, name: str) -> dict[str, tuple[list[float | None], bool]]:
    """The curves of a picture by name, and whether some of one is masked."""
    found = pictures(lake)[name]
    assert isinstance(found, Curves)
    # Exact decimals become floating numbers to be drawn, and lose their last digit.
    return {
        curve.name: ([None if one is None else round(one, 9) for one in curve.values], curve.is_masked)
        for curve in found.curves
    }


def test_each_cell_is_the_sum_over_the_groups_or_says_why_there_is_none(lake: Lake) -> None:
    """Zero is a number; masked, partly masked, missing, not reached and not stored are none of them zero."""
    plant(lake, LAST - timedelta(days=3), {"a": [0, NOT_SENT, 5], "b": [0, 1, MASKED_3]})
    plant(lake, LAST - timedelta(days=2), {"a": [MASKED_3, MASKED_NULL, 1], "b": [MASKED_3, 7, 2]})
    plant(lake, LAST, {"a": [4, None, None], "b": [Decimal("0.25"), None, None]})
    found = pictures(lake)["cohort_heat_map"]
    assert isinstance(found, HeatMap)
    assert list(found.cells)[-4:] == [
        [PLAIN, MISSING, PARTLY],
        [MASKED, PARTLY, PLAIN],
        [ABSENT, ABSENT, ABSENT],
        [PLAIN, UNREACHED, UNREACHED],
    ]
    assert list(found.values)[-4:] == [[0, None, 8], [None, 7, 3], [None] * 3, [4.25, None, None]]
    assert [*found.rows][-1] == "2026-03-10"
    assert (len(found.rows), set(found.cells[0])) == (WEEK, {ABSENT})


def test_a_heat_map_names_app_currency_days_and_what_begins_a_cohort(lake: Lake) -> None:
    """Its last day is the one that was stored."""
    plant(lake, LAST, {"a": [4, None, None]})
    found = pictures(lake)["cohort_heat_map"]
    assert isinstance(found, HeatMap)
    assert replace(found.caption, notes=()) == Caption(
        "Revenue by cohort", "shop-app", "EUR, up to and with that day", LAST - timedelta(days=WEEK - 1), LAST
    )
    assert (found.row_title, found.column_title, found.unit) == ("day of app_install", "days since app_install", "EUR")


def test_a_heat_map_of_revenue_per_user_is_beside_the_other(lake: Lake) -> None:
    """A row without its users has no number."""
    plant(lake, LAST - timedelta(days=1), {"a": [10, 20, None], "b": [0, 4, None]}, {"a": (10, 1), "b": (2, 1)})
    plant(lake, LAST, {"a": [4, None, None]}, {"a": (None, 1)})
    found = pictures(lake)["cohort_heat_map_per_user"]
    assert isinstance(found, HeatMap)
    assert list(found.values)[-2:] == [[10 / 12, 2, None], [None, None, None]]
    assert list(found.cells)[-2:] == [[PLAIN, PLAIN, UNREACHED], [MISSING, UNREACHED, UNREACHED]]
    assert found.caption.unit == "EUR per user, up to and with that day"


def test_all_points_of_a_curve_rest_on_the_same_cohorts(lake: Lake) -> None:
    """Young, rich cohorts raised the first points of a curve, which then fell."""
    for number in range(7):
        plant(lake, LAST - timedelta(days=9 - number), {"a": [100, 200, 600]}, {"a": (100, 200)})
    plant(lake, LAST - timedelta(days=1), {"a": [9000, 9000, None]}, {"a": (100, 200)})
    plant(lake, LAST, {"a": [9000, None, None]}, {"a": (100, 200)})
    assert curves(lake, "ltv") == {"a": ([1.0, 2.0, 6.0], False)}
    assert curves(lake, "roas") == {"a": ([50.0, 100.0, 300.0], False)}
    caption = pictures(lake)["ltv"].caption
    assert (caption.title, caption.unit) == ("Revenue per user so far (LTV) by channel", "EUR per user")
    assert (caption.first, caption.last) == (LAST - timedelta(days=9), LAST - timedelta(days=3))
    assert caption.notes[0] == "The same 7 start dates are behind each point: each has reached day 2 since app_install."
    caption = pictures(lake)["roas"].caption
    assert (caption.title, caption.unit) == (
        "Revenue per cost so far (ROAS) by channel",
        "percent of cost, both in EUR",
    )


def test_curves_of_a_young_table_end_early(lake: Lake) -> None:
    """With fewer than seven dates, where the youngest has got to; a masked number is marked."""
    plant(lake, LAST - timedelta(days=1), {"a": [100, 200, 600], "b": [0, 0, 9]}, {"a": (100, 20), "b": (30, 0)})
    plant(lake, LAST, {"a": [50, 100, None], "b": [MASKED_3, 6, None]}, {"a": (50, 30), "b": (30, 0)})
    assert curves(lake, "ltv") == {"a": ([1.0, 2.0], False), "b": ([0.05, 0.1], True)}
    assert curves(lake, "roas") == {"a": ([300.0, 600.0], False)}


def test_a_cohort_without_its_number_is_left_out_above_and_below(lake: Lake) -> None:
    """From all points of the curve, so that they stay comparable; masked without a number is not known either."""
    for nothing in (NOT_SENT, MASKED_NULL):
        plant(lake, LAST - timedelta(days=1), {"a": [80, nothing, 80]}, {"a": (400, None)})
        plant(lake, LAST, {"a": [200, 600, 900]}, {"a": (200, 100)})
        assert curves(lake, "ltv") == {"a": ([1.0, 3.0, 4.5], False)}
    assert curves(lake, "roas") == {"a": ([200.0, 600.0, 900.0], False)}
    plant(lake, LAST, {"a": [200, 600, 900]}, {"a": (None, None)})
    assert "ltv" not in pictures(lake)
    assert "roas" not in pictures(lake)


def test_few_users_draw_no_curve(lake: Lake) -> None:
    """Three users were a line like any other. Enough of them together are one."""
    plant(lake, LAST, {"a": [100, 100, 100], "b": [9, 9, 9]}, {"a": (50, 1), "b": (49, 1)})
    assert set(curves(lake, "ltv")) == {"a"}
    plant(lake, LAST, {"b": [9, 9, 9], "c": [21, 21, 21]}, {"b": (49, 1), "c": (1, 1)})
    assert curves(lake, "ltv") == {"2 others": ([0.6, 0.6, 0.6], False)}


def test_the_largest_channels_are_named_and_the_rest_is_one_curve(lake: Lake) -> None:
    """By users; forty channels would be forty lines that nobody can tell apart. No channel has a name too."""
    channels = {"": 200, **{f"c{number:02}": 150 - number for number in range(39)}}
    plant(
        lake,
        LAST,
        {name: [users, 2 * users, 2 * users] for name, users in channels.items()},
        {name: (users, 1) for name, users in channels.items()},
    )
    named = ["(organic or none)", *(f"c{number:02}" for number in range(7)), "32 others"]
    assert curves(lake, "ltv") == {name: ([1.0, 2.0, 2.0], False) for name in named}


def test_what_came_without_a_cost_earns_nothing_back_for_others(lake: Lake) -> None:
    """Of the ten channels after the eight largest five cost nothing; they have users, and no return on what others cost."""
    channels = {f"c{number:02}": 150 - number for number in range(18)}
    plant(
        lake,
        LAST,
        {name: [users, users, users] for name, users in channels.items()},
        {name: (users, 2 * users if number % 2 else 0) for number, (name, users) in enumerate(channels.items())},
    )
    assert curves(lake, "ltv")["10 others"] == ([1.0, 1.0, 1.0], False)
    assert {name: values[0] for name, (values, _) in curves(lake, "roas").items()} == {
        **{f"c{number:02}": 50.0 for number in range(1, 17, 2)},
        "1 other": 50.0,
    }
    colours = [
        {curve.name: curve.colour for curve in chart.curves}
        for chart in (pictures(lake)["ltv"], pictures(lake)["roas"])
        if isinstance(chart, Curves)
    ]
    assert [colours[0][name] for name in ("c01", "c03")] == [colours[1][name] for name in ("c01", "c03")] == [1, 3]
    assert len(set(colours[1].values())) == len(colours[1])


def test_reports_of_counts_have_no_curves_and_ratios_have_no_picture(lake: Lake) -> None:
    """Ratios of different groups cannot be added."""
    assert set(pictures(lake, replace(OF, metric="app_user_count"))) == {"cohort_heat_map"}
    on_day = pictures(lake, replace(OF, aggregation="on-day"))
    assert set(on_day) == {"cohort_heat_map", "cohort_heat_map_per_user"}
    assert [has_pictures(replace(OF, metric=metric)) for metric in ("app_revenue", "app_roas", "app_arpu")] == [
        True,
        False,
        False,
    ]
