"""From a 2xx response to well-formed JSON, or to one of our errors.

Other statuses are in `statuses.py`. What the JSON means is each source's `responses.py`.
"""

import html
import logging
import re
from collections.abc import Mapping
from datetime import datetime

from analytics_assets.errors import BlockedError, Evidence, TransientError, UnexpectedPayloadError
from analytics_assets.http.bodies import BYTE_ORDER_MARK, DEEPEST, EqualNamesError, is_too_deep, json_of
from analytics_assets.http.retry_after import retry_after_s
from analytics_assets.http.statuses import Vendor

_LONGEST_SHOWN, _MOST_SHOWN = 80, 3
# The title is near the top. A page may have any size, and is searched for a bounded time.
_PAGE_HEAD = 4096
_TITLE = re.compile(r"<title(?:\s[^>]{0,200})?>([^<]*)<", re.IGNORECASE)


def is_page(headers: Mapping[str, str], body: bytes) -> bool:
    """True if the body is an HTML page: it begins like one, or is labelled as one and does not begin like JSON."""
    start = body.removeprefix(BYTE_ORDER_MARK).lstrip()[:1]
    return start == b"<" or ("html" in headers.get("content-type", "").lower() and start not in (b"", b"{", b"["))


def page_error(
    vendor: Vendor,
    *,
    endpoint: str,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
    longest_pause_s: float,
    host: str,
) -> BlockedError:
    """The error for an HTML page with a 2xx status, as from a captive portal or a company's login page; parameters as of `error_of`."""
    text = body.decode(errors="replace")
    found = _TITLE.search(text[:_PAGE_HEAD])
    # A secret may be there as it is or with its characters escaped.
    words = " ".join(html.unescape(vendor.redact(found[1])).split()) if found else ""
    title = vendor.redact("".join(letter for letter in words if letter.isprintable()))[:_LONGEST_SHOWN]
    wait = retry_after_s(headers.get("retry-after"), now, longest_s=longest_pause_s)
    asks = "" if wait is None else f" Requests wait {wait:.0f} s (Retry-After)."
    shown = f" (title {title!r})" if title else ""
    return BlockedError(
        f"{vendor.name} {endpoint}: HTTP {status}, not JSON: an HTML page came from {host}{shown}.",
        remedy=f"A proxy or a login page is between this machine and {vendor.name}'s API. Requests are repeated with long "
        "pauses. If it stays, log in there or allow this machine's address and User-Agent, and check HTTPS_PROXY and "
        f"base_url.{asks}",
        evidence=Evidence(endpoint, status=status, body=vendor.redact(text)),
        retry_after_s=wait,
    )


def read_json(vendor: Vendor, name: str, status: int, headers: Mapping[str, str], body: bytes) -> tuple[bytes, int]:
    """The body of a 2xx response as well-formed JSON, and how many texts in it were repaired; those are logged.

    Raises:
        TransientError: It is cut short or broken.
        UnexpectedPayloadError: It is not JSON, is nested too deep, or has field names that cannot be told apart.
    """

    def evidence() -> Evidence:
        return Evidence(name, status=status, body=vendor.redact(body.decode(errors="replace")))

    kind = headers.get("content-type", "").lower()
    if body and "json" not in kind:
        raise UnexpectedPayloadError(
            f"{vendor.name} {name}: HTTP {status} with content type {kind or 'none'!r} where JSON belongs.",
            remedy="Something between here and the API may have answered in its place; the body is kept in quarantine.",
            evidence=evidence(),
        )
    try:
        body, texts = json_of(body)
        is_deep = is_too_deep(body)
    except RecursionError:
        is_deep = True
    except EqualNamesError as error:
        raise UnexpectedPayloadError(
            f"{vendor.name} {name}: two field names of the response differ in a broken character only; both would be "
            f"{vendor.redact(error.name)!r}.",
            remedy=f"Ask {vendor.name} to correct them; the body is kept in quarantine.",
            evidence=evidence(),
        ) from error
    except ValueError as error:
        raise TransientError(
            f"{vendor.name} {name}: the JSON answer is cut short or broken ({error}).",
            remedy="This may pass by itself.",
            evidence=evidence(),
        ) from error
    if is_deep:
        raise UnexpectedPayloadError(
            f"{vendor.name} {name}: the response is nested deeper than {DEEPEST} levels; no documented one has more than nine.",
            remedy="Something may have answered in the API's place; the body is kept in quarantine.",
            evidence=evidence(),
        )
    if texts:
        shown = ", ".join(repr(vendor.redact(text)[:_LONGEST_SHOWN]) for text in texts[:_MOST_SHOWN])
        logging.getLogger(__name__).warning(
            "%s %s: U+FFFD is stored for half a character in %d texts: %s", vendor.name, name, len(texts), shown
        )
    return body, len(texts)
