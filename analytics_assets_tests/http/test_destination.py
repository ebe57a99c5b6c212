"""Where requests may go, and that a live process never loads the sandbox."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from analytics_assets.clock import utc_now
from analytics_assets.errors import AccessRefusedError, PermanentError
from analytics_assets.http.destination import checked, live, sandbox
from analytics_assets.orchestration.state_resource import BudgetSettings
from analytics_assets.sources.airbridge.source import AirbridgeResource
from analytics_assets.sources.bento.source import BentoResource
from analytics_assets.sources.statsig.source import StatsigResource
from analytics_assets.state.rate_limit import RequestOrigin
from analytics_assets_tests.http.scripted import session
from analytics_assets_tests.integration.server import sandbox_server

BUDGET = BudgetSettings(requests=30, per_seconds=3600)


@pytest.fixture(scope="module")
def vendors() -> Iterator[str]:
    """Address of a sandbox server."""
    with sandbox_server() as server:
        yield server.url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://app.bentonow.com/api/v1", "https://app.bentonow.com/api/v1"),
        ("https://app.bentonow.com/api/v1/", "https://app.bentonow.com/api/v1"),
        ("HTTPS://app.bentonow.com", "HTTPS://app.bentonow.com"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_https_and_this_machine_are_admitted(url: str, expected: str) -> None:
    """A slash at the end is taken away, because paths begin with one."""
    assert checked(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "http://app.bentonow.com",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://127.0.0.1@evil.example",
        "http://127.0.0.1\\@evil.example",
        "http://0.0.0.0",
        "ftp://127.0.0.1",
        "//app.bentonow.com",
        "app.bentonow.com",
        " https://app.bentonow.com",
        "https://",
        "",
        "http://[::1",
        "https://host:port",
        "https://host?key=hidden",
        "https://host#hidden",
        "https://user:hidden@host",
        "https://user:hid/den@host",
    ],
)
def test_any_other_address_is_refused_without_repeating_it(url: str) -> None:
    """Keys never travel in the clear, and a key in the address is not shown."""
    with pytest.raises(PermanentError, match=r"^base_url .*refused[.:] ") as caught:
        checked(url)
    assert "hid" not in str(caught.value)


async def test_a_live_destination_is_the_vendor_itself() -> None:
    """The address is checked; the numbers are real."""
    there = live("https://app.bentonow.com/api/")
    assert there.base_url == "https://app.bentonow.com/api"
    await there.transport.aclose()


def test_a_live_destination_in_the_clear_is_refused() -> None:
    """The same rule as for `checked`."""
    with pytest.raises(PermanentError):
        live("http://app.bentonow.com")


async def test_a_sandbox_server_has_a_folder_for_each_vendor() -> None:
    """The vendor's own path follows its folder."""
    there = sandbox("bento", "/api/v1", "http://127.0.0.1:8000/")
    assert there.base_url == "http://127.0.0.1:8000/bento/api/v1"
    await there.transport.aclose()


async def test_without_a_server_the_sandbox_answers_in_this_process() -> None:
    """No socket is opened: a key nobody gave out is refused by the app itself."""
    there = sandbox("bento", "/api/v1")
    assert there.base_url == "http://sandbox/bento/api/v1"
    assert isinstance(there.transport, httpx.ASGITransport)
    async with session(there.base_url, transport=there.transport) as way:
        with pytest.raises(AccessRefusedError, match=r"^Bento GET /stats/site: HTTP 401 "):
            await way.get("/stats/site", "/stats/site")


@pytest.mark.parametrize(
    "resource",
    [
        lambda address: BentoResource(base_url=address),
        lambda address: StatsigResource(console_key_variable="LAB_KEY", base_url=address, budget=BUDGET),
        lambda address: AirbridgeResource(
            token_variable="APP_TOKEN", app_name="myapp", base_url=address, budget=BUDGET
        ),
    ],
    ids=["bento", "statsig", "airbridge"],
)
@pytest.mark.parametrize("server", [False, True], ids=["in process", "server"])
@pytest.mark.parametrize("address", ["https://gateway.example/growth/v7", "https://gateway.example", "not a URL:"])
async def test_the_sandbox_ignores_the_base_url_of_an_account(
    resource: Callable[[str], Any], address: str, server: bool, vendors: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway has its own path; the sandbox has only the paths that the vendors document."""
    if server:
        monkeypatch.setenv("ANALYTICS_SANDBOX_URL", vendors)
    await resource(address).health_check(clock=utc_now, origin=RequestOrigin())


async def test_each_destination_has_a_transport_of_its_own() -> None:
    """A session closes its transport, so none is shared."""
    first, second = live("https://a.example"), live("https://a.example")
    assert first.transport is not second.transport
    await first.transport.aclose()
    await second.transport.aclose()


def test_a_live_process_never_loads_the_sandbox() -> None:
    """Seen from a fresh interpreter, because this one may have loaded it already."""
    program = (
        "import sys; from analytics_assets.http.destination import live; live('https://a.example');"
        "print([name for name in sys.modules if name.startswith('analytics_assets.sandbox')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
