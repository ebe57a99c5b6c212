"""What the client refuses: with which error, after how many requests, and in which words."""

from dataclasses import replace
from datetime import date
from typing import Any

import httpx
import msgspec
import pytest

from analytics_assets.errors import AccessRefusedError, PermanentError, TransientError, UnexpectedPayloadError
from analytics_assets.sources.airbridge.client import (
    QUERY,
    TASK,
    AirbridgeClient,
    AirbridgeCredentials,
)
from analytics_assets.sources.airbridge.report_spec import body
from analytics_assets_tests.sources.airbridge.samples import (
    CREATED,
    EVENTS,
    NOT_FOUND,
    REQUEST,
)
from analytics_assets_tests.sources.airbridge.vendor import (
    Sandboxed,
    Scripted,
    always,
    group,
    report,
    spec,
    sub_row,
)

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 14)


@pytest.mark.parametrize(
    "said", [{}, [], {"data": {}}, {"data": {"taskId": ""}}, {"data": [1]}, {"task": {"taskId": 5}}]
)
async def test_a_created_task_without_an_id_is_refused_after_one_request(said: Any):
    """Without its id the task is lost; asking again is not this room's decision."""
    vendor = always(said)
    with pytest.raises(UnexpectedPayloadError):
        await vendor.client().request_report(REQUEST)
    assert len(vendor.requests) == 1


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"data": {"taskId": "t-1"}}, "it has no status: neither data.status nor task.status"),
        ({"data": {"status": "SUCCESS"}}, "neither data.stats.rows nor revenue.data.rows"),
        (report([{"metadata": ["a"]}]), "missing required field `rows`"),
        (report([group(["a"], {"date": "2026-03-01"})]), "missing required field `values`"),
        (report([group(["a"], {"values": []})]), "missing required field `date`"),
        (report([group(["a"], sub_row("1 March", 1))]), "Invalid isoformat string: '1 March'"),
        (report([group(["a"], sub_row("2026-03-01", "many"))]), "Invalid decimal string"),
        (report([group(["a"], sub_row("2026-03-01"), sub_row("2026-03-01T00:00:00"))]), "a group has 2026-03-01 twice"),
        (report([group([["a"]])]), "a group value is list"),
        (report([group("a")]), "Expected `array"),
    ],
)
async def test_a_page_that_is_not_as_documented_is_refused_after_one_request(said: Any, problem: str):
    """Nothing of it is kept as raw; the whole body is the evidence."""
    vendor = always(said)
    with pytest.raises(UnexpectedPayloadError, match=problem) as caught:
        await vendor.client().report_page("t-1")
    assert (len(vendor.requests), caught.value.evidence.body) == (1, msgspec.json.encode(said).decode())


@pytest.mark.parametrize("status", ["PENDING", "FAILURE", "CANCELED", "PAUSED"])
async def test_rows_of_an_unfinished_task_are_not_read(status: str):
    """The state decides what happens next, and it is looked at again."""
    said = report([group(["a"])], total=1)
    said["data"]["status"] = status
    with pytest.raises(TransientError, match=f"task t-1 is {status}"):
        await always(said).client().report_page("t-1")


async def test_a_refused_token_costs_one_request_and_is_named_by_its_variable_only():
    """401 is decided on the status; no message and no evidence repeats the token."""
    sandbox = Sandboxed(token="wrong-token")
    with pytest.raises(AccessRefusedError) as caught:
        await sandbox.client.metrics()
    assert sum((await sandbox.control("GET", "/counts")).values()) == 1
    assert "AIRBRIDGE_API_TOKEN" in str(caught.value)
    assert "wrong-token" not in f"{caught.value} {caught.value.evidence}"


def test_credentials_do_not_show_the_token():
    """A token in a traceback or a log is a token to change."""
    assert repr(AirbridgeCredentials("secret-token")) == "AirbridgeCredentials(variables=('AIRBRIDGE_API_TOKEN',))"


