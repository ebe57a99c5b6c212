"""The days of a report that does not fit in memory, split off its pages as they arrive."""

import asyncio
import logging
import tracemalloc
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import msgspec
import pytest

from analytics_assets.errors import PermanentError
from analytics_assets.lake.store import Lake
from analytics_assets.sources.airbridge.report_days import FinishedTask, ReportDays
from analytics_assets.sources.airbridge.report_loader import ReportReader, Waiting
from analytics_assets.sources.airbridge.report_spec import spec_hash
from analytics_assets.sources.airbridge.source import TasksConfig
from analytics_assets.sources.airbridge.task_decisions import TaskPolicy
from analytics_assets.state.database import engine
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.sources.airbridge.days import DAY, LATER, split
from analytics_assets_tests.sources.airbridge.reading import reader_of
from analytics_assets_tests.sources.airbridge.vendor import Scripted, group, page, paged, report, spec, sub_row

LAST = DAY + timedelta(days=4)
TASK = FinishedTask("t-1", LATER, DAY, LAST)
GROUPS = [
    group([f"g{number}"], *(sub_row(str(DAY + timedelta(days=day)), number, day) for day in range(5) if day != number))
    for number in range(7)
]


def test_days_written_to_a_file_are_the_days_held_in_memory() -> None:
    """Whatever the bound, and in whatever order the pages come."""
    pages = [page(report(GROUPS[first : first + 2], total=7)) for first in range(0, 7, 2)]
    held, written = (split(pages, spec(), TASK, memory_bytes=size) for size in (2**20, 1))
    assert {day: raw.content for day, raw in written.items()} == {day: raw.content for day, raw in held.items()}
    assert [raw.notes for raw in written.values()] == [{"task_id": "t-1"}] * 5
    assert [raw.content.num_rows for raw in written.values()] == [6] * 5
    assert held[DAY].content["group_values"].to_pylist() == [f'["g{number}"]' for number in range(1, 7)]


def test_pages_of_a_reading_that_was_given_up_are_in_no_day() -> None:
    """Pages that shifted are read again from the start, and only the last reading counts."""
    with closing(ReportDays([DAY], TASK, spec(), zone="UTC", memory_bytes=1)) as days:
        for _ in range(2):
            pages = [days.take(page(report(GROUPS[:3]))), days.take(page(report(GROUPS[3:])))]
        days.finish(pages)
        assert days.day(DAY).content.num_rows == 6


def test_a_page_that_was_taken_holds_no_rows_any_more() -> None:
    """What is left of it is what shows whether the pages fit together."""
    with closing(ReportDays([DAY], TASK, spec(), zone="UTC", memory_bytes=1)) as days:
        left = days.take(page(report(GROUPS, total=7, more=False)))
    assert [group.values for group in left.groups] == [(f"g{number}",) for number in range(7)]
    assert (left.total_count, left.has_next, left.answer.body) == (7, False, b"")
    assert not any(group.days or group.total for group in left.groups)


def test_a_temporary_folder_that_cannot_be_written_is_named_with_the_settings(tmp_path: Path) -> None:
    """A small disk for temporary files is usual in containers."""
    missing = str(tmp_path / "missing")
    days = ReportDays([DAY], TASK, spec(), zone="UTC", memory_bytes=1, folder=missing)
    with (
        closing(days),
        pytest.raises(PermanentError, match=rf"temporary folder {missing}: .*TMPDIR.*`tasks.memory_mb`"),
    ):
        days.take(page(report(GROUPS)))


def test_nothing_is_left_of_a_report_that_was_closed(tmp_path: Path) -> None:
    """Its file is gone, and no day can be read from it."""
    with closing(ReportDays([DAY], TASK, spec(), zone="UTC", memory_bytes=1, folder=str(tmp_path))) as days:
        days.finish([days.take(page(report(GROUPS)))])
        assert days.day(DAY).content.num_rows == 6
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="closed"):
        days.day(DAY)


