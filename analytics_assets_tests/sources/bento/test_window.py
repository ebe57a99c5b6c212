"""That the chart of a response proves the day, however its instants are written."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from analytics_assets.errors import Evidence, UnexpectedPayloadError
from analytics_assets.http.response import JsonResponse, Response
from analytics_assets.sources.bento.ads_chart import bucket_starts, is_proof
from analytics_assets.sources.bento.responses import Ads, decoded_ads
from analytics_assets_tests.sources.bento.ads_rows import ATTRIBUTION_ROW, PARAMS, SUMS, TOTALS_ROW, ads
from analytics_assets_tests.sources.bento.samples import ADS
from analytics_assets_tests.sources.bento.vendor import changed

BERLIN = ZoneInfo("Europe/Berlin")


def response(body: str) -> Response[Ads]:
    """A response to the query of `PARAMS`."""
    now, params = datetime(2026, 7, 1, tzinfo=UTC), tuple(PARAMS.items())
    return decoded_ads(JsonResponse("GET /stats/ads", "/stats/ads", params, 200, body.encode(), now, now))


def test_a_day_without_points_is_marked_unverified():
    """Without a chart nothing shows that the numbers are those of the day."""
    empty = changed(ADS, chartData=[])
    mark = {"window_unverified": True}
    assert ads(empty) == {
        "ads_attribution": ([ATTRIBUTION_ROW], {"keys_source": 1, **SUMS, **mark}),
        "ads_totals": ([TOTALS_ROW], {**SUMS, **mark}),
        "ads_chart": ([], {"points": 0, **mark}),
    }


def test_one_answer_with_points_verifies_the_window_of_all():
    """All answers of a day are requested with the same dates."""
    done = ads(ADS, changed(ADS, dimension="ad", chartData=[]))
    assert [figures.get("window_unverified") for _, figures in done.values()] == [None, None, None]


@pytest.mark.parametrize(
    "x",
    [
        1772362800,
        1772362800.0,
        "1772362800",
        1772362800000,
        "1772362800000",
        "2026-03-01T11:00:00Z",
        "2026-03-01T12:00:00+01:00",
        "2026-03-01 12:00",
    ],
)
def test_a_point_is_the_same_instant_however_it_is_written(x):
    """Seconds, milliseconds, text, and ISO text, which without an offset is in the account's zone."""
    rows, _ = ads(changed(ADS, chartData=[{"x": x}]), zone=BERLIN)["ads_chart"]
    assert [row["bucket_start"] for row in rows] == [datetime(2026, 3, 1, 11, tzinfo=UTC)]


def test_an_iso_date_alone_is_midnight_in_the_accounts_zone():
    """A daily bucket may be named by its date."""
    rows, _ = ads(changed(ADS, chartData=[{"x": "2026-03-01"}]), zone=BERLIN)["ads_chart"]
    assert [row["bucket_start"] for row in rows] == [datetime(2026, 2, 28, 23, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("x", "what"),
    [
        (1772409600, "1772409600, 2026-03-02 00:00 UTC, which is not in it"),
        (1772323199, "1772323199, 2026-02-28 23:59 UTC, which is not in it"),
        ("2026-03-02", "'2026-03-02', 2026-03-02 00:00 UTC, which is not in it"),
        ("Sunday", "'Sunday', which is no instant"),
        ("nan", "'nan', which is no instant"),
        (1e300, "1e+300, which is no instant"),
        ("", "'', which is no instant"),
    ],
)
def test_a_point_outside_the_day_fails_the_day_and_says_where_to_look(x, what):
    """The first point that does not fit is named with the day, and the response is the evidence."""
    body = changed(ADS, chartData=[{"x": 1772323200}, {"x": x}, {"x": "later"}])
    with pytest.raises(UnexpectedPayloadError) as caught:
        ads(body)
    assert str(caught.value) == (
        "Bento GET /stats/ads (source, all_revenue): the answer for the day in UTC "
        f"(2026-03-01 00:00 to 2026-03-02 00:00 UTC) has a chart point at x {what}. "
        "Check `window` in the YAML: zone, end, format; `analytics-assets calibrate bento` finds them."
    )
    assert caught.value.evidence == Evidence("GET /stats/ads", body=body)


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)], ids=["short day", "long day"]
)
def test_a_day_in_which_the_clocks_change_has_its_own_length(day, hours):
    """Every hour of the day is inside, the hour after it is not."""
    midnight = datetime.combine(day, datetime.min.time(), BERLIN).astimezone(UTC)
    of_day = [midnight + timedelta(hours=hour) for hour in range(hours)]

    def starts(instants):
        body = changed(ADS, chartData=[{"x": int(one.timestamp())} for one in instants])
        return bucket_starts(response(body), day, zone=BERLIN)

    assert starts(of_day) == of_day
    with pytest.raises(UnexpectedPayloadError, match="which is not in it"):
        starts([*of_day, midnight + timedelta(hours=hours)])


@pytest.mark.parametrize("minutes", [60, 30])
def test_local_times_of_the_repeated_hour_are_told_apart_by_their_order(minutes):
    """The clocks show each of them twice; the hour before and after is as ever."""
    day = date(2026, 10, 25)
    midnight = datetime.combine(day, datetime.min.time(), BERLIN).astimezone(UTC)
    of_day = [midnight + timedelta(minutes=at) for at in range(0, 25 * 60, minutes)]
    local = [f"{one.astimezone(BERLIN):%Y-%m-%d %H:%M}" for one in of_day]
    assert len(set(local)) < len(local)

    def starts(texts):
        body = changed(ADS, chartData=[{"x": one} for one in texts])
        return bucket_starts(response(body), day, zone=BERLIN)

    assert starts(local) == of_day
    # In no order at all nothing tells them apart, and equal points are refused when they are to be stored.
    assert len(set(starts(local[::-1]))) < len(local)


@pytest.mark.parametrize(
    ("hours", "is_proved"),
    [([], False), ([0], True), ([5], False), ([0, 11], False), ([12, 23], False), ([11, 12], True), ([0, 23], True)],
    ids=str,
)
def test_a_day_is_proved_by_a_point_that_begins_with_it_or_by_points_in_both_halves(hours, is_proved):
    """A lone point elsewhere may be a whole day of another zone; a window that begins at noon has points in one half."""
    day = date(2026, 3, 1)
    midnight = datetime.combine(day, datetime.min.time(), BERLIN).astimezone(UTC)
    assert is_proof([midnight + timedelta(hours=hour) for hour in hours], day, BERLIN) == is_proved


def test_a_day_whose_points_prove_nothing_is_marked_unverified():
    """Its numbers land, and say that nothing shows them to be those of the day."""
    done = ads(changed(ADS, chartData=[{"x": 1772341200}]))
    assert [figures.get("window_unverified") for _, figures in done.values()] == [True, True, True]
