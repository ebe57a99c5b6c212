"""Work that nobody looks after: a dead daemon, a sensor that is off, stuck report tasks and late days."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest

from analytics_assets.clock import utc_now
from analytics_assets.sources.airbridge.task_decisions import PollResult, TaskPolicy, judge
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.operations.doctor.patient import Patient, Visit, beats, switched


@pytest.fixture(scope="module")
def neglected(admit: Callable[[], Patient]) -> tuple[Visit, datetime]:
    """The daemon is dead, a sensor is off, a schedule failed, report tasks are stuck, days are late."""
    patient, now = admit(), utc_now()
    ledger = Ledger(patient.environment["ANALYTICS_STATE"])

    def opened(number: int, state: PollResult, *, seen_at: datetime, reason: str | None = None) -> None:
        asked_at, task = now - timedelta(hours=3), f"task{number}"
        wanted = [date(2026, 3, number)]
        [request] = ledger.join_or_open("app", "revenue", f"spec{number}", wanted, longest=92, now=asked_at)
        ledger.begin_attempt(request.id, now=asked_at)
        ledger.posted(request.id, task, now=asked_at)
        judge(ledger.get(request.id), state, reason, now=seen_at, policy=TaskPolicy(deadline_s=86400)).record(ledger)

    at = datetime.fromisoformat("2026-03-09T07:50:00+00:00")
    opened(1, PollResult.REFUSED, seen_at=at, reason="HTTP 401: check APP_TOKEN.")
    opened(2, PollResult.UNUSABLE, seen_at=at, reason="the rows are of another report")
    opened(3, PollResult.RUNNING, seen_at=now - timedelta(hours=2))
    opened(4, PollResult.RUNNING, seen_at=now)
    newest = (now - timedelta(hours=4)).date() - timedelta(days=1)
    patient.lands(newest - timedelta(days=4), newest - timedelta(days=2))
    with patient.instance() as instance:
        beats(instance, age=timedelta(hours=5))
        switched(instance, "app_reports", is_on=False, is_sensor=True)
        switched(
            instance, "lab_daily", is_on=True, is_sensor=False, failure="The key LAB_KEY is console-sandbox.\nMore."
        )
    return patient.visited("--offline"), now


def test_a_dead_daemon_is_told_with_the_age_of_its_heartbeat(neglected) -> None:
    """One line, however many threads it had."""
    assert neglected[0].lines("daemon") == [
        (
            "heartbeats",
            "wrong",
            "the last one is 5 h old",
            "Start it: `dagster-daemon run` with this DAGSTER_HOME, or `make dev`.",
        )
    ]


def test_a_sensor_that_is_off_is_told(neglected) -> None:
    """Report tasks would never land."""
    assert neglected[0].lines("sensors") == [
        (
            "app_reports",
            "wrong",
            "switched off, though the project needs this sensor",
            "Switch it on in the UI under Automation.",
        )
    ]


def test_a_tick_that_failed_is_told_in_the_words_of_its_cause_without_a_key(neglected) -> None:
    """Whatever brought the key there."""
    assert neglected[0].line("schedules", "lab_daily") == (
        "wrong",
        "on; its last tick failed at 2026-03-01 08:15 UTC: The key LAB_KEY is [redacted].",
        "Fix what it names; the tick of the schedule in the UI has all of it.",
    )


def test_report_tasks_are_told_by_what_becomes_of_them(neglected) -> None:
    """Paused, unusable, looked at by nobody, and one that is fine."""
    told = [
        (*line[:2], re.sub(r"\d+ s ago", "# s ago", line[2]), line[3]) for line in neglected[0].lines("report tasks")
    ]
    assert told == [
        (
            "app/revenue 2026-03-01",
            "wrong",
            "paused since 2026-03-09 07:50 UTC (HTTP 401: check APP_TOKEN)",
            "It resumes when the key or the report is changed; or materialize the days to ask again.",
        ),
        (
            "app/revenue 2026-03-02",
            "wrong",
            "UNUSABLE in attempt 1 (the rows are of another report)",
            (
                "The sensor requests a new task at 2026-03-09 07:50 UTC. "
                "Compare the response kept under `_quarantine` in the lake with the vendor's page."
            ),
        ),
        (
            "app/revenue 2026-03-03",
            "warning",
            "RUNNING in attempt 1, requested 3 h ago, last seen 2 h ago",
            "See that the daemon runs and the sensor app_reports is on: nobody looks.",
        ),
        ("app/revenue 2026-03-04", "ok", "RUNNING in attempt 1, requested 3 h ago, last seen # s ago", ""),
    ]


def test_late_days_are_told_with_the_instant_they_were_due(neglected) -> None:
    """The newest ones are wrong, a gap is a warning; as the check says it."""
    visit, now = neglected
    newest = (now - timedelta(hours=4)).date() - timedelta(days=1)
    day = timedelta(days=1)
    remedy = "See whether the account's schedule is on and its last run was green; then materialize the days named, as one range."
    late = f"{newest - day} to {newest}: missing; could be stored since {newest} 01:00 UTC"
    gap = f"{newest - 3 * day}: missing; could be stored since {newest - 2 * day} 01:00 UTC"
    assert [line for line in visit.lines("days") if line[0] == "shop/ads_chart"] == [
        ("shop/ads_chart", "warning", gap, remedy),
        ("shop/ads_chart", "wrong", late, remedy),
    ]
