"""What a newcomer does first: opens the graph, backfills a week by clicking, looks at a day, and reads why a check failed.

Everything a page must show is taken from the definitions, so that the tests hold to what is declared and not to a wording.
"""

import re
import time
from datetime import date, timedelta

import pytest
from playwright.sync_api import Page, expect

from analytics_assets.cli.graphql import Load
from analytics_assets.clock import utc_now
from analytics_assets_tests.browser.served import Served

pytestmark = pytest.mark.proof(3)

TABLE = "/assets/airbridge/revenue_cohorts"
DAILY = 'group:"airbridge" and tag:"reading"="daily"'
# The backfill daemon looks every 30 seconds, and a run takes some to start.
BACKFILL_MS = 300_000
RUN_S = 240.0
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}


def week(weeks_ago: int) -> list[date]:
    """A week whose days are all final, oldest first."""
    last = utc_now().date() - timedelta(days=3 + 7 * weeks_ago)
    return [last - timedelta(days=number) for number in range(6, -1, -1)]


def test_a_newcomer_backfills_a_week_by_clicking_and_finds_what_a_day_holds(product: Served, page: Page) -> None:
    """From the graph to green squares, to the numbers of a day and the meaning of each column."""
    days = week(0)
    open_the_graph(page)
    launch_a_backfill(page, days)
    wait_for_green_squares(page, days)
    look_at_a_day(page, days[-1])
    find_the_heat_map(page)
    read_the_columns(page, product)


def test_a_check_that_fails_says_what_was_found_and_what_to_do(product: Served, page: Page) -> None:
    """The same days are read again from another business, so cumulative values are lower than they were."""
    days = week(1)
    load(product, days)
    product.exchange_the_business(seed=2)
    load(product, days)
    page.goto(f"{TABLE}?view=checks&checkDetail=cohorts_stand")
    said = check(product, "cohorts_stand")
    expect_words(page, said["description"])
    expect(page.get_by_text("Failed", exact=True).first).to_be_visible()
    found = said["executionForLatestMaterialization"]["evaluation"]
    assert not found["success"]
    expect_words(page, found["description"])
    expect(page.get_by_text(str(days[0])).first).to_be_visible()


def open_the_graph(page: Page) -> None:
    """The accounts are there by name, and so are the daily tables of one of them."""
    page.goto("/asset-groups")
    for group in ("airbridge", "bento", "statsig"):
        expect(page.locator("foreignObject").filter(has_text=group).first).to_be_visible()
    page.locator(".CodeMirror").first.click()
    page.keyboard.type(DAILY)
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(page.locator("foreignObject").filter(has_text="revenue_cohorts").first).to_be_visible()


def launch_a_backfill(page: Page, days: list[date]) -> None:
    """Of the tables that the graph shows, and of these days."""
    page.get_by_role("button", name="Materialize all").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(re.compile(r"materialize \d+ assets"))
    dialog.locator("input[type=text]").first.fill(f"[{days[0]}...{days[-1]}]")
    dialog.locator("input[type=text]").first.press("Enter")
    expect(dialog).to_contain_text(f"{len(days)} partitions")
    dialog.get_by_role("button", name="Launch backfill").click()
    expect(page.get_by_text("Created backfill")).to_be_visible()


def wait_for_green_squares(page: Page, days: list[date]) -> None:
    """All of these days are there, and none failed."""
    page.goto(f"{TABLE}?view=partitions")
    expect(page.get_by_text(f"Materialized ({len(days)})")).to_be_visible(timeout=BACKFILL_MS)
    expect(page.get_by_text("Failed (0)")).to_be_visible()


def look_at_a_day(page: Page, day: date) -> None:
    """Its rows, its file, and that the numbers are invented."""
    page.get_by_text(str(day), exact=True).first.click()
    for words in ("dagster/partition_row_count", f"dt={day}", "These numbers are invented."):
        expect(page.get_by_text(words).first).to_be_visible()


def find_the_heat_map(page: Page) -> None:
    """The picture of the newest day, behind its link, and that the browser could draw it."""
    name = page.get_by_text("cohort_heat_map", exact=True)
    page.get_by_role("row").filter(has=name).get_by_text("[Show Markdown]").click()
    picture = page.get_by_role("dialog").locator("img")
    expect(picture).to_be_visible()
    assert picture.evaluate("picture => picture.complete && picture.naturalWidth > 300")


def read_the_columns(page: Page, product: Served) -> None:
    """Every column with its description, who answers for the table, and a query to copy."""
    page.goto(f"{TABLE}?view=overview")
    for column in columns(product):
        expect(page.get_by_text(column["name"], exact=True).first).to_be_visible()
        expect_words(page, column["description"])
    for words in ("unit: days", "from: revenue_raw.group_values", "growth", "read_parquet", "tables.py"):
        expect(page.get_by_text(words).first).to_be_attached()


def load(product: Served, days: list[date]) -> None:
    """The daily job of the account over these days, through the API that the pages use."""
    run = product.graphql.launch("airbridge_daily", Load("airbridge_daily", str(days[0]), str(days[-1])))
    until = time.monotonic() + RUN_S
    while (status := product.graphql.run(run)[0]) not in ENDED and time.monotonic() < until:
        time.sleep(0.5)
    assert status == "SUCCESS", product.log.read_text()[-3000:]


def columns(product: Served) -> list[dict[str, str]]:
    """The columns of the table as they are declared."""
    asked = product.graphql.ask(
        "query ($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode { metadataEntries {"
        " ... on TableSchemaMetadataEntry { schema { columns { name description } } } } } } }",
        key={"path": ["airbridge", "revenue_cohorts"]},
    )
    [schema] = [entry["schema"] for entry in asked["assetNodeOrError"]["metadataEntries"] if "schema" in entry]
    found: list[dict[str, str]] = schema["columns"]
    return found


def check(product: Served, name: str) -> dict:
    """A check of the table: what it says of itself, and what it found last."""
    asked = product.graphql.ask(
        "query ($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode { assetChecksOrError {"
        " ... on AssetChecks { checks { name description executionForLatestMaterialization { evaluation"
        " { success description } } } } } } } }",
        key={"path": ["airbridge", "revenue_cohorts"]},
    )
    [one] = [one for one in asked["assetNodeOrError"]["assetChecksOrError"]["checks"] if one["name"] == name]
    return one


def expect_words(page: Page, markdown: str) -> None:
    """All words of a text are there, whatever the page makes of its mark-up."""
    pieces = (piece.strip() for piece in re.split(r"`[^`]*`|\*+|\n|\[|\]\([^)]*\)", markdown))
    for piece in (piece for piece in pieces if len(piece) > 1):
        expect(page.get_by_text(piece).first).to_be_visible()
