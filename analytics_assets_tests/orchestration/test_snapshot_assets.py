"""A snapshot under Dagster: one reading, filed under the day it was made."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from analytics_assets.errors import SourceError, TransientError
from analytics_assets.http.meter import spent
from analytics_assets.lake.raw import RawDay
from analytics_assets.lake.store import Lake
from analytics_assets.lake.stream import DayFetcher
from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets.orchestration.run_context import Work
from analytics_assets.orchestration.snapshot_assets import snapshot_assets
from analytics_assets.orchestration.stream import AssetOptions, SourceStream
from analytics_assets.settings import secret
from analytics_assets_tests.lake.vendor import NUMBERS, RAW, SUMS, Vendor, numbers

SEEN = datetime(2026, 3, 5, 23, 30, tzinfo=UTC)
DAY = date(2026, 3, 6)


def _day_of(seen: datetime) -> date:
    """An hour ahead of UTC."""
    return (seen + timedelta(hours=1)).date()


class Readings:
    """An account with one snapshot, whose vendor counts days an hour ahead of UTC."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance) -> None:
        self.instance, self.vendor, self.variable, self.now = instance, Vendor(requested_at=SEEN), "", SEEN
        self.works: list[Work] = []
        self.lake = Lake(str(folder))
        self._resources = {
            "shop": dg.ResourceDefinition.hardcoded_resource(self.vendor),
            "lake": LakeResource(root=str(folder), sandbox=True),
        }

    def assets(self) -> dg.AssetsDefinition:
        """Its tables."""

        @asynccontextmanager
        async def opened(work: Work) -> AsyncIterator[DayFetcher]:
            self.works.append(work)
            if self.variable:
                secret(self.variable, {})
            yield DayFetcher(self.vendor.fetch)

        stream = SourceStream(
            account="shop",
            name="numbers",
            raw=RAW,
            typed=(NUMBERS, SUMS),
            open=opened,
            transform=numbers,
            request_hash=lambda _day: "numbers",
            day_of=_day_of,
        )
        partitions = dg.DailyPartitionsDefinition(start_date="2026-03-01")
        return snapshot_assets(stream, AssetOptions("bento", partitions, days_per_run=1, clock=lambda: self.now))

    def read(self, **given: Any) -> dg.ExecuteInProcessResult:
        """A run that takes a reading."""
        return dg.materialize(
            [self.assets()], instance=self.instance, resources=self._resources, raise_on_error=False, **given
        )


@pytest.fixture
def readings(tmp_path: Path) -> Iterator[Readings]:
    """An account whose runs are kept in memory."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield Readings(tmp_path / "lake", instance)


def shown(result: dg.ExecuteInProcessResult) -> dict[str, dict[str, Any]]:
    """Metadata of each table that was logged, without what only the file knows."""
    return {
        event.asset_key.path[-1]: {
            name: value.value for name, value in event.materialization.metadata.items() if name not in ("bytes", "path")
        }
        for event in result.get_asset_materialization_events()
        if event.asset_key
    }


def told(result: dg.ExecuteInProcessResult) -> str | None:
    """What the step failed with."""
    [failed] = [event for event in result.all_events if event.is_step_failure]
    assert failed.step_failure_data.user_failure_data is not None
    return failed.step_failure_data.user_failure_data.description


def test_a_reading_is_filed_under_the_day_of_the_vendor(readings: Readings) -> None:
    """Without partition, with the day in the metadata, and marked as invented."""
    result = readings.read()
    every = {
        "content_changed": True,
        "sandbox": "These numbers are invented.",
        "requested_at": SEEN.timestamp(),
        "observed_on": "2026-03-06",
    }
    assert shown(result) == {
        "numbers_raw": {**every, "dagster/row_count": 1, "bodies": 1},
        "numbers": {**every, "dagster/row_count": 1, "biggest": 6},
        "sums": {**every, "dagster/row_count": 1, "sum": 6},
    }
    assert {event.partition for event in result.get_asset_materialization_events()} == {None}
    assert [readings.lake.days("shop", table) for table in ("numbers_raw", "numbers", "sums")] == [[DAY]] * 3
    assert [work.clock() for work in readings.works] == [SEEN]


@pytest.mark.parametrize("is_failing", [False, True])
def test_the_requests_of_a_reading_are_logged_and_metadata_of_its_raw_table(
    readings: Readings, *, is_failing: bool
) -> None:
    """A reading that fails has been paid for too."""

    class Counted(Vendor):
        async def fetch(self, day: date) -> RawDay:
            readings.works[-1].origin.meter.sent("GET /numbers", waited_s=1.5, is_repeat=False)
            return replace(await super().fetch(day), spent=spent(1, 0, 1.5))

    readings.vendor = Counted({DAY: TransientError("Timed out.")} if is_failing else {}, requested_at=SEEN)
    result = readings.read()
    found = {table: values.get("seconds_waited") for table, values in shown(result).items()}
    assert found == ({} if is_failing else {"numbers_raw": 1.5, "numbers": None, "sums": None})
    logged = [log.user_message for log in readings.instance.all_logs(result.run_id) if log.dagster_event is None]
    assert logged[-1] == "Spent: 1 GET /numbers; 0 of them repeats; 2 s waited for the budget."


def test_the_last_reading_of_a_day_stands_and_other_days_stay(readings: Readings) -> None:
    """A later run replaces the day's reading; the next day gets one of its own."""
    readings.read()
    readings.now += timedelta(hours=2)
    readings.vendor.answers, readings.vendor.requested_at = {DAY: ["9"]}, readings.now
    readings.read()
    readings.now += timedelta(days=1)
    readings.read()
    assert readings.lake.read("shop", NUMBERS).to_pylist() == [
        {"date": DAY, "part": 0, "number": 9},
        {"date": DAY + timedelta(days=1), "part": 0, "number": 7},
    ]


