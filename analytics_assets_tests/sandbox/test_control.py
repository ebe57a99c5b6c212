"""Counting, the request log, scripted faults and the clock of one app."""

import json
from datetime import datetime

import pytest


async def script(sandbox, *rules):
    """Give the sandbox rules."""
    answer = await sandbox.http.post("/_sandbox/faults", json=list(rules))
    assert (answer.status_code, answer.json()) == (200, {"added": len(rules)})


async def statuses(sandbox, times):
    """Statuses of several equal requests."""
    return [(await sandbox.bento("site")).status_code for _ in range(times)]


async def test_every_request_is_counted_by_endpoint_also_those_refused(open_sandbox, report_body):
    """Templates, not paths; unknown paths together."""
    sandbox = open_sandbox()
    await sandbox.bento("site")
    await sandbox.http.get("/bento/api/v1/stats/site")
    await sandbox.bento("nothing")
    await sandbox.statsig("/events/a%2Fb/metrics")
    await sandbox.read_report(await sandbox.post_report(report_body))
    assert (await sandbox.http.get("/_sandbox/counts")).json() == {
        "airbridge GET /reports/api/v3/apps/{app}/revenue/query/{task_id}": 1,
        "airbridge POST /reports/api/v3/apps/{app}/revenue/query": 1,
        "bento GET (other)": 1,
        "bento GET /stats/site": 2,
        "statsig GET /events/{eventName}/metrics": 1,
    }


async def test_the_log_tells_path_query_and_status_and_no_credential(open_sandbox):
    """No header is kept."""
    sandbox = open_sandbox()
    await sandbox.statsig("/events/a%2Fb/metrics?limit=2&page=1")
    await sandbox.http.get("/bento/api/v1/stats/site?site_uuid=s")
    log = (await sandbox.http.get("/_sandbox/requests")).json()
    assert all(datetime.fromisoformat(entry.pop("at")).tzinfo for entry in log)
    assert log == [
        {
            "vendor": "statsig",
            "endpoint": "GET /events/{eventName}/metrics",
            "path": "/statsig/console/v1/events/a%2Fb/metrics",
            "query": "limit=2&page=1",
            "status": 200,
        },
        {
            "vendor": "bento",
            "endpoint": "GET /stats/site",
            "path": "/bento/api/v1/stats/site",
            "query": "site_uuid=s",
            "status": 401,
        },
    ]


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"times": 2}, [503, 503, 200, 200, 200, 200]),
        ({"times": None}, [503] * 6),
        ({"skip": 2, "times": 1}, [200, 200, 503, 200, 200, 200]),
        ({"every": 3}, [200, 200, 503, 200, 200, 503]),
        ({"skip": 1, "every": 2, "times": 1}, [200, 200, 503, 200, 200, 200]),
    ],
)
async def test_a_rule_spoils_the_matches_it_is_told_to(open_sandbox, limits, expected):
    """Times, skip and every, together as well."""
    sandbox = open_sandbox()
    await script(sandbox, {"kind": "status", "status": 503, **limits})
    assert await statuses(sandbox, 6) == expected


@pytest.mark.parametrize(
    ("where", "hit"),
    [
        ({"vendor": "bento"}, True),
        ({"vendor": "statsig"}, False),
        ({"endpoint": "/stats/site"}, True),
        ({"endpoint": "GET /stats/site"}, True),
        ({"endpoint": "bento GET /stats/site"}, True),
        ({"endpoint": "/stats"}, False),
        ({"contains": "site_uuid="}, True),
        ({"contains": "läuft"}, True),
        ({"contains": "nowhere"}, False),
    ],
)
async def test_a_rule_finds_its_requests(open_sandbox, where, hit):
    """By vendor, endpoint and part of the address, also as a person would write it."""
    sandbox = open_sandbox()
    await script(sandbox, {"kind": "status", "status": 500, **where})
    assert (await sandbox.bento("site", note="a läuft")).status_code == (500 if hit else 200)


async def test_a_rule_finds_a_posted_body(open_sandbox, report_body):
    """Part of the body's text is enough."""
    sandbox = open_sandbox()
    await script(sandbox, {"kind": "status", "status": 500, "contains": '"app_roas"'})
    path = "/reports/api/v3/apps/demo/revenue/query"
    bodies = [{**report_body, "metric": metric} for metric in ("app_roas", "app_revenue")]
    assert [(await sandbox.airbridge("POST", path, body)).status_code for body in bodies] == [500, 200]


@pytest.mark.parametrize(
    ("rule", "status", "content_type", "content"),
    [
        ({"kind": "status", "status": 500}, 500, "application/json", b'{"error":"Something went wrong"}'),
        ({"kind": "status", "status": 429, "body": {"a": "ä"}}, 429, "application/json", '{"a":"ä"}'.encode()),
        ({"kind": "empty"}, 200, "application/json", b""),
        ({"kind": "body", "body": [1]}, 200, "application/json", b"[1]"),
        ({"kind": "body"}, 200, "application/json", b"null"),
        (
            {"kind": "html"},
            200,
            "text/html; charset=utf-8",
            b"<!DOCTYPE html><html><body><h1>One moment</h1></body></html>",
        ),
    ],
)
async def test_some_faults_answer_instead_of_the_vendor(open_sandbox, rule, status, content_type, content):
    """Status in the vendor's form or with a given body, nothing at all, other JSON, or HTML."""
    sandbox = open_sandbox()
    await script(sandbox, rule)
    answer = await sandbox.bento("site")
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (status, content_type, content)


