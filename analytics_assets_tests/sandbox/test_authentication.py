"""Who may ask the simulated vendors, and how those are turned away who may not."""

import httpx
import pytest

from analytics_assets.sandbox import credentials

KEYS = (credentials.BENTO_PUBLISHABLE_KEY, credentials.BENTO_SECRET_KEY)
SITE = {"site_uuid": "any-site"}


@pytest.mark.parametrize(
    ("auth", "query"),
    [
        (None, SITE),
        (("pk_sandbox", "wrong"), SITE),
        (KEYS, {}),
        (KEYS, {"site_uuid": "unknown-site"}),
    ],
)
async def test_bento_answers_401_to_wrong_keys_and_to_a_missing_or_unknown_site(open_sandbox, auth, query):
    """A missing site looks like bad keys, as the vendor's error page says."""
    answer = await open_sandbox().http.get("/bento/api/v1/stats/site", params=query, auth=auth)
    assert (answer.status_code, answer.json()) == (401, {"error": "Unauthorized"})


async def test_bento_answers_html_to_a_request_without_a_user_agent(open_sandbox):
    """The wall in front of Bento speaks HTML, whatever the keys are."""
    http = open_sandbox().http
    del http.headers["User-Agent"]
    answer = await http.get("/bento/api/v1/stats/site", params=SITE, auth=KEYS)
    assert (answer.status_code, answer.headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert answer.text.startswith("<!DOCTYPE html>")


async def test_bento_accepts_any_site_with_the_sandbox_keys(open_sandbox):
    """Users edit site ids and must still run in the sandbox."""
    answer = await open_sandbox().http.get("/bento/api/v1/stats/site", params=SITE, auth=KEYS)
    assert (answer.status_code, answer.json().keys()) == (
        200,
        {"user_count", "subscriber_count", "unsubscriber_count"},
    )


@pytest.mark.parametrize("key", ["secret-server", "console-other", ""])
async def test_statsig_answers_401_and_repeats_the_key(open_sandbox, key):
    """The vendor's message echoes what was sent, which is what redaction is for."""
    headers = {"STATSIG-API-KEY": key} if key else {}
    answer = await open_sandbox().http.get("/statsig/console/v1/events", headers=headers)
    message = f"This endpoint only accepts an active CONSOLE key, but an invalid key was sent. Key: {key}"
    assert (answer.status_code, answer.json()) == (401, {"status": 401, "message": message})


@pytest.mark.parametrize("value", ["", "Bearer wrong", credentials.AIRBRIDGE_API_TOKEN])
async def test_airbridge_answers_401_as_problem_json(open_sandbox, value):
    """The token must be sent as Bearer."""
    answer = await open_sandbox().http.get(
        "/airbridge/dataspec/v1/apps/demo/revenue-report/metrics", headers={"Authorization": value}
    )
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    body = answer.json()
    trace_id = body.pop("traceId")
    assert trace_id.startswith("1-")
    assert body == {
        "type": "about:blank",
        "title": "UNAUTHORIZED",
        "status": 401,
        "detail": "Unauthorized.",
        "instance": None,
    }


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/bento/api/v1/stats/nothing", 404),
        ("/bento/api/v1/stats", 404),
        ("/statsig/console/v1/nothing", 404),
        ("/statsig/elsewhere/events", 404),
        ("/airbridge/reports/api/v3/apps/demo/revenue/query", 405),
    ],
)
async def test_unknown_paths_are_refused_in_the_vendors_form(open_sandbox, path, status):
    """A wrong path is 404, a wrong method 405, both as JSON."""
    headers = {
        "STATSIG-API-KEY": credentials.STATSIG_CONSOLE_KEY,
        "Authorization": f"Bearer {credentials.AIRBRIDGE_API_TOKEN}",
    }
    auth = httpx.BasicAuth(*KEYS) if path.startswith("/bento") else None
    answer = await open_sandbox().http.get(path, params=SITE, headers=headers, auth=auth)
    assert (answer.status_code, isinstance(answer.json(), dict)) == (status, True)
