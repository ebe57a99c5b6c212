"""A response as the oracles read it: strict JSON with every digit, and fields of a kind or a refusal.

Nothing of the package is used. A `Refusal` means that landing anything would be wrong; whatever is read here may still be refused by the
package, which may be stricter, but may not land as anything else.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation, localcontext
from typing import Any, NoReturn

from analytics_assets_tests.fuzz.same import Json

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_MARK = b"\xef\xbb\xbf"
_SURROGATES = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]|\xed[\xa0-\xbf][\x80-\xbf]")
_NO_CHARACTER = re.compile(rb"[\xc0\xc1\xf5-\xff]")
_HALF = re.compile("[\ud800-\udfff]")
# What is stored for half a character.
REPLACEMENT = "\ufffd"
_LONGEST_EXPONENT = 400
# More digits of a whole number no reader takes.
_MOST_DIGITS = 4300
_LARGEST_WHOLE = 2**63
_LARGEST_MONEY = 10**12


class Refusal(Exception):  # noqa: N818 - a verdict, not a failure
    """Nothing may be stored from this response; the message says why."""


@dataclass(frozen=True)
class Sent:
    """One answer as it went over the wire."""

    status: int
    content_type: str
    body: bytes
    retry_after: str | None = None


def refuse(why: str) -> NoReturn:
    """Nothing may be stored."""
    raise Refusal(why)


def document(sent: Sent) -> Any:
    """The body as plain values: whole numbers as int, others as Decimal; the last of equal names in an object counts."""
    if not 200 <= sent.status < 300:
        refuse(f"status {sent.status}")
    try:
        return _letters(json.loads(_decoded(sent.body), parse_int=_digits, parse_float=_digits, parse_constant=refuse))
    except (ValueError, RecursionError) as error:
        refuse(f"no JSON: {type(error).__name__}")


def stored_body(sent: Sent) -> "str | Json":
    """What a raw table holds of a body: the text as sent without its byte order mark, or with U+FFFD for each half of a character."""
    read = document(sent)
    try:
        body = sent.body.removeprefix(_MARK).decode()
    except UnicodeDecodeError:
        return Json(read)
    # As pairs, because a name that comes twice hides the first of its values.
    pairs = json.loads(body, object_pairs_hook=lambda found: [list(pair) for pair in found])
    return Json(read) if _letters(pairs) != pairs else body


def _decoded(body: bytes) -> str:
    """A body as text: halves of characters that are written as bytes are U+FFFD, two that follow each other are one character."""
    body = body.removeprefix(_MARK)
    if _NO_CHARACTER.search(body):
        return body.decode("utf-8")
    return _SURROGATES.sub(_character, body).decode("utf-8", "replace")


def _character(found: re.Match[bytes]) -> bytes:
    units = found[0].decode("utf-8", "surrogatepass")
    return units.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _letters(value: Any) -> Any:
    """The value with U+FFFD for each half of a character."""
    if isinstance(value, str):
        return _HALF.sub(REPLACEMENT, value)
    if isinstance(value, list):
        return [_letters(one) for one in value]
    return {_letters(name): _letters(one) for name, one in value.items()} if isinstance(value, dict) else value


def _digits(text: str) -> int | Decimal:
    number = Decimal(text)
    is_plain = "." not in text and "e" not in text.lower() and len(text.removeprefix("-")) <= _MOST_DIGITS
    return int(text) if is_plain else number


def thing(value: Any, what: str) -> dict[str, Any]:
    """An object."""
    return value if isinstance(value, dict) else refuse(f"{what} is no object")


def part(value: Any, name: str) -> dict[str, Any]:
    """An object inside; an absent one is empty."""
    held = value.get(name)
    return {} if is_nothing(held) else thing(held, name)


def things(value: Any, what: str) -> list[Any]:
    """A list."""
    return value if isinstance(value, list) else refuse(f"{what} is no list")


def is_nothing(value: Any) -> bool:
    """Null, or the word where no text can stand."""
    return value is None or (isinstance(value, str) and value.lower() == "null")


def text(value: Any, what: str) -> str | None:
    """Text or null."""
    if value is not None and not isinstance(value, str):
        refuse(f"{what} is no text")
    return value


def needed(value: Any, what: str) -> str:
    """Text."""
    found = text(value, what)
    return refuse(f"{what} is missing") if found is None else found


def label(value: Any, what: str) -> str | None:
    """Text, or a whole number as text, or null."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(whole_of_any_size(value, what))
    return text(value, what)


