"""The files of `deploy/`: they say the same in each of their forms, hold no secret, and let nobody in without a password."""

import re
import shlex
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import which
from typing import Any

import httpx
import pytest
import yaml

from analytics_assets_tests.production.deployment import DEPLOY, procfile
from analytics_assets_tests.production.parts import answers, free_port, needed, patient

PASSWORDS = {"analytics.operators": "ann:{PLAIN}may-touch", "analytics.viewers": "ben:{PLAIN}may-look"}


def compose() -> dict[str, Any]:
    """The compose file."""
    held: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return held


def bare(command: str) -> list[str]:
    """A command without what depends on the machine: hosts, and the worker's name."""
    words = shlex.split(command)
    dropped = {number for number, word in enumerate(words) if word in {"--host", "--hostname"}}
    return [word for number, word in enumerate(words) if number not in dropped and number - 1 not in dropped]


def test_containers_run_the_commands_of_the_procfile() -> None:
    """What the tests run as processes is what a container runs."""
    services = compose()["services"]
    assert {name: bare(services[name]["command"]) for name in procfile()} == {
        name: bare(command) for name, command in procfile().items()
    }
    assert set(services) - set(procfile()) == {"postgres", "redis"}


def test_only_loopback_is_published_and_no_password_is_written() -> None:
    """The web server has none of its own; the others are for the containers alone."""
    services = compose()["services"]
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports == ["127.0.0.1:3000:3000", "127.0.0.1:3001:3001"]
    assert services["postgres"]["environment"]["POSTGRES_PASSWORD"] == "${POSTGRES_PASSWORD:?set it in deploy/.env}"
    secrets = re.compile(r"(password|secret|token|key)\s*[:=]\s*[A-Za-z0-9]{6,}", re.IGNORECASE)
    assert [path.name for path in DEPLOY.iterdir() if path.is_file() and secrets.search(path.read_text())] == []


def test_the_image_is_made_from_the_lock_and_runs_without_rights() -> None:
    """With hashes, and as a user of its own before anything of ours runs."""
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    [install] = [line for line in lines if "requirements.lock" in line and line.startswith("RUN")]
    assert "--require-hashes" in install
    assert "--no-deps" in install
    assert [line for line in lines if line.startswith("USER")] == ["USER analytics"]
    assert not any(line.startswith(("RUN", "COPY")) for line in lines[lines.index("USER analytics") :])


@contextmanager
def upstream(name: str) -> Iterator[int]:
    """A web server that says who it is and what it was sent."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            body = f"{name} {self.headers.get('Authorization', 'nobody')}".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
            """Keeps quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def proxy() -> Iterator[dict[str, str]]:
    """`deploy/nginx.conf` as it is but for TLS, ports and folders: the addresses for operators and viewers."""
    program = needed(which("nginx") or which("nginx", path="/usr/sbin"), name="nginx", package="nginx-light")
    ports = {"443": free_port(), "8443": free_port()}
    with tempfile.TemporaryDirectory() as folder, upstream("web") as web, upstream("viewers") as viewers:
        root = Path(folder)
        root.chmod(0o755)
        for name, line in PASSWORDS.items():
            (root / name).write_text(f"{line}\n")
        text = re.sub(r"\n\s*ssl_.*", "", (DEPLOY / "nginx.conf").read_text())
        for port, ours in ports.items():
            text = text.replace(f"listen {port} ssl;", f"listen 127.0.0.1:{ours};")
        text = text.replace("127.0.0.1:3000", f"127.0.0.1:{web}").replace("127.0.0.1:3001", f"127.0.0.1:{viewers}")
        text = text.replace("/etc/nginx/", f"{root}/")
        (root / "nginx.conf").write_text(f"pid {root}/pid;\nerror_log {root}/log;\ndaemon off;\n{text}")
        process = subprocess.Popen([program, "-p", folder, "-c", f"{root}/nginx.conf", "-e", f"{root}/log"])
        try:
            patient(lambda: all(answers(port) for port in ports.values()), "nginx", seconds=20)
            yield {
                name: f"http://127.0.0.1:{port}/graphql"
                for name, port in zip(("web", "viewers"), ports.values(), strict=True)
            }
        finally:
            process.terminate()
            process.wait(10)


def test_nobody_passes_without_a_password_and_viewers_only_to_what_cannot_be_touched(proxy: dict[str, str]) -> None:
    """Each address knows its own people; the password goes no further than the proxy."""
    ann, ben = ("ann", "may-touch"), ("ben", "may-look")
    seen = {
        (place, who and who[0]): httpx.post(url, auth=who).status_code
        for place, url in proxy.items()
        for who in (None, ann, ben)
    }
    assert seen == {
        ("web", None): 401,
        ("web", "ann"): 200,
        ("web", "ben"): 401,
        ("viewers", None): 401,
        ("viewers", "ann"): 401,
        ("viewers", "ben"): 200,
    }
    assert httpx.get(proxy["web"], auth=ann).text == "web nobody"
    assert httpx.get(proxy["viewers"], auth=ben).text == "viewers nobody"


def test_another_sites_page_cannot_use_the_password_a_browser_remembers(proxy: dict[str, str]) -> None:
    """Dagster's API has no protection of its own against that."""
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert httpx.post(proxy["web"], auth=("ann", "may-touch"), headers=foreign).status_code == 403
    own = {"Sec-Fetch-Site": "same-origin"}
    assert httpx.post(proxy["web"], auth=("ann", "may-touch"), headers=own).status_code == 200
