"""The job `housekeeping` over the hand-made account: old runs and leftovers are removed, and settings turn it off."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.job_base import RepoBackedJob
from dagster._core.execution.api import execute_run

from analytics_assets.clock import utc_now
from analytics_assets.errors import Evidence
from analytics_assets.lake.footer import Footer, encoded
from analytics_assets.lake.parquet import parquet
from analytics_assets.operations.doctor.places import undeclared
from analytics_assets.operations.housekeeping.history import Owned
from analytics_assets.operations.housekeeping.job import housekeeping
from analytics_assets.settings import settings
from analytics_assets_tests.lake.vendor import NOW, NUMBERS
from analytics_assets_tests.operations.verify.scene import SHOP_TABLES, verify
from analytics_assets_tests.shop import TABLES, Shop, span, table_key

OWNED = Owned(frozenset(map(table_key, TABLES)), frozenset({"shop_daily", "checks_daily", "housekeeping"}))
LATER = NOW + timedelta(days=40)


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
    job = housekeeping(OWNED, "0 0 * * *", lambda: now, is_on=False).job
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
    """A file left aside an hour ago, and a response that could not be used; younger ones stay."""
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
    """The first run is of no use for any page once all its days are stored anew; kept for ever, nothing goes."""
    shop.run(span("01", "02"))
    shop.look()
    much_later = utc_now() + timedelta(days=100)
    monkeypatch.setenv("ANALYTICS_KEEP_RUNS_DAYS", "forever")
    assert keep_house(shop, much_later) == {
        "dagster_history": {"runs_deleted": "none: ANALYTICS_KEEP_RUNS_DAYS is `forever`"},
        "leftovers": {"files_left_aside_removed": 0},
    }
    monkeypatch.delenv("ANALYTICS_KEEP_RUNS_DAYS")

    # Of the runs so far, the second landed all that stands, and the third has evaluated all checks last; the job's own goes.
    said = keep_house(shop, much_later)["dagster_history"]
    assert [said[name] for name in ("runs_deleted", "old_runs_kept", "days_reported_again")] == [2, 2, 0]
    assert [run.job_name for run in shop.instance.get_runs()] == ["housekeeping", "checks_daily", "shop_daily"]


def test_monthly_copies_of_an_earlier_version_are_ignored(shop: Shop) -> None:
    """They are not tables: reads, `lake verify` and the doctor do not see them, and the housekeeping leaves them alone."""
    before = shop.lake.read("shop", NUMBERS)
    path = shop.folder / "_months/shop/numbers/2026-03.parquet"
    path.parent.mkdir(parents=True)
    path.write_bytes(parquet(before.slice(1), encoded(Footer(""))).to_pybytes())
    os.utime(path, (0, 0))
    planted = path.read_bytes()

    said = keep_house(shop)

    assert said["leftovers"]["files_left_aside_removed"] == 0
    assert path.read_bytes() == planted
    assert shop.lake.read("shop", NUMBERS).equals(before)
    found = verify(shop)
    assert (found.problems, found.inventory.strangers, found.inventory.leftovers) == ([], [], [])
    chosen = replace(settings({}), lake=str(shop.folder))
    declared = {"shop": {table for _, table in SHOP_TABLES}}
    assert list(undeclared(chosen, declared)) == []
