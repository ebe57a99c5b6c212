"""A day is made before it is stored: while the one before it does, and again where the lake has changed meanwhile."""

import threading
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa

from analytics_assets.lake.content import content_hash
from analytics_assets.lake.footer import belongs_to
from analytics_assets.lake.store import Lake
from analytics_assets.lake.stream import Typed
from analytics_assets.lake.table import DATE
from analytics_assets_tests.lake.vendor import NOW, NUMBERS, RAW, START, SUMS, Vendor, brought, days, numbers, outcomes

PATIENCE_S = 30.0
ALL = "numbers numbers_raw sums"


async def test_the_next_day_is_made_while_one_lands(disk: Lake) -> None:
    """The first day is stored only when the second is being made; nothing of the second stands by then."""
    is_made, stands = threading.Event(), list[bool]()

    def transform(day: date, raw: pa.Table | None) -> Mapping[str, Typed]:
        if day > START:
            is_made.set()
        return numbers(day, raw)

    def stored(day: date) -> None:
        if day == START:
            stands.extend(
                [is_made.wait(PATIENCE_S), *(days(2)[1] in disk.days("shop", one) for one in ("sums", RAW.name))]
            )

    results = await brought(disk, Vendor().stream(transform=transform, on_stored=stored), days(2))
    assert outcomes(results) == {str(day): ALL for day in days(2)}
    assert stands == [True, False, False]


async def test_a_day_that_another_process_lands_meanwhile_is_made_again(disk: Lake) -> None:
    """Its newer reading stands in the end, and the typed tables are made of that."""
    other = {DATE: START, "part": 0, "body": "7", "requested_at": NOW}
    later = NOW + timedelta(hours=1)
    made = list[list[str]]()

    def transform(day: date, raw: pa.Table | None) -> Mapping[str, Typed]:
        assert raw is not None
        made.append(raw["body"].to_pylist())
        if len(made) == 1:
            disk.store_day(
                "shop", RAW, START, RAW.rows([other]), request_hash="v1", attempt_group="other", requested_at=later
            )
        return numbers(day, raw)

    [result] = await brought(disk, Vendor().stream(transform=transform), [START])
    assert made == [["1"], ["7"]]
    assert (result.tables["numbers_raw"].footer.attempt_group, result.requested_at, result.was_requested) == (
        "other",
        later,
        True,
    )
    assert disk.read("shop", NUMBERS).to_pylist() == [{DATE: START, "part": 0, "number": 7}]


async def test_a_typed_day_that_changes_meanwhile_is_compared_with_what_stands_in_the_end(disk: Lake) -> None:
    """The difference is to the day that was replaced."""
    calls = list[date]()

    def transform(day: date, raw: pa.Table | None) -> Mapping[str, Typed]:
        calls.append(day)
        if len(calls) == 1:
            disk.store_day(
                "shop", NUMBERS, START, NUMBERS.rows({DATE: START, "part": part, "number": 5} for part in range(3))
            )
        return numbers(day, raw)

    [result] = await brought(disk, Vendor().stream(transform=transform), [START])
    assert calls == [START, START]
    assert result.figures["numbers"] == {"biggest": 1, "rows_changed": 1, "rows_added": 0, "rows_removed": 2}
    assert disk.read("shop", NUMBERS).to_pylist() == [{DATE: START, "part": 0, "number": 1}]


async def test_a_typed_file_names_the_raw_day_it_was_made_from(disk: Lake) -> None:
    """Both footers name account, table and day; the raw file also has the hash of every table made from it."""
    [result] = await brought(disk, Vendor().stream(), [START], selected={"numbers_raw", "numbers"})
    raw, typed = result.tables["numbers_raw"].footer, result.tables["numbers"].footer
    assert (raw.account, raw.table, raw.day, raw.raw_hash) == ("shop", "numbers_raw", START, "")
    assert (typed.account, typed.table, typed.day) == ("shop", "numbers", START)
    assert typed.raw_hash == raw.content_hash
    assert raw.typed == {
        "numbers": typed.content_hash,
        "sums": content_hash(SUMS, SUMS.rows([{DATE: START, "sum": 1}])),
    }


async def test_an_equal_typed_file_belongs_to_the_new_raw_day(disk: Lake) -> None:
    """It is not written again and still names the earlier raw day; the new raw file has its hash."""
    [first] = await brought(disk, Vendor({START: ["4"]}).stream(), [START])
    later = Vendor({START: ["04"]}, requested_at=NOW + timedelta(hours=1))
    [second] = await brought(disk, later.stream(), [START], attempt_group="second")
    raw, typed = second.tables["numbers_raw"].footer, second.tables["numbers"]
    assert (typed.is_changed, typed.footer) == (False, first.tables["numbers"].footer)
    assert raw.content_hash != typed.footer.raw_hash
    assert belongs_to(typed.footer, raw, "numbers")


async def test_a_typed_file_of_an_earlier_raw_day_is_written_again(disk: Lake) -> None:
    """Also where its content is equal to what is made now, so that a repaired day names the raw day it belongs to."""
    await brought(disk, Vendor({START: ["4"]}).stream(), [START])
    stale = disk.files.fs.cat_file(disk.path("shop", "sums", START))
    later = Vendor({START: ["5"]}, requested_at=NOW + timedelta(hours=1))
    [second] = await brought(disk, later.stream(), [START], attempt_group="second")
    disk.files.put(disk.path("shop", "sums", START), stale)
    held = disk.stored_day("shop", "sums", START)
    assert held is not None
    assert not belongs_to(held.footer, second.tables["numbers_raw"].footer, "sums")

    def as_before(day: date, raw: pa.Table | None) -> Mapping[str, Typed]:
        return {**numbers(day, raw), "sums": Typed(SUMS.rows([{DATE: day, "sum": 4}]))}

    [third] = await brought(disk, later.stream(transform=as_before), [START], selected={"sums"}, attempt_group="third")
    assert third.tables["sums"].is_changed
    assert belongs_to(third.tables["sums"].footer, second.tables["numbers_raw"].footer, "sums")


async def test_an_equal_typed_day_has_equal_bytes_in_every_lake(tmp_path: Path) -> None:
    """Whenever and by whichever run it was requested."""
    files = []
    for name, hours in (("one", 0), ("other", 5)):
        lake = Lake(str(tmp_path / name))
        vendor = Vendor({START: ["4"]}, requested_at=NOW + timedelta(hours=hours))
        await brought(lake, vendor.stream(), [START], attempt_group=name)
        files.append([lake.files.fs.cat_file(lake.path("shop", table, START)) for table in ("numbers", "sums")])
    assert files[0] == files[1]
