"""What stands afterwards: answers not requested twice, days that are refused, readings that are older, numbers that are invented."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from analytics_assets.errors import Evidence, LakeError, TransientError, UnexpectedPayloadError
from analytics_assets.lake.raw import RawDay
from analytics_assets.lake.store import Lake
from analytics_assets.lake.stream import Typed
from analytics_assets_tests.lake.sample import files
from analytics_assets_tests.lake.vendor import NOW, NUMBERS, RAW, START, SUMS, Vendor, brought, days, outcomes

HOUR = timedelta(hours=1)


def bytes_of(lake: Lake) -> dict[str, bytes]:
    """Every file of the lake and what is in it."""
    return {path: lake.files.fs.cat_file(f"{lake.root}/{path}") for path in files(lake)}


def values(lake: Lake) -> list[int]:
    """The numbers that stand."""
    held: list[int] = lake.read("shop", NUMBERS)["number"].to_pylist()
    return held


async def test_the_same_attempts_ask_only_for_what_is_missing(disk: Lake) -> None:
    """A re-execution reads the days that were stored and reports all of them, so that none turns red."""
    bad = days(4)[2]
    await brought(disk, Vendor({bad: TransientError("Timed out.")}).stream(), days(4))
    again = Vendor()
    results = await brought(disk, again.stream(), days(4))
    assert (again.asked, again.announced, again.stored) == ([bad], [[bad]], [bad])
    assert outcomes(results) == {str(day): "numbers numbers_raw sums" for day in days(4)}
    assert [result.was_requested for result in results] == [day == bad for day in days(4)]
    assert [{name for name, table in result.tables.items() if table.is_changed} for result in results] == [
        set() if day != bad else {"numbers_raw", "numbers", "sums"} for day in days(4)
    ]


async def test_a_lake_that_cannot_be_read_is_asked_once(disk: Lake) -> None:
    """A bucket that is gone takes long to say so; the other days have the same error, and no vendor is asked."""
    disk.files.put(f"{disk.root}/shop/numbers_raw", b"where a folder should be")
    vendor = Vendor()
    results = await brought(disk, vendor.stream(), days(3))
    path = f"{disk.root}/shop/numbers_raw/dt={START}/data.parquet"
    words = f"{path} cannot be read (Not a directory). Check ANALYTICS_LAKE, its rights and its space."
    assert [(type(result.error), str(result.error)) for result in results] == [(LakeError, words)] * 3
    assert vendor.asked == []


async def test_other_attempts_ask_again(disk: Lake) -> None:
    """A person who materializes a day anew gets a new answer."""
    await brought(disk, Vendor().stream(), days(2))
    again = Vendor({START: ["7"]}, requested_at=NOW + HOUR)
    await brought(disk, again.stream(), days(2), attempt_group="second")
    assert (again.asked, values(disk)) == (days(2), [7, 2])


@pytest.mark.parametrize(
    ("since", "requested"),
    [(NOW - timedelta(microseconds=1), []), (NOW, []), (NOW + timedelta(microseconds=1), [START])],
    ids=["requested after it began", "requested when it began", "requested before it began"],
)
async def test_a_re_execution_uses_what_another_run_requested_since_its_first_attempt_began(
    disk: Lake, since: datetime, requested: list[date]
) -> None:
    """The instant of the beginning belongs to the attempt."""
    await brought(disk, Vendor().stream(), [START], attempt_group="sensor")
    again = Vendor({START: ["7"]}, requested_at=NOW + HOUR)
    await brought(disk, again.stream(), [START], since=since)
    assert (again.asked, values(disk)) == (requested, [7] if requested else [1])


async def test_another_question_is_asked_though_the_attempts_are_the_same(disk: Lake) -> None:
    """A raw day read with other parameters is no response to it."""
    await brought(disk, Vendor().stream(), [START])
    again = Vendor({START: ["7"]})
    [result] = await brought(disk, again.stream(request_hash=lambda _day: "v2"), [START])
    assert (again.asked, values(disk), result.tables["numbers_raw"].footer.request_hash) == ([START], [7], "v2")


async def test_typed_tables_are_made_again_without_a_request(disk: Lake) -> None:
    """Raw rows are read, by other attempts and with another question too, and stay as they are."""
    await brought(disk, Vendor({START: ["4"]}).stream(), [START])
    before = bytes_of(disk)
    again = Vendor({START: ["9"]})
    [result] = await brought(
        disk, again.stream(request_hash=lambda _day: "v2"), [START], attempt_group="second", selected={"numbers"}
    )
    assert (again.asked, list(result.tables), result.was_requested, values(disk)) == ([], ["numbers"], False, [4])
    assert bytes_of(disk) == before


async def test_only_what_is_selected_lands(disk: Lake) -> None:
    """Raw alone leaves the typed tables alone, but is checked by making them."""
    [result] = await brought(disk, Vendor().stream(), [START], selected={"numbers_raw"})
    assert (list(result.tables), files(disk)) == (["numbers_raw"], ["shop/numbers_raw/dt=2026-03-01/data.parquet"])
    [bad] = await brought(
        disk, Vendor({START: ["x"]}).stream(), [START], selected={"numbers_raw"}, attempt_group="second"
    )
    assert isinstance(bad.error, UnexpectedPayloadError)
    assert disk.read("shop", RAW)["body"].to_pylist() == ["1"]


async def test_a_day_that_cannot_be_made_leaves_what_stood_and_keeps_the_answer(disk: Lake) -> None:
    """Raw of it is not stored either, so that a re-execution asks again."""
    await brought(disk, Vendor().stream(), days(2))
    before = bytes_of(disk)
    results = await brought(disk, Vendor({START: ["3", "<html>"]}).stream(), days(2), attempt_group="second")
    kept = results[0].quarantine
    assert kept is not None
    assert outcomes(results) == {
        "2026-03-01": "UnexpectedPayloadError: numbers: not a number.",
        "2026-03-02": "numbers numbers_raw sums",
    }
    assert kept.startswith(f"{disk.root}/_quarantine/shop/20260401-rows-")
    assert (results[0].error.day, results[0].error.endpoint) == (START, "")
    assert disk.files.fs.cat_file(kept).decode().splitlines() == [
        str({"date": START, "part": part, "body": body, "requested_at": NOW.astimezone(ZoneInfo("UTC"))})
        for part, body in [(0, "3"), (1, "<html>")]
    ]
    now = bytes_of(disk)
    of_the_day = [path for path in before if "dt=2026-03-01" in path]
    assert len(of_the_day) == 3
    assert {path: now[path] for path in of_the_day} == {path: before[path] for path in of_the_day}
    mended = Vendor({START: ["3"]})
    await brought(disk, mended.stream(), days(2), attempt_group="second")
    assert (mended.asked, values(disk)) == ([START], [3, 2])


async def test_typed_rows_of_another_day_do_not_land(disk: Lake) -> None:
    """The table's own checks hold before anything of the day is visible."""
    wrong = days(2)[1]
    stream = Vendor().stream(transform=lambda _day, raw: Vendor().stream().transform(wrong, raw))
    [result] = await brought(disk, stream, [START])
    assert str(result.error) == "numbers: rows belong to 2026-03-02."
    assert (disk.days("shop", "numbers_raw"), disk.days("shop", "numbers")) == ([], [])
    assert result.quarantine is not None


