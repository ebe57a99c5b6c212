"""The one seam that chooses where requests go: the vendor, a sandbox server, or the sandbox in this process.

Only this module of the production code knows that a sandbox exists, and it loads it only in sandbox mode.
An address other than https, or http to this machine, is refused, so that keys never travel in the clear.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import httpx

from analytics_assets.errors import AccessRefusedError, PermanentError
from analytics_assets.http.sockets import sockets
from analytics_assets.settings import LOOPBACK, Settings, secrets


@dataclass(frozen=True)
class Destination:
    """Where the requests of an account go.

    Attributes:
        base_url: Prefix of all paths.
        transport: Where bytes go; belongs to one session.
    """

    base_url: str
    transport: httpx.AsyncBaseTransport


def destination(settings: Settings, *, vendor: str, base_url: str, documented: str) -> Destination:
    """Where the requests of a client go: to the vendor in live mode, otherwise to the sandbox.

    Args:
        settings: The settings of this process.
        vendor: Name of the vendor in lower case: its folder in the sandbox.
        base_url: The address that the account's YAML names; only live mode uses it.
        documented: The address in the vendor's documentation; the sandbox has its path.

    Raises:
        PermanentError: An address is neither https nor http to this machine.
        AccessRefusedError: There is no sandbox of the vendor, in sandbox mode.
    """
    if settings.mode == "live":
        return live(base_url)
    return sandbox(vendor, httpx.URL(documented).path.rstrip("/"), settings.sandbox_url)


def keys(settings: Settings, variables: Sequence[str], *, vendor: str, sandbox_constants: Sequence[str]) -> list[str]:
    """The keys of an account: from environment variables in live mode, otherwise the sandbox's public constants of these names.

    Raises:
        AccessRefusedError: Variables are not set in live mode; all of them are named. Or there is no sandbox of the vendor.
    """
    if settings.mode == "live":
        return secrets(*variables)
    _refuse_without_sandbox(vendor)
    from analytics_assets.sandbox import credentials  # noqa: PLC0415 - live processes never load the sandbox

    return [str(getattr(credentials, constant)) for constant in sandbox_constants]


def has_sandbox(vendor: str) -> bool:
    """True if the vendor has a folder in the sandbox."""
    found = find_spec(f"analytics_assets.sandbox.{vendor}")
    return found is not None and found.submodule_search_locations is not None


def _refuse_without_sandbox(vendor: str) -> None:
    if not has_sandbox(vendor):
        raise AccessRefusedError(
            f"There is no sandbox of {vendor.capitalize()}, so nothing is loaded from it in sandbox mode.",
            remedy="Set ANALYTICS_MODE=live to load from the vendor itself.",
        )


def live(base_url: str) -> Destination:
    """The vendor itself.

    Raises:
        PermanentError: `base_url` is neither https nor http to this machine, or a proxy or certificate setting cannot be used.
    """
    return _over_sockets(checked(base_url))


def sandbox(vendor: str, path: str, server_url: str | None = None) -> Destination:
    """The simulated vendor: the server at `server_url`, or without one the sandbox in this process.

    Args:
        vendor: Name of the vendor in lower case: its folder in the sandbox.
        path: What the documented address of the vendor has after the host.
        server_url: Address of a sandbox server; http to this machine.

    Raises:
        AccessRefusedError: There is no sandbox of the vendor.
    """
    _refuse_without_sandbox(vendor)
    if server_url:
        return _over_sockets(f"{checked(server_url, setting='ANALYTICS_SANDBOX_URL')}/{vendor}{path}")
    return Destination(f"http://sandbox/{vendor}{path}", httpx.ASGITransport(app=_sandbox_app()))


def checked(url: str, *, setting: str = "base_url") -> str:
    """The URL without a trailing slash, if keys may be sent to it; `setting` is where it stands.

    Raises:
        PermanentError: It is neither https nor http to this machine, or holds more than a host, a port and a path: a name and password
            there would be sent in place of the keys. The message does not repeat the URL, which may hold a secret.
    """
    try:
        # Read by what sends to it, so that both see the same host.
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        raise PermanentError(
            f"{setting} is refused: it is not a URL.", remedy="Write it as https://host/path."
        ) from None
    if parts.userinfo or parts.query or parts.fragment:
        raise PermanentError(
            f"{setting} is refused.", remedy="It must hold a host, a port and a path, and nothing else."
        )
    if parts.host and (parts.scheme == "https" or (parts.scheme == "http" and parts.host in LOOPBACK)):
        return url.rstrip("/")
    raise PermanentError(
        f"{setting} to {parts.host or 'no host'!r} is refused.",
        remedy="It must start with https://, or with http:// to this machine.",
    )


def host_of(base_url: str) -> str:
    """Host of an address.

    Raises:
        PermanentError: Keys may not be sent to `base_url`.
    """
    return httpx.URL(checked(base_url)).host


def place_of(base_url: str) -> str:
    """Host, port and path of an address, the same however it is written.

    Raises:
        PermanentError: `base_url` is not an address that keys may be sent to.
    """
    url = httpx.URL(checked(base_url))
    return f"{url.netloc.decode()}{url.path}".rstrip("/")


def _over_sockets(url: str) -> Destination:
    return Destination(url, sockets(httpx.URL(url).host))


@lru_cache(maxsize=1)
def _sandbox_app() -> Any:
    """One app for the process: it keeps the generated world warm."""
    from analytics_assets.sandbox.app import create_app  # noqa: PLC0415 - live processes never load the sandbox

    return create_app()
