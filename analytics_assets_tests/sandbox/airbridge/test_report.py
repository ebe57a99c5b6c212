"""The simulated Airbridge's numbers, worked out by hand from the vendor's guide to its calculation."""

from datetime import UTC, date, datetime

import pytest

from analytics_assets.sandbox.airbridge.cells import ReportCalendar
from analytics_assets.sandbox.options import Options
from analytics_assets.sandbox.world import Event, Person, Purchase
from analytics_assets_tests.fixed_world import FixedWorld

IN_UTC = Options(task_seconds=0, airbridge_zone="UTC")
ON_THE_THIRD = datetime(2026, 7, 3, 10, tzinfo=UTC)


async def report(sandbox, body):
    """The body of a finished report."""
    return (await sandbox.read_report(await sandbox.post_report(body))).json()


@pytest.fixture
def on_the_third(open_sandbox, hand_world):
    """The hand-made world on the third of July, in an app whose zone is UTC."""
    sandbox = open_sandbox(IN_UTC, hand_world)
    sandbox.now = ON_THE_THIRD
    return sandbox


def cells(*values, masked=False):
    """Value cells."""
    return [{"value": value, "isMasked": masked} for value in values]


def total(cost, revenue, users, masked=False):
    """The totals of a row."""
    return {
        "totalCost": {"value": cost},
        "totalRevenue": {"value": revenue},
        "totalUniqueUsers": {"value": users, "isMasked": masked},
    }


async def test_a_report_by_channel_is_the_one_counted_by_hand(on_the_third, report_body):
    """Young rows are short, a day with cost alone has a row, a day with neither has none, few Meta users are masked."""
    body = await report(on_the_third, report_body)
    del body["data"]["taskId"]
    assert body == {
        "data": {
            "stats": {
                "rows": [
                    {
                        "rows": [
                            {
                                "date": "2026-07-02",
                                "total": total(0, 5, 1, masked=True),
                                "values": cells(5, 5, masked=True),
                            }
                        ],
                        "total": {"rows": cells(5, 5, masked=True), **total(0, 5, 1, masked=True)},
                        "metadata": ["facebook.business"],
                    },
                    {
                        "rows": [
                            {"date": "2026-07-01", "total": total(4, 12.5, 1), "values": cells(10, 10, 12.5)},
                            {"date": "2026-07-02", "total": total(3, 0, 0), "values": cells(0, 0)},
                        ],
                        "total": {"rows": cells(10, 10, 12.5), **total(7, 12.5, 1)},
                        "metadata": ["google.adwords"],
                    },
                    {
                        "rows": [{"date": "2026-07-02", "total": total(0, 0, 1), "values": cells(0, 0)}],
                        "total": {"rows": cells(0, 0), **total(0, 0, 1)},
                        "metadata": ["unattributed"],
                    },
                ]
            },
            "status": "SUCCESS",
            "endedAt": "2026-07-03T19:00:00.000000+09:00",
            "hasNext": False,
            "metadata": {"totalCount": 3},
        },
        "notification": [
            {
                "code": "AGG_DATA_MASKING_BY_FACEBOOK",
                "type": "info",
                "message": "some data is masked by facebook privacy policy.",
            }
        ],
    }


@pytest.mark.parametrize(
    ("metric", "way", "first", "second", "top"),
    [
        ("app_revenue", "on-day", (10, 0, 2.5), (5, 0), (15, 0, 2.5)),
        ("app_revenue", "cumulative", (10, 10, 12.5), (5, 5), (15, 15, 17.5)),
        ("app_event_count", "on-day", (1, 0, 1), (1, 0), (2, 0, 1)),
        ("app_event_count", "cumulative", (1, 1, 2), (1, 1), (2, 2, 3)),
        ("app_user_count", "on-day", (1, 0, 1), (1, 0), (2, 0, 1)),
        ("app_user_count", "unique-cumulative", (1, 1, 1), (1, 1), (2, 2, 2)),
        ("app_user_count", "cumulative", (1, 1, 1), (1, 1), (2, 2, 2)),
        ("app_roas", "cumulative", (250, 250, 312.5), (166.67, 166.67), (214.29, 214.29, 250)),
        ("app_arpu", "cumulative", (10, 10, 12.5), (2.5, 2.5), (5, 5, 5.83)),
        ("app_arppu", "cumulative", (10, 10, 12.5), (5, 5), (7.5, 7.5, 8.75)),
    ],
)
async def test_each_metric_has_its_own_rule_and_its_own_top_row(
    on_the_third, report_body, *, metric, way, first, second, top
):
    """Cumulative top rows carry the last value of a young row forward, weighted ones divide sums, on-day ones add."""
    body = {**report_body, "groupBy": {"fields": []}, "metric": metric, "aggregationType": way}
    (group,) = (await report(on_the_third, body))["data"]["stats"]["rows"]
    assert group == {
        "rows": [
            {"date": "2026-07-01", "total": total(4, 12.5, 1), "values": cells(*first)},
            {"date": "2026-07-02", "total": total(3, 5, 2), "values": cells(*second)},
        ],
        "total": {"rows": cells(*top), **total(7, 17.5, 3)},
        "metadata": [],
    }


