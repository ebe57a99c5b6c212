"""What a table takes as a day, and how it says what it does not take."""

from datetime import date, timedelta, timezone
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics_assets.errors import UnexpectedPayloadError
from analytics_assets.lake.table import DATE, Column, Table
from analytics_assets_tests.lake.sample import DAY, NEXT, NOON, TABLE, empty_row, row


def test_the_schema_has_types_and_nullability_alone() -> None:
    """The one declaration is what the Parquet file shows; descriptions would be repeated in the footer of each day."""
    table = Table("t", "T.", (Column(DATE, pa.date32(), "The day."), Column("n", pa.int64(), "Count.", nullable=True)))
    schema = pa.schema([pa.field("date", pa.date32(), nullable=False), pa.field("n", pa.int64(), nullable=True)])
    assert table.schema.equals(schema, check_metadata=True)


def test_content_names_leave_out_what_says_when() -> None:
    """Observation columns are in the file and not in the hash."""
    assert TABLE.content_names == [column.name for column in TABLE.columns if column.name != "fetched_at"]


def test_rows_become_a_day_and_come_back_as_they_were() -> None:
    """Every kind of value, with and without null; the result is sorted by key and has the declared schema."""
    rows = [
        row(campaign="z"),
        empty_row(campaign="a"),
        row(campaign="a", clicks=0, revenue=Decimal(0), raw="", codes=[]),
    ]
    day = TABLE.validated(TABLE.rows(rows), DAY)
    zero = row(campaign="a", clicks=0, revenue=Decimal("0E-9"), raw="", codes=[])
    assert day.to_pylist() == [zero, empty_row(campaign="a"), row(campaign="z")]
    assert day.schema.equals(TABLE.schema, check_metadata=True)


def test_a_column_that_a_row_does_not_name_is_null() -> None:
    """Transforms leave out what they do not know."""
    assert TABLE.rows([{"date": DAY, "campaign": "a", "fetched_at": NOON}]).to_pylist() == [empty_row(campaign="a")]


