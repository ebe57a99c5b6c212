"""The data version of a day: what changes it and what must not."""

import hashlib
import struct
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics_assets.lake.content import content_hash
from analytics_assets.lake.parquet import parquet
from analytics_assets.lake.table import DATE, Column, Table
from analytics_assets_tests.lake.sample import DAY, NEXT, NOON, TABLE, empty_row, row

ROWS = [row(campaign="a"), empty_row(campaign="b"), row(campaign="c", country=None, clicks=0)]


def _hash(rows: list[dict[str, Any]]) -> str:
    return content_hash(TABLE, TABLE.validated(TABLE.rows(rows), DAY))


def _one(kind: pa.DataType, values: list[Any] | pa.Array) -> str:
    table = Table("t", "T.", (Column("x", kind, "X.", nullable=True),))
    array = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values, kind)
    return content_hash(table, pa.table({"x": array}))


def test_the_hash_is_made_of_plain_bytes_in_a_written_order() -> None:
    """No library's framing is in it: one that changed with a release would show every day of every table as changed."""
    columns = (
        Column(DATE, pa.date32(), "D."),
        Column("n", pa.int64(), "N.", nullable=True),
        Column("s", pa.string(), "S.", nullable=True),
        Column("l", pa.list_(pa.string()), "L.", nullable=True),
    )
    table = Table("t", "T.", columns)
    content = table.rows([{"date": DAY, "n": 1, "s": "a"}, {"date": DAY, "s": "bc", "l": ["x"]}])
    days = (DAY - date(1970, 1, 1)).days
    plain = [
        b"date:date32[day]:2;" + struct.pack("<2b2i", 1, 1, days, days),
        b"n:int64:2;" + struct.pack("<2b", 1, 0) + struct.pack("<2q", 1, 0),
        b"s:string:2;" + struct.pack("<2b", 1, 1) + struct.pack("<2i", 1, 2) + b"abc",
        b"l:list<item: string>:2;" + b'[null,["x"]]',
    ]
    assert content_hash(table, content) == hashlib.sha256(b"".join(plain)).hexdigest()


@given(
    st.lists(
        st.none()
        | st.lists(st.none() | st.fixed_dictionaries({"a": st.none() | st.lists(st.text()), "b": st.booleans()}))
    ),
    st.integers(0, 3),
)
def test_what_is_nested_counts_as_its_json(values: list[Any], cut: int) -> None:
    """Whatever is null at whatever depth, and wherever a slice begins."""
    kind = pa.list_(pa.struct([("a", pa.list_(pa.string())), ("b", pa.bool_())]))
    column = pa.array(values, kind).slice(min(cut, len(values)))
    plain = f"x:{kind}:{len(column)};".encode() + msgspec.json.encode(column.to_pylist())
    assert _one(kind, column) == hashlib.sha256(plain).hexdigest()


def test_the_order_in_which_rows_came_does_not_count() -> None:
    """Vendors promise no order."""
    assert _hash(ROWS) == _hash(ROWS[::-1])


def test_when_it_was_read_does_not_count() -> None:
    """Two readings of the same numbers are one day."""
    assert _hash(ROWS) == _hash([{**each, "fetched_at": NOON + timedelta(hours=1)} for each in ROWS])


@pytest.mark.parametrize(
    "chunked",
    [
        lambda day: pa.concat_tables([day.slice(0, 1), day.slice(1, 0), day.slice(1)]),
        lambda day: pa.concat_tables([TABLE.rows([row(campaign="0")]), day, TABLE.rows([row(campaign="9")])]).slice(
            1, 3
        ),
        lambda day: pa.concat_tables([TABLE.rows([row(campaign="0")]), day]).combine_chunks().slice(1),
        lambda day: day.take([0, 1, 2]),
    ],
    ids=["chunks", "slice of chunks", "slice of one chunk", "copy"],
)
def test_how_a_day_lies_in_memory_does_not_count(chunked: Callable[[pa.Table], pa.Table]) -> None:
    """Chunks, offsets and spare bytes are Arrow's own affair."""
    day = TABLE.validated(TABLE.rows(ROWS), DAY)
    assert content_hash(TABLE, chunked(day)) == content_hash(TABLE, day)


def _hidden(kind: pa.DataType, plain: list[Any]) -> pa.Array:
    """An array of null and the second value, whose bytes behind the null are those of the first value."""
    array = pa.array(plain, kind)
    return pa.Array.from_buffers(kind, 2, [pa.py_buffer(b"\x02"), *array.buffers()[1:]])


