"""A cause: what is wrong, told once however many runs, tables and days it hits. Pure.

Two troubles are one cause when account, class of error and the vendor's words are the same; days, trace ids and counts are not part of the words,
nor is the endpoint where the class concerns the account as a whole. Keep how a message reads out of here (`messages.py`).
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from analytics_assets.errors import AccessRefusedError, AwaitedError, TransientError, UnreachableError


class Kind(StrEnum):
    """What is told of."""

    FAILURE = "failure"  # a run failed
    TASK = "task"  # a report task is refused, or has gone wrong often
    CHECK = "check"  # a check has failed
    LATE = "late"  # a table lacks its newest final day


# What a destination makes red or yellow.
FAILURE, WARNING, SUCCESS = "failure", "warning", "success"

_OF_THE_ACCOUNT = {kind.__name__ for kind in (AccessRefusedError, AwaitedError, TransientError, UnreachableError)}
_ENDPOINT = re.compile(r"\b(?:GET|POST|PUT|PATCH|DELETE|HEAD) /\S*?(?=[:,;)\s]|$)")
# In this order: a status stays, since 401 and 503 are not the same trouble.
_VARYING = (
    re.compile(r"\[trace [^\]]*\]"),
    re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}\S*)?"),
    re.compile(r"\b(?=[0-9a-fA-F-]*\d)[0-9a-fA-F]{8}[0-9a-fA-F-]*\b"),
    re.compile(r"(?<!HTTP )\b\d+(?:\.\d+)?"),
)


@dataclass(frozen=True)
class Reason:
    """Why some days are not there.

    Attributes:
        kind: Class of the error.
        words: What is said of it, the vendor's own words included.
        days: The days; none where it is not about days.
    """

    kind: str
    words: str
    days: tuple[date, ...] = ()


@dataclass(frozen=True)
class Cause:
    """What is wrong in one place.

    Attributes:
        kind: What is told of.
        severity: How bad it is.
        account: The account.
        about: The step, report or table, such as `bento/ads`.
        headline: What is wrong with it, such as `3 of 7 days did not land`.
        reasons: Why, the one with the most days first.
        next: What happens next, or what to do.
        place: Where to look, as a path of the UI.
        group: Causes of one group that are seen at once share a message.
        tables: The tables it hits, where `about` is none.
    """

    kind: Kind
    severity: str
    account: str
    about: str
    headline: str
    reasons: tuple[Reason, ...]
    next: str
    place: str
    group: str
    tables: tuple[str, ...] = ()


def same_key(kind: Kind, account: str, error: str, words: str) -> str:
    """What makes it the same cause, as 64 digits.

    Args:
        kind: What is told of.
        account: The account.
        error: Class of the error, or another word for what went wrong.
        words: What was said of it.
    """
    said = _ENDPOINT.sub("", words) if error in _OF_THE_ACCOUNT or kind is Kind.TASK else words
    for varying in _VARYING:
        said = varying.sub("#", said)
    # The same words with one number more or less, such as of days in a row, are the same too.
    said = " ".join(re.sub(r"#(?:(?:,| to| and) #)+", "#", said).split())
    return hashlib.sha256(f"{kind}\n{account}\n{error}\n{said}".encode()).hexdigest()
