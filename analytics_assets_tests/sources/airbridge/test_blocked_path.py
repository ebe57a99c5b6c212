"""A page in front of Airbridge, and responses that cannot be read: what the sensor and a run make of them, with a real ledger."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from analytics_assets.errors import SourceError
from analytics_assets.lake.store import Lake
from analytics_assets.sources.airbridge.client import AirbridgeClient
from analytics_assets.sources.airbridge.polling import PolledAccount, PollSummary, poll
from analytics_assets.sources.airbridge.report_loader import ReportReader, Waiting
from analytics_assets.sources.airbridge.report_spec import spec_hash
from analytics_assets.sources.airbridge.task_decisions import PollResult, TaskPolicy
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.sources.airbridge.vendor import NOW, Scripted, always, group, report, spec, sub_row

DAY = date(2026, 3, 1)
POLICY = TaskPolicy()
PAGE = "<html>Access denied</html>"
FINISHED = report([group(["a"], sub_row(DAY.isoformat(), 1))], total=1, more=False)


def opened(folder: Path) -> Ledger:
    """A ledger with one request, number 1, for one day."""
    ledger = Ledger(f"sqlite:///{folder}/state.db")
    ledger.join_or_open("shop", "revenue", spec_hash(spec()), [DAY], longest=92, now=NOW)
    return ledger


async def look(vendor: Any, ledger: Ledger, at: datetime, *, polling_s: float = 40.0) -> PollSummary:
    """One tick of the sensor."""

    class Resource:
        @asynccontextmanager
        async def open(self, **_: Any) -> AsyncIterator[AirbridgeClient]:
            yield vendor.client()

    account, resource = PolledAccount("shop", {"revenue": spec_hash(spec())}, POLICY, 92), Resource()
    tick, _ = await asyncio.to_thread(poll, account, resource, ledger, busy=(), clock=lambda: at, polling_s=polling_s)  # type: ignore[arg-type]
    return tick


async def run(vendor: Scripted, ledger: Ledger, folder: Path, at: datetime) -> SourceError:
    """A run that requests the day, and its error."""
    reader = ReportReader(
        "shop",
        spec(),
        vendor.client(),
        ledger=ledger,
        lake=Lake(f"{folder}/lake"),
        waiting=Waiting(0, 92, 100, POLICY),
        clock=lambda: at,
        owner="run",
        log=logging.getLogger("test"),
        only=[],
        zone="UTC",
    )
    reader.announce([DAY])
    with pytest.raises(SourceError) as caught:
        await reader.fetch(DAY)
    await reader.close()
    return caught.value


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_one_page_in_front_of_airbridge_does_not_pause_a_report(tmp_path: Path, status: int):
    """Neither is the task given up for it: a minute later the sensor looks again, and finds it ready."""
    ledger = opened(tmp_path)
    ledger.begin_attempt(1, now=NOW)
    ledger.posted(1, "t-1", now=NOW)
    said = [(status, PAGE), FINISHED]
    vendor = Scripted(lambda _: said.pop(0))
    tick = await look(vendor, ledger, NOW + timedelta(seconds=30))
    request = ledger.get(1)
    assert (request.state, request.next_poll_at) == (PollResult.BLOCKED, NOW + timedelta(seconds=90))
    assert "a proxy, a firewall or a bot wall in front of it" in tick.summary()
    assert (await look(vendor, ledger, NOW + timedelta(seconds=89))).counts == {"waiting": 1}
    assert (await look(vendor, ledger, NOW + timedelta(seconds=90))).counts == {"ready": 1}
    assert (len(vendor.requests), ledger.get(1).attempts) == (2, 1)


async def test_a_page_that_stays_is_looked_at_ever_less_and_is_loud_after_a_while(tmp_path: Path):
    """A quarter of an hour of silence, then the check warns; a day costs about a hundred looks, and then a new task is due."""
    ledger, vendor = opened(tmp_path), always((403, PAGE))
    ledger.begin_attempt(1, now=NOW)
    ledger.posted(1, "t-1", now=NOW)
    at, troubled = NOW, list[float]()
    while (request := ledger.get(1)).state not in {PollResult.OVERDUE, PollResult.REFUSED}:
        at = max(request.next_poll_at or at, at + timedelta(seconds=1))
        if (await look(vendor, ledger, at)).troubled:
            troubled.append((at - NOW).total_seconds())
    assert request.state == PollResult.OVERDUE
    assert 900 <= troubled[0] < 1200
    assert len(troubled) == 1
    assert len(vendor.requests) < 120
    assert at - NOW == pytest.approx(timedelta(days=1), abs=timedelta(minutes=15))


async def test_a_task_that_no_poll_gets_an_answer_for_is_loud_after_a_while(tmp_path: Path):
    """Packets that a firewall drops, or a rate limit that all waits for, use up the time of each tick."""

    class Silent:
        def client(self) -> Any:
            return self

        async def report_state(self, task_id: str) -> Any:
            await asyncio.Event().wait()

    ledger = opened(tmp_path)
    ledger.begin_attempt(1, now=NOW)
    ledger.posted(1, "t-1", now=NOW)
    tick = await look(Silent(), ledger, NOW + timedelta(seconds=60), polling_s=0.01)
    request = ledger.get(1)
    assert (request.state, request.reason) == (
        PollResult.TROUBLE,
        "no response within 0.01 s, waits for the rate limit included",
    )
    assert not tick.troubled
    tick = await look(Silent(), ledger, NOW + timedelta(seconds=POLICY.deadline_s), polling_s=0.01)
    assert (ledger.get(1).state, tick.troubled) == (PollResult.UNSEEN, {"revenue"})
    await look(Silent(), ledger, NOW + timedelta(seconds=POLICY.patience_s), polling_s=0.01)
    assert ledger.get(1).state == PollResult.OVERDUE


async def test_a_refusal_in_json_pauses_the_report(tmp_path: Path):
    """It is Airbridge's own, so only a person can change what it refuses. The ledger keeps the class of the error."""
    ledger = opened(tmp_path)
    ledger.begin_attempt(1, now=NOW)
    ledger.posted(1, "t-1", now=NOW)
    await look(always((403, {"title": "Forbidden", "status": 403})), ledger, NOW)
    assert (ledger.get(1).state, ledger.get(1).error) == (PollResult.REFUSED, "AccessRefusedError")


