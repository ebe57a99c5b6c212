r"""A body as well-formed JSON: its byte order mark skipped, half characters replaced.

Names are cut at a number of UTF-16 units or bytes, and half an emoji is left: an escape such as `\ud83d` without its other half, or a
sequence of UTF-8 without its end. msgspec, PyArrow and DuckDB refuse the whole text for it, as if it were cut short. Each half becomes
U+FFFD and is counted. A replacement that would make two field names of JSON equal is refused.
The bounds of a response are here too: bytes, levels and pages, so that nothing can fill the memory.
"""

import re
from typing import Final

import msgspec

REPLACEMENT: Final = "\ufffd"
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

# A string, and whether it is the name of a field. One that is cut short ends with the body, so that no search begins inside it.
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"(\s*:)?|\\?\Z)', re.DOTALL)
# Pairs and other escapes come first, so that a match of the last group is a half.
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.", re.DOTALL
)
# Surrogates in UTF-8, which no UTF-8 has: a pair, as some databases write an emoji, or a half.
_SURROGATE = re.compile(rb"(\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf])|\xed[\xa0-\xbf][\x80-\xbf]")
# No part of a character: such a body is not UTF-8 at all.
_FOREIGN = re.compile(rb"[\xc0\xc1\xf5-\xff]")

# A day's answer is some MiB at most; 92 days of a report by many dimensions can be a hundred.
LARGEST_BODY: Final = 256 * 2**20
# No documented answer has more than nine levels. JSON readers give up near a thousand, each at another depth.
DEEPEST: Final = 64
# At a hundred entries a page this is ten times the longest report a vendor's page speaks of (10,000 rows).
MOST_PAGES: Final = 1_000
# Pages in a row without an entry, each of which says that more follow.
MOST_EMPTY_PAGES: Final = 20

_TEXTS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_AS_LISTS = bytes.maketrans(b"{}", b"[]")


class EqualNamesError(ValueError):
    """Two field names of a body would become equal; `name` is what both would be."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def json_of(body: bytes) -> tuple[bytes, list[str]]:
    """The body as well-formed JSON, and the texts in it that have U+FFFD in place of half a character.

    Raises:
        EqualNamesError: The replacement would make two field names equal.
        RecursionError: It is nested too deep to be read.
        ValueError: It is not JSON: cut short, broken, or not UTF-8.
    """
    body = body.removeprefix(BYTE_ORDER_MARK)
    try:
        _check(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        repaired, texts, names = _repaired(body)
        if not texts:
            raise
        _check(repaired)
        _refuse_equal_names(body, names)
        return repaired, texts
    return body, []


def _check(body: bytes) -> None:
    # The scan for JSON does not look at the letters inside its texts.
    body.decode()
    msgspec.json.decode(body, type=msgspec.Raw)


def _repaired(body: bytes) -> tuple[bytes, list[str], dict[bytes, bytes]]:
    """The body with U+FFFD for each half, the texts that hold one, and the field names among them: as sent, and as they are now."""
    texts: list[str] = []
    names: dict[bytes, bytes] = {}

    def replace(found: re.Match[bytes]) -> bytes:
        sent = found[0]
        whole = _whole(sent)
        if whole == sent:
            return sent
        text = whole.removesuffix(found[1] or b"")
        texts.append(_text(text))
        if found[1]:
            names[sent.removesuffix(found[1])] = text
        return whole

    return _STRING.sub(replace, body), texts, names


def _whole(text: bytes) -> bytes:
    """A string of JSON without halves."""
    if rb"\ud" in text or rb"\uD" in text:
        text = _ESCAPE.sub(lambda found: rb"\ufffd" if found[1] else found[0], text)
    if text.isascii() or _FOREIGN.search(text):
        return text
    return _SURROGATE.sub(_character, text).decode(errors="replace").encode()


def _character(found: re.Match[bytes]) -> bytes:
    if not found[1]:
        return REPLACEMENT.encode()
    return found[1].decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16").encode()


def _refuse_equal_names(body: bytes, names: dict[bytes, bytes]) -> None:
    if not names:
        return
    made = list(map(_text, names.values()))
    sent = {found[0].removesuffix(found[1]) for found in _STRING.finditer(body) if found[1]}
    others = set(map(_text, sent - names.keys()))
    for name in made:
        if made.count(name) > 1 or name in others:
            raise EqualNamesError(name)


def _text(string: bytes) -> str:
    """The text of a string of JSON; as it is written where it cannot be read."""
    try:
        return msgspec.json.decode(string, type=str)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return string.decode(errors="replace")


def is_too_deep(body: bytes) -> bool:
    """True if well-formed JSON text is nested deeper than `DEEPEST`, without building anything of it."""
    # Brackets in texts can only hide an end, so what is shallow with them is shallow; only the rest is looked at closely.
    return _is_deep(body) and _is_deep(_TEXTS.sub(b"", body))


def _is_deep(body: bytes) -> bool:
    """True if brackets are left once the innermost pairs have been taken away as often as levels are allowed."""
    left = body.translate(_AS_LISTS, _NOT_BRACKETS)
    for _ in range(DEEPEST):
        shorter = left.replace(b"[]", b"")
        if len(shorter) == len(left):
            break
        left = shorter
    return bool(left)
