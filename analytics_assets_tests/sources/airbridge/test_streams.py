"""Numbers of a day that are plotted: what is masked of the totals, and in which currency they are."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from analytics_assets.lake.stream import Typed
from analytics_assets.sources.airbridge.streams import with_figures
from analytics_assets_tests.sources.airbridge.days import typed
from analytics_assets_tests.sources.airbridge.samples import SUB_ROW
from analytics_assets_tests.sources.airbridge.vendor import spec

OF = spec()
ROW: dict[str, Any] = {**SUB_ROW, "date": "2026-03-01", "values": SUB_ROW["values"][:3]}
PLAIN: dict[str, Any] = {
    **ROW,
    "total": {"totalCost": {"value": 5}, "totalRevenue": {"value": 7}, "totalUniqueUsers": {"value": 3}},
}


def further(*rows: Any, of: Any = OF) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is added to the figures of cohorts and totals."""
    cohorts, totals = typed(*rows, of=of, requested_at=datetime(2026, 3, 9, tzinfo=UTC))
    made = {f"{of.name}_cohorts": cohorts, f"{of.name}_cohort_totals": totals}
    added = with_figures(made, of, currency="EUR")
    assert {name: one.content for name, one in added.items()} == {name: one.content for name, one in made.items()}
    return _added(added[f"{of.name}_cohorts"], cohorts), _added(added[f"{of.name}_cohort_totals"], totals)


def _added(after: Typed, before: Typed) -> dict[str, Any]:
    assert after.figures.items() >= before.figures.items()
    return {name: value for name, value in after.figures.items() if name not in before.figures}


def test_money_has_its_currency_beside_it_and_totals_their_masked_share() -> None:
    """One number of six is masked."""
    assert further(ROW, PLAIN) == ({"currency": "EUR"}, {"currency": "EUR", "masked_share": 0.1667})


def test_counts_have_no_currency_but_their_cost_and_revenue_do() -> None:
    """Nothing is masked, and of a day without groups neither."""
    users = replace(OF, metric="app_user_count")
    assert further(PLAIN, of=users) == ({}, {"currency": "EUR", "masked_share": 0.0})
    assert further(of=users) == ({}, {"currency": "EUR", "masked_share": 0.0})
