"""The sensor of report tasks, row by row: what the ledger holds and the vendor says, and what one tick makes of it.

The sensor and the ledger are production's; the vendor answers as the row says, and the clock stands still.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from analytics_assets.errors import AccessRefusedError, Evidence, LakeError, PermanentError, TransientError
from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets.sources.airbridge.task_decisions import PollResult
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.sources.airbridge.sensor_account import (
    NOW,
    Account,
    days,
    leased,
    opened,
    posted_anew,
    refused,
    task,
    without_task,
)

RESUMES = "It resumes when the key or the report is changed; or materialize the days to ask again."
NOT_FOUND = PermanentError("HTTP 404", evidence=Evidence("GET /task", status=404))


@dataclass(frozen=True)
class Row:
    """A situation and what one tick makes of it.

    Attributes:
        name: The situation.
        has: What the ledger holds.
        polled: Tasks polled.
        runs: Runs launched: first and last day of March, and the requests.
        words: What the tick says.
        state: State of the first request afterwards.
        next_s: Seconds until the first request is due again, or None.
        warns: True if the check warns.
        vendor: What the vendor does.
    """

    name: str
    has: Callable[[Ledger], Any]
    polled: list[str]
    runs: list[tuple[int, int, str]]
    words: str
    state: str | None = None
    next_s: float | None = None
    warns: bool = False
    vendor: dict[str, Any] = field(default_factory=dict)


MARCH_1 = [(1, 1, "1")]
READY = "1 ready."
ROWS = [
    Row("nothing is open", lambda _: None, [], [], "none."),
    Row(
        "an intent was never posted",
        opened,
        [],
        MARCH_1,
        "1 to be requested again. revenue 2026-03-01 is requested again after attempt 0: INTENT.",
        "INTENT",
        60,
    ),
    Row("a task is pending", task, ["t-1"], [], "1 waiting.", "PENDING", 10),
    Row("a young task is polled sooner", lambda it: task(it, age_s=12), ["t-1"], [], "1 waiting.", "PENDING", 3),
    Row("a task is not due", lambda it: task(it, "RUNNING", due_in_s=5), [], [], "1 waiting.", "RUNNING", 5),
    Row(
        "a task has no end in time",
        lambda it: task(it, age_s=900),
        ["t-1"],
        [],
        "1 failed. revenue 2026-03-01: OVERDUE. The sensor of shop requests a new task in 30 s.",
        "OVERDUE",
        30,
    ),
    Row(
        "a task has finished",
        task,
        ["t-1"],
        MARCH_1,
        READY,
        "SUCCESS",
        60,
        vendor={"says": {"t-1": PollResult.SUCCESS}},
    ),
    Row(
        "a run has stored nothing of a finished task",
        lambda it: task(it, "SUCCESS", runs=1),
        [],
        MARCH_1,
        READY,
        "SUCCESS",
        120,
    ),
    Row("nor have three", lambda it: task(it, "SUCCESS", runs=3), [], MARCH_1, READY, "SUCCESS", 480),
    Row("nor have five", lambda it: task(it, "SUCCESS", runs=5), [], MARCH_1, READY, "SUCCESS", 1920),
    Row(
        "nor have six",
        lambda it: task(it, "SUCCESS", runs=6),
        [],
        [],
        "1 failed. revenue 2026-03-01: UNUSABLE (it was not stored in 6 runs; their logs say why). "
        "The sensor of shop requests a new task in 30 s.",
        "UNUSABLE",
        30,
        warns=True,
    ),
    Row("a run is due later", lambda it: task(it, "SUCCESS", runs=1, due_in_s=7), [], [], "1 waiting.", "SUCCESS", 7),
    Row(
        "a task has failed",
        task,
        ["t-1"],
        [],
        "1 failed. revenue 2026-03-01: FAILURE (too large). The sensor of shop requests a new task in 30 s.",
        "FAILURE",
        30,
        vendor={"says": {"t-1": PollResult.FAILURE}},
    ),
    Row(
        "the third task has failed",
        lambda it: task(it, attempts=3),
        ["t-1"],
        [],
        "1 failed. revenue 2026-03-01: FAILURE (too large). This was attempt 3. The sensor of shop requests a new task in 120 s.",
        "FAILURE",
        120,
        warns=True,
        vendor={"says": {"t-1": PollResult.FAILURE}},
    ),
    Row(
        "the pause after a failure is over",
        lambda it: task(it, "FAILURE"),
        [],
        MARCH_1,
        "1 to be requested again. revenue 2026-03-01 is requested again after attempt 1: FAILURE (a reason).",
        "FAILURE",
        60,
    ),
    Row(
        "the vendor has forgotten the task",
        task,
        ["t-1"],
        [],
        "1 failed. revenue 2026-03-01: FORGOTTEN (HTTP 404). The sensor of shop requests a new task in 30 s.",
        "FORGOTTEN",
        30,
        vendor={"says": {"t-1": NOT_FOUND}},
    ),
    Row(
        "the vendor is away",
        task,
        ["t-1"],
        [],
        "1 waiting. revenue 2026-03-01: TROUBLE (HTTP 503).",
        "TROUBLE",
        10,
        vendor={"says": {"t-1": TransientError("HTTP 503")}},
    ),
    Row(
        "the vendor is away beyond the deadline",
        lambda it: task(it, "TROUBLE", age_s=900),
        ["t-1"],
        [],
        "1 waiting. revenue 2026-03-01: UNSEEN (HTTP 503).",
        "UNSEEN",
        10,
        warns=True,
        vendor={"says": {"t-1": TransientError("HTTP 503")}},
    ),
    Row(
        "the same, and people know",
        lambda it: task(it, "UNSEEN", age_s=930),
        ["t-1"],
        [],
        "1 waiting. revenue 2026-03-01: UNSEEN (HTTP 503).",
        "UNSEEN",
        10,
        vendor={"says": {"t-1": TransientError("HTTP 503")}},
    ),
    Row(
        "the vendor refuses the key",
        task,
        ["t-1"],
        [],
        "1 paused. revenue 2026-03-01: REFUSED (HTTP 401). Nothing more is requested until this is fixed.",
        "REFUSED",
        0,
        warns=True,
        vendor={"says": {"t-1": AccessRefusedError("HTTP 401")}},
    ),
    Row(
        "a request was refused",
        refused,
        [],
        [],
        f"1 paused. revenue 2026-03-01 is paused: HTTP 401. {RESUMES}",
        "REFUSED",
        0,
    ),
    Row(
        "a request was refused with another key",
        refused,
        [],
        MARCH_1,
        "1 to be requested again. revenue 2026-03-01 is requested again after attempt 1: refused before, and the key has changed since "
        "(REFUSED (HTTP 401.)).",
        "REFUSED",
        60,
        vendor={"key": "another key"},
    ),
    Row(
        "no client can be opened",
        task,
        [],
        [],
        "none. AIRBRIDGE_API_TOKEN is not set.",
        "POSTED",
        None,
        vendor={"closed": AccessRefusedError("AIRBRIDGE_API_TOKEN is not set.")},
    ),
    Row("a run polls the task", lambda it: leased(it, "POSTED", 1), [], [], "1 in a run's hands.", "POSTED"),
    Row("a run reads the report", lambda it: leased(it, "SUCCESS", 1), [], [], "1 in a run's hands.", "SUCCESS", -1),
    Row("a run posts a new task", lambda it: leased(it, "FAILURE", 1), [], [], "1 in a run's hands.", "FAILURE", -1),
    Row("a lease has ended", lambda it: leased(it, "POSTED", -1), ["t-1"], [], "1 waiting.", "PENDING", 10),
    Row(
        "a run posts a new task while the old one is seen as finished",
        task,
        ["t-1"],
        [],
        READY,
        "POSTED",
        None,
        vendor={"says": {"t-1": PollResult.SUCCESS}, "meanwhile": posted_anew},
    ),
    Row(
        "the id of a task is lost",
        without_task,
        [],
        MARCH_1,
        "1 to be requested again. revenue 2026-03-01 is requested again after attempt 2: RUNNING.",
        "RUNNING",
        60,
    ),
    Row(
        "the days of a request need several runs, which count as one try",
        lambda it: task(it, "SUCCESS", count=14),
        [],
        [(1, 7, "1"), (8, 14, "1")],
        READY,
        "SUCCESS",
        60,
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_each_situation_has_one_outcome(account: Account, row: Row) -> None:
    """What is polled, launched, said, remembered and warned of."""
    row.has(account.ledger)
    for name, value in row.vendor.items():
        setattr(account.vendor, name, value)
    tries = [request.store_runs for request in account.ledger.all_requests("shop", "revenue")]

    runs, said, checks = account.tick()

    assert (account.vendor.polled, runs, said) == (row.polled, row.runs, row.words)
    assert [(one.check_name, one.passed) for one in checks] == [("reports_arrive", False)] * row.warns
    for request, before in zip(account.ledger.all_requests("shop", "revenue"), tries, strict=True):
        due = request.next_poll_at and (request.next_poll_at - NOW).total_seconds()
        assert (request.state, due, request.store_runs) == (row.state, row.next_s, before + bool(row.runs))


def test_a_missing_lake_stops_the_tick(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No task is polled and no run launched that could store nothing; a finished report does not become unusable by it."""
    monkeypatch.setenv("ANALYTICS_LAKE", str(tmp_path / "lake"))
    LakeResource().open().files.check_writable()
    task(account.ledger)
    (tmp_path / "lake").rename(tmp_path / "away")
    with pytest.raises(LakeError, match="The lake is not at"):
        account.tick()
    [request] = account.ledger.all_requests("shop", "revenue")
    assert (account.vendor.polled, request.store_runs) == ([], 0)
    (tmp_path / "away").rename(tmp_path / "lake")
    assert account.tick()[1] == "1 waiting."


def test_days_before_the_first_one_of_the_account_are_not_stored_and_then_closed(account: Account) -> None:
    """`start_date` was set while a request was open: a run that holds such a day would fail whole, and be launched for ever."""
    request = task(account.ledger, PollResult.SUCCESS, count=3)
    first_day = days(3)[2]
    assert account.tick(first_day=first_day)[:2] == ([(3, 3, "1")], "1 ready.")
    account.ledger.mark_stored(request.id, first_day, now=NOW)
    runs, said, _ = account.tick(first_day=first_day)
    assert (runs, said) == (
        [],
        "1 closed. revenue 2026-03-01 to 2026-03-02 is closed: these days are before the account's first day, 2026-03-03.",
    )
    assert account.ledger.get(request.id).is_open is False
    assert account.ledger.get(request.id).reason == "these days are before the account's first day, 2026-03-03."
    assert account.tick(first_day=first_day)[:2] == ([], "none.")
