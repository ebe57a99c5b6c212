"""Keys that are missing or refused and vendors that do not answer, several in one set-up: each is told in a line of its own."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from analytics_assets.clock import utc_now
from analytics_assets_tests.integration.server import Sandbox
from analytics_assets_tests.operations.doctor.patient import ACCOUNTS, Patient, Visit


@pytest.fixture(scope="module")
def refused(admit: Callable[[], Patient], vendors: Sandbox) -> Visit:
    """One key is wrong, one is missing, an app is unknown; no daemon has ever run."""
    patient = admit()
    patient.environment["SHOP_SECRET"] = "sk_mistyped"
    del patient.environment["LAB_KEY"]
    vendors.spoil(vendor="airbridge", kind="status", status=404)
    try:
        return patient.visited()
    finally:
        vendors.mend()


@pytest.fixture(scope="module")
def unanswered(admit: Callable[[], Patient], vendors: Sandbox) -> tuple[Patient, Visit, datetime]:
    """One vendor answers with a page, one wants to be left alone, one is not there, and the clock is ten minutes ahead."""
    patient = admit()
    vendors.spoil(vendor="bento", kind="html")
    vendors.spoil(vendor="statsig", kind="status", status=429, retry_after=7200)
    patient.writes("app", ACCOUNTS["app"].format(url="http://127.0.0.1:1"))
    try:
        return patient, patient.visited(later=timedelta(minutes=10)), utc_now()
    finally:
        vendors.mend()


def instant(line: tuple[str, str, str]) -> tuple[datetime, tuple[str, str, str]]:
    """The instant that a finding names, and the line without it."""
    verdict, found, remedy = line
    [named] = re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", found)
    return datetime.fromisoformat(f"{named}+00:00"), (verdict, found.replace(named, "INSTANT"), remedy)


def test_a_refused_key_is_named_by_its_variables(refused) -> None:
    """401."""
    assert (refused.status, refused.line("keys", "shop: accepted")) == (
        1,
        (
            "wrong",
            "Bento GET /stats/site: HTTP 401 (Unauthorized): the keys are refused",
            "Set SHOP_PUBLISHABLE, SHOP_SECRET, SHOP_SITE to active keys of the account.",
        ),
    )


def test_a_missing_key_is_named_and_nobody_is_asked_without_it(refused) -> None:
    """Its variable and the file that names it."""
    assert [line for line in refused.lines("keys") if line[0].startswith("lab")] == [
        (
            "lab: LAB_KEY",
            "wrong",
            "not set",
            "Set it where the daemon and the code server run; defs/lab/defs.yaml names it.",
        ),
        ("lab: accepted", "not checked", "a key is missing", "Set the variable named above."),
    ]


def test_an_unknown_app_is_named(refused) -> None:
    """404."""
    verdict, found, remedy = refused.line("keys", "app: accepted")
    assert (verdict, remedy) == ("wrong", "Check it, APP_TOKEN, and `base_url` in defs/app/defs.yaml.")
    assert found.startswith("Airbridge GET /dataspec/v1/apps/{app_name}/revenue-report/metrics: HTTP 404 (Not Found)")
    assert found.endswith(": the app 'myapp' of `app_name` is unknown")


def test_a_daemon_that_has_never_run_is_told(refused) -> None:
    """With the two ways to start it."""
    assert refused.lines("daemon") == [
        (
            "heartbeats",
            "wrong",
            "none has ever been seen",
            "Start it: `dagster-daemon run` with this DAGSTER_HOME, or `make dev`.",
        )
    ]


def test_a_page_in_place_of_an_answer_is_told(unanswered) -> None:
    """With status 200, as of a login page."""
    assert unanswered[1].line("keys", "shop: accepted") == (
        "wrong",
        "Bento GET /stats/site: HTTP 200, not JSON: an HTML page came from 127.0.0.1: the keys were not looked at",
        "Allow this machine's address and User-Agent there; check HTTPS_PROXY, and `base_url` in defs/shop/defs.yaml.",
    )


def test_a_host_that_is_not_there_is_told(unanswered) -> None:
    """After one attempt."""
    assert unanswered[1].line("keys", "app: accepted") == (
        "wrong",
        "Airbridge GET /dataspec/v1/apps/{app_name}/revenue-report/metrics: no connection to 127.0.0.1 (Connect call failed ('127.0.0.1', 1))",
        "Check the network, the name resolution and `base_url` in defs/app/defs.yaml.",
    )


def test_a_vendor_that_wants_to_be_left_alone_is_told_with_the_instant(unanswered) -> None:
    """429 with Retry-After of two hours: a warning, and a pause of one, which a command ends."""
    _, visit, now = unanswered
    ends = "`analytics-assets resume lab` ends the pause now. If it comes back, lower `budget` in defs/lab/defs.yaml."
    until, told = instant(visit.line("keys", "lab: accepted"))
    assert told == (
        "warning",
        "Statsig wants no request until INSTANT UTC (HTTP 429)",
        f"Wait; all processes do. {ends}",
    )
    assert timedelta() <= now + timedelta(minutes=70) - until < timedelta(minutes=1)
    paused_until, paused = instant(visit.line("budget", "lab"))
    reason = "GET /metrics/list: HTTP 429, Retry-After: 7200"
    assert paused == (
        "warning",
        f"all requests are paused until INSTANT UTC ({reason})",
        f"Wait; all processes do. {ends}",
    )
    assert abs(paused_until - until) < timedelta(seconds=5)


def test_what_the_budget_holds_back_is_not_waited_for(unanswered) -> None:
    """A second visit asks nobody whose door is closed, and says until when."""
    patient, _, _ = unanswered
    _, told = instant(patient.visited().line("keys", "lab: accepted"))
    assert told == (
        "not checked",
        "GET /metrics/list waits until INSTANT UTC: the vendor asked all requests to wait (Retry-After)",
        "Ask again then; the budget holds for the doctor too.",
    )


def test_a_clock_that_is_ahead_is_told(unanswered) -> None:
    """By the Date header of whoever answered, refusals too."""
    verdict, found, remedy = unanswered[1].line("clock", "this machine's clock")
    assert (verdict, remedy) == ("wrong", "Set the clock by NTP: days would be requested too early or too late.")
    assert re.fullmatch(r"beside Statsig's: 6\d\d s ahead, Bento's: 6\d\d s ahead", found)
