"""The short form of the act `faults`: a lake that cannot be used for a while costs no day, and clocks that are off ask for none too early."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.sandbox.options import Options
from analytics_assets.sources.bento.streams import AdsSpec
from analytics_assets.sources.statsig.streams import ValuesSpec
from analytics_assets_tests.chaos.promises import differing
from analytics_assets_tests.chaos.scene import bucket_behind, small_disk
from analytics_assets_tests.integration.running import (
    SEOUL_APP,
    Wishes,
    days_from,
    definitions_at,
    failure_words,
    range_tags,
    run,
)
from analytics_assets_tests.integration.server import Sandbox, sandbox_server

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
DAYS = days_from(date(2026, 6, 1), 3)
TABLES = ("bento/ads_raw", "bento/ads_attribution", "bento/ads_chart", "bento/ads_totals")


@pytest.fixture
def vendors(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The vendors at one instant."""
    with sandbox_server(Options(now=lambda: NOW, until=NOW, task_seconds=0)) as sandbox:
        monkeypatch.setenv("ANALYTICS_SANDBOX_URL", sandbox.url)
        yield sandbox


def stored(lake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: list[date]) -> str:
    """What a run says that brings days of Bento into a lake; nothing where all is well."""
    monkeypatch.setenv("ANALYTICS_LAKE", lake)
    # Each lake has a state database of its own.
    state = sha256(lake.encode()).hexdigest()
    monkeypatch.setenv("ANALYTICS_STATE", f"sqlite:///{tmp_path}/{state}.db")
    with dg.DagsterInstance.ephemeral() as instance:
        return failure_words(run(definitions_at(lambda: NOW, Wishes()), "bento_daily", instance, range_tags(days)))


def test_a_bucket_that_refuses_for_a_while_costs_no_day(
    vendors: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run says what is refused and what to look at, no vendor is asked, and afterwards the lake is that of one machine."""
    with bucket_behind() as (rate_limiter, leading):
        for name, value in leading.items():
            monkeypatch.setenv(name, value)
        lake = "s3://lake/analytics"
        assert stored(lake, tmp_path, monkeypatch, DAYS[:1]) == ""
        vendors.forget()
        with rate_limiter.closed(status=403):
            said = stored(lake, tmp_path, monkeypatch, DAYS)
        assert vendors.counts() == {}
        assert f"{lake}/_lake.json cannot be read (Forbidden). Check ANALYTICS_LAKE, its rights and its space." in said
        assert stored(lake, tmp_path, monkeypatch, DAYS) == ""
        assert stored(str(tmp_path / "lake"), tmp_path, monkeypatch, DAYS) == ""
        assert differing(tmp_path / "lake", lake, TABLES, DAYS) == []
        assert {key[2] for key in rate_limiter.seen} == set(DAYS)


def test_a_full_disk_costs_no_day(vendors: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stood stays, no vendor is requested what could not be kept, nothing is left aside; with space again all lands."""
    with small_disk(megabytes=2) as disk:
        lake = str(disk / "lake")
        assert stored(lake, tmp_path, monkeypatch, DAYS[:1]) == ""
        before = {path: path.read_bytes() for path in (disk / "lake").rglob("*") if path.is_file()}
        (disk / "ballast").write_bytes(bytes(shutil.disk_usage(disk).free))
        vendors.forget()
        said = stored(lake, tmp_path, monkeypatch, DAYS)
        assert "cannot be written (No space left on device). Check ANALYTICS_LAKE, its rights and its space." in said
        assert vendors.counts() == {}
        assert {path: path.read_bytes() for path in (disk / "lake").rglob("*") if path.is_file()} == before
        (disk / "ballast").unlink()
        assert stored(lake, tmp_path, monkeypatch, DAYS) == ""
        assert stored(str(tmp_path / "lake"), tmp_path, monkeypatch, DAYS) == ""
        assert differing(tmp_path / "lake", lake, TABLES, DAYS) == []


@pytest.mark.parametrize(
    ("final_at", "ends_at"),
    [
        (AdsSpec().final_at, datetime(2026, 6, 2, tzinfo=UTC)),
        (ValuesSpec().final_at, datetime(2026, 6, 2, 8, tzinfo=UTC)),
        (SEOUL_APP.final_at, datetime(2026, 6, 1, 15, tzinfo=UTC)),
    ],
    ids=["bento", "statsig", "airbridge"],
)
def test_a_clock_that_is_an_hour_ahead_asks_for_no_day_that_goes_on(
    final_at: Callable[[date], datetime], ends_at: datetime
) -> None:
    """Each vendor's day is over, where the vendor counts, an hour before it is requested."""
    assert final_at(DAYS[0]) - timedelta(hours=1) >= ends_at
