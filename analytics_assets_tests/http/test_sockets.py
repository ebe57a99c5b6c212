"""The transport of production over real sockets: large heads, the environment's proxy, and which authorities are trusted."""

import logging
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from analytics_assets.errors import PermanentError, TransientError, UnreachableError
from analytics_assets.http.destination import live
from analytics_assets.http.sockets import LARGEST_HEADER, MOST_HEADERS
from analytics_assets.settings import passwords, proxy_for
from analytics_assets_tests.http.scripted import ONCE, Reply, answer, bytes_then_hang_up, scripted, session
from analytics_assets_tests.http.tls import certificate, directory, proxy, vendor

HOST = "vendor.example"
PROXIES = [name for word in ("https_proxy", "http_proxy", "no_proxy", "all_proxy") for name in (word, word.upper())]


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


def _headed(*headers: str) -> Reply:
    head = ["HTTP/1.1 200 OK", "Content-Type: application/json", "Content-Length: 2", *headers, "", ""]
    return bytes_then_hang_up("\r\n".join(head).encode() + b"{}")


@pytest.mark.parametrize(
    "headers",
    [
        ["Content-Security-Policy: " + "x" * 9000],
        ["Content-Security-Policy: " + "x" * (LARGEST_HEADER - 100)],
        [f"X-Trace-{number}: {number}" for number in range(200)],
        [f"Set-Cookie: part{number}={'y' * 4000}" for number in range(50)],
    ],
    ids=["one of 9 KB", "one of 64 KB", "200", "50 cookies of 4 KB"],
)
@pytest.mark.parametrize("method", ["get", "post"])
async def test_large_and_many_headers_are_read(headers: list[str], method: str) -> None:
    """A CDN's policy or a gateway's traces cost neither the response nor the id of a report task."""
    async with scripted(_headed(*headers)) as server, session(server.url) as way:
        got = await (way.get("/x", "/x") if method == "get" else way.post("/x", "/x", {}))
    assert (got.body, len(server.asked)) == (b"{}", 1)


@pytest.mark.parametrize(
    "headers",
    [["X-Long: " + "x" * (LARGEST_HEADER + 1)], [f"X-{number}: 1" for number in range(MOST_HEADERS + 1)]],
    ids=["long", "many"],
)
async def test_headers_without_end_are_not_read_on(headers: list[str]) -> None:
    """Nothing in a vendor's place can fill the memory with a head; a POST is not repeated for it."""
    async with scripted(_headed(*headers)) as server, session(server.url) as way:
        with pytest.raises(TransientError, match="no complete answer"):
            await way.post("/x", "/x", {})
    assert len(server.asked) == 1


async def test_cookies_are_not_sent_back() -> None:
    """A session has no memory of what a load balancer wants it to remember."""
    async with scripted(answer(set_cookie="lb=1; Path=/")) as server, session(server.url) as way:
        await way.get("/x", "/x")
        await way.get("/x", "/x")
    assert [asked.headers.get("cookie") for asked in server.asked] == [None, None]


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
async def test_the_environments_proxy_carries_the_requests(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    """A CONNECT with the password, TLS through it with the vendor itself, trusted by SSL_CERT_FILE, and the vendor's response."""
    pem, key = certificate(tmp_path, HOST)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    async with vendor(pem, key) as port, proxy(port) as between:
        monkeypatch.setenv(variable, f"http://user:p%40ss-w%C3%B6rd@127.0.0.1:{between.port}")
        there = live(f"https://{HOST}/api")
        async with session(there.base_url, transport=there.transport) as way:
            got = [(await way.get("/x", "/x")).body for _ in range(2)]
    assert got == [b'{"data":1}'] * 2
    [head] = between.heads
    assert head.startswith(f"CONNECT {HOST}:443 HTTP/1.1\r\n")
    assert "proxy-authorization: Basic dXNlcjpwQHNzLXfDtnJk\r\n" in head
    assert "sk-secret" not in head


async def test_a_certificate_directory_is_trusted_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """SSL_CERT_DIR holds one file an authority, named by its hash as OpenSSL wants it."""
    pem, key = certificate(tmp_path, HOST)
    monkeypatch.setenv("SSL_CERT_DIR", str(directory(tmp_path / "authorities", pem, HOST)))
    async with vendor(pem, key) as port, proxy(port) as between:
        monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{between.port}")
        there = live(f"https://{HOST}")
        async with session(there.base_url, transport=there.transport, retries=ONCE) as way:
            assert (await way.get("/x", "/x")).status == 200


@pytest.mark.parametrize("name", [HOST, ".example", "example", "other.test, *.example", "*", "vendor.example:443"])
async def test_a_host_in_no_proxy_is_reached_directly(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The name cannot be resolved here, so the error shows the way that was taken."""
    monkeypatch.setenv("NO_PROXY", name)
    async with proxy() as between:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{between.port}")
        there = live(f"https://{HOST}")
        async with session(there.base_url, transport=there.transport, retries=ONCE) as way:
            with pytest.raises(UnreachableError, match=r"no connection to vendor\.example \([^p]"):
                await way.get("/x", "/x")
    assert between.heads == []


@pytest.mark.parametrize("name", ["example.vendor", "endor.example", "", "vendor.example:8443"])
def test_another_host_in_no_proxy_changes_nothing(name: str) -> None:
    """A name is a whole host or a domain, never the end of a word."""
    assert proxy_for(HOST, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": name}) == "http://p:1"


def test_the_lower_case_wins_and_http_proxy_is_for_other_addresses() -> None:
    """As in curl; requests over http go to this machine only."""
    assert proxy_for(HOST, {"HTTPS_PROXY": "http://upper", "https_proxy": "http://lower"}) == "http://lower"
    assert proxy_for(HOST, {"NO_PROXY": "", "no_proxy": HOST, "HTTPS_PROXY": "http://upper"}) is None
    assert proxy_for(HOST, {"HTTP_PROXY": "http://other", "http_proxy": "http://other"}) is None


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "http_proxy"])
async def test_this_machine_is_never_proxied(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """A sandbox server or a test's vendor is here, and so is nothing that a proxy could reach."""
    async with scripted(answer(b"[]")) as server, proxy() as between:
        monkeypatch.setenv(variable, f"http://127.0.0.1:{between.port}")
        there = live(server.url)
        async with session(there.base_url, transport=there.transport) as way:
            assert (await way.get("/x", "/x")).body == b"[]"
    assert between.heads == []


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (
            b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
            "HTTP 407 Proxy Authentication Required",
        ),
        (
            b"HTTP/1.1 403 Filtered\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>",
            "HTTP 403 Filtered",
        ),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "HTTP 502 Bad Gateway"),
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
async def test_a_proxy_that_refuses_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, refusal: bytes, words: str, method: str
) -> None:
    """Nothing has reached the vendor, so a POST is repeated too; no message, cause, traceback or log shows the password."""
    caplog.set_level(logging.DEBUG)
    async with proxy(refusal=refusal) as between:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:p%40ss-word4711@127.0.0.1:{between.port}")
        there = live(f"https://{HOST}")
        async with session(there.base_url, transport=there.transport) as way:
            with pytest.raises(UnreachableError) as caught:
                await (way.get("/x", "/x") if method == "get" else way.post("/x", "/x", {}))
    assert str(caught.value) == (
        f"Bento {method.upper()} /x: no connection to {HOST} (the proxy 127.0.0.1:{between.port}: {words}). "
        "Check HTTPS_PROXY, its user and password, and NO_PROXY."
    )
    assert len(between.heads) == 3
    told = [*traceback.format_exception(caught.value), *map(logging.LogRecord.getMessage, caplog.records)]
    below: BaseException | None = caught.value
    while below is not None:
        told.append(repr(below))
        below = below.__cause__ or below.__context__
    assert [text for text in told if "4711" in text or "dXNlcj" in text] == []


