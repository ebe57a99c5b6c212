"""A session over real sockets: what arrives at the vendor, and what becomes of its response."""

import asyncio
import gzip
from collections import Counter

import aiohttp
import httpx
import pytest
from httpx_aiohttp import AiohttpTransport

from analytics_assets.errors import (
    AccessRefusedError,
    BlockedError,
    Evidence,
    PermanentError,
    SourceError,
    TransientError,
    UnexpectedPayloadError,
)
from analytics_assets.http.meter import Meter
from analytics_assets.http.response import JsonResponse
from analytics_assets_tests.http.scripted import (
    NOW,
    ONCE,
    Reply,
    after,
    answer,
    scripted,
    session,
    trickle,
)


async def test_an_answer_says_what_was_asked_and_when() -> None:
    """Everything about a plain answer, and what it cost."""
    async with scripted(answer(b'{"a": 1}')) as server, session(server.url, private_params={"site": "s-77"}) as way:
        got = await way.get("/stats/{kind}", "/stats/ads", {"day": "2026-03-01"})
        assert got == JsonResponse(
            endpoint="GET /stats/{kind}",
            path="/stats/ads",
            params=(("day", "2026-03-01"),),
            status=200,
            body=b'{"a": 1}',
            requested_at=NOW,
            answered_at=NOW,
            attempts=1,
            vendor="Bento",
        )
        assert way.meter == Meter(requests=Counter({"GET /stats/{kind}": 1}), retries=0, waited_s=0.0)
    assert [asked.line for asked in server.asked] == ["GET /stats/ads?day=2026-03-01&site=s-77 HTTP/1.1"]
    assert server.asked[0].headers["authorization"] == "Bearer sk-secret/key+1"
    assert server.asked[0].headers["accept"] == "application/json"


async def test_a_post_carries_its_body_as_json() -> None:
    """The body and its type arrive as documented by the vendors; a GET has neither."""
    async with scripted(answer()) as server, session(server.url) as way:
        await way.post("/reports", "/reports", {"from": "2026-03-01"})
        await way.get("/reports", "/reports")
    posted, read = server.asked
    assert (posted.line, posted.body) == ("POST /reports HTTP/1.1", b'{"from":"2026-03-01"}')
    assert posted.headers["content-type"] == "application/json"
    assert (read.body, read.headers.get("content-type")) == (b"", None)


@pytest.mark.parametrize(
    "path", ["/metrics/a%2Fb", "/metrics/50%25", "/metrics/a%20b", "/metrics/na%C3%AFve", "/metrics/x%3Fy%23z"]
)
async def test_a_percent_encoded_path_arrives_as_it_was_given(path: str) -> None:
    """No layer decodes a part of the path or encodes it twice."""
    async with scripted(answer()) as server, session(f"{server.url}/console/v1") as way:
        await way.get("/metrics/{id}", path)
    assert [asked.line for asked in server.asked] == [f"GET /console/v1{path} HTTP/1.1"]


@pytest.mark.parametrize(
    "value", ["naïve 日本 🎈", "a+b&c=d", "50%", "%2F", "a;b,c", "'\"<>", "2026-03-01T00:00:00+09:00"]
)
async def test_a_query_value_arrives_as_it_was_meant(value: str) -> None:
    """Whatever the letters, the vendor reads back the value that was asked with."""
    async with scripted(answer()) as server, session(server.url) as way:
        await way.get("/x", "/x", {"name": value})
    line = server.asked[0].line
    assert line.isascii()
    assert dict(httpx.QueryParams(line.split(" ")[1].partition("?")[2])) == {"name": value}


async def test_a_packed_body_is_unpacked() -> None:
    """A gzip body is read as what it holds."""
    packed = gzip.compress(b'{"rows": [1, 2, 3]}')
    async with scripted(answer(packed, content_encoding="gzip")) as server, session(server.url) as way:
        assert (await way.get("/x", "/x")).body == b'{"rows": [1, 2, 3]}'


