"""The requests of a run: its plan and what it spent as lines of the log, and the counts of each day as metadata of the raw table."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from analytics_assets.errors import TransientError
from analytics_assets.http.meter import spent
from analytics_assets.lake.raw import RawDay
from analytics_assets_tests.lake.vendor import Opened, Vendor
from analytics_assets_tests.shop import Shop, span, table_key

BAD = date(2026, 3, 2)


def lines(shop: Shop, run_id: str) -> list[str]:
    """What a run has logged of its plan and of its spending."""
    logged = [log.user_message for log in shop.instance.all_logs(run_id) if log.dagster_event is None]
    return [line for line in logged if line.startswith(("Plan", "Spent"))]


@dataclass
class Counted(Vendor):
    """A vendor that needs two requests a day, the second of them sent as often as the day of the month.

    Attributes:
        shop: Whose runs are watched.
        logged: Plan and spending in the log at each request.
    """

    shop: Shop | None = None
    logged: list[list[str]] = field(default_factory=list)

    def stream(self, **changes: Any) -> Opened:
        """The vendor's stream, counted."""
        shop, inner = self.shop, super().stream(**changes)
        assert shop is not None
        works = shop.works

        async def fetch(day: date) -> RawDay:
            self.logged.append(lines(shop, works[-1].owner))
            meter = works[-1].origin.meter
            meter.requests += Counter({"GET /numbers": 1 + day.day})
            meter.retries += day.day - 1
            return replace(await inner.fetcher.fetch(day), spent=spent(1 + day.day, day.day - 1, 0.5))

        return replace(inner, fetcher=replace(inner.fetcher, fetch=fetch))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """An account whose vendor watches the log."""
    with dg.DagsterInstance.ephemeral() as instance:
        made = Shop(tmp_path / "lake", instance, request_count=lambda days: {"GET /numbers": 2 * len(days)})
        made.vendor = Counted(shop=made)
        yield made


def test_the_plan_is_logged_before_the_first_request_and_the_spending_once_at_the_end(shop: Shop) -> None:
    """Also of a run that fails, and with the requests of the days that did."""
    shop.vendor.answers = {BAD: TransientError("Timed out.")}
    run = shop.run(span("01", "03"))
    plan = "Plan: at least 6 GET /numbers (days: 3)."
    assert isinstance(shop.vendor, Counted)
    assert shop.vendor.logged == [[plan]] * 3
    assert lines(shop, run.run_id) == [
        plan,
        "Spent: 9 GET /numbers; 3 of them repeats; 0 s waited for the budget.",
    ]


def test_a_run_of_typed_tables_logs_neither(shop: Shop) -> None:
    """It sends no request."""
    shop.run(span("01", "03"))
    typed = shop.run(span("01", "03"), tables=["sums"])
    assert typed.status is dg.DagsterRunStatus.SUCCESS
    assert lines(shop, typed.run_id) == []


def test_the_raw_table_of_each_day_carries_the_requests_of_that_day(shop: Shop) -> None:
    """Days are read ahead of those before them. Typed tables have no requests."""
    run = shop.run(span("01", "03"))
    names = ("requests", "requests_repeated", "seconds_waited")
    found = {
        str(event.partition)[-2:]: tuple(event.metadata[name].value for name in names)
        for event in shop.materializations(run)
        if event.asset_key == table_key("numbers_raw")
    }
    assert found == {"01": (2, 0, 0.5), "02": (3, 1, 0.5), "03": (4, 2, 0.5)}
    typed = [event for event in shop.materializations(run) if event.asset_key != table_key("numbers_raw")]
    assert typed
    assert not any("requests" in event.metadata for event in typed)
