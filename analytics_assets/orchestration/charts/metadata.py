"""How pictures become metadata of a materialization; the one module of this room that knows Dagster.

Dagster's page shows an image inside Markdown where its address holds the image itself, in a window behind "[Show Markdown]"; it shows no
HTML. Each event stays in Dagster's database for good, so a picture is at most `MOST` bytes long as it is kept there.
What is drawn is in `drawing.py`. Dagster concept: https://docs.dagster.io/guides/build/assets/metadata-and-tags
"""

import base64
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import dagster as dg

from analytics_assets.lake.store import Lake
from analytics_assets.orchestration.charts.content import Content

MOST: Final = 60_000
_WORDS: Final = 2_000

# When it is imported it looks for fonts and for a folder to remember them in, and what it says of that is nothing a run's log needs.
logging.getLogger("matplotlib").setLevel(logging.ERROR)


@dataclass(frozen=True)
class Pictures:
    """The pictures of a table, shown with the newest day that a run stores of it.

    Attributes:
        table: The table.
        read: Reads what they show, by name, from the days of the lake up to and with the one given. It reads a bounded number of days.
    """

    table: str
    read: Callable[[Lake, date], Mapping[str, Content]]


def pictured(
    pictures: Pictures, lake: Lake, day: date, *, is_sandbox: bool, log: logging.Logger
) -> dict[str, dg.MetadataValue]:
    """The pictures as metadata by name. One that cannot be drawn is a note and a line in the log: the rows stand all the same."""
    shown: dict[str, dg.MetadataValue] = {}
    failed: dict[str, str] = {}
    try:
        contents = pictures.read(lake, day)
    except Exception as error:  # noqa: BLE001 - whatever a picture trips over, what is stored is stored
        contents, failed = {}, {"all": f"{type(error).__name__}: {error}"}
    for name, content in contents.items():
        try:
            shown[name] = dg.MetadataValue.md(_markdown(content, is_sandbox=is_sandbox))
        except Exception as error:  # noqa: BLE001 - as above, and the other pictures are drawn
            failed[name] = f"{type(error).__name__}: {error}"
    for name, reason in failed.items():
        log.warning("Picture not drawn (%s of %s, %s): %s. The rows are stored.", name, pictures.table, day, reason)
    if failed:
        shown["pictures_not_drawn"] = dg.MetadataValue.json(failed)
    return shown


def _markdown(content: Content, *, is_sandbox: bool) -> str:
    """The picture and the notes below it, at most `MOST` bytes."""
    # Matplotlib takes longer to import than all the rest; only a run that draws waits for it.
    from analytics_assets.orchestration.charts.canvas import png  # noqa: PLC0415
    from analytics_assets.orchestration.charts.drawing import drawn  # noqa: PLC0415

    notes = "\n".join(f"* {note}" for note in content.caption.notes)
    image = png(drawn(content, is_sandbox=is_sandbox), most_bytes=(MOST - _WORDS - len(notes.encode())) * 3 // 4)
    # The words an image stands for end at the first bracket.
    title = content.caption.title.replace("[", "(").replace("]", ")")
    return f"![{title}](data:image/png;base64,{base64.b64encode(image).decode()})\n\n{notes}".rstrip()
