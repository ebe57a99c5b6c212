"""Reading a report page by page: every group, none twice, or nothing at all."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from analytics_assets.errors import PermanentError, TransientError, UnexpectedPayloadError
from analytics_assets.sources.airbridge.client import PAGE_SIZE
from analytics_assets.sources.airbridge.paging import AHEAD, Page, declared_groups
from analytics_assets_tests.sources.airbridge.samples import REPORT
from analytics_assets_tests.sources.airbridge.vendor import Scripted, group, paged, report

SEVEN = [group([name]) for name in "abcdefg"]


def names(pages: Sequence[Page]) -> str:
    """The group values of all pages in a row."""
    return "".join(one.values[0] for page in pages for one in page.groups)


def page_at(bodies: Sequence[Any], request: httpx.Request) -> Any:
    """The body at the place that `skip` names; behind the last one, a page that has no groups and is otherwise the same."""
    skip = int(request.url.params["skip"])
    if skip < len(bodies):
        return bodies[skip]
    told = bodies[-1]["data"]
    return report([], total=told["metadata"]["totalCount"], more=False if told["hasNext"] is False else None)


@pytest.mark.parametrize(
    ("told", "asked"),
    [
        (("total", "more"), [("0", "3"), ("3", "3"), ("6", "3")]),
        (("total",), [("0", "3"), ("3", "3"), ("6", "3")]),
        (("more",), [("0", "3"), ("3", "3"), ("6", "3")]),
        ((), [("0", "3"), ("3", "3"), ("6", "3"), ("7", "3")]),
    ],
)
async def test_every_group_is_read_once_whatever_is_told_of_their_number(
    told: Sequence[str], asked: list[tuple[str, str]]
):
    """Where nothing is told, an empty page is the end."""
    vendor = paged(SEVEN, told=told)
    assert names(await vendor.client().report_pages("t-1", 3)) == "abcdefg"
    assert vendor.asked() == asked


@pytest.mark.parametrize(
    ("told", "asked"),
    [
        (("total", "more"), [("0", "5"), ("2", "2"), ("4", "2"), ("6", "2")]),
        (("more",), [("0", "5"), ("2", "5"), ("4", "5"), ("6", "5")]),
    ],
)
async def test_a_vendor_that_gives_smaller_pages_is_read_in_its_own_steps(
    told: Sequence[str], asked: list[tuple[str, str]]
):
    """The largest page is not documented; asking by our own size would leave groups out."""
    vendor = paged(SEVEN, largest=2, told=told)
    assert names(await vendor.client().report_pages("t-1", 5)) == "abcdefg"
    assert vendor.asked() == asked


async def test_a_report_of_one_page_is_one_request():
    """The usual size is requested."""
    vendor = paged(SEVEN)
    assert names(await vendor.client().report_pages("t-1")) == "abcdefg"
    assert vendor.asked() == [("0", str(PAGE_SIZE))]


async def test_an_empty_report_is_one_request():
    """No group at all is a report too."""
    vendor = paged([])
    assert names(await vendor.client().report_pages("t-1")) == ""
    assert len(vendor.requests) == 1


async def test_pages_after_the_first_are_read_at_once_but_not_all():
    """Four at a time keep the network busy and leave the rest of the budget to others."""
    flight: list[int] = [0, 0]

    class Slow(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            flight[0] += 1
            flight[1] = max(flight)
            await asyncio.sleep(0.005)
            flight[0] -= 1
            skip = int(request.url.params["skip"])
            return httpx.Response(200, json=report([group([f"{skip:02}"])], total=12))

    client = Scripted(lambda _: None).client()
    client.session._transport = Slow()
    pages = await client.report_pages("t-1", 1)
    assert ([one.values[0] for page in pages for one in page.groups], flight[1]) == (
        [f"{number:02}" for number in range(12)],
        AHEAD,
    )


@pytest.mark.parametrize(
    ("pages", "said"),
    [
        ([report([], total=3, more=False)], "0 groups where 3 are announced"),
        ([report([group(["a"])], total=2), report([group(["a"])], total=2)], "1 groups come twice"),
        ([report([group(["a"])], total=2), report([group(["b"])], total=3)], "2 groups where 2 or 3 are announced"),
    ],
)
async def test_pages_that_do_not_fit_together_are_read_again_three_times(pages: list[Any], said: str):
    """Half a report would look like a whole one."""
    vendor = Scripted(lambda request: page_at(pages, request))
    with pytest.raises(TransientError, match=f"task t-1: the pages do not fit together in 4 readings: {said}"):
        await vendor.client().report_pages("t-1", 1)
    assert vendor.asked().count(("0", "1")) == 4


@pytest.mark.parametrize(
    ("pages", "told", "asked"),
    [
        (["a", "", "b"], {"total": 2, "more": True}, ["0", "1", "2", "3"]),
        (["a", "", "b"], {"more": True}, ["0", "1", "2", "3"]),
        (["", "", "a", "b"], {"more": True}, ["0", "1", "2", "3", "4"]),
        (["a", "", "", "b"], {"total": 4, "more": True}, ["0", "1", "2", "3", "4"] * 2),
    ],
)
async def test_a_page_without_groups_that_says_more_follow_is_not_the_end(
    pages: list[str], told: dict[str, Any], asked: list[str]
):
    """The pages behind it are read; the last one says that nothing follows."""
    more = told.get("more")
    bodies = [report([group([name])] if name else [], total=told.get("total"), more=more) for name in pages]
    end = report([], total=told.get("total"), more=False)
    vendor = Scripted(lambda request: page_at([*bodies, end], request))
    assert names(await vendor.client().report_pages("t-1", 1)) == "ab"
    assert [skip for skip, _ in vendor.asked()] == asked


async def test_a_page_in_the_middle_is_passed_by_the_vendors_own_step():
    """The vendor returns two groups where five were requested, so the next ones begin two further on."""
    bodies = {"0": report([group(["a"]), group(["b"])], more=True), "2": report([], more=True)}
    vendor = Scripted(lambda request: bodies.get(request.url.params["skip"], report([group(["c"])], more=False)))
    assert names(await vendor.client().report_pages("t-1", 5)) == "abc"
    assert vendor.asked() == [("0", "5"), ("2", "5"), ("4", "5")]


async def test_groups_behind_a_page_that_says_nothing_follows_are_read_while_the_declared_number_is_not_reached():
    """`hasNext` and `totalCount` contradict each other; one more request shows which is right."""
    bodies = [report([group([name])], total=2, more=False) for name in "ab"]
    vendor = Scripted(lambda request: page_at(bodies, request))
    assert names(await vendor.client().report_pages("t-1", 1)) == "ab"
    assert vendor.asked() == [("0", "1"), ("1", "1")]


async def test_groups_behind_the_declared_number_are_read():
    """Two groups, one declared: `hasNext` leads to the second."""
    bodies = [report([group(["a"])], total=1, more=True), report([group(["b"])], total=1, more=False)]
    vendor = Scripted(lambda request: page_at(bodies, request))
    assert names(await vendor.client().report_pages("t-1", 1)) == "ab"


@pytest.mark.parametrize(("first", "declared"), [(REPORT, 48), (report([group(["a"])], total=2, more=False), 2)])
async def test_a_declared_number_that_two_complete_readings_contradict_is_left_to_the_caller(first: Any, declared: int):
    """What the vendor counts is not certain; the vendor's own sample shows one group of 48."""
    vendor = Scripted(lambda request: page_at([first], request))
    pages = await vendor.client().report_pages("t-1", 1)
    assert (declared_groups(pages), sum(len(page.groups) for page in pages)) == (declared, 1)
    assert vendor.asked().count(("0", "1")) == 2


