"""What a new reading of a day changed: rows that differ, came and went."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from analytics_assets.lake.changes import counted
from analytics_assets.lake.store import Lake
from analytics_assets.lake.stream import Change, History
from analytics_assets.lake.table import DATE, MOMENT, Column, Table
from analytics_assets_tests.lake.vendor import NOW, NUMBERS, START, Vendor, brought

_DATE = Column(DATE, pa.date32(), "The day.")
TAGS = Table(
    "tags",
    "Rows with two keys, a list and an observation.",
    (
        _DATE,
        Column("a", pa.string(), "First key."),
        Column("b", pa.int64(), "Second key."),
        Column("value", pa.decimal128(38, 9), "A value.", nullable=True),
        Column("tags", pa.list_(pa.string()), "A list.", nullable=True),
        Column("seen_at", MOMENT, "When.", nullable=True, is_observation=True),
    ),
    key=("a", "b"),
)
LOST = Table(
    "lost",
    "Numbers that were replaced.",
    (_DATE, Column("part", pa.int32(), "Position."), Column("number", pa.int64(), "The old number.")),
    key=("part", "number"),
)
ALL = {"numbers_raw", "numbers", "sums", "lost"}


def rows(*cells: tuple[str, int, Any, Any]) -> pa.Table:
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
    ],
)
def test_rows_are_matched_by_key_and_compared_by_content(
    before: list[Any], after: list[Any], changed: int, added: int, removed: int
) -> None:
    """Null is not zero, a list is compared whole, and the order of rows is nothing."""
    assert counted(TAGS, rows(*before), rows(*after)) == {
        "rows_changed": changed,
        "rows_added": added,
        "rows_removed": removed,
    }


def test_a_table_without_identity_tells_no_changes() -> None:
    """Nothing says which of its rows became which."""
    assert counted(Table("free", "", (_DATE,)), rows(), rows()) == {}


async def test_another_reading_tells_by_how_much_it_moved_a_table(tmp_path: Path) -> None:
    """As the source says it, given what stood and what stands now, beside the numbers of rows; an equal reading tells nothing."""
    lake, vendor, told = Lake(str(tmp_path)), Vendor(), []

    def moved(table: Table, before: pa.Table, after: pa.Table) -> dict[str, int]:
        column = {"numbers": "number", "sums": "sum"}[table.name]
        return {"moved": pc.sum(after[column]).as_py() - pc.sum(before[column]).as_py()}

    for family, bodies in enumerate([["1", "2"], ["1", "7"], ["1", "7"]]):
        vendor.answers = {START: bodies}
        [result] = await brought(lake, vendor.stream(moved=moved), [START], family=str(family))
        told.append((dict(result.figures["numbers"]), dict(result.figures["sums"])))
    counts = {"rows_changed": 1, "rows_added": 0, "rows_removed": 0}
    assert told == [
        ({"biggest": 2}, {"sum": 3}),
        ({"biggest": 7, **counts, "moved": 5}, {"sum": 8, "moved": 5}),
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
    for family, body in enumerate(["1", "2", "2", "3"]):
        vendor.answers = {START: [body]}
        [result] = await brought(lake, stream, [START], family=str(family), selected=ALL)
        told.append(dict(result.figures["numbers"]))
        held.append((lake.read("shop", LOST)["number"].to_pylist(), result.tables["lost"].is_changed))
    moved = {"rows_changed": 1, "rows_added": 0, "rows_removed": 0, "lost_now": 1}
    assert told == [{"biggest": 1}, {"biggest": 2, **moved}, {"biggest": 2}, {"biggest": 3, **moved}]
    assert held == [([], True), ([1], True), ([1], False), ([1, 2], True)]


async def test_the_answer_to_another_question_is_compared_with_nothing(tmp_path: Path) -> None:
    """Nobody corrected anything: neither history nor figures tell a move. The next answer to the same question is compared again."""
    lake, vendor, told = Lake(str(tmp_path)), Vendor(), []
    for family, (question, body) in enumerate([("v1", "1"), ("v1", "2"), ("v2", "50"), ("v2", "51")]):
        vendor.answers = {START: [body]}
        stream = vendor.stream(
            history=History(LOST, "numbers", grown),
            moved=lambda *_: {"moved": True},
            asked=lambda _day, question=question: question,
        )
        [result] = await brought(lake, stream, [START], family=str(family), selected=ALL)
        told.append((dict(result.figures["numbers"]), lake.read("shop", LOST)["number"].to_pylist()))
    moved = {"rows_changed": 1, "rows_added": 0, "rows_removed": 0, "moved": True, "lost_now": 1}
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
    for family, (question, body, selected) in enumerate(
        [("v1", "1", ALL), ("v2", "50", {"numbers_raw"}), ("v2", "-", ALL - {"numbers_raw"}), ("v2", "51", ALL)]
    ):
        vendor.answers = {START: [body]}
        stream = vendor.stream(history=History(LOST, "numbers", grown), asked=lambda _day, question=question: question)
        [result] = await brought(lake, stream, [START], family=str(family), selected=selected)
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
    for family, hours in enumerate([0, 1]):
        vendor.answers, vendor.requested_at = {START: [str(hours)]}, NOW + timedelta(hours=hours)
        await brought(lake, stream, [START], family=str(family), selected=ALL)
    lake.land("shop", NUMBERS, START, NUMBERS.rows([{DATE: START, "part": 0, "number": 9}]))
    await brought(lake, stream, [START], family="third", selected=ALL - {"numbers_raw"})
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
    """As after a report is grouped by other fields: the day lands, and is not refused for rows of another table for ever; they are kept."""
    lake, vendor = Lake(str(tmp_path)), Vendor()
    other = Table("lost", "The same, with other columns.", columns)
    earlier = other.rows([{DATE: START, "part": 0, "number": 5, "campaign": "spring"}])
    lake.land("shop", other, START, earlier)
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
    await brought(lake, stream, [START], family="first", selected=ALL)
    vendor.answers = {START: ["7"]}
    [result] = await brought(lake, stream, [START], family="second", selected={"numbers_raw", "numbers"})
    assert sorted(result.tables) == ["numbers", "numbers_raw"]
    assert lake.read("shop", LOST)["number"].to_pylist() == [1]


async def test_a_history_selected_alone_stays_as_it_is(tmp_path: Path) -> None:
    """Nothing is landed that it could be about."""
    lake, vendor = Lake(str(tmp_path)), Vendor()
    stream = vendor.stream(history=History(LOST, "numbers", grown))
    await brought(lake, stream, [START], selected=ALL)
    [result] = await brought(lake, stream, [START], selected={"lost"})
    assert (list(result.tables), result.tables["lost"].is_changed, result.requested_at) == (["lost"], False, NOW)
    assert lake.read("shop", NUMBERS)["number"].to_pylist() == [1]
