"""Exact money, and the scale of ROAS as the rows themselves show it."""

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics_assets.errors import UnexpectedPayloadError
from analytics_assets.lake.table import MONEY
from analytics_assets.sources.airbridge.numbers import Numbers, RoasRow, RoasScale, numbers, roas_scale
from analytics_assets_tests.sources.airbridge.days import columns, typed
from analytics_assets_tests.sources.airbridge.test_cohorts import MASKED, at
from analytics_assets_tests.sources.airbridge.vendor import spec, sub_row

ROAS = spec(metric="app_roas")


def row(value: str | None, revenue: str | None, cost: str | None, *, is_final: bool = True) -> RoasRow:
    """A row of decimals."""
    return RoasRow(*(None if one is None else Decimal(one) for one in (value, revenue, cost)), is_final)


@given(st.lists(st.decimals(-(10**12) + 1, 10**12 - 1, places=6) | st.none()))
def test_money_is_as_sent_to_the_sixth_place(amounts: list[Decimal | None]):
    """No binary number is in between."""
    held = numbers(amounts, MONEY, of="money")
    assert held == Numbers(pa.array(amounts, MONEY))


def test_money_beyond_six_places_is_rounded_half_to_even_and_counted():
    """Sums of binary numbers arrive with such tails; raw keeps them."""
    sent = [
        "100.10000000000001",
        "0.0000005",
        "0.0000015",
        "-0.0000005",
        "3.333333333333333333333333333333333",
        "2.5",
    ]
    held = numbers([*map(Decimal, sent), None], MONEY, of="money")
    kept = ["100.1", "0", "0.000002", "0", "3.333333", "2.5"]
    assert held.values.to_pylist() == [*map(Decimal, kept), None]
    assert held.rounded == 5


def test_rounded_money_of_a_day_is_told_in_its_figures():
    """In the cohorts as in the totals, each its own."""
    cohorts, totals = typed(sub_row("2026-03-01", "0.12345649", 1, 2, cost="1.00000001", revenue="1.00000001"))
    assert columns(cohorts, "value")[0] == (Decimal("0.123456"),)
    assert (cohorts.figures["rounded_values"], totals.figures["rounded_values"]) == (1, 2)


def test_a_column_of_nothing_is_empty():
    """A day without groups has columns too."""
    assert numbers([], pa.int64(), of="x") == Numbers(pa.array([], pa.int64()))


@pytest.mark.parametrize(
    ("rows", "factor", "figures"),
    [
        ([row("250", "25", "10")], 1, {"roas_scale": "percent"}),
        ([row("2.5", "25", "10")], 100, {"roas_scale": "ratio"}),
        ([row("252.4", "25", "10")], 1, {"roas_scale": "percent"}),
        ([row("250", "25", "10"), row("9", "25", "10")], 1, {"roas_scale": "percent", "roas_rows_unexplained": 1}),
        ([row("250", "25", "10"), row("9", "25", "10", is_final=False)], 1, {"roas_scale": "percent"}),
        ([row("2.5", "25", "10", is_final=False)], 100, {"roas_scale": "ratio"}),
        ([row("9", "25", "10", is_final=False)], None, {"roas_scale": "undecided"}),
        ([row("0", "0", "10")], None, {"roas_scale": "undecided"}),
        ([row("0.01", "0.001", "10")], None, {"roas_scale": "undecided"}),
        (
            [row("250", "25", "0"), row("250", None, "10"), row(None, "25", "10"), row("250", "25", None)],
            None,
            {"roas_scale": "undecided"},
        ),
        ([], None, {"roas_scale": "undecided"}),
    ],
)
def test_the_scale_of_roas_is_found_out_from_revenue_and_cost(
    rows: list[RoasRow], factor: int | None, figures: dict[str, Any]
):
    """Within 1 % and 0.01; rows without cost, masked ones and ones close to zero tell nothing."""
    assert roas_scale(rows, told=None, of="x") == RoasScale(factor, figures)


def test_roas_that_fits_no_reading_fails_the_day():
    """Neither percent nor ratio: whatever it is, it is not what the column says."""
    with pytest.raises(
        UnexpectedPayloadError,
        match=r"roas 1: .*neither as percent nor as ratio: 30 with revenue 25 and cost 10, and so in 2",
    ):
        roas_scale([row("30", "25", "10"), row("31", "25", "10"), row("0", "0", "1")], told=None, of="roas 1")


