"""A day is made before it lands: while the one before it does, and again where the lake has changed meanwhile."""

import threading
from collections.abc import Mapping
from datetime import date, timedelta

import pyarrow as pa

from analytics_assets.lake.store import Lake
from analytics_assets.lake.stream import Typed
from analytics_assets.lake.table import DATE
from analytics_assets_tests.lake.vendor import NOW, NUMBERS, RAW, START, SUMS, Vendor, brought, days, numbers, outcomes

PATIENCE_S = 30.0
ALL = "numbers numbers_raw sums"


async def test_the_next_day_is_made_while_one_lands(disk: Lake) -> None:
    """The first day has landed only when the second is being made; nothing of the second stands by then."""
    is_made, stands = threading.Event(), list[bool]()

    def transform(day: date, raw: pa.Table | None) -> Mapping[str, Typed]:
        if day > START:
            is_made.set()
        return numbers(day, raw)

    def landed(day: date) -> None:
        if day == START:
            stands.extend(
                [is_made.wait(PATIENCE_S), *(days(2)[1] in disk.days("shop", one) for one in ("sums", RAW.name))]
            )

    results = await brought(disk, Vendor().stream(transform=transform, landed=landed), days(2))
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
            disk.land("shop", RAW, START, RAW.rows([other]), asked="v1", family="other", requested_at=later)
        return numbers(day, raw)

    [result] = await brought(disk, Vendor().stream(transform=transform), [START])
    assert made == [["1"], ["7"]]
    assert (result.tables["numbers_raw"].footer.family, result.requested_at, result.is_asked) == ("other", later, True)
    assert disk.read("shop", NUMBERS).to_pylist() == [{DATE: START, "part": 0, "number": 7}]


async def test_a_typed_day_that_changes_meanwhile_is_compared_with_what_stands_in_the_end(disk: Lake) -> None:
    """The figures of what moved are those of the day that was replaced."""
    calls = list[date]()

    def transform(day: date, raw: pa.Table | None) -> Mapping[str, Typed]:
        calls.append(day)
        if len(calls) == 1:
            disk.land("shop", SUMS, START, SUMS.rows([{DATE: START, "sum": 5}]))
        return numbers(day, raw)

    def moved(_table: object, before: pa.Table, after: pa.Table) -> Mapping[str, int]:
        return {"from": before["sum"][0].as_py(), "to": after["sum"][0].as_py()}

    [result] = await brought(disk, Vendor().stream(transform=transform, moved=moved), [START])
    assert calls == [START, START]
    assert result.figures["sums"] == {"sum": 1, "from": 5, "to": 1}
    assert disk.read("shop", SUMS).to_pylist() == [{DATE: START, "sum": 1}]
