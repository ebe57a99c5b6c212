"""Runs every operation against every fault and says what came of it. No assertions here; they are in `test_faults.py`."""

import asyncio
import re
import socket
import time
from dataclasses import dataclass
from typing import Any

from analytics_assets.errors import SourceError
from analytics_assets.sandbox.options import Options
from analytics_assets.sources.airbridge.responses import shown
from analytics_assets_tests.contract.clients import NOW, Clients, clients
from analytics_assets_tests.contract.expected_faults import FAULTS, ROWS, Fault
from analytics_assets_tests.contract.operations import OPERATIONS, Operation, facts
from analytics_assets_tests.contract.server import SandboxServer, sandbox_server

OPTIONS = Options(now=lambda: NOW, task_seconds=0)
_PATIENCE_S = 0.25


@dataclass(frozen=True)
class Observed:
    """What one operation came to.

    Attributes:
        kind: Class of the error, or `rows`.
        requests: Requests the server counted.
        message: What the person reads; empty for rows.
        is_usual: True if rows are those without the fault.
        took_s: Seconds.
        evidence: The body kept with the error.
    """

    kind: str
    requests: int
    message: str
    is_usual: bool
    took_s: float
    evidence: str


Cells = dict[tuple[str, str], Observed]


def observed_faults() -> Cells:
    """Every cell, by words of the fault and name of the operation."""
    with sandbox_server(OPTIONS) as server:
        return asyncio.run(_all(server))


async def _all(server: SandboxServer) -> Cells:
    cells: Cells = {}
    async with clients(server.url, patience_s=20) as patient, clients(server.url, patience_s=_PATIENCE_S) as hurried:
        task = await next(one for one in OPERATIONS if one.is_post).ask(patient, "")
        usual = {one.name: facts(await one.ask(patient, task)) for one in OPERATIONS}
        async with clients(f"http://127.0.0.1:{_closed_port()}") as lost:
            for fault in FAULTS:
                to = lost if fault.rule is None else hurried if fault.rule["kind"] == "hang" else patient
                for is_second in (False, True):
                    wave = [one for one in OPERATIONS if one.is_second == is_second]
                    found = await _wave(server, fault, wave, to, task=task, usual=usual)
                    cells |= {(fault.words, name): cell for name, cell in found.items()}
    return cells


async def _wave(
    server: SandboxServer, fault: Fault, wave: list[Operation], to: Clients, *, task: str, usual: dict[str, Any]
) -> dict[str, Observed]:
    """Operations at once, each with the fault at its own endpoint."""
    await asyncio.to_thread(server.reset)
    if fault.rule is not None:
        await asyncio.to_thread(server.script, *({**fault.rule, "endpoint": one.counted} for one in wave))
    ends = await asyncio.gather(*(_end(one, to, task) for one in wave))
    counts = await asyncio.to_thread(server.counts)
    found = {}
    for one, (result, took_s) in zip(wave, ends, strict=True):
        is_error = isinstance(result, SourceError)
        found[one.name] = Observed(
            kind=type(result).__name__ if is_error else ROWS,
            requests=counts.get(one.counted, 0),
            message=told(result, task) if is_error else "",
            is_usual=not is_error and facts(result) == usual[one.name],
            took_s=took_s,
            evidence=result.evidence.body if is_error and result.evidence else "",
        )
    return found


async def _end(operation: Operation, to: Clients, task: str) -> tuple[Any, float]:
    start = time.monotonic()
    try:
        return await operation.ask(to, task), time.monotonic() - start
    except SourceError as error:
        return error, time.monotonic() - start


def told(error: SourceError, task: str) -> str:
    """What the person reads, without the id of the task, which is another each time."""
    return str(error).replace(task, "<task>").replace(shown(task), "<task>")


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        return int(gone.getsockname()[1])


def in_short(message: str) -> str:
    """A message without the vendor's own words, trace id and body, so that equal messages of several vendors are told once."""
    text = re.sub(r"^(Bento|Statsig|Airbridge) (GET|POST) [^:]*: ", "", message)
    text = re.sub(r"^(Event '[^']*': )Statsig GET [^:]*: ", r"\1", text)
    text = re.sub(r"(HTTP \d+) \((?:[^()]|\([^()]*\))*\)", r"\1", text)
    text = re.sub(r"^(?:GET|POST) /[^:]*: ", "", text)
    text = re.sub(r"received \d+ of \d+ bytes", "received half of it", text)
    text = re.sub(r"('127\.0\.0\.1', )\d+", r"\1<port>", text)
    return re.sub(r" \[trace [^\]]*\]", "", text)
