"""Rows of a day of definitions that was not observed: what other observations prove. Pure; `observations.py` reads them from the lake."""

from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

Key = tuple[str, str]


def proven(rows: pa.Table, *, start: datetime, end: datetime) -> pa.Table:
    """The rows that show a metric of the day: observed within it, or observed after it and created before its end.

    An unknown creation time counts as before the end.
    """
    observed_at = rows["observed_at"]
    is_within = pc.and_(pc.greater_equal(observed_at, _instant(start)), pc.less(observed_at, _instant(end)))
    is_after = pc.greater_equal(observed_at, _instant(end))
    is_older = pc.fill_null(pc.less(rows["created_at"], _instant(end)), fill_value=True)
    return rows.filter(pc.or_(is_within, pc.and_(is_after, is_older)))


def created_before(rows: pa.Table, moment: datetime) -> pa.Table:
    """The rows whose metric is known to have been created before an instant."""
    return rows.filter(pc.fill_null(pc.less(rows["created_at"], _instant(moment)), fill_value=False))


def keys(rows: pa.Table) -> set[Key]:
    """Event and metric of each row."""
    return set(_keys(rows))


def first_of_each(tables: Sequence[pa.Table], known: set[Key] | None = None) -> pa.Table:
    """Rows of several tables; an event and metric that an earlier table has, or `known`, is left out of the later ones."""
    taken = set(known or ())
    parts = []
    for rows in tables:
        parts.append(rows.filter(pa.array([key not in taken for key in _keys(rows)], pa.bool_())) if taken else rows)
        taken |= keys(parts[-1])
    return pa.concat_tables(parts)


def _keys(rows: pa.Table) -> list[Key]:
    return list(zip(rows["event_name"].to_pylist(), rows["metric_id"].to_pylist(), strict=True))


def _instant(moment: datetime) -> pa.Scalar:
    return pa.scalar(moment, pa.timestamp("us", tz="UTC"))