def test_roas_of_two_scales_fails_the_day():
    """One factor cannot be right for both."""
    with pytest.raises(UnexpectedPayloadError, match="percent in 2 rows and a ratio in 1"):
        roas_scale([row("250", "25", "10"), row("2.5", "25", "10"), row("100", "1", "1")], told=None, of="x")


def test_a_ratio_is_stored_as_percent():
    """Reached values only, and as many as there are."""
    cohorts, _ = typed(sub_row("2026-03-01", 0.5, 1.25, 2.5, cost=10, revenue=25, users=1), of=ROAS)
    assert columns(cohorts, "value") == [(50.0,), (125.0,), (250.0,)]
    assert cohorts.figures["roas_scale"] == "ratio"


def test_percent_is_stored_as_sent():
    """The vendor's guide has percent."""
    cohorts, _ = typed(sub_row("2026-03-01", 50, 125, 250, cost=10, revenue=25, users=1), of=ROAS)
    assert columns(cohorts, "value") == [(50.0,), (125.0,), (250.0,)]
    assert cohorts.figures["roas_scale"] == "percent"


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ((1.25, 2.5), "ratio"),
        ((125, 250), "percent"),
        ((2.5, 2.5), "ratio"),
        ((1.25,), "undecided"),
        ((1.25, 0), "undecided"),
        ((250, 2.5), "undecided"),
        ((1.25, None), "undecided"),
        ((1.25, 1.25), "undecided"),
        ((1.25, {"value": 2.5, "isMasked": True}), "undecided"),
    ],
)
def test_a_young_cohort_is_judged_by_its_unfinished_day_where_that_was_sent(values: tuple[Any, ...], scale: str):
    """The totals have the unfinished day in them, so the last finished value need not fit them, and proves nothing."""
    cohorts, _ = typed(sub_row("2026-03-01", *values, cost=10, revenue=25), of=ROAS, requested_at=at(2))
    assert cohorts.figures["roas_scale"] == scale


@pytest.mark.parametrize("masked", [{"cost": MASKED}, {"revenue": MASKED}])
def test_masked_totals_prove_nothing(masked: dict[str, Any]):
    """A masked number is kept, but need not be the number."""
    totals = {"cost": 10, "revenue": 25} | masked
    cohorts, _ = typed(sub_row("2026-03-01", 1, 2, 3, **totals), of=ROAS)
    assert cohorts.figures["roas_scale"] == "undecided"


def test_roas_that_fits_no_reading_keeps_the_day_from_landing():
    """The message names table and day."""
    with pytest.raises(UnexpectedPayloadError, match="revenue_cohorts: ROAS fits"):
        typed(sub_row("2026-03-01", 1, 2, 3, cost=10, revenue=900), of=ROAS)


@pytest.mark.parametrize(
    "number", ["1e999999999", "-1e999999999", "10000000000000000000", "1e-999999999", "nan", "inf"]
)
def test_a_count_that_no_column_holds_is_refused_at_once(number: str):
    """Nothing is written out that has a thousand million digits."""
    with pytest.raises(UnexpectedPayloadError, match="of the day: a number does not fit int64"):
        numbers([Decimal(1), Decimal(number)], pa.int64(), of="of the day")


@pytest.mark.parametrize(
    "number", ["1e999999999", "1e30", "1000000000000", "-999999999999.9999995", "nan", "sNaN", "-inf"]
)
def test_money_that_no_column_holds_is_refused_at_once(number: str):
    """The message names the place."""
    with pytest.raises(UnexpectedPayloadError, match=r"of the day: a number does not fit decimal128\(18, 6\)"):
        numbers([Decimal(1), Decimal(number)], MONEY, of="of the day")


@pytest.mark.parametrize("number", ["1e-50", "-1e-1000", "1e-999999999", "0.0000005", "0." + "0" * 60 + "1"])
def test_money_next_to_nothing_is_rounded_and_counted(number: str):
    """Arrow itself reads beyond its tables for some of these, and ends the process for others."""
    held = numbers([Decimal("1.5"), None, Decimal(number)], MONEY, of="of the day")
    assert (held.values.to_pylist(), held.rounded) == ([Decimal("1.5"), None, Decimal(0)], 1)
