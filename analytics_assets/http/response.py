"""One HTTP answer as it was received, with what was asked and when."""

import sys
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Generic, TypeVar

import msgspec

from analytics_assets.errors import Evidence, UnexpectedPayloadError

T = TypeVar("T")
_LARGEST = sys.float_info.max
Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Finite = Annotated[float, msgspec.Meta(ge=-_LARGEST, le=_LARGEST)]  # numbers may come as text, and "nan" is none


@dataclass(frozen=True)
class JsonResponse:
    """A successful (2xx) answer whose body is well-formed JSON.

    Attributes:
        endpoint: Method and path template, such as `GET /stats/ads`.
        path: The path requested, percent-encoded.
        params: The query as pairs, without what identifies the account or authorises.
        status: HTTP status.
        body: The body as sent, but for its byte order mark, secrets, and halves of characters; see `bodies.py`.
        requested_at: Instant at which the last attempt was sent.
        answered_at: Instant at which its body was complete.
        attempts: Attempts made, 1 without a retry.
        waited_s: Seconds that the attempts waited for the budget.
        repaired: Texts of the body that hold U+FFFD in place of half a character.
        vendor: The vendor's name, for messages.
    """

    endpoint: str
    path: str
    params: tuple[tuple[str, str], ...]
    status: int
    body: bytes
    requested_at: datetime
    answered_at: datetime
    attempts: int = 1
    waited_s: float = 0.0
    repaired: int = 0
    vendor: str = ""

    def read(self, kind: type[T]) -> T:
        """The body as `kind`, a msgspec struct; see `read`."""
        return read(self.body, kind, vendor=self.vendor, endpoint=self.endpoint)

    def plain(self) -> Any:
        """The body as plain Python values, for looking at fields that are not known here."""
        return msgspec.json.decode(self.body)


@dataclass(frozen=True, kw_only=True)
class Response(JsonResponse, Generic[T]):
    """A response whose body is decoded, once for all who use it.

    Attributes:
        data: The decoded body.
        find_unknown: Finds the fields that are not known here.
    """

    data: T
    find_unknown: Callable[[], AbstractSet[str]] = frozenset

    @cached_property
    def unknown(self) -> AbstractSet[str]:
        """Paths of the fields that are not known here."""
        return self.find_unknown()

    @classmethod
    def of(cls, answer: JsonResponse, data: T, find_unknown: Callable[[], AbstractSet[str]]) -> "Response[T]":
        """A response whose decoded body is `data`."""
        sent = {field.name: getattr(answer, field.name) for field in fields(JsonResponse)}
        return cls(**sent, data=data, find_unknown=find_unknown)


def read(body: bytes | str, kind: type[T], *, vendor: str, endpoint: str) -> T:
    """JSON text as `kind`: numbers sent as text are accepted, fields not known here are passed over.

    Decimal fields take the digits as sent. A required field that is missing, null or of another type is refused.

    Raises:
        UnexpectedPayloadError: The message names the vendor, the endpoint and the path in the body; the body is its evidence.
    """
    try:
        return msgspec.json.decode(body, type=kind, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        text = body if isinstance(body, str) else body.decode(errors="replace")
        raise UnexpectedPayloadError(
            f"{vendor} {endpoint}: the response is not as documented: {error}.",
            remedy="The body is kept in the quarantine folder of the lake; compare it with the vendor's page.",
            evidence=Evidence(endpoint, body=text),
        ) from error