async def test_a_body_that_trickles_ends_with_the_attempt() -> None:
    """Each letter comes within the read time-out; the attempt as a whole is bounded all the same."""
    async with scripted(trickle(100, 0.05)) as server, session(server.url, retries=ONCE, longest_attempt_s=0.3) as way:
        with pytest.raises(TransientError, match="TimeoutError"):
            await asyncio.wait_for(way.get("/x", "/x"), 3)


_LOGIN = "A proxy or a login page is between this machine and Bento's API. "


@pytest.mark.parametrize(
    ("body", "kind", "title"),
    [
        (b"\xef\xbb\xbf \n<!DOCTYPE html><TITLE>Sign in</TITLE>", "text/html", " (title 'Sign in')"),
        (b"<html><head><title data-x='1'>\n Hotel &amp;\x1b[31m Wi-Fi </title>", "", " (title 'Hotel &[31m Wi-Fi')"),
        (b"<html><title>key sk&#45;secret/key+1</title>", "application/json", " (title 'key [redacted]')"),
        (b"<html><title>" + b"w" * 200 + b"</title>", "text/html", f" (title '{'w' * 80}')"),
        (b"<html><title>" + b"w" * 5_000_000, "text/html", ""),
        (b"<html><title>  </title>", "text/html", ""),
        (b"Please log in", "text/html; charset=utf-8", ""),
        (b"<title" * 300_000, "text/html", ""),
    ],
)
async def test_a_page_with_status_200_is_a_blocked_path(body: bytes, kind: str, title: str) -> None:
    """It is named by its title without secrets and control characters, and by the host that was asked."""
    async with scripted(answer(body, content_type=kind)) as server, session(server.url, retries=ONCE) as way:
        with pytest.raises(BlockedError) as caught:
            await asyncio.wait_for(way.get("/x", "/x"), 5)
    assert f"HTTP 200, not JSON: an HTML page came from 127.0.0.1{title}. {_LOGIN}" in str(caught.value)
    assert len(str(caught.value)) < 500
    assert "sk-secret" not in f"{caught.value} {caught.value.evidence}"


@pytest.mark.parametrize(
    ("reply", "expected", "words"),
    [
        pytest.param(
            answer(b"<html>Just a moment</html>", content_type="text/html"),
            BlockedError,
            "Bento GET /x: HTTP 200, not JSON: an HTML page came from 127.0.0.1. A proxy or a login page is between this machine and Bento's API. "
            "Requests are repeated with long pauses. If it stays, log in there or allow this machine's address and User-Agent, and check "
            "HTTPS_PROXY and base_url.",
            id="HTML",
        ),
        pytest.param(
            answer(b"a,b", content_type=""),
            UnexpectedPayloadError,
            "Bento GET /x: HTTP 200 with content type 'none' where JSON belongs. "
            "Something between here and the API may have answered in its place; the body is kept in quarantine.",
            id="no content type",
        ),
        pytest.param(
            answer(b"[" * 65 + b"]" * 65),
            UnexpectedPayloadError,
            "Bento GET /x: the response is nested deeper than 64 levels; no documented one has more than nine. "
            "Something may have answered in the API's place; the body is kept in quarantine.",
            id="one level too deep",
        ),
        pytest.param(
            answer(b"[" * 100_000 + b"]" * 100_000),
            UnexpectedPayloadError,
            "Bento GET /x: the response is nested deeper than 64 levels; no documented one has more than nine. "
            "Something may have answered in the API's place; the body is kept in quarantine.",
            id="nested beyond reading",
        ),
        pytest.param(
            answer(b'{"error": "no such day"}', status=400),
            PermanentError,
            "Bento GET /x: HTTP 400 (no such day). The request is refused: check the parameters in the YAML.",
            id="HTTP 400",
        ),
        pytest.param(
            answer(b'{"error": "bad key sk-secret/key+1"}', status=401),
            AccessRefusedError,
            "Bento GET /x: HTTP 401 (bad key [redacted]). The credentials are refused: check BENTO_SECRET_KEY.",
            id="HTTP 401 echoing the key",
        ),
    ],
)
async def test_an_answer_that_cannot_be_used_is_asked_for_once(
    reply: Reply, expected: type[SourceError], words: str
) -> None:
    """The class and the words of each; none of these pass by themselves."""
    async with scripted(reply) as server, session(server.url) as way:
        with pytest.raises(SourceError) as caught:
            await way.get("/x", "/x")
    assert (type(caught.value), str(caught.value), len(server.asked)) == (expected, words, 1)


