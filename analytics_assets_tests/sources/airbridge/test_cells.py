"""Sub-rows read at once and one by one are the same columns; and one scale of ROAS holds for all days of an answer."""

from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics_assets.errors import UnexpectedPayloadError
from analytics_assets.lake.table import MONEY
from analytics_assets.sources.airbridge.cells import _read_at_once
from analytics_assets.sources.airbridge.tables import cohorts_table
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


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(st.lists(CELLS, max_size=3), min_size=1, max_size=3), total=CELLS, asked=st.integers(1, 5))
def test_sub_rows_read_at_once_and_one_by_one_are_the_same(rows: list[list[Any]], total: Any, asked: int) -> None:
    """A field not known here, which is named, makes the second way; it changes nothing else."""
    plain = [sub_row("2026-03-01", *cells, cost=total, revenue=3, users=None) for cells in rows]
    strange = [{**row, "new": 1} for row in plain]
    for_both: dict[str, Any] = {"requested_at": at(asked)}
    for quick, slow in zip(typed(*plain, **for_both), typed(*strange, **for_both), strict=True):
        assert quick.content.equals(slow.content, check_metadata=True)
        assert dict(quick.figures) == {name: held for name, held in slow.figures.items() if name != "unknown_fields"}


@pytest.mark.parametrize(
    ("change", "is_plain"),
    [
        ({}, True),
        ({"values": [{"value": "1.5"}, None, {"isMasked": None}]}, True),
        ({"date": "2026-03-01T00:00:00"}, True),
        ({"total": None}, True),
        ({"new": 1}, False),
        ({"values": [{"value": 1, "new": 1}]}, False),
        ({"values": [{"value": "0.1234567"}]}, False),
        ({"values": [{"value": "1e-999999999"}]}, False),
        ({"values": [{"value": f"0.{'0' * 60}1"}]}, False),
        # Arrow takes the first for 9717633079061536536625392568.231788544, and the second into a column that cannot hold it.
        ({"values": [{"value": "3.5e29"}]}, False),
        ({"values": [{"value": f"1{'0' * 29}"}]}, False),
        ({"values": [{"value": 999999999999.5}]}, True),
        ({"values": [{"value": 1000000000000}]}, False),
        ({"values": [{"value": True}]}, False),
        ({"values": None}, False),
        ({"date": "soon"}, False),
        ({"date": None}, False),
    ],
)
def test_plain_sub_rows_are_read_at_once(change: dict[str, Any], *, is_plain: bool) -> None:
    """Anything else is left to the way that can say what is wrong with it."""
    texts = pa.array([msgspec.json.encode(sub_row("2026-03-01", 1, 2) | change).decode()], pa.large_string())
    read_at_once = _read_at_once(texts, MONEY, reached=2)
    assert (read_at_once is not None) == is_plain
    assert read_at_once is None or read_at_once.days == {DAY}


@pytest.mark.parametrize(
    "value",
    ["3.5e29", "1e29", "-350000000000000000000000000000", "1000000000000", -1234567890123.5, "999999999999.9999995"],
)
def test_money_that_no_column_holds_is_refused_and_never_another_number(value: str) -> None:
    """However it is written, it lands neither as it is nor as what is left of it."""
    with pytest.raises(UnexpectedPayloadError, match="revenue_cohorts: a number does not fit"):
        typed(sub_row("2026-03-01", value))


def _roas(*bodies: tuple[date, Any], asked: datetime) -> dict[date, tuple[list[tuple[Any, ...]], dict[str, Any]]]:
    """Values and what is said of them by start date, of an answer with one group and these sub-rows."""
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
