"""Where a list ends, what its total is worth, and what happens when it changes while it is read."""

import asyncio
from datetime import date

import httpx
import pytest

from analytics_assets.errors import TransientError, UnexpectedPayloadError
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


async def test_an_empty_page_ends_the_list_even_if_it_names_a_next_one():
    """A vendor that always names a next page is not asked for ever."""
    vendor = paged(page([value("a")], more=True), page([], more=True), page([value("c")]))
    reading = await vendor.client().metric_values(DAY)
    assert [row.metric_name for row in reading.items] == ["a"]
    assert vendor.pages_asked() == [1, 2]


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


async def test_a_list_without_pagination_is_whole_unless_its_page_is_full():
    """Some examples carry no pagination object; a full page may have a successor, so it is asked for."""
    full = {"message": "", "data": [value(f"m{number}") for number in range(100)]}
    short = {"message": "", "data": [value("last")]}
    assert len((await paged(short).client().metric_values(DAY)).items) == 1
    assert len((await paged(full, short).client().metric_values(DAY)).items) == 101


async def test_a_list_without_end_is_given_up_in_words():
    """Every page has something new and names a next one; no more is asked for than any list has."""
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
        UnexpectedPayloadError, match=r"page 1: the answer is not as documented: .*\$\.data\[0\]\.value"
    ):
        await paged(page([value("a", number)])).client().metric_values(DAY)


async def test_a_count_beyond_64_bits_is_refused_before_it_is_kept():
    """No column holds it."""
    with pytest.raises(UnexpectedPayloadError, match="9223372036854775807"):
        await paged(page([{**value("a"), "inputRows": 2**63}])).client().metric_values(DAY)
