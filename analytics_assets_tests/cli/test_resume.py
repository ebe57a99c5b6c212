"""`analytics-assets resume`: what it prints, and what it ends."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from analytics_assets import SOURCES
from analytics_assets.__main__ import main
from analytics_assets.sources.statsig.source import StatsigResource

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def clock() -> datetime:
    """The present instant of these tests."""
    return NOW


@pytest.fixture(autouse=True)
def _budgets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Budgets are kept, in a database of the test's own."""
    monkeypatch.setenv("ANALYTICS_BUDGET", "on")
    monkeypatch.setenv("ANALYTICS_STATE", f"sqlite:///{tmp_path}/state.db")


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Status, stdout and stderr of the command."""
    status = main(("resume", *arguments), clock=clock)
    out, err = capsys.readouterr()
    return status, out, err


def test_it_ends_the_pause_of_an_account(capsys: pytest.CaptureFixture[str]) -> None:
    """It says what has ended; a second time there is nothing to end."""
    rate_limiter = StatsigResource().rate_limiter(clock=clock)
    rate_limiter.pause_for(600, "GET /metrics/list: HTTP 429, Retry-After: 600")
    words = (
        "statsig: the pause until 2026-03-10 12:10:00 UTC has ended (GET /metrics/list: HTTP 429, Retry-After: 600). "
        "Processes that wait go on within a minute.\n"
    )
    assert said(capsys, "statsig") == (0, words, "")
    assert rate_limiter.pause() is None
    assert said(capsys, "statsig") == (0, "statsig: requests are not paused.\n", "")


def test_a_pause_of_another_account_stays(capsys: pytest.CaptureFixture[str]) -> None:
    """Each has a budget of its own."""
    rate_limiter = StatsigResource().rate_limiter(clock=clock)
    rate_limiter.pause_for(600, "GET /metrics/list: HTTP 429, Retry-After: 600")
    assert said(capsys, "bento") == (0, "bento: requests are not paused.\n", "")
    assert rate_limiter.pause() is not None


def test_without_budgets_there_is_no_pause(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the sandbox by default."""
    monkeypatch.setenv("ANALYTICS_BUDGET", "off")
    assert said(capsys, "statsig") == (
        0,
        "statsig: budgets are off in sandbox mode as set here; no pause is kept.\n",
        "",
    )


@pytest.mark.parametrize(
    ("account", "words"),
    [
        (
            "shop",
            f"resume shop: there is no such folder with a defs.yaml. There are: {', '.join(sorted(SOURCES))}.",
        ),
        ("alerts", f"resume alerts: it sends no requests. Accounts: {', '.join(sorted(SOURCES))}."),
    ],
)
def test_what_is_not_an_account_is_refused(capsys: pytest.CaptureFixture[str], account: str, words: str) -> None:
    """With those there are."""
    assert said(capsys, account) == (2, "", f"analytics-assets: {words}\n")
