"""Every byte that a run has written, read as deep as it goes: files, rows of SQLite, rows of Parquet, packed columns.

No assertions here.
"""

import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq


def found(folder: Path, marks: Sequence[bytes]) -> dict[str, set[str]]:
    """By mark, the files below a folder that hold it."""
    places: dict[str, set[str]] = {mark.decode(): set() for mark in marks}
    for file in sorted(one for one in folder.rglob("*") if one.is_file()):
        for text in texts(file):
            for mark in marks:
                if mark in text:
                    places[mark.decode()].add(str(file.relative_to(folder)))
    return places


def texts(file: Path) -> Iterator[bytes]:
    """The bytes of a file's name and of the file, and what is packed in it."""
    held = file.read_bytes()
    yield str(file).encode()
    yield held
    if file.suffix == ".parquet":
        table = pq.ParquetFile(file)
        yield str(table.metadata.metadata).encode()
        yield str(table.read().to_pylist()).encode()
    if held.startswith(b"SQLite format 3"):
        yield from _rows(file)


def _rows(file: Path) -> Iterator[bytes]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        names = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        for name in names:
            for row in database.execute(f'select * from "{name}"'):
                for value in row:
                    yield from _unpacked(value)


def _unpacked(value: Any) -> Iterator[bytes]:
    """A value's bytes, and what they are packed from."""
    held = value if isinstance(value, bytes) else str(value).encode()
    yield held
    with suppress(zlib.error):
        yield zlib.decompress(held)