async def test_json_in_another_spelling_of_the_content_type_is_accepted() -> None:
    """Problem+json, a charset and capitals are all JSON."""
    spelled = answer(content_type="Application/Vnd.Api+JSON; charset=utf-8")
    async with scripted(spelled) as server, session(server.url) as way:
        assert (await way.get("/x", "/x")).body == b"{}"


@pytest.mark.parametrize(
    "reply",
    [answer(b'"' + b"a" * 2000 + b'"'), answer(gzip.compress(b'"' + b"a" * 100_000 + b'"'), content_encoding="gzip")],
    ids=["plain", "packed"],
)
async def test_a_body_over_the_limit_is_not_read_on(reply: Reply) -> None:
    """The limit counts unpacked bytes; the remedy is named."""
    async with scripted(reply) as server, session(server.url, largest_body=1024) as way:
        with pytest.raises(UnexpectedPayloadError) as caught:
            await way.get("/x", "/x")
        await asyncio.sleep(0.05)
        assert server.open <= 1
    assert str(caught.value) == (
        "Bento GET /x: the response is larger than 0.000976562 MiB. Ask for less at once (page size, days) in the YAML."
    )
    assert (caught.value.evidence, len(server.asked)) == (Evidence("GET /x", status=200), 1)


async def test_broken_json_keeps_what_came_without_the_key() -> None:
    """A person can look at the body that could not be read."""
    async with scripted(answer(b'{"key": "sk-secret/key+1", "rows": [')) as server, session(server.url) as way:
        with pytest.raises(TransientError) as caught:
            await way.get("/x", "/x")
    assert caught.value.evidence == Evidence("GET /x", status=200, body='{"key": "[redacted]", "rows": [')
    assert len(server.asked) == 3


async def test_no_more_requests_are_open_than_allowed() -> None:
    """Twenty requests, three at a time, and never fewer than could be."""
    async with scripted(after(0.02, answer())) as server, session(server.url, in_flight=3) as way:
        await asyncio.gather(*(way.get("/x", "/x") for _ in range(20)))
    assert (server.most_busy, len(server.asked)) == (3, 20)


async def test_a_request_that_pauses_leaves_its_place_to_others() -> None:
    """With one place, a second request is answered while the first waits for its next attempt."""
    async with (
        scripted(answer(status=429, retry_after="1"), answer()) as server,
        session(server.url, in_flight=1) as way,
    ):
        first = asyncio.create_task(way.get("/first", "/first"))
        await asyncio.sleep(0.2)
        await asyncio.wait_for(way.get("/second", "/second"), 0.5)
        await first
    assert [asked.line.split()[1] for asked in server.asked] == ["/first", "/second", "/first"]


@pytest.mark.parametrize(
    "reply", [after(30, answer()), trickle(1000, 0.02)], ids=["before the response", "in its body"]
)
async def test_a_cancelled_request_leaves_no_connection_open(reply: Reply) -> None:
    """A cancelled run neither repeats the request nor keeps the vendor busy."""
    async with scripted(reply) as server, session(server.url) as way:
        asking = asyncio.create_task(way.get("/x", "/x"))
        await asyncio.sleep(0.2)
        assert server.open == 1
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        sockets = way._transport
        assert isinstance(sockets, AiohttpTransport)
        assert isinstance(sockets.client, aiohttp.ClientSession)
        connector = sockets.client.connector
        assert connector is not None
        assert (connector._acquired, any(connector._conns.values()), len(server.asked)) == (set(), False, 1)
