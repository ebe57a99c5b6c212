"""Checks of Kiosk's figures. Every table is checked for late and missing days without them."""

import pyarrow as pa
import pyarrow.compute as pc

from analytics_assets.checks.check import Check, CheckResult, Limits, each_day
from analytics_assets.checks.fields import fields_as_known, fields_of
from analytics_assets.checks.volume import Figure, volume_as_usual
from analytics_assets.sources.kiosk.responses import CampaignList, SalesPage
from analytics_assets.sources.kiosk.tables import CAMPAIGNS_RAW, SALES, SALES_RAW


def sales_checks(limits: Limits) -> list[Check]:
    """The checks of the sales."""
    return [
        fields_as_known(SALES_RAW, fields_of(SalesPage)),
        volume_as_usual(Figure(SALES.name, "sum", "orders"), limits),
        _revenue_has_orders(),
    ]


def campaign_checks() -> list[Check]:
    """The checks of the campaigns."""
    return [fields_as_known(CAMPAIGNS_RAW, fields_of(CampaignList))]


def _revenue_has_orders() -> Check:
    def judge(content: pa.Table) -> CheckResult:
        wrong = content.filter(pc.and_(pc.equal(content["orders"], 0), pc.not_equal(content["revenue"], 0)))
        words = f"{wrong.num_rows} rows have revenue without orders" if wrong.num_rows else ""
        return CheckResult(words, "warning" if words else "fine", {"rows": content.num_rows})

    return Check(
        "revenue_has_orders",
        SALES.name,
        "Revenue without orders: one of the two columns is wrong.",
        "Compare the day with Kiosk's dashboard, then load it again.",
        each_day(SALES, judge, ["orders", "revenue"]),
    )
