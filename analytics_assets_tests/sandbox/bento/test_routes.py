"""The simulated Bento: windows, attribution numbers worked out by hand, snapshots and reports."""

from datetime import UTC, date, datetime, timedelta

import pytest

from analytics_assets.sandbox.bento.windows import UnreadableDateError, Window, months_before, read_window
from analytics_assets.sandbox.options import Options

NOW = datetime(2026, 7, 15, 12, tzinfo=UTC)


def at(month, day, hour=0):
    """An hour of a day of 2026, UTC."""
    return datetime(2026, month, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-07-01", "2026-07-02", Window(at(7, 1), at(7, 2))),
        ("yesterday", "today", Window(at(7, 14), at(7, 15))),
        ("3 days ago", "now", Window(at(7, 12), NOW)),
        ("last week", "", Window(at(7, 8), NOW)),
        ("Last  Month", "yesterday", Window(at(6, 15), at(7, 14))),
        ("", "", Window(NOW - timedelta(days=30), NOW)),
        ("2026-07-14", "2026-12-01", Window(at(7, 14), NOW)),
    ],
)
def test_a_window_is_read_from_natural_words_and_iso_dates(start, end, expected):
    """Every word of the stats page has its window, and none reaches into the future."""
    assert read_window(start, end, now=NOW, zone="UTC", end_rule="exclusive") == expected


def test_an_inclusive_end_takes_the_whole_end_day_in():
    """The other reading of the end is an option, because no page settles it."""
    window = read_window("2026-07-01", "2026-07-01", now=NOW, zone="UTC", end_rule="inclusive")
    assert window == Window(at(7, 1), at(7, 2))


def test_days_begin_at_midnight_of_the_chosen_zone():
    """Seoul is nine hours ahead."""
    window = read_window("2026-07-02", "2026-07-03", now=NOW, zone="Asia/Seoul", end_rule="exclusive")
    assert window == Window(at(7, 1, 15), at(7, 2, 15))


@pytest.mark.parametrize("words", ["soon", "2026-02-30", "20260701", "9999 years ago"])
def test_an_unreadable_date_is_refused_by_name(words):
    """Basic ISO forms are refused too: no page has them."""
    with pytest.raises(UnreadableDateError) as refused:
        read_window("yesterday", words, now=NOW, zone="UTC", end_rule="exclusive")
    assert refused.value.field == "end_date"


def test_a_month_before_its_longer_successor_ends_on_its_last_day():
    """Five months before the last of July is the last of February."""
    assert months_before(date(2026, 7, 31), 5) == date(2026, 2, 28)


def row(key, signups, customers, cents):
    """A breakdown row in USD."""
    return {
        "key": key,
        "label": key,
        "signups": signups,
        "customers": customers,
        "customerRate": 100 * customers // signups,
        "revenueCents": cents,
        "revenueCurrency": "USD",
        "revenueByCurrency": {"USD": cents} if cents else {},
        "revenuePerSignupCents": cents // signups,
    }


async def test_the_ads_numbers_are_those_counted_by_hand(open_sandbox, hand_world):
    """The full body of three days of the hand-made world."""
    answer = await open_sandbox(world=hand_world).bento("ads", start_date="2026-07-01", end_date="2026-07-04")
    assert answer.json() == {
        "dimension": "source",
        "dimensionLabel": "Source",
        "attribution": {
            "mode": "last_click",
            "modeLabel": "Last Click",
            "windowDays": 7,
            "settingsPath": "/account/sites/1/attribution_settings",
            "appliesToAdRevenue": False,
        },
        "revenueMode": {"mode": "all_revenue", "label": "All revenue", "description": "Every revenue event"},
        "totals": {
            "signups": 3,
            "customers": 2,
            "revenueCents": 1_750,
            "revenueCurrency": "USD",
            "revenueByCurrency": {"USD": 1_750},
            "revenueVisitorCount": 2,
            "customerRate": 67,
            "topSource": "google",
        },
        "chartData": [
            {"x": int(at(7, 1, 10).timestamp()), "signups": 1, "customers": 0, "revenue": 0},
            {"x": int(at(7, 1, 12).timestamp()), "signups": 0, "customers": 1, "revenue": 1_000},
            {"x": int(at(7, 2, 11).timestamp()), "signups": 1, "customers": 0, "revenue": 0},
            {"x": int(at(7, 2, 15).timestamp()), "signups": 1, "customers": 0, "revenue": 0},
            {"x": int(at(7, 2, 20).timestamp()), "signups": 0, "customers": 1, "revenue": 500},
            {"x": int(at(7, 3, 9).timestamp()), "signups": 0, "customers": 1, "revenue": 250},
        ],
        "breakdown": [row("google", 1, 1, 1_250), row("facebook", 1, 1, 500), row("", 1, 0, 0)],
        "revenueTruncated": False,
    }


@pytest.mark.parametrize(
    ("mode", "cents", "customers"), [("all_revenue", 1_750, 2), ("first_revenue", 1_500, 2), ("subscriptions", 250, 1)]
)
async def test_a_revenue_mode_counts_its_purchases_only(open_sandbox, hand_world, mode, cents, customers):
    """Customers are those with a purchase of the mode."""
    answer = await open_sandbox(world=hand_world).bento("ads", start_date="2026-07-01", revenue_mode=mode)
    totals = answer.json()["totals"]
    assert (totals["revenueCents"], totals["customers"], totals["revenueVisitorCount"]) == (cents, customers, 2)


