"""The sandbox as a server on a loopback port, in a thread of the test's process, and its control paths. No assertions here."""

import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import uvicorn

from analytics_assets.sandbox.app import create_app
from analytics_assets.sandbox.options import Options
from analytics_assets.sandbox.world import World
from analytics_assets_tests.vendors.forms import Forms
from analytics_assets_tests.vendors.registry import FORMS


@dataclass(frozen=True)
class SandboxServer:
    """A running server."""

    url: str
    control: httpx.Client
    forms: Forms

    def reset(self) -> None:
        """Clears counts, log and faults; only the forms of the start are on."""
        self.forms.reset()
        self.control.post("/reset").raise_for_status()

    def script(self, *rules: dict[str, Any]) -> None:
        """Faults."""
        self.control.post("/faults", json=list(rules)).raise_for_status()

    def switch_on(self, *forms: str) -> None:
        """Forms of responses."""
        self.forms.switch_on(forms)

    def set_clock(self, now: datetime | None) -> None:
        """The vendors' clock."""
        self.control.put("/clock", json={"now": now and now.isoformat()}).raise_for_status()

    def counts(self) -> dict[str, int]:
        """Requests by vendor, method and template."""
        return dict(self.control.get("/counts").raise_for_status().json())


@contextmanager
def sandbox_server(options: Options, world: World | None = None, forms: Iterable[str] = ()) -> Iterator[SandboxServer]:
    """A server of `options` for the length of a block, with some forms on from the start."""
    switched = Forms(FORMS, forms)
    config = uvicorn.Config(
        create_app(options, world, revise=switched.applied),
        host="127.0.0.1",
        port=0,
        access_log=False,
        log_level="critical",
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    until = time.monotonic() + 10
    while not server.started and time.monotonic() < until:
        time.sleep(0.005)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    try:
        with httpx.Client(base_url=f"{url}/_sandbox", trust_env=False) as control:
            yield SandboxServer(url, control, switched)
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()
