"""Quarantine: answers and files that could not be used, kept for a person to read until their time is over.

They lie in `<root>/_quarantine/<account>/`, each with the instant it was put there in front of its name; no table is ever read from there.
"""

import hashlib
import re
from datetime import date, datetime

from analytics_assets.errors import Evidence
from analytics_assets.lake.files import Files, folder_name

_SEEN = re.compile(r"(\d{8})-")
_LONGEST_NAME = 80


class Quarantine:
    """The folder of one lake."""

    def __init__(self, files: Files) -> None:
        """Opens it; nothing is read or written yet."""
        self._files = files
        self._root = f"{files.root}/_quarantine"

    def keep(self, account: str, evidence: Evidence, *, seen_at: datetime) -> str:
        """Keeps a response that could not be used; returns where. An equal one of the same day is kept once."""
        body = evidence.body.encode(errors="replace")
        endpoint = (
            "rows"
            if not evidence.endpoint
            else "".join(letter if letter.isalnum() else "-" for letter in evidence.endpoint)[:_LONGEST_NAME]
        )
        digest = hashlib.sha256(body).hexdigest()[:12]
        path = f"{self._root}/{folder_name(account)}/{seen_at:%Y%m%d}-{endpoint}-{digest}.txt"
        self._files.put(path, body)
        return self._files.named(path)

    def take(self, account: str, table: str, day: date, path: str, *, seen_at: datetime) -> str:
        """Moves the file of a day here, so that it stands for the day no more; returns where it is now."""
        to = self._place(account, table, day, seen_at)
        self._files.put_aside(path, to)
        return self._files.named(to)

    def copy(self, account: str, table: str, day: date, path: str, *, seen_at: datetime) -> str:
        """Keeps a copy of the file of a day here; returns where it is."""
        to = self._place(account, table, day, seen_at)
        with self._files.opened(path) as file:
            self._files.put(to, file.read())
        return self._files.named(to)

    def _place(self, account: str, table: str, day: date, seen_at: datetime) -> str:
        return f"{self._root}/{folder_name(account)}/{seen_at:%Y%m%d-%H%M%S}-{folder_name(table)}-{day}.parquet"

    def sweep(self, *, before: date) -> int:
        """Removes what was put here before a day; returns how many files."""
        old = [
            str(path)
            for path in self._files.under(self._root)
            if (seen := _SEEN.match(path.name)) and seen[1] < f"{before:%Y%m%d}"
        ]
        for path in old:
            self._files.remove(path)
        return len(old)