async def test_a_value_restricts_totals_chart_and_breakdown(open_sandbox, hand_world):
    """Quotes, slash, percent and accents travel in the query."""
    answer = await open_sandbox(world=hand_world).bento(
        "ads", dimension="campaign", value='é"/%', start_date="2026-07-01"
    )
    body = answer.json()
    assert body["breakdown"] == [row('é"/%', 1, 1, 500)]
    assert [point["revenue"] for point in body["chartData"]] == [0, 500]
    assert (body["totals"]["signups"], body["totals"]["topSource"]) == (1, "facebook")


async def test_a_customer_counts_in_the_window_of_the_purchase(open_sandbox, hand_world):
    """Ann bought on the third although she signed up on the first: a rate of nobody is 0."""
    answer = await open_sandbox(world=hand_world).bento("ads", start_date="2026-07-03", end_date="2026-07-04")
    totals = answer.json()["totals"]
    assert (totals["signups"], totals["customers"], totals["revenueCents"], totals["customerRate"]) == (0, 1, 250, 0)


async def test_spaces_may_be_plus_or_percent_20_and_the_chart_may_have_its_other_name(open_sandbox, hand_world):
    """Both spellings of a space mean the same window; the page's own word for the chart is an option."""
    sandbox = open_sandbox(Options(bento_chart_key="chart"), hand_world)
    base = "/bento/api/v1/stats/ads?site_uuid=s&start_date="
    keys = ("pk_sandbox", "sk_sandbox")
    bodies = [(await sandbox.http.get(f"{base}2{space}weeks{space}ago", auth=keys)).json() for space in ("+", "%20")]
    assert bodies[0] == bodies[1]
    assert (bodies[0]["totals"]["signups"], "chart" in bodies[0], "chartData" in bodies[0]) == (3, True, False)


@pytest.mark.parametrize(
    ("endpoint", "query", "status", "body"),
    [
        ("ads", {"start_date": "soon"}, 400, {"errors": [{"field": "start_date", "message": "could not be parsed"}]}),
        (
            "ads",
            {"dimension": "planet"},
            400,
            {
                "errors": [
                    {"field": "dimension", "message": "must be one of source, campaign, medium, content, ad"},
                ]
            },
        ),
        (
            "ads",
            {"revenue_mode": "none"},
            400,
            {
                "errors": [
                    {"field": "revenue_mode", "message": "must be one of all_revenue, first_revenue, subscriptions"},
                ]
            },
        ),
        ("segment", {}, 400, {"errors": [{"field": "segment_id", "message": "is required"}]}),
        ("segment", {"segment_id": "unknown_1"}, 404, {"error": "Segment not found"}),
        ("report", {"report_id": "unknown_1"}, 404, {"error": "Report not found"}),
    ],
)
async def test_bad_parameters_are_refused_as_the_error_page_says(open_sandbox, endpoint, query, status, body):
    """Fields are named in the list form, missing things in the short form."""
    answer = await open_sandbox().bento(endpoint, **query)
    assert (answer.status_code, answer.json()) == (status, body)


async def test_site_counts_grow_with_the_clock(open_sandbox, hand_world):
    """Only people acquired until now are there."""
    sandbox = open_sandbox(world=hand_world)
    seen = []
    for now in (at(7, 1, 9), at(7, 2, 12), at(7, 3)):
        sandbox.now = now
        counts = (await sandbox.bento("site")).json()
        assert counts["user_count"] == counts["subscriber_count"] + counts["unsubscriber_count"]
        seen.append(counts["user_count"])
    assert seen == [0, 2, 3]


async def test_a_segment_is_the_same_part_of_the_site_every_time(open_sandbox):
    """Two apps agree, and about seven people in a hundred have unsubscribed."""
    one, other = open_sandbox(), open_sandbox()
    site = (await one.bento("site")).json()
    segments = [(await sandbox.bento("segment", segment_id="segment_a")).json() for sandbox in (one, other)]
    assert segments[0] == segments[1]
    assert 0 < segments[0]["user_count"] < site["user_count"]
    assert 0.06 < site["unsubscriber_count"] / site["user_count"] < 0.08


async def test_reports_come_in_the_three_documented_forms(open_sandbox, hand_world):
    """Points, a bare number, and the older wrapping."""
    sandbox = open_sandbox(world=hand_world)
    points = (await sandbox.bento("report", report_id="report_1")).json()
    counter = (await sandbox.bento("report", report_id="counter_1")).json()
    wrapped = (await sandbox.bento("report", report_id="wrapped_1")).json()
    assert points == {
        "data": [
            {"g": source, "x": f"2026-07-{day:02}", "y": int((source, day) in {("", 2), ("facebook", 2)})}
            for source in ("", "facebook")
            for day in range(2, 16)
        ],
        "chart_style": "column_chart",
        "report_type": "Reporting::Reports::VisitorSourceReport",
        "report_name": "Signups by source",
        "report_id": "report_1",
    }
    assert isinstance(counter["data"], int)
    assert counter["chart_style"] == "counter"
    assert wrapped == {"report_data": {key: points[key] for key in points if key != "report_id"}}
