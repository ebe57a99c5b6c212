"""The client over real HTTP: pages, lists that change, refusals. Faults of the vendor are in test_every_source.py."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from random import Random

import pytest

from analytics_assets.errors import AccessRefusedError, SourceError, TransientError, UnexpectedPayloadError
from analytics_assets.orchestration.source_resource import ONCE
from analytics_assets.sources.kiosk.source import fetch_sales
from analytics_assets.sources.kiosk.tables import SALES
from analytics_assets.sources.kiosk.transform import sales_rows
from analytics_assets_tests.sources.kiosk.vendor import Kiosk, client, sale, served_vendor

DAY = date(2026, 3, 1)


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kiosk]:
    """The vendor."""
    with served_vendor(monkeypatch) as running:
        yield running


async def test_all_pages_of_a_day_are_read(vendor: Kiosk) -> None:
    """In order; an empty day is one page without sales."""
    async with client(vendor) as opened:
        pages = await opened.sales(DAY)
        empty = await opened.sales(date(2026, 3, 9))
    assert [page.params for page in pages] == [
        (("date", "2026-03-01"), ("page", "1")),
        (("date", "2026-03-01"), ("page", "2")),
    ]
    assert [page.plain()["sales"] for page in empty] == [[]]


async def test_a_list_that_changes_while_it_is_read_is_read_again(vendor: Kiosk) -> None:
    """An entry on two pages is the sign; the second reading is complete."""
    vendor.moves = 1
    async with client(vendor) as opened:
        pages = await opened.sales(DAY)
    assert [entry["id"] for page in pages for entry in page.plain()["sales"]] == ["new 0", "a", "b", "c"]
    assert vendor.requests["/sales"] == 4


async def test_a_list_that_changes_in_every_reading_fails_the_day(vendor: Kiosk) -> None:
    """A later run may find it at rest, so the error is a transient one."""
    vendor.moves = 9
    async with client(vendor) as opened:
        with pytest.raises(TransientError, match=r"^Kiosk GET /sales: the list changed during each of 3 readings\."):
            await opened.sales(DAY)


async def test_a_payload_of_another_shape_is_refused(vendor: Kiosk) -> None:
    """Before it is stored; the message names vendor, endpoint and field."""
    vendor.sales["2026-03-01"] = [sale("a", "app", 1, "much")]
    async with client(vendor) as opened:
        with pytest.raises(UnexpectedPayloadError, match=r"^Kiosk GET /sales: .* `\$\.sales\[0\]\.revenue`"):
            await opened.sales(DAY)


async def test_a_wrong_token_names_its_variable(vendor: Kiosk, monkeypatch: pytest.MonkeyPatch) -> None:
    """And never its value."""
    monkeypatch.setenv("KIOSK_TOKEN", "another-token-4711")
    async with client(vendor) as opened:
        with pytest.raises(AccessRefusedError, match="KIOSK_TOKEN") as caught:
            await opened.campaigns()
    assert "4711" not in str(caught.value)


async def test_a_mutated_response_becomes_rows_or_a_source_error(vendor: Kiosk) -> None:
    """Never another exception, which would end the whole run instead of the day."""
    outcomes = Counter[str]()
    async with client(vendor, retries=ONCE) as opened:
        for seed in range(400):
            vendor.draw = Random(seed)
            try:
                raw = await fetch_sales(opened, DAY)
                SALES.validated(sales_rows(DAY, raw.content)[SALES.name].content, DAY)
            except SourceError as error:
                outcomes[type(error).__name__] += 1
            else:
                outcomes["rows"] += 1
    assert outcomes["rows"] > 20
    assert outcomes["UnexpectedPayloadError"] > 20
