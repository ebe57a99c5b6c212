"""A campaign whose name ends in half an emoji costs one text, or is refused by name; the day is not lost to it."""

import json
from typing import Any

import httpx
import pytest

from analytics_assets.errors import UnexpectedPayloadError
from analytics_assets.sources.bento.client import AdsQuery
from analytics_assets.sources.bento.source import ads_stream
from analytics_assets.sources.bento.streams import AdsSpec, ReportsSpec, fetch_ads, fetch_reports
from analytics_assets.sources.bento.tables import ADS_ATTRIBUTION, ADS_RAW
from analytics_assets.sources.bento.transform import report_tables
from analytics_assets_tests.sources.bento.samples import ADS, DAY
from analytics_assets_tests.sources.bento.vendor import typed_site

HALF, OTHER_HALF = "spring \ud83d", "spring \ud83e"


def named(*keys: str) -> dict[str, Any]:
    """The sample with a row of the breakdown for each key."""
    sample = json.loads(ADS)
    [row, *_] = sample["breakdown"]
    return {**sample, "breakdown": [{**row, "key": key, "label": key} for key in keys]}


def answering(body: Any) -> Any:
    """Answers every request with JSON as Ruby and Python write it, with an escape for each half."""
    return lambda _: httpx.Response(200, text=json.dumps(body), headers={"Content-Type": "application/json"})


async def test_a_day_keeps_every_row_and_counts_the_repaired_texts():
    """Key and label are two texts; the rows are all there."""
    async with typed_site(answering(named(HALF, "google"))) as client:
        raw = await fetch_ads(client, AdsSpec(), DAY)
    assert raw.notes["repaired_texts"] == 2
    typed = ads_stream("shop", AdsSpec()).transform(DAY, ADS_RAW.validated(raw.content, DAY))[ADS_ATTRIBUTION.name]
    rows = ADS_ATTRIBUTION.validated(typed.content, DAY)
    assert sorted(set(rows["key"].to_pylist())) == ["google", "spring \ufffd"]


async def test_two_keys_that_become_equal_are_refused_by_name():
    """Nothing of the day is stored, so no campaign's money is shown as the other's."""
    async with typed_site(answering(named(HALF, OTHER_HALF))) as client:
        raw = await fetch_ads(client, AdsSpec(), DAY)
    typed = ads_stream("shop", AdsSpec()).transform(DAY, raw.content)[ADS_ATTRIBUTION.name]
    with pytest.raises(UnexpectedPayloadError, match=r"occur more than once, the first is .*key='spring \ufffd'"):
        ADS_ATTRIBUTION.validated(typed.content, DAY)


async def test_two_currencies_that_become_equal_are_refused_by_name():
    """As field names of one object, a reader would keep the last amount alone."""
    sample = json.loads(ADS)
    amounts = dict.fromkeys([HALF, OTHER_HALF], 1)
    body = {**sample, "totals": {**sample["totals"], "revenueByCurrency": amounts}}
    async with typed_site(answering(body)) as client:
        with pytest.raises(
            UnexpectedPayloadError, match="two field names of the response differ in a broken character"
        ):
            await client.ads(AdsQuery("source", "all_revenue", "2026-03-01", "2026-03-02"))


async def test_a_report_keeps_every_point_and_counts_the_repaired_group():
    """Its points are kept as a part of the body."""
    body = {
        "data": [{"g": HALF, "x": "2026-03-01", "y": 1}, {"g": "b", "x": "2026-03-01", "y": 2}],
        "report_name": "r\ud83d",
    }
    async with typed_site(answering(body)) as client:
        raw = await fetch_reports(client, ReportsSpec(("report_a",)), DAY)
    assert raw.notes == {"repaired_texts": 2}
    points = report_tables(DAY, raw.content)["report_points"].content
    assert sorted(points["series"].to_pylist()) == ["b", "spring \ufffd"]
    assert set(points["report_name"].to_pylist()) == {"r\ufffd"}
