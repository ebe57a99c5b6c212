"""A Bento site as a Dagster resource: reads the keys when a run needs them and gives out a plain client.

Keep endpoints out of here (`client.py`) and what is pulled too (`source.py`).
Dagster concept: resources, https://docs.dagster.io/guides/build/external-resources
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import dagster as dg
import httpx
from pydantic import Field

from analytics_assets.clock import Clock
from analytics_assets.http.destination import checked, destination, keys
from analytics_assets.http.gate import Gate
from analytics_assets.http.retries import RetryPolicy
from analytics_assets.orchestration.probe import ONCE
from analytics_assets.orchestration.state_resource import BudgetSettings
from analytics_assets.settings import settings
from analytics_assets.sources.bento.client import BASE_URL, BentoClient, BentoCredentials, bento_session
from analytics_assets.state.rate_limit import Caller

# The vendor's sources say 30 and 60 requests an hour for statistics; the newest says 30 and counts by address.
STATS_BUDGET = BudgetSettings(requests=30, per_seconds=3600)


class BentoResource(dg.ConfigurableResource[BentoClient]):
    """One Bento site."""

    publishable_key_variable: str = Field(
        default="BENTO_PUBLISHABLE_KEY", description="Environment variable of the publishable key."
    )
    secret_key_variable: str = Field(default="BENTO_SECRET_KEY", description="Environment variable of the secret key.")
    site_uuid_variable: str = Field(default="BENTO_SITE_UUID", description="Environment variable of the site's UUID.")
    base_url: str = Field(default=BASE_URL, description="Address of the API.")
    budget: BudgetSettings = Field(default=STATS_BUDGET, description="What all sites of the host may spend together.")

    def budget_key(self) -> str:
        """What Bento counts by: the address that asks, so all sites of a host share.

        Raises:
            PermanentError: `base_url` is no address that keys may be sent to.
        """
        return self.budget.key("bento", httpx.URL(checked(self.base_url)).host)

    def gate(self, *, clock: Clock, caller: Caller | None = None) -> Gate:
        """The gate of the budget."""
        return self.budget.gate(settings(), self.budget_key, caller or Caller(), clock=clock)

    async def greet(self, *, clock: Clock, caller: Caller) -> None:
        """Sends the cheapest request that needs the keys."""
        async with self.open(clock=clock, caller=caller, retries=ONCE) as client:
            await client.site()

    @asynccontextmanager
    async def open(
        self, *, clock: Clock, caller: Caller | None = None, retries: RetryPolicy | None = None
    ) -> AsyncIterator[BentoClient]:
        """A client for the length of a run, for `caller` or else for a person, with the bounds of its retries or else its own.

        Raises:
            AccessRefusedError: A key is not set in live mode; the message names its variable.
        """
        chosen = settings()
        variables = (self.publishable_key_variable, self.secret_key_variable, self.site_uuid_variable)
        constants = ("BENTO_PUBLISHABLE_KEY", "BENTO_SECRET_KEY", "BENTO_SITE_UUID")
        found = keys(chosen, variables, constants)
        whose = caller or Caller()
        session = bento_session(
            credentials=BentoCredentials(*found, variables=variables),
            destination=destination(chosen, vendor="bento", base_url=self.base_url, documented=BASE_URL),
            clock=clock,
            gate=self.gate(clock=clock, caller=whose),
            meter=whose.meter,
            retries=retries,
        )
        async with session:
            yield BentoClient(session)
