"""From a failure of the HTTP library to one of our errors: what never became a response.

httpx and aiohttp spell the same failure in two ways, and the transport between them reports a connection cut after sending as a connect
time-out; so the aiohttp error underneath decides. What matters to the caller is whether a connection was there at all.
"""

import aiohttp
import httpx

from analytics_assets.errors import Evidence, PermanentError, SourceError, TransientError, UnreachableError
from analytics_assets.http.statuses import Vendor

FAULTS = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.StreamError,
    httpx.CookieConflict,
    aiohttp.ClientError,
    OSError,
    # A host name that cannot be resolved.
    UnicodeError,
)
_NO_CONNECTION = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
)
_NO_ADDRESS = (
    httpx.InvalidURL,
    httpx.UnsupportedProtocol,
    aiohttp.InvalidURL,
    aiohttp.NonHttpUrlClientError,
    UnicodeError,
)


def fault_of(vendor: Vendor, *, endpoint: str, host: str, error: Exception) -> SourceError:
    """The error for one of `FAULTS`.

    UnreachableError promises that the vendor cannot have taken the request; a plain TransientError promises nothing of the kind.
    """
    origin = error.__cause__ if isinstance(error.__cause__, aiohttp.ClientError) else error
    reason, evidence = vendor.redact(_reason(origin)), Evidence(endpoint)
    if isinstance(origin, _NO_ADDRESS):
        return PermanentError(
            f"{vendor.name} {endpoint}: the address cannot be used ({reason}).", remedy="Check base_url."
        )
    if isinstance(origin, httpx.ProxyError):
        return UnreachableError(
            f"{vendor.name} {endpoint}: no connection to {host} ({reason}).",
            remedy="Check HTTPS_PROXY, its user and password, and NO_PROXY.",
            evidence=evidence,
        )
    if isinstance(origin, aiohttp.ClientSSLError):
        return UnreachableError(
            f"{vendor.name} {endpoint}: no trusted connection to {host} ({reason}).",
            remedy="Behind a proxy that opens TLS, set SSL_CERT_FILE to its authority; otherwise check the network and base_url.",
            evidence=evidence,
        )
    if isinstance(origin, _NO_CONNECTION):
        return UnreachableError(
            f"{vendor.name} {endpoint}: no connection to {host} ({reason}).",
            remedy="Check the network and base_url.",
            evidence=evidence,
        )
    return TransientError(
        f"{vendor.name} {endpoint}: no complete answer ({reason}).",
        remedy="This may pass by itself.",
        evidence=evidence,
    )


def shown(vendor: Vendor, error: Exception) -> Exception | None:
    """The error as the cause to show beneath ours; None where its own text holds a secret."""
    text = f"{error} {error.__cause__}"
    return error if vendor.redact(text) == text else None


def _reason(error: BaseException) -> str:
    """What the library says without the address, which holds the query; the name of the error where it says nothing."""
    match error:
        case aiohttp.ClientConnectorError():
            text = error.os_error.strerror or str(error.os_error)
        case aiohttp.ClientResponseError():
            text = error.message
        case aiohttp.InvalidURL():
            text = error.description or ""
        case aiohttp.NonHttpUrlClientError():
            text = ""
        case _:
            text = str(error)
    return text or type(error).__name__
