"""An Airbridge app as a Dagster resource: reads the token when it is needed and gives out a plain client.

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
from analytics_assets.orchestration.state_resource import BudgetSettings, place_of
from analytics_assets.settings import settings
from analytics_assets.sources.airbridge.client import (
    BASE_URL,
    AirbridgeClient,
    AirbridgeCredentials,
    airbridge_session,
)
from analytics_assets.state.rate_limit import Caller
from analytics_assets.state.report_ledger import Ledger

# Airbridge names no number, only that use which endangers the service is answered 429: a politeness.
POLITE_BUDGET = BudgetSettings(requests=100, per_seconds=10)


class AirbridgeResource(dg.ConfigurableResource[AirbridgeClient]):
    """One Airbridge app."""

    app_name: str = Field(description="The app's unique name, as in the address of its dashboard.")
    token_variable: str = Field(default="AIRBRIDGE_API_TOKEN", description="Environment variable of the API token.")
    base_url: str = Field(default=BASE_URL, description="Address of the API.")
    budget: BudgetSettings = Field(default=POLITE_BUDGET, description="What the app may spend.")

    def ledger(self) -> Ledger:
        """The ledger of report requests, which runs and the sensor share."""
        chosen = settings()
        try:
            secret = key(chosen, self.token_variable, "AIRBRIDGE_API_TOKEN")
        except AccessRefusedError:
            # Whoever opens a client is told; the ledger itself can be read without a key.
            secret = ""
        return Ledger(chosen.state, secret)

    def budget_key(self) -> str:
        """What Airbridge's limit is taken to count by, since no page says: the app.

        Raises:
            PermanentError: `base_url` is not an address that keys may be sent to.
        """
        return self.budget.key("airbridge", place_of(self.base_url), self.app_name)

    def gate(self, *, clock: Clock, caller: Caller | None = None) -> Gate:
        """The gate of the app's budget."""
        return self.budget.gate(settings(), self.budget_key, caller or Caller(), clock=clock)

    async def greet(self, *, clock: Clock, caller: Caller) -> None:
        """Sends the cheapest request that needs the token; it begins no report task."""
        async with self.open(clock=clock, caller=caller, retries=ONCE) as client:
            await client.metrics()

    @asynccontextmanager
    async def open(
        self, *, clock: Clock, caller: Caller | None = None, retries: RetryPolicy | None = None
    ) -> AsyncIterator[AirbridgeClient]:
        """A client for the length of a run or a tick, for `caller` or else for a person, with the bounds of its retries or else its own.

        Raises:
            AccessRefusedError: The token is not set in live mode; the message names its variable.
        """
        chosen = settings()
        whose = caller or Caller()
        session = airbridge_session(
            credentials=AirbridgeCredentials(
                key(chosen, self.token_variable, "AIRBRIDGE_API_TOKEN"), variables=(self.token_variable,)
            ),
            destination=destination(chosen, vendor="airbridge", base_url=self.base_url, documented=BASE_URL),
            clock=clock,
            gate=self.gate(clock=clock, caller=whose),
            meter=whose.meter,
            retries=retries,
        )
        async with session:
            yield AirbridgeClient(session, self.app_name)
