"""The total that Statsig declares for a list against the items read of it.

The total counts something else at times, so it proves a gap only where it was right before: in the last stored responses of the list.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import msgspec
import pyarrow as pa

from analytics_assets.checks.check import Check, CheckResult, each_day
from analytics_assets.errors import Evidence, UnexpectedPayloadError, UnusableFileError
from analytics_assets.lake.loss import ACCEPT_TAG, RESPONSES, were_as_declared
from analytics_assets.lake.store import Lake
from analytics_assets.lake.table import Table
from analytics_assets.sources.statsig.client import FullList
from analytics_assets.sources.statsig.responses import Pagination

# An event that was not requested on a day has no response there.
_DAYS: Final = 10
_COLUMNS: Final = ("part", "path", "body")


class _Page(msgspec.Struct):
    data: list[msgspec.Raw]
    pagination: Pagination | None = None


@dataclass(frozen=True)
class Count:
    """Items of a list, and the total that its pages declare, if any does."""

    items: int
    declared: int | None


def counted(raw: pa.Table) -> Mapping[str, Count]:
    """The lists in a raw day, by path."""
    counts: dict[str, Count] = {}
    ordered = raw.sort_by("part")
    for path, body in zip(ordered["path"].to_pylist(), ordered["body"].to_pylist(), strict=True):
        page, before = msgspec.json.decode(body, type=_Page, strict=False), counts.get(path, Count(0, None))
        declared = page.pagination.total_items if page.pagination is not None else None
        counts[path] = Count(before.items + len(page.data), declared if before.declared is None else before.declared)
    return counts


@dataclass(frozen=True)
class ListTotals:
    """The stored responses of an account's lists.

    Attributes:
        lake: Where they are stored.
        account: The account.
        table: The raw table.
        is_accepted: True if a person has accepted totals that differ.
    """

    lake: Lake
    account: str
    table: Table
    is_accepted: bool = False
    _read: dict[tuple[date, str], Mapping[str, Count]] = field(default_factory=dict)

    async def check(self, reading: FullList[Any]) -> None:
        """Refuses a list whose total differs although it was right in each of the last stored responses.

        Raises:
            UnexpectedPayloadError: Items are missing, or the total has come to count something else.
        """
        path = reading.answers[0].path
        if reading.miscount is None or self.is_accepted or not await asyncio.to_thread(self._was_right, path):
            return
        last = reading.answers[-1]
        raise UnexpectedPayloadError(
            f"Statsig GET {path}: its pages declare {reading.miscount} items and hold {len(reading.items)}. The two were equal in the last "
            f"{RESPONSES} stored responses of this list, so items may be missing.",
            remedy="Re-execute from failure. If the numbers stay different and "
            f"Statsig's console shows the same items, set the tag {ACCEPT_TAG}=true for the run or backfill.",
            evidence=Evidence(last.endpoint, status=last.status, body=last.body.decode()),
        )

    def _was_right(self, path: str) -> bool:
        newest = reversed(list(self.lake.marks(self.account, self.table.name).items())[-_DAYS:])
        counts = (self._counts(day, mark).get(path) for day, mark in newest)
        return were_as_declared((count.declared, count.items) for count in counts if count is not None)

    def _counts(self, day: date, mark: str) -> Mapping[str, Count]:
        """The lists in a stored day, read once while the file is the same; none in a file that cannot be used."""
        if (day, mark) not in self._read:
            try:
                self._read[day, mark] = counted(self.lake.read(self.account, self.table, [day], _COLUMNS))
            except UnusableFileError:
                self._read[day, mark] = {}
        return self._read[day, mark]


def totals_as_read(table: Table) -> Check:
    """Whether each list of a raw table holds as many items as it declares."""

    def found(raw: pa.Table) -> CheckResult:
        counts = counted(raw)
        wrong = {path: one for path, one in counts.items() if one.declared not in (None, one.items)}
        words = [f"{path} declares {one.declared} items and holds {one.items}" for path, one in sorted(wrong.items())]
        more = f"; and {len(words) - 1} more lists" if len(words) > 1 else ""
        numbers = {"lists": len(counts), "different": len(wrong)}
        return CheckResult(f"{words[0]}{more}" if words else "", "warning" if words else "fine", numbers)

    return Check(
        "totals_as_read",
        table.name,
        "Statsig declares another number of items for a list than its pages hold. Its total is known to count something else at times; it can also "
        "mean that items are missing. A list whose total was right in its last stored responses is refused instead.",
        "Compare the number with Statsig's console. If items are missing, materialize the day again; if not, the warning can be ignored for this account.",
        each_day(table, found, _COLUMNS),
    )
