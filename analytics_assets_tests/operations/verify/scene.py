"""The hand-made shop with days that landed, as `lake verify` looks at it. Keep expectations in the tests."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from analytics_assets.lake.table import Origin, Table
from analytics_assets.operations.verify.files import Name
from analytics_assets.operations.verify.verification import LakeScope, Verification, verify_tables
from analytics_assets.orchestration.asset_specs import DailyTables, daily_tables
from analytics_assets_tests.lake.vendor import NUMBERS, RAW, SUMS
from analytics_assets_tests.shop import Shop

SHOP_TABLES = {("shop", table.name): table for table in (RAW, NUMBERS, SUMS)}


def place(shop: Shop, **changes: object) -> LakeScope:
    """The whole of the shop's lake and record, or as changed."""
    made = LakeScope(shop.lake, False, shop.instance, SHOP_TABLES, frozenset(SHOP_TABLES), list(SHOP_TABLES))
    return replace(made, **changes)  # type: ignore[arg-type]


def look(shop: Shop, **changes: object) -> Verification:
    """What a look finds."""
    return verify_tables(place(shop, **changes), lambda _words: None)


def told(found: Verification) -> list[tuple[str, str, str]]:
    """Table, day as the end of its date, and kind of what is wrong."""
    return [(one.table, f"{one.day:%d}", one.kind.value) for one in found.wrong]


def file(shop: Shop, table: str, day: date) -> Path:
    """The file of a day."""
    return Path(shop.lake.path("shop", table, day))


def steps(shop: Shop) -> list[DailyTables]:
    """What loads the tables of the shop."""
    return daily_tables(shop.definitions())


def with_origin() -> dict[Name, Table]:
    """The tables of the shop, the typed ones made from the raw one."""
    return {
        name: table if table is RAW else replace(table, origin=Origin(RAW, "body"))
        for name, table in SHOP_TABLES.items()
    }


def names(tables: Sequence[str]) -> list[Name]:
    """Tables of the shop."""
    return [("shop", table) for table in tables]
