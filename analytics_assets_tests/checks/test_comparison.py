"""When two figures agree, and when they cannot be compared at all."""

from decimal import Decimal
from typing import Any

import pytest

from analytics_assets.checks.check import CheckResult
from analytics_assets.checks.comparison import Comparison, Side
from analytics_assets.checks.volume import Figure
from analytics_assets.errors import PermanentError
from analytics_assets_tests.checks.planted import DAY, Planted, back, failures
from analytics_assets_tests.lake.sample import TABLE, empty_row
from analytics_assets_tests.lake.vendor import NUMBERS

COUNT = Side("count", Figure(NUMBERS.name, "sum", "number"))
MONEY = Figure("revenue", "sum", "revenue")


def number(planted: Planted, value: int) -> None:
    """A count."""
    planted.store_day(NUMBERS, {"part": 0, "number": value}, account="count")


def money(planted: Planted, account: str, **amounts: str | None) -> None:
    """An amount in each currency."""
    rows = [
        {**empty_row(), "campaign": name, "currency": name, "revenue": None if amount is None else Decimal(amount)}
        for name, amount in amounts.items()
    ]
    planted.store_day(
        TABLE, *({name: value for name, value in one.items() if name != "date"} for one in rows), account=account
    )


@pytest.mark.parametrize(
    ("bounds", "is_same"),
    [({"absolute": 5}, True), ({"absolute": 4}, False), ({"relative": 0.05, "absolute": 1}, True)],
)
def test_the_wider_of_the_two_bounds_holds(planted: Planted, bounds: dict[str, Any], is_same: bool) -> None:
    """100 and 95, exactly at the bound."""
    number(planted, 100)
    planted.store_day(NUMBERS, {"part": 0, "number": 95}, account="other")
    other = Side("other", COUNT.figure)
    found = planted.found(Comparison("numbers", COUNT, other, **bounds).check())
    assert bool(failures(found)) != is_same
    assert found[DAY].numbers == {"left": 100.0, "right": 95.0, "difference": 5.0}


def test_cents_compare_with_whole_currency_exactly(planted: Planted) -> None:
    """1750 cents are 17.50, and a table that names no currency is told its own."""
    number(planted, 1750)
    money(planted, "money", USD="17.50")
    left = Side("count", COUNT.figure, divide_by=100, currency="USD")
    assert failures(planted.found(Comparison("revenue", left, Side("money", MONEY)).check())) == {}


def test_money_of_two_currencies_never_compares(planted: Planted) -> None:
    """Whether the declaration says so, or the rows."""
    euro, dollar = (Side("money", Figure("revenue", "sum", "revenue", {"currency": one})) for one in ("EUR", "USD"))
    with pytest.raises(PermanentError, match="the left is EUR and the right is USD, and these never compare"):
        Comparison("revenue", euro, dollar)
    money(planted, "here", EUR="1")
    money(planted, "there", USD="1")
    number(planted, 1)
    for right, words in ((Side("there", MONEY), "the right is USD"), (COUNT, "the right is no money")):
        with pytest.raises(PermanentError, match=f"the left is EUR and {words}, and these never compare"):
            planted.found(Comparison("revenue", Side("here", MONEY), right).check())


def test_a_sum_over_currencies_is_no_figure(planted: Planted) -> None:
    """Nothing is added across currencies; rows and counts may be."""
    money(planted, "money", EUR="1", USD="1")
    with pytest.raises(PermanentError, match="adds up EUR, USD, and currencies are never added"):
        planted.found(Comparison("revenue", Side("money", MONEY), Side("money", MONEY)).check())
    rows = Side("money", Figure("revenue"))
    assert failures(planted.found(Comparison("rows", rows, rows).check())) == {}


def test_a_day_that_only_one_side_has_is_not_compared(planted: Planted) -> None:
    """Whether it landed is another check's; a day without a number is told."""
    number(planted, 1)
    planted.store_day(NUMBERS, {"part": 0, "number": 1}, account="other", day=back(1)[0])
    check = Comparison("numbers", COUNT, Side("other", COUNT.figure)).check()
    assert planted.found(check, back(1, 0)) == {}
    money(planted, "money", USD=None)
    nothing = planted.found(Comparison("money", Side("money", MONEY), Side("money", MONEY)).check())
    assert nothing == {DAY: CheckResult("not compared: one of the two lacks a number", "information")}


def test_a_sum_that_lacks_a_part_is_not_compared(planted: Planted) -> None:
    """Null is not zero: 7 and something not known may well be 7, or anything else."""
    rows = [
        {**empty_row(), "currency": "EUR", "campaign": name, "revenue": sent}
        for name, sent in (("a", Decimal(7)), ("b", None))
    ]
    for account, held in (("left", rows), ("right", rows[:1])):
        planted.store_day(
            TABLE, *({name: one for name, one in row.items() if name != "date"} for row in held), account=account
        )
    for aggregation in ("sum", "min", "max"):
        figure = Figure("revenue", aggregation, "revenue")
        found = planted.found(Comparison("money", Side("left", figure), Side("right", figure)).check())
        assert found == {DAY: CheckResult("not compared: one of the two lacks a number", "information")}


def test_a_table_that_nobody_loads_is_named(planted: Planted) -> None:
    """A slip in its name would otherwise pass for ever; before anything is stored there is nothing to say."""
    check = Comparison("numbers", COUNT, Side("other", COUNT.figure)).check()
    assert planted.found(check) == {}
    number(planted, 1)
    with pytest.raises(PermanentError, match="other/numbers has no day, so nothing can be compared"):
        planted.found(check)


@pytest.mark.parametrize("bounds", [{"absolute": -1}, {"relative": 1}])
def test_bounds_that_mean_nothing_are_refused(bounds: dict[str, Any]) -> None:
    """Below zero nothing agrees, from one on everything does."""
    with pytest.raises(PermanentError, match="Use `absolute` from 0, `relative` from 0 to below 1"):
        Comparison("numbers", COUNT, COUNT, **bounds)
