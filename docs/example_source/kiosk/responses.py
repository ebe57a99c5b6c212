"""Payloads of Kiosk. A field without a default is required; fields that are not listed here stay in the raw table.

Page: https://docs.kiosk.example/api
"""

from decimal import Decimal

import msgspec

from analytics_assets.http.response import Whole


class Sale(msgspec.Struct):
    """Sales of one channel in one currency."""

    id: str
    channel: str
    currency: str
    orders: Whole
    # Sent as text, such as "12.50".
    revenue: Decimal


class SalesPage(msgspec.Struct):
    """One page of sales. The last page has no next one."""

    sales: list[Sale]
    next_page: Whole | None = None


class Campaign(msgspec.Struct):
    """A campaign as it is set up now."""

    id: str
    name: str
    channel: str | None = None
    is_active: bool | None = None


class CampaignList(msgspec.Struct):
    """All campaigns; the list has no pages."""

    campaigns: list[Campaign]
