"""The work itself: what may still be asked, which report tasks are under way or stuck, and which days are late.

Late days are those of the check `latest_day_stored`, looked for now.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from analytics_assets.checks.check import CheckContext
from analytics_assets.checks.completeness import LOAD_LATE_DAYS, late_days
from analytics_assets.clock import Clock
from analytics_assets.dates import in_words
from analytics_assets.lake.store import Lake
from analytics_assets.operations.doctor.line import Line, Verdict, ago
from analytics_assets.orchestration.asset_checks import newest_due_day
from analytics_assets.orchestration.diagnostics import VendorDiagnostics
from analytics_assets.orchestration.partitions import daily_partitions, first_day
from analytics_assets.settings import Settings
from analytics_assets.state.report_ledger import Ledger
from analytics_assets.state.requests import Request

_UNSEEN: Final = timedelta(minutes=10)
_SHOWN_FOR: Final = timedelta(days=7)
_RENAMED: Final = "If the report was renamed, materialize these days under its new name. This line goes after 7 days."
_NO_FOLDER: Final = (
    "No sensor polls it, and no other work waits for it. If the folder was renamed, materialize these days under its new name. This line goes "
    "after 7 days."
)


@dataclass(frozen=True)
class ExaminedAccount:
    """An account of a vendor, its name, its daily tables, and those made from each raw one."""

    name: str
    diagnostics: VendorDiagnostics
    tables: Sequence[str]
    made_from: Mapping[str, Sequence[str]] = field(default_factory=dict)


def budget(account: ExaminedAccount, clock: Clock, mode: str) -> Iterator[Line]:
    """What the account may ask now."""
    rate_limiter = account.diagnostics.resource.rate_limiter(clock=clock)
    left, pause = rate_limiter.remaining(), rate_limiter.pause()
    if left is None:
        remedy = "ANALYTICS_BUDGET=on keeps one; nothing waits without."
        yield Line("budget", account.name, "not checked", f"budgets are off in {mode} mode as set here", remedy)
    elif pause is not None:
        state = f"all requests are paused until {pause.until:%Y-%m-%d %H:%M:%S} UTC ({pause.reason})"
        remedy = (
            f"Wait; all processes do. `analytics-assets resume {account.name}` ends the pause now. "
            f"If it comes back, lower `budget` in defs/{account.name}/defs.yaml."
        )
        yield Line("budget", account.name, "warning", state, remedy)
    elif not left:
        remedy = "Wait; requests go on by themselves, scheduled ones before those of a backfill."
        yield Line("budget", account.name, "warning", f"all of {account.diagnostics.budget} are spent", remedy)
    else:
        yield Line("budget", account.name, "ok", f"{left} left of {account.diagnostics.budget}")


def report_tasks(
    accounts: Sequence[ExaminedAccount], current: Settings, now: datetime, *, folders: Collection[str]
) -> Iterator[Line]:
    """The report requests that are open, and those that were closed lately because their report is gone.

    Args:
        accounts: The accounts that load.
        current: Where the state database is.
        now: The present instant.
        folders: Names of all accounts, also of those that do not load.
    """
    ledger, names = Ledger(current.state), {account.name for account in accounts}
    opened = ledger.open_requests(None)
    of_accounts = [request for request in opened if request.account in names]
    if not of_accounts:
        yield Line("report tasks", "open", "ok", "none")
    for request in sorted(of_accounts, key=lambda request: request.account):
        yield Line("report tasks", _named(request), *task(request.account, request, now))
    for name in sorted(names):
        for request in ledger.removed(name, since=now - _SHOWN_FOR):
            state = f"closed {request.closed_at:%Y-%m-%d %H:%M} UTC ({(request.reason or '').rstrip('.')})"
            yield Line("report tasks", _named(request), "warning", state, _RENAMED)
    for request in opened:
        is_recent = now - (request.polled_at or request.opened_at) < _SHOWN_FOR
        if request.account not in folders and is_recent:
            state = f"{request.state}, and no folder of defs/ is called {request.account}"
            yield Line("report tasks", _named(request), "warning", state, _NO_FOLDER)


def _named(request: Request) -> str:
    return f"{request.account}/{request.report} {in_words(request.days_left)}"


def task(account: str, request: Request, now: datetime) -> tuple[Verdict, str, str]:
    """Verdict, finding and remedy of an open request."""
    reason = f" ({request.reason.rstrip('.')})" if request.reason else ""
    since = request.polled_at or request.opened_at
    if request.is_paused:
        return "wrong", f"paused since {since:%Y-%m-%d %H:%M} UTC{reason}", request.issue or ""
    if request.issue is not None:
        state = f"{request.state} in attempt {request.attempts}{reason}"
        advice = (
            "Compare the response kept under `_quarantine` in the lake with the vendor's page."
            if request.is_unusable
            else "If this goes on, ask the vendor about these tasks."
        )
        return "wrong" if request.is_unusable else "warning", state, f"{request.issue} {advice}"
    begun = request.posted_at or request.opened_at
    state = f"{request.state} in attempt {request.attempts}, requested {ago(now - begun)} ago, last seen {ago(now - since)} ago"
    if now - since > _UNSEEN and (request.next_poll_at is None or now - request.next_poll_at > _UNSEEN):
        return "warning", state, f"See that the daemon runs and the sensor {account}_reports is on: nobody looks."
    return "ok", state, ""


def late(account: ExaminedAccount, current: Settings, now: datetime) -> Iterator[Line]:
    """The days of the account's daily tables that could be stored and are not."""
    diagnostics = account.diagnostics
    begins = first_day(current, diagnostics.start_date)
    newest = newest_due_day(
        daily_partitions(begins, diagnostics.final_at), diagnostics.final_at, diagnostics.limits, now
    )
    context = CheckContext(Lake(current.lake), account.name, [], newest, diagnostics.final_at, begins=begins)
    stored: list[str] = []
    empty: list[str] = []
    for table in account.tables:
        late_results = late_days(context, table, account.made_from.get(table, ()))
        by_words: dict[tuple[str, str], list[date]] = {}
        for day, finding in late_results.items():
            by_words.setdefault((finding.words, finding.level), []).append(day)
        missing = {key: days for key, days in by_words.items() if key[0]}
        (stored if late_results and not missing else empty if not late_results else []).append(table)
        for (description, level), days in missing.items():
            verdict: Verdict = "wrong" if level == "error" else "warning"
            yield Line("days", f"{account.name}/{table}", verdict, f"{in_words(days)}: {description}", LOAD_LATE_DAYS)
    if stored:
        yield Line("days", account.name, "ok", f"up to {newest}: {', '.join(stored)}")
    if empty:
        remedy = f"Materialize the first days of {account.name}; the schedule goes on from there."
        yield Line("days", account.name, "not checked", f"no day of {', '.join(empty)} was ever stored", remedy)
