"""The sandbox as a process of its own, over a real socket."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

import analytics_assets.sandbox as package
from analytics_assets.sandbox import credentials

KEYS = (credentials.BENTO_PUBLISHABLE_KEY, credentials.BENTO_SECRET_KEY)
SITE = {"site_uuid": credentials.BENTO_SITE_UUID}
START = 20.0
ROOT = Path(package.__file__).parents[2]


def command(*arguments):
    """The server's command line."""
    return [sys.executable, "-m", "analytics_assets.sandbox", *arguments]


@pytest.fixture(scope="module")
def server():
    """A server on a free port whose clock starts at a fixed instant; its first line and its address."""
    with subprocess.Popen(
        command("--port", "0", "--now", "2026-07-15T12:00:00Z", "--task-seconds", "0", "--fail-every", "2"),
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        try:
            lines = [process.stdout.readline().strip() for _ in range(2)]
            yield lines, lines[0].rpartition(" ")[2]
        finally:
            process.terminate()
            process.wait(START)


@pytest.fixture
def http(server):
    """A client of the server, which forgets its faults afterwards."""
    with httpx.Client(base_url=server[1], timeout=START) as client:
        yield client
        client.post("/_sandbox/reset")


def test_it_prints_where_it_is_and_what_to_export(server):
    """Two lines, as soon as it answers."""
    (ready, export), url = server
    assert url.startswith("http://127.0.0.1:")
    assert (ready, export) == (f"sandbox ready at {url}", f"export ANALYTICS_SANDBOX_URL={url}")


def test_it_answers_with_its_options(http, report_body):
    """The clock starts where it was told to, and every second task fails."""
    token = {"Authorization": f"Bearer {credentials.AIRBRIDGE_API_TOKEN}"}
    path = "/airbridge/reports/api/v3/apps/demo/revenue/query"
    seen = []
    for _ in range(2):
        task_id = http.post(path, json=report_body, headers=token).json()["data"]["taskId"]
        seen.append(http.get(f"{path}/{task_id}", headers=token).json()["data"]["status"])
    tomorrow = http.post(path, json={**report_body, "to": "2026-07-17"}, headers=token)
    assert (seen, tomorrow.status_code) == (["SUCCESS", "FAILURE"], 400)


def test_an_encoded_slash_arrives_as_one_name(http):
    """The raw path survives the server."""
    key = {"STATSIG-API-KEY": credentials.STATSIG_CONSOLE_KEY}
    answer = http.get("/statsig/console/v1/events/a%2Fb%20l%C3%A4uft/metrics?limit=1&page=1", headers=key)
    assert [one["name"] for one in answer.json()["data"]] == ["a/b läuft"]


def test_a_cut_answer_breaks_off_in_the_middle(http):
    """The promised length never comes; the next request is answered again."""
    http.post("/_sandbox/faults", json=[{"kind": "cut", "times": 1}])
    with pytest.raises(httpx.RemoteProtocolError):
        http.get("/bento/api/v1/stats/site", params=SITE, auth=KEYS)
    assert http.get("/bento/api/v1/stats/site", params=SITE, auth=KEYS).status_code == 200


def test_a_hanging_answer_outlasts_the_callers_patience(http):
    """Nothing is sent; the server does not wait for a caller who has gone."""
    http.post("/_sandbox/faults", json=[{"kind": "hang", "times": 1}])
    with pytest.raises(httpx.ReadTimeout):
        http.get("/bento/api/v1/stats/site", params=SITE, auth=KEYS, timeout=0.2)
    assert http.get("/_sandbox/counts").json() == {"bento GET /stats/site": 1}


@pytest.mark.parametrize("arguments", [("--port", "0", "--now", "2026-07-15T12:00:00"), ()])
def test_it_refuses_an_instant_without_zone_and_a_missing_port(arguments):
    """Usage errors end with status 2."""
    done = subprocess.run(
        command(*arguments),
        capture_output=True,
        timeout=START,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 2


def test_every_option_explains_itself():
    """The help names what a user may set."""
    done = subprocess.run(
        command("--help"),
        capture_output=True,
        timeout=START,
        text=True,
        cwd=ROOT,
        check=True,
    )
    described = {line.split()[0] for line in done.stdout.splitlines() if line.strip().startswith("--")}
    assert {
        "--port",
        "--seed",
        "--latency",
        "--task-seconds",
        "--fail-every",
        "--cancel-every",
        "--forget-every",
    } < described
    assert {"--now", "--host", "--bento-zone", "--bento-end", "--airbridge-zone", "--airbridge-currency"} < described
