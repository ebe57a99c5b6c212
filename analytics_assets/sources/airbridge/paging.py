"""A whole report from its pages: every group, none twice.

`skip` and `size` count groups. The largest page is not documented, and `totalCount` and `hasNext` are in one of two envelopes. A page
without groups ends the report unless `hasNext` says that more follow.
Source: the vendor's page, "Get Report", https://help.airbridge.io/en/references/revenue-report
Requests and bodies are in `client.py` and `responses.py`.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NoReturn

import msgspec

from analytics_assets.errors import PermanentError, TransientError, UnexpectedPayloadError
from analytics_assets.http.bodies import MOST_EMPTY_PAGES, MOST_PAGES, REPLACEMENT
from analytics_assets.http.response import JsonResponse
from analytics_assets.http.statuses import NOT_FOUND
from analytics_assets.http.together import together
from analytics_assets.sources.airbridge.responses import Group, shown

AHEAD: Final = 4
READINGS: Final = 4
# What a page behind the last may answer; no page of the documentation says.
_REFUSED: Final = (400, NOT_FOUND)


@dataclass(frozen=True)
class Page:
    """One page of a finished report.

    Attributes:
        total_count: Groups of the whole report, where told.
        has_next: True if there are groups after this page, where told.
        groups: The groups, their sub-rows as sent.
        notifications: What the vendor has to say of the numbers, each an object as sent.
        answer: The response.
        ended_at: Instant at which the task ended, where the page has it.
        size: Bytes of its body.
        part: Number under which its sub-rows were written aside (`report_days.py`), or None.
    """

    total_count: int | None
    has_next: bool | None
    groups: tuple[Group, ...]
    notifications: tuple[msgspec.Raw, ...]
    answer: JsonResponse
    ended_at: datetime | None = None
    size: int = 0
    part: int | None = None


ReadPage = Callable[[int, int], Awaitable[Page]]
TakePage = Callable[[Page], Page]


async def whole_report(
    read_page: ReadPage, task_id: str, size: int, *, take: TakePage | None = None, memory_bytes: int | None = None
) -> list[Page]:
    """All pages in order, read from the start again, at most three times, while they do not fit together.

    Where the vendor declares another number of groups than two complete readings found, the pages are returned: what the declared number
    counts is not certain, so the caller decides (`declared.py`). A report without a group is never returned for one that declares some.

    Args:
        read_page: Reads the page after so many groups, of at most so many.
        task_id: The task, for messages.
        size: Groups to request at once.
        take: Called in a thread with each page as it arrives; what it returns is kept in the page's place.
        memory_bytes: About how large the pages in flight may be together; None is without a bound.

    Raises:
        TransientError: The pages never fitted together.
        UnexpectedPayloadError: There are more pages than any report has.
    """

    async def taken_page(skip: int, some: int) -> Page:
        page = await read_page(skip, some)
        return page if take is None else await asyncio.to_thread(take, page)

    fault = None
    earlier: list[tuple[str, ...]] | None = None
    for _ in range(READINGS):
        pages = await _reading(taken_page, size, memory_bytes)
        fault = _fault(pages)
        if fault is None:
            declared, values = declared_groups(pages), _values(pages)
            if declared in (None, len(values)) or (values and values == earlier):
                return pages
            earlier = values
            fault = f"{len(values)} groups where {declared} are announced"
    if broken := _broken_double(pages):
        raise UnexpectedPayloadError(
            f"Airbridge task {shown(task_id)}: the group {list(broken)} comes twice in each of {READINGS} readings. Two groups may differ only "
            f"in a broken character, for which {REPLACEMENT} stands.",
            remedy="Rename one of them at its source, or filter it in the YAML.",
        )
    raise TransientError(
        f"Airbridge task {shown(task_id)}: the pages do not fit together in {READINGS} readings: {fault}.",
        remedy="A new report may do better.",
    )


def declared_groups(pages: Sequence[Page]) -> int | None:
    """The number of groups that the vendor declares for the whole report, where it does."""
    return next((page.total_count for page in reversed(pages) if page.total_count is not None), None)


async def _reading(read_page: ReadPage, size: int, memory_bytes: int | None) -> list[Page]:
    """Pages from the start, a few at once where the number of groups is declared.

    The vendor may return fewer groups than requested, so the first page sets the step.
    """
    pages = [await read_page(0, size)]
    total, step = pages[0].total_count, len(pages[0].groups) or size
    skip = step
    if total is not None and total > step and pages[0].has_next is not False:
        if total > MOST_PAGES * step:
            _refuse_endless(f"{total} groups are announced, at {step} a page")
        skips = range(step, total, step)
        at_once = AHEAD if memory_bytes is None else min(AHEAD, max(1, memory_bytes // max(1, pages[0].size)))
        pages += await _ahead(read_page, skips, step, at_once)
        skip, size = skips[-1] + step, step
    while _has_more(pages):
        if len(pages) >= MOST_PAGES:
            _refuse_endless("the last of them still announces more")
        if not any(page.groups for page in pages[-MOST_EMPTY_PAGES:]) and len(pages) >= MOST_EMPTY_PAGES:
            raise UnexpectedPayloadError(
                f"Airbridge GET /revenue/query/{{task_id}}: {MOST_EMPTY_PAGES} pages in a row have no group, and each announces more, so the "
                "end of the report is not known.",
                remedy="Something may be wrong at Airbridge; ask its support.",
            )
        try:
            pages.append(await read_page(skip, size))
        except PermanentError as error:
            if pages[-1].has_next is not False or error.status not in _REFUSED:
                raise
            break
        # Behind a page without groups the vendor's own step leads on.
        skip += len(pages[-1].groups) or step
    return pages


def _has_more(pages: Sequence[Page]) -> bool:
    """True if another page is to be read.

    A page with groups is followed by another one as long as the declared number is not reached, whatever `hasNext` says.
    """
    last, declared = pages[-1], declared_groups(pages)
    if last.has_next:
        return True
    if not last.groups:
        return False
    return last.has_next is None if declared is None else sum(len(page.groups) for page in pages) < declared


def _refuse_endless(why: str) -> NoReturn:
    raise UnexpectedPayloadError(
        f"Airbridge GET /revenue/query/{{task_id}}: the report is longer than {MOST_PAGES} pages, and none is read further: {why}.",
        remedy="Group by fewer fields in the YAML, or filter.",
    )


async def _ahead(read_page: ReadPage, skips: Collection[int], size: int, at_once: int) -> list[Page]:
    slots = asyncio.Semaphore(at_once)

    async def read(skip: int) -> Page:
        async with slots:
            return await read_page(skip, size)

    return await together(map(read, skips))


def _broken_double(pages: Sequence[Page]) -> tuple[str, ...] | None:
    """A group that comes twice and has U+FFFD in a value."""
    counts = Counter(_values(pages))
    return next((values for values, number in counts.items() if number > 1 and REPLACEMENT in "".join(values)), None)


def _fault(pages: Sequence[Page]) -> str | None:
    """Why these pages are not of one report; None if they are."""
    values = _values(pages)
    counts = {page.total_count for page in pages if page.total_count is not None}
    if len(set(values)) < len(values):
        return f"{len(values) - len(set(values))} groups come twice"
    if len(counts) > 1:
        return f"{len(values)} groups where {' or '.join(map(str, sorted(counts)))} are announced"
    return None


def _values(pages: Sequence[Page]) -> list[tuple[str, ...]]:
    return [group.values for page in pages for group in page.groups]
