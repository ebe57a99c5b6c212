"""Definitions for the pages to load: the hand-made account; its runs are those of a test's own `Shop`. No assertions here."""

from pathlib import Path
from typing import cast

import dagster as dg

from analytics_assets_tests.shop import Shop

SHOP = Shop(Path("unused"), cast("dg.DagsterInstance", None)).definitions()