@pytest.mark.parametrize(
    ("kind", "plain"),
    [
        (pa.int64(), [99, 5]),
        (pa.int16(), [99, 5]),
        (pa.float64(), [9.5, 5.5]),
        (pa.float32(), [9.5, 5.5]),
        (pa.bool_(), [True, True]),
        (pa.date32(), [NEXT, DAY]),
        (pa.timestamp("us", "UTC"), [NOON, NOON]),
        (pa.time64("us"), [NOON.time(), NOON.time()]),
        (pa.time32("s"), [NOON.time(), NOON.time()]),
        (pa.duration("us"), [timedelta(1), timedelta(2)]),
        (pa.decimal128(18, 6), [Decimal(9), Decimal(5)]),
        (pa.string(), ["behind", "shown"]),
        (pa.large_string(), ["behind", "shown"]),
        (pa.binary(), [b"behind", b"shown"]),
    ],
    ids=str,
)
def test_what_lies_behind_a_null_does_not_count(kind: pa.DataType, plain: list[Any]) -> None:
    """Arrow leaves it undefined; a null is a null, and still something else than the value."""
    assert _one(kind, _hidden(kind, plain)) == _one(kind, [None, plain[1]])
    assert _one(kind, [None, plain[1]]) != _one(kind, plain)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("revenue", Decimal("123456789012.123455")),
        ("revenue", None),
        ("revenue", Decimal(0)),
        ("currency", "USD"),
        ("currency", ""),
        ("currency", None),
        ("clicks", 8),
        ("clicks", 0),
        ("clicks", None),
        ("share", 0.250000001),
        ("masked", True),
        ("masked", None),
        ("codes", ["a", "b"]),
        ("codes", ["a", "", "b"]),
        ("codes", []),
        ("codes", None),
        ("seen_on", NEXT),
        ("seen_at", NOON + timedelta(microseconds=1)),
        ("raw", '{"a": "u"}'),
        ("country", None),
        ("country", ""),
        ("campaign", "spring "),
    ],
)
def test_any_other_value_is_another_day(column: str, value: Any) -> None:
    """Each column counts to its last digit; null, zero and empty are three things."""
    assert _hash([row()]) != _hash([row(**{column: value})])


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [
        (pa.string(), [None], [""]),
        (pa.string(), ["ab", "c"], ["a", "bc"]),
        (pa.string(), ["a", None], [None, "a"]),
        (pa.string(), ["a"], ["a", ""]),
        (pa.int64(), [None], [0]),
        (pa.int64(), [0, None], [None, 0]),
        (pa.bool_(), [None], [False]),
        (pa.list_(pa.list_(pa.string())), [[["a", "b"]]], [[["a"], ["b"]]]),
        (pa.list_(pa.string()), [["a", "b"]], [["a,b"]]),
        (pa.list_(pa.string()), [["a"], ["b"]], [["a", "b"], []]),
        (pa.list_(pa.string()), [[None]], [[""]]),
        (pa.list_(pa.string()), [None], [[]]),
        (pa.list_(pa.decimal128(18, 6)), [[Decimal("0.1")]], [[Decimal("0.2")]]),
    ],
    ids=str,
)
def test_columns_that_look_alike_have_hashes_of_their_own(
    kind: pa.DataType, first: list[Any], second: list[Any]
) -> None:
    """Where one value ends and the next begins is part of the content."""
    assert _one(kind, first) != _one(kind, second)


def test_a_value_moved_to_another_row_is_another_day() -> None:
    """The same values in other rows are other facts."""
    first = [row(campaign="a", clicks=1), row(campaign="b", clicks=2)]
    assert _hash(first) != _hash([row(campaign="a", clicks=2), row(campaign="b", clicks=1)])


def test_values_swapped_between_columns_are_another_day() -> None:
    """So are the same values under another name."""
    assert _hash([row(country="x", currency="y")]) != _hash([row(country="y", currency="x")])
    assert _hash([row(country="x", currency=None)]) != _hash([row(country=None, currency="x")])


def test_another_type_or_name_is_another_day() -> None:
    """A table whose declaration changed is stored again."""
    assert len({_one(pa.int64(), [1]), _one(pa.int32(), [1]), _one(pa.string(), ["1"]), _one(pa.float64(), [1.0])}) == 4
    named = Table("t", "T.", (Column("y", pa.int64(), "Y.", nullable=True),))
    assert content_hash(named, pa.table({"y": pa.array([1])})) != _one(pa.int64(), [1])


@given(
    rows=st.lists(
        st.tuples(
            st.text(), st.none() | st.text(), st.none() | st.integers(-(2**63), 2**63 - 1), st.none() | st.booleans()
        ),
        unique_by=lambda each: each[:2],
        max_size=8,
    ),
    data=st.data(),
)
def test_equal_days_and_only_they_have_equal_hashes(rows: list[tuple[Any, ...]], data: st.DataObject) -> None:
    """Any rows: shuffled and cut in chunks they hash alike; with one value changed they do not."""
    plain = [empty_row(campaign=a, country=b, clicks=c, masked=d) for a, b, c, d in rows]
    expected = _hash(plain)
    shuffled = data.draw(st.permutations(plain))
    cut = data.draw(st.integers(0, len(plain)))
    day = TABLE.validated(TABLE.rows(shuffled), DAY)
    assert content_hash(TABLE, pa.concat_tables([day.slice(0, cut), day.slice(cut)])) == expected
    if plain:
        changed = data.draw(st.sampled_from(plain))
        other = 0 if changed["clicks"] is None else None
        assert _hash([{**each, "clicks": other} if each is changed else each for each in plain]) != expected


def test_a_day_without_rows_has_a_hash_of_its_own() -> None:
    """It equals itself and no day with rows."""
    assert _hash([]) == content_hash(TABLE, TABLE.schema.empty_table()) != _hash([row()])


def test_a_day_read_back_from_its_file_has_the_hash_it_landed_with() -> None:
    """Parquet calls the inside of a list otherwise than Arrow does; it is the same list."""
    stored = TABLE.validated(TABLE.rows(ROWS), DAY)
    read = pq.ParquetFile(pa.BufferReader(parquet(stored))).read()
    assert (str(stored.schema.field("codes").type), str(read.schema.field("codes").type)) == (
        "list<item: string>",
        "list<element: string>",
    )
    assert content_hash(TABLE, read) == content_hash(TABLE, stored)
