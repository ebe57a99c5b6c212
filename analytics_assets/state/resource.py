"""The budget as Dagster configures it, and whose requests a run's are.

Off in the sandbox: nothing is spent there, and the in-process sandbox has no limits, so a demo or a test would wait an hour for nothing.
ANALYTICS_BUDGET=on turns it on, as for a sandbox server that enforces limits; live mode has it on.
Keep the budget itself out of here (`budget.py`) and vendors' numbers too (`sources/*/resource.py`).
Dagster concept: run tags, https://docs.dagster.io/guides/build/assets/metadata-and-tags/tags
"""

from collections.abc import Mapping

import dagster as dg
from pydantic import Field

from analytics_assets.clock import Clock
from analytics_assets.http.session import Gate, OpenGate
from analytics_assets.settings import Settings
from analytics_assets.state.budget import Budget, Caller, Kind, SharedGate


class BudgetSettings(dg.Config):
    """What an account may spend, shared by all processes."""

    requests: int = Field(description="Requests in any window.")
    per_seconds: float = Field(description="Length of the window in seconds.")
    kept_for_schedules: float = Field(
        default=1.0,
        description="Share, 0 to 1, that a backfill leaves to scheduled runs, polls and persons while one of them waits.",
    )

    def budget(self) -> Budget:
        """The plain budget.

        Raises:
            PermanentError: Nothing could be sent with it.
        """
        return Budget(self.requests, self.per_seconds, self.kept_for_schedules)

    def gate(self, chosen: Settings, key: str, caller: Caller, *, clock: Clock) -> Gate:
        """What a session asks before each attempt.

        Args:
            chosen: Whether budgets are kept, and where the state database is.
            key: What the vendor counts by; holds no secret.
            caller: Who asks.
            clock: The present instant.
        """
        return SharedGate(chosen.state, key, self.budget(), caller, clock=clock) if chosen.budget_on else OpenGate()


def kind_of(tags: Mapping[str, str]) -> Kind:
    """Whose requests those of a run are, from its tags. A run of a backfill has its tag; one that a person launched has none."""
    if "dagster/backfill" in tags or "dagster/root_backfill_id" in tags:
        return Kind.BACKFILL
    if "dagster/schedule_name" in tags:
        return Kind.SCHEDULED
    return Kind.SENSOR if "dagster/sensor_name" in tags else Kind.PERSON
