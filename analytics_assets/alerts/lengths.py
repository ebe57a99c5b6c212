"""Shorter forms of a message, for destinations that take no more. Pure.

Contains the form that fits a number of characters, and the shortest form. What a destination takes is asked in `delivery.py`.
"""

from typing import Final

from analytics_assets.state.outbox import Message

_WIDTHS: Final = (300, 200, 120, 80)
_SHORTEST: Final = 300
_TITLE: Final = 150
_LINK: Final = "://"
_LOOK: Final = "Look: "


def fit_body(body: str, room: int) -> str:
    """The body in at most `room` characters: first with shorter lines, then with fewer paragraphs; links stay whole."""
    if len(body) <= room:
        return body
    for width in _WIDTHS:
        shorter = "\n".join(_cut(line, width) for line in body.split("\n"))
        if len(shorter) <= room:
            return shorter
    paragraphs = shorter.split("\n\n")
    for kept in range(len(paragraphs) - 1, 0, -1):
        missing = len(paragraphs) - kept
        text = "\n\n".join(
            [*paragraphs[:kept], f"{missing} of {len(paragraphs)} paragraphs do not fit here. Dagster's UI has them."]
        )
        if len(text) <= room:
            return text
    return _cut(paragraphs[0], room, links=False)


def shorten(message: Message) -> Message | None:
    """The title and where to look, for a destination that has refused the message; None where it is as short already."""
    if len(message.title) + len(message.body) <= _SHORTEST:
        return None
    look = next((line for line in message.body.split("\n") if line.startswith(_LOOK)), "Look: Dagster's UI.")
    return Message(
        _cut(message.title, _TITLE), f"The whole alert was refused here.\n{_cut(look, _TITLE)}", message.severity
    )


def _cut(line: str, width: int, *, links: bool = True) -> str:
    if len(line) <= width or (links and _LINK in line):
        return line
    return f"{line[: max(0, width - 3)].rstrip()}..."[: max(0, width)]
