"""The simulated Statsig: paging, names in paths, and a day's values worked out by hand."""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from analytics_assets.sandbox.options import Options
from analytics_assets.sandbox.statsig.catalogue import catalogue, of_event
from analytics_assets.sandbox.world import EVENT_NAMES


def ids(answer):
    """Metric ids of a page."""
    return [one["id"] for one in answer.json()["data"]]


async def test_pages_of_an_events_metrics_add_up_to_the_whole_list(open_sandbox):
    """Following page numbers gives every metric once; the next page is relative and null at the end."""
    sandbox = open_sandbox()
    whole = ids(await sandbox.statsig("/events/checkout/metrics?limit=100&page=1"))
    paged, page, pages = [], 1, []
    while True:
        answer = await sandbox.statsig(f"/events/checkout/metrics?limit=3&page={page}")
        paged += ids(answer)
        pages.append(answer.json()["pagination"])
        if pages[-1]["nextPage"] is None:
            break
        page += 1
    last = -(-len(whole) // 3)
    assert paged == whole
    assert pages == [
        {
            "itemsPerPage": 3,
            "pageNumber": number,
            "totalItems": len(whole),
            "nextPage": f"?page={number + 1}&limit=3" if number < last else None,
            "previousPage": f"?page={number - 1}&limit=3" if number > 1 else None,
            "all": "",
        }
        for number in range(1, last + 1)
    ]


@pytest.mark.parametrize(
    ("path", "link"),
    [
        ("/events?limit=2&page=1", "/console/v1/events?page=2&limit=2"),
        ("/metrics/list?limit=2&page=1", "/console/v1/metrics/list?page=2&limit=2"),
        (
            "/metrics/values?date=2026-07-10&metricType=sum&limit=2&page=1",
            "/console/v1/metrics/values?date=2026-07-10&page=2&limit=2",
        ),
    ],
)
async def test_the_other_lists_name_their_path_in_the_next_page_and_drop_filters(open_sandbox, path, link):
    """Following the link blindly would lose the request's own parameters, as with the vendor."""
    answer = await open_sandbox().statsig(path)
    assert answer.json()["pagination"]["nextPage"] == link


async def test_a_page_is_cut_to_the_largest_size(open_sandbox):
    """The size in the response is the one used."""
    sandbox = open_sandbox(Options(statsig_max_limit=5))
    body = (await sandbox.statsig("/metrics/list?limit=1000&page=1")).json()
    assert (len(body["data"]), body["pagination"]["itemsPerPage"]) == (5, 5)


@pytest.mark.parametrize("query", ["limit=0&page=1", "limit=5&page=x", "limit=-1", "page=²"])
async def test_unusable_paging_is_refused(open_sandbox, query):
    """The vendor's validation form names the property."""
    answer = await open_sandbox().statsig(f"/events/checkout/metrics?{query}")
    body = answer.json()
    assert (answer.status_code, body["message"], len(body["errors"])) == (400, "Bad Request Exception", 1)


@pytest.mark.parametrize("name", ["a/b läuft", "page view", "checkout"])
async def test_an_event_name_is_decoded_exactly_once(open_sandbox, name):
    """A slash inside a name is percent-encoded and stays inside the name."""
    answer = await open_sandbox().statsig(f"/events/{quote(name, safe='')}/metrics?limit=2&page=1")
    assert ids(answer) == [f"{name}::event_count", f"{name}::event_dau"]


async def test_a_twice_encoded_name_is_another_event(open_sandbox):
    """Nobody has logged an event called ``a%2Fb läuft``; an unknown event has no metrics and is no error."""
    answer = await open_sandbox().statsig(f"/events/{quote(quote('a/b läuft', safe=''), safe='')}/metrics")
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "message": "Metrics listed successfully.",
            "data": [],
            "pagination": {
                "itemsPerPage": 100,
                "pageNumber": 1,
                "totalItems": 0,
                "nextPage": None,
                "previousPage": None,
                "all": "",
            },
        },
    )


def test_the_metrics_of_an_event_include_those_reached_through_another_metric():
    """Funnels have no event in their lineage, and are listed all the same."""
    found = {metric.id for metric in of_event(catalogue(EVENT_NAMES), "sign_up")}
    assert found == {"sign_up::event_count", "sign_up::event_dau", "test funnel 1::funnel", "view_to_signup::funnel"}


async def test_a_metric_is_listed_only_once_it_was_created(open_sandbox):
    """The listing follows the clock."""
    sandbox = open_sandbox()
    listed = []
    for moment in (datetime(2026, 7, 12, 15, 20, tzinfo=UTC), datetime(2026, 7, 12, 15, 21, tzinfo=UTC)):
        sandbox.now = moment
        listed.append("cart_size::mean" in ids(await sandbox.statsig("/metrics/list?limit=100&page=1")))
    assert listed == [False, True]


async def test_hidden_metrics_and_tags_are_chosen_by_the_query(open_sandbox):
    """Hidden metrics come on request; a tag may be given more than once."""
    sandbox = open_sandbox()
    usual = ids(await sandbox.statsig("/metrics/list"))
    every = ids(await sandbox.statsig("/metrics/list?showHiddenMetrics=true"))
    tagged = ids(await sandbox.statsig("/metrics/list?tags=Funnels&tags=Core"))
    assert set(every) - set(usual) == {"ad_money::sum"}
    assert {"purchase_value::sum", "test funnel 1::funnel"} < set(tagged) < set(usual)


