"""Where calibration stays open it says why and what to try, and it never decides on too little."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

import httpx
import pytest

from analytics_assets.errors import AccessRefusedError, TransientError
from analytics_assets.http.destination import Destination
from analytics_assets.sandbox.app import Options, create_app
from analytics_assets.sandbox.world import SeededWorld
from analytics_assets.sources.bento.calibration import LONGEST, CalibrationResult, calibrate, newest_day
from analytics_assets.sources.bento.client import BentoClient, bento_session
from analytics_assets.sources.bento.streams import WindowSpec
from analytics_assets_tests.fixed_world import FixedWorld
from analytics_assets_tests.sources.bento.samples import ADS
from analytics_assets_tests.sources.bento.vendor import (
    BASE_URL,
    CREDENTIALS,
    NOW,
    QUICK,
    changed,
    part,
    site,
    typed_site,
)

BUSY = date(2026, 3, 6)


def clock() -> datetime:
    """The present instant of these tests."""
    return NOW


async def found(options: Options, world: FixedWorld | None = None) -> CalibrationResult:
    """What comes of a site with these options and this world."""
    transport = httpx.ASGITransport(app=create_app(options, world))
    destination = Destination(BASE_URL, transport)
    async with bento_session(credentials=CREDENTIALS, destination=destination, clock=clock, retries=QUICK) as session:
        return await calibrate(BentoClient(session), day=BUSY, clock=clock)


def uncounted(finding: CalibrationResult) -> CalibrationResult:
    """Without the numbers of readings left: how many zones there are changes with the zone data."""
    return replace(finding, seen=tuple(re.sub(r"(?<=readings left: )\d+$", "N", line) for line in finding.seen))


async def found_with(answer: Callable[[httpx.Request], httpx.Response]) -> CalibrationResult:
    """What comes of responses that a test types itself."""
    async with typed_site(answer) as client:
        return await calibrate(client, day=BUSY, clock=clock)


def crowd(share: float, days: int = 450) -> FixedWorld:
    """A share of the seeded people of the days before now."""
    seeded, rng = SeededWorld(3), Random(3)
    everyone = [one for back in range(days) for one in seeded.people(NOW.date() - timedelta(days=back))]
    return FixedWorld([one for one in everyone if rng.random() < share])


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (datetime(2026, 3, 10, 12, tzinfo=UTC), date(2026, 3, 6)),
        (datetime(2026, 3, 10, 23, 59, tzinfo=UTC), date(2026, 3, 6)),
        (datetime.fromisoformat("2026-03-11T05:00:00+09:00"), date(2026, 3, 6)),
    ],
)
def test_the_newest_day_is_one_around_which_all_is_over(now, day):
    """The fourth last in UTC."""
    assert newest_day(now) == day


async def test_what_was_asked_and_found_is_told():
    """Two requests settle a zone that no other shares its half hour with."""
    finding = await found(Options(now=clock, bento_zone="America/St_Johns"))
    assert uncounted(finding) == CalibrationResult(
        WindowSpec("America/St_Johns", "exclusive", "iso"),
        ("America/St_Johns",),
        (
            "start_date='2026-03-04' end_date='2026-03-08': 88 chart points, 2026-03-04 03:30 to 2026-03-08 02:30 UTC, 208 signups; readings left: N",
            "start_date='2026-03-06' end_date='2026-03-07': 22 chart points, 2026-03-06 03:30 to 2026-03-07 02:30 UTC, 55 signups; readings left: N",
        ),
        "Bento reads dates in America/St_Johns, leaves the end out and takes ISO dates for midnight.",
    )


async def test_all_names_of_the_zone_are_told():
    """Half a dozen of them in words."""
    finding = await found(Options(now=clock, bento_zone="Asia/Kolkata", bento_end="inclusive", bento_dates="words"))
    assert finding.window == WindowSpec("Asia/Kolkata", "inclusive", "words")
    assert finding.same_days == ("Asia/Calcutta", "Asia/Colombo", "Asia/Kolkata")
    assert finding.verdict == (
        "Bento reads dates in Asia/Kolkata (or Asia/Calcutta, Asia/Colombo, whose days are the same), takes the last day in and is to be "
        "asked in words."
    )


async def test_a_site_without_traffic_is_told_to_name_another_day():
    """One request is enough to see it."""
    finding = await found(Options(now=clock), FixedWorld([]))
    assert uncounted(finding) == CalibrationResult(
        None,
        (),
        ("start_date='2026-03-04' end_date='2026-03-08': no chart points; readings left: N",),
        "There are no chart points around 2026-03-06, so nothing shows which days were counted. Try a day with signups and purchases with --day.",
    )


async def test_a_young_site_is_told_which_readings_are_left():
    """It has no summer yet, so New York and Lima, which has none, look alike; the requests stay within their bound."""
    finding = await found(Options(now=clock, bento_zone="America/New_York"), crowd(1, days=25))
    assert (finding.window, len(finding.seen)) == (None, LONGEST - 1)
    assert re.match(r"\d readings fit all responses: .*America/New_York, end exclusive", finding.verdict)
    assert finding.verdict.endswith(
        "There is too little traffic at the hours or on the days that would tell them apart. Try a busier day with --day, or write the one "
        "you know to be right into the YAML by hand."
    )


@pytest.mark.parametrize("bento_end", ["exclusive", "inclusive"])
@pytest.mark.parametrize("on_the_day", ["EUR", "", None], ids=["another", "empty", "not named"])
async def test_the_main_currency_of_the_day_may_differ_from_that_of_its_neighbours(on_the_day, bento_end):
    """The chart's money is of the window's main currency, so the day's EUR cannot be compared with the map's USD; the counts can."""
    apps = {
        currency: create_app(Options(now=clock, bento_zone="Europe/Berlin", bento_end=bento_end, bento_currency=name))
        for currency, name in (("USD", "USD"), (on_the_day, "EUR"))
    }

    async def answer(request: httpx.Request) -> httpx.Response:
        first, last = (date.fromisoformat(request.url.params[name][:10]) for name in ("start_date", "end_date"))
        currency = "USD" if last - first > timedelta(days=1) else on_the_day
        sent = await httpx.ASGITransport(app=apps[currency]).handle_async_request(request)
        body = json.loads(await sent.aread())
        assert sum(point["revenue"] for point in body["chartData"]) > 0
        body["totals"] |= {"revenueCurrency": currency}
        if currency is None:
            del body["totals"]["revenueCurrency"]
        if currency != "USD":
            body["totals"] |= {"revenueByCurrency": {"EUR": body["totals"]["revenueCents"], "USD": 1}}
        return httpx.Response(200, json=body)

    finding = await found_with(answer)
    assert finding.window == WindowSpec("Europe/Berlin", bento_end, "iso"), finding


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1])
@pytest.mark.parametrize("bento_end", ["exclusive", "inclusive"])
@pytest.mark.parametrize("bento_dates", ["midnight", "noon", "words"])
async def test_a_quiet_site_is_never_given_a_wrong_window(share, bento_end, bento_dates):
    """One to five signups a day: what is decided is right, and what cannot be is left open."""
    options = Options(now=clock, bento_zone="Europe/Berlin", bento_end=bento_end, bento_dates=bento_dates)
    finding = await found(options, crowd(share))
    spelling = {"midnight": "iso", "noon": "iso_time", "words": "words"}[bento_dates]
    assert finding.window in {None, WindowSpec("Europe/Berlin", bento_end, spelling)}
    assert ("readings fit all responses" in finding.verdict) == (finding.window is None)


async def test_a_site_that_refuses_every_spelling_is_asked_three_times():
    """ISO, ISO with a time, words."""
    finding = await found_with(lambda _: httpx.Response(422, json={"errors": []}))
    assert finding == CalibrationResult(
        None,
        (),
        (
            "start_date='2026-03-04' end_date='2026-03-08': refused, HTTP 422",
            "start_date='2026-03-04 00:00' end_date='2026-03-08 00:00': refused, HTTP 422",
            "start_date='6 days ago' end_date='2 days ago': refused, HTTP 422",
        ),
        "Bento refused dates as 2026-03-01, as 2026-03-01 00:00 and as 3 days ago, the words of its own page. Try with `curl` which dates it reads.",
    )


async def test_dates_that_mean_noon_and_nothing_else_that_is_read_leave_it_open():
    """Kolkata's noon is no zone's midnight, and only plain dates are read: no window covers a day."""

    async def answer(request: httpx.Request) -> httpx.Response:
        if " " in request.url.params["start_date"]:
            return httpx.Response(400, json={"error": "Bad request"})
        return await httpx.ASGITransport(app=app).handle_async_request(request)

    app = create_app(Options(now=clock, bento_zone="Asia/Kolkata", bento_dates="noon"))
    finding = await found_with(answer)
    assert (finding.window, [line.rpartition(": ")[2] for line in finding.seen[2:]]) == (
        None,
        ["refused, HTTP 400"] * 2,
    )
    assert finding.verdict == (
        "To Bento a date means noon in Asia/Kolkata, and it reads neither a time of day behind the date nor words: no window covers a "
        "calendar day. Ask Bento how a window is to begin at midnight."
    )


async def test_a_chart_whose_points_name_no_zone_leaves_it_open():
    """A date alone is no instant."""
    body = changed(ADS, chartData=[{**part(ADS, "chartData")[0], "x": "2026-03-04"}])
    finding = await found_with(lambda _: httpx.Response(200, text=body, headers={"content-type": "application/json"}))
    assert finding == CalibrationResult(
        None,
        (),
        ("start_date='2026-03-04' end_date='2026-03-08': a chart point at x '2026-03-04'",),
        "A chart point is at x '2026-03-04', which names no instant, so no response can show the zone. Compare a day with Bento's own screens and "
        "write `window` by hand.",
    )


async def test_answers_that_no_reading_explains_leave_it_open():
    """The same three hours whatever is asked."""
    points = [{"x": 1772600400 + 3600 * hour, "signups": 5, "customers": 0, "revenue": 0} for hour in range(3)]
    body = changed(ADS, chartData=points)
    finding = await found_with(lambda _: httpx.Response(200, text=body, headers={"content-type": "application/json"}))
    assert (finding.window, len(finding.seen)) == (None, 2)
    assert finding.seen[1].endswith("; readings left: 0")
    assert finding.verdict == (
        "No reading known here (a zone, the end in or out, a date as midnight or noon) fits all responses. The numbers may have changed between "
        "two requests: ask again, or about an older day with --day. If it stays so, no `window` is right."
    )


@pytest.mark.parametrize(
    ("status", "error"), [(401, AccessRefusedError), (503, TransientError)], ids=["refused", "unavailable"]
)
async def test_what_has_nothing_to_do_with_dates_is_not_taken_for_a_spelling(status, error):
    """A refused key and a vendor out of order end it at once."""
    async with site(Options(now=clock)) as bento:
        await bento.fault(kind="status", status=status)
        with pytest.raises(error):
            await calibrate(bento.client, day=BUSY, clock=clock)
        asked = {one["start_date"] for one in await bento.queries()}
    assert asked == {"2026-03-04"}
