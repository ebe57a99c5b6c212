"""From a response that is not a success to one of our errors, in words a person can act on.

One table for all vendors: the status decides, never the text (Airbridge spells its titles in three ways, Bento answers HTML from its
firewall). What a 404 means is the caller's to say.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

import msgspec

from analytics_assets.errors import (
    AccessRefusedError,
    BlockedError,
    Evidence,
    PermanentError,
    SourceError,
    TransientError,
)
from analytics_assets.http.bodies import BYTE_ORDER_MARK, json_of
from analytics_assets.http.retry_after import LONGEST_PAUSE_S, retry_after_s
from analytics_assets.settings import SHORTEST_KEY

UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TIMED_OUT, TOO_EARLY, THROTTLED, SERVER_FAULT, UNAVAILABLE = (
    401,
    403,
    404,
    408,
    425,
    429,
    500,
    503,
)
_REDACTED = "[redacted]"
# One or two letters are found in any word; `settings.secrets` refuses keys shorter than SHORTEST_KEY.
_SHORTEST_SHOWN = 3
_LONGEST_DETAIL = 300
# Whoever sends these, they are about the size of the request.
_BAD_REQUEST = 400
_TOO_LARGE = frozenset({411, 413, 414, 431})
# Shorter pieces of base64 would be found in any text.
_SHORTEST_BASE64 = 8
# Letters that addresses or JSON write in another way.
_ESCAPED = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Vendor:
    """How messages speak of the other side.

    Attributes:
        name: The vendor, such as `Bento`.
        credentials: Where its keys come from, such as the names of environment variables; never their values.
        secrets: Values that must not appear in any message or file.
    """

    name: str
    credentials: str
    secrets: Sequence[str] = ()

    def redact(self, text: str) -> str:
        """The text without any of the secrets, as they are and as they travel: in an address, in JSON, in a Basic header.

        Matches that overlap are replaced together, and a marker from an earlier call stays whole.
        """
        if not self._plausible(_SHORTEST_SHOWN):
            return text
        spans: list[tuple[int, int]] = []
        found = self._traces.search(text)
        while found is not None:
            start, end = found.span()
            if spans and start < spans[-1][1]:
                start, end = spans[-1][0], max(end, spans.pop()[1])
            spans.append((start, end))
            found = self._traces.search(text, found.start() + 1)
        ends = [0, *(end for _, end in spans)]
        starts = [*(start for start, _ in spans), len(text)]
        return _REDACTED.join(text[end:start] for end, start in zip(ends, starts, strict=True))

    def without_secrets(self, body: bytes) -> bytes:
        """A body that may repeat what it was asked with, without any of the secrets; as it is where it has none."""
        # Plain searches first: a pattern of many forms is far too slow for a large body.
        return self.redact(body.decode()).encode() if any(mark in body for mark in self._marks) else body

    @cached_property
    def _marks(self) -> frozenset[bytes]:
        """What a body holds if it holds a secret: of each the longest piece that is written the same everywhere."""
        return frozenset(max(_ESCAPED.split(secret), key=len).encode() for secret in self._plausible(SHORTEST_KEY))

    def _plausible(self, shortest: int) -> list[str]:
        """The secrets that are not found by chance in ordinary words and numbers."""
        return [secret for secret in self.secrets if len(secret) >= shortest]

    @cached_property
    def _traces(self) -> re.Pattern[str]:
        """The marker, or any form of any secret; the longest first, because one secret may begin with another."""
        forms = {form for secret in self._plausible(_SHORTEST_SHOWN) for form in _forms(secret)}
        return re.compile("|".join([re.escape(_REDACTED), *sorted(forms, key=lambda form: (-len(form), form))]))


def error_of(
    vendor: Vendor,
    *,
    endpoint: str,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
    longest_pause_s: float = LONGEST_PAUSE_S,
) -> SourceError:
    """The error for a response that is not 2xx.

    `headers` are looked up in lower case. The vendor's own words are quoted shortened and without secrets.
    """
    body = body.removeprefix(BYTE_ORDER_MARK)
    text = body.decode(errors="replace")
    kind = headers.get("content-type", "").lower()
    is_html = "html" in kind or text.lstrip()[:1] == "<"
    # The words are decoded first: JSON may hide a secret behind its escapes.
    said, trace_id = ("an HTML page", "") if is_html else map(vendor.redact, _words(body))
    text = vendor.redact(text)
    said = said[:_LONGEST_DETAIL]
    asked = f"{vendor.name} {endpoint}: HTTP {status}" + (f" ({said})" if said else "")
    if trace_id:
        asked += f" [trace {trace_id}]"
    evidence = Evidence(endpoint, status=status, body=text, trace_id=trace_id or None)
    wait = retry_after_s(headers.get("retry-after"), now, longest_s=longest_pause_s)
    asks = "" if wait is None else f" Requests wait {wait:.0f} s (Retry-After)."
    if status in (TIMED_OUT, TOO_EARLY, THROTTLED) or status >= SERVER_FAULT:
        return TransientError(
            f"{asked}.", remedy=f"This may pass by itself.{asks}", evidence=evidence, retry_after_s=wait
        )
    is_json = not is_html and ("json" in kind or text.lstrip()[:1] in ("{", "["))
    # A refusal of the vendor's own is JSON or has no body. A redirect is never one, because no API here redirects.
    is_own = is_json or (status >= _BAD_REQUEST and not text.strip())
    if not is_own and status not in _TOO_LARGE:
        moved = f" It leads to {vendor.redact(host)}." if (host := _host(headers.get("location", ""))) else ""
        # Only a refusal of keys can be the vendor's own in another form.
        places = (
            f"HTTPS_PROXY, base_url and {vendor.credentials}" if status == UNAUTHORIZED else "HTTPS_PROXY and base_url"
        )
        return BlockedError(
            f"{asked}.",
            remedy=f"This is not {vendor.name}'s API, but a proxy, a firewall or a bot wall in front of it.{moved} Requests are repeated "
            f"with long pauses. If it stays, allow this machine's address and User-Agent there, and check {places}.{asks}",
            evidence=evidence,
            retry_after_s=wait,
        )
    error, remedy = _refusal(vendor, status)
    return error(f"{asked}.", remedy=remedy, evidence=evidence)


def _host(location: str) -> str | None:
    """The host of a redirect; its path and query may hold what was sent."""
    try:
        return urlsplit(location).hostname
    except ValueError:
        return None


def _refusal(vendor: Vendor, status: int) -> tuple[type[PermanentError], str]:
    """The class of the vendor's own refusal and what to do about it."""
    if status == UNAUTHORIZED:
        return AccessRefusedError, f"The credentials are refused: check {vendor.credentials}."
    if status == FORBIDDEN:
        return AccessRefusedError, f"The credentials lack the permission: check the role behind {vendor.credentials}."
    if status == NOT_FOUND:
        return PermanentError, "The address names something unknown: check ids and names in the YAML."
    if status < _BAD_REQUEST:
        return PermanentError, "Redirects are not followed, so that keys go nowhere else: check base_url."
    return PermanentError, "The request is refused: check the parameters in the YAML."


