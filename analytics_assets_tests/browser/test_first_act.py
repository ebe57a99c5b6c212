"""What a newcomer tries first: everything in the graph, for the last two weeks; and what one click too many does."""

import re
import time
from datetime import date, timedelta

import pytest
from playwright.sync_api import Page, expect

from analytics_assets.clock import utc_now
from analytics_assets_tests.browser.served import Served

pytestmark = pytest.mark.proof(3)

BACKFILL_S = 420.0
# A browser that has not seen Dagster before is invited to its community.
_SKIP = "Skip"


def two_weeks() -> list[date]:
    """The last fourteen days, as a person reads them off a calendar."""
    yesterday = utc_now().date() - timedelta(days=1)
    return [yesterday - timedelta(days=number) for number in range(13, -1, -1)]


def open_dialog(page: Page, path: str) -> None:
    """The dialog that materializes all tables of a graph."""
    page.goto(path)
    page.get_by_role("button", name="Materialize all").first.wait_for()
    skip = page.get_by_role("button", name=_SKIP)
    if skip.is_visible():
        skip.click()
    page.get_by_role("button", name="Materialize all").first.click()
    expect(page.get_by_role("dialog")).to_contain_text(re.compile(r"materialize \d+ assets"))


def launch(page: Page) -> None:
    """What the dialog has chosen."""
    page.get_by_role("dialog").get_by_role("button", name="Launch backfill").click()
    expect(page.get_by_text("Created backfill")).to_be_visible()


def newest_backfill(product: Served) -> str:
    """Its id."""
    asked = product.graphql.ask(
        "{ partitionBackfillsOrError(limit: 1) { ... on PartitionBackfills { results { id } } } }"
    )
    [backfill] = asked["partitionBackfillsOrError"]["results"]
    return str(backfill["id"])


def ended(product: Served, backfill: str) -> str:
    """The status that a backfill ends with."""
    until = time.monotonic() + BACKFILL_S
    while not (found := product.graphql.backfill(backfill)).is_over and time.monotonic() < until:
        time.sleep(2)
    return found.status


def not_green(product: Served) -> dict[str, str]:
    """Days of the daily tables that were requested and are not materialized, by table."""
    asked = product.graphql.ask(
        "{ assetNodes { assetKey { path } isPartitioned assetPartitionStatuses { __typename ... on TimePartitionStatuses"
        " { ranges { status startKey endKey } } } } }"
    )
    wrong = {}
    for node in asked["assetNodes"]:
        ranges = node["assetPartitionStatuses"].get("ranges", [])
        if node["isPartitioned"] and {one["status"] for one in ranges} != {"MATERIALIZED"}:
            wrong["/".join(node["assetKey"]["path"])] = str(ranges)
    return wrong


def test_everything_of_the_last_two_weeks_turns_green_with_one_dialog(product: Served, page: Page) -> None:
    """The accounts' newest days differ; each has those that exist, and the backfill says success."""
    days = two_weeks()
    open_dialog(page, "/asset-groups")
    entry = page.get_by_role("dialog").locator("input[type=text]").first
    entry.fill(f"[{days[0]}...{days[-1]}]")
    entry.press("Enter")
    launch(page)
    backfill = newest_backfill(product)
    assert ended(product, backfill) == "COMPLETED_SUCCESS", product.graphql.failures(backfill)
    assert not_green(product) == {}
    page.goto("/runs?view=backfills")
    expect(page.get_by_text("Success").first).to_be_visible()


def test_all_days_of_a_group_have_to_be_confirmed(product: Served, page: Page) -> None:
    """The group alone has its own range picker; with all its days, the backfill fails with its plan, and nothing is requested."""
    open_dialog(page, "/locations/__repository__@analytics_assets/asset-groups/airbridge/lineage")
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Show all partitions").click()
    dialog.get_by_role("button", name="All", exact=True).click()
    expect(dialog).to_contain_text(re.compile(r"\d{3} partitions"))
    launch(page)
    backfill = newest_backfill(product)
    assert ended(product, backfill) == "COMPLETED_FAILED"
    reasons = product.graphql.failures(backfill)
    assert reasons
    assert all("have to be confirmed, so nothing was requested" in words for words in reasons)
    assert all("POST /reports" in words for words in reasons)