def test_an_instant_of_another_zone_is_kept_as_the_instant() -> None:
    """It is shown in UTC; nothing is shifted."""
    elsewhere = NOON.astimezone(timezone(timedelta(hours=9)))
    assert TABLE.rows([row(seen_at=elsewhere)])["seen_at"].to_pylist() == [NOON]


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("revenue", Decimal("0.1234567"), "a value does not fit decimal128(18, 6): Rescaling"),
        ("revenue", Decimal(10) ** 12, "a value does not fit decimal128(18, 6): "),
        ("revenue", Decimal("NaN"), "a value does not fit decimal128(18, 6): "),
        ("revenue", 0.1, "a value does not fit decimal128(18, 6): int or Decimal object expected, got float"),
        ("clicks", 2**70, "a value does not fit int64: "),
        ("clicks", 5.5, "5.5 (float) does not fit int64."),
        ("clicks", 5.0, "5.0 (float) does not fit int64."),
        ("clicks", Decimal("5.5"), "Decimal('5.5') (Decimal) does not fit int64."),
        ("clicks", "5", "a value does not fit int64: "),
        ("clicks", True, "a value does not fit int64: "),
        ("masked", 1, "a value does not fit bool: "),
        ("campaign", 5, "a value does not fit string: "),
        ("campaign", "\ud800", "a value does not fit string: "),
        ("codes", "ab", "'ab' (str) does not fit list<item: string>."),
        ("codes", [5], "a value does not fit list<item: string>: "),
        ("date", "2026-03-01", "a value does not fit date32[day]: "),
        (
            "seen_on",
            NOON,
            "datetime.datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=datetime.timezone.utc) (datetime) does",
        ),
        ("seen_at", "2026-03-01T12:00:00Z", "a value does not fit timestamp[us, tz=UTC]: "),
        (
            "seen_at",
            NOON.replace(tzinfo=None),
            "datetime.datetime(2026, 3, 1, 12, 0, 0, 123456) (datetime) does not fit",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_column(column: str, value: Any, words: str) -> None:
    """Nothing is rounded, cut off, taken apart or put in a zone by guessing."""
    with pytest.raises(UnexpectedPayloadError) as caught:
        TABLE.rows([row(), row(**{column: value})])
    assert str(caught.value).startswith(f"revenue: column {column}: {words}")


def _changed(column: str, values: pa.Array) -> pa.Table:
    content = TABLE.rows([row(campaign="a"), row(campaign="b")])
    return content.set_column(content.schema.get_field_index(column), column, values)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(
            TABLE.rows([row()]).drop_columns(["clicks"]),
            f"columns {[name for name in TABLE.schema.names if name != 'clicks']} instead of {TABLE.schema.names}.",
            id="missing column",
        ),
        pytest.param(
            TABLE.rows([row()]).append_column("more", pa.array([1])),
            f"columns {[*TABLE.schema.names, 'more']} instead of {TABLE.schema.names}.",
            id="extra column",
        ),
        pytest.param(
            TABLE.rows([row()]).select(TABLE.schema.names[::-1]),
            f"columns {TABLE.schema.names[::-1]} instead of {TABLE.schema.names}.",
            id="columns in another order",
        ),
        pytest.param(
            TABLE.rows([row(campaign=None), row(), row(campaign=None)]),
            "column campaign has no value in 2 of 3 rows.",
            id="null in a column without null",
        ),
        pytest.param(TABLE.rows([row(date=None)]), "column date has no value in 1 of 1 rows.", id="no day"),
        pytest.param(
            TABLE.rows([row(), row(date=date(2026, 3, 3), campaign="b"), row(date=NEXT, campaign="c")]),
            "rows belong to 2026-03-02, 2026-03-03.",
            id="foreign days",
        ),
        pytest.param(
            TABLE.rows([row(campaign="c"), row(campaign="c"), row(campaign="b"), row(campaign="b"), row(campaign="a")]),
            "2 keys occur more than once, the first is campaign='b', country='KR'.",
            id="double key",
        ),
        pytest.param(
            TABLE.rows([row(country=None), row(country=None, clicks=8)]),
            "1 keys occur more than once, the first is campaign='spring', country=None.",
            id="double key with null",
        ),
        pytest.param(
            _changed("revenue", pa.array([0.1, 0.2])),
            "column revenue is double instead of decimal128(18, 6).",
            id="float for money",
        ),
        pytest.param(
            _changed("revenue", pa.array([Decimal("0.1234567"), None], pa.decimal128(18, 10))),
            "column revenue: Rescaling Decimal value would cause data loss.",
            id="seven places",
        ),
        pytest.param(_changed("clicks", pa.array([1.0, 2.0])), "column clicks is double instead of int64.", id="float"),
        pytest.param(_changed("clicks", pa.array(["1", "2"])), "column clicks is string instead of int64.", id="text"),
        pytest.param(_changed("raw", pa.array([1, 2])), "column raw is int64 instead of large_string.", id="number"),
        pytest.param(_changed("masked", pa.array([5, 0])), "column masked is int64 instead of bool.", id="flag"),
        pytest.param(
            _changed("seen_at", pa.array([NOON.replace(tzinfo=None), None])),
            "column seen_at is timestamp[us] instead of timestamp[us, tz=UTC].",
            id="no zone",
        ),
        pytest.param(
            _changed("seen_on", pa.array([NOON, None])),
            "column seen_on is timestamp[us, tz=UTC] instead of date32[day].",
            id="instant for a day",
        ),
        pytest.param(
            _changed("clicks", pa.array([2**63, 1], pa.uint64())),
            "column clicks: Integer value 9223372036854775808 not in range: 0 to 9223372036854775807.",
            id="too large",
        ),
    ],
)
def test_a_day_that_is_not_valid_is_refused_with_the_place(content: pa.Table, words: str) -> None:
    """Table and column or key are in the message; the day is a field."""
    with pytest.raises(UnexpectedPayloadError) as caught:
        TABLE.validated(content, DAY)
    assert (str(caught.value), caught.value.day) == (f"revenue: {words}", DAY)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("clicks", pa.array([7, 7], pa.int16())),
        ("clicks", pa.chunked_array([[7], [], [7]])),
        ("campaign", pa.array(["a", "b"]).dictionary_encode()),
        ("campaign", pa.array(["a", "b"], pa.large_string())),
        ("campaign", pa.chunked_array([pa.array(["a"]), pa.array(["b"])]).dictionary_encode()),
        ("revenue", pa.array([row()["revenue"]] * 2, pa.decimal256(50, 12))),
        ("seen_at", pa.array([NOON, NOON], pa.timestamp("ns", "UTC"))),
        ("seen_at", pa.array([NOON, NOON], pa.timestamp("us", "Asia/Seoul"))),
        ("raw", pa.array(['{"a": "ü"}'] * 2)),
    ],
)
def test_another_form_of_the_same_values_is_accepted(column: str, values: pa.Array) -> None:
    """Width, chunks, dictionaries and zones of display change no value."""
    assert TABLE.validated(_changed(column, values), DAY).equals(
        TABLE.validated(TABLE.rows([row(campaign="a"), row(campaign="b")]), DAY)
    )


