"""The finished report of the simulated Airbridge, in the shape of the vendor's sample.

Here lives what the six metrics make of the counts, the totals with values carried forward, masking and sorting, after the
vendor's guide to how the Revenue report is calculated. Who is counted is in ``airbridge_cells``. A row's list of values ends
with the interval that today is in; money is in major units with two decimals; ROAS is percent.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import zip_longest
from typing import Any, Final
from zoneinfo import ZoneInfo

from analytics_assets.sandbox.airbridge.cells import GroupFigures, ReportCalendar, count_cells
from analytics_assets.sandbox.airbridge.request import ReportRequest
from analytics_assets.sandbox.timeline import Timeline

_MASKED_CHANNEL: Final = "facebook.business"
_MASKED_BELOW: Final = 3


@dataclass(frozen=True)
class SandboxReport:
    """All top-level rows in their order, and whether any value in them is masked."""

    groups: list[dict[str, Any]]
    is_masked: bool


@dataclass(frozen=True)
class _Figure:
    """What one value is made of: what is divided, by what, and how many people returned for it."""

    over: int = 0
    under: int = 0
    people: int = 0

    def __add__(self, other: "_Figure") -> "_Figure":
        return _Figure(self.over + other.over, self.under + other.under, self.people + other.people)


def build_report(
    request: ReportRequest, timeline: Timeline, *, zone: ZoneInfo, currency: str, as_of: datetime
) -> SandboxReport:
    """The report of a checked request as of an instant; nothing later is in it."""
    today = as_of.astimezone(zone).date()
    calendar = ReportCalendar(request.first, request.last, request.granularity, request.intervals, today)
    counted = count_cells(request, timeline, calendar, zone=zone, currency=currency, as_of=as_of)
    groups = [_Group(request, calendar, labels, rows) for labels, rows in sorted(counted.items())]
    for name, ascending in reversed(request.sorts):
        groups.sort(key=lambda group: group.totals[name], reverse=not ascending)
    return SandboxReport([group.as_json() for group in groups], any(group.is_masked for group in groups))


class _Group:
    """One combination of group-by values."""

    def __init__(
        self, request: ReportRequest, calendar: ReportCalendar, labels: tuple[str, ...], rows: dict[int, GroupFigures]
    ) -> None:
        self._request = request
        self._calendar = calendar
        self._labels = labels
        self._rows = sorted(rows.items())
        self._maskable = ("channel", _MASKED_CHANNEL) in zip(request.fields, labels, strict=True)
        self.is_masked = False
        self.totals = {
            "totalCost": sum(cells.cost for _, cells in self._rows),
            "totalRevenue": sum(sum(cells.cents.values()) for _, cells in self._rows),
            "totalUniqueUsers": sum(cells.users for _, cells in self._rows),
        }

    def as_json(self) -> dict[str, Any]:
        """The top-level row."""
        rows, figures = [], []
        for number, cells in self._rows:
            own = list(_figures(self._request, cells, self._calendar.reached[number]))
            figures.append(own)
            totals = {
                "totalCost": cells.cost,
                "totalRevenue": sum(cells.cents.values()),
                "totalUniqueUsers": cells.users,
            }
            rows.append(
                {
                    "date": self._calendar.starts[number].isoformat(),
                    "total": self._total(totals),
                    "values": [self._value(figure) for figure in own],
                }
            )
        top = [self._value(figure) for figure in _top_row(figures, carried=self._request.aggregation != "on-day")]
        return {"rows": rows, "total": {"rows": top, **self._total(self.totals)}, "metadata": list(self._labels)}

    def _total(self, totals: dict[str, int]) -> dict[str, Any]:
        users = totals["totalUniqueUsers"]
        return {
            "totalCost": {"value": _money(totals["totalCost"])},
            "totalRevenue": {"value": _money(totals["totalRevenue"])},
            "totalUniqueUsers": {"value": users, "isMasked": self._mask(users)},
        }

    def _value(self, figure: _Figure) -> dict[str, Any]:
        return {"value": _rendered(self._request.metric, figure), "isMasked": self._mask(figure.people)}

    def _mask(self, people: int) -> bool:
        """Few people of Meta's channel are masked: the number stays and is flagged."""
        masked = self._maskable and people < _MASKED_BELOW
        self.is_masked |= masked
        return masked


def _figures(request: ReportRequest, cells: GroupFigures, reached: int) -> Iterator[_Figure]:
    """A cohort's figures by interval: of the interval alone for on-day, up to and with it otherwise."""
    cents = events = 0
    people: set[str] = set()
    for interval in range(reached):
        if request.aggregation == "on-day":
            cents, events, people = 0, 0, set()
        cents += cells.cents.get(interval, 0)
        events += cells.events.get(interval, 0)
        people |= cells.returned.get(interval, set())
        over = {"app_user_count": len(people), "app_event_count": events}.get(request.metric, cents)
        under = {"app_roas": cells.cost, "app_arpu": cells.users, "app_arppu": len(people)}.get(request.metric, 1)
        yield _Figure(over, under, len(people))


def _top_row(figures: list[list[_Figure]], *, carried: bool) -> list[_Figure]:
    """The column sums; with ``carried``, a cohort that is too young for a column counts with its last figure."""
    longest = max(map(len, figures))
    full = [own + [own[-1]] * (longest - len(own)) if carried and own else own for own in figures]
    return [sum(column, _Figure()) for column in zip_longest(*full, fillvalue=_Figure())]


def _rendered(metric: str, figure: _Figure) -> float:
    if metric in {"app_user_count", "app_event_count"}:
        return figure.over
    if metric == "app_revenue":
        return _money(figure.over)
    if not figure.under:
        return 0
    # Both sides of ROAS are cents; ARPU and ARPPU divide cents by people.
    ratio = Decimal(figure.over) / Decimal(figure.under)
    exact = ratio * 100 if metric == "app_roas" else ratio / 100
    return _number(exact.quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN))


def _money(cents: int) -> float:
    return _number(Decimal(cents) / 100)


def _number(amount: Decimal) -> float:
    """A JSON number as the vendor's sample has them: 10, and 10.45."""
    return int(amount) if amount == int(amount) else float(amount)
