"""How a message reads: which asset, which days, why in the vendor's words, what happens next, and where to look. Pure.

Every message is short enough for a chat, whatever the cause. Keep what makes a cause out of here (`cause.py`), and sending too (`delivery.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from analytics_assets.alerts.cause import FAILURE, SUCCESS, WARNING, Cause, Kind, Reason
from analytics_assets.spans import in_words
from analytics_assets.state.outbox import Message
from analytics_assets.state.told import OpenCause

_MOST_PARTS = 5
_MOST_REASONS = 3
_MOST_NAMES = 3
_MOST_TABLES = 10
_LONGEST_WORDS = 500
_LONGEST_DAYS = 160
_TITLES = {
    Kind.FAILURE: "runs failed",
    Kind.TASK: "report tasks do not arrive",
    Kind.CHECK: "checks failed",
    Kind.LATE: "days are late",
}


@dataclass(frozen=True)
class Writer:
    """What all messages of a project share.

    Attributes:
        ui: Address of Dagster's UI, without a slash at its end.
        mode: `sandbox` or `live`; a message of the sandbox says so.
    """

    ui: str
    mode: str

    def messages(
        self, due: Sequence[tuple[OpenCause | None, Sequence[Cause]]], over: Sequence[OpenCause], *, all_clear: bool
    ) -> list[Message]:
        """One message for each group of causes that are due, and one for all that are over if that is to be told."""
        groups: dict[tuple[str, bool], list[tuple[OpenCause | None, Sequence[Cause]]]] = {}
        for before, causes in due:
            groups.setdefault((causes[0].group, before is None), []).append((before, causes))
        told = [self._told(found) for found in groups.values()]
        return [*told, *([self._cleared(over)] if all_clear and over else [])]

    def _told(self, found: Sequence[tuple[OpenCause | None, Sequence[Cause]]]) -> Message:
        causes = [cause for _, of_key in found for cause in of_key]
        lines = [line for cause in causes[:_MOST_PARTS] for line in self._part(cause)]
        if len(causes) > _MOST_PARTS:
            more = dict.fromkeys(cause.about for cause in causes[_MOST_PARTS:])
            lines += ["", f"And {len(causes) - _MOST_PARTS} more: {_some(list(more))}."]
        before = next((before for before, _ in found if before is not None), None)
        if before is not None:
            times = sum(len(of_key) + (one.times if one else 0) for one, of_key in found)
            lines += ["", _history(before, times)]
        severity = FAILURE if any(cause.severity == FAILURE for cause in causes) else WARNING
        return Message(
            f"{self._mode()}{_again(before)}{title_of(causes)}",
            "\n".join(lines).strip(),
            severity,
        )

    def _part(self, cause: Cause) -> list[str]:
        lines = ["", f"{cause.about}: {cause.headline}."]
        lines += [_why(reason) for reason in cause.reasons[:_MOST_REASONS]]
        if len(cause.reasons) > _MOST_REASONS:
            lines.append(f"... and {len(cause.reasons) - _MOST_REASONS} more reasons.")
        if cause.tables:
            lines.append(f"Tables: {_some(cause.tables, most=_MOST_TABLES)}")
        return [*lines, f"Next: {cause.next}", f"Look: {self.ui}{cause.place}"]

    def _cleared(self, over: Sequence[OpenCause]) -> Message:
        title = over[0].title + (f", and {len(over) - 1} more" if len(over) > 1 else "")
        lines = [f"{cause.title}: over. It was first seen {_minute(cause)}." for cause in over[:_MOST_PARTS]]
        lines += [f"And {len(over) - _MOST_PARTS} more."] if len(over) > _MOST_PARTS else []
        return Message(f"{self._mode()}All clear: {title}", "\n".join(lines), SUCCESS)

    def _mode(self) -> str:
        return "" if self.mode == "live" else f"[{self.mode}] "


def title_of(causes: Sequence[Cause]) -> str:
    """One line for causes that are told together."""
    first = causes[0]
    names = list(dict.fromkeys(cause.about for cause in causes))
    if len(names) == 1 and len(causes) == 1:
        return f"{first.about}: {first.headline}"
    return f"{first.account}: {_TITLES[first.kind]} ({_some(names)})"


def _why(reason: Reason) -> str:
    words = reason.words if len(reason.words) <= _LONGEST_WORDS else f"{reason.words[:_LONGEST_WORDS]}..."
    return f"{_days(reason.days)}: {words}" if reason.days else words


def _days(days: Sequence[date]) -> str:
    """Days in words, with their number where there are several; many scattered days as first and last."""
    words = in_words(days)
    if len(words) > _LONGEST_DAYS:
        words = f"between {min(days)} and {max(days)}"
    return words if len(days) == 1 else f"{words} ({len(days)} days)"


def _some(names: Sequence[str], *, most: int = _MOST_NAMES) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def _again(before: OpenCause | None) -> str:
    if before is None:
        return ""
    return "Again: " if before.kind == Kind.FAILURE else "Still: "


def _history(before: OpenCause, times: int) -> str:
    if before.kind == Kind.FAILURE:
        return f"This has made {times} steps fail since {_minute(before)}."
    return f"It stands since {_minute(before)}."


def _minute(cause: OpenCause) -> str:
    return f"{cause.first_seen:%Y-%m-%d %H:%M} UTC"