async def test_a_report_of_pages_without_groups_is_refused():
    """A vendor that announces more for ever is not asked a thousand times."""
    vendor = Scripted(lambda _: report([], more=True))
    with pytest.raises(UnexpectedPayloadError, match="20 pages in a row have no group, and each announces more"):
        await vendor.client().report_pages("t-1", 3)
    assert len(vendor.requests) == 20


async def test_pages_that_shifted_once_are_read_again_from_the_start():
    """The second reading is whole, and nothing of the first is in it."""
    shifted = iter([report([group(["a"])], total=2), report([group(["a"])], total=2)])
    whole = paged([group(["a"]), group(["b"])])
    vendor = Scripted(lambda request: next(shifted, None) or whole.answer(request))
    assert names(await vendor.client().report_pages("t-1", 1)) == "ab"
    assert vendor.asked() == [("0", "1"), ("1", "1"), ("0", "1"), ("1", "1")]


async def test_a_page_that_cannot_be_had_ends_the_reading():
    """The error is the page's own, and no other page is waited for."""

    def answer(request: httpx.Request) -> Any:
        skip = int(request.url.params["skip"])
        return (503, {}) if skip == 1 else report([group([str(skip)])], total=9)

    with pytest.raises(TransientError, match="503"):
        await Scripted(answer).client().report_pages("t-1", 1)


@pytest.mark.parametrize("status", [400, 404])
async def test_a_page_behind_the_last_may_be_refused(status: int):
    """The vendor said that nothing follows; only the declared number was a reason to look, and it counts something else."""
    vendor = Scripted(
        lambda request: report(SEVEN[:2], total=9, more=False) if request.url.params["skip"] == "0" else (status, {})
    )
    assert names(await vendor.client().report_pages("t-1", 3)) == "ab"
    assert len(vendor.requests) == 4


@pytest.mark.parametrize("more", [True, None])
async def test_a_refused_page_is_no_end_where_the_vendor_did_not_say_so(more: bool | None):
    """A task that the vendor has forgotten meanwhile must not leave half a report."""
    vendor = Scripted(lambda request: report(SEVEN[:2], more=more) if request.url.params["skip"] == "0" else (404, {}))
    with pytest.raises(PermanentError, match="does not know the task"):
        await vendor.client().report_pages("t-1", 2)


async def test_a_report_said_to_be_endless_is_given_up_before_it_is_read():
    """One request; a page is never worth a million tasks."""
    vendor = Scripted(lambda _: report(SEVEN[:1], total=10**12, more=True))
    with pytest.raises(UnexpectedPayloadError) as caught:
        await vendor.client().report_pages("t-1", 3)
    assert str(caught.value) == (
        "Airbridge GET /revenue/query/{task_id}: the report is longer than 1000 pages, and none is read further: "
        "1000000000000 groups are announced, at 1 a page. Group by fewer fields in the YAML, or filter."
    )
    assert len(vendor.requests) == 1


async def test_a_report_that_never_ends_is_given_up():
    """Where no total is told, the pages themselves are counted."""
    vendor = Scripted(lambda request: report([group([request.url.params["skip"]])], more=True))
    with pytest.raises(UnexpectedPayloadError, match="none is read further: the last of them still announces more"):
        await vendor.client().report_pages("t-1", 3)
    assert len(vendor.requests) == 1000
