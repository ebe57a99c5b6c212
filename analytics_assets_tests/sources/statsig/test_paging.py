"""Where a list ends, what its total is worth, and what happens when it changes while it is read."""

import asyncio
from datetime import date
from typing import Any

import httpx
import pytest

from analytics_assets.errors import PermanentError, TransientError, UnexpectedPayloadError
from analytics_assets_tests.sources.statsig.vendor import Scripted, page, paged, value

DAY = date(2026, 7, 8)


async def test_pages_end_where_the_next_page_is_null_whatever_the_total_says():
    """A total of 5,000 neither adds rows nor lets the 404 behind the end hurt, and the waste stays small."""
    vendor = paged(page([value("a")], more=True, total=5000), page([value("b")], total=5000))
    reading = await vendor.client().metric_values(DAY)
    assert [row.metric_name for row in reading.items] == ["a", "b"]
    assert (len(reading.answers), reading.total_items_declared, reading.miscount) == (2, 5000, 5000)
    assert len(vendor.requests) <= 3


async def test_pages_go_on_behind_the_last_one_the_total_promises():
    """A total of 1 does not cut off a list whose pages say there is more."""
    names = "abcd"
    vendor = paged(*(page([value(name)], more=name != "d", total=1) for name in names))
    reading = await vendor.client().metric_values(DAY)
    assert [row.metric_name for row in reading.items] == list(names)
    assert vendor.pages_asked() == [1, 2, 3, 4]


async def test_an_empty_page_that_names_a_next_one_is_read_past():
    """250 items, the second page empty: all of them are read."""
    names = [f"m{number:03}" for number in range(250)]
    rows = [value(name) for name in names]
    vendor = paged(
        page(rows[:100], more="?page=2", total=250),
        page([], more="?page=3", total=250),
        page(rows[100:200], more="?page=4", total=250),
        page(rows[200:], total=250),
    )
    reading = await vendor.client().metric_values(DAY)
    assert [row.metric_name for row in reading.items] == names
    assert (reading.miscount, len(reading.answers)) == (None, 4)


async def test_the_first_page_may_be_empty():
    """It names a next one all the same."""
    reading = await paged(page([], more="?page=2"), page([value("a")])).client().metric_values(DAY)
    assert [row.metric_name for row in reading.items] == ["a"]


async def test_pages_that_stay_empty_are_given_up_in_words():
    """Each names a next one; a vendor that does so for ever is not asked a thousand times."""
    vendor = Scripted(lambda request: page([], more=f"?page={int(request.url.params['page']) + 1}"))
    with pytest.raises(UnexpectedPayloadError) as caught:
        await vendor.client().metric_values(DAY)
    assert str(caught.value).startswith(
        "Statsig GET /metrics/values: 20 pages in a row are empty, and each names a next one, so the end of the list is not known. "
    )
    assert len(vendor.requests) == 20


@pytest.mark.parametrize("link", ["?page=2", "?page=1", "/console/v1/metrics/values?date=2026-07-08&page=2&limit=100"])
@pytest.mark.parametrize(
    "beyond",
    [None, 400, page([]), page([], more="?page=3"), page([value("b")]), page([value("b")], more="?page=3")],
    ids=["404", "400", "empty", "empty and names itself", "repeated", "repeated and names itself"],
)
async def test_a_last_page_that_names_itself_or_an_earlier_one_ends_the_list(link: str, beyond: Any):
    """The page after it decides: none, an empty one or the same again."""
    pages = [page([value("a")], more="?page=2"), page([value("b")], more=link)]
    if beyond == 400:
        beyond = 400, {"status": 400, "message": "Invalid request."}
    vendor = paged(*pages, *([] if beyond is None else [beyond]))
    reading = await vendor.client().metric_values(DAY)
    assert [row.metric_name for row in reading.items] == ["a", "b"]
    assert vendor.pages_asked() == [1, 2, 3]


async def test_a_page_that_names_an_earlier_one_may_have_a_successor():
    """The reference is wrong, the next page is there."""
    pages = [page([value(name)], more="?page=1") for name in "abc"]
    reading = await paged(*pages).client().metric_values(DAY)
    assert [row.metric_name for row in reading.items] == ["a", "b", "c"]


async def test_a_page_with_the_same_keys_and_other_values_is_no_repetition():
    """The last page named itself; the numbers changed meanwhile, so the list is read again."""
    vendor = Scripted(lambda request: page([value("a", len(vendor.requests))], more="?page=1"))
    with pytest.raises(TransientError, match="the list changes while being read"):
        await vendor.client().metric_values(DAY)


async def test_a_page_behind_one_that_names_it_must_be_there():
    """A 404 there is no end but an error."""
    with pytest.raises(PermanentError, match="404"):
        await paged(page([value("a")], more="?page=2")).client().metric_values(DAY)


async def test_a_repeated_page_behind_one_that_names_it_is_no_end():
    """A vendor that ignores the page number keeps the rest to itself."""
    vendor = Scripted(lambda _: page([value("a")], more="?page=2"))
    with pytest.raises(TransientError, match="the list changes while being read"):
        await vendor.client().metric_values(DAY)


async def test_a_cursor_in_place_of_a_page_number_says_that_there_is_more():
    """No form of a reference is refused."""
    pages = [page([value("a")], more="?cursor=eyJ9"), page([], more="?cursor=eyJ0"), page([value("b")])]
    reading = await paged(*pages).client().metric_values(DAY)
    assert [row.metric_name for row in reading.items] == ["a", "b"]


