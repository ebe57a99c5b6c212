"""The simulated Airbridge's report tasks: what is accepted, how they live and end, and who can answer them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from analytics_assets.sandbox.airbridge.request import InvalidRequestError, read_request
from analytics_assets.sandbox.airbridge.spec import events_body, groupbys_body, metrics_body
from analytics_assets.sandbox.options import Options

COHORT = {
    "id": 0,
    "name": "Cohort",
    "definition": {
        "andClauses": [
            {
                "negated": False,
                "orClauses": [
                    {
                        "negated": False,
                        "segment": {
                            "event": {"type": "any-event", "operator": "more than", "value": 1},
                            "filters": [{"field": "country", "filterType": "IN", "values": ["KR"]}],
                            "time": {"operator": "between", "from": "2026-01-01", "to": "2026-03-31"},
                        },
                    }
                ],
            }
        ]
    },
}


async def test_a_task_is_pending_then_running_then_done(open_sandbox, hand_world, report_body):
    """A third of its time PENDING, then RUNNING, and its end keeps its own instant in Seoul's offset."""
    sandbox = open_sandbox(Options(task_seconds=30), hand_world)
    created = sandbox.now
    task_id = await sandbox.post_report(report_body)
    seen = []
    for seconds in (0, 9.9, 10, 29.9, 30, 3_600):
        sandbox.now = created + timedelta(seconds=seconds)
        body = (await sandbox.read_report(task_id)).json()
        seen.append(body["data"]["status"])
        if seen[-1] != "SUCCESS":
            assert body == {"data": {"taskId": task_id, "status": seen[-1]}}
    assert seen == ["PENDING", "PENDING", "RUNNING", "RUNNING", "SUCCESS", "SUCCESS"]
    assert body["data"]["endedAt"] == "2026-07-15T21:00:30.000000+09:00"


async def test_fates_are_dealt_to_every_nth_task(open_sandbox, report_body):
    """Third tasks fail, fourth are cancelled, fifth are forgotten once they would be done."""
    sandbox = open_sandbox(Options(task_seconds=3, fail_every=3, cancel_every=4, forget_every=5))
    ids = [await sandbox.post_report(report_body) for _ in range(6)]
    sandbox.now += timedelta(seconds=2)
    running = [(await sandbox.read_report(task_id)).json()["data"]["status"] for task_id in ids]
    sandbox.now += timedelta(seconds=1)
    ended = [await sandbox.read_report(task_id) for task_id in ids]
    assert running == ["RUNNING"] * 6
    assert [one.status_code for one in ended] == [200, 200, 200, 200, 404, 200]
    assert [one.json().get("data", {}).get("status") for one in ended] == [
        "SUCCESS",
        "SUCCESS",
        "FAILURE",
        "CANCELED",
        None,
        "FAILURE",
    ]
    assert ended[2].json() == {"data": {"taskId": ids[2], "status": "FAILURE"}}


async def test_a_refused_body_uses_up_no_fate(open_sandbox, report_body):
    """Only accepted tasks are counted."""
    sandbox = open_sandbox(Options(task_seconds=0, fail_every=2))
    path = "/reports/api/v3/apps/demo/revenue/query"
    assert (await sandbox.airbridge("POST", path, {})).status_code == 400
    read = await sandbox.read_report(await sandbox.post_report(report_body))
    assert read.json()["data"]["status"] == "SUCCESS"


async def test_another_app_of_the_same_seed_answers_a_task(open_sandbox, report_body):
    """Runs, sensor and daemon are different processes, each with a sandbox of its own."""
    one, other, stranger = open_sandbox(), open_sandbox(), open_sandbox(Options(seed=2))
    task_id = await one.post_report(report_body)
    later = one.now + timedelta(minutes=1)
    one.now = other.now = stranger.now = later
    answers = [await sandbox.read_report(task_id) for sandbox in (one, other, stranger)]
    assert [answer.status_code for answer in answers] == [200, 200, 404]
    assert answers[0].content == answers[1].content


async def test_equal_requests_of_one_instant_are_two_tasks(open_sandbox, report_body):
    """A task posted twice must be visible as two."""
    sandbox = open_sandbox()
    assert await sandbox.post_report(report_body) != await sandbox.post_report(report_body)