@pytest.mark.parametrize(
    "fault", [{"kind": "status", "status": 500}, {"kind": "status", "status": 429}, {"kind": "truncated"}]
)
async def test_a_passing_fault_of_a_list_is_asked_again(fault: dict[str, Any]):
    """The response says how many attempts it took."""
    sandbox = Sandboxed()
    await sandbox.control("POST", "/faults", [{**fault, "times": 1}])
    assert (await sandbox.client.events()).attempts == 2


async def test_faults_that_stay_end_as_transient():
    """The policy of the session bounds the attempts."""
    sandbox = Sandboxed()
    await sandbox.control("POST", "/faults", [{"kind": "status", "status": 503}])
    with pytest.raises(TransientError, match="503"):
        await sandbox.client.report_state("t-1")
    assert sum((await sandbox.control("GET", "/counts")).values()) == 3


async def test_a_refused_report_says_what_the_vendor_says():
    """The errors of a 400 name the place in the body."""
    asked = body(replace(spec(), group_by=("planet",)), FIRST, LAST)
    with pytest.raises(PermanentError, match=r"400 \(Bad Request: invalid_request: .*groupBy.*permitted: .*channel"):
        await Sandboxed().client.request_report(asked)


async def call(client: AirbridgeClient, name: str) -> Any:
    """Calls a method that needs nothing, or the request with the page's sample."""
    return await (client.request_report(REQUEST) if name == "request_report" else getattr(client, name)())


@pytest.mark.parametrize("name", ["request_report", "metrics", "group_bys", "events"])
async def test_an_unknown_app_is_named(name: str):
    """No other day of it will fare better, so the account as a whole is refused."""
    with pytest.raises(
        AccessRefusedError, match=r"There is no such app.*requested is 'unknown-shop'. Check its name"
    ) as caught:
        await call(Sandboxed(app_name="unknown-shop").client, name)
    assert caught.value.evidence.status == 404


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_an_app_that_no_address_can_name_is_refused(name: str):
    """Such a path would be shortened on its way and request something else."""
    with pytest.raises(PermanentError, match="no address can name the app"):
        always(CREATED).client(name)


async def test_a_task_the_vendor_no_longer_knows_is_told_by_its_status():
    """It is neither a refusal of the app nor something that passes; what to do is decided elsewhere."""
    with pytest.raises(PermanentError, match="does not know the task 't-1' of the app 'shop', or no longer") as caught:
        await always((404, NOT_FOUND)).client().report_state("t-1")
    evidence = caught.value.evidence
    assert (type(caught.value), evidence.status, evidence.trace_id) == (PermanentError, 404, "1-000000-000000000000000")
    assert evidence.endpoint == f"GET {TASK}"


async def test_a_task_forgotten_by_the_sandbox_is_not_found():
    """From the moment it would have succeeded, the id leads nowhere."""
    sandbox = Sandboxed({"forget_every": 1})
    handle = await sandbox.client.request_report(body(spec(), FIRST, LAST))
    sandbox.wait(3)
    with pytest.raises(PermanentError, match="does not know the task"):
        await sandbox.client.report_state(handle.task_id)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({}, "missing required field `data`"),
        (EVENTS, "'Return Event' has no 'metrics'"),
        ({"data": [{"name": "Metric", "metrics": [{"name": "x"}]}]}, "missing required field `key`"),
    ],
)
async def test_a_list_that_is_not_as_documented_is_refused(said: Any, problem: str):
    """An entry without a key cannot be named in a spec."""
    with pytest.raises(UnexpectedPayloadError, match=problem):
        await always(said).client().metrics()


async def test_a_post_without_an_answer_is_not_repeated():
    """The vendor may have begun the work, and a second POST is a second task."""

    def cut(request: httpx.Request) -> Any:
        raise httpx.ReadTimeout("", request=request)

    vendor = Scripted(cut)
    with pytest.raises(TransientError, match=rf"POST {QUERY}: no complete answer".replace("{", r"\{")):
        await vendor.client().request_report(REQUEST)
    assert len(vendor.requests) == 1