@pytest.mark.parametrize("totals", [(None, 2), (2, None), (None, None)])
async def test_a_total_that_only_some_pages_declare_is_the_total(totals: tuple[int | None, int | None]):
    """Null on one page is not another total."""
    pages = [page([value("a")], more="?page=2", total=totals[0]), page([value("b")], total=totals[1])]
    vendor = paged(*pages)
    reading = await vendor.client().metric_values(DAY)
    assert (reading.total_items_declared, len(vendor.requests)) == (totals[0] or totals[1], 2)


async def test_pages_of_a_known_total_are_asked_for_together_but_never_more_than_eight():
    """Twenty-five pages: the pages read so far set the next wave, up to eight."""
    open_now, widest = 0, 0
    names = [f"m{number}" for number in range(25)]
    pages = [page([value(name)], more=name != names[-1], total=25, size=1) for name in names]

    vendor = paged(*pages)
    session_answer = vendor._answer

    async def slow(request: httpx.Request) -> httpx.Response:
        nonlocal open_now, widest
        open_now += 1
        widest = max(widest, open_now)
        await asyncio.sleep(0.005)
        open_now -= 1
        return session_answer(request)

    vendor._answer = slow
    reading = await vendor.client().metric_values(DAY)
    assert [row.metric_name for row in reading.items] == names
    assert sorted(vendor.pages_asked()) == list(range(1, 26))
    assert widest == 8


async def test_a_list_that_shifts_while_it_is_read_is_read_again_from_the_start():
    """An item on two pages means another one was missed; a second reading is whole."""
    first = [page([value("a")], more=True), page([value("a")])]
    second = [page([value("new")], more=True), page([value("a")])]
    answers = iter([*first, *second])
    vendor = Scripted(lambda _: next(answers))
    reading = await vendor.client().metric_values(DAY)
    assert [row.metric_name for row in reading.items] == ["new", "a"]
    assert vendor.pages_asked() == [1, 2, 1, 2]


async def test_a_list_that_shifts_in_each_of_three_readings_is_given_up_for_now():
    """Nothing is de-duplicated in silence; the same goes for a vendor that ignores the page number."""
    vendor = Scripted(lambda _: page([value("a")], more=True))
    with pytest.raises(TransientError, match="the list changes while being read"):
        await vendor.client().metric_values(DAY)
    assert vendor.pages_asked() == [1, 2] * 3


@pytest.mark.parametrize("link", ["https://elsewhere.example/console/v1/x?page=2", "//elsewhere.example/x"])
async def test_a_next_page_on_another_host_is_refused(link: str):
    """Something answers in Statsig's place; no second request is made."""
    vendor = paged(page([value("a")], more=link))
    with pytest.raises(UnexpectedPayloadError, match=r"elsewhere\.example"):
        await vendor.client().metric_values(DAY)
    assert vendor.pages_asked() == [1]


@pytest.mark.parametrize(
    "link",
    ["?page=2&limit=5", "/console/v1/metrics/values?page=2", "https://statsigapi.net/console/v1/metrics/values?page=2"],
)
async def test_every_form_of_a_next_page_only_says_that_there_is_more(link: str):
    """The next request keeps its own parameters, whichever form the vendor uses."""
    vendor = paged(page([value("a")], more=link), page([value("b")]))
    await vendor.client().metric_values(DAY)
    assert dict(vendor.requests[1].url.params) == {"date": "2026-07-08", "limit": "100", "page": "2"}


@pytest.mark.parametrize("size", [1, 50, 100])
@pytest.mark.parametrize("beyond", ["404", "empty", "the same"])
async def test_a_list_without_pagination_ends_where_no_page_follows(size: int, beyond: str):
    """No page names the largest size, so a short page proves no end; the page after it does."""

    def bare(first: int, count: int) -> dict[str, Any]:
        return {"message": "", "data": [value(f"m{number:03}") for number in range(first, first + count)]}

    pages = [bare(0, size), bare(size, size)]
    after = {"404": [], "empty": [bare(0, 0)], "the same": [pages[-1]]}[beyond]
    reading = await paged(*pages, *after).client().metric_values(DAY)
    assert [row.metric_name for row in reading.items] == [f"m{number:03}" for number in range(2 * size)]


async def test_a_list_without_end_is_given_up_in_words():
    """Every page has something new and names a next one; no more is requested than any list has."""
    vendor = Scripted(lambda request: page([value(request.url.params["page"])], more=True))
    with pytest.raises(UnexpectedPayloadError) as caught:
        await vendor.client().metric_values(DAY)
    assert str(caught.value).startswith(
        "Statsig GET /metrics/values: after 1000 pages the list still has no end, and no list is read further. "
    )
    assert len(vendor.requests) == 1000


@pytest.mark.parametrize("number", ["nan", "inf", "-Infinity", "1e999"])
async def test_what_is_no_number_is_refused_before_it_is_kept(number: str):
    """A text that spells one is read; these would be rows that cannot be added up."""
    with pytest.raises(
        UnexpectedPayloadError, match=r"page 1: the response is not as documented: .*\$\.data\[0\]\.value"
    ):
        await paged(page([value("a", number)])).client().metric_values(DAY)


async def test_a_count_beyond_64_bits_is_refused_before_it_is_kept():
    """No column holds it."""
    with pytest.raises(UnexpectedPayloadError, match="9223372036854775807"):
        await paged(page([{**value("a"), "inputRows": 2**63}])).client().metric_values(DAY)