async def test_raw_rows_that_are_no_valid_day_are_kept_aside(disk: Lake) -> None:
    """A response nobody can read again would be lost otherwise."""

    async def fetch(_day: date) -> RawDay:
        return await Vendor().fetch(days(2)[1])

    [result] = await brought(disk, Vendor().stream(fetch=fetch), [START])
    assert str(result.error) == "numbers_raw: rows belong to 2026-03-02."
    assert result.quarantine is not None
    assert "'body': '2'" in disk.files.fs.cat_file(result.quarantine).decode()
    assert disk.days("shop", "numbers_raw") == []


async def test_evidence_of_a_transform_is_kept_and_not_the_raw_rows(disk: Lake) -> None:
    """It names the part that could not be read; raw rows are kept only where an error has no evidence."""
    named = UnexpectedPayloadError("No number.", evidence=Evidence("GET /numbers", 200, '{"number": "x"}'))

    def transform(_day: date, _raw: pa.Table | None) -> Mapping[str, Typed]:
        raise named

    [result] = await brought(disk, Vendor().stream(transform=transform), [START])
    assert (result.error, result.quarantine is None) == (named, False)
    assert disk.files.fs.cat_file(result.quarantine) == b'{"number": "x"}'


async def test_the_answer_an_error_names_is_the_one_kept(disk: Lake) -> None:
    """Only the client saw it; without a body there is nothing to keep."""
    named = UnexpectedPayloadError("No JSON.", evidence=Evidence("GET /numbers", 200, "<html>busy</html>"))
    silent = UnexpectedPayloadError("No JSON.", evidence=Evidence("GET /numbers"))
    first, second = await brought(disk, Vendor({START: named, days(2)[1]: silent}).stream(), days(2))
    assert first.quarantine is not None
    assert disk.files.fs.cat_file(first.quarantine) == b"<html>busy</html>"
    assert "-GET--numbers-" in first.quarantine
    assert second.quarantine is None


