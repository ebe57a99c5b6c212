"""Servers that a deployment needs, started for a test on free ports of the loopback and ended with it.

`.ci/run` installs them; where one is missing, the tests that need it are skipped and say which package it is in, unless
TESTS_NEED_ALL is set, as it is there.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

import fsspec
from sqlalchemy import NullPool, create_engine, text

from analytics_assets_tests.prerequisites import require_module, skip_or_fail

PATIENCE_S = 60.0
USER = "analytics"
_IS_ROOT = os.geteuid() == 0


def needed(what: str | None, *, name: str, package: str) -> str:
    """The program, if it is there; without it the test is skipped, or fails where everything has to be there."""
    if what is None:
        skip_or_fail(f"{name} is not installed; it is in Debian's package {package}")
    return what


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def patient(is_ready: Callable[[], bool], what: str, *, seconds: float = PATIENCE_S) -> None:
    """Waits until something is ready."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(OSError):
            if is_ready():
                return
        time.sleep(0.05)
    raise TimeoutError(f"{what} was not ready within {seconds:.0f} s")


def answers(port: int) -> bool:
    """True if somebody listens on a port of the loopback."""
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True


class Postgres:
    """A PostgreSQL server with a cluster of its own."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.port = free_port()
        self._folder, self._programs = folder, programs
        self._databases = 0
        # PostgreSQL refuses to run as root.
        self._user = "postgres" if _IS_ROOT else None
        if self._user:
            shutil.chown(folder, self._user)
        self._run("initdb", "-D", f"{folder}/data", "-A", "trust", "-U", USER, "--no-sync")
        self.start()

    def start(self) -> None:
        """Starts it, for the first time or again."""
        options = f"-c listen_addresses=127.0.0.1 -p {self.port} -c unix_socket_directories={self._folder} -c fsync=off -c max_connections=300"
        self._run("pg_ctl", "-D", f"{self._folder}/data", "-l", f"{self._folder}/log", "-o", options, "-w", "start")

    def stop(self) -> None:
        """Stops it at once, as a crash would."""
        self._run("pg_ctl", "-D", f"{self._folder}/data", "-m", "immediate", "-w", "stop")

    def database(self, name: str | None = None) -> str:
        """The SQLAlchemy URL of a new, empty database."""
        self._databases += 1
        name = name or f"db{self._databases}"
        server = f"postgresql+psycopg2://{USER}@127.0.0.1:{self.port}"
        engine = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        return f"{server}/{name}"

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        subprocess.run(
            command, check=True, user=self._user, cwd=self._folder, stdout=subprocess.DEVNULL, timeout=PATIENCE_S
        )


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of its own."""
    require_module("psycopg2", source="extra [postgres]")
    # Debian keeps them out of the PATH.
    found = next(map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))[::-1]), shutil.which("initdb"))
    programs = Path(needed(found, name="PostgreSQL", package="postgresql")).parent
    with tempfile.TemporaryDirectory(prefix="postgres", ignore_cleanup_errors=True) as folder:
        server = Postgres(Path(folder), programs)
        try:
            yield server
        finally:
            server.stop()


class Redis:
    """A Redis server that keeps nothing on disk."""

    def __init__(self, program: str, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._program, self._folder = program, folder
        self._running = ExitStack()
        self.start()

    def start(self) -> None:
        """Starts it, for the first time or again; then it knows nothing."""
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no"]
        self._running.enter_context(_ended([self._program, *options], cwd=str(self._folder)))
        patient(lambda: answers(self.port), "Redis")

    def stop(self) -> None:
        """Stops it."""
        self._running.close()


@contextmanager
def redis() -> Iterator[Redis]:
    """A Redis server of its own."""
    program = needed(shutil.which("redis-server"), name="Redis", package="redis-server")
    with tempfile.TemporaryDirectory() as folder:
        server = Redis(program, Path(folder))
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def bucket_server() -> Iterator[str]:
    """The address of an S3 server in memory."""
    require_module("moto.server", source="group dev")
    port = free_port()
    with _ended([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]):
        address = f"http://127.0.0.1:{port}"
        patient(lambda: urlopen(f"{address}/moto-api/", timeout=1).status < 500, "the S3 server")
        # One that was made before would go on leading to the server before this one.
        fsspec.get_filesystem_class("s3").clear_instance_cache()
        yield address


@contextmanager
def _ended(command: list[str], cwd: str | None = None) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
