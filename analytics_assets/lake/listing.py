"""What listings of folders and buckets say of files, without reading them."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class ListedFile:
    """What a listing says of a file.

    Attributes:
        size: Its bytes.
        mark: Another one once the file has been written anew, also where its content is the same; nothing is read for it.
    """

    size: int
    mark: str


def files_on_disk(folder: str) -> Iterator[Path]:
    """Not by fsspec, which passes over what cannot be looked into; what goes meanwhile is not there."""

    def told(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise error

    for place, _, names in os.walk(folder, onerror=told, followlinks=True):
        yield from (Path(place, name) for name in sorted(names))


def listed_file(path: Path) -> ListedFile | None:
    """What a folder says of a file; None where it has gone."""
    try:
        about = path.stat()
    except FileNotFoundError:
        return None
    # A file aside is never the one it replaces, so the next one has another number, if not another instant.
    return ListedFile(about.st_size, f"{about.st_size}-{about.st_ino}-{about.st_mtime_ns}")


def mark_of(about: Mapping[str, Any]) -> str:
    """The tag of the content, as every bucket has one; without it the instant of writing."""
    tag = about.get("ETag") or about.get("etag") or f"{about['size']}-{about.get('mtime') or about.get('created')}"
    return str(tag).strip('"')
