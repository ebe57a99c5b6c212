"""A Statsig project as a Dagster resource: reads the key when a run needs it and gives out a plain client.

Keep endpoints out of here (`client.py`) and what is pulled too (`source.py`).
Dagster concept: resources, https://docs.dagster.io/guides/build/external-resources
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import dagster as dg
from pydantic import Field

from analytics_assets.clock import Clock
from analytics_assets.errors import AccessRefusedError
from analytics_assets.http.destination import destination, key
from analytics_assets.http.gate import Gate
from analytics_assets.http.retries import RetryPolicy
from analytics_assets.orchestration.probe import ONCE
from analytics_assets.orchestration.state_resource import BudgetSettings, mark_of, place_of
from analytics_assets.settings import settings
from analytics_assets.sources.statsig.client import BASE_URL, StatsigClient, StatsigCredentials, statsig_session
from analytics_assets.state.rate_limit import Caller

# 900 in 15 minutes a project, the most that any page allows in the long run; in windows short enough for small bursts only.
READ_BUDGET = BudgetSettings(requests=10, per_seconds=10)


class StatsigResource(dg.ConfigurableResource[StatsigClient]):
    """One Statsig project."""

    console_key_variable: str = Field(
        default="STATSIG_CONSOLE_KEY", description="Environment variable of the Console API key."
    )
    base_url: str = Field(default=BASE_URL, description="Address of the API.")
    budget: BudgetSettings = Field(default=READ_BUDGET, description="What the project may spend.")

    def budget_key(self) -> str:
        """What Statsig counts by: the project, known by its address and its key. A key that is not set is known by its variable.

        Raises:
            PermanentError: `base_url` is not an address that keys may be sent to.
        """
        place = place_of(self.base_url)
        try:
            secret = key(settings(), self.console_key_variable, "STATSIG_CONSOLE_KEY")
        except AccessRefusedError:
            return self.budget.key("statsig", place, self.console_key_variable)
        return self.budget.key("statsig", place, mark_of(secret, place))

    def gate(self, *, clock: Clock, caller: Caller | None = None) -> Gate:
        """The gate of the budget."""
        return self.budget.gate(settings(), self.budget_key, caller or Caller(), clock=clock)

    async def greet(self, *, clock: Clock, caller: Caller) -> None:
        """Sends the cheapest request that needs the key."""
        async with self.open(clock=clock, caller=caller, retries=ONCE) as client:
            await client.first_metric()

    @asynccontextmanager
    async def open(
        self, *, clock: Clock, caller: Caller | None = None, retries: RetryPolicy | None = None
    ) -> AsyncIterator[StatsigClient]:
        """A client for the length of a run, for `caller` or else for a person, with the bounds of its retries or else its own.

        Raises:
            AccessRefusedError: The key is not set in live mode; the message names its variable.
        """
        chosen = settings()
        whose = caller or Caller()
        session = statsig_session(
            credentials=StatsigCredentials(
                key(chosen, self.console_key_variable, "STATSIG_CONSOLE_KEY"), variables=(self.console_key_variable,)
            ),
            destination=destination(chosen, vendor="statsig", base_url=self.base_url, documented=BASE_URL),
            clock=clock,
            gate=self.gate(clock=clock, caller=whose),
            meter=whose.meter,
            retries=retries,
        )
        async with session:
            yield StatsigClient(session)
