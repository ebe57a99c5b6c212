"""Calls in threads: the loop goes on, and a call that was requested is made even if its caller is gone."""

import asyncio
import threading

from analytics_assets.state.threads import Threads

BOUND_S = 20.0


async def test_a_call_that_waits_for_its_turn_is_made_although_its_caller_was_cancelled() -> None:
    """The id of a task is written even if the run is cancelled while another write is slow."""
    threads, may_end, made = Threads(1), threading.Event(), []
    first = asyncio.ensure_future(threads.call(may_end.wait, BOUND_S))
    second = asyncio.ensure_future(threads.call(made.append, "t-1"))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    assert (second.cancelled(), made) == (True, [])

    may_end.set()
    async with asyncio.timeout(BOUND_S):
        await threads.close()

    assert made == ["t-1"]
    assert await first
