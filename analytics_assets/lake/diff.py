"""Difference between two loads of a day: rows matched by key, and the change of each sum that the table declares."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from analytics_assets.lake.table import Sum, Table


@dataclass(frozen=True)
class Matched:
    """Rows of two readings of a day, matched by key; all are row numbers.

    Attributes:
        before: Rows of the earlier reading that the later one has too.
        after: The same rows in the later one, in the same order.
        removed: Rows of the earlier reading alone.
        added: Rows of the later reading alone.
    """

    before: pa.Array
    after: pa.Array
    removed: pa.Array
    added: pa.Array


def matched(key: Sequence[str], before: pa.Table, after: pa.Table) -> Matched:
    """Matches the rows of two readings by key, null being equal to null, which it is not in a join."""
    for name in (one for one in key if before[one].null_count or after[one].null_count):
        chunks = [*before[name].chunks, *after[name].chunks]
        codes = pa.chunked_array(chunks).combine_chunks().dictionary_encode(null_encoding="encode").indices
        before = before.set_column(before.schema.get_field_index(name), name, codes[: before.num_rows])
        after = after.set_column(after.schema.get_field_index(name), name, codes[before.num_rows :])
    joined = (
        _numbered(key, before, "_before")
        .join(_numbered(key, after, "_after"), keys=list(key), join_type="full outer")
        .combine_chunks()
    )
    both = joined.filter(pc.and_(joined["_before"].is_valid(), joined["_after"].is_valid())).sort_by("_after")
    removed = joined.filter(joined["_after"].is_null()).sort_by("_before")
    added = joined.filter(joined["_before"].is_null()).sort_by("_after")
    return Matched(both["_before"], both["_after"], removed["_before"], added["_after"])


def compare(table: Table, before: pa.Table, after: pa.Table) -> dict[str, Any]:
    """Figures of a day that changed.

    `rows_changed`, `rows_added` and `rows_removed` where the table has a key. `<column>_change` for each column of the table's sums: the
    new sum minus the old, by the values of `Sum.per`. A group has a figure only if both loads have it with complete, known numbers.
    """
    changes = {
        f"{name}_change": _sum_changes(total, name, before, after) for total in table.sums for name in total.columns
    }
    return {**_row_counts(table, before, after), **{name: change for name, change in changes.items() if change}}


def _row_counts(table: Table, before: pa.Table, after: pa.Table) -> dict[str, int]:
    if not table.key:
        return {}
    rows = matched(table.key, before, after)
    old, new = before.take(rows.before), after.take(rows.after)
    differs = pa.chunked_array([pa.repeat(pa.scalar(value=False), old.num_rows)])
    for name in set(table.content_names) - set(table.key):
        differs = pc.or_(differs, differing(old[name], new[name]))
    return {
        "rows_changed": pc.sum(differs).as_py() or 0,
        "rows_added": len(rows.added),
        "rows_removed": len(rows.removed),
    }


def differing(old: pa.ChunkedArray, new: pa.ChunkedArray) -> pa.ChunkedArray:
    """Where two columns differ; null is equal to null and to nothing else."""
    if pa.types.is_nested(old.type):
        return pa.chunked_array([[a != b for a, b in zip(old.to_pylist(), new.to_pylist(), strict=True)]], pa.bool_())
    return pc.or_(pc.not_equal(old, new).fill_null(False), pc.xor(old.is_null(), new.is_null()))


def _sum_changes(total: Sum, column: str, before: pa.Table, after: pa.Table) -> dict[str, int]:
    old, new = _known_sums(total, column, before), _known_sums(total, column, after)
    return {group: new[group] - old[group] for group in sorted(old.keys() & new.keys())}


def _known_sums(total: Sum, column: str, rows: pa.Table) -> dict[str, int]:
    """Sums by group. A group with an unknown or incomplete number has none."""
    sums, unknown = dict[str, int](), set[str]()
    for row in rows.to_pylist():
        if total.only and not row[total.only]:
            continue
        group = "/".join(str(row[name]) for name in total.per)
        if row[column] is None or (total.incomplete and row[total.incomplete]):
            unknown.add(group)
        else:
            sums[group] = sums.get(group, 0) + row[column]
    return {group: number for group, number in sums.items() if group not in unknown}


def _numbered(key: Sequence[str], table: pa.Table, name: str) -> pa.Table:
    return table.select(list(key)).append_column(name, pa.array(range(table.num_rows), pa.int64()))
