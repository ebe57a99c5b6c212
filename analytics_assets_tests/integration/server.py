"""A sandbox server on the loopback for the length of a test, and the control paths to steer it with.

No assertions here, and nothing of the production code: this is the other side of the wire.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp

from analytics_assets.sandbox.app import create_app
from analytics_assets.sandbox.options import Options
from analytics_assets.sandbox.world import World
from analytics_assets_tests.vendors.forms import Forms
from analytics_assets_tests.vendors.registry import FORMS

REPORT = "/reports/api/v3/apps/{app}/revenue/query"
POST_REPORT = f"airbridge POST {REPORT}"
READ_REPORT = f"airbridge GET {REPORT}/{{task_id}}"
_PATIENCE_S = 20.0


@dataclass(frozen=True)
class Sandbox:
    """A running server; `url` is what ANALYTICS_SANDBOX_URL holds."""

    url: str

    def counts(self) -> dict[str, int]:
        """Requests since the last `forget`, by "vendor METHOD template"."""
        counts: dict[str, int] = self._control("GET", "/counts")
        return counts

    def log(self) -> list[dict[str, Any]]:
        """The last requests as the sandbox logged them, oldest first: vendor, endpoint, path, query, status and instant of arrival."""
        entries: list[dict[str, Any]] = self._control("GET", "/requests")
        return entries

    def requests(self, vendor: str) -> list[str]:
        """Path and decoded query of each request to a vendor, oldest first, without what identifies the account."""
        asked = [one for one in self.log() if one["vendor"] == vendor]
        urls = [httpx.URL(f"{one['path']}?{one['query']}").copy_remove_param("site_uuid") for one in asked]
        return [f"{url.path}?{url.query.decode()}".rstrip("?") for url in urls]

    def answered(self, endpoint: str) -> Counter[int]:
        """The answers to an endpoint, named as in `counts`, by status; of the last 10,000 requests, which is all the sandbox keeps."""
        log = self._control("GET", "/requests")
        return Counter(one["status"] for one in log if f"{one['vendor']} {one['endpoint']}" == endpoint)

    def spoil(self, **rule: Any) -> None:
        """Scripts one fault; its fields are those of the sandbox's `Rule`."""
        self._control("POST", "/faults", [rule])

    def mend(self) -> None:
        """Takes all faults away."""
        self._control("DELETE", "/faults")

    def forget(self) -> None:
        """Clears counts, request log and faults."""
        self._control("POST", "/reset")

    def _control(self, method: str, path: str, body: Any = None) -> Any:
        return httpx.request(method, f"{self.url}/_sandbox{path}", json=body, timeout=10).raise_for_status().json()


@contextmanager
def sandbox_server(
    options: Options | None = None, world: World | None = None, forms: Iterable[str] = ()
) -> Iterator[Sandbox]:
    """Serves the vendors on a free port until the block ends, with some forms of responses."""
    with served(create_app(options or Options(), world, revise=Forms(FORMS, forms).applied)) as url:
        yield Sandbox(url)


@contextmanager
def served(app: ASGIApp, *, port: int = 0) -> Iterator[str]:
    """Serves an app until the block ends, on a free port if none is given; gives its address."""
    config = uvicorn.Config(
        app,
        port=port,
        access_log=False,
        log_level="critical",
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="sandbox", daemon=True)
    thread.start()
    until = time.monotonic() + _PATIENCE_S
    while not server.started:
        if time.monotonic() > until or not thread.is_alive():
            raise RuntimeError("the sandbox server does not start")
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(_PATIENCE_S)
