"""What an earlier configuration has left: requests of reports and accounts that are gone, and folders that no account declares."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from analytics_assets.operations.doctor import accounts as accounts_part
from analytics_assets.operations.doctor import places
from analytics_assets.operations.doctor.line import Line
from analytics_assets.settings import Settings, settings
from analytics_assets.state.database import engine
from analytics_assets.state.report_ledger import Ledger

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
WEEK = timedelta(days=7)


@pytest.fixture
def chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A lake and a state database of the test's own."""
    url = f"sqlite:///{tmp_path}/state.db"
    monkeypatch.setenv("ANALYTICS_MODE", "sandbox")
    monkeypatch.setenv("ANALYTICS_LAKE", str(tmp_path / "lake"))
    monkeypatch.setenv("ANALYTICS_STATE", url)
    yield settings()
    engine(url).dispose()
    engine.cache_clear()


def opened(chosen: Settings, account: str, report: str, day: int) -> int:
    """The number of a request that was opened a minute ago."""
    now = NOW - timedelta(minutes=1)
    [request] = Ledger(chosen.state).join_or_open(account, report, "h", [date(2026, 3, day)], longest=1, now=now)
    return request.id


def lines(chosen: Settings, *, later: timedelta = timedelta(), folders: tuple[str, ...] = ("app", "broken")) -> Any:
    """What, verdict and finding of each line about report requests; the account `app` loads."""
    accounts = [accounts_part.ExaminedAccount("app", cast("Any", None), ["revenue_cohorts"])]
    found: list[Line] = list(accounts_part.report_tasks(accounts, chosen, NOW + later, folders=folders))
    return [(line.what, line.verdict, line.found) for line in found]


def test_a_request_of_a_removed_report_is_shown_for_a_week_after_it_was_closed(chosen: Settings) -> None:
    """With the reason, and what to do if the report was renamed."""
    Ledger(chosen.state).close_removed(
        opened(chosen, "app", "its_old_name", 1), "defs/app/defs.yaml has no report its_old_name.", now=NOW
    )
    shown = (
        "app/its_old_name 2026-03-01",
        "warning",
        "closed 2026-03-10 12:00 UTC (defs/app/defs.yaml has no report its_old_name)",
    )
    none = ("open", "ok", "none")
    assert [lines(chosen), lines(chosen, later=WEEK + timedelta(seconds=1))] == [[none, shown], [none]]


def test_a_request_of_a_removed_account_is_shown_for_a_week(chosen: Settings) -> None:
    """One of an account whose YAML does not load is left out: another line says what is wrong there."""
    opened(chosen, "old_app", "revenue", 1)
    opened(chosen, "broken", "revenue", 2)
    opened(chosen, "app", "revenue", 3)
    shown = ("old_app/revenue 2026-03-01", "warning", "INTENT, and no folder of defs/ is called old_app")
    own = ("app/revenue 2026-03-03", "ok", "INTENT in attempt 0, requested 60 s ago, last seen 60 s ago")
    assert lines(chosen) == [own, shown]
    assert [what for what, _, _ in lines(chosen, later=WEEK)] == ["app/revenue 2026-03-03"]


def test_folders_of_the_lake_that_no_account_declares_are_named(chosen: Settings, tmp_path: Path) -> None:
    """Those of a removed account and of a removed table; the quarantine and an account that does not load are left out."""
    assert list(places.undeclared(chosen, {})) == []
    for folder in ("app/revenue_raw", "app/its_old_name_raw", "old_app/revenue_raw", "broken/ads", "_quarantine/app"):
        (tmp_path / "lake" / folder / "dt=2026-03-01").mkdir(parents=True)
    (tmp_path / "lake" / "a_file").touch()
    declared = {"app": {"revenue_raw"}, "broken": None}

    [line] = places.undeclared(chosen, declared)

    assert (line.verdict, line.found) == (
        "ok",
        "no defs.yaml declares app/its_old_name_raw, old_app/revenue_raw: nothing loads, checks or removes their files",
    )
    assert line.remedy
    assert (
        list(places.undeclared(chosen, {"app": {"revenue_raw", "its_old_name_raw"}, "old_app": None, "broken": None}))
        == []
    )