@pytest.mark.parametrize("status", [500, 599])
async def test_a_status_fault_speaks_the_vendors_form_and_names_when_to_come_back(open_sandbox, status):
    """Statsig's and Airbridge's error bodies, with Retry-After, also for a status without a name."""
    sandbox = open_sandbox()
    await script(sandbox, {"kind": "status", "status": status, "retry_after": 7})
    statsig = await sandbox.statsig("/metrics/list")
    airbridge = await sandbox.airbridge("GET", "/dataspec/v1/apps/demo/revenue-report/events")
    assert [one.headers["retry-after"] for one in (statsig, airbridge)] == ["7", "7"]
    assert (statsig.json()["status"], statsig.json().keys()) == (status, {"status", "message"})
    assert airbridge.headers["content-type"] == "application/problem+json"
    assert (airbridge.status_code, airbridge.json()["status"]) == (status, status)


async def test_a_truncated_answer_is_complete_http_and_broken_json(open_sandbox):
    """Half of the true body, with a Content-Length that fits it."""
    sandbox = open_sandbox()
    whole = (await sandbox.bento("site")).content
    await script(sandbox, {"kind": "truncated"})
    answer = await sandbox.bento("site")
    assert answer.content == whole[: len(whole) // 2]
    assert (answer.headers["content-type"], answer.headers["content-length"]) == (
        "application/json",
        str(len(answer.content)),
    )
    with pytest.raises(json.JSONDecodeError):
        answer.json()


@pytest.mark.parametrize("rule", [{"kind": "slow", "delay_s": 0.05}, {"kind": "hang", "delay_s": 0.05}])
async def test_a_late_answer_is_still_the_true_one(open_sandbox, rule):
    """Slow drips, hang keeps silent first; the time is the rule's."""
    sandbox = open_sandbox()
    whole = await sandbox.bento("site")
    await script(sandbox, rule)
    late = await sandbox.bento("site")
    assert (late.status_code, late.content) == (200, whole.content)


async def test_a_wrong_type_is_the_true_body_as_plain_text(open_sandbox):
    """Only the header lies."""
    sandbox = open_sandbox()
    whole = await sandbox.bento("site")
    await script(sandbox, {"kind": "wrong_type"})
    answer = await sandbox.bento("site")
    assert (answer.headers["content-type"], answer.content) == ("text/plain; charset=utf-8", whole.content)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({}, "expected a list of rules"),
        ([{"kind": "explode"}], "kind must be one of"),
        ([{"kind": "empty", "when": 1}], "unknown keys: when"),
        ([{"kind": "empty", "times": "2"}], "times must be int"),
        ([{"kind": "empty", "every": 0}], "every must be at least 1"),
    ],
)
async def test_a_rule_that_means_nothing_is_refused(open_sandbox, rules, message):
    """A misspelt rule must not pass for one that never fires."""
    answer = await open_sandbox().http.post("/_sandbox/faults", json=rules)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(message)


async def test_faults_are_cleared_alone_and_everything_is_reset(open_sandbox):
    """Clearing faults keeps the counts; a reset forgets both."""
    sandbox = open_sandbox()
    await script(sandbox, {"kind": "status", "status": 500})
    seen = await statuses(sandbox, 1)
    await sandbox.http.delete("/_sandbox/faults")
    seen += await statuses(sandbox, 1)
    counted = (await sandbox.http.get("/_sandbox/counts")).json()
    await script(sandbox, {"kind": "status", "status": 500})
    await sandbox.http.post("/_sandbox/reset")
    forgotten = [(await sandbox.http.get(f"/_sandbox/{name}")).json() for name in ("counts", "requests")]
    assert (seen, counted, forgotten) == ([500, 200], {"bento GET /stats/site": 2}, [{}, []])
    assert await statuses(sandbox, 1) == [200]


async def test_the_clock_is_frozen_and_let_go(open_sandbox, hand_world):
    """A frozen clock stands before the first person; null lets it run again."""
    sandbox = open_sandbox(world=hand_world)
    counts = []
    for now in ("2026-07-01T09:00:00+00:00", "2026-07-01T19:30:00+09:00", None):
        answer = await sandbox.http.put("/_sandbox/clock", json={"now": now})
        assert answer.status_code == 200
        counts.append((await sandbox.bento("site")).json()["user_count"])
    assert counts == [0, 1, 3]


@pytest.mark.parametrize("body", [{"now": "2026-07-01T09:00:00"}, {"now": "soon"}, {"now": 5}, {}, []])
async def test_an_instant_without_zone_is_no_time_to_freeze_at(open_sandbox, body):
    """The clock stays as it was."""
    assert (await open_sandbox().http.put("/_sandbox/clock", json=body)).status_code == 400