async def test_nothing_after_the_clock_is_counted(open_sandbox, hand_world, report_body):
    """At eleven on the first Ann has installed and not bought."""
    sandbox = open_sandbox(IN_UTC, hand_world)
    sandbox.now = datetime(2026, 7, 1, 11, tzinfo=UTC)
    rows = (await report(sandbox, {**report_body, "to": "2026-07-01"}))["data"]["stats"]["rows"]
    assert [(row["metadata"], row["rows"]) for row in rows] == [
        (["google.adwords"], [{"date": "2026-07-01", "total": total(4, 0, 1), "values": cells(0)}])
    ]


async def test_a_day_is_a_day_of_the_apps_zone(open_sandbox, hand_world, report_body):
    """Cid came at 15:00 UTC on the second, which is the third in Seoul."""
    sandbox = open_sandbox(Options(task_seconds=0), hand_world)
    body = {
        **report_body,
        "to": "2026-07-03",
        "filters": [{"field": "channel", "filterType": "LIKE", "values": ["un"]}],
    }
    (group,) = (await report(sandbox, body))["data"]["stats"]["rows"]
    assert [row["date"] for row in group["rows"]] == ["2026-07-03"]


@pytest.mark.parametrize(
    ("condition", "channels"),
    [
        ({"filterType": "IN", "values": ["google.adwords"]}, ["google.adwords"]),
        ({"filterType": "NOT IN", "values": ["google.adwords"]}, ["facebook.business", "unattributed"]),
        ({"filterType": "LIKE", "values": ["book", "word"]}, ["facebook.business", "google.adwords"]),
        ({"filterType": "NOT LIKE", "values": ["book"]}, ["google.adwords", "unattributed"]),
        ({"filterType": "EXIST"}, ["facebook.business", "google.adwords", "unattributed"]),
        ({"filterType": "NOT EXIST"}, []),
    ],
)
async def test_filters_select_groups(on_the_third, report_body, condition, channels):
    """All six filter types, on the channel."""
    body = {**report_body, "filters": [{"field": "channel", **condition}]}
    rows = (await report(on_the_third, body))["data"]["stats"]["rows"]
    assert [row["metadata"] for row in rows] == [[channel] for channel in channels]


async def test_several_fields_are_named_in_request_order(on_the_third, report_body):
    """The empty campaign of organic users is a value like any other."""
    body = {**report_body, "groupBy": {"fields": ["campaign", "channel"]}}
    rows = (await report(on_the_third, body))["data"]["stats"]["rows"]
    assert [row["metadata"] for row in rows] == [
        ["", "unattributed"],
        ["brand", "google.adwords"],
        ['é"/%', "facebook.business"],
    ]


async def test_a_dimension_without_cost_has_none(on_the_third, report_body):
    """Cost is known by channel and campaign only."""
    body = {**report_body, "groupBy": {"fields": ["country"]}}
    (group,) = (await report(on_the_third, body))["data"]["stats"]["rows"]
    assert (group["metadata"], group["total"]["totalCost"], group["total"]["totalUniqueUsers"]["value"]) == (
        ["US"],
        {"value": 0},
        3,
    )


async def test_pages_count_groups_and_sorts_order_them(on_the_third, report_body):
    """Skip and size take groups; the best revenue comes first when requested."""
    body = {**report_body, "sorts": [{"fieldName": "totalRevenue", "isAscending": False}]}
    task_id = await on_the_third.post_report(body)
    pages = [(await on_the_third.read_report(task_id, f"?skip={skip}&size=2")).json()["data"] for skip in (0, 2, 4)]
    seen = [([row["metadata"][0] for row in page["stats"]["rows"]], page["hasNext"]) for page in pages]
    assert seen == [(["google.adwords", "facebook.business"], True), (["unattributed"], False), ([], False)]
    assert [page["metadata"] for page in pages] == [{"totalCount": 3}] * 3


