"""The job `housekeeping` over the hand-made account: old runs and leftovers are removed, and settings turn it off."""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.parquet as pq
import pytest
from dagster._core.definitions.job_base import RepoBackedJob
from dagster._core.execution.api import execute_run

from analytics_assets.clock import utc_now
from analytics_assets.errors import Evidence
from analytics_assets.upkeep.housekeeping import housekeeping
from analytics_assets_tests.lake.vendor import NOW, NUMBERS, RAW, SUMS, days
from analytics_assets_tests.shop import Shop, span

MARCH = days(6)
LATER = NOW + timedelta(days=40)
SHOP_TABLES = {("shop", table.name): table for table in (RAW, NUMBERS, SUMS)}
NO_COPIES = {"written": 0, "equal": 0, "removed": 0, "files": 0, "bytes": 0}


@pytest.fixture
def empty_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """The account before its first run; runs and quarantined responses are kept for 30 days."""
    monkeypatch.setenv("ANALYTICS_STATE", f"sqlite:///{tmp_path}/state.db")
    monkeypatch.setenv("ANALYTICS_KEEP_RUNS_DAYS", "30")
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        yield Shop(tmp_path / "lake", instance)


@pytest.fixture
def shop(empty_shop: Shop) -> Shop:
    """The account with two days, of a time ago."""
    empty_shop.run(span("01", "02"))
    return empty_shop


def keep_house(shop: Shop, now: datetime = LATER, assets: Sequence[dg.AssetSpec] = ()) -> dict[str, dict[str, Any]]:
    """Runs the job, beside assets of a user's own; returns what each of its steps says."""
    job, _ = housekeeping("0 0 * * *", lambda: now, lambda: SHOP_TABLES, is_on=False)
    definitions = dg.Definitions.merge(shop.definitions(), dg.Definitions(jobs=[job], assets=assets))
    repository = definitions.get_repository_def()
    run = shop.instance.create_run_for_job(job_def=repository.get_job("housekeeping"))
    execute_run(RepoBackedJob("housekeeping", repository), run, shop.instance, raise_on_error=True)
    said = {}
    for log in shop.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_OUTPUT):
        assert log.dagster_event is not None
        metadata = log.dagster_event.step_output_data.metadata
        said[str(log.step_key)] = {name: value.value for name, value in metadata.items()}
    return said


def test_leftovers_and_old_quarantine_go(empty_shop: Shop) -> None:
    """A file left aside an hour ago, and an answer that could not be used; younger ones stay."""
    folder = empty_shop.folder / "shop" / "numbers"
    aside = [folder / f"_{digit * 32}.tmp" for digit in "ab"]
    folder.mkdir(parents=True)
    for path, age in zip(aside, (timedelta(hours=2), timedelta(minutes=10)), strict=True):
        path.write_bytes(b"half")
        os.utime(path, ((LATER - age).timestamp(),) * 2)
    old, young = (
        empty_shop.lake.quarantine.keep("shop", Evidence("GET /x", body=f"{at}"), seen_at=at)
        for at in (LATER - timedelta(days=31), LATER - timedelta(days=29))
    )

    said = keep_house(empty_shop)

    assert said["leftovers"] == {
        "files_left_aside_removed": 1,
        "quarantined_responses_removed": 1,
        "report_requests_removed": 0,
    }
    assert [path.exists() for path in (*aside, Path(old), Path(young))] == [False, True, False, True]


def test_old_runs_go_with_the_job_and_forever_turns_it_off(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first run is of no use for any page once all its days have landed anew; kept for ever, nothing goes."""
    shop.run(span("01", "02"))
    shop.look()
    much_later = utc_now() + timedelta(days=100)
    monkeypatch.setenv("ANALYTICS_KEEP_RUNS_DAYS", "forever")
    assert keep_house(shop, much_later) == {
        "dagster_history": {"runs_deleted": "none: ANALYTICS_KEEP_RUNS_DAYS is `forever`"},
        "leftovers": {"files_left_aside_removed": 0},
        "months": {**NO_COPIES, "copied": "nothing: ANALYTICS_MONTHS_AFTER_DAYS is `never`"},
    }
    monkeypatch.delenv("ANALYTICS_KEEP_RUNS_DAYS")

    # Of the runs so far, the second landed all that stands, and the third has evaluated all checks last; the job's own goes.
    said = keep_house(shop, much_later)["dagster_history"]
    assert [said[name] for name in ("runs_deleted", "old_runs_kept", "days_reported_again")] == [2, 2, 0]
    assert [run.job_name for run in shop.instance.get_runs()] == ["housekeeping", "checks_daily", "shop_daily"]


def test_months_of_typed_tables_are_copied_when_their_time_has_come(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not before, and not the raw one; without the setting they go."""
    monkeypatch.setenv("ANALYTICS_MONTHS_AFTER_DAYS", "40")
    assert keep_house(shop, datetime(2026, 5, 9, tzinfo=UTC))["months"] == {
        **NO_COPIES,
        "next": "2026-03, from 2026-05-10 on",
    }
    copies = [shop.folder / f"_months/shop/{table}/2026-03.parquet" for table in ("numbers", "sums")]

    said = keep_house(shop, datetime(2026, 5, 10, tzinfo=UTC))["months"]

    assert sorted(shop.folder.glob("_months/**/*.parquet")) == copies
    size = sum(path.stat().st_size for path in copies)
    assert said == {**NO_COPIES, "written": 2, "files": 2, "bytes": size, "next": "2026-04, from 2026-06-09 on"}
    assert [pq.read_table(path).to_pylist() for path in copies] == [
        shop.lake.read("shop", table).to_pylist() for table in (NUMBERS, SUMS)
    ]
    equal = keep_house(shop, datetime(2026, 6, 8, tzinfo=UTC))["months"]
    assert equal == {**NO_COPIES, "equal": 2, "files": 2, "bytes": size, "next": "2026-04, from 2026-06-09 on"}
    monkeypatch.setenv("ANALYTICS_MONTHS_AFTER_DAYS", "never")
    words = "nothing: ANALYTICS_MONTHS_AFTER_DAYS is `never`"
    assert keep_house(shop, LATER)["months"] == {**NO_COPIES, "removed": 2, "copied": words}


def test_a_month_that_cannot_be_copied_fails_the_step_and_names_the_remedy(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person has to mend the day; everything else is done."""
    monkeypatch.setenv("ANALYTICS_MONTHS_AFTER_DAYS", "1")
    Path(shop.lake.path("shop", "sums", MARCH[1])).write_bytes(b"PAR1")

    with pytest.raises(dg.Failure) as failed:
        keep_house(shop)

    assert str(failed.value.description) == (
        "1 months were not copied, for a file of theirs cannot be used; a copy from before stays, and all other months are as they should be. "
        "Load these days again, as with `analytics-assets load`: such files move to the quarantine.\n"
        "shop/sums 2026-03-02: it cannot be read to its end (Parquet file size is 4 bytes, smaller than the minimum file footer (8 bytes))"
    )
    assert [path.parent.name for path in shop.folder.glob("_months/**/*.parquet")] == ["numbers"]
    assert {name: value.value for name, value in failed.value.metadata.items() if name not in {"bytes", "next"}} == {
        "written": 1,
        "equal": 0,
        "removed": 0,
        "files": 1,
    }
