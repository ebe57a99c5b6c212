"""A response that equals the stored day leaves every file as it is; its request is recorded in the state database, and read there."""

import asyncio
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from analytics_assets.errors import PermanentError, TransientError
from analytics_assets.lake.confirmations import last_request
from analytics_assets.lake.files import Staged
from analytics_assets.lake.footer import Footer
from analytics_assets.lake.load import DayResult
from analytics_assets.lake.parquet import parquet
from analytics_assets.lake.store import Lake, Packed, StoredDay
from analytics_assets.lake.table import Column
from analytics_assets.orchestration.lake_binding import StateConfirmations
from analytics_assets_tests.lake.vendor import (
    NOW,
    NUMBERS,
    RAW,
    START,
    Vendor,
    brought,
    days,
    numbers,
    outcomes,
)

ALL = "numbers numbers_raw sums"
WANTED = days(2)
HOUR = timedelta(hours=1)
STORED = Footer("content", "v1", "first", NOW)


@pytest.fixture(params=["disk", "bucket"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the lake is."""
    return str(tmp_path / "lake") if request.param == "disk" else f"memory://lake-{uuid.uuid4().hex}"


@pytest.fixture
def opened(root: str, tmp_path: Path) -> Callable[..., Lake]:
    """Opens the lake as a process does, with its state database or with a new one."""

    def opened(*, state: str = "state", lake: type[Lake] = Lake) -> Lake:
        made = lake(root)
        made.confirmations = StateConfirmations(made.files, f"sqlite:///{tmp_path}/{state}.db")
        return made

    return opened


def files(lake: Lake) -> dict[str, tuple[str | None, bytes]]:
    """Mark and bytes of every file of a day."""
    paths = [str(path) for path in lake.files.under(f"{lake.root}/shop")]
    return {path: (lake.files.mark(path), lake.files.fs.cat_file(path)) for path in paths}


def load(
    lake: Lake, hours: int, attempt_group: str, *bodies: str, **changes: Any
) -> tuple[list[DayResult], list[date]]:
    """Loads the days so many hours later; the results, and the days that were requested."""
    answers: dict[date, list[str] | Exception] = {day: list(bodies) for day in WANTED} if bodies else {}
    vendor = Vendor(answers, requested_at=NOW + hours * HOUR)
    stream = vendor.stream(
        **{name: changes.pop(name) for name in ("request_hash", "transform", "remarks") if name in changes}
    )
    results = asyncio.run(brought(lake, stream, WANTED, attempt_group=attempt_group, **changes))
    assert outcomes(results) == {str(day): ALL for day in WANTED}
    return results, vendor.asked


def last(lake: Lake) -> tuple[str, datetime | None]:
    """Attempt group and instant of the last request of the first day."""
    stored = lake.stored_day("shop", "numbers_raw", START)
    assert stored is not None
    footer = lake.last_request("shop", "numbers_raw", START, stored.footer)
    return footer.attempt_group, footer.requested_at


def test_an_equal_response_writes_no_file_and_counts_as_the_last_request(opened: Callable[..., Lake]) -> None:
    """Mark, instant and bytes of every file stay; the results say when the day was requested now."""
    load(opened(), 0, "first")
    before = files(opened())
    results, asked = load(opened(), 1, "second")
    assert (asked, files(opened())) == (WANTED, before)
    assert {stored.is_changed for result in results for stored in result.tables.values()} == {False}
    assert {result.requested_at for result in results} == {NOW + HOUR}
    assert last(opened()) == ("second", NOW + HOUR)


def test_an_attempt_asks_for_nothing_that_was_confirmed_for_it_or_since_it_began(opened: Callable[..., Lake]) -> None:
    """A re-execution of the attempt that confirmed, and one of an attempt that began before; a new run requests again."""
    load(opened(), 0, "first")
    load(opened(), 2, "second")
    assert load(opened(), 3, "second")[1] == []
    assert load(opened(), 3, "third", since=NOW + HOUR)[1] == []
    assert load(opened(), 3, "third", since=NOW + 2 * HOUR + timedelta(seconds=1))[1] == WANTED
    assert load(opened(), 4, "fourth")[1] == WANTED


def test_typed_tables_alone_say_when_their_raw_day_was_confirmed(opened: Callable[..., Lake]) -> None:
    """They are made without a request."""
    load(opened(), 0, "first")
    load(opened(), 1, "second")
    changes: dict[str, Any] = {"selected": {"numbers", "sums"}}
    results = asyncio.run(brought(opened(), Vendor().stream(), WANTED, attempt_group="third", **changes))
    assert {result.requested_at for result in results} == {NOW + HOUR}


def test_a_lost_state_database_costs_one_more_request(opened: Callable[..., Lake]) -> None:
    """The new one confirms the days again; no file is written for it."""
    load(opened(), 0, "first")
    load(opened(), 1, "second")
    before = files(opened())
    assert last(opened(state="new")) == ("first", NOW)
    assert load(opened(state="new"), 2, "second")[1] == WANTED
    assert load(opened(state="new"), 3, "second")[1] == []
    assert files(opened()) == before


def test_a_confirmation_of_replaced_content_counts_no_more(opened: Callable[..., Lake]) -> None:
    """The new file has an instant of its own; when the earlier content comes back, so has that."""
    load(opened(), 0, "first")
    load(opened(), 1, "second")
    load(opened(), 2, "third", "7")
    assert last(opened()) == ("third", NOW + 2 * HOUR)
    assert load(opened(), 3, "second", "7")[1] == WANTED
    load(opened(), 4, "fourth")
    assert last(opened()) == ("fourth", NOW + 4 * HOUR)


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, True),
        ({"requested_at": NOW}, True),
        ({"requested_at": NOW - HOUR}, False),
        ({"requested_at": None}, False),
        ({"content_hash": "other"}, False),
        ({"request_hash": "v2"}, False),
        ({"is_sandbox": True}, False),
    ],
)
def test_a_confirmation_counts_for_what_it_confirmed(changes: dict[str, Any], *, counts: bool) -> None:
    """The same content, request and mode, and not before the file."""
    confirmation = msgspec.structs.replace(STORED, attempt_group="later", requested_at=NOW + HOUR)
    confirmation = msgspec.structs.replace(confirmation, **changes)
    found = last_request(STORED, confirmation)
    assert (found.attempt_group == "later", found.requested_at == confirmation.requested_at) == (
        (True, True) if counts else (False, confirmation.requested_at == NOW)
    )
    assert last_request(msgspec.structs.replace(STORED, emptied_at=NOW), confirmation).attempt_group == "first"
    assert last_request(STORED, None) == STORED


def test_confirmations_of_another_lake_count_for_nothing(opened: Callable[..., Lake], tmp_path: Path) -> None:
    """Both lakes hold the same days and share the state database; only one was requested again."""
    other = Lake(str(tmp_path / "other"))
    other.confirmations = StateConfirmations(other.files, f"sqlite:///{tmp_path}/state.db")
    for lake in (opened(), other):
        load(lake, 0, "first")
    load(opened(), 1, "second")
    assert (last(opened())[0], last(other)[0]) == ("second", "first")
    assert load(other, 2, "second")[1] == WANTED


@pytest.mark.parametrize(
    "changes",
    [
        {"request_hash": lambda _day: "v2"},
        {"remarks": lambda content: max(content["requested_at"].to_pylist())},
        {
            "transform": lambda day, raw: {
                **numbers(day, raw),
                "sums": numbers(day, pa.concat_tables([raw, raw]))["sums"],
            }
        },
    ],
    ids=["another request", "other remarks", "other typed rows"],
)
def test_a_day_that_differs_in_anything_else_is_stored_again(
    opened: Callable[..., Lake], changes: dict[str, Any]
) -> None:
    """The raw file then has the new instant itself."""
    load(opened(), 0, "first")
    results, _ = load(opened(), 1, "second", **changes)
    footers = [result.tables["numbers_raw"].footer for result in results]
    assert [(footer.attempt_group, footer.requested_at) for footer in footers] == [("second", NOW + HOUR)] * 2


def test_numbers_of_the_other_mode_are_never_confirmed(opened: Callable[..., Lake]) -> None:
    """Equal rows of a sandbox are refused as ever, or moved to the quarantine; the live file has an instant of its own."""
    load(opened(), 0, "first", is_sandbox=True)
    load(opened(), 2, "second", is_sandbox=True)
    before = files(opened())
    vendor = Vendor(requested_at=NOW + 3 * HOUR)
    refused = asyncio.run(brought(opened(), vendor.stream(), WANTED, attempt_group="second"))
    assert {type(result.error) for result in refused} == {PermanentError}
    assert (vendor.asked, files(opened())) == ([], before)
    results, asked = load(opened(), 1, "second", replaces_other_mode=True)
    assert (asked, {result.tables["numbers_raw"].is_changed for result in results}) == (WANTED, {True})
    assert last(opened()) == ("second", NOW + HOUR)


def test_a_snapshot_is_stored_with_each_observation(opened: Callable[..., Lake]) -> None:
    """Its instant is data."""
    for hours in (0, 1):
        stream = Vendor(requested_at=NOW + hours * HOUR).stream(final_at=None)
        [result] = asyncio.run(brought(opened(), stream, [START], attempt_group=str(hours)))
        assert all(stored.is_changed for stored in result.tables.values())
    assert opened().read("shop", RAW)["requested_at"].to_pylist() == [NOW + HOUR]


def test_a_lake_without_a_place_for_confirmations_keeps_the_instant_in_the_file(root: str) -> None:
    """So it is never requested for ever."""
    for hours, attempt_group in enumerate(["first", "second"]):
        load(Lake(root), hours, attempt_group)
    assert last(Lake(root)) == ("second", NOW + HOUR)
    assert load(Lake(root), 2, "second")[1] == []


def test_a_file_with_the_columns_of_an_earlier_definition_is_stored_again(opened: Callable[..., Lake]) -> None:
    """Its content is equal as far as it goes, but the new column would stay null for ever."""
    load(opened(), 0, "first")
    note = Column("note", pa.string(), "A column declared later.", nullable=True, is_observation=True)
    later = replace(RAW, columns=(*RAW.columns, note))
    vendor = Vendor(requested_at=NOW + HOUR)

    async def fetch(day: date) -> Any:
        raw = await vendor.fetch(day)
        content = raw.content.append_column("note", pa.array(["new"] * len(raw.content)))
        return replace(raw, content=content)

    for hours, is_changed in ((1, True), (2, False)):
        vendor.requested_at = NOW + hours * HOUR
        stream = vendor.stream(raw=later, fetch=fetch)
        results = asyncio.run(brought(opened(), stream, WANTED, attempt_group=str(hours)))
        assert [result.tables["numbers_raw"].is_changed for result in results] == [is_changed] * 2
    assert opened().read("shop", later)["note"].to_pylist() == ["new", "new"]


@pytest.mark.parametrize("is_altered", [False, True], ids=["broken page", "other rows under the same footer"])
def test_a_file_that_is_not_whole_is_stored_again(opened: Callable[..., Lake], *, is_altered: bool) -> None:
    """Its footer alone would have said that nothing changed."""
    load(opened(), 0, "first")
    lake = opened()
    path = lake.path("shop", "numbers_raw", START)
    whole = lake.files.fs.cat_file(path)
    with lake.place("shop", "numbers_raw", START).opened() as (file, _):
        metadata, rows = file.metadata.metadata, file.read()
    if is_altered:
        rows = rows.set_column(2, "body", pa.array(["8"]))
        lake.files.put(path, parquet(rows, metadata))
    else:
        lake.files.put(path, whole[:20] + bytes(8) + whole[28:])
    load(opened(), 1, "second")
    assert opened().read("shop", RAW, [START])["body"].to_pylist() == ["1"]
    assert last(opened()) == ("second", NOW + HOUR)


class Interrupted(Lake):
    """A lake that calls something once, before it publishes or confirms the raw file of the first day."""

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.call: Callable[[], object] | None = None

    def _interrupt(self, packed: Packed) -> None:
        if packed.footer.table == "numbers_raw" and self.call is not None:
            call, self.call = self.call, None
            call()

    def publish(self, packed: Packed, staged: Staged, *, unchanged: Mapping[str, str | None]) -> StoredDay:
        """As any lake, interrupted once."""
        if packed.file is not None:
            self._interrupt(packed)
        return super().publish(packed, staged, unchanged=unchanged)

    def confirm(self, packed: Packed) -> None:
        """As any lake, interrupted once."""
        self._interrupt(packed)
        super().confirm(packed)


def interrupted(opened: Callable[..., Lake], call: Callable[[], object]) -> Lake:
    """A process that sleeps while another one works."""
    lake = opened(lake=Interrupted)
    assert isinstance(lake, Interrupted)
    lake.call = call
    return lake


def test_a_sleeping_writer_replaces_nothing_that_was_confirmed_after_its_request(opened: Callable[..., Lake]) -> None:
    """Its response is of 13:00; at 14:00 another process was told the stored content again."""
    load(opened(), 0, "first")
    before = files(opened())
    sleeping = interrupted(opened, lambda: load(opened(), 2, "awake"))
    load(sleeping, 1, "asleep", "7")
    assert (files(opened()), last(opened())) == (before, ("awake", NOW + 2 * HOUR))


def test_an_earlier_response_is_not_used_after_a_confirmation(opened: Callable[..., Lake]) -> None:
    """Also where it begins to be stored only then."""
    load(opened(), 0, "first")
    load(opened(), 2, "second")
    before = files(opened())
    load(opened(), 1, "third", "7")
    load(opened(), 1, "fourth")
    assert (files(opened()), last(opened())) == (before, ("second", NOW + 2 * HOUR))


def test_nothing_is_confirmed_that_another_process_has_replaced(opened: Callable[..., Lake]) -> None:
    """The later response stays, and the sleeping one, whose content was equal, is not recorded for it."""
    load(opened(), 0, "first")
    sleeping = interrupted(opened, lambda: load(opened(), 2, "awake", "7"))
    results, _ = load(sleeping, 1, "asleep")
    assert opened().read("shop", NUMBERS)["number"].to_pylist() == [7, 7]
    # What Dagster is told of is what is stored.
    assert [stored.footer for stored in results[0].tables.values()] == [
        stored.footer for name in results[0].tables if (stored := opened().stored_day("shop", name, START))
    ]
    assert last(opened()) == ("awake", NOW + 2 * HOUR)


def test_a_kill_before_the_confirmation_costs_one_more_request(opened: Callable[..., Lake]) -> None:
    """The files stand; the next attempt of the same group requests the day again, and then never."""
    load(opened(), 0, "first")
    before = files(opened())

    def killed() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(interrupted(opened, killed), 1, "second")
    assert (files(opened()), last(opened())) == (before, ("first", NOW))
    assert load(opened(), 2, "second")[1] == WANTED
    assert load(opened(), 3, "second")[1] == []


def test_a_state_database_that_fails_fails_the_day_in_words(opened: Callable[..., Lake], tmp_path: Path) -> None:
    """A day that could not be confirmed would be requested by each re-execution, unseen."""
    load(opened(), 0, "first")

    class Failing(StateConfirmations):
        def write(self, account: str, table: str, day: date, footer: Footer) -> None:
            """Fails for the first day."""
            if day == START:
                raise TransientError("The state database does not work.")
            super().write(account, table, day, footer)

    lake = opened()
    lake.confirmations = Failing(lake.files, f"sqlite:///{tmp_path}/state.db")
    results = asyncio.run(brought(lake, Vendor(requested_at=NOW + HOUR).stream(), WANTED, attempt_group="second"))
    assert [str(result.error) for result in results] == ["The state database does not work.", "None"]


class Counting:
    """Counts the calls of a place for confirmations."""

    def __init__(self, within: StateConfirmations) -> None:
        self.within, self.reads, self.writes = within, 0, 0

    def read(self, account: str, table: str, days: Collection[date]) -> Mapping[date, Footer]:
        """As the place."""
        self.reads += 1
        return self.within.read(account, table, days)

    def write(self, account: str, table: str, day: date, footer: Footer) -> None:
        """As the place."""
        self.writes += 1
        self.within.write(account, table, day, footer)


def test_a_load_reads_once_and_a_first_one_records_nothing(opened: Callable[..., Lake], tmp_path: Path) -> None:
    """New files say themselves when they were requested."""
    lake = opened()
    lake.confirmations = counting = Counting(StateConfirmations(lake.files, f"sqlite:///{tmp_path}/state.db"))
    load(lake, 0, "first")
    assert (counting.reads, counting.writes) == (1, 0)
    load(lake, 1, "second")
    assert (counting.reads, counting.writes) == (2, len(WANTED))


def test_a_look_creates_no_state_database(root: str, tmp_path: Path) -> None:
    """Verification and notebooks only read."""
    lake = Lake(root)
    load(lake, 0, "first")
    lake.confirmations = StateConfirmations(lake.files, f"sqlite:///{tmp_path}/none.db")
    assert (last(lake)[0], (tmp_path / "none.db").exists()) == ("first", False)