async def test_a_report_whose_responses_cannot_be_read_is_posted_a_bounded_number_of_times(tmp_path: Path):
    """Each POST may have made a task whose id is lost; after eight the report is paused, with the reason."""
    ledger, vendor, at = opened(tmp_path), always({"unknown": "shape"}), NOW
    said = []
    while ledger.get(1).state != PollResult.REFUSED:
        said.append(await run(vendor, ledger, tmp_path, at))
        at = ledger.get(1).next_poll_at or at
    assert [request.method for request in vendor.requests] == ["POST"] * POLICY.most_unread
    assert "The responses to 8 requests in a row could not be read." in (ledger.get(1).reason or "")
    assert at - NOW == timedelta(seconds=POLICY.first_pause_s * (2**7 - 1))
    assert "UNREAD" in str(said[0])
    assert {error.evidence.body for error in said if error.evidence} == {'{"unknown":"shape"}'}
    assert said[-1].evidence is not None
    tick = await look(vendor, ledger, at + timedelta(days=1))
    assert (tick.counts, len(vendor.requests)) == ({"paused": 1}, POLICY.most_unread)


async def test_a_response_that_is_read_begins_the_count_anew(tmp_path: Path):
    """Seven in a row, a task, and seven more do not pause the report; a person's request after the eighth costs one POST."""
    ledger, at = opened(tmp_path), NOW
    lost, made = always({"unknown": "shape"}), always({"data": {"taskId": "t-1"}})
    for vendor in [*[lost] * 7, made]:
        await run(vendor, ledger, tmp_path, at)
    assert ledger.get(1).task_id == "t-1"
    ledger.saw(1, PollResult.FAILURE, task_id="t-1", now=at)
    for _ in range(7):
        await run(lost, ledger, tmp_path, at)
    assert ledger.get(1).state == PollResult.UNREAD
    await run(lost, ledger, tmp_path, at)
    assert ledger.get(1).state == PollResult.REFUSED
    before = len(lost.requests)
    await run(lost, ledger, tmp_path, at)
    assert (ledger.get(1).state, ledger.get(1).error) == (PollResult.REFUSED, "UnexpectedPayloadError")
    assert len(lost.requests) == before + 1
