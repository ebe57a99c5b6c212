"""Calls of the state database in threads of their own, so that a slow database does not stop an event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Threads:
    """A few threads for blocking calls.

    They are not those of `asyncio.to_thread`, which also resolve the names of hosts: a locked database must not delay a request.
    """

    def __init__(self, count: int) -> None:
        """Starts at most `count` threads, each when it is needed."""
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="state")

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of a blocking call.

        The call is completed even if its caller is cancelled: the id of a task that the vendor has begun must not be lost.
        """
        future = self._pool.submit(partial(function, *args, **kwargs))
        return await asyncio.shield(asyncio.wrap_future(future))

    async def close(self) -> None:
        """Waits for the calls that have begun."""
        await asyncio.to_thread(self._pool.shutdown)
