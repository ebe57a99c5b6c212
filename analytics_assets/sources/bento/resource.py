"""A Bento site as a Dagster resource: reads the keys when a run needs them and gives out a plain client.

Keep endpoints out of here (`client.py`) and what is pulled too (`component.py`).
Dagster concept: resources, https://docs.dagster.io/guides/build/external-resources
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import dagster as dg
from pydantic import Field

from analytics_assets.clock import Clock
from analytics_assets.http.destination import destination, key
from analytics_assets.settings import settings
from analytics_assets.sources.bento.client import BASE_URL, BentoClient, BentoCredentials, bento_session


class BentoResource(dg.ConfigurableResource[BentoClient]):
    """One Bento site."""

    publishable_key_variable: str = Field(
        default="BENTO_PUBLISHABLE_KEY", description="Environment variable of the publishable key."
    )
    secret_key_variable: str = Field(default="BENTO_SECRET_KEY", description="Environment variable of the secret key.")
    site_uuid_variable: str = Field(default="BENTO_SITE_UUID", description="Environment variable of the site's UUID.")
    base_url: str = Field(default=BASE_URL, description="Address of the API.")

    @asynccontextmanager
    async def open(self, *, clock: Clock) -> AsyncIterator[BentoClient]:
        """A client for the length of a run.

        Raises:
            AccessRefusedError: A key is not set in live mode; the message names its variable.
        """
        chosen = settings()
        variables = (self.publishable_key_variable, self.secret_key_variable, self.site_uuid_variable)
        constants = ("BENTO_PUBLISHABLE_KEY", "BENTO_SECRET_KEY", "BENTO_SITE_UUID")
        keys = [key(chosen, variable, constant) for variable, constant in zip(variables, constants, strict=True)]
        session = bento_session(
            credentials=BentoCredentials(*keys, variables=variables),
            destination=destination(chosen, vendor="bento", base_url=self.base_url),
            clock=clock,
        )
        async with session:
            yield BentoClient(session)
