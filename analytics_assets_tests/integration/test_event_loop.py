"""The event loop of a run: while it turns, its thread waits for no state database."""

import asyncio
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import Connection, Engine, event

from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets.sandbox.options import Options
from analytics_assets.sources.airbridge.source import tasks_stream
from analytics_assets_tests.integration.conftest import Place
from analytics_assets_tests.integration.driven import TASK_S, driven
from analytics_assets_tests.integration.hand_world import hand_world
from analytics_assets_tests.integration.running import SEOUL_APP, days_from, report
from analytics_assets_tests.opened import assets_of

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAYS = days_from(date(2025, 6, 10), 3)


@pytest.fixture
def statements() -> Iterator[list[tuple[str, bool, str]]]:
    """Each SQL statement of this process: its database, whether an event loop runs in its thread, and who sent it."""
    seen: list[tuple[str, bool, str]] = []

    def note(connection: Connection, *_: Any) -> None:
        stack = [frame for frame in traceback.extract_stack() if "/analytics_assets/" in frame.filename]
        callers = " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.name}" for frame in reversed(stack))
        seen.append((str(connection.engine.url), _is_on_loop(), callers))

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)


def _is_on_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def test_a_run_sends_no_statement_to_the_state_database_from_its_event_loop(
    point: Callable[[str], Place],
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    statements: list[tuple[str, bool, str]],
) -> None:
    """A locked database delays the step that needs it; requests in flight and renewals of leases go on."""
    monkeypatch.setenv("ANALYTICS_BUDGET", "on")
    spec = report("revenue", "app_revenue", "cumulative", intervals=2)
    with driven(NOW, point, instance, report=spec, options=Options(task_seconds=TASK_S), world=hand_world()) as account:
        account.materialize(DAYS)
        account.pass_seconds(TASK_S)
        requests, _, _ = account.tick()
        for request in requests:
            account.execute(request)
        tasks = assets_of("airbridge", [tasks_stream("airbridge", SEOUL_APP, spec)], lambda: account.now)
        resources = {"airbridge": account.resource, "lake": LakeResource()}
        assert dg.materialize(tasks, instance=instance, resources=resources).success
        assert account.ledger.open_requests("airbridge") == []
        of_state = [(is_on_loop, callers) for url, is_on_loop, callers in statements if url == account.place.state]
    assert len(of_state) > 100
    assert {callers for is_on_loop, callers in of_state if is_on_loop} == set()
