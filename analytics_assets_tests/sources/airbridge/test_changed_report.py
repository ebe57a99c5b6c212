"""A report that requests something else under its old name: its days are stored, and nobody is said to have corrected them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from analytics_assets.lake.raw import RawDay
from analytics_assets.lake.store import Lake
from analytics_assets.lake.stream import DayFetcher, Stream
from analytics_assets.sources.airbridge.report_spec import ReportSpec, spec_hash
from analytics_assets.sources.airbridge.restatements import history, restatements_table
from analytics_assets.sources.airbridge.tables import cohorts_table, daily_tables
from analytics_assets.sources.airbridge.transform import typed_days
from analytics_assets_tests.lake.vendor import NOW, brought
from analytics_assets_tests.sources.airbridge.days import DAY, read
from analytics_assets_tests.sources.airbridge.vendor import group, report, spec, sub_row


async def stored(lake: Lake, of: ReportSpec, number: int, *groups: Sequence[Any]) -> tuple[dict[str, Any], list[Any]]:
    """A reading in which each group, its values first, has these cells: what is said of a move, and the restatements."""
    asked_at, (raw, *typed) = NOW + timedelta(hours=number), daily_tables(of)

    async def fetch(_day: date) -> RawDay:
        body = report([group(names, sub_row(str(DAY), *cells)) for names, *cells in groups])
        return read([body], of, requested_at=asked_at)[DAY]

    stream = Stream(
        account="shop",
        raw=raw,
        typed=typed,
        request_hash=lambda _day: spec_hash(of),
        transform=lambda day, content: typed_days(day, content, of, zone="UTC", currency="EUR"),
        final_at=lambda _day: datetime(2026, 3, 2, tzinfo=UTC),
        history=history(of, zone="UTC"),
    )
    table = restatements_table(of)
    selected = {one.name for one in (raw, *typed, table)}
    [result] = await brought(lake, stream, [DAY], DayFetcher(fetch), attempt_group=str(number), selected=selected)
    assert result.error is None
    said = result.figures[cohorts_table(of).name]
    told = {name: said[name] for name in ("question_changed", "history_begins_anew", "restated_values") if name in said}
    rows = lake.read("shop", table, [DAY]).select([*table.key[1:], "old_value", "new_value"]).to_pylist()
    return told, [tuple(row.values()) for row in rows]


@pytest.mark.parametrize(
    ("other", "first", "second", "kept"),
    [
        (
            {"return_events": ("app_subscribe",)},
            (["a"], 0, 0, 0),
            (["a"], 0, 0, 5),
            [("a", 2, 3.5, 4.5), ("a", 2, 0, 5)],
        ),
        ({"group_by": ("channel", "campaign")}, (["a", "x"], 1, 2, 4), (["a", "x"], 1, 2, 5), [("a", "x", 2, 4, 5)]),
        ({"metric": "app_user_count"}, (["a"], 7, 8, 9), (["a"], 7, 8, 10), [("a", 2, 9, 10)]),
    ],
    ids=["other events", "more fields", "another type"],
)
async def test_the_first_answer_to_another_question_is_no_restatement_and_the_next_one_may_be(
    tmp_path: Path, other: dict[str, Any], first: Any, second: Any, kept: list[Any]
) -> None:
    """What earlier readings had restated stays where the table can still hold it."""
    lake, changed = Lake(str(tmp_path)), spec(**other)
    assert await stored(lake, spec(), 0, (["a"], 1, 2, "3.5")) == ({}, [])
    assert await stored(lake, spec(), 1, (["a"], 1, 2, "4.5")) == ({"restated_values": 1}, [("a", 2, 3.5, 4.5)])
    is_kept = len(kept) > 1
    told, rows = await stored(lake, changed, 2, first)
    assert told == {"question_changed": True, **({} if is_kept else {"history_begins_anew": True})}
    assert rows == ([("a", 2, 3.5, 4.5)] if is_kept else [])
    told, rows = await stored(lake, changed, 3, second)
    assert told == {"restated_values": 1}
    assert rows == kept
