"""The hand-made shop with stored days."""

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


def scope(shop: Shop, **changes: object) -> LakeScope:
    """The whole of the shop's lake and record, or as changed."""
    scope_of_shop = LakeScope(shop.lake, False, shop.instance, SHOP_TABLES, frozenset(SHOP_TABLES), list(SHOP_TABLES))
    return replace(scope_of_shop, **changes)  # type: ignore[arg-type]


def verify(shop: Shop, **changes: object) -> Verification:
    """The verification of the shop."""
    return verify_tables(scope(shop, **changes), lambda _words: None)


def problem_rows(result: Verification) -> list[tuple[str, str, str]]:
    """Table, day as the end of its date, and kind of what is wrong."""
    return [(problem.table, f"{problem.day:%d}", problem.kind.value) for problem in result.problems]


def file(shop: Shop, table: str, day: date) -> Path:
    """The file of a day."""
    return Path(shop.lake.path("shop", table, day))


def steps(shop: Shop) -> list[DailyTables]:
    """What loads the tables of the shop."""
    return daily_tables(shop.definitions())


def with_origin() -> dict[Name, Table]:
    """The tables of the shop, the typed ones made from the raw table."""
    return {
        name: table if table is RAW else replace(table, origin=Origin(RAW, "body"))
        for name, table in SHOP_TABLES.items()
    }


def names(tables: Sequence[str]) -> list[Name]:
    """Tables of the shop."""
    return [("shop", table) for table in tables]
