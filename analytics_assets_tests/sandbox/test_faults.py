"""Scripted faults of the sandbox: pages that move while they are read, shares of requests, and rules that are refused."""

import httpx
import pytest

from analytics_assets.sandbox.__main__ import main
from analytics_assets.sandbox.app import create_app
from analytics_assets.sandbox.faults import parse_rules
from analytics_assets.sandbox.options import Options


@pytest.mark.parametrize(
    ("kind", "moved", "total"), [("overlap", slice(4, 9), 0), ("shrink", slice(6, 11), 1), ("repeat", slice(0, 5), 0)]
)
async def test_a_later_page_moves_as_the_fault_says(open_sandbox, kind, moved, total):
    """It begins an entry too early or too late, or is the first page again; the first page is never touched."""
    sandbox = open_sandbox()
    whole = (await sandbox.statsig("/metrics/list?limit=50&page=1")).json()
    await sandbox.http.post("/_sandbox/faults", json=[{"kind": kind}])
    first = (await sandbox.statsig("/metrics/list?limit=5&page=1")).json()
    second = (await sandbox.statsig("/metrics/list?limit=5&page=2")).json()
    assert (first["data"], second["data"]) == (whole["data"][:5], whole["data"][moved])
    totals = [one["pagination"]["totalItems"] for one in (first, second)]
    assert totals == [len(whole["data"]), len(whole["data"]) - total]


async def test_a_rate_spoils_a_share_of_the_requests_the_same_ones_each_time(open_sandbox):
    """Drawn from the seed, so that a run can be had again."""
    seen = []
    for _ in range(2):
        sandbox = open_sandbox()
        await sandbox.http.post("/_sandbox/faults", json=[{"kind": "status", "status": 503, "rate": 0.25}])
        seen.append([(await sandbox.bento("site")).status_code for _ in range(40)])
    assert seen[0] == seen[1]
    assert 4 <= seen[0].count(503) <= 16


async def test_a_rate_beyond_one_is_refused(open_sandbox):
    """In words."""
    answer = await open_sandbox().http.post("/_sandbox/faults", json=[{"kind": "html", "rate": 2}])
    assert (answer.status_code, answer.json()) == (400, {"error": "rate must be from 0 to 1"})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fault", '{"kind": "status", "rate": 2}'], "argument --fault: rate must be from 0 to 1"),
        (["--fault", "503"], "argument --fault: expected a list of rules"),
    ],
)
def test_the_server_refuses_faults_it_does_not_know(arguments, said, capsys):
    """Before it listens."""
    with pytest.raises(SystemExit) as stopped:
        main(["--port", "0", *arguments])
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


async def test_an_app_can_begin_with_faults():
    """As the server's `--fault` has them."""
    app = create_app(Options(), faults=parse_rules([{"kind": "status", "status": 503, "times": 1}]))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://sandbox") as http:
        assert [(await http.get("/bento/api/v1/stats/site")).status_code for _ in range(2)] == [503, 401]
