"""What never became a response: no connection, no address, and every error the HTTP libraries have."""

import inspect
import logging
import socket
from collections import Counter
from collections.abc import Iterator

import aiohttp
import httpx
import pytest
from aiohttp.client_reqrep import ConnectionKey
from yarl import URL

from analytics_assets.errors import (
    AccessRefusedError,
    Evidence,
    PermanentError,
    SourceError,
    TransientError,
    UnreachableError,
)
from analytics_assets_tests.http.scripted import (
    ONCE,
    answer,
    bytes_then_hang_up,
    scripted,
    session,
)


@pytest.fixture
def nobody() -> Iterator[str]:
    """The address of a port that nobody listens on."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_refused_connection_is_tried_again_and_then_unreachable(nobody: str, method: str) -> None:
    """Nothing was sent, so even a POST is repeated."""
    async with session(nobody) as way:
        with pytest.raises(UnreachableError) as caught:
            await (way.get("/x", "/x") if method == "GET" else way.post("/x", "/x", {}))
        assert way.meter.requests == Counter({f"{method} /x": 3})
    assert str(caught.value).startswith(f"Bento {method} /x: no connection to 127.0.0.1 (")
    assert str(caught.value).endswith("). Check the network and base_url.")
    assert "0x" not in str(caught.value)
    assert caught.value.evidence == Evidence(f"{method} /x")


async def test_an_unknown_host_name_is_unreachable() -> None:
    """A typing mistake in base_url and a dead resolver look alike; both name the host."""
    async with session("https://no-such-host.invalid", retries=ONCE, timeouts=httpx.Timeout(5)) as way:
        with pytest.raises(UnreachableError, match=r"no connection to no-such-host\.invalid"):
            await way.get("/x", "/x")


@pytest.mark.parametrize("url", ["https://..no-host", "ftp://127.0.0.1", "https://" + "a" * 70 + ".invalid"])
async def test_an_address_nothing_can_be_sent_to_is_permanent(url: str) -> None:
    """Waiting does not fix an address."""
    with pytest.raises(PermanentError, match="base_url"):
        async with session(url) as way:
            await way.get("/x", "/x")


@pytest.mark.parametrize("url", ["http://[::1", "https://host:port"])
def test_an_address_that_is_no_url_is_refused_before_anything_is_sent(url: str) -> None:
    """The HTTP library's own error does not come through."""
    with pytest.raises(PermanentError, match="base_url cannot be used"):
        session(url)


