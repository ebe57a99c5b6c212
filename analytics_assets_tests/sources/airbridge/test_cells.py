"""Sub-rows as columns with exact amounts; and one scale of ROAS for all days of a response."""

import re
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics_assets.errors import UnexpectedPayloadError
from analytics_assets.sources.airbridge.cells import sub_rows
from analytics_assets.sources.airbridge.tables import cohorts_table, report_raw_table
from analytics_assets.sources.airbridge.transform import typed_days
from analytics_assets_tests.sources.airbridge.days import DAY, columns, read, typed
from analytics_assets_tests.sources.airbridge.test_cohorts import MASKED, at
from analytics_assets_tests.sources.airbridge.vendor import group, report, spec, sub_row

ROAS = spec(metric="app_roas")
MONEYS = st.one_of(
    st.integers(-(10**6), 10**6),
    st.decimals(-(10**6), 10**6, places=6).map(str),
    st.sampled_from([1e-6, 1e3, -0.0, 0.1]),
)
CELLS = st.one_of(
    MONEYS,
    st.none(),
    st.fixed_dictionaries({}, optional={"value": MONEYS | st.none(), "isMasked": st.booleans() | st.none()}),
)


# Each has once made another number, or ended the process, in a reader of the Arrow library.
FAR = [
    "1e-999999999",
    f"0.{'0' * 60}1",
    "1e-7",
    "0.0000005",
    "0.0000015",
    "1234567.00000050000000000000000000001",
    "2.5E+5",
]


def amount(cell: Any) -> Decimal | None:
    """The amount of a cell with six places, computed without the code under test."""
    value = _value(cell)
    if value is None:
        return None
    return Decimal(str(value)).quantize(Decimal("0.000001"), ROUND_HALF_EVEN, Context(prec=60))


def _value(cell: Any) -> Any:
    return cell.get("value") if isinstance(cell, dict) else cell


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.lists(CELLS | st.sampled_from(FAR), max_size=3), min_size=1, max_size=3),
    total=CELLS | st.sampled_from(FAR),
    is_strange=st.booleans(),
)
def test_amounts_are_exact_however_they_are_written(rows: list[list[Any]], total: Any, *, is_strange: bool) -> None:
    """Half to even and counted beyond six places. An unknown field is named and changes nothing else."""
    sent = [sub_row("2026-03-01", *cells, cost=total, revenue=3, users=None) for cells in rows]
    if is_strange:
        sent = [{**row, "new": 1} for row in sent]
    cohorts, totals = typed(*sent, requested_at=at(5))
    amounts = [[amount(cell) for cell in cells] + [None] * (3 - len(cells)) for cells in rows]
    assert cohorts.content["value"].to_pylist() == [value for group in amounts for value in group]
    assert totals.content["cost"].to_pylist() == [amount(total)] * len(rows)
    exact = [Decimal(str(value)) for cells in rows for cell in cells if (value := _value(cell)) is not None]
    rounded = sum(value != amount(value) for value in exact)
    assert cohorts.figures.get("rounded_values", 0) == rounded
    assert cohorts.figures.get("unknown_fields", []) == (["new"] if is_strange else [])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"values": [{"value": True}]}, "Expected `decimal"),
        ({"values": [{"value": "much"}]}, "Invalid decimal"),
        ({"values": {}}, "Expected `array"),
        ({"values": [1, 2]}, "Expected `object"),
        ({"date": "soon"}, "Invalid isoformat"),
        ({"date": None}, "Expected `str`"),
        ({"date": "2026-03-02"}, "it is of 2026-03-02"),
        ({"values": [None] * 4}, "it has 4 values"),
    ],
)
def test_a_sub_row_of_another_shape_is_refused_with_its_group(change: dict[str, Any], words: str) -> None:
    """The message names the group and the place."""
    text = msgspec.json.encode(sub_row("2026-03-01", 1, 2) | change).decode()
    content = report_raw_table(spec()).schema.empty_table()
    columns = {name: [None] for name in content.schema.names} | {"group_values": ['["a"]'], "sub_row": [text]}
    raw = pa.table([pa.array(columns[field.name], field.type) for field in content.schema], names=content.schema.names)
    with pytest.raises(
        UnexpectedPayloadError, match=re.escape("""the sub-row of ["a"] is not as documented""")
    ) as caught:
        sub_rows(DAY, raw, spec(), reached=2)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "value",
    ["3.5e29", "1e29", "-350000000000000000000000000000", "1000000000000", -1234567890123.5, "999999999999.9999995"],
)
def test_money_that_no_column_holds_is_refused_and_never_another_number(value: str) -> None:
    """However it is written, it lands neither as it is nor as what is left of it."""
    with pytest.raises(UnexpectedPayloadError, match="revenue_cohorts: a number does not fit"):
        typed(sub_row("2026-03-01", value))