def whole(value: Any, what: str) -> int | None:
    """A whole number of 64 bits or null; it may stand in text or with a zero behind the point."""
    number = whole_of_any_size(value, what)
    return None if number is None else _in_bits(number, what)


def whole_of_any_size(value: Any, what: str) -> int | None:
    """A whole number or null. One spelt with a point or an exponent is the nearest binary number, as JSON's standard lets readers take it."""
    number = exact(value, what)
    if number is None:
        return None
    is_plain = isinstance(value, int) or (isinstance(value, str) and value.removeprefix("-").isdigit())
    if is_plain:
        return int(number)
    near = float(number)
    return _whole(Decimal(near), what) if math.isfinite(near) else refuse(f"{what} is out of range")


def floating(value: Any, what: str) -> float | None:
    """The nearest binary number, or null."""
    number = exact(value, what)
    if number is None:
        return None
    near = float(number)
    return near if math.isfinite(near) else refuse(f"{what} is out of range")


def money(value: Any, what: str) -> Decimal | None:
    """An amount with six places, half to even, or null."""
    number = exact(value, what, spelling=_python_decimal)
    if number is None:
        return None
    if number and number.adjusted() > _LONGEST_EXPONENT:
        refuse(f"{what} is out of range")
    # Python's own context keeps 28 digits, and a tail can be longer.
    with localcontext(Context(prec=len(number.as_tuple().digits) + 50)):
        amount = Decimal(round(number.scaleb(6) if number.adjusted() > -20 else Decimal(0))).scaleb(-6)
    return amount if abs(amount) < _LARGEST_MONEY else refuse(f"{what} is out of range")


def counted(value: Any, what: str) -> int | None:
    """A whole number in any spelling a decimal has, or null."""
    number = exact(value, what, spelling=_python_decimal)
    return None if number is None else _in_bits(_whole(number, what), what)


def flag(value: Any, what: str) -> bool | None:
    """True, false or null; 0 and 1 will do, and so will the nought with a sign."""
    if is_nothing(value) or isinstance(value, bool):
        return None if not isinstance(value, bool) else value
    words: Mapping[str, bool] = {"0": False, "-0": False, "1": True, "true": True, "false": False}
    word = str(value).lower()
    if not isinstance(value, str | int) or word not in words:
        refuse(f"{what} is neither true nor false")
    return words[word]


def exact(value: Any, what: str, *, spelling: Callable[[str], Decimal | None] | None = None) -> Decimal | None:
    """The number with every digit, or null."""
    if is_nothing(value):
        return None
    if isinstance(value, str):
        number = (spelling or _json_number)(value)
        return refuse(f"{what} is no number") if number is None else number
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        refuse(f"{what} is no number")
    return Decimal(value)


def _json_number(word: str) -> Decimal | None:
    return Decimal(word) if _NUMBER.fullmatch(word) else None


def _python_decimal(word: str) -> Decimal | None:
    try:
        number = Decimal(word)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _whole(number: Decimal, what: str) -> int:
    if number.adjusted() > _LONGEST_EXPONENT or number != number.to_integral_value():
        refuse(f"{what} is not whole")
    return int(number)


def _in_bits(number: int, what: str) -> int:
    return number if -_LARGEST_WHOLE <= number < _LARGEST_WHOLE else refuse(f"{what} is out of range")
