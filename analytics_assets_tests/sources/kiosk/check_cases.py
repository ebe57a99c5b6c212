"""For each check of its own, a day that fails it and one that does not. `checks/test_every_check.py` runs them."""

from collections.abc import Callable
from decimal import Decimal

from analytics_assets.checks.check import USUAL
from analytics_assets.sources.kiosk.checks import sales_checks
from analytics_assets.sources.kiosk.tables import SALES
from analytics_assets_tests.checks.cases import Case, Found, own
from analytics_assets_tests.checks.planted import Planted


def day(orders: int, revenue: str) -> Callable[[Planted], Found]:
    """A day of one channel."""

    def planted(lake: Planted) -> Found:
        lake.store_day(SALES, {"channel": "web", "currency": "EUR", "orders": orders, "revenue": Decimal(revenue)})
        return lake.found(own(sales_checks(USUAL), "revenue_has_orders"))

    return planted


CASES = {
    "revenue_has_orders": Case(day(0, "5.00"), "warning", "1 rows have revenue without orders", day(0, "0.00")),
}
