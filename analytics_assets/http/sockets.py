"""The transport that production sends over: one attempt a request, trusted authorities, the environment's proxy, bounded headers.

Add what concerns connections here. Retries live in `retries.py`, the choice of where requests go in `destination.py`.
"""

import base64
import ssl
from functools import lru_cache
from pathlib import Path
from typing import Final

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from analytics_assets.errors import PermanentError
from analytics_assets.http.session import IN_FLIGHT
from analytics_assets.settings import certificate_paths, proxy_for

# aiohttp's own bounds are 8,190 bytes and 128 headers; a CDN's policy header or a gateway's traces exceed them.
LARGEST_HEADER: Final = 64 * 2**10
MOST_HEADERS: Final = 1_000


def sockets(host: str) -> httpx.AsyncBaseTransport:
    """A transport to `host`, through the environment's proxy where one is set for it.

    aiohttp reaches the latency floor at 16 requests in flight, at under half the CPU of httpx's own transport.

    Raises:
        PermanentError: HTTPS_PROXY, SSL_CERT_FILE or SSL_CERT_DIR cannot be used.
    """
    limits = httpx.Limits(max_connections=IN_FLIGHT)
    return _Sockets(verify=_trusted(*certificate_paths()), limits=limits, proxy=_proxy(host))


@lru_cache(maxsize=1)
def _trusted(file: str | None, folder: str | None) -> ssl.SSLContext:
    """The authorities to trust, once for the process: reading them takes longer than many a request."""
    if file is None and folder is None:
        return httpx.create_ssl_context(trust_env=False)
    if folder is not None and not Path(folder).is_dir():
        raise PermanentError(f"SSL_CERT_DIR is {folder}, which is not a folder.", remedy="Correct or unset it.")
    try:
        return ssl.create_default_context(cafile=file, capath=folder)
    except OSError as error:
        raise PermanentError(
            f"SSL_CERT_FILE is {file}, which cannot be read as certificates ({error.strerror or error}).",
            remedy="Set it to a PEM file with the authorities to trust, or unset it.",
        ) from error


def _proxy(host: str) -> httpx.Proxy | None:
    """The proxy for `host`, its user and password moved from the address, which errors quote, into a header."""
    address = proxy_for(host)
    if address is None:
        return None
    try:
        url = httpx.URL(address if "://" in address else f"http://{address}")
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise PermanentError(
            "HTTPS_PROXY (or ALL_PROXY) does not hold the address of an HTTP proxy.",
            remedy="Write it as http://host:port or http://user:password@host:port, with %-codes for special characters.",
        )
    headers = {}
    if url.userinfo:
        token = base64.b64encode(f"{url.username}:{url.password}".encode()).decode()
        headers["Proxy-Authorization"] = f"Basic {token}"
    return httpx.Proxy(url.copy_with(userinfo=b""), headers=headers)


class _Sockets(AiohttpTransport):
    def get_client(self) -> aiohttp.ClientSession:
        client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=IN_FLIGHT, keepalive_timeout=self.limits.keepalive_expiry, ssl=self.ssl_context
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            max_line_size=LARGEST_HEADER,
            max_field_size=LARGEST_HEADER,
            max_headers=MOST_HEADERS,
        )
        # aiohttp repeats a GET by itself when the connection closes, past every budget and count. It has no public switch; a test
        # over real sockets watches this.
        client._retry_connection = False  # noqa: SLF001
        return client

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await super().handle_async_request(request)
        except httpx.TransportError as error:
            refusal = _refusal(self.proxy, error.__cause__)
            if refusal is None:
                raise
        # Outside the handler: aiohttp's error holds the request to the proxy, with its password.
        raise httpx.ProxyError(refusal)


def _refusal(proxy: httpx.Proxy | None, error: BaseException | None) -> str | None:
    """Which proxy gave no connection, and what it did; None for any other error."""
    if proxy is None:
        return None
    match error:
        case aiohttp.ClientHttpProxyError():
            reason = f"HTTP {error.status} {error.message}"
        case aiohttp.ClientProxyConnectionError():
            reason = error.os_error.strerror or type(error.os_error).__name__
        case _:
            return None
    return f"the proxy {proxy.url.host}:{proxy.url.port or 80}: {reason}"
