"""What is usual, and what is too far from it."""

import pytest

from analytics_assets.checks.check import USUAL, Limits
from analytics_assets.checks.volume import Figure, volume_as_usual
from analytics_assets.errors import PermanentError
from analytics_assets_tests.checks.planted import DAY, Planted, back, failures
from analytics_assets_tests.lake.sample import TABLE, row
from analytics_assets_tests.lake.vendor import NUMBERS

CHECK = volume_as_usual(Figure(NUMBERS.name), USUAL)


def rows(planted: Planted, days_before: int, count: int) -> None:
    """A day of so many rows."""
    [day] = back(days_before)
    planted.store_day(NUMBERS, *({"part": part, "number": part} for part in range(count)), day=day)


def test_a_first_load_says_nothing_of_its_volume(planted: Planted) -> None:
    """Three equal weekdays are too few to know what is usual."""
    for weeks in (1, 2, 3):
        rows(planted, 7 * weeks, 50)
    rows(planted, 0, 1)
    assert planted.found(CHECK) == {}


def test_only_the_same_weekday_is_usual(planted: Planted) -> None:
    """Sundays are small, and one is compared with Sundays alone; a holiday among them moves no median."""
    for number in range(1, 36):
        rows(planted, number, (1 if number == 7 else 10) if number % 7 == 0 else 90)
    rows(planted, 0, 9)
    [finding] = planted.found(CHECK).values()
    assert (finding.level, finding.numbers) == ("fine", {"volume": 9, "usual": 10, "weeks": 5})


@pytest.mark.parametrize(
    ("usual", "here", "is_odd"), [(40, 20, False), (40, 19, True), (40, 80, False), (40, 81, True), (4, 0, False)]
)
def test_a_bound_itself_is_usual_and_small_counts_differ_by_chance(
    planted: Planted, usual: int, here: int, is_odd: bool
) -> None:
    """Nothing instead of four is no sign of anything."""
    for weeks in range(1, 5):
        rows(planted, 7 * weeks, usual)
    rows(planted, 0, here)
    assert bool(failures(planted.found(CHECK))) == is_odd


def test_the_bounds_are_the_users(planted: Planted) -> None:
    """Half of the usual is too little for one who says so."""
    for weeks in range(1, 5):
        rows(planted, 7 * weeks, 100)
    rows(planted, 0, 50)
    strict = volume_as_usual(Figure(NUMBERS.name), Limits(volume_least=0.8))
    assert failures(planted.found(strict)) == {DAY: ("warning", "50 instead of about 100")}


def test_a_figure_may_be_a_sum_of_some_rows(planted: Planted) -> None:
    """Null adds nothing; without a value there is no number."""
    given = row()
    given.pop("date")
    planted.store_day(
        TABLE,
        {**given, "campaign": "a", "clicks": 3},
        {**given, "campaign": "b", "clicks": None},
        {**given, "campaign": "c", "country": "DE", "clicks": 5},
    )
    numbers = {}
    for name, figure in {
        "rows": Figure("revenue"),
        "sum": Figure("revenue", "sum", "clicks", {"campaign": "a"}),
        "max": Figure("revenue", "max", "clicks", {"country": "DE"}),
        "a part is missing": Figure("revenue", "sum", "clicks", {"country": "KR"}),
        "none": Figure("revenue", "sum", "clicks", {"country": "US"}),
        "money": Figure("revenue", "sum", "revenue", {"campaign": "a"}),
    }.items():
        content = figure.rows(planted.lake, "shop", DAY)
        assert content is not None
        made = figure.of(content)
        numbers[name] = None if made is None else str(made)
    assert numbers == {
        "rows": "3",
        "sum": "3",
        "max": "5",
        "a part is missing": None,
        "none": None,
        "money": "123456789012.123456",
    }
    assert Figure("revenue").rows(planted.lake, "shop", back(1)[0]) is None


@pytest.mark.parametrize(
    ("figure", "words"),
    [
        (Figure("revenue", "sum", "visits"), "shop/revenue has no column visits. Use one of date, campaign,"),
        (Figure("revenue", where={"clicks": "many"}), "shop/revenue: clicks is never 'many'"),
        (Figure("revenue", "sum", "campaign"), "revenue: campaign holds no numbers to take the sum of."),
    ],
)
def test_a_figure_that_a_table_cannot_give_is_refused(planted: Planted, figure: Figure, words: str) -> None:
    """With the name of what is wrong."""
    given = row()
    given.pop("date")
    planted.store_day(TABLE, given)
    with pytest.raises(PermanentError) as refused:
        figure.of(figure.rows(planted.lake, "shop", DAY))  # type: ignore[arg-type] - the day stands
    assert str(refused.value).startswith(words)


@pytest.mark.parametrize(("aggregation", "column"), [("rows", "clicks"), ("sum", None)])
def test_rows_are_of_no_column_and_all_else_is_of_one(aggregation: str, column: str | None) -> None:
    """Refused when it is declared."""
    with pytest.raises(PermanentError, match="column"):
        Figure("revenue", aggregation, column)  # type: ignore[arg-type] - what YAML may say
