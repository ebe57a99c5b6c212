"""What makes failures the same issue, and how its reasons read. Pure.

An issue is known by account, stream, kind and error class. Days, counts and the vendor's words are in its message only.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from analytics_assets.dates import in_words
from analytics_assets.errors import AccessRefusedError, LakeError, SourceError, TransientError
from analytics_assets.state.alert_log import IssueKey, IssueKind

# What a destination shows in red, yellow or green.
FAILURE, WARNING, SUCCESS = "failure", "warning", "success"
# Takes secrets out of a text.
Redact = Callable[[str], str]

_MOST_REASONS = 3
_LONGEST_WORDS = 500
_LONGEST_DAYS = 160


def _with_subclasses(error: type[SourceError]) -> Iterable[str]:
    yield error.__name__
    for subclass in error.__subclasses__():
        yield from _with_subclasses(subclass)


# Errors of an account as a whole, whichever stream meets them.
_OF_THE_ACCOUNT: Final = {
    name for error in (AccessRefusedError, LakeError, TransientError) for name in _with_subclasses(error)
}


def error_key(kind: IssueKind, account: str, stream: str, error: str) -> IssueKey:
    """The issue of a failed step or refused task, by the class of its error; an error of the account as a whole has no stream."""
    return IssueKey(account, "" if error in _OF_THE_ACCOUNT else stream, kind, error)


@dataclass(frozen=True)
class Reason:
    """Why some days are missing.

    Attributes:
        kind: Class of the error.
        words: The message, with the vendor's words.
        days: The days; none where it is not about days.
    """

    kind: str
    words: str
    days: tuple[date, ...] = ()


def reason_lines(reasons: Sequence[Reason], redact: Redact) -> tuple[str, ...]:
    """The first reasons, a line each, without secrets; long ones are cut."""
    lines = [_line(reason, redact) for reason in reasons[:_MOST_REASONS]]
    if len(reasons) > _MOST_REASONS:
        lines.append(f"... and {len(reasons) - _MOST_REASONS} more reasons.")
    return tuple(lines)


def _line(reason: Reason, redact: Redact) -> str:
    # First redacted, then cut: half a key would be found by no search.
    text = redact(reason.words)
    text = text if len(text) <= _LONGEST_WORDS else f"{text[:_LONGEST_WORDS]}..."
    return f"{_days(reason.days)}: {text}" if reason.days else text


def _days(days: Sequence[date]) -> str:
    """Days in words, with their number where there are several; many scattered days as first and last."""
    text = in_words(days)
    if len(text) > _LONGEST_DAYS:
        text = f"between {min(days)} and {max(days)}"
    return text if len(days) == 1 else f"{text} ({len(days)} days)"