@pytest.mark.parametrize(("pages_in_memory", "at_once"), [(None, 4), (0, 1), (2, 2), (9, 4)])
async def test_no_more_pages_are_in_flight_than_fit_in_memory(pages_in_memory: int | None, at_once: int) -> None:
    """The size of the first page shows how many that are; one always is."""
    flight = [0, 0]
    bodies = [msgspec.json.encode(report([group([f"{number:02}"])], total=12)) for number in range(12)]

    class Slow(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            flight[0] += 1
            flight[1] = max(flight)
            await asyncio.sleep(0)
            flight[0] -= 1
            return httpx.Response(
                200, content=bodies[int(request.url.params["skip"])], headers={"Content-Type": "application/json"}
            )

    client = Scripted(lambda _: None).client()
    client.session._transport = Slow()
    memory_bytes = None if pages_in_memory is None else pages_in_memory * len(bodies[0])
    assert len(await client.report_pages("t-1", 1, memory_bytes=memory_bytes)) == 12
    assert flight[1] == at_once


@pytest.mark.parametrize(("count", "at_once"), [(1, 2), (2, 2)])
async def test_the_reports_of_a_run_share_its_memory(tmp_path: Path, count: int, at_once: int) -> None:
    """The setting is for a run; each of its tasks has a part, and at least one page."""
    flight = [0, 0]
    wanted = [DAY + timedelta(days=number) for number in range(count)]

    class Slow(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.method == "POST":
                body: Any = {"data": {"taskId": msgspec.json.decode(await request.aread())["from"]}}
            else:
                skip, day = int(request.url.params["skip"]), request.url.path.rpartition("/")[2]
                body = report([group([f"{skip:02}"], sub_row(day, 1))], total=12)
                flight[0] += skip > 0
                flight[1] = max(flight)
                # Long enough for the other task, which comes here by way of threads.
                await asyncio.sleep(0.05)
                flight[0] -= skip > 0
            return httpx.Response(200, content=msgspec.json.encode(body), headers={"Content-Type": "application/json"})

    client = Scripted(lambda _: None).client()
    client.session._transport = Slow()
    page_bytes = len(msgspec.json.encode(report([group(["00"], sub_row(str(DAY), 1))], total=12)))
    reader = ReportReader(
        "shop",
        spec(),
        client,
        ledger=Ledger(f"sqlite:///{tmp_path}/state.db"),
        lake=Lake(f"{tmp_path}/lake"),
        waiting=Waiting(60, 1, 1, TaskPolicy(first_poll_s=0.01), memory_bytes=2 * page_bytes),
        clock=lambda: LATER,
        owner="run",
        log=logging.getLogger("test"),
        only=[],
        zone="UTC",
    )
    reader.announce(wanted)
    days = await asyncio.gather(*map(reader.fetch, wanted))
    await reader.close()
    assert [day.content.num_rows for day in days] == [12] * count
    assert flight[1] == at_once


async def test_the_memory_of_a_long_report_is_that_of_a_few_pages() -> None:
    """Forty pages of 150 KB each; together they are 6 MB. The notification that each page has does not hold its body."""
    first, last = DAY, DAY + timedelta(days=91)
    rows = [sub_row(str(DAY + timedelta(days=day)), *range(121)) for day in range(92)]
    texts = {number: msgspec.json.encode(group([f"g{number:02}"], *rows)) for number in range(40)}
    client = paged([]).client()

    def answer(request: httpx.Request) -> Any:
        skip = int(request.url.params["skip"])
        return (
            b'{"data":{"status":"SUCCESS","hasNext":%s,"metadata":{"totalCount":40},"stats":{"rows":[%s]}},"notification":[%s]}'
            % (
                b"false" if skip == 39 else b"true",
                texts[skip],
                b'{"code":"AGG_DATA_MASKING_BY_FACEBOOK"}',
            )
        )

    client.session._transport = httpx.MockTransport(
        lambda request: httpx.Response(200, content=answer(request), headers={"Content-Type": "application/json"})
    )
    of = spec(intervals=120)
    with closing(
        ReportDays([first], FinishedTask("t-1", LATER, first, last), of, zone="UTC", memory_bytes=2**16)
    ) as days:
        tracemalloc.start()
        pages = await client.report_pages("t-1", 1, take=days.take, memory_bytes=2**16)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        days.finish(pages)
        assert days.day(date(2026, 3, 1)).content.num_rows == 40
    assert sum(map(len, texts.values())) > 5 * 2**20
    assert peak < 2 * 2**20


def test_the_setting_is_in_megabytes() -> None:
    """One default, which a user sees in the table of settings."""
    assert TasksConfig().memory_mb == 128


async def test_the_requests_of_a_task_are_on_the_first_day_that_is_read(tmp_path: Path) -> None:
    """One poll that is repeated, and one page, are for five days."""
    url = f"sqlite:///{tmp_path}/state.db"
    ledger, days = Ledger(url), [DAY + timedelta(days=number) for number in range(5)]
    ledger.join_or_open("shop", "revenue", spec_hash(spec()), days, longest=92, now=LATER)
    ledger.begin_attempt(1, now=LATER)
    ledger.posted(1, "t-1", now=LATER)
    replies = [(503, "{}"), *[report(GROUPS, total=7, more=False)] * 2]
    client = Scripted(lambda _: replies.pop(0)).client()
    reader = reader_of(cast("Any", client), tmp_path, ledger=ledger, clock=lambda: LATER, meter=client.session.meter)
    reader.announce(days)
    first, *others = [(await reader.fetch(day)).spent for day in days]
    assert first == {"requests": 3, "requests_repeated": 1, "seconds_waited": 0.0}
    assert others == [{"requests": 0, "requests_repeated": 0, "seconds_waited": 0.0}] * 4
    await reader.close()
    engine(url).dispose()
    engine.cache_clear()