@pytest.mark.parametrize("query", ["?size=0", "?skip=-1", "?skip=x"])
async def test_unusable_paging_of_a_report_is_refused(on_the_third, report_body, query):
    """Whole numbers only."""
    answer = await on_the_third.read_report(await on_the_third.post_report(report_body), query)
    assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (400, ["query"])


async def test_the_other_envelope_holds_the_same_rows(open_sandbox, hand_world, report_body):
    """What the page's prose and the sibling reports have, by option."""
    usual = open_sandbox(IN_UTC, hand_world)
    other = open_sandbox(Options(task_seconds=0, airbridge_zone="UTC", airbridge_envelope="task"), hand_world)
    sample, body = await report(usual, report_body), await report(other, report_body)
    task_id = body["task"]["taskId"]
    assert body == {
        "task": {"taskId": task_id, "status": "SUCCESS", "endedAt": sample["data"]["endedAt"]},
        "revenue": {"data": {"rows": sample["data"]["stats"]["rows"]}},
        "pagination": {"hasNext": False, "totalCount": 3},
        "notification": sample["notification"],
    }


async def test_purchases_are_converted_into_the_apps_currency_one_by_one(open_sandbox, report_body):
    """Two purchases of 0.05 euro are 5.4 cents each: 5 and 5, never 10.8."""
    start = datetime(2026, 7, 1, 10, tzinfo=UTC)
    purchases = tuple(Purchase(start, 5, "EUR", is_first=first, is_subscription=False) for first in (True, False))
    world = FixedWorld([Person("eve", start, "s", "c", "", "", "", "tiktok", purchases)])
    (group,) = (await report(open_sandbox(IN_UTC, world), report_body))["data"]["stats"]["rows"]
    assert group["total"]["totalRevenue"] == {"value": 0.1}


async def test_other_start_and_return_events_are_those_people_did(open_sandbox, report_body):
    """A sign-in starts the cohort a day after the install; an ad click brings its own money."""
    installed, signed_in = datetime(2026, 7, 1, 10, tzinfo=UTC), datetime(2026, 7, 2, 10, tzinfo=UTC)
    events = (
        Event("ad_click", datetime(2026, 7, 1, 11, tzinfo=UTC), 9.0),
        Event("sign_in", signed_in),
        Event("sign_in", datetime(2026, 7, 2, 23, tzinfo=UTC)),
        Event("ad_click", datetime(2026, 7, 3, 11, tzinfo=UTC), 0.5),
    )
    world = FixedWorld([Person("eve", installed, "s", "c", "", "", "", "tiktok", (), events)])
    body = {
        **report_body,
        "startEvents": ["app_sign_in"],
        "returnEvents": ["app_ad_click"],
        "groupBy": {"fields": ["channel", "is_first_event_per_user_id"]},
    }
    (group,) = (await report(open_sandbox(IN_UTC, world), body))["data"]["stats"]["rows"]
    assert group == {
        "rows": [{"date": "2026-07-02", "total": total(0, 0.5, 1), "values": cells(0, 0.5, 0.5)}],
        "total": {"rows": cells(0, 0.5, 0.5), **total(0, 0.5, 1)},
        "metadata": ["tiktok", "false"],
    }


def test_weeks_are_seven_days_from_the_start_and_months_end_on_the_same_day():
    """The page's example: a month from the tenth of March goes to the tenth of April."""
    weeks = ReportCalendar(date(2026, 7, 1), date(2026, 7, 15), "week", 2, date(2026, 7, 15))
    months = ReportCalendar(date(2026, 1, 31), date(2026, 4, 15), "month", 5, date(2026, 4, 15))
    assert (weeks.starts, weeks.reached) == ([date(2026, 7, 1), date(2026, 7, 8), date(2026, 7, 15)], [3, 2, 1])
    assert [weeks.row(date(2026, 7, day)) for day in (7, 8, 15, 16)] == [0, 1, 2, None]
    assert [weeks.interval(0, date(2026, 7, day)) for day in (1, 7, 8, 15)] == [0, 0, 1, 2]
    assert months.starts == [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)]
    assert months.reached == [3, 2, 1]
