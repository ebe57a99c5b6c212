"""What is drawn of a site: its revenue by day and by value of its first dimension, a panel for each currency."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import pyarrow.compute as pc

from analytics_assets.lake.store import Lake
from analytics_assets.lake.table import Table
from analytics_assets.orchestration.charts.content import Bars, Caption, Content, days_to, foremost
from analytics_assets.sources.bento.tables import ADS_ATTRIBUTION, ADS_TOTALS

DAYS: Final = 28
_MOST_CURRENCIES: Final = 3
# Currencies of ISO 4217 without smaller coins, and those with thousandths or less.
_NOT_IN_CENTS: Final = frozenset(
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF BHD IQD JOD KWD LYD OMR TND CLF UYW".split()  # noqa: SIM905 - read as a line
)
_Cents = dict[date, dict[str, int]]


def ads_pictures(
    account: str, lake: Lake, last: date, *, dimension: str, mode: str, value: str | None
) -> Mapping[str, Content]:
    """Revenue of at most `DAYS` days up to `last`: `revenue_by_<dimension>`, in one revenue mode, filtered to `value` if there is one."""
    days = days_to(last, DAYS, stored=set(lake.days(account, ADS_TOTALS.name)))
    cents: dict[str, _Cents] = defaultdict(lambda: defaultdict(dict))
    totals: dict[str, dict[date, int | None]] = defaultdict(dict)
    absent, unsent, truncated = set[date](), 0, set[date]()
    for day in days:
        rows = _rows(lake, account, ADS_TOTALS, day, also="revenue_truncated", dimension=dimension, mode=mode)
        if not rows:
            absent.add(day)
        truncated |= {day for row in rows if row["revenue_truncated"]}
        for row in rows:
            totals[row["currency"]][day] = row["revenue_cents"]
        for row in _rows(lake, account, ADS_ATTRIBUTION, day, also="key", dimension=dimension, mode=mode):
            if row["revenue_cents"] is None:
                unsent += 1
                continue
            name = "(null)" if row["key"] is None else row["key"] or f"(no {dimension})"
            cents[row["currency"]][day][name] = cents[row["currency"]][day].get(name, 0) + row["revenue_cents"]
    if not totals:
        return {}
    busiest = sorted(totals, key=lambda currency: (-len(totals[currency]), currency))[:_MOST_CURRENCIES]
    notes = [
        "Bento names the top values only, so the bars may stay below the total of the day.",
        *([f"{unsent} amounts were not sent and are not drawn."] if unsent else []),
        *([f"Bento says that revenue is incomplete on {', '.join(map(str, sorted(truncated)))}."] if truncated else []),
        *(
            f"Bento counts in cents and does not say what that is of {currency}, which has none: it is drawn as sent."
            for currency in busiest
            if not _has_cents(currency)
        ),
        *([f"{len(totals) - len(busiest)} more currencies are not drawn."] if len(totals) > len(busiest) else []),
    ]
    of = account if value is None else f"{account}, {dimension} = {value}"
    caption = Caption(
        f"Revenue by {dimension}", of, f"{' and '.join(map(_unit, busiest))} a day, {mode}", days[0], last, notes
    )
    return {
        f"revenue_by_{dimension}": Bars(
            caption,
            days,
            frozenset(absent),
            panels={_unit(currency): _stacks(cents[currency], currency, days, absent) for currency in busiest},
            totals={
                _unit(currency): [_units(totals[currency].get(day), currency) for day in days] for currency in busiest
            },
        )
    }


def _rows(
    lake: Lake, account: str, table: Table, day: date, *, also: str, dimension: str, mode: str
) -> list[dict[str, Any]]:
    columns = ["dimension", "revenue_mode", "currency", "revenue_cents", also]
    content = lake.read(account, table, [day], columns)
    was_requested = pc.and_(pc.equal(content["dimension"], dimension), pc.equal(content["revenue_mode"], mode))
    found: list[dict[str, Any]] = content.filter(was_requested).to_pylist()
    return found


def _stacks(cents: _Cents, currency: str, days: list[date], absent: set[date]) -> dict[str, list[float | None]]:
    """By name a value for each day: nothing for a day that is not there, zero for a name that the day does not have."""
    weights: Counter[str] = Counter()
    for of_day in cents.values():
        weights.update({name: abs(amount) for name, amount in of_day.items()})
    named, rest = foremost(weights)
    stacks = {
        name: [None if day in absent else _units(cents[day].get(name, 0), currency) for day in days] for name in named
    }
    if rest:
        stacks[f"{len(rest)} others"] = [
            None if day in absent else _units(sum(cents[day].get(name, 0) for name in rest), currency) for day in days
        ]
    return stacks


def _unit(currency: str) -> str:
    return f"{currency or 'currency not named'}{'' if _has_cents(currency) else ' as sent'}"


def _units(cents: int | None, currency: str) -> float | None:
    """Bento counts money in cents; what that is of a currency without cents no page says."""
    return cents / 100 if cents is not None and _has_cents(currency) else cents


def _has_cents(currency: str) -> bool:
    return currency.upper() not in _NOT_IN_CENTS
