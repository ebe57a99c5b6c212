"""The client against the simulated vendor and against scripted pages: paths, paging, refusals."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from analytics_assets.errors import AccessRefusedError, PermanentError, TransientError, UnexpectedPayloadError
from analytics_assets.sandbox.options import Options
from analytics_assets.sources.statsig.client import StatsigCredentials, event_of
from analytics_assets_tests.sources.statsig.vendor import NOW, Sandboxed, clock, metric, page, paged, value

DAY = date(2026, 7, 8)


async def test_every_request_asks_for_pages_of_a_hundred_with_key_version_and_agent():
    """Limit and page always go together, and the headers are those of the vendor's page."""
    vendor = paged(page([value("a")]))
    await vendor.client().metric_values(DAY)
    request = vendor.requests[0]
    asked = {name: request.headers[name] for name in ("statsig-api-key", "statsig-api-version", "user-agent")}
    assert [str(one.url) for one in vendor.requests] == [
        "https://statsigapi.net/console/v1/metrics/values?date=2026-07-08&limit=100&page=1"
    ]
    assert asked == {
        "statsig-api-key": "console-secret",
        "statsig-api-version": "20240601",
        "user-agent": "analytics_assets/0.1 (daily tables under Dagster)",
    }


async def test_the_values_of_a_day_are_read_over_all_pages_of_the_vendor():
    """The sandbox cuts pages to 20, whatever is requested; paging follows what it says."""
    sandbox = Sandboxed(Options(now=clock, statsig_max_limit=20))
    whole = await Sandboxed().client.metric_values(DAY)
    reading = await sandbox.client.metric_values(DAY)
    log = await sandbox.control("GET", "/requests")
    assert [row.key for row in reading.items] == [row.key for row in whole.items]
    assert len(reading.answers) == len(log) == -(-len(whole.items) // 20) > 2
    assert reading.miscount is None


@pytest.mark.parametrize("event", ["checkout", "page view", "a/b läuft"])
async def test_an_event_of_any_spelling_gives_its_metrics(event: str):
    """Spaces, slashes and letters beyond ASCII arrive as one part of the path, decoded once."""
    reading = await Sandboxed().client.event_metrics(event)
    direct = [one for one in reading.items if one.lineage and event in (one.lineage.events or [])]
    assert [one.name for one in direct[:2]] == [event, event]
    assert {event_of(answer.path) for answer in reading.answers} == {event}


@pytest.mark.parametrize("event", ["a/b", "a%2Fb", "50% + ::é?#", " lead", "../metrics", "~x_y-z.", "\u0000"])
async def test_the_event_name_comes_back_from_the_path_as_it_was_given(event: str):
    """Every letter that means something in an address is encoded, and the exact name can be recovered from raw."""
    vendor = paged(page([]))
    reading = await vendor.client().event_metrics(event)
    segments = vendor.requests[0].url.raw_path.split(b"?")[0].split(b"/")
    assert (len(segments), segments[3], segments[5]) == (6, b"events", b"metrics")
    assert event_of(reading.answers[0].path) == event


@pytest.mark.parametrize("event", ["", ".", ".."])
async def test_an_event_no_address_can_name_is_refused_without_a_request(event: str):
    """Such a path would be shortened on its way and request something else."""
    vendor = paged(page([]))
    with pytest.raises(PermanentError, match="no address can name the event"):
        await vendor.client().event_metrics(event)
    assert vendor.requests == []


async def test_the_list_of_metrics_holds_hidden_ones_too():
    """Events that only hidden metrics are made from would not be discovered otherwise."""
    reading = await Sandboxed().client.metrics()
    assert "ad_money" in [one.name for one in reading.items if one.is_hidden]


async def test_an_event_nobody_has_logged_has_no_metrics():
    """The vendor declares no 404 there and answers an empty list."""
    assert (await Sandboxed().client.event_metrics("never seen")).items == ()


async def test_a_refused_key_costs_one_request_and_is_named_by_its_variable_only():
    """The vendor repeats the key in its message; ours must not."""
    sandbox = Sandboxed(key="console-wrong-key-123")
    with pytest.raises(AccessRefusedError) as caught:
        await sandbox.client.metric_values(DAY)
    evidence = caught.value.evidence
    assert await sandbox.control("GET", "/counts") == {"statsig GET /metrics/values": 1}
    assert "STATSIG_CONSOLE_KEY" in str(caught.value)
    assert "console-wrong-key-123" not in f"{caught.value} {evidence}"


def test_credentials_do_not_show_the_key():
    """A key in a traceback or a log is a key to change."""
    assert repr(StatsigCredentials("console-secret")) == "StatsigCredentials(variables=('STATSIG_CONSOLE_KEY',))"


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 500}, {"kind": "truncated"}, {"kind": "empty"}])
async def test_a_passing_fault_is_asked_again(fault: dict[str, Any]):
    """A 500 and a broken body pass by themselves; the response says how many attempts it took."""
    sandbox = Sandboxed()
    await sandbox.control("POST", "/faults", [{**fault, "times": 1}])
    reading = await sandbox.client.event_metrics("checkout")
    assert [answer.attempts for answer in reading.answers] == [2]


async def test_faults_that_stay_end_as_transient_after_three_attempts():
    """The policy of the session bounds it."""
    sandbox = Sandboxed()
    await sandbox.control("POST", "/faults", [{"kind": "status", "status": 503}])
    with pytest.raises(TransientError, match="503"):
        await sandbox.client.metrics()
    assert await sandbox.control("GET", "/counts") == {"statsig GET /metrics/list": 3}


async def test_an_unknown_event_is_named():
    """The session knows the template only; the client adds which event it was."""
    with pytest.raises(PermanentError, match=r"Event 'gone': .*404"):
        await paged().client().event_metrics("gone")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([], "Expected `object`, got `array`"),
        ({"message": "x"}, "missing required field `data`"),
        (page([{"value": 1, "unitType": "overall", "metricName": "a"}]), "a value needs metricName, metricType"),
        (page([{**value("a"), "value": "many"}]), r"Expected `float \| null`, got `str` - at `\$.data\[0\].value`"),
    ],
)
async def test_values_of_another_shape_are_refused_with_one_request(body: Any, said: str):
    """What is not as documented never becomes raw, and asking again would not fix it."""
    vendor = paged(body)
    with pytest.raises(UnexpectedPayloadError, match=said):
        await vendor.client().metric_values(DAY)
    assert len(vendor.requests) == 1


@pytest.mark.parametrize("missing", ["id", "name", "type"])
async def test_a_definition_without_identity_is_refused(missing: str):
    """The path of the request is in the message, so that the event is known."""
    body = page([{name: held for name, held in metric("a").items() if name != missing}])
    with pytest.raises(UnexpectedPayloadError, match=f"/events/checkout/metrics page 1: .*`{missing}`"):
        await paged(body).client().event_metrics("checkout")


async def test_a_creation_time_no_calendar_has_is_refused_before_it_is_kept():
    """Otherwise every later day made from this observation would fail."""
    with pytest.raises(UnexpectedPayloadError, match="createdTime"):
        await paged(page([metric("a", createdTime=1e300)])).client().metrics()


async def test_answers_say_when_they_were_asked_for_and_with_what():
    """Raw needs the query, the path and the instants."""
    reading = await paged(page([value("a")])).client().metric_values(DAY)
    answer = replace(reading.answers[0], body=b"")
    assert (answer.endpoint, answer.path, answer.params, answer.requested_at) == (
        "GET /metrics/values",
        "/metrics/values",
        (("date", "2026-07-08"), ("limit", "100"), ("page", "1")),
        NOW,
    )
