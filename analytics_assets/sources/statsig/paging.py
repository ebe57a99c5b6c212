"""Where a list of Statsig ends. `nextPage` is a relative reference in several forms; the total may count something else.

A page ends the list only if it says so. Where it says nothing clear, the next page is requested and decides.
"""

from collections.abc import Sequence
from enum import Enum, auto
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from analytics_assets.errors import Evidence, UnexpectedPayloadError
from analytics_assets.http.bodies import MOST_EMPTY_PAGES, MOST_PAGES
from analytics_assets.http.response import JsonResponse
from analytics_assets.sources.statsig.responses import ListPage

LIMIT: Final = 100
_WAVE: Final = 8
# A longer number is a cursor.
_DIGITS: Final = 9

Pages = Sequence[tuple[JsonResponse, ListPage[Any]]]


class Following(Enum):
    """What a page says of the one after it."""

    NONE = auto()
    NAMED = auto()
    UNCLEAR = auto()


def following(listed: ListPage[Any], number: int) -> Following:
    """What page `number` says of the next one.

    Without a pagination object, or with a next page that is this one or an earlier one, an empty page is the last, and a page with items
    says nothing.
    """
    if listed.pagination is not None and not listed.pagination.next_page:
        return Following.NONE
    if listed.pagination is not None and not _is_reached(listed.pagination.next_page or "", number):
        return Following.NAMED
    return Following.UNCLEAR if listed.data else Following.NONE


def _is_reached(reference: str, number: int) -> bool:
    named = parse_qs(urlsplit(reference).query).get("page", [""])[-1]
    return named.isdecimal() and len(named) <= _DIGITS and int(named) <= number


def is_repeated(listed: ListPage[Any], before: ListPage[Any]) -> bool:
    """True if a page has the items of the page before it, as from a vendor that takes a number beyond the end for the last page."""
    return bool(listed.data) and listed.data == before.data


def refuse_endless(path: str, pages: Pages) -> None:
    """Raises an `UnexpectedPayloadError` where so many pages have come that no list can have them."""
    if len(pages) >= MOST_PAGES:
        raise UnexpectedPayloadError(
            f"Statsig GET {path}: after {MOST_PAGES} pages the list still has no end, and no list is read further.",
            remedy="Something may be wrong at Statsig; ask its support how long the list is.",
        )
    if _empty_pages(pages) >= MOST_EMPTY_PAGES:
        answer = pages[-1][0]
        raise UnexpectedPayloadError(
            f"Statsig GET {path}: {MOST_EMPTY_PAGES} pages in a row are empty, and each names a next one, so the end of the list is not known.",
            remedy="Something may be wrong at Statsig; ask its support.",
            evidence=Evidence(answer.endpoint, status=answer.status, body=answer.body.decode()),
        )


def _empty_pages(pages: Pages) -> int:
    """How many of the last pages are empty."""
    return next((number for number, (_, listed) in enumerate(reversed(pages)) if listed.data), len(pages))


def total(pages: Pages) -> int | None:
    """The total that the pages declare, or None."""
    declared = (listed.pagination.total_items for _, listed in pages if listed.pagination is not None)
    return next((number for number in declared if number is not None), None)


def wave(pages: Pages) -> int:
    """How many pages to request at once: as many as the total promises, but never many more than have been worth it.

    The vendor's own sample declares 1254 items for the metrics of one event, so a total may be far too large.
    """
    first = pages[0][1].pagination
    if first is None or not first.total_items:
        return 1
    left = -(-first.total_items // max(1, first.items_per_page or LIMIT)) - len(pages)
    return max(1, min(left, _WAVE, len(pages) + 1))
