"""What a range of days will cost, before anything is asked: requests, report tasks, runs, days refused, and the time the budgets leave.

The streams count the requests (`SourceStream.request_count`) from what the runs send, so a plan cannot drift from them. Pages of a response and
polls of a report task are not known beforehand: those counts are the least. Every day is taken as requested again.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from analytics_assets.clock import Clock
from analytics_assets.dates import days_between, in_words
from analytics_assets.orchestration.backfill_guard import BackfillGuard
from analytics_assets.orchestration.stream import SourceStream
from analytics_assets.settings import settings
from analytics_assets.state.rate_limit import Budget

NO_HISTORY = "no history: told only as it stands now; the job snapshots reads it"


@dataclass(frozen=True)
class AccountPlan:
    """What an account asks.

    Attributes:
        streams: Its streams, in the order of the plan.
        days_per_run: Days a run of a backfill takes at most.
        budget: What may be spent.
        budget_key: What the vendor counts by; accounts with one key share the budget.
        final_at: Instant from which a day is a partition.
        start_date: First day of the account, where it names one.
    """

    streams: Sequence[SourceStream]
    days_per_run: int
    budget: Budget
    budget_key: str
    final_at: Callable[[date], datetime]
    start_date: date | None = None


@dataclass
class Plan:
    """A range, planned; `as_json` is its form for programs.

    Attributes:
        requests: By account, then endpoint.
        at_least: Accounts whose requests may be more.
        tasks: Report tasks by account: requests that begin work, sent with POST.
        runs: Runs of a backfill, by account.
        refused: By `account/stream`, then reason, the days.
        seconds: The least time the budgets leave if nothing else is asked, all accounts side by side.
    """

    first: date
    last: date
    requests: dict[str, dict[str, int]] = field(default_factory=dict)
    at_least: list[str] = field(default_factory=list)
    tasks: dict[str, int] = field(default_factory=dict)
    runs: dict[str, int] = field(default_factory=dict)
    refused: dict[str, dict[str, list[date]]] = field(default_factory=dict)
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Plain values; days as `2026-03-01 to 2026-03-04`."""
        return {
            "from": str(self.first),
            "to": str(self.last),
            "requests": self.requests,
            "at_least": self.at_least,
            "report_tasks": self.tasks,
            "runs": self.runs,
            "refused": {
                stream: {reason: in_words(days) for reason, days in reasons.items()}
                for stream, reasons in self.refused.items()
            },
            "seconds": self.seconds,
        }

    def lines(self) -> list[str]:
        """The plan for people."""
        refused = [
            f"refused: {stream} {in_words(days)}: {reason}"
            for stream, reasons in self.refused.items()
            for reason, days in reasons.items()
        ]
        *costs, seconds = self.costs()
        return [f"Plan for {self.first} to {self.last}, all days asked anew:", *costs, *refused, seconds]

    def costs(self) -> list[str]:
        """Runs and requests by account, and how long the rate limits make them last."""
        lines = []
        for account, requests in self.requests.items():
            least = "at least " if account in self.at_least else ""
            tasks = f", {self.tasks[account]} report tasks" if account in self.tasks else ""
            lines.append(f"{account}: {self.runs[account]} runs{tasks}")
            lines += [f"  {least}{number} {endpoint}" for endpoint, number in requests.items()]
        return [*lines, f"The budgets leave this at least {timedelta(seconds=math.ceil(self.seconds))}."]


def planned(accounts: Mapping[str, AccountPlan], first: date, last: date, *, start: date, now: datetime) -> Plan:
    """The plan of a range.

    Args:
        accounts: What each account asks.
        first: First day.
        last: Last day, not before the first.
        start: First day of the accounts that name none.
        now: The present instant.
    """
    days = days_between(first, last)
    plan = Plan(first, last)
    spent: Counter[str] = Counter()
    for name, account in accounts.items():
        first_day = start if account.start_date is None else max(start, account.start_date)
        partitions = [day for day in days if day >= first_day and account.final_at(day) <= now]
        longest = account.days_per_run
        runs = [partitions[number : number + longest] for number in range(0, len(partitions), longest)]
        plan.runs[name] = len(runs)
        requests: Counter[str] = Counter()
        for stream in [candidate for candidate in account.streams if candidate.sends_requests]:
            requested, refused = _sorted_out(stream, days, start=first_day, now=now)
            if refused:
                plan.refused[f"{name}/{stream.name}"] = refused
            # A report task covers days of one run.
            for run in runs:
                of_run = [day for day in run if day in requested]
                requests.update(stream.request_count(of_run) if of_run else {})
            if requested and not stream.is_exact and name not in plan.at_least:
                plan.at_least.append(name)
        plan.requests[name] = dict(sorted(requests.items()))
        if tasks := sum(number for endpoint, number in requests.items() if endpoint.startswith("POST ")):
            plan.tasks[name] = tasks
        spent[account.budget_key] += requests.total()
        plan.seconds = max(plan.seconds, account.budget.seconds_for(spent[account.budget_key]))
    return plan


def backfill_guard(accounts: Callable[[], Mapping[str, AccountPlan]], most_days: int, clock: Clock) -> BackfillGuard:
    """Refuses backfills of more days, with the plan of the accounts."""

    def costs(days: Sequence[date]) -> list[str]:
        return planned(accounts(), days[0], days[-1], start=settings().start_date, now=clock()).costs()

    return BackfillGuard(most_days, costs)


def _sorted_out(
    stream: SourceStream, days: Sequence[date], *, start: date, now: datetime
) -> tuple[set[date], dict[str, list[date]]]:
    """The days that are requested, and the others by reason."""
    if stream.final_at is None:
        return set(), {NO_HISTORY: list(days)}
    requested: set[date] = set()
    refused: dict[str, list[date]] = {}
    reason = ""
    for day in days:
        if day < start:
            refused.setdefault(f"before the first day of the account, {start}", []).append(day)
        elif (final := stream.final_at(day)) > now:
            reason = reason or f"not final yet: {day} can be loaded from {final.astimezone(UTC):%Y-%m-%d %H:%M} UTC on"
            refused.setdefault(reason, []).append(day)
        else:
            requested.add(day)
    return requested, refused
