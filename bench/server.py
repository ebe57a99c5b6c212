"""The vendors' side of the benchmark, a process of its own: prepared bodies, a fixed delay a request, no limits, a count of requests.

It is written on bare sockets so that it is not the brake: `ceiling` says how many requests a second it answers without a delay.
Run as `python -m bench.server`; it prints its address once it answers.
"""

import argparse
import asyncio
import re
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from urllib.parse import parse_qsl, unquote, urlsplit

from bench.bodies import Bodies
from bench.works import IN_FLIGHT, sizes

_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_TASKS = re.compile(r"/airbridge/.*/revenue/query(?:/(.+))?")
_METRICS = re.compile(r"/statsig/.*/events/([^/]+)/metrics")
_CEILING_S = 1.0


class _Count:
    """Requests for data since the server began."""

    requests = 0


class _Connection(asyncio.Protocol):
    """One connection; a client sends its next request after the response to the last."""

    def __init__(self, bodies: Bodies, count: _Count, delay_s: float) -> None:
        self._bodies, self._count, self._delay_s = bodies, count, delay_s
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answers a request once it is whole."""
        self._received += data
        end = self._received.find(_END)
        if end < 0:
            return
        head, rest = self._received[:end], self._received[end + len(_END) :]
        length = _LENGTH.search(head)
        if len(rest) < (int(length[1]) if length else 0):
            return
        self._received = b""
        target = head.split(b" ", 2)[1].decode()
        body = self._body(target, rest)
        self._count.requests += not target.startswith("/count")
        parts = (b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body), body)
        if self._delay_s:
            asyncio.get_running_loop().call_later(self._delay_s, self._send, parts)
        else:
            self._send(parts)

    def _send(self, parts: tuple[bytes, bytes]) -> None:
        if not self._transport.is_closing():
            self._transport.writelines(parts)

    def _body(self, target: str, sent: bytes) -> bytes:
        url = urlsplit(target)
        query = dict(parse_qsl(url.query))
        if url.path == "/count":
            return str(self._count.requests).encode()
        if url.path.endswith("/stats/ads"):
            return self._bodies.ads(query)
        if event := _METRICS.fullmatch(url.path):
            return self._bodies.metrics(unquote(event[1]), query)
        task = _TASKS.fullmatch(url.path)
        assert task is not None, target
        return (
            self._bodies.page(task[1], int(query["skip"]), int(query["size"])) if task[1] else self._bodies.task(sent)
        )


async def _serve(bodies: Bodies, delay_s: float) -> None:
    count = _Count()
    made: Callable[[], asyncio.Protocol] = lambda: _Connection(bodies, count, delay_s)  # noqa: E731 - named for its type
    server = await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


def ceiling(url: str, path: str) -> float:
    """Answers a second to the bare sockets of this process, as many at once as a session has."""
    return asyncio.run(_ceiling(urlsplit(url).port or 0, path))


async def _ceiling(port: int, path: str) -> float:
    request = f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode()
    began = time.perf_counter()

    async def ask() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answers = 0
        while time.perf_counter() - began < _CEILING_S:
            writer.write(request)
            head = await reader.readuntil(_END)
            length = _LENGTH.search(head)
            assert length is not None
            await reader.readexactly(int(length[1]))
            answers += 1
        writer.close()
        return answers

    answers = sum(await asyncio.gather(*(ask() for _ in range(IN_FLIGHT))))
    return answers / (time.perf_counter() - began)


def main() -> None:
    """Serves until ended."""
    parser = argparse.ArgumentParser(prog="python -m bench.server", description="Prepared answers after a fixed delay.")
    parser.add_argument("--today", type=date.fromisoformat, required=True, help="the day the works count from")
    parser.add_argument("--delay", type=float, required=True, help="seconds before each response")
    parser.add_argument("--small", action="store_true", help="small works")
    chosen = parser.parse_args()
    bodies = Bodies(sizes(chosen.today, is_small=chosen.small))
    bodies.ready()
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(bodies, chosen.delay))


if __name__ == "__main__":
    main()
