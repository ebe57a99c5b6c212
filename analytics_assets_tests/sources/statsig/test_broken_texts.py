"""A metric or an event whose name ends in half an emoji costs one text, or is refused by name; the day is not lost to it."""

import json
import re
from datetime import date
from typing import Any

import httpx
import pytest

from analytics_assets.errors import UnexpectedPayloadError
from analytics_assets.lake.store import Lake
from analytics_assets.sources.statsig.streams import (
    ListingSpec,
    ValuesSpec,
    counted_values,
    fetch_listing,
    fetch_values,
)
from analytics_assets.sources.statsig.tables import LISTING_RAW, METRIC_VALUES, VALUES_RAW
from analytics_assets.sources.statsig.totals import ListTotals
from analytics_assets_tests.sources.statsig.vendor import Scripted, clock, metric, page, paged, value

DAY = date(2026, 7, 8)
HALF, OTHER_HALF = "spring \ud83d", "spring \ud83e"


def sent(body: Any) -> str:
    """JSON as Python and JavaScript write it, with an escape for each half."""
    return json.dumps(body)


async def test_a_day_keeps_every_value_and_counts_the_repaired_name():
    """Raw and typed rows have the three values; the metadata of the day has the number."""
    vendor = paged(sent(page([value(HALF, 1.5), value("a"), value("b")])))
    totals = ListTotals(Lake("/nonexistent/lake"), "statsig", VALUES_RAW)
    raw = await fetch_values(vendor.client(), ValuesSpec(), totals, DAY, clock=clock)
    assert raw.notes == {"repaired_texts": 1}
    typed = counted_values(DAY, VALUES_RAW.validated(raw.content, DAY))["metric_values"]
    rows = METRIC_VALUES.validated(typed.content, DAY).to_pylist()
    assert sorted((row["metric_name"], row["value"]) for row in rows) == [("a", 1), ("b", 1), ("spring \ufffd", 1.5)]
    assert len(vendor.requests) == 1


@pytest.mark.parametrize(
    ("pages", "words"),
    [
        ([[value(HALF), value(OTHER_HALF)]], "page 1: 1 entries stand more than once on one page, the first is "),
        (
            [[value(HALF)], [value(OTHER_HALF)]],
            "is on two pages in each of 3 readings. Two names may differ only in a ",
        ),
        (
            [[value("spring \ufffd")], [value(HALF)]],
            "is on two pages in each of 3 readings. Two names may differ only in a ",
        ),
    ],
    ids=["one page", "two pages", "beside a name sent with U+FFFD"],
)
async def test_two_names_that_become_equal_are_refused_by_name(pages: list[Any], words: str):
    """Waiting does not tell them apart, so it is no transient error, and no value is taken for the other's."""
    bodies = [sent(page(rows, more=rows is not pages[-1])) for rows in pages]
    with pytest.raises(UnexpectedPayloadError) as caught:
        await paged(*bodies).client().metric_values(DAY)
    assert words in str(caught.value)
    assert "('spring \ufffd', 'sum', 'overall')" in str(caught.value)


async def test_an_event_is_not_asked_for_by_a_repaired_name():
    """The vendor does not know it by that name; the metric itself is listed, and the event is named in the metadata."""
    listed = metric("signup", lineage={"events": [HALF, "checkout"], "metrics": []}, description="ends in \ude00")

    def answer(request: httpx.Request) -> Any:
        return sent(page([listed])) if request.url.path.endswith("/metrics/list") else page([])

    vendor = Scripted(answer)
    totals = ListTotals(Lake("/nonexistent/lake"), "statsig", LISTING_RAW)
    raw = await fetch_listing(vendor.client(), ListingSpec(), totals, DAY)
    assert raw.notes == {"events": 1, "events_not_askable": ["spring \ufffd"], "repaired_texts": 2}
    assert [request.url.path.rpartition("/events/")[2] for request in vendor.requests][1:] == ["checkout/metrics"]
    assert {name for body in raw.content["body"].to_pylist() for name in re.findall(r"spring [^\"]*", body)} == {
        r"spring \ufffd"
    }
