"""What later readings of a cohort day become: restatements, and figures of how far it moved."""

import random
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from analytics_assets.errors import PermanentError
from analytics_assets.lake.stream import Change
from analytics_assets.sources.airbridge.report_spec import ReportSpec
from analytics_assets.sources.airbridge.restatements import history, restatements_table
from analytics_assets.sources.airbridge.tables import cohorts_table
from analytics_assets.sources.airbridge.transform import typed_days
from analytics_assets_tests.sources.airbridge.days import DAY, LATER, read
from analytics_assets_tests.sources.airbridge.vendor import group, report, spec, sub_row

EARLY = datetime(2026, 3, 3, 12, tzinfo=UTC)
EMPTY = restatements_table(spec()).schema.empty_table()


def change(
    before: dict[str, Sequence[Any]],
    after: dict[str, Sequence[Any]],
    *,
    of: ReportSpec | None = None,
    seen: tuple[datetime, datetime] = (LATER, LATER),
    kept: Any = None,
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Two readings of `DAY`, values by group: the history after the second, and the figures."""
    of = of or spec()
    made = []
    for number, (groups, at) in enumerate(zip((before, after), seen, strict=True)):
        body = report([group([name], sub_row("2026-03-01", *values)) for name, values in groups.items()])
        raw = read([body], of, requested_at=at, task_id=f"t-{number}")[DAY]
        typed = typed_days(DAY, raw.content, of, zone="UTC", currency="EUR")[cohorts_table(of).name]
        made.append((cohorts_table(of).validated(typed.content, DAY), raw))
    (old, _), (new, raw) = made
    held = restatements_table(of).schema.empty_table() if kept is None else restatements_table(of).rows(kept)
    content, figures = history(of, zone="UTC").grown(Change(old, new, held, raw.content, raw.requested_at, seen[0]))
    return restatements_table(of).validated(content, DAY).to_pylist(), figures


def told(channel: str, interval: int, old: Any, new: Any, **more: Any) -> dict[str, Any]:
    """A restatement as it is stored."""
    values = {"old_value": old, "new_value": new}
    return {
        "date": DAY,
        "channel": channel,
        "days_since_start": interval,
        **{name: None if value is None else Decimal(value) for name, value in values.items()},
        "is_masked": False,
        "task_id": "t-1",
        "seen_at": LATER,
        "was_mature": True,
        **more,
    }


def test_every_kind_of_restatement_is_told_with_old_and_new_value() -> None:
    """A value that moved, a group that went, a group that came late; what stayed is not told."""
    found, figures = change({"a": (1, 2, 3), "b": (5, 5, 5)}, {"a": (1, 4, 3), "c": (7, 7, 7)})
    assert found == [
        told("a", 1, 2, 4),
        *(told("b", interval, 5, None) for interval in range(3)),
        *(told("c", interval, None, 7) for interval in range(3)),
    ]
    assert figures == {"restated_values": 7, "mature_values_moved": 7, "values_fell": 0, "d0_moved": 2.0}


def test_reaching_an_interval_is_growth_and_no_restatement() -> None:
    """Two intervals were over at the first reading; only the one that moved among them is told."""
    found, figures = change({"a": (1, "2.10")}, {"a": (1, "1.90", 9)}, seen=(EARLY, LATER))
    assert found == [told("a", 1, "2.10", "1.90", was_mature=False)]
    assert figures == {"restated_values": 1, "values_fell": 1, "d0_moved": 0.0}
    assert change({"a": (1, 2)}, {"a": (1, 2, 9)}, seen=(EARLY, LATER))[0] == []


def test_masked_values_are_kept_with_their_flag_and_never_counted_as_moved() -> None:
    """The vendor blurs them anew with each reading."""
    masked = {"value": 3, "isMasked": True}
    found, figures = change({"a": (5, 6, 7)}, {"a": (masked, 6, 7)})
    assert found == [told("a", 0, 5, 3, is_masked=True)]
    assert figures == {"restated_values": 1, "mature_values_moved": 0, "values_fell": 0, "d0_moved": 0}


def test_ratios_are_not_added_and_may_fall() -> None:
    """Revenue per paying user falls with every small buyer; the largest move of a group is told."""
    found, figures = change(
        {"a": (1, 2, 3), "b": (4, 4, 4)}, {"a": (2, 2, 3), "b": ("1.5", 4, 4)}, of=spec(metric="app_arppu")
    )
    assert [(row["channel"], row["days_since_start"]) for row in found] == [("a", 0), ("b", 0)]
    assert figures == {"restated_values": 2, "mature_values_moved": 2, "d0_largest_move": 2.5}


def test_the_history_keeps_earlier_restatements_and_tells_a_reading_once() -> None:
    """After a crash the same change is found again; made anew with other rules it still tells from the first to the last value."""
    earlier = told("a", 0, 8, 9, task_id="t-0", seen_at=EARLY)
    once, _ = change({"a": (9, 9, 9)}, {"a": (10, 9, 9)}, kept=[earlier])
    assert once == [earlier, told("a", 0, 9, 10)]
    again, _ = change({"a": (9, 9, 9)}, {"a": (10, 9, 9)}, kept=once)
    assert again == once
    other_rules, _ = change({"a": (10, 9, 9)}, {"a": (11, 9, 9)}, kept=once)
    assert other_rules == [earlier, told("a", 0, 9, 11)]


def test_an_emptied_day_is_told_without_a_task() -> None:
    """No row names one then."""
    found, figures = change({"a": (1, 2, 3)}, {})
    assert found == [told("a", number, number + 1, None, task_id=None) for number in range(3)]
    assert figures == {"restated_values": 3, "mature_values_moved": 3, "values_fell": 0, "d0_moved": -1.0}


def test_groups_that_come_to_a_day_read_as_empty_are_told_as_far_as_it_had_been_reached() -> None:
    """On the third of March intervals 0 and 1 were over; that there was nobody then was said, and is no longer so."""
    found, figures = change({}, {"a": (1, 2, 9)}, seen=(EARLY, LATER))
    assert found == [told("a", interval, None, interval + 1, was_mature=False) for interval in range(2)]
    assert figures == {"restated_values": 2, "values_fell": 0, "d0_moved": 1.0}
    found, figures = change({}, {"a": (1, 2, 9)})
    assert found == [told("a", interval, None, value) for interval, value in enumerate((1, 2, 9))]
    assert figures == {"restated_values": 3, "mature_values_moved": 3, "values_fell": 0, "d0_moved": 1.0}


def test_one_reading_keeps_rows_that_its_second_derivation_does_not_change() -> None:
    """`a` was restated by this reading before, `b` is now, and both rows of the reading stay."""
    once, _ = change({"a": (8, 9, 9), "b": (5, 5, 5)}, {"a": (9, 9, 9), "b": (5, 5, 5)})
    both, _ = change({"a": (9, 9, 9), "b": (5, 5, 5)}, {"a": (9, 9, 9), "b": (5, 5, 6)}, kept=once)
    assert both == [told("a", 0, 8, 9), told("b", 2, 5, 6)]


def test_a_value_that_appeared_in_this_reading_keeps_null_as_its_old_value() -> None:
    """Null is the first old value of the reading, so a second derivation does not replace it."""
    late, _ = change({"a": (1, 1, 1)}, {"a": (1, 1, 1), "b": (2, 2, 2)})
    again, _ = change({"a": (1, 1, 1), "b": (2, 2, 2)}, {"a": (1, 1, 1), "b": (3, 2, 2)}, kept=late)
    assert again == [told("b", 0, None, 3), told("b", 1, None, 2), told("b", 2, None, 2)]


@pytest.mark.parametrize("seed", range(20))
def test_the_history_equals_one_kept_row_by_row(seed: int) -> None:
    """A dictionary by key, with the first old value of each reading, gives the same rows."""
    rng, table = random.Random(seed), restatements_table(spec())
    kept = [
        told(name, interval, rng.choice([None, 7]), rng.choice([None, 3]), task_id=f"t-{age}", seen_at=seen_at)
        for age, seen_at in enumerate((LATER, EARLY, LATER - timedelta(seconds=1)))
        for name in "abc"
        for interval in range(3)
        if rng.random() < 0.4
    ]
    before, after = ({name: [rng.randrange(3) for _ in range(3)] for name in rng.sample("abcd", 3)} for _ in range(2))
    fresh, figures = change(before, after)
    expected = {tuple(row[name] for name in table.key): row for row in kept}
    for row in fresh:
        key = tuple(row[name] for name in table.key)
        expected[key] = row | ({"old_value": expected[key]["old_value"]} if key in expected else {})
    found, figures_again = change(before, after, kept=kept)
    assert found == table.validated(table.rows(expected.values()), DAY).to_pylist()
    assert figures_again == figures


def test_kept_rows_are_appended_to_without_becoming_python_objects() -> None:
    """A history of 30,000 rows takes 20 MB as Python objects, and grows with each reading."""
    table, count = restatements_table(spec()), 30_000
    kept = pa.concat_tables([table.rows([told("a", 0, 8, 9, task_id="t-0", seen_at=EARLY)])] * count).combine_chunks()
    kept = kept.set_column(1, "channel", pa.array([f"{number:05}" for number in range(count)], pa.string()))
    new = Change(cohort("a", 1), cohort("a", 2), kept, None, LATER)
    tracemalloc.start()
    content, _ = history(spec(), zone="UTC").grown(new)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (content.num_rows, peak < 2**20) == (count + 1, True)


def test_a_change_without_the_instant_of_its_request_is_refused() -> None:
    """A restatement without a date could not be told from another reading's."""
    undated = replace(Change(cohort("a", 1), cohort("a", 2), EMPTY, None, LATER), requested_at=None)
    with pytest.raises(PermanentError, match=r"does not say when its report was requested.*Materialize revenue_raw"):
        history(spec(), zone="UTC").grown(undated)


def cohort(name: str, first: int) -> pa.Table:
    """The cohorts of one group whose first interval has a value."""
    body = report([group([name], sub_row("2026-03-01", first, 5, 5))])
    raw = read([body], spec())[DAY].content
    return typed_days(DAY, raw, spec(), zone="UTC", currency="EUR")[cohorts_table(spec()).name].content
