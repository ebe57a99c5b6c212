"""A lake planted by a test, and what a check says of it. No assertions here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from analytics_assets.checks.check import Check, CheckContext, CheckResult
from analytics_assets.lake.store import Lake
from analytics_assets.lake.table import Table

ACCOUNT = "shop"
# A Sunday.
DAY = date(2026, 3, 1)
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def due_at(day: date) -> datetime:
    """Two hours after the day's end."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=26)


def back(*numbers: int) -> list[date]:
    """So many days before `DAY`, oldest first."""
    return sorted(DAY - timedelta(days=number) for number in numbers)


@dataclass(frozen=True)
class Planted:
    """A lake, and how it is looked at."""

    lake: Lake

    def store_day(
        self, table: Table, *rows: Mapping[str, Any], day: date = DAY, account: str = ACCOUNT, at: datetime = NOW
    ) -> str:
        """A day of these rows, each of that day; returns where it stands."""
        content = table.rows({"date": day, **row} for row in rows)
        return self.lake.store_day(account, table, day, content, requested_at=at).path

    def context(
        self, days: Sequence[date] = (DAY,), *, newest: date | None = DAY, resource: Any = None, **changes: Any
    ) -> CheckContext:
        """A look at some days."""
        return CheckContext(self.lake, ACCOUNT, list(days), newest, due_at, resource=resource, **changes)

    def found(self, check: Check, days: Sequence[date] = (DAY,), **changes: Any) -> Mapping[Any, CheckResult]:
        """What a check finds in some days."""
        return check.find(self.context(days, **changes))


def failures(found: Mapping[Any, CheckResult]) -> dict[Any, tuple[str, str]]:
    """Level and words of what fails the check."""
    return {day: (finding.level, finding.words) for day, finding in found.items() if finding.is_failure}
