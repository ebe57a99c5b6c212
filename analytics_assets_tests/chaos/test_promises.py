"""The promises are kept by what is right, and each is broken by what breaks it."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from analytics_assets.lake.store import Lake
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.chaos.promises import asked_again, differing, posted_twice
from analytics_assets_tests.lake.vendor import NUMBERS, RAW

DAY, NOW = date(2026, 3, 1), datetime(2026, 3, 2, tzinfo=UTC)
TABLES = ("shop/numbers_raw", "shop/numbers")


@pytest.fixture
def lakes(tmp_path: Path) -> tuple[Path, Path]:
    """An undisturbed lake of one day, and another one that was asked an hour later."""
    for name, at in (("quiet", NOW), ("stormy", NOW + timedelta(hours=1))):
        lake = Lake(str(tmp_path / name))
        rows = RAW.rows([{"date": DAY, "part": 0, "body": "5", "requested_at": at}])
        lake.store_day("shop", RAW, DAY, rows, request_hash="v1", attempt_group=name, requested_at=at)
        lake.store_day("shop", NUMBERS, DAY, NUMBERS.rows([{"date": DAY, "part": 0, "number": 5}]))
    return tmp_path / "quiet", tmp_path / "stormy"


def test_lakes_that_differ_in_the_observation_alone_are_equal(lakes: tuple[Path, Path]) -> None:
    """When and by whom it was asked may differ."""
    assert differing(*lakes, TABLES, [DAY]) == []


def test_another_byte_another_number_and_a_missing_day_are_named(lakes: tuple[Path, Path]) -> None:
    """A typed file that Parquet writes otherwise, a raw one with another body, and one that is not there."""
    quiet, stormy = lakes
    typed = stormy / f"shop/numbers/dt={DAY}/data.parquet"
    pq.write_table(pq.ParquetFile(typed).read(), typed, compression="snappy")
    rows = RAW.rows([{"date": DAY, "part": 0, "body": "6", "requested_at": NOW}])
    Lake(str(stormy)).store_day("shop", RAW, DAY, rows, request_hash="v1", attempt_group="x", requested_at=NOW)
    both = [f"{table}/dt={DAY}/data.parquet is not as in the undisturbed lake" for table in TABLES]
    assert differing(quiet, stormy, TABLES, [DAY]) == both
    shutil.rmtree(stormy)
    assert differing(quiet, stormy, TABLES, [DAY]) == both


def test_a_day_asked_for_after_it_landed_is_named() -> None:
    """Not one that was requested before, nor another day or endpoint."""
    stored = {("bento", "ads_raw", DAY): NOW}
    asked = {"vendor": "bento", "path": "/bento/api/v1/stats/ads", "query": f"start_date={DAY}&x=1"}
    early, late = (NOW + timedelta(seconds=shift) for shift in (-1, 1))
    others = [
        {**asked, "at": early.isoformat()},
        {**asked, "query": "start_date=2026-03-02", "at": late.isoformat()},
        {**asked, "path": "/bento/api/v1/stats/site", "at": late.isoformat()},
        {**asked, "vendor": "airbridge", "at": late.isoformat()},
    ]
    assert asked_again(others, stored) == []
    [named] = asked_again([*others, {**asked, "at": late.isoformat()}], stored)
    assert named.startswith(f"bento {DAY} was asked again at {late.isoformat()}")


def test_a_task_posted_again_without_need_is_named_and_one_cut_off_is_not(tmp_path: Path) -> None:
    """The response to a request that a kill cut off may be lost, once a kill; a task that failed is requested again."""
    ledger = Ledger(f"sqlite:///{tmp_path}/state.db")
    ledger.join_or_open("airbridge", "revenue", "a", [DAY], longest=92, now=NOW)
    ledger.begin_attempt(1, now=NOW)
    ledger.begin_attempt(1, now=NOW)
    ledger.posted(1, "task-2", now=NOW)
    ledger.saw(1, "FAILURE", task_id="task-2", now=NOW)
    ledger.begin_attempt(1, now=NOW)
    ledger.posted(1, "task-3", now=NOW)
    assert posted_twice(ledger, ["revenue"], [DAY], kills=1) == []
    assert posted_twice(ledger, ["revenue"], [DAY], kills=0) == ["1 tasks were posted again in 0 kills"]
    ledger.begin_attempt(1, now=NOW)
    assert posted_twice(ledger, ["revenue"], [DAY], kills=1) == [
        f"revenue {DAY}: requested again at {NOW.isoformat()} after POSTED"
    ]
