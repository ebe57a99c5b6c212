"""The calendar of a simulated Airbridge report: start dates of its rows and of their intervals.

Here live the three granularities as the vendor's page words them: a week is seven days from the start date, a month goes to
the same day of the next month. Dates are the app's own; turning instants into dates is ``airbridge_cells``' affair.
"""

from bisect import bisect_right
from calendar import monthrange
from datetime import date, timedelta


def _step(start: date, granularity: str, count: int) -> date:
    """``count`` periods after ``start``; a month without that day ends on its last."""
    if granularity != "month":
        return start + timedelta(days=count * (7 if granularity == "week" else 1))
    year, month = divmod(start.year * 12 + start.month - 1 + count, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


class ReportCalendar:
    """Rows of first..last (both included) and intervals 0..intervals of each, as far as ``today`` has begun them."""

    def __init__(self, first: date, last: date, granularity: str, intervals: int, today: date) -> None:
        self._last = last
        self.starts: list[date] = []
        while (start := _step(first, granularity, len(self.starts))) <= last:
            self.starts.append(start)
        self._edges = [[_step(start, granularity, step) for step in range(intervals + 2)] for start in self.starts]
        self.reached = [bisect_right(edges[:-1], today) for edges in self._edges]

    def row(self, day: date) -> int | None:
        """Index of the row whose period holds a day; None outside first..last."""
        if not self.starts or not self.starts[0] <= day <= self._last:
            return None
        return bisect_right(self.starts, day) - 1

    def interval(self, row: int, day: date) -> int | None:
        """Index of a row's interval that holds a day; None before the row and beyond its last interval."""
        index = bisect_right(self._edges[row], day) - 1
        return index if 0 <= index < self.reached[row] else None
