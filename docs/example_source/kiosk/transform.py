"""Raw days of Kiosk to rows. No requests and no clock: the same raw day gives the same rows."""

from collections.abc import Mapping
from datetime import date

import pyarrow as pa

from analytics_assets.http.fields import unknown_fields
from analytics_assets.http.response import read
from analytics_assets.lake.raw import bodies
from analytics_assets.lake.stream import Typed
from analytics_assets.lake.table import DATE
from analytics_assets.sources.kiosk.responses import CampaignList, SalesPage
from analytics_assets.sources.kiosk.tables import CAMPAIGNS, SALES


def sales_rows(day: date, raw: pa.Table) -> Mapping[str, Typed]:
    """The sales of a day. Figures: `orders`, and `unknown_fields` where there are any."""
    sales = [
        sale
        for endpoint, _, body in bodies(raw)
        for sale in read(body, SalesPage, vendor="Kiosk", endpoint=endpoint).sales
    ]
    unknown = {field for _, _, body in bodies(raw) for field in unknown_fields(body, SalesPage)}
    rows = [
        {
            DATE: day,
            "channel": sale.channel,
            "currency": sale.currency,
            "orders": sale.orders,
            "revenue": sale.revenue,
        }
        for sale in sales
    ]
    orders = sum(sale.orders for sale in sales)
    figures = {"orders": orders, **({"unknown_fields": sorted(unknown)} if unknown else {})}
    return {SALES.name: Typed(SALES.rows(rows), figures)}


def campaign_rows(day: date, raw: pa.Table) -> Mapping[str, Typed]:
    """The campaigns of one list."""
    rows = [
        {
            DATE: day,
            "campaign_id": campaign.id,
            "name": campaign.name,
            "channel": campaign.channel,
            "is_active": campaign.is_active,
        }
        for endpoint, _, body in bodies(raw)
        for campaign in read(body, CampaignList, vendor="Kiosk", endpoint=endpoint).campaigns
    ]
    return {CAMPAIGNS.name: Typed(CAMPAIGNS.rows(rows))}