@pytest.mark.parametrize("task_id", ["nonsense", "eJw", "a" * 200])
async def test_an_id_that_is_none_is_not_found(open_sandbox, task_id):
    """The vendor's plain Not Found."""
    answer = await open_sandbox().read_report(task_id)
    assert (answer.status_code, answer.json()["title"]) == (404, "Not Found")


async def test_a_task_belongs_to_its_app(open_sandbox, report_body):
    """Another app name does not find it, an unknown one is named as such."""
    sandbox = open_sandbox()
    task_id = await sandbox.post_report(report_body)
    other = await sandbox.airbridge("GET", f"/reports/api/v3/apps/other/revenue/query/{task_id}")
    unknown = await sandbox.airbridge("GET", f"/reports/api/v3/apps/unknown-app/revenue/query/{task_id}")
    assert [other.status_code, unknown.status_code] == [404, 404]
    assert unknown.json()["detail"] == "There is no such app. Please check."


def refused(body, today=date(2026, 7, 15)):
    """Places of the errors of a body; [] for a good one."""
    try:
        read_request(body, today)
    except InvalidRequestError as error:
        return [".".join(map(str, one["loc"][1:])) for one in error.errors]
    return []


@pytest.mark.parametrize(
    ("change", "places"),
    [
        ({}, []),
        ({"intervalsPeriod": None, "cohorts": [COHORT], "resultSpec": {"csv": {"includesTotal": True}}}, []),
        ({"cohorts": [COHORT], "groupBy": {"fields": ["cohort", "channel"]}}, []),
        ({"from": "2026-04-15", "to": "2026-07-15"}, []),
        ({"from": "2026-04-14", "to": "2026-07-15"}, ["to"]),
        ({"to": "2026-07-16"}, ["to"]),
        ({"from": "2026-07-03"}, ["from"]),
        ({"from": "20260701"}, ["from"]),
        ({"granularity": "hour"}, ["granularity"]),
        ({"granularity": "day", "intervalsPeriod": 121}, ["intervalsPeriod"]),
        ({"granularity": "week", "intervalsPeriod": 53}, ["intervalsPeriod"]),
        ({"granularity": "month", "intervalsPeriod": 37}, ["intervalsPeriod"]),
        ({"intervalsPeriod": -1}, ["intervalsPeriod"]),
        ({"intervalsPeriod": "30"}, ["intervalsPeriod"]),
        ({"groupBy": ["channel"]}, ["groupBy"]),
        ({"groupBy": {"fields": ["planet"]}}, ["groupBy.fields.0"]),
        ({"groupBy": {"fields": ["cohort"]}}, ["groupBy.fields.0"]),
        ({"groupBy": {"fields": ["channel", "channel"]}}, ["groupBy.fields"]),
        ({"startEvents": []}, ["startEvents"]),
        ({"startEvents": ["app_order_complete"]}, ["startEvents.0"]),
        ({"returnEvents": "app_subscribe"}, ["returnEvents", "returnEvents"]),
        ({"metric": "app_money"}, ["metric"]),
        ({"metric": "app_roas", "aggregationType": "on-day"}, ["aggregationType"]),
        ({"metric": "app_user_count", "aggregationType": "unique-cumulative"}, []),
        ({"metric": "app_revenue", "aggregationType": "unique-cumulative"}, ["aggregationType"]),
        ({"filters": [{"field": "channel", "filterType": "EXIST"}]}, []),
        ({"filters": [{"field": "channel", "filterType": "IN", "values": []}]}, ["filters.0.values"]),
        ({"filters": [{"field": "channel", "filterType": "equals", "values": ["x"]}]}, ["filters.0.filterType"]),
        ({"sorts": [{"fieldName": "totalRevenue", "isAscending": "yes"}]}, ["sorts.0.isAscending"]),
        ({"sorts": [{"fieldName": "luck", "isAscending": True}]}, ["sorts.0.fieldName"]),
        ({"cohorts": [COHORT, COHORT]}, ["cohorts"]),
        ({"cohorts": [{**COHORT, "id": 1, "name": "Mine"}]}, ["cohorts.0.id", "cohorts.0.name"]),
        ({"cohorts": [{**COHORT, "definition": {}}]}, ["cohorts.0.definition.andClauses"]),
        ({"resultSpec": {"csv": {"includesTotal": 1}}}, ["resultSpec"]),
        ({"intervalsPeriodIndexes": [0]}, ["intervalsPeriodIndexes"]),
        ({"metric": None, "sorts": None}, ["metric", "sorts"]),
    ],
)
def test_a_body_is_checked_as_strictly_as_the_page_writes_it(report_body, change, places):
    """Every rule of the page, with the place of what breaks it."""
    assert refused({**report_body, **change}) == places


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"event": {"type": "any-event", "operator": "at least", "value": 1}}, "event.operator"),
        ({"event": {"type": "any-event", "operator": "equals", "value": 0}}, "event.value"),
        ({"filters": ["country"]}, "filters"),
        ({"time": {"operator": "always"}}, "time.operator"),
        ({"time": {"operator": "between", "from": "2026-01-01", "to": "2026-04-30"}}, "time"),
        ({"time": {"operator": "between", "from": "2023-01-31", "to": "2023-02-10"}}, "time"),
    ],
)
def test_the_segment_of_a_cohort_is_checked_too(report_body, change, place):
    """Operators, counts and the reach of ``between`` are those of the page."""
    segment = {**COHORT["definition"]["andClauses"][0]["orClauses"][0]["segment"], **change}
    clause = {"negated": False, "orClauses": [{"negated": False, "segment": segment}]}
    body = {**report_body, "cohorts": [{**COHORT, "definition": {"andClauses": [clause]}}]}
    assert refused(body) == [f"cohorts.0.definition.andClauses.0.orClauses.0.segment.{place}"]