@pytest.mark.parametrize("key", ["sk-1\n", "sk-1\r\nX-Other: 1", "sk-schlüssel", "sk-1\x00"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(key: str) -> None:
    """A key read from a file often ends in a line break; the message names where the key comes from."""
    with pytest.raises(AccessRefusedError) as caught:
        session("http://127.0.0.1", headers={"Authorization": key})
    assert str(caught.value) == (
        "Bento: the header Authorization holds a line break or a letter that no header can carry. Check BENTO_SECRET_KEY."
    )


def _shown(error: BaseException) -> Iterator[str]:
    """The texts that a traceback of the error shows, its causes' included."""
    below: BaseException | None = error
    while below is not None:
        yield from (str(below), repr(below))
        below = below.__cause__ or (None if below.__suppress_context__ else below.__context__)


async def test_no_message_cause_or_log_shows_what_identifies_the_account(caplog: pytest.LogCaptureFixture) -> None:
    """The library's own errors and log lines hold whole addresses; none of it comes through."""
    caplog.set_level(logging.DEBUG)
    private = {"site_uuid": "site-4711/ü"}
    garbage = bytes_then_hang_up(b"HTTP/1.1 two-hundred OK\r\n\r\n")
    refusal = answer('{"error": "unknown site-4711/ü at ?site_uuid=site-4711%2F%C3%BC"}'.encode(), status=404)
    async with (
        scripted(garbage, refusal, answer()) as server,
        session(server.url, private_params=private, retries=ONCE) as way,
    ):
        with pytest.raises(TransientError) as unreadable:
            await way.get("/x", "/x")
        with pytest.raises(PermanentError) as refused:
            await way.get("/x", "/x")
        got = await way.get("/x", "/x", {"day": "1"})
    assert all("site_uuid=site-4711" in asked.line for asked in server.asked)
    told = [*_shown(unreadable.value), *_shown(refused.value), repr(refused.value.evidence), repr(got)]
    told += [record.getMessage() for record in caplog.records]
    assert [text for text in told if "4711" in text] == []
    assert str(refused.value) == (
        "Bento GET /x: HTTP 404 (unknown [redacted] at ?site_uuid=[redacted]). "
        "The address names something unknown: check ids and names in the YAML."
    )


class Failing(httpx.AsyncBaseTransport):
    """A transport whose every request fails in one way."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Fails."""
        raise self.error


def _httpx_errors() -> list[type[Exception]]:
    named = [kind for _, kind in inspect.getmembers(httpx, inspect.isclass) if issubclass(kind, Exception)]
    return sorted(named, key=lambda kind: kind.__name__)


def _aiohttp_errors() -> list[type[Exception]]:
    found, fresh = set[type[Exception]](), [aiohttp.ClientError]
    while fresh:
        kind = fresh.pop()
        found.add(kind)
        fresh += kind.__subclasses__()
    return sorted(found, key=lambda kind: kind.__name__)


def _made(kind: type[Exception]) -> Exception:
    """One of that kind, as its library would make it."""
    url = URL("http://127.0.0.1/x?site_uuid=s-77")
    request = aiohttp.RequestInfo(url, "GET", {}, url)  # type: ignore[arg-type]
    key = ConnectionKey("127.0.0.1", 80, False, True, None, None, None)
    recipes: tuple[tuple[object, ...], ...] = (
        ("no luck at ?site_uuid=s-77",),
        (request, ()),
        (key, OSError(111, "refused")),
        (key, ValueError("certificate")),
        (b"a", b"b", "127.0.0.1", 80),
        ("/socket", key, OSError(111, "refused")),
        (),
    )
    if issubclass(kind, httpx.HTTPStatusError):
        sent = httpx.Request("GET", str(url))
        return kind("no luck at ?site_uuid=s-77", request=sent, response=httpx.Response(500, request=sent))
    if issubclass(kind, aiohttp.ClientResponseError):
        recipes = recipes[1:]
    elif issubclass(kind, aiohttp.client_exceptions.UnixClientConnectorError):
        recipes = recipes[5:]
    elif issubclass(kind, aiohttp.ClientConnectorCertificateError):
        recipes = recipes[3:]
    elif issubclass(kind, aiohttp.ClientConnectorError):
        recipes = recipes[2:]
    for recipe in recipes:
        try:
            return kind(*recipe)
        except TypeError:
            continue
    raise AssertionError(kind)


@pytest.mark.parametrize("kind", [*_httpx_errors(), *_aiohttp_errors()], ids=lambda kind: kind.__name__)
async def test_no_error_of_the_http_library_escapes(kind: type[Exception]) -> None:
    """Whatever a transport raises comes out as one of ours, whose text names the endpoint and no private parameter."""
    error = _made(kind)
    async with session(
        "http://127.0.0.1", transport=Failing(error), retries=ONCE, private_params={"site_uuid": "s-77"}
    ) as way:
        with pytest.raises(SourceError) as caught:
            await way.get("/x", "/x")
    assert str(caught.value).startswith("Bento GET /x: ")
    assert [text for text in _shown(caught.value) if "s-77" in text] == []


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (
            httpx.ConnectError("refused"),
            UnreachableError,
            "no connection to 127.0.0.1 (refused). Check the network and base_url.",
        ),
        (
            httpx.ConnectTimeout(""),
            UnreachableError,
            "no connection to 127.0.0.1 (ConnectTimeout). Check the network and base_url.",
        ),
        (
            httpx.PoolTimeout("full"),
            UnreachableError,
            "no connection to 127.0.0.1 (full). Check the network and base_url.",
        ),
        (
            httpx.ProxyError("407"),
            UnreachableError,
            "no connection to 127.0.0.1 (407). Check HTTPS_PROXY, its user and password, and NO_PROXY.",
        ),
        (
            aiohttp.ConnectionTimeoutError("slow"),
            UnreachableError,
            "no connection to 127.0.0.1 (slow). Check the network and base_url.",
        ),
        (
            aiohttp.ServerDisconnectedError(),
            TransientError,
            "no complete answer (Server disconnected). This may pass by itself.",
        ),
        (
            httpx.ReadTimeout("site s-77"),
            TransientError,
            "no complete answer (site [redacted]). This may pass by itself.",
        ),
        (
            ConnectionResetError(104, "reset"),
            TransientError,
            "no complete answer ([Errno 104] reset). This may pass by itself.",
        ),
        (httpx.UnsupportedProtocol("gopher"), PermanentError, "the address cannot be used (gopher). Check base_url."),
        (
            aiohttp.InvalidURL("http://x?site=s-77", "port"),
            PermanentError,
            "the address cannot be used (port). Check base_url.",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_the_class_says_whether_a_connection_was_there(
    error: Exception, kind: type[SourceError], words: str
) -> None:
    """Unreachable promises that nothing was sent; a lost answer promises nothing; an address does not fix itself."""
    async with session(
        "http://127.0.0.1", transport=Failing(error), retries=ONCE, private_params={"site_uuid": "s-77"}
    ) as way:
        with pytest.raises(SourceError) as caught:
            await way.get("/x", "/x")
    assert (type(caught.value), str(caught.value)) == (kind, f"Bento GET /x: {words}")
