"""A look at a task that ends after another one was requested."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from analytics_assets.state.report_ledger import Ledger

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)


def test_what_was_seen_of_an_old_task_is_not_taken_for_the_new_one(tmp_path: Path) -> None:
    """The sensor may still be looking at a task while a run requests another: before its response, and after it."""
    ledger = Ledger(f"sqlite:///{tmp_path}/state.db")
    ledger.join_or_open("shop", "revenue", "a", [date(2026, 3, 1)], longest=92, now=NOW)
    ledger.begin_attempt(1, now=NOW)
    ledger.posted(1, "task-1", now=NOW)
    ledger.begin_attempt(1, now=LATER)
    asking = ledger.get(1)
    assert not ledger.saw(1, "FAILURE", task_id="task-1", now=LATER, reason="too large")
    assert ledger.get(1) == asking
    ledger.posted(1, "task-2", now=LATER)
    asked = ledger.get(1)
    with ledger.at_once():
        assert not ledger.saw(1, "FAILURE", task_id="task-1", now=LATER, reason="too large")
    assert ledger.get(1) == asked
    assert ledger.saw(1, "RUNNING", task_id="task-2", now=LATER)
    assert [state for state, *_ in ledger.history(1)] == ["INTENT", "POSTED", "INTENT", "POSTED", "RUNNING"]