async def test_today_is_the_apps_own(open_sandbox, report_body):
    """At 16:00 UTC it is tomorrow in Seoul, and that is no future date there."""
    sandbox = open_sandbox()
    sandbox.now = datetime(2026, 7, 15, 16, tzinfo=UTC)
    path = "/reports/api/v3/apps/demo/revenue/query"
    answers = [await sandbox.airbridge("POST", path, {**report_body, "to": f"2026-07-{day}"}) for day in (16, 17)]
    assert [answer.status_code for answer in answers] == [200, 400]


async def test_a_refused_body_is_a_problem_with_its_errors(open_sandbox):
    """The form seen from the vendor, for bad JSON as for bad fields."""
    sandbox = open_sandbox()
    answer = await sandbox.http.post(
        "/airbridge/reports/api/v3/apps/demo/revenue/query",
        content=b"{",
        headers={"Authorization": "Bearer airbridge-sandbox"},
    )
    body = answer.json()
    del body["traceId"]
    assert (answer.headers["content-type"], body) == (
        "application/problem+json",
        {
            "type": "about:blank",
            "title": "Bad Request",
            "status": 400,
            "detail": "invalid_request",
            "instance": None,
            "errors": [
                {"loc": ["body"], "msg": "the body is not valid JSON", "type": "value_error.jsondecode"},
            ],
        },
    )


def test_the_metadata_names_what_a_request_accepts(report_body):
    """Every listed metric with every listed aggregation, every field and every event is accepted."""
    metrics, sub_metrics = metrics_body()["data"]
    pairs = [(one["key"], way) for one in metrics["metrics"] for way in one["aggregationType"]]
    fields = [field["key"] for group in groupbys_body()["data"] for field in group["fields"]]
    returns, starts = ([event["key"] for event in group["events"]] for group in events_body()["data"])
    bodies = [{**report_body, "metric": metric, "aggregationType": way} for metric, way in pairs]
    bodies.append({**report_body, "groupBy": {"fields": fields}, "returnEvents": returns, "startEvents": starts})
    assert [refused(body) for body in bodies] == [[]] * (len(pairs) + 1)
    assert dict(pairs)["app_user_count"] == "unique-cumulative"
    assert [one["aggregationType"] for one in sub_metrics["metrics"]] == [None, None]
