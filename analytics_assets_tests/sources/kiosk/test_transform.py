"""Rows of sample payloads, worked out by hand."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from analytics_assets.http.response import JsonResponse
from analytics_assets.lake.raw import raw_day
from analytics_assets.sources.kiosk.tables import CAMPAIGNS, CAMPAIGNS_RAW, SALES, SALES_RAW
from analytics_assets.sources.kiosk.transform import campaign_rows, sales_rows
from analytics_assets_tests.sources.kiosk.vendor import sale

DAY, NOW = date(2026, 3, 1), datetime(2026, 3, 2, 12, tzinfo=UTC)


def raw(table: Any, *payloads: dict[str, Any]) -> pa.Table:
    """A raw day of these responses."""
    answers = [JsonResponse("GET /x", "/x", (), 200, json.dumps(payload).encode(), NOW, NOW) for payload in payloads]
    return raw_day(table, DAY, answers).content


def test_sales_of_all_pages_are_rows_of_the_day() -> None:
    """Amounts are exact; a field that is not known is named and goes nowhere else."""
    first = {"sales": [sale("a", "app", 3, "30.00", coupon="X1")], "next_page": 2}
    second = {"sales": [sale("b", "web", 2, "20.105")]}
    typed = sales_rows(DAY, raw(SALES_RAW, first, second))[SALES.name]
    assert typed.content.to_pylist() == [
        {"date": DAY, "channel": "app", "currency": "EUR", "orders": 3, "revenue": Decimal("30.000000")},
        {"date": DAY, "channel": "web", "currency": "EUR", "orders": 2, "revenue": Decimal("20.105000")},
    ]
    assert typed.figures == {"orders": 5, "unknown_fields": ["sales[].coupon"]}


def test_a_day_without_sales_has_no_rows() -> None:
    """That is a stored day, not a missing one."""
    typed = sales_rows(DAY, raw(SALES_RAW, {"sales": []}))[SALES.name]
    assert (typed.content.num_rows, typed.figures) == (0, {"orders": 0})


def test_what_was_not_sent_of_a_campaign_is_null() -> None:
    """Null is unknown; it is not false."""
    typed = campaign_rows(DAY, raw(CAMPAIGNS_RAW, {"campaigns": [{"id": "k2", "name": "Flyers"}]}))[CAMPAIGNS.name]
    assert typed.content.to_pylist() == [
        {"date": DAY, "campaign_id": "k2", "name": "Flyers", "channel": None, "is_active": None}
    ]
