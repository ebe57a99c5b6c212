"""A year of cohorts over real sockets: what the vendor counts is four tasks, each page once, and looks."""

import logging
import math
from collections import Counter
from collections.abc import Callable
from datetime import date

import httpx

from analytics_assets.clock import utc_now
from analytics_assets.lake.store import Lake
from analytics_assets.sandbox.options import Options
from analytics_assets.sources.airbridge.report_loader import ReportReader, Waiting
from analytics_assets.sources.airbridge.source import AirbridgeResource
from analytics_assets.sources.airbridge.task_decisions import TaskPolicy
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.integration.conftest import Place
from analytics_assets_tests.integration.running import REVENUE, SEOUL_APP, days_from
from analytics_assets_tests.integration.server import POST_REPORT, READ_REPORT, sandbox_server

YEAR, PAGE = days_from(date(2025, 6, 1), 365), 5


async def test_a_year_of_cohorts_costs_four_tasks_and_each_page_once(point: Callable[[str], Place]) -> None:
    """365 days are spans of 92, 92, 92 and 89; a look requests one row, a page for five groups."""
    with sandbox_server(Options(task_seconds=0.5)) as sandbox:
        place = point(sandbox.url)
        waiting = Waiting(300.0, 92, PAGE, TaskPolicy(first_poll_s=0.6))
        async with AirbridgeResource(app_name=SEOUL_APP.name).open(clock=utc_now) as client:
            reader = ReportReader(
                "airbridge",
                REVENUE,
                client,
                ledger=Ledger(place.state),
                lake=Lake(str(place.lake)),
                waiting=waiting,
                clock=utc_now,
                owner="run-1",
                zone=SEOUL_APP.zone,
                log=logging.getLogger("year"),
                only=(),
            )
            reader.announce(YEAR)
            groups = [(await reader.fetch(day)).content.num_rows for day in YEAR]
            await reader.close()
        counts, asked = sandbox.counts(), [httpx.URL(one) for one in sandbox.requests("airbridge")]
    assert counts.keys() == {POST_REPORT, READ_REPORT}
    assert counts[POST_REPORT] == 4
    pages = Counter((url.path, int(url.params["skip"])) for url in asked if url.params.get("size") == str(PAGE))
    tasks = Counter(path for path, _ in pages)
    assert (len(tasks), set(pages.values())) == (4, {1})
    for path, number in tasks.items():
        assert sorted(skip for of, skip in pages if of == path) == [PAGE * page for page in range(number)]
    # Each group has a row for every day, so a day's rows are the groups of its task.
    assert sorted(tasks.values()) == sorted(
        math.ceil(max(groups[start : start + 92]) / PAGE) for start in range(0, 365, 92)
    )
    assert min(tasks.values()) > 1
    looks = counts[READ_REPORT] - pages.total()
    assert 4 <= looks <= 4 * 20
