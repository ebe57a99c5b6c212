"""The bare asynchronous loop: the fastest script for each work that still keeps the bytes as sent and writes the project's types.

It has the project's transport (httpx over aiohttp), 16 requests in flight, the project's way to write Parquet, and a file a day and table:
the answers as sent, and the typed tables with the types and nulls of their declarations. It has nothing else: no retries, no validation, no
hashes, no footers, no staging of files, no order of days, no search for fields not known. What it keeps is what the lake keeps, so people are
taken out of it too. A thread writes while the loop reads.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec
import pyarrow as pa
from httpx_aiohttp import AiohttpTransport

from analytics_assets.lake.parquet import parquet
from analytics_assets.sources.airbridge.report_spec import body
from analytics_assets.sources.statsig.responses import Pagination, without_personal_fields
from bench.rows import PAGE, ads_of, by_day, cohorts_of, metrics_of
from bench.works import AIRBRIDGE, APP, BENTO, IN_FLIGHT, LOOK_S, STATSIG, WAITING, Sizes, tasks

T = TypeVar("T")

_TASK = f"/airbridge/reports/api/v3/apps/{APP.name}/revenue/query"


class _Paged(msgspec.Struct):
    pagination: Pagination


_TOLD = msgspec.json.Decoder(_Paged)


class _Loop:
    """One client, the slots of its requests, and the writer."""

    def __init__(self, url: str, folder: Path) -> None:
        transport = AiohttpTransport(limits=httpx.Limits(max_connections=IN_FLIGHT))
        self._http = httpx.AsyncClient(base_url=url, transport=transport, timeout=60)
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self._writer = ThreadPoolExecutor(1)
        self._folder = folder

    async def get(self, path: str, **params: Any) -> bytes:
        async with self._slots:
            return (await self._http.get(path, params=params)).raise_for_status().content

    async def post(self, path: str, sent: bytes) -> bytes:
        async with self._slots:
            return (await self._http.post(path, content=sent)).raise_for_status().content

    async def written(self, work: Callable[[], int]) -> int:
        """Rows that `work`, done beside the loop, has written."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, work)

    def write(self, name: str, day: date, content: pa.Table) -> int:
        target = self._folder / name / f"dt={day}" / "data.parquet"
        target.parent.mkdir(parents=True)
        target.write_bytes(parquet(content))
        return int(content.num_rows)

    def write_raw(self, day: date, asked: Sequence[str], bodies: Iterable[bytes | msgspec.Raw]) -> None:
        texts = pa.array(list(map(bytes, bodies)), pa.large_binary())
        self.write("raw", day, pa.table({"asked": list(asked), "body": texts}))

    async def close(self) -> None:
        await self._http.aclose()
        self._writer.shutdown()


def run(work: str, sizes: Sizes, url: str, folder: Path) -> int:
    """Does a work; returns the rows of the typed tables."""
    return asyncio.run(_run({STATSIG: _statsig, BENTO: _bento, AIRBRIDGE: _airbridge}[work], sizes, url, folder))


def run_a_task_a_day(work: str, sizes: Sizes, url: str, folder: Path) -> int:
    """Airbridge with a report task for each day, as tools that load a day at a time ask for it."""
    assert work == AIRBRIDGE
    return asyncio.run(_run(_airbridge_by_day, sizes, url, folder))


async def _run(work: Callable[[_Loop, Sizes], Awaitable[int]], sizes: Sizes, url: str, folder: Path) -> int:
    loop = _Loop(url, folder)
    try:
        return await work(loop, sizes)
    finally:
        await loop.close()


async def _statsig(loop: _Loop, sizes: Sizes) -> int:
    day, seen_at = sizes.metric_day(), datetime.now(UTC)

    async def event(name: str) -> list[tuple[str, bytes]]:
        path = f"/statsig/console/v1/events/{name}/metrics"
        first = await loop.get(path, limit=100, page=1)
        pages = -(-(_TOLD.decode(first).pagination.total_items or 0) // 100)
        rest = await asyncio.gather(*(loop.get(path, limit=100, page=page) for page in range(2, pages + 1)))
        return [(name, without_personal_fields(one)) for one in (first, *rest)]

    read = [one for some in await asyncio.gather(*map(event, sizes.event_names())) for one in some]

    def write() -> int:
        loop.write_raw(day, [name for name, _ in read], (text for _, text in read))
        return loop.write("event_metrics", day, metrics_of(read, day, seen_at))

    return await loop.written(write)


async def _bento(loop: _Loop, sizes: Sizes) -> int:
    spec = sizes.ads()

    async def one(day: date) -> int:
        asked = [query.params() for query in spec.queries(day)]
        bodies = await asyncio.gather(*(loop.get("/bento/api/v1/stats/ads", **params) for params in asked))

        def write() -> int:
            loop.write_raw(day, [msgspec.json.encode(params).decode() for params in asked], bodies)
            return sum(loop.write(table.name, day, content) for table, content in ads_of(day, bodies).items())

        return await loop.written(write)

    return sum(await asyncio.gather(*map(one, sizes.bento_days())))


async def _airbridge(loop: _Loop, sizes: Sizes) -> int:
    return await _reports(loop, sizes, each=WAITING.days_per_task)


async def _airbridge_by_day(loop: _Loop, sizes: Sizes) -> int:
    return await _reports(loop, sizes, each=1)


async def _reports(loop: _Loop, sizes: Sizes, *, each: int) -> int:
    spec, size = sizes.report(), WAITING.page_size

    async def report(first: date, last: date) -> int:
        sent = msgspec.json.encode(body(spec, first, last))
        path = f"{_TASK}/{msgspec.json.decode(await loop.post(_TASK, sent))['data']['taskId']}"
        # The vendor tells nobody when a report is ready, so it is looked at.
        while (head := PAGE.decode(await loop.get(path, skip=0, size=1)).data).status != "SUCCESS":  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S)
        skips = range(0, head.metadata.total_count, size)
        pages = await asyncio.gather(*(loop.get(path, skip=skip, size=size) for skip in skips))

        def write() -> int:
            rows = 0
            for day, groups in by_day(pages).items():
                loop.write_raw(day, [",".join(values) for values, _ in groups], (text for _, text in groups))
                made = cohorts_of(day, groups, spec, APP.currency)
                rows += sum(loop.write(table.name, day, content) for table, content in made.items())
            return rows

        return await loop.written(write)

    return sum(await asyncio.gather(*(report(*days) for days in tasks(sizes.cohort_days(), each=each))))
