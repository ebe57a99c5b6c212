"""What was told is remembered: causes open once, failed runs taken in once, messages until they have arrived."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from analytics_assets.state.database import alert_causes, alert_messages, alert_runs, engine
from analytics_assets.state.outbox import Message, Outbox
from analytics_assets.state.requests import as_text
from analytics_assets.state.told import OpenCause, Sighting, Told

NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A new database."""
    return f"sqlite:///{tmp_path}/state.db"


def seen(key: str, run: str | None = None, day: str | None = None, after: int = 0) -> Sighting[str]:
    """A cause that was seen, in a failed run perhaps."""
    missing = {"shop/a": {day: after}} if day else {}
    return Sighting(key, "failure" if run else "check", f"title of {key}", f"what {run}", run, missing)


def take_in(
    url: str, *sightings: Sighting[str], over: Sequence[str] = (), at: datetime = NOW, runs: Sequence[str] | None = None
) -> tuple[list[tuple[int | None, list[Any]]], list[str]]:
    """Takes a look in; what was told, by how often it was seen before, and what was over."""
    said: list[tuple[int | None, list[Any]]] = []
    ended: list[str] = []

    def tell(due: Sequence[tuple[OpenCause | None, Sequence[Any]]], gone: Sequence[OpenCause]) -> list[Message]:
        said.extend((before.times if before else None, list(what)) for before, what in due)
        ended.extend(cause.key for cause in gone)
        return [Message(str(what), "", "failure") for _, what in due]

    of_sightings = {one.run for one in sightings if one.run}
    Told(url).take_in(
        sightings,
        runs=dict.fromkeys(of_sightings if runs is None else runs, at),
        over=over,
        destinations=["A", "B"],
        repeat=DAY,
        now=at,
        tell=tell,
    )
    return said, ended


def test_what_stands_is_told_once_a_day_until_it_is_over(url: str) -> None:
    """Then it is a new cause."""
    assert take_in(url, seen("a")) == ([(None, ["what None"])], [])
    assert take_in(url, seen("a"), at=NOW + DAY / 2) == ([], [])
    assert take_in(url, seen("a"), at=NOW + DAY) == ([(1, ["what None"])], [])
    assert take_in(url, seen("a"), at=NOW + 1.5 * DAY) == ([], [])
    assert take_in(url, over=["a", "unheard"], at=NOW + 1.6 * DAY) == ([], ["a"])
    assert take_in(url, over=["a"], at=NOW + 1.6 * DAY) == ([], [])
    assert take_in(url, seen("a"), at=NOW + 1.7 * DAY) == ([(None, ["what None"])], [])


def test_a_failed_run_is_taken_in_once_and_counted(url: str) -> None:
    """Two processes that saw the same run tell it once; what is missing is put together, the later position counting."""
    assert take_in(url, seen("a", "r1", "d1", 5), seen("a", "r2", "d2", 7)) == ([(None, ["what r1", "what r2"])], [])
    assert take_in(url, seen("a", "r1", "d1", 5), seen("b", "r1")) == ([], [])
    assert take_in(url, seen("a", "r3", "d1", 9)) == ([], [])
    [cause] = Told(url).open_causes()
    assert cause == OpenCause("a", "failure", "title of a", 3, NOW, NOW, NOW, {"shop/a": {"d1": 9, "d2": 7}})
    assert take_in(url, seen("a", "r4"), at=NOW + DAY) == ([(3, ["what r4"])], [])


def test_runs_without_a_cause_are_remembered_too(url: str) -> None:
    """Or they would be looked at in every tick."""
    take_in(url, runs=["r1"])
    assert Told(url).taken_in(["r1", "r2"]) == {"r1"}


def test_the_first_look_begins_with_now_and_later_ones_overlap(url: str) -> None:
    """By an hour, because clocks differ; never before the first look."""
    told = Told(url)
    assert told.failures_since(now=NOW) == NOW
    take_in(url, runs=["r1"], at=NOW + timedelta(minutes=10))
    assert told.failures_since(now=NOW + DAY) == NOW
    take_in(url, runs=["r2"], at=NOW + timedelta(hours=5))
    assert told.failures_since(now=NOW + DAY) == NOW + timedelta(hours=4)


