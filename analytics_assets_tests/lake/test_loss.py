"""Responses to the same request with far fewer rows than are stored, and responses that leave out what the stored one has."""

from datetime import timedelta
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from analytics_assets.errors import LossError
from analytics_assets.lake.footer import encoded
from analytics_assets.lake.loss import LossPolicy
from analytics_assets.lake.parquet import parquet
from analytics_assets.lake.store import Lake
from analytics_assets_tests.lake.sample import files
from analytics_assets_tests.lake.vendor import NOW, NUMBERS, RAW, START, Vendor, brought, outcomes

ALL = "numbers numbers_raw sums"
ACCEPTS = LossPolicy(is_accepted=True)
KEPT = f"_quarantine/shop/20260401-120000-numbers_raw-{START}.parquet"


def vendor(rows: int, hours: int = 0) -> Vendor:
    """A day of so many numbers, requested so many hours after noon."""
    return Vendor({START: [str(number) for number in range(rows)]}, requested_at=NOW + timedelta(hours=hours))


async def stored(lake: Lake, rows: int, *, attempt_group: str = "first", hours: int = 0, **changes: Any) -> str:
    """Stores such a day; returns the outcome."""
    stream = vendor(rows, hours).stream(
        **{key: changes.pop(key) for key in ("request_hash", "limits") if key in changes}
    )
    return outcomes(await brought(lake, stream, [START], attempt_group=attempt_group, **changes))[str(START)]


@pytest.mark.parametrize("after", [0, 39])
async def test_a_day_that_would_lose_most_of_its_rows_is_kept(lake: Lake, after: int) -> None:
    """It fails with both counts and how to accept it; the response is kept for a person to read."""
    await stored(lake, 80)
    before = {path: lake.files.fs.cat_file(f"{lake.root}/{path}") for path in files(lake)}
    [result] = await brought(lake, vendor(after, 1).stream(), [START], attempt_group="second")
    assert isinstance(result.error, LossError)
    assert str(result.error) == (
        f"shop/numbers has 80 rows and would have {after}, from a response to the same request. The day was kept as it was. If the "
        "rows are really gone, materialize up to 3 such days by hand, or set the tag analytics/accept_loss=true for the run or backfill; "
        "`checks.loss_most` in defs.yaml is the share that a day may lose."
    )
    assert (result.quarantine is None) is (after == 0)
    assert {path: lake.files.fs.cat_file(f"{lake.root}/{path}") for path in before} == before


@pytest.mark.parametrize(
    ("before", "after", "share"), [(80, 40, 0.5), (9, 0, 0.5), (80, 9, 0.9), (80, 0, 1.0), (80, 100, 0.0)]
)
async def test_a_smaller_loss_is_no_loss(disk: Lake, before: int, after: int, share: float) -> None:
    """Up to the share exactly, and of days of less than ten rows any."""
    await stored(disk, before)
    assert await stored(disk, after, attempt_group="second", hours=1, loss=LossPolicy(share)) == ALL
    assert disk.read("shop", NUMBERS).num_rows == after


async def test_ten_rows_are_judged(disk: Lake) -> None:
    """The least day."""
    await stored(disk, 10)
    assert (await stored(disk, 4, attempt_group="second", hours=1)).startswith("LossError")


async def test_the_answer_to_another_request_is_not_compared(disk: Lake) -> None:
    """It may well have fewer rows."""
    await stored(disk, 80)
    assert await stored(disk, 1, attempt_group="second", hours=1, request_hash=lambda _day: "v2") == ALL


async def test_an_accepted_loss_is_marked_and_the_replaced_response_kept(lake: Lake) -> None:
    """In the metadata, in the footers for the check, and in the quarantine."""
    await stored(lake, 80)
    raw = lake.files.fs.cat_file(lake.path("shop", "numbers_raw", START))
    [result] = await brought(lake, vendor(1, 1).stream(), [START], attempt_group="second", loss=ACCEPTS)
    assert result.figures["numbers"]["rows_before_loss"] == 80
    assert result.tables["numbers"].footer.losses == {"numbers": 80}
    assert (lake.read("shop", NUMBERS).num_rows, lake.read("shop", RAW).num_rows) == (1, 1)
    assert lake.files.fs.cat_file(f"{lake.root}/{KEPT}") == raw


