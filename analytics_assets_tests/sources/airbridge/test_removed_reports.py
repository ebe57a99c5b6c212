"""Requests of a report that the YAML no longer has, or has otherwise: they stop no other report, and each says what became of it."""

from datetime import timedelta

import dagster as dg
import pytest

from analytics_assets.sources.airbridge.report_spec import spec_hash
from analytics_assets.sources.airbridge.snapshots import fetch_tasks
from analytics_assets.sources.airbridge.streams import App
from analytics_assets.sources.airbridge.task_decisions import REQUESTS_TAG, PollResult
from analytics_assets_tests.sources.airbridge.sensor_account import (
    DAY,
    NOW,
    REVENUE,
    USERS,
    Account,
    days,
    opened,
    task,
)
from analytics_assets_tests.sources.airbridge.vendor import spec

GONE = spec(name="its_old_name")
WHY = "defs/shop/defs.yaml has no report its_old_name."
APP = App("shop", "UTC", "USD", 4.0)


def test_a_removed_report_is_closed_and_the_others_go_on(account: Account) -> None:
    """The tick says so once; another report is polled and stored in the same tick."""
    gone, kept = opened(account.ledger, 2, of=GONE), task(account.ledger, of=USERS)
    account.vendor.says = {f"t-{kept.id}": PollResult.SUCCESS}

    runs, said, checks = account.tick()

    assert (runs, checks) == ([(1, 1, str(kept.id))], [])
    assert said == (
        "1 closed, 1 ready. its_old_name 2026-03-01 to 2026-03-02 is closed: defs/shop/defs.yaml has no report its_old_name. "
        "If it was renamed, materialize these days under the new name."
    )
    closed = account.ledger.get(gone.id)
    assert (closed.state, closed.is_open, closed.reason, closed.days_left) == ("REMOVED", False, WHY, tuple(days(2)))
    assert account.ledger.history(gone.id) == [("REMOVED", NOW, WHY)]
    assert account.tick()[1] == "1 waiting."


@pytest.mark.parametrize("state", [*PollResult, "INTENT", "POSTED", "a word of a later version"])
def test_a_removed_report_is_closed_whatever_its_state(account: Account, state: str) -> None:
    """Also one that is paused, due later, or in a state that only another version of the program knows."""
    task(account.ledger, state, age_s=3600, due_in_s=3600, of=GONE)
    assert account.tick()[0] == []
    assert account.ledger.open_requests("shop") == []
    assert account.vendor.polled == []


def test_a_report_that_only_a_run_knows_so_far_is_passed_over(account: Account) -> None:
    """A run can have read a newer YAML than the sensor; the tick says what to do, and the request stays for a quarter of an hour."""
    new = task(account.ledger, age_s=60, of=GONE)

    runs, said, checks = account.tick()

    assert (runs, checks) == ([], [])
    assert said == (
        "1 of an unknown report. its_old_name 2026-03-01: defs/shop/defs.yaml has no report its_old_name. Reload the code location if it "
        "is new there."
    )

    assert account.ledger.get(new.id) == new


def test_a_request_that_a_run_has_is_left_to_the_run(account: Account) -> None:
    """Whether the run holds the lease or is at work under the request's number."""
    leased, queued = task(account.ledger, age_s=3600, of=GONE), task(account.ledger, age_s=3600, of=USERS)
    account.ledger.lease(leased.id, "run", seconds=60, now=NOW)
    account.instance.create_run_for_job(
        dg.GraphDefinition(name="store", node_defs=[]).to_job(),
        status=dg.DagsterRunStatus.STARTED,
        tags={REQUESTS_TAG: str(queued.id)},
    )
    assert account.tick(reports=[REVENUE]) == ([], "2 in a run's hands.", [])
    assert {request.id for request in account.ledger.open_requests("shop")} == {leased.id, queued.id}


@pytest.mark.parametrize("tag", ["", "none", "1,?", " , "])
def test_a_tag_that_a_person_has_changed_stops_no_tick(account: Account, tag: str) -> None:
    """A run can be launched again with other tags; the sensor goes on while it is at work."""
    waiting = task(account.ledger, age_s=60)
    account.instance.create_run_for_job(
        dg.GraphDefinition(name="store", node_defs=[]).to_job(),
        status=dg.DagsterRunStatus.STARTED,
        tags={REQUESTS_TAG: tag},
    )
    assert account.tick()[1] == ("1 in a run's hands." if tag.startswith(str(waiting.id)) else "1 waiting.")


async def test_the_tables_of_report_requests_show_what_was_closed(account: Account) -> None:
    """Those of the other reports in their metadata, and that of the report itself once it is back."""
    opened(account.ledger, 2, of=GONE)
    ledger = account.ledger
    ledger.close_removed(1, WHY, now=NOW)

    other = await fetch_tasks("shop", REVENUE, ledger, DAY, clock=lambda: NOW + timedelta(days=29))
    later = await fetch_tasks("shop", REVENUE, ledger, DAY, clock=lambda: NOW + timedelta(days=31))
    back = await fetch_tasks("shop", GONE, ledger, DAY, clock=lambda: NOW)

    assert other.notes["closed_for_removed_reports"] == {"its_old_name": "2026-03-01 to 2026-03-02"}
    assert "closed_for_removed_reports" not in {**later.notes, **back.notes}
    [row] = back.content.select(["state", "is_open", "days_left", "reason"]).to_pylist()
    assert row == {"state": "REMOVED", "is_open": False, "days_left": 2, "reason": WHY}


def test_days_of_an_older_definition_are_requested_with_the_present_one(account: Account) -> None:
    """The older request says why it was closed."""
    old = opened(account.ledger, 2, hashed="old")
    runs, said, _ = account.tick()
    [new] = account.ledger.open_requests("shop")
    assert (new.spec_hash, new.days_left, runs) == (spec_hash(REVENUE), tuple(days(2)), [(1, 2, str(new.id))])
    assert said.startswith("1 to be requested again.")
    closed = account.ledger.get(old.id)
    assert (closed.state, closed.reason) == (
        "SUPERSEDED",
        "The definition of the report was changed; its days are requested with the new one.",
    )


def test_every_open_task_is_polled_in_one_tick(account: Account) -> None:
    """Also where there are more than are polled at once."""
    [*numbers] = (
        request.id
        for request in account.ledger.join_or_open(
            "shop", "users", spec_hash(USERS), days(40), longest=1, now=NOW - timedelta(hours=1)
        )
    )
    for number in numbers:
        account.ledger.begin_attempt(number, now=NOW - timedelta(seconds=60))
        account.ledger.posted(number, f"t-{number}", now=NOW - timedelta(seconds=60))
    assert account.tick()[:2] == ([], "40 waiting.")
    assert len(account.vendor.polled) == len(numbers)