def test_a_cause_is_open_once_whatever_a_program_believes(url: str) -> None:
    """The database refuses a second row."""
    take_in(url, seen("a"))
    with engine(url).connect() as connection:
        row = connection.execute(select(alert_causes)).mappings().one()
    values = {name: value for name, value in row.items() if name != "id"}
    with pytest.raises(IntegrityError), engine(url).begin() as connection:
        connection.execute(insert(alert_causes).values(**values))


def test_a_message_is_held_by_one_sender_until_it_has_arrived_or_its_time_is_up(url: str) -> None:
    """Each destination has its own; one that was refused comes back when it is due, after those that were not tried."""
    take_in(url, seen("a"), seen("b"))
    outbox = Outbox(url)
    first, second = (outbox.take("A", now=NOW) for _ in range(2))
    assert first is not None
    assert second is not None
    assert outbox.take("A", now=NOW) is None
    assert (first.message.title, second.message.title, first.tries) == ("['what None']", "['what None']", 1)
    outbox.arrived(first.id, now=NOW)
    outbox.failed(second.id, "It was refused.", next_try_at=NOW + timedelta(minutes=1))
    assert outbox.troubles() == {"A": "1 tried in vain; It was refused."}
    assert outbox.take("A", now=NOW) is None
    again = outbox.take("A", now=NOW + timedelta(minutes=1))
    assert again is not None
    assert (again.id, again.tries) == (second.id, 2)
    # This sender dies.
    assert outbox.take("A", now=NOW + timedelta(minutes=2)) is None
    assert outbox.take("A", now=NOW + timedelta(minutes=3)) is not None
    assert outbox.take("B", now=NOW) is not None


def test_a_clock_that_was_set_back_delays_no_message_beyond_its_longest_pause(url: str) -> None:
    """One that was put or tried by the clock from before is due at once; one that waits for its next try still waits."""
    outbox, ahead = Outbox(url), NOW + timedelta(hours=2)
    take_in(url, seen("a"), at=ahead)
    held = outbox.take("A", now=NOW)
    assert held is not None
    outbox.failed(held.id, "busy", next_try_at=NOW + timedelta(hours=1))
    assert outbox.take("A", now=NOW) is None


@pytest.mark.parametrize("ahead", [DAY, 400 * DAY])
def test_a_clock_that_was_set_back_keeps_no_cause_from_being_repeated(url: str, ahead: timedelta) -> None:
    """It is due again when its last message is of a day or more ahead."""
    take_in(url, seen("a"), at=NOW + ahead)
    assert take_in(url, seen("a")) == ([(1, ["what None"])], [])
    assert take_in(url, seen("a"), at=NOW + DAY / 2) == ([], [])


def test_what_waits_for_a_destination_that_is_gone_is_dropped(url: str) -> None:
    """When it is named again one day it gets no old news."""
    take_in(url, seen("a"))
    Told(url).take_in([], runs={}, over=[], destinations=["B"], repeat=DAY, now=NOW, tell=lambda _due, _over: [])
    assert [Outbox(url).take(name, now=NOW) is None for name in "AB"] == [True, False]


def test_old_rows_do_not_pile_up(url: str) -> None:
    """After a month nothing is left of what is over; a failure nobody has seen since is forgotten, the newest run is not."""
    take_in(url, seen("a", "r1"), seen("b"))
    outbox = Outbox(url)
    for name in "AABB":
        held = outbox.take(name, now=NOW)
        assert held is not None
        outbox.arrived(held.id, now=NOW)
    take_in(url, over=["b"])
    take_in(url, at=NOW + timedelta(days=31), runs=["r2"])
    take_in(url, at=NOW + timedelta(days=62))
    with engine(url).connect() as connection:
        left = [connection.execute(select(table)).all() for table in (alert_causes, alert_messages, alert_runs)]
    assert left == [[], [], [("r2", as_text(NOW + timedelta(days=31)))]]
