"""The plan of a run and what it has spent, as tags that the UI shows beside each other while it works and afterwards."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.errors import TransientError
from analytics_assets.http.session import Meter
from analytics_assets.lake.raw import RawDay
from analytics_assets.lake.stream import Stream
from analytics_assets_tests.lake.vendor import Vendor
from analytics_assets_tests.shop import Shop, span

PLAN, SPENT = "analytics/plan.shop.numbers", "analytics/spent.shop.numbers"


@dataclass
class Watched(Vendor):
    """A vendor that notes the tags of the run as they are at each request, and counts two requests a day.

    Attributes:
        shop: Whose runs are watched.
        tags: Plan and spending, at each request.
    """

    shop: Shop | None = None
    tags: list[tuple[str, str]] = field(default_factory=list)

    def stream(self) -> Stream:
        """The vendor's stream, watched."""
        shop, inner = self.shop, super().stream()
        assert shop is not None
        if not shop.works:
            return inner
        meter = Meter()
        shop.works[-1].caller.meters.append(meter)

        async def fetch(day: date) -> RawDay:
            held = shop.instance.get_run_by_id(shop.works[-1].owner)
            assert held is not None
            self.tags.append((held.tags[PLAN], held.tags[SPENT]))
            meter.requests += Counter({"GET /numbers": 2})
            return await inner.fetch(day)

        return replace(inner, fetch=fetch, requests=lambda days: {"GET /numbers": 2 * len(days)})


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """An account whose vendor watches the tags."""
    with dg.DagsterInstance.ephemeral() as instance:
        made = Shop(tmp_path / "lake", instance)
        made.vendor = Watched(shop=made)
        yield made


def tags_of(run: dg.DagsterRun) -> tuple[str, str]:
    """Plan and spending."""
    return run.tags[PLAN], run.tags[SPENT]


def test_the_plan_is_on_the_run_before_the_first_request_and_the_spending_beside_it_at_the_end(shop: Shop) -> None:
    """Also of a run that fails."""
    bad = date(2026, 3, 2)
    shop.vendor.answers = {bad: TransientError("Timed out.")}
    run = shop.run(span("01", "03"))
    plan = "3 days asked for; at least 6 GET /numbers"
    assert isinstance(shop.vendor, Watched)
    assert shop.vendor.tags == [(plan, "nothing yet")] * 3
    assert tags_of(run) == (plan, "6 GET /numbers; 0 of them repeats; 0 s waited for the budget")


def test_a_re_execution_does_not_show_what_the_run_before_it_has_spent(shop: Shop) -> None:
    """Dagster hands its tags on; this one asks for what is missing, and a run of typed tables for nothing."""
    bad = date(2026, 3, 2)
    shop.vendor.answers = {bad: TransientError("Timed out.")}
    first = shop.run(span("01", "03"))
    shop.vendor = Watched(shop=shop)
    second = shop.run(dict(first.tags), again=first)
    plan = "1 day asked for; at least 2 GET /numbers"
    assert isinstance(shop.vendor, Watched)
    assert shop.vendor.tags == [(plan, "nothing yet")]
    assert tags_of(second) == (plan, "2 GET /numbers; 0 of them repeats; 0 s waited for the budget")
    typed = shop.run(dict(second.tags), tables=["sums"])
    assert tags_of(typed) == ("0 days asked for", "nothing")
