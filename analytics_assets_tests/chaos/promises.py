"""What must hold of a lake, a ledger and a vendor's log after a storm; each function names what does not, and is empty where all holds."""

from collections.abc import Container, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx

from analytics_assets.lake.store import Lake
from analytics_assets.sources.airbridge.task_decisions import LOST
from analytics_assets.state.report_ledger import INTENT, Ledger

_DAY_OF = {"bento": ("/stats/ads", "start_date", "ads_raw"), "statsig": ("/metrics/values", "date", "values_raw")}


def differing(undisturbed: Path, lake: Path | str, tables: Sequence[str], days: Sequence[date]) -> list[str]:
    """Days that are not as in the undisturbed lake: typed files byte by byte, raw ones in all but the fields of the observation.

    The lake is a folder or a bucket.
    """
    found, roots = [], [Lake(str(undisturbed)), Lake(str(lake))]
    for account, table in (one.split("/") for one in tables):
        for day in days:
            place = f"{account}/{table}/dt={day}/data.parquet"
            one, other = (
                _content(root, account, table, day) if table.endswith("_raw") else _bytes(root, place) for root in roots
            )
            found += [] if one == other is not None else [f"{place} is not as in the undisturbed lake"]
    return found


def asked_again(log: Sequence[Mapping[str, Any]], stored: Mapping[tuple[str, str, date], datetime]) -> list[str]:
    """Requests for days whose responses was stored already."""
    found = []
    for entry in log:
        if entry["vendor"] not in _DAY_OF:
            continue
        path, param, table = _DAY_OF[entry["vendor"]]
        day = httpx.QueryParams(entry["query"]).get(param)
        if path in entry["path"] and day:
            at = stored.get((entry["vendor"], table, date.fromisoformat(day)))
            if at is not None and datetime.fromisoformat(entry["at"]) > at:
                found.append(f"{entry['vendor']} {day} was asked again at {entry['at']}, landed by {at.isoformat()}")
    return found


def posted_twice(ledger: Ledger, reports: Sequence[str], days: Container[date], *, kills: int) -> list[str]:
    """Report tasks of some days requested although the one before had not gone wrong; a kill may cost the one whose answer it cut off."""
    in_hand, found = 0, []
    for report in reports:
        for request in (one for one in ledger.all_requests("airbridge", report) if one.first_day in days):
            before: str | None = None
            for state, at, _ in ledger.history(request.id):
                if state == INTENT and before == INTENT:
                    in_hand += 1
                elif state == INTENT and before is not None and before not in LOST:
                    found.append(f"{report} {request.first_day}: requested again at {at.isoformat()} after {before}")
                before = state
    return found if in_hand <= kills else [*found, f"{in_hand} tasks were posted again in {kills} kills"]


def most_tasks(planned: int, *, fail_every: int, kills: int) -> int:
    """Tasks it takes at most: the planned ones, one a kill, and another for each that fails, each n-th of all."""
    posted = 0
    good = 0
    while good < planned + kills:
        posted += 1
        good += not fail_every or posted % fail_every != 0
    return posted


def _bytes(lake: Lake, place: str) -> bytes | None:
    with suppress(FileNotFoundError):
        return bytes(lake.files.fs.cat_file(f"{lake.files.root}/{place}"))
    return None


def _content(lake: Lake, account: str, table: str, day: date) -> tuple[str, str] | None:
    standing = lake.stored_day(account, table, day)
    return None if standing is None else (standing.footer.content_hash, standing.footer.request_hash)