def test_a_column_of_nothing_is_accepted_where_null_is_allowed() -> None:
    """Arrow has a type of its own for it."""
    day = TABLE.validated(_changed("clicks", pa.nulls(2)), DAY)
    assert day.to_pylist() == [row(campaign="a", clicks=None), row(campaign="b", clicks=None)]


def test_a_key_tells_null_from_empty_text() -> None:
    """Null sorts last; the three are three keys."""
    day = TABLE.validated(TABLE.rows([row(country=None), row(country="KR"), row(country="")]), DAY)
    assert day["country"].to_pylist() == ["", "KR", None]


def test_a_table_without_a_key_keeps_equal_rows_in_the_order_given() -> None:
    """Where rows have no identity, none of them is a double."""
    table = Table("notes", "N.", (Column(DATE, pa.date32(), "D."), Column("text", pa.string(), "T.")))
    rows = [{"date": DAY, "text": text} for text in ("b", "a", "b")]
    assert table.validated(table.rows(rows), DAY).to_pylist() == rows


def test_a_day_without_rows_is_valid_and_typed() -> None:
    """An empty day is a day: the vendor said that there was nothing."""
    assert TABLE.validated(TABLE.rows([]), DAY).equals(TABLE.schema.empty_table())


def test_a_data_frame_with_arrow_types_is_a_day_again() -> None:
    """What a user reads can be stored."""
    day = TABLE.validated(TABLE.rows([row(), empty_row(campaign="a")]), DAY)
    frame = day.to_pandas(types_mapper=pd.ArrowDtype)
    again = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
    assert TABLE.validated(again, DAY).to_pylist() == day.to_pylist()


@given(st.lists(st.tuples(st.sampled_from("ab"), st.none() | st.integers(0, 2)), max_size=5), st.booleans())
def test_a_day_is_in_the_order_of_its_key_and_has_no_key_twice(
    keys: list[tuple[str, int | None]], is_in_order: bool
) -> None:
    """Whether it came in order, which is not sorted again, or not; null is a value of a key like any other and stands last."""
    columns = (
        Column(DATE, pa.date32(), "D."),
        Column("a", pa.string(), "A."),
        Column("n", pa.int64(), "N.", nullable=True),
    )
    table = Table("t", "T.", columns, key=("a", "n"))
    ordered = sorted(keys, key=lambda key: (key[0], key[1] is None, key[1] or 0))
    content = table.rows({DATE: DAY, "a": a, "n": n} for a, n in (ordered if is_in_order else keys))
    if len(set(keys)) < len(keys):
        with pytest.raises(UnexpectedPayloadError, match="occur more than once"):
            table.validated(content, DAY)
    else:
        assert [(row["a"], row["n"]) for row in table.validated(content, DAY).to_pylist()] == ordered