@pytest.mark.parametrize(
    ("later", "number"), [(-HOUR, 1), (timedelta(0), 7), (HOUR, 7)], ids=["older", "same", "newer"]
)
async def test_an_older_reading_never_replaces_a_newer_one(disk: Lake, later: timedelta, number: int) -> None:
    """A report requested earlier but read later is put aside; the ledger is still told that the day stands."""
    await brought(disk, Vendor().stream(), [START])
    before = bytes_of(disk)
    other = Vendor({START: ["7"]}, requested_at=NOW + later)
    [result] = await brought(disk, other.stream(), [START], attempt_group="second")
    assert (other.asked, other.stored, values(disk)) == ([START], [START], [number])
    assert sorted(result.tables) == ["numbers", "numbers_raw", "sums"]
    assert (bytes_of(disk) == before) is (number == 1)


async def test_landing_an_equal_day_changes_no_byte_of_a_typed_table(disk: Lake) -> None:
    """Though it was read again, later; raw says when."""
    await brought(disk, Vendor().stream(), days(2))
    before = bytes_of(disk)
    results = await brought(disk, Vendor(requested_at=NOW + HOUR).stream(), days(2), attempt_group="second")
    now = bytes_of(disk)
    assert {path for path in before if now[path] != before[path]} == {
        f"shop/numbers_raw/dt={day}/data.parquet" for day in days(2)
    }
    assert [(table.is_changed, table.path) for result in results for table in result.tables.values()] == [
        (name == "numbers_raw", disk.path("shop", name, day))
        for day in days(2)
        for name in ("numbers_raw", "numbers", "sums")
    ]


@pytest.mark.parametrize(("first", "second"), [("live", "sandbox"), ("sandbox", "live")])
async def test_invented_numbers_and_real_ones_never_replace_each_other(disk: Lake, first: str, second: str) -> None:
    """Whoever points both modes at one lake is told so, before anything is asked."""
    await brought(disk, Vendor().stream(), [START], is_sandbox=first == "sandbox")
    before = bytes_of(disk)
    other = Vendor({START: ["7"]}, requested_at=NOW + HOUR)
    results = await brought(disk, other.stream(), [START], attempt_group="second", is_sandbox=second == "sandbox")
    path = disk.path("shop", "numbers_raw", START)
    assert outcomes(results) == {
        "2026-03-01": f"PermanentError: {path} holds {first} numbers; {second} numbers are not put in their place. "
        "Set ANALYTICS_LAKE to another folder."
    }
    assert (other.asked, bytes_of(disk)) == ([], before)


async def test_real_tables_are_never_made_of_invented_raw_rows(disk: Lake) -> None:
    """A typed table that is new in a live run does not take sandbox rows for real ones."""
    await brought(disk, Vendor().stream(), [START], is_sandbox=True, selected={"numbers_raw"})
    [result] = await brought(disk, Vendor().stream(), [START], selected={"sums"})
    assert "holds sandbox numbers; live numbers are not put in their place" in str(result.error)
    assert disk.stored_day("shop", SUMS.name, START) is None