def test_typed_tables_alone_are_made_from_the_reading_of_the_day(readings: Readings) -> None:
    """Nobody is asked; without a reading of today they say what is missing."""
    only = {"selection": [dg.AssetKey(["shop", "sums"])]}
    assert told(readings.read(**only)) == (
        "shop/numbers: 1 of 1 days were not stored.\n"
        "2026-03-06: The day is not stored in shop/numbers_raw, so there is nothing to make the typed tables from. "
        "Materialize numbers_raw together with them.\n"
        "Fix the cause, then re-execute from failure."
    )
    readings.read()
    assert list(shown(readings.read(**only))) == ["sums"]
    assert readings.vendor.asked == [DAY]


@pytest.mark.parametrize(
    ("error", "words"),
    [(TransientError("Timed out."), "Re-execute from failure: only these days are requested.")],
)
def test_a_reading_that_fails_is_told_like_a_day(readings: Readings, error: SourceError, words: str) -> None:
    """With the reason and the advice that follows from its class."""
    readings.vendor.answers = {DAY: error}
    result = readings.read()
    assert told(result) == f"shop/numbers: 1 of 1 days were not stored.\n2026-03-06: Timed out.\n{words}"
    assert shown(result) == {}


def test_an_answer_that_cannot_be_used_is_kept_and_named(readings: Readings) -> None:
    """The failure's table says where."""
    readings.vendor.answers = {DAY: ["<html>"]}
    [failed] = [event for event in readings.read().all_events if event.is_step_failure]
    assert failed.step_failure_data.user_failure_data is not None
    table = failed.step_failure_data.user_failure_data.metadata["days_not_stored"]
    assert isinstance(table, dg.TableMetadataValue)
    [row] = table.records
    assert row.data["message"] == "numbers: not a number."
    assert "<html>" in Path(str(row.data["response_kept_in"])).read_text()
    assert readings.lake.days("shop", "numbers_raw") == []


def test_a_key_that_is_not_set_is_named(readings: Readings) -> None:
    """When the run opens, not when the definitions load."""
    readings.variable = "SHOP_KEY"
    assert str(told(readings.read())).splitlines()[1] == (
        "2026-03-06: The environment variable SHOP_KEY is not set. Live mode needs it; ANALYTICS_MODE=sandbox needs no key."
    )


def test_a_snapshot_has_no_partitions_and_carries_the_tag_of_its_job(readings: Readings) -> None:
    """Raw first, typed tables from it."""
    assets = readings.assets()
    raw = dg.AssetKey(["shop", "numbers_raw"])
    assert assets.partitions_def is None
    assert {(spec.key.path[-1], spec.tags["layer"], spec.tags["reading"]) for spec in assets.specs} == {
        ("numbers_raw", "raw", "snapshot"),
        ("numbers", "typed", "snapshot"),
        ("sums", "typed", "snapshot"),
    }
    assert {key.path[-1]: set(found) for key, found in assets.asset_deps.items()} == {
        "numbers_raw": set(),
        "numbers": {raw},
        "sums": {raw},
    }
