"""Differences between two loads of a day: rows, sums, and the history of replaced rows."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics_assets.lake.diff import compare
from analytics_assets.lake.store import Lake
from analytics_assets.lake.stream import Change, History
from analytics_assets.lake.table import DATE, MOMENT, Column, Sum, Table
from analytics_assets_tests.lake.vendor import NOW, NUMBERS, START, SUMS, Vendor, brought

_DATE = Column(DATE, pa.date32(), "The day.")
TAGS = Table(
    "tags",
    "Rows with two keys, a list and an observation.",
    (
        _DATE,
        Column("a", pa.string(), "First key.", nullable=True),
        Column("b", pa.int64(), "Second key."),
        Column("value", pa.decimal128(18, 6), "A value.", nullable=True),
        Column("tags", pa.list_(pa.string()), "A list.", nullable=True),
        Column("seen_at", MOMENT, "When.", nullable=True, is_observation=True),
    ),
    key=("a", "b"),
)
SALES = Table(
    "sales",
    "Money by report, currency and shop; the number of people repeats on each currency row of a shop.",
    (
        _DATE,
        Column("report", pa.string(), "The same day, counted in another way."),
        Column("currency", pa.string(), "Currency of `cents`."),
        Column("shop", pa.string(), "The shop."),
        Column("is_main", pa.bool_(), "True on one row of a shop."),
        Column("people", pa.int64(), "People.", nullable=True),
        Column("cents", pa.int64(), "Money.", nullable=True),
        Column("is_partial", pa.bool_(), "True if the money is incomplete.", nullable=True),
    ),
    key=("report", "currency", "shop"),
    sums=(
        Sum(("people",), per=("report",), only="is_main"),
        Sum(("cents",), per=("report", "currency"), incomplete="is_partial"),
    ),
)
LOST = Table(
    "lost",
    "Numbers that were replaced.",
    (_DATE, Column("part", pa.int32(), "Position."), Column("number", pa.int64(), "The old number.")),
    key=("part", "number"),
)
ALL = {"numbers_raw", "numbers", "sums", "lost"}


def rows(*cells: tuple[str | None, int, Any, Any]) -> pa.Table:
    """Rows of `TAGS`."""
    return TAGS.rows(
        {DATE: date(2026, 3, 1), "a": a, "b": b, "value": value, "tags": tags} for a, b, value, tags in cells
    )


@pytest.mark.parametrize(
    ("before", "after", "changed", "added", "removed"),
    [
        ([], [("x", 1, 1, ["t"])], 0, 1, 0),
        ([("x", 1, 1, ["t"])], [], 0, 0, 1),
        ([("x", 1, 1, ["t"]), ("x", 2, 1, None)], [("x", 2, 1, None), ("x", 1, 1, ["t"])], 0, 0, 0),
        ([("x", 1, None, ["t"])], [("x", 1, 0, ["t"])], 1, 0, 0),
        ([("x", 1, 2, ["t"]), ("y", 1, 2, None)], [("x", 1, 2, ["u"]), ("y", 2, 2, None)], 1, 1, 1),
        ([(None, 1, 1, None), ("x", 1, 1, None)], [(None, 1, 2, None), ("x", 1, 1, None)], 1, 0, 0),
        ([(None, 1, 1, None), ("", 1, 2, None)], [("", 1, 2, None), (None, 1, 1, None)], 0, 0, 0),
        ([(None, 1, 1, None)], [("", 1, 1, None)], 0, 1, 1),
    ],
)
def test_rows_are_matched_by_key_and_compared_by_content(
    before: list[Any], after: list[Any], changed: int, added: int, removed: int
) -> None:
    """Null is equal to null only, in keys and values; a list is compared whole; the order of rows does not count."""
    assert compare(TAGS, rows(*before), rows(*after)) == {
        "rows_changed": changed,
        "rows_added": added,
        "rows_removed": removed,
    }


def test_a_table_without_identity_tells_no_changes() -> None:
    """Nothing says which of its rows became which."""
    assert compare(Table("free", "", (_DATE,)), rows(), rows()) == {}


def sale(**changes: Any) -> dict[str, Any]:
    """A row of `SALES`: ten people and 500 cents, with changes."""
    given = {"report": "all", "currency": "USD", "shop": "a", "is_main": True, "people": 10, "cents": 500}
    return {DATE: START, "is_partial": False, **given, **changes}


EUR = {"currency": "EUR", "is_main": False}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([sale()], [sale(people=12, cents=450)], {"people": {"all": 2}, "cents": {"all/USD": -50}}),
        ([sale(cents=-40)], [sale(cents=-50)], {"people": {"all": 0}, "cents": {"all/USD": -10}}),
        # Money that only changes its shop changes no sum; a shop that comes or goes counts with all it has.
        (
            [sale(), sale(shop="b"), sale(shop="c", people=1, cents=1)],
            [sale(cents=400), sale(shop="b", cents=600), sale(shop="d", people=3, cents=7)],
            {"people": {"all": 2}, "cents": {"all/USD": 6}},
        ),
        # Currencies and reports are separate; people of two currency rows are the same people.
        (
            [sale(), sale(**EUR), sale(report="first")],
            [sale(people=12, cents=501), sale(**EUR, people=12, cents=520), sale(report="first", people=9, cents=800)],
            {"people": {"all": 2, "first": -1}, "cents": {"all/EUR": 20, "all/USD": 1, "first/USD": 300}},
        ),
        ([sale(people=None)], [sale(cents=None)], {}),
        ([sale(people=None, cents=None)], [sale()], {}),
        ([sale(), sale(shop="b", cents=None)], [sale(cents=700), sale(shop="b")], {"people": {"all": 0}}),
        ([sale()], [sale(cents=700, is_partial=True)], {"people": {"all": 0}}),
        ([sale(is_partial=True)], [sale(cents=700)], {"people": {"all": 0}}),
        ([sale(is_partial=None)], [sale(is_partial=None)], {"people": {"all": 0}, "cents": {"all/USD": 0}}),
        # A currency of one load only has no sum in the other.
        ([sale()], [sale(), sale(**EUR)], {"people": {"all": 0}, "cents": {"all/USD": 0}}),
        ([sale()], [], {}),
    ],
)
def test_a_sum_changes_by_the_new_number_minus_the_old(
    before: list[dict[str, Any]], after: list[dict[str, Any]], expected: dict[str, dict[str, int]]
) -> None:
    """Within each group of its own; a group with an unknown or incomplete number in either load has no figure."""
    figures = compare(SALES, SALES.rows(before), SALES.rows(after))
    changes = {name.removesuffix("_change"): value for name, value in figures.items() if name.endswith("_change")}
    assert changes == expected


def test_a_sum_of_a_column_declared_later_has_no_change() -> None:
    """Rows of an earlier definition have null there, and nothing says which of them to sum."""
    after = SALES.rows([sale()])
    before = after.set_column(after.schema.get_field_index("is_main"), "is_main", pa.nulls(1, pa.bool_()))
    assert "people_change" not in compare(SALES, before, after)


async def test_a_day_shows_its_difference_to_the_load_before(tmp_path: Path) -> None:
    """The first load has none, and neither has an equal one."""
    lake, vendor, figures = Lake(str(tmp_path)), Vendor(), []
    table = replace(NUMBERS, sums=(Sum(("number",), per=(DATE,)),))
    for attempt_group, bodies in enumerate([["1", "2"], ["1", "7"], ["1", "7"]]):
        vendor.answers = {START: bodies}
        [result] = await brought(lake, vendor.stream(typed=(table, SUMS)), [START], attempt_group=str(attempt_group))
        figures.append((dict(result.figures["numbers"]), dict(result.figures["sums"])))
    difference = {"rows_changed": 1, "rows_added": 0, "rows_removed": 0, "number_change": {str(START): 5}}
    assert figures == [
        ({"biggest": 2}, {"sum": 3}),
        ({"biggest": 7, **difference}, {"sum": 8}),
        ({"biggest": 7}, {"sum": 8}),
    ]


def grown(change: Change) -> tuple[pa.Table, dict[str, int]]:
    """Keeps the first number of each reading that another took the place of."""
    kept = {row["number"]: row for row in change.kept.to_pylist()}
    kept |= {row["number"]: {**row, DATE: START} for row in change.before.to_pylist()}
    return LOST.rows(kept.values()), {"lost_now": change.before.num_rows}


async def test_a_history_keeps_what_every_later_reading_replaced(tmp_path: Path) -> None:
    """It stands from the first landing on, grows with each change, and an equal reading changes no byte and tells nothing."""
    lake, vendor, told, held = Lake(str(tmp_path)), Vendor(), [], []
    stream = vendor.stream(history=History(LOST, "numbers", grown))
    for attempt_group, body in enumerate(["1", "2", "2", "3"]):
        vendor.answers = {START: [body]}
        [result] = await brought(lake, stream, [START], attempt_group=str(attempt_group), selected=ALL)
        told.append(dict(result.figures["numbers"]))
        held.append((lake.read("shop", LOST)["number"].to_pylist(), result.tables["lost"].is_changed))
    moved = {"rows_changed": 1, "rows_added": 0, "rows_removed": 0, "lost_now": 1}
    assert told == [{"biggest": 1}, {"biggest": 2, **moved}, {"biggest": 2}, {"biggest": 3, **moved}]
    assert held == [([], True), ([1], True), ([1], False), ([1, 2], True)]


async def test_the_answer_to_another_question_is_compared_with_nothing(tmp_path: Path) -> None:
    """Nobody corrected anything: neither history nor figures tell a move. The next response to the same question is compared again."""
    lake, vendor, told = Lake(str(tmp_path)), Vendor(), []
    for attempt_group, (question, body) in enumerate([("v1", "1"), ("v1", "2"), ("v2", "50"), ("v2", "51")]):
        vendor.answers = {START: [body]}
        stream = vendor.stream(
            history=History(LOST, "numbers", grown),
            request_hash=lambda _day, question=question: question,
        )
        [result] = await brought(lake, stream, [START], attempt_group=str(attempt_group), selected=ALL)
        told.append((dict(result.figures["numbers"]), lake.read("shop", LOST)["number"].to_pylist()))
    moved = {"rows_changed": 1, "rows_added": 0, "rows_removed": 0, "lost_now": 1}
    assert told == [
        ({"biggest": 1}, []),
        ({"biggest": 2, **moved}, [1]),
        ({"biggest": 50, "question_changed": True}, [1]),
        ({"biggest": 51, **moved}, [1, 50]),
    ]


async def test_an_answer_to_another_question_is_seen_though_it_was_kept_before_its_tables_were_made(
    tmp_path: Path,
) -> None:
    """As where a person reads the raw table alone, or a process dies after it: what stands says which question it answers."""
    lake, vendor, told = Lake(str(tmp_path)), Vendor(), []
    for attempt_group, (question, body, selected) in enumerate(
        [("v1", "1", ALL), ("v2", "50", {"numbers_raw"}), ("v2", "-", ALL - {"numbers_raw"}), ("v2", "51", ALL)]
    ):
        vendor.answers = {START: [body]}
        stream = vendor.stream(
            history=History(LOST, "numbers", grown), request_hash=lambda _day, question=question: question
        )
        [result] = await brought(lake, stream, [START], attempt_group=str(attempt_group), selected=selected)
        told.append((dict(result.figures["numbers"]), lake.read("shop", LOST)["number"].to_pylist()))
    assert told == [
        ({"biggest": 1}, []),
        ({"biggest": 50}, []),
        ({"biggest": 50, "question_changed": True}, []),
        ({"biggest": 51, "rows_changed": 1, "rows_added": 0, "rows_removed": 0, "lost_now": 1}, [50]),
    ]


async def test_a_change_says_when_the_reading_before_was_asked_for_if_anything_does(tmp_path: Path) -> None:
    """The typed tables alone may be made from raw rows that came long after what they replace."""
    lake, vendor, told = Lake(str(tmp_path)), Vendor(), []

    def seen(change: Change) -> tuple[pa.Table, dict[str, int]]:
        told.append((change.before_at, change.requested_at))
        return change.kept, {}

    stream = vendor.stream(history=History(LOST, "numbers", seen))
    for attempt_group, hours in enumerate([0, 1]):
        vendor.answers, vendor.requested_at = {START: [str(hours)]}, NOW + timedelta(hours=hours)
        await brought(lake, stream, [START], attempt_group=str(attempt_group), selected=ALL)
    lake.store_day("shop", NUMBERS, START, NUMBERS.rows([{DATE: START, "part": 0, "number": 9}]))
    await brought(lake, stream, [START], attempt_group="third", selected=ALL - {"numbers_raw"})
    later = NOW + timedelta(hours=1)
    assert told == [(NOW, later), (None, later)]


@pytest.mark.parametrize(
    "columns",
    [
        (*LOST.columns, Column("campaign", pa.string(), "A field it was grouped by too.")),
        (_DATE, LOST.columns[1], Column("number", pa.float64(), "A number of another kind.")),
        (_DATE, LOST.columns[1]),
    ],
    ids=["grouped by more", "another type", "grouped by less"],
)
async def test_a_history_of_rows_that_its_table_cannot_hold_begins_anew_and_says_so(
    tmp_path: Path, columns: tuple[Column, ...]
) -> None:
    """As after a report is grouped by other fields: the day is stored, and is not refused for rows of another table for ever; they are kept."""
    lake, vendor = Lake(str(tmp_path)), Vendor()
    other = Table("lost", "The same, with other columns.", columns)
    earlier = other.rows([{DATE: START, "part": 0, "number": 5, "campaign": "spring"}])
    lake.store_day("shop", other, START, earlier)
    [result] = await brought(lake, vendor.stream(history=History(LOST, "numbers", grown)), [START], selected=ALL)
    assert result.error is None
    assert result.figures["numbers"] == {"biggest": 1, "history_begins_anew": True}
    [kept] = lake.files.under(f"{lake.root}/_quarantine/shop")
    assert pq.read_table(str(kept)).to_pylist() == earlier.to_pylist()
    assert lake.read("shop", LOST).to_pylist() == []


async def test_a_history_is_kept_though_only_its_table_is_selected(tmp_path: Path) -> None:
    """What was replaced would be lost for good; the day of the history is not logged then."""
    lake, vendor = Lake(str(tmp_path)), Vendor()
    stream = vendor.stream(history=History(LOST, "numbers", grown))
    await brought(lake, stream, [START], attempt_group="first", selected=ALL)
    vendor.answers = {START: ["7"]}
    [result] = await brought(lake, stream, [START], attempt_group="second", selected={"numbers_raw", "numbers"})
    assert sorted(result.tables) == ["numbers", "numbers_raw"]
    assert lake.read("shop", LOST)["number"].to_pylist() == [1]


async def test_a_history_selected_alone_stays_as_it_is(tmp_path: Path) -> None:
    """Nothing is stored that it could be about."""
    lake, vendor = Lake(str(tmp_path)), Vendor()
    stream = vendor.stream(history=History(LOST, "numbers", grown))
    await brought(lake, stream, [START], selected=ALL)
    [result] = await brought(lake, stream, [START], selected={"lost"})
    assert (list(result.tables), result.tables["lost"].is_changed, result.requested_at) == (["lost"], False, NOW)
    assert lake.read("shop", NUMBERS)["number"].to_pylist() == [1]
