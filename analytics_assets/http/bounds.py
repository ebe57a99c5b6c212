"""How much of an answer is taken in: bytes, levels and pages, so that no vendor and nothing in its place can fill the memory.

Keep what an answer says out of here (each source's `payloads.py`), and time too (`session.py`, `retries.py`).
"""

import re
from typing import Final

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


def is_too_deep(body: bytes) -> bool:
    """Whether well-formed JSON text is nested deeper than `DEEPEST`, without building anything of it."""
    # Brackets in texts can only hide an end, so what is shallow with them is shallow; only the rest is looked at closely.
    return _is_deep(body) and _is_deep(_TEXTS.sub(b"", body))


def _is_deep(body: bytes) -> bool:
    """Whether brackets are left once the innermost pairs have been taken away as often as levels are allowed."""
    left = body.translate(_AS_LISTS, _NOT_BRACKETS)
    for _ in range(DEEPEST):
        shorter = left.replace(b"[]", b"")
        if len(shorter) == len(left):
            break
        left = shorter
    return bool(left)
