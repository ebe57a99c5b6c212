"""Asks what is asked amiss, and lists that move, and says what came of it. No assertions here; they are in `test_refusals.py`."""

import asyncio
import time
from typing import Any

from analytics_assets.errors import SourceError
from analytics_assets_tests.contract.clients import clients
from analytics_assets_tests.contract.expected_faults import ROWS
from analytics_assets_tests.contract.expected_refusals import ONE, REFUSALS, Refusal
from analytics_assets_tests.contract.observed_faults import Observed, told
from analytics_assets_tests.contract.observed_forms import OPTIONS
from analytics_assets_tests.contract.operations import items
from analytics_assets_tests.contract.server import SandboxServer, sandbox_server

Refused = dict[tuple[str, str], Observed]


def observed_refusals() -> Refused:
    """Every one, by vendor and words."""
    with sandbox_server(OPTIONS) as server:
        return asyncio.run(_all(server))


async def _all(server: SandboxServer) -> Refused:
    async with clients(server.url) as to:
        task = await ONE["task"].ask(to, "")
        return {(one.vendor, one.words): await _one(server, one, task) for one in REFUSALS}


async def _one(server: SandboxServer, refusal: Refusal, task: str) -> Observed:
    async with clients(server.url, refusal.keys, is_nameless=refusal.is_nameless) as to:
        await asyncio.to_thread(server.reset)
        usual = items(await _end(refusal, to, task))
        await asyncio.to_thread(server.reset)
        await asyncio.to_thread(server.script, *refusal.rules)
        await asyncio.to_thread(server.switch_on, *refusal.forms)
        start = time.monotonic()
        result = await _end(refusal, to, task)
        took_s = time.monotonic() - start
        counts = await asyncio.to_thread(server.counts)
    is_error = isinstance(result, SourceError)
    return Observed(
        kind=type(result).__name__ if is_error else ROWS,
        requests=sum(counts.values()),
        message=told(result, task) if is_error else "",
        is_usual=not is_error and items(result) == usual,
        took_s=took_s,
        evidence=result.evidence.body if is_error and result.evidence else "",
    )


async def _end(refusal: Refusal, to: Any, task: str) -> Any:
    try:
        return await refusal.ask(to, task)
    except SourceError as error:
        return error
