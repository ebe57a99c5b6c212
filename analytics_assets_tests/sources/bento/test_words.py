"""A day requested in other spellings than an ISO date: what is sent, and that words mean the same day whenever they are sent."""

from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from analytics_assets.errors import TransientError
from analytics_assets.http.destination import Destination
from analytics_assets.sandbox.app import Options
from analytics_assets.sources.bento.client import AdsQuery, BentoClient, bento_session
from analytics_assets.sources.bento.streams import AdsSpec, WindowSpec, fetch_ads
from analytics_assets_tests.sources.bento.samples import ADS, DAY
from analytics_assets_tests.sources.bento.vendor import BASE_URL, CREDENTIALS, NOW, changed, site

WORDS = AdsSpec(window=WindowSpec(format="words"))
MORNING_AND_EVENING = changed(ADS, chartData=[{"x": 1772323200}, {"x": 1772400000}])


@pytest.mark.parametrize(
    ("end", "text_format", "texts"),
    [
        ("exclusive", "iso", ("2026-02-28", "2026-03-01")),
        ("inclusive", "iso", ("2026-02-28", "2026-02-28")),
        ("exclusive", "iso_time", ("2026-02-28 00:00", "2026-03-01 00:00")),
        ("inclusive", "iso_time", ("2026-02-28 00:00", "2026-02-28 00:00")),
        ("exclusive", "words", ("3 days ago", "2 days ago")),
        ("inclusive", "words", ("3 days ago", "3 days ago")),
    ],
)
def test_a_day_has_two_texts_in_each_spelling(end, text_format, texts):
    """Asked on 3 March for 28 February."""
    window = WindowSpec(end=end, format=text_format)
    assert window.dates(date(2026, 2, 28), today=date(2026, 3, 3)) == texts


def test_the_newest_day_is_asked_for_in_the_words_of_the_vendors_page():
    """Yesterday until today."""
    assert WORDS.queries(DAY, today=date(2026, 3, 2)) == [AdsQuery("source", "all_revenue", "yesterday", "today")]


def test_today_is_the_day_in_the_windows_zone():
    """At noon in UTC it is the next day in Kiritimati."""
    assert (WindowSpec().today(NOW), WindowSpec("Pacific/Kiritimati").today(NOW)) == (
        date(2026, 3, 10),
        date(2026, 3, 11),
    )


@pytest.mark.parametrize(
    ("bento_zone", "bento_end", "bento_dates", "text_format"),
    [
        ("Asia/Tokyo", "exclusive", "words", "words"),
        ("America/New_York", "inclusive", "words", "words"),
        ("Asia/Kolkata", "exclusive", "noon", "iso_time"),
        ("UTC", "inclusive", "noon", "iso_time"),
    ],
)
async def test_a_day_in_the_spelling_bento_reads_comes_whole_and_proved(
    bento_zone, bento_end, bento_dates, text_format
):
    """The same response as a Bento gives that reads ISO dates as midnight."""
    options = Options(now=lambda: NOW, bento_zone=bento_zone, bento_end=bento_end)
    plain = AdsSpec(window=WindowSpec(bento_zone, bento_end))
    async with site(options) as bento:
        expected = await fetch_ads(bento.client, plain, DAY)
    spelt = AdsSpec(window=WindowSpec(bento_zone, bento_end, text_format))
    options = Options(now=lambda: NOW, bento_zone=bento_zone, bento_end=bento_end, bento_dates=bento_dates)
    async with site(options) as bento:
        raw = await fetch_ads(bento.client, spelt, DAY)
    assert (raw.content["body"].to_pylist(), raw.notes) == (expected.content["body"].to_pylist(), {})


def test_what_is_asked_has_the_same_name_whenever_words_are_sent():
    """A retry on the next day finds what is stored; another day, and another spelling, have other names."""
    named = {
        (spec.window.format, day): spec.request_hash(day)
        for spec in (AdsSpec(), AdsSpec(window=WindowSpec(format="iso_time")), WORDS)
        for day in (DAY, DAY + timedelta(days=1))
    }
    assert len(set(named.values())) == len(named) == 6


class Midnights:
    """A Bento whose clock and ours pass midnight while it answers, as often as told; `asked` are the start dates it saw."""

    def __init__(self, passed: int) -> None:
        self.now = datetime(2026, 3, 4, 23, 59, tzinfo=UTC)
        self.asked: list[str] = []
        self._left = passed

    def client(self) -> BentoClient:
        """A client of it."""
        destination = Destination(BASE_URL, httpx.MockTransport(self._answer))
        return BentoClient(bento_session(credentials=CREDENTIALS, destination=destination, clock=lambda: self.now))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.params["start_date"])
        if self._left:
            self._left -= 1
            self.now += timedelta(days=1)
        return httpx.Response(200, text=MORNING_AND_EVENING, headers={"content-type": "application/json"})


async def test_words_that_midnight_overtakes_are_sent_anew():
    """Three days ago became four days ago between question and answer; what is kept was requested as four."""
    bento = Midnights(passed=1)
    raw = await fetch_ads(bento.client(), WORDS, DAY)
    assert bento.asked == ["3 days ago", "4 days ago"]
    assert raw.content["params"].to_pylist() == [
        '{"dimension":"source","start_date":"4 days ago","end_date":"3 days ago","revenue_mode":"all_revenue"}'
    ]


async def test_words_that_midnight_overtakes_twice_fail_the_day():
    """It may pass by itself."""
    bento = Midnights(passed=2)
    with pytest.raises(TransientError) as caught:
        await fetch_ads(bento.client(), WORDS, DAY)
    assert str(caught.value) == (
        "Bento GET /stats/ads: twice midnight in UTC passed between question and answer, so the words in which the day was requested "
        "have come to mean another day. Ask again."
    )


async def test_dates_are_sent_once_whatever_the_hour():
    """They mean the same on the next day."""
    bento = Midnights(passed=1)
    await fetch_ads(bento.client(), AdsSpec(), DAY)
    assert bento.asked == ["2026-03-01"]
