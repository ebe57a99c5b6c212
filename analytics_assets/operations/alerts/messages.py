"""How a message reads: which asset, which days, why in the vendor's words, what happens next, and where to look. Pure.

A message is composed when it is sent. It is short enough for a chat, and has shorter forms for destinations that take less.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from analytics_assets.operations.alerts.issue import FAILURE, WARNING
from analytics_assets.state.alert_log import IssueKind, Occurrence, OpenIssue

_MOST_PARTS = 5
_MOST_NAMES = 3
_MOST_TABLES = 10
_TITLES = {
    IssueKind.FAILURE: "runs failed",
    IssueKind.TASK: "report tasks do not arrive",
    IssueKind.CHECK: "checks failed",
    IssueKind.LATE: "days are late",
}
_WIDTHS: Final = (300, 200, 120, 80)
_SHORTEST: Final = 300
_TITLE: Final = 150
_LINK: Final = "://"
_LOOK: Final = "Look: "


@dataclass(frozen=True)
class Message:
    """A message to a destination.

    Attributes:
        title: One line.
        body: Lines of plain text.
        severity: `failure`, `warning` or `success`.
    """

    title: str
    body: str
    severity: str


@dataclass(frozen=True)
class Writer:
    """What all messages of a project share.

    Attributes:
        ui: Address of Dagster's UI, without a slash at its end.
        mode: `sandbox` or `live`; a message of the sandbox says so.
    """

    ui: str
    mode: str

    def message(self, issues: Sequence[OpenIssue]) -> Message:
        """The message about some issues of one group."""
        first, occurrences = issues[0], [occurrence for issue in issues for occurrence in issue.occurrences]
        lines = [line for occurrence in occurrences[:_MOST_PARTS] for line in self._part(occurrence)]
        if len(occurrences) > _MOST_PARTS:
            more = dict.fromkeys(occurrence.about for occurrence in occurrences[_MOST_PARTS:])
            lines += ["", f"And {len(occurrences) - _MOST_PARTS} more: {_some(list(more))}."]
        again = ""
        if first.sent_at is not None:
            since = f"since {first.first_seen:%Y-%m-%d %H:%M} UTC"
            is_failure = first.key.kind is IssueKind.FAILURE
            again = "Again: " if is_failure else "Still: "
            times = sum(issue.times for issue in issues)
            lines += ["", f"{times} steps failed {since}." if is_failure else f"Open {since}."]
        mode = "" if self.mode == "live" else f"[{self.mode}] "
        severity = FAILURE if any(occurrence.severity == FAILURE for occurrence in occurrences) else WARNING
        return Message(f"{mode}{again}{_title(first, occurrences)}", "\n".join(lines).strip(), severity)

    def _part(self, occurrence: Occurrence) -> list[str]:
        lines = ["", f"{occurrence.about}: {occurrence.headline}.", *occurrence.reasons]
        if occurrence.tables:
            lines.append(f"Tables: {_some(occurrence.tables, most=_MOST_TABLES)}")
        return [*lines, f"Next: {occurrence.next}", f"{_LOOK}{self.ui}{occurrence.path}"]


def _title(issue: OpenIssue, occurrences: Sequence[Occurrence]) -> str:
    if len(occurrences) == 1:
        return f"{occurrences[0].about}: {occurrences[0].headline}"
    names = list(dict.fromkeys(occurrence.about for occurrence in occurrences))
    return f"{issue.key.account}: {_TITLES[issue.key.kind]} ({_some(names)})"


def _some(names: Sequence[str], *, most: int = _MOST_NAMES) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def fit_body(body: str, room: int) -> str:
    """The body in at most `room` characters: first with shorter lines, then with fewer paragraphs; links stay whole."""
    if len(body) <= room:
        return body
    for width in _WIDTHS:
        shorter = "\n".join(_cut(line, width) for line in body.split("\n"))
        if len(shorter) <= room:
            return shorter
    paragraphs = shorter.split("\n\n")
    for count in range(len(paragraphs) - 1, 0, -1):
        missing = len(paragraphs) - count
        text = "\n\n".join(
            [*paragraphs[:count], f"{missing} of {len(paragraphs)} paragraphs do not fit here. Dagster's UI has them."]
        )
        if len(text) <= room:
            return text
    return _cut(paragraphs[0], room, links=False)


def shorten(message: Message) -> Message | None:
    """The title and where to look, for a destination that has refused the message; None where it is as short already."""
    if len(message.title) + len(message.body) <= _SHORTEST:
        return None
    link = next((line for line in message.body.split("\n") if line.startswith(_LOOK)), "Look: Dagster's UI.")
    return Message(
        _cut(message.title, _TITLE), f"The whole alert was refused here.\n{_cut(link, _TITLE)}", message.severity
    )


def _cut(line: str, width: int, *, links: bool = True) -> str:
    if len(line) <= width or (links and _LINK in line):
        return line
    return f"{line[: max(0, width - 3)].rstrip()}..."[: max(0, width)]