async def test_a_loss_accepted_for_raw_alone_stays_marked_when_typed_tables_follow(disk: Lake) -> None:
    """They are judged though they were not selected, and a day killed between the two files is marked by its next attempt."""
    await stored(disk, 80)
    refused = await stored(disk, 1, attempt_group="second", hours=1, selected={"numbers_raw"})
    assert refused.startswith("LossError")
    assert (
        await stored(disk, 1, attempt_group="third", hours=2, selected={"numbers_raw"}, loss=ACCEPTS) == "numbers_raw"
    )
    assert await stored(disk, 1, attempt_group="third", hours=2) == ALL
    typed = disk.stored_day("shop", "numbers", START)
    assert typed is not None
    assert (typed.rows, typed.footer.losses) == (1, {"numbers": 80})


async def test_rows_that_come_back_end_the_mark(disk: Lake) -> None:
    """The day is as it was."""
    await stored(disk, 80)
    await stored(disk, 1, attempt_group="second", hours=1, loss=ACCEPTS)
    assert await stored(disk, 80, attempt_group="third", hours=2) == ALL
    typed = disk.stored_day("shop", "numbers", START)
    assert typed is not None
    assert (typed.rows, typed.footer.losses) == (80, {})


def limits(content: pa.Table) -> list[str]:
    """What a raw day leaves out: a vendor that says so in its first row."""
    return ["OLD_DATA"] if "7" in content["body"].to_pylist()[:1] else []


async def limited(lake: Lake, first: str, hours: int, **changes: Any) -> dict[str, Any]:
    """Stores a day whose first number says whether it is limited; returns the figures of raw."""
    answers = Vendor({START: [first, "2"]}, requested_at=NOW + timedelta(hours=hours))
    [result] = await brought(lake, answers.stream(limits=limits), [START], attempt_group=f"{hours}", **changes)
    assert result.error is None
    assert answers.stored == [START]
    return dict(result.figures["numbers_raw"])


@pytest.mark.parametrize("policy", [LossPolicy(), ACCEPTS])
async def test_a_response_that_leaves_old_data_out_never_replaces_one_with_it(lake: Lake, policy: LossPolicy) -> None:
    """Whoever asks; the day counts as stored, so that nobody requests it for ever."""
    await limited(lake, "1", 0)
    assert (await limited(lake, "7", 1, loss=policy))["kept_without"] == "OLD_DATA"
    assert lake.read("shop", NUMBERS)["number"].to_pylist() == [1, 2]


async def test_limited_responses_replace_each_other(disk: Lake) -> None:
    """And a whole one replaces a limited one."""
    await limited(disk, "7", 0)
    assert await limited(disk, "7", 1) == {"bodies": 2}
    assert await limited(disk, "3", 2) == {"bodies": 2}
    assert disk.read("shop", NUMBERS)["number"].to_pylist() == [3, 2]


async def test_a_day_whose_responses_an_earlier_version_removed_keeps_its_typed_tables(disk: Lake) -> None:
    """It is not known any more whether the removed response left something out."""
    await limited(disk, "1", 0)
    raw = disk.stored_day("shop", "numbers_raw", START)
    assert raw is not None
    emptied = msgspec.structs.replace(raw.footer, emptied_at=NOW)
    disk.files.put(raw.path, parquet(RAW.schema.empty_table(), encoded(emptied)))
    assert await limited(disk, "7", 1) == {"kept_without": "OLD_DATA"}
    assert disk.read("shop", NUMBERS)["number"].to_pylist() == [1, 2]