def _roas(*bodies: tuple[date, Any], asked: datetime) -> dict[date, tuple[list[tuple[Any, ...]], dict[str, Any]]]:
    """Values and what is said of them by start date, of a response with one group and these sub-rows."""
    last = max(day for day, _ in bodies)
    rows = [{**body, "date": day.isoformat()} for day, body in bodies]
    raw = read([report([group(["a"], *rows)])], ROAS, last=last, requested_at=asked)
    found = {}
    for day, _ in bodies:
        made = typed_days(day, raw[day].content, ROAS, zone="UTC", currency="EUR")[cohorts_table(ROAS).name]
        found[day] = (columns(made, "value"), {name: held for name, held in made.figures.items() if "roas" in name})
    return found


def test_days_that_show_no_scale_have_that_of_the_days_that_do() -> None:
    """A young cohort whose unfinished day was not sent shows none; the older one beside it is a ratio, and so both are."""
    old, young = DAY, DAY + timedelta(days=8)
    found = _roas(
        (old, sub_row("", 0.5, 1.25, 2.5, cost=10, revenue=25)),
        (young, sub_row("", 1.1, cost=10, revenue=30)),
        asked=at(10),
    )
    assert found == {
        old: ([(50.0,), (125.0,), (250.0,)], {"roas_scale": "ratio"}),
        young: ([(110.0,), (None,), (None,)], {"roas_scale": "ratio"}),
    }


@pytest.mark.parametrize("other", [(), (125, 250)], ids=["alone", "where others differ"])
def test_roas_of_unknown_scale_is_withheld_and_counted(other: tuple[int, ...]) -> None:
    """It may be a hundred times more. Zero is zero in any scale, and a number not known is not one that was not sent."""
    young = DAY + timedelta(days=8)
    days = [(young, sub_row("", 1.1, 0, MASKED, cost=10, revenue=30))]
    if other:
        days += [
            (DAY, sub_row("", 50, *other, cost=10, revenue=25)),
            (DAY + timedelta(days=1), sub_row("", 0.5, 1.25, 2.5, cost=10, revenue=25)),
        ]
    values, said = _roas(*days, asked=at(12))[young]
    assert values == [(None,), (0.0,), (None,)]
    assert said == {"roas_scale": "undecided", "roas_values_withheld": 2}


def test_a_day_of_two_scales_fails_whatever_the_answer_shows() -> None:
    """One factor cannot be right for both."""
    groups = [
        group([name], sub_row("2026-03-01", 1, 1, last, cost=10, revenue=25)) for name, last in (("a", 250), ("b", 2.5))
    ]
    raw = read([report(groups)], ROAS)[DAY]
    assert raw.content["roas_scale"].to_pylist() == [None, None]
    with pytest.raises(UnexpectedPayloadError, match="percent in 1 rows and a ratio in 1"):
        typed_days(DAY, raw.content, ROAS, zone="UTC", currency="EUR")