async def test_one_metric_is_read_by_id_and_by_name_and_type(open_sandbox):
    """Both paths give the definition of the list; an unknown one is 404."""
    sandbox = open_sandbox()
    by_id = (await sandbox.statsig(f"/metrics/{quote('a/b läuft::event_dau', safe='')}")).json()
    by_name = (await sandbox.statsig(f"/metrics/{quote('a/b läuft', safe='')}/event_dau")).json()
    missing = await sandbox.statsig("/metrics/unknown::sum")
    assert (by_id, by_id["data"]["id"]) == (by_name, "a/b läuft::event_dau")
    assert (missing.status_code, missing.json()) == (
        404,
        {"status": 404, "message": "Not Found. The requested resource could not be found."},
    )


def value_row(name, type_, unit, value, rows):
    """A row of the values list."""
    return {
        "value": value,
        "unitType": unit,
        "numerator": None,
        "denominator": None,
        "inputRows": rows,
        "metricName": name,
        "metricType": type_,
        "displayName": name,
    }


async def test_a_days_values_are_those_counted_by_hand(open_sandbox, hand_world):
    """The second of July at GMT-8 has two sign-ups and Bob's checkout."""
    answer = await open_sandbox(world=hand_world).statsig("/metrics/values?date=2026-07-02&limit=100&page=1")
    counted = [
        ("sign_up", "event_count", 2, 2),
        ("sign_up", "event_dau", 2, 2),
        ("checkout", "event_count", 1, 1),
        ("checkout", "event_dau", 1, 1),
        ("purchase_value", "sum", 5, 1),
        ("average_order_value", "mean", 5, 1),
        ("test funnel 1", "funnel", 0.5, 3),
    ]
    units = ("overall", "userID", "stableID")
    assert answer.json() == {
        "message": "Metric values listed successfully.",
        "data": [value_row(name, kind, unit, value, rows) for name, kind, value, rows in counted for unit in units],
        "pagination": {
            "itemsPerPage": 100,
            "pageNumber": 1,
            "totalItems": 21,
            "nextPage": None,
            "previousPage": None,
        },
    }


async def test_the_single_metric_answer_has_its_own_spelling_and_no_paging(open_sandbox):
    """A ratio carries numerator and denominator."""
    answer = await open_sandbox().statsig("/metrics?id=checkout_per_cart::ratio&date=2026-07-10")
    body = answer.json()
    first = body["data"][0]
    assert body.keys() == {"message", "data"}
    assert [one["unit_type"] for one in body["data"]] == ["overall", "userID", "stableID"]
    assert first == {
        "value": round(first["numerator"] / first["denominator"], 6),
        "unit_type": "overall",
        "numerator": first["numerator"],
        "denominator": first["denominator"],
        "row_count": first["numerator"] + first["denominator"],
        "metric_name": "checkout_per_cart",
        "metric_type": "ratio",
    }


@pytest.mark.parametrize(
    ("day", "minute", "is_there"), [("2026-07-13", 0, True), ("2026-07-14", 59, False), ("2022-12-31", 0, False)]
)
async def test_a_day_is_empty_until_it_was_computed(open_sandbox, day, minute, is_there):
    """At 16:59 UTC the day before is not ready yet, and there is nothing before the world began."""
    sandbox = open_sandbox()
    sandbox.now = datetime(2026, 7, 15, 16, minute, tzinfo=UTC)
    answer = await sandbox.statsig(f"/metrics/values?date={day}")
    assert (answer.status_code, bool(answer.json()["data"])) == (200, is_there)


async def test_a_day_is_there_from_1700_utc_of_the_next(open_sandbox):
    """The same day one minute later."""
    sandbox = open_sandbox()
    sandbox.now = datetime(2026, 7, 15, 17, 0, tzinfo=UTC)
    assert (await sandbox.statsig("/metrics/values?date=2026-07-14")).json()["data"]


async def test_values_have_only_metrics_created_by_the_end_of_the_day(open_sandbox):
    """A custom metric is not backfilled."""
    sandbox = open_sandbox()
    named = []
    for day in ("2026-07-11", "2026-07-12"):
        answer = await sandbox.statsig(f"/metrics/values?date={day}&metricName=cart_size&metricType=mean")
        named.append([row["unitType"] for row in answer.json()["data"]])
    assert named == [[], ["overall", "userID", "stableID"]]


@pytest.mark.parametrize("path", ["/metrics/values", "/metrics/values?date=20260701", "/metrics?date=2026-07-01"])
async def test_a_missing_date_or_id_is_refused(open_sandbox, path):
    """Dates have one spelling."""
    answer = await open_sandbox().statsig(path)
    assert (answer.status_code, answer.json()["message"]) == (400, "Bad Request Exception")


async def test_logged_events_are_raw_and_newest_first(open_sandbox, hand_world):
    """The last three days of one name, nothing after the clock."""
    sandbox = open_sandbox(world=hand_world)
    sandbox.now = datetime(2026, 7, 2, 12, tzinfo=UTC)
    answer = await sandbox.statsig("/events/sign_up?limit=10&page=1")

    def logged(moment, who):
        return {
            "timestamp": str(int(moment.timestamp() * 1000)),
            "name": "sign_up",
            "source": "statsig-node",
            "value": "",
            "userID": who,
            "metadata": {},
        }

    assert answer.json()["data"] == [
        logged(datetime(2026, 7, 2, 11, tzinfo=UTC), "bob"),
        logged(datetime(2026, 7, 1, 10, tzinfo=UTC), "ann"),
    ]
