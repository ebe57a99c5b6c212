"""Several requests of one day or snapshot at the same time."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

T = TypeVar("T")


async def together(requests: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """All results in order. When one fails, the others are cancelled, so that no request is sent in vain."""
    async with started(requests) as tasks:
        return await asyncio.gather(*tasks)


@asynccontextmanager
async def started(requests: Iterable[Coroutine[Any, Any, T]]) -> AsyncIterator[list["asyncio.Task[T]"]]:
    """Starts all. Those that have not ended with the block are cancelled, and their errors are dropped."""
    tasks = [asyncio.create_task(one) for one in requests]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