async def test_a_proxy_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address that is wrong is the proxy's, not base_url."""
    async with proxy() as between:
        port = between.port
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:hidden-4711@127.0.0.1:{port}")
    there = live(f"https://{HOST}")
    async with session(there.base_url, transport=there.transport, retries=ONCE) as way:
        with pytest.raises(UnreachableError, match=rf"\(the proxy 127\.0\.0\.1:{port}: Connect.*HTTPS_PROXY") as caught:
            await way.get("/x", "/x")
    assert "4711" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "address", ["socks5://user:hidden@127.0.0.1:1080", "http://", "http://u:hid/den@proxy:3128", "ftp://hidden"]
)
def test_a_proxy_that_cannot_be_used_is_refused_without_repeating_it(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """The message names the variable and the form."""
    monkeypatch.setenv("HTTPS_PROXY", address)
    with pytest.raises(PermanentError, match=r"^HTTPS_PROXY .*http://user:password@host:port") as caught:
        live(f"https://{HOST}")
    assert "hid" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "trust", [lambda pem, other: {}, lambda pem, other: {"SSL_CERT_FILE": str(other)}], ids=["default", "another"]
)
async def test_a_vendor_that_is_not_trusted_gets_no_request(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, trust: Callable[[Path, Path], dict[str, str]]
) -> None:
    """A proxy that opens TLS shows a certificate of its own; the remedy is named."""
    pem, key = certificate(tmp_path, HOST)
    other, _ = certificate(tmp_path, "other.example")
    for name, value in trust(pem, other).items():
        monkeypatch.setenv(name, value)
    async with vendor(pem, key) as port, proxy(port) as between:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{between.port}")
        there = live(f"https://{HOST}")
        async with session(there.base_url, transport=there.transport, retries=ONCE) as way:
            with pytest.raises(UnreachableError, match=r"no trusted connection to vendor\.example .*SSL_CERT_FILE"):
                await way.get("/x", "/x")


@pytest.mark.parametrize(
    ("variable", "name", "words"),
    [
        ("SSL_CERT_FILE", "missing.pem", "SSL_CERT_FILE is .*missing.pem, which cannot be read as certificates"),
        ("SSL_CERT_FILE", "empty.pem", "SSL_CERT_FILE is .*empty.pem, which cannot be read as certificates"),
        ("SSL_CERT_DIR", "missing", "SSL_CERT_DIR is .*missing, which is not a folder"),
    ],
)
def test_authorities_that_cannot_be_read_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, name: str, words: str
) -> None:
    """Before any request, with the name of the variable."""
    (tmp_path / "empty.pem").touch()
    monkeypatch.setenv(variable, str(tmp_path / name))
    with pytest.raises(PermanentError, match=words):
        live(f"https://{HOST}")


def test_the_proxys_password_is_among_those_that_a_report_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """As written in the address and as it is."""
    monkeypatch.setenv("HTTPS_PROXY", "user:p%40ss-word@proxy:3128")
    assert {"user:p%40ss-word", "p%40ss-word", "p@ss-word"} <= set(passwords())
