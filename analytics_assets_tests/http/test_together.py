"""Several requests at the same time: results in order, and none goes on after one has failed."""

import asyncio

import pytest

from analytics_assets.http.together import started, together


async def test_results_come_in_the_order_of_the_requests() -> None:
    """Whichever ends first; nothing is requested where there is nothing."""
    is_second_done = asyncio.Event()

    async def first() -> int:
        await is_second_done.wait()
        return 1

    async def second() -> int:
        is_second_done.set()
        return 2

    assert await together([first(), second()]) == [1, 2]
    assert await together([]) == []


async def test_when_one_request_fails_the_others_are_cancelled() -> None:
    """Before the error reaches the caller, who then closes the session."""
    ended: list[str] = []

    async def refused() -> None:
        raise ValueError("refused")

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("slow")

    with pytest.raises(ValueError, match="refused"):
        await together([slow(), refused()])
    assert ended == ["slow"]


async def test_what_a_block_does_not_await_is_cancelled_with_it() -> None:
    """As pages after the last one; their errors are dropped."""

    async def refused() -> None:
        raise ValueError("past the end")

    async with started([asyncio.sleep(0, "page"), asyncio.Event().wait(), refused()]) as tasks:
        assert await tasks[0] == "page"
    assert [task.cancelled() for task in tasks] == [False, True, False]
