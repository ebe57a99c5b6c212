"""Base of the vendors' resources: reads the keys of an account when a run needs them, and opens a client.

A source adds its fields, the names of the secret ones, its client and its cheapest request.
Dagster concept: resources, https://docs.dagster.io/guides/build/external-resources
"""

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import ClassVar, Final, Generic, Protocol, TypedDict, TypeVar

import dagster as dg
from pydantic import Field

from analytics_assets.clock import Clock
from analytics_assets.errors import AccessRefusedError
from analytics_assets.http.destination import Destination, destination, has_sandbox, host_of, keys
from analytics_assets.http.meter import Meter
from analytics_assets.http.rate_limiter import RateLimiter
from analytics_assets.http.retries import RetryPolicy
from analytics_assets.http.session import Session
from analytics_assets.http.statuses import Vendor
from analytics_assets.orchestration.state_resource import BudgetSettings
from analytics_assets.settings import settings
from analytics_assets.state.rate_limit import RequestOrigin

# Diagnostics show the result of one request and do not wait for a vendor as a run does.
ONCE: Final = RetryPolicy(attempts=1)
USER_AGENT: Final = "analytics_assets/0.1 (daily tables under Dagster)"


class SourceClient(Protocol):
    """Client of a vendor."""

    session: Session


class SessionOptions(TypedDict):
    """Arguments of a vendor's session that do not depend on the vendor."""

    destination: Destination
    clock: Clock
    rate_limiter: RateLimiter
    meter: Meter
    retries: RetryPolicy | None


Client = TypeVar("Client", bound=SourceClient)


class SourceResource(dg.ConfigurableResource[Client], Generic[Client]):
    """One account of a vendor.

    Attributes:
        vendor: Name of the vendor in lower case: its folder in the sandbox, if it has one, and the first part of a rate limit's key.
        documented_url: Address of the API in the vendor's documentation.
        secret_fields: Fields that hold the name of an environment variable with a secret. The default of each is also the name of the
            sandbox's public constant, where there is a sandbox.
        base_url: Address of the API.
        budget: Requests that the account may send.
    """

    vendor: ClassVar[str]
    documented_url: ClassVar[str]
    secret_fields: ClassVar[tuple[str, ...]]

    base_url: str = Field(description="Address of the API.")
    budget: BudgetSettings = Field(description="What the account may spend.")

    def counted_by(self, secrets: Sequence[str]) -> Sequence[str]:  # noqa: ARG002 - for a source that overrides it
        """What the vendor's rate limit counts by: the host of the address, unless a source overrides it.

        Args:
            secrets: Values of `secret_fields`; empty where they are not set.

        Raises:
            PermanentError: Keys may not be sent to `base_url`.
        """
        return (host_of(self.base_url),)

    @abstractmethod
    def client(self, secrets: Sequence[str], options: SessionOptions) -> Client:
        """A client, from the values of `secret_fields`."""

    @abstractmethod
    async def send_cheapest_request(self, client: Client) -> None:
        """Sends the cheapest request that needs the keys."""

    def session(
        self,
        secrets: Sequence[str],
        options: SessionOptions,
        *,
        headers: Mapping[str, str],
        retries: RetryPolicy | None = None,
    ) -> Session:
        """A session for `client`. Its messages name the vendor and the variables of the keys, and hold none of the secrets.

        Args:
            secrets: Values that no message and no file may hold.
            options: As given to `client`.
            headers: Sent with every request, such as the credentials.
            retries: Bounds of the retries where `options` has none; unset is the default of all sessions.
        """
        to = options["destination"]
        return Session(
            vendor=Vendor(self.vendor.capitalize(), ", ".join(self.secret_variables()), secrets),
            base_url=to.base_url,
            transport=to.transport,
            headers={"User-Agent": USER_AGENT, **headers},
            clock=options["clock"],
            rate_limiter=options["rate_limiter"],
            meter=options["meter"],
            retries=options["retries"] or retries,
        )

    def secret_variables(self) -> tuple[str, ...]:
        """Names of the environment variables that hold the secrets."""
        return tuple(getattr(self, name) for name in self.secret_fields)

    def secrets(self) -> list[str]:
        """Values of the secrets, in sandbox mode the sandbox's.

        Raises:
            AccessRefusedError: A variable is not set in live mode; the message names it. Or there is no sandbox of the vendor.
        """
        constants = [str(type(self).model_fields[name].default) for name in self.secret_fields]
        return keys(settings(), self.secret_variables(), vendor=self.vendor, sandbox_constants=constants)

    def known_secrets(self) -> Sequence[str]:
        """Values of the secrets; empty where they cannot be read."""
        try:
            return self.secrets()
        except AccessRefusedError:
            return ()

    @classmethod
    def has_sandbox(cls) -> bool:
        """True if the sandbox simulates the vendor."""
        return has_sandbox(cls.vendor)

    def budget_key(self, secrets: Sequence[str] | None = None) -> str:
        """Key of the rate limit. Accounts with the same key share it.

        Args:
            secrets: Values of the secrets; by default they are read.

        Raises:
            PermanentError: Keys may not be sent to `base_url`.
        """
        return self.budget.key(self.vendor, *self.counted_by(self.known_secrets() if secrets is None else secrets))

    def rate_limiter(self, *, clock: Clock, origin: RequestOrigin | None = None) -> RateLimiter:
        """The gate of the rate limit."""
        return self.budget.rate_limiter(settings(), self.budget_key, origin or RequestOrigin(), clock=clock)

    async def health_check(self, *, clock: Clock, origin: RequestOrigin) -> None:
        """Sends the cheapest request that needs the keys, once."""
        async with self.open(clock=clock, origin=origin, retries=ONCE) as client:
            await self.send_cheapest_request(client)

    @asynccontextmanager
    async def open(
        self, *, clock: Clock, origin: RequestOrigin | None = None, retries: RetryPolicy | None = None
    ) -> AsyncIterator[Client]:
        """A client for the length of a run or a tick.

        Args:
            clock: The present instant.
            origin: Whose requests they are; a person's by default.
            retries: Bounds of the retries; the vendor's by default.

        Raises:
            AccessRefusedError: A key is not set in live mode; the message names its variable.
        """
        current, requester = settings(), origin or RequestOrigin()
        secrets = self.secrets()
        options = SessionOptions(
            destination=destination(
                current, vendor=self.vendor, base_url=self.base_url, documented=self.documented_url
            ),
            clock=clock,
            rate_limiter=self.budget.rate_limiter(current, partial(self.budget_key, secrets), requester, clock=clock),
            meter=requester.meter,
            retries=retries,
        )
        client = self.client(secrets, options)
        async with client.session:
            yield client


def without_sandbox(definitions: dg.Definitions) -> list[str]:
    """The accounts whose vendor the sandbox does not simulate."""
    resources = definitions.resources or {}
    return sorted(
        name
        for name, resource in resources.items()
        if isinstance(resource, SourceResource) and not resource.has_sandbox()
    )
