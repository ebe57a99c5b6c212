"""What Airbridge and the ledger tell only as it stands now: the app's catalogue, and the report requests of a report."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from analytics_assets.clock import Clock
from analytics_assets.dates import in_words
from analytics_assets.http.together import together
from analytics_assets.lake.raw import RawDay
from analytics_assets.sources.airbridge.client import AirbridgeClient
from analytics_assets.sources.airbridge.report_spec import ReportSpec
from analytics_assets.sources.airbridge.snapshot_tables import tasks_table
from analytics_assets.sources.airbridge.transform import catalog_day
from analytics_assets.state.report_ledger import Ledger
from analytics_assets.state.requests import Request

SHOWN_FOR: Final = timedelta(days=30)


async def fetch_catalog(client: AirbridgeClient, day: date) -> RawDay:
    """The metrics, dimensions and events a report may name."""
    answers = await together((client.metrics(), client.group_bys(), client.events()))
    return catalog_day(day, dict(zip(("metric", "group_by", "event"), answers, strict=True)))


async def fetch_tasks(account: str, spec: ReportSpec, ledger: Ledger, day: date, *, clock: Clock) -> RawDay:
    """Every request of a report as the ledger has it.

    Notes: `open_requests` and `days_not_stored`; of what is open the instant of the oldest, how many are in which state, and the most tasks
    one has cost; `tasks_posted` of all requests ever. For 30 days also the days of requests that were closed because their report was
    removed from the YAML.
    """
    now = clock()
    requests = await asyncio.to_thread(ledger.all_requests, account, spec.name)
    removed = await asyncio.to_thread(ledger.removed, account, since=now - SHOWN_FOR)
    rows = [
        {
            "date": day,
            "request_id": request.id,
            "first_day": request.first_day,
            "last_day": request.last_day,
            "state": request.state,
            "is_open": request.is_open,
            "days_left": len(request.days_left),
            "attempts": request.attempts,
            "store_runs": request.store_runs,
            "task_id": request.task_id,
            "opened_at": request.opened_at,
            "posted_at": request.posted_at,
            "polled_at": request.polled_at,
            "closed_at": request.closed_at,
            "reason": request.reason,
        }
        for request in requests
    ]
    opened = [request for request in requests if request.is_open]
    notes = {
        "open_requests": len(opened),
        "days_not_stored": sum(len(request.days_left) for request in opened),
        **({"oldest_open_since": min(request.opened_at for request in opened).isoformat()} if opened else {}),
        **({"open_states": dict(sorted(Counter(request.state for request in opened).items()))} if opened else {}),
        **({"most_attempts": max(request.attempts for request in opened)} if opened else {}),
        "tasks_posted": sum(request.attempts for request in requests),
        # A report that is gone has no table of its own.
        **({"closed_for_removed_reports": others} if (others := _days_by_report(removed, but=spec.name)) else {}),
    }
    return RawDay(tasks_table(spec).rows(rows), now, notes)


def _days_by_report(requests: Sequence[Request], *, but: str) -> dict[str, str]:
    """The days of some requests in words, by report; without those of one report."""
    found: dict[str, set[date]] = {}
    for request in requests:
        if request.report != but:
            found.setdefault(request.report, set()).update(request.days_left)
    return {report: in_words(sorted(days)) for report, days in sorted(found.items())}
