"""A whole report from its pages: every group there, none twice, or none at all.

`skip` and `size` count groups; the largest page is not documented, and `totalCount` and `hasNext` stand in one envelope or the other.
Source: the vendor's page, "Get Report", https://help.airbridge.io/en/references/revenue-report
Keep requests and bodies out of here (`client.py`, `payloads.py`).
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Final, NoReturn

import msgspec

from analytics_assets.errors import TransientError, UnexpectedPayloadError
from analytics_assets.http.answer import Answer
from analytics_assets.http.bodies import REPLACEMENT
from analytics_assets.http.bounds import MOST_PAGES
from analytics_assets.sources.airbridge.payloads import Group, shown

AHEAD: Final = 4
READINGS: Final = 4


@dataclass(frozen=True)
class Page:
    """One page of a finished report.

    Attributes:
        total_count: Groups of the whole report, where told.
        has_next: Whether there are groups after this page, where told.
        groups: The groups, their sub-rows as sent.
        notifications: What the vendor has to say of the numbers, each an object as sent.
        answer: The answer.
    """

    total_count: int | None
    has_next: bool | None
    groups: tuple[Group, ...]
    notifications: tuple[msgspec.Raw, ...]
    answer: Answer


ReadPage = Callable[[int, int], Awaitable[Page]]


async def whole_report(read_page: ReadPage, task_id: str, size: int) -> list[Page]:
    """All pages in order, read from the start again, at most three times, while they do not fit together.

    Args:
        read_page: Reads the page after so many groups, of at most so many.
        task_id: The task, for messages.
        size: Groups to ask for at once.

    Raises:
        TransientError: The pages never fitted together.
        UnexpectedPayloadError: There are more pages than any report has.
    """
    fault = None
    for _ in range(READINGS):
        pages = await _reading(read_page, size)
        fault = _fault(pages)
        if fault is None:
            return pages
    if broken := _broken_double(pages):
        raise UnexpectedPayloadError(
            f"Airbridge task {shown(task_id)}: the group {list(broken)} comes twice in each of {READINGS} readings. Two groups may differ only "
            f"in a broken character, for which {REPLACEMENT} stands. Rename one of them at its source, or filter it in the YAML."
        )
    raise TransientError(
        f"Airbridge task {shown(task_id)}: the pages do not fit together in {READINGS} readings: {fault}. A new report may do better."
    )


async def _reading(read_page: ReadPage, size: int) -> list[Page]:
    """Pages from the start; a few at once where it is told how many groups there are.

    The vendor may give fewer groups than asked for, so the first page sets the step.
    """
    pages = [await read_page(0, size)]
    total, step = pages[0].total_count, len(pages[0].groups)
    if total is not None and step and pages[0].has_next is not False:
        if total > MOST_PAGES * step:
            _refuse_endless(f"{total} groups are announced, at {step} a page")
        return pages + await _ahead(read_page, range(step, total, step), step)
    while pages[-1].groups and pages[-1].has_next is not False:
        if len(pages) >= MOST_PAGES:
            _refuse_endless("the last of them still announces more")
        pages.append(await read_page(sum(len(page.groups) for page in pages), size))
    return pages


def _refuse_endless(why: str) -> NoReturn:
    raise UnexpectedPayloadError(
        f"Airbridge GET /revenue/query/{{task_id}}: the report is longer than {MOST_PAGES} pages, and none is read further: {why}. "
        "Group by fewer fields in the YAML, or filter."
    )


async def _ahead(read_page: ReadPage, skips: Collection[int], size: int) -> list[Page]:
    slots = asyncio.Semaphore(AHEAD)

    async def read(skip: int) -> Page:
        async with slots:
            return await read_page(skip, size)

    reads = [asyncio.ensure_future(read(skip)) for skip in skips]
    try:
        return await asyncio.gather(*reads)
    finally:
        for one in reads:
            one.cancel()
        await asyncio.gather(*reads, return_exceptions=True)


def _broken_double(pages: list[Page]) -> tuple[str, ...] | None:
    """A group that comes twice and has U+FFFD in a value."""
    counts = Counter(group.values for page in pages for group in page.groups)
    return next((values for values, number in counts.items() if number > 1 and REPLACEMENT in "".join(values)), None)


def _fault(pages: list[Page]) -> str | None:
    """Why these are not all groups, each once; None if they are."""
    values = [group.values for page in pages for group in page.groups]
    counts = {page.total_count for page in pages if page.total_count is not None}
    if len(set(values)) < len(values):
        return f"{len(values) - len(set(values))} groups come twice"
    if counts - {len(values)}:
        return f"{len(values)} groups where {' or '.join(map(str, sorted(counts)))} are announced"
    return "more groups are announced after the last" if pages[-1].has_next else None
