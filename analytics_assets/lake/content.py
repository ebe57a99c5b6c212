"""What a table holds, as a hash: the data version of a day.

Two readings of a day with equal content have equal hashes, whenever and however they were read, and whichever version of Arrow or of
Parquet wrote them.
"""

import hashlib
from decimal import Decimal
from itertools import accumulate
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from analytics_assets.lake.table import Table


def content_hash(table: Table, content: pa.Table) -> str:
    """SHA-256 over the content columns of a sorted day, in hexadecimal.

    Arrow leaves the bytes behind a null undefined, pads bits and is free to frame columns otherwise one day, so each column goes in as
    its validity and the plain bytes of its values, zero where there is none.
    """
    digest = hashlib.sha256()
    for name in table.content_names:
        column = content[name].combine_chunks()
        # The declared type: Parquet gives the inside of a list another name than Arrow, and the same list back.
        digest.update(f"{name}:{table.schema.field(name).type}:{len(column)};".encode())
        if pa.types.is_nested(column.type):
            digest.update(msgspec.json.encode(_plain(column)))
            continue
        # As the validity would be, without making it: most columns have no null.
        if column.null_count:
            _add(digest, column.is_valid().cast(pa.int8()))
        else:
            digest.update(b"\x01" * len(column))
        if not pa.types.is_null(column.type):
            _add(digest, _filled(column))
    return digest.hexdigest()


def is_altered(table: Table, content: pa.Table, expected: str) -> bool:
    """True if a file with the columns its table declares holds other content than the hash in its footer is of.

    A file of an earlier definition has other columns and is not judged.
    """
    types = {field.name: field.type for field in table.schema}
    held = {field.name: field.type for field in content.schema}
    if not held.keys() <= types.keys() or any(held.get(name) != types[name] for name in table.content_names):
        return False
    return content_hash(table, content) != expected


def _plain(column: pa.Array) -> list[Any]:
    """What `to_pylist` gives, made level by level and without a scalar of Arrow's for each value: that takes a twentieth of the time."""
    if column.null_count == len(column):
        return [None] * len(column)
    if pa.types.is_struct(column.type):
        fields = [_plain(field) for field in column.flatten()]
        names = column.type.names
        held: list[Any] = [dict(zip(names, values, strict=True)) for values in zip(*fields, strict=True)]
    elif pa.types.is_list(column.type):
        # Slices of a tuple: the collector need not follow what holds nothing but texts.
        inside, lengths = tuple(_plain(column.flatten())), _plain(pc.list_value_length(column).fill_null(0))
        held = [inside[end - length : end] for length, end in zip(lengths, accumulate(lengths), strict=True)]
    elif _is_text(column.type) or (pa.types.is_integer(column.type) and not column.null_count):
        return list(column.to_numpy(zero_copy_only=False).tolist())
    else:
        return list(column.to_pylist())
    if not column.null_count:
        return held
    is_there = _plain(column.is_valid().cast(pa.int8()))
    return [value if there else None for value, there in zip(held, is_there, strict=True)]


def _filled(column: pa.Array) -> pa.Array:
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    if not column.null_count:
        return column
    if _is_text(column.type):
        return pc.fill_null(column, pa.scalar(b"").cast(column.type))
    if pa.types.is_decimal(column.type):
        return pc.fill_null(column, pa.scalar(Decimal(0), column.type))
    zero = pa.scalar(0, pa.int32() if column.type in (pa.date32(), pa.time32("s"), pa.time32("ms")) else pa.int64())
    return pc.fill_null(column, zero.cast(column.type))


def _add(digest: "hashlib._Hash", column: pa.Array) -> None:
    """Adds a column without nulls: of texts the lengths and then the letters, of anything else the values."""
    if not len(column):
        return
    if not _is_text(column.type):
        width = column.type.bit_width // 8
        digest.update(column.buffers()[1].slice(column.offset * width, len(column) * width))
        return
    _, offsets, letters = column.buffers()
    lengths = pc.binary_length(column)
    _add(digest, lengths)
    if letters is not None:
        ends = memoryview(offsets).cast("q" if lengths.type == pa.int64() else "i")
        first, end = ends[column.offset], ends[column.offset + len(column)]
        digest.update(letters.slice(first, end - first))


def _is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
    )