def _words(body: bytes) -> tuple[str, str]:
    """What the body says for people, and its trace id. Bento: error, errors; Statsig: message, errors; Airbridge: problem+json."""
    try:
        said: Any = msgspec.json.decode(json_of(body)[0])
    except (ValueError, RecursionError):
        return body.decode(errors="replace").strip(), ""
    if not isinstance(said, dict):
        return "", ""
    parts = [str(said[key]) for key in ("title", "error", "message", "detail") if said.get(key)]
    if said.get("errors"):
        parts.append(msgspec.json.encode(said["errors"]).decode())
    return ": ".join(parts), str(said.get("traceId") or "")


def _in_any_json(form: str) -> str:
    """A pattern for a text as it is and in JSON, also in JSON that stands in a text of JSON."""
    return "".join((r"\\*" if letter in '"/\\' else "") + re.escape(letter) for letter in form)


def _forms(secret: str) -> Iterator[str]:
    """Patterns for a secret as it is and as it travels."""
    in_json = json.dumps(secret)[1:-1]
    for form in (
        secret,
        in_json,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
    ):
        yield _in_any_json(form)
        yield _in_any_json(re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), form))
    for before in range(3):
        # Three bytes make four letters, so the letters depend on how many bytes stand before the secret, such as `name:`.
        packed = b"\0" * before + secret.encode()
        inner = slice(-(-before * 8 // 6), len(packed) * 8 // 6)
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            letters = encode(packed).decode()[inner]
            if len(letters) >= _SHORTEST_BASE64:
                # The letter at the border holds bits of both.
                border = r"[\w+/-]" if before else ""
                yield rf"{border}{re.escape(letters)}[\w+/=-]*"
