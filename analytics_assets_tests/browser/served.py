"""The whole product as a newcomer starts it: `dg dev` over an empty lake, beside a sandbox whose business can be exchanged.

No assertions here, and nothing of the browser (`conftest.py`).
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from analytics_assets.cli.graphql import GraphQL

ROOT = Path(__file__).parents[2]
_PATIENCE_S = 240.0


@dataclass
class Served:
    """A running product.

    Attributes:
        url: Address of Dagster's pages.
        graphql: The API behind them.
        sandbox_port: Where the vendors answer.
        log: Where all processes say what they do.
        sandbox: The vendors' process.
    """

    url: str
    graphql: GraphQL
    sandbox_port: int
    log: Path
    sandbox: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def exchange_the_business(self, seed: int) -> None:
        """Puts other vendors in the place of those that response: the same days have other numbers from now on."""
        while self.sandbox:
            _end(self.sandbox.pop())
        command = [
            "-m",
            "analytics_assets.sandbox",
            "--port",
            str(self.sandbox_port),
            "--seed",
            str(seed),
            "--task-seconds",
            "1",
        ]
        self.sandbox.append(_start([sys.executable, *command], {}, self.log))
        until = time.monotonic() + _PATIENCE_S
        while not _answers(self.sandbox_port):
            if time.monotonic() > until or self.sandbox[0].poll() is not None:
                raise RuntimeError(f"the sandbox does not start:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.1)


@contextmanager
def served(home: Path) -> Iterator[Served]:
    """Serves the checkout, with its own `dagster.yaml` but all data below `home`, until the block ends."""
    text = (ROOT / "dagster.yaml").read_text()
    (home / "dagster.yaml").write_text(text.replace("data/dagster", str(home / "storage")))
    port, sandbox_port = _free_port(), _free_port()
    environment = {
        "DAGSTER_HOME": str(home),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "ANALYTICS_LAKE": str(home / "lake"),
        "ANALYTICS_STATE": f"sqlite:///{home}/state.db",
        "ANALYTICS_SANDBOX_URL": f"http://127.0.0.1:{sandbox_port}",
    }
    command = [str(Path(sys.executable).with_name("dg")), "dev", "--host", "127.0.0.1", "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    product = Served(url, GraphQL(url), sandbox_port, home / "served.log")
    dagster = _start(command, environment, product.log)
    try:
        product.exchange_the_business(seed=1)
        until = time.monotonic() + _PATIENCE_S
        while not product.graphql.is_ready():
            if time.monotonic() > until or dagster.poll() is not None:
                raise RuntimeError(f"Dagster does not start:\n{product.log.read_text()[-3000:]}")
            time.sleep(0.5)
        yield product
    finally:
        product.graphql.close()
        for process in (dagster, *product.sandbox):
            _end(process)


def _start(command: Sequence[str], environment: dict[str, str], log: Path) -> "subprocess.Popen[bytes]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}  # noqa: TID251 - the child needs the rest of it
    # A shell that starts tests in the background has interrupts ignored, and Dagster would pass that on to the end signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with log.open("ab") as out:
            return subprocess.Popen(
                command, cwd=ROOT, env={**kept, **environment}, stdout=out, stderr=subprocess.STDOUT, process_group=0
            )
    finally:
        signal.signal(signal.SIGINT, before)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(20)
    # What it started is in its group, and ends with it even if it did not end itself.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(20)


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
