"""Bento's four stats endpoints: who may ask, what is asked, and what a refusal means.

Facts: the vendor's page https://bentonow.com/stats names endpoints and parameters. A response that is not of the documented shape
(`responses.py`) is refused here, with one request and before it is kept.
"""

import base64
from dataclasses import dataclass, field

from analytics_assets.clock import Clock
from analytics_assets.errors import PermanentError
from analytics_assets.http.destination import Destination
from analytics_assets.http.meter import Meter
from analytics_assets.http.rate_limiter import RateLimiter
from analytics_assets.http.response import JsonResponse, Response
from analytics_assets.http.retries import RetryPolicy
from analytics_assets.http.session import Session
from analytics_assets.http.statuses import NOT_FOUND, Vendor
from analytics_assets.sources.bento.responses import (
    Ads,
    Counts,
    ReportBody,
    decoded_ads,
    decoded_counts,
    decoded_report,
)

BASE_URL = "https://app.bentonow.com/api/v1"
SITE, SEGMENT, REPORT, ADS = "/stats/site", "/stats/segment", "/stats/report", "/stats/ads"
DIMENSIONS = ("source", "campaign", "medium", "content", "ad")
REVENUE_MODES = ("all_revenue", "first_revenue", "subscriptions")
# The limit counts by the hour and no Retry-After is documented, so a 429 is waited out in minutes.
RETRIES = RetryPolicy(attempts=6, longest_wait_s=900.0, throttled_wait_s=60.0, patience_s=1800.0)


@dataclass(frozen=True)
class AdsQuery:
    """One question to `/stats/ads`.

    Attributes:
        dimension: What is grouped by, one of `DIMENSIONS`.
        revenue_mode: Which revenue events count, one of `REVENUE_MODES`.
        start_date: Start of the window, as sent.
        end_date: End of the window, as sent.
        value: Exact value of the dimension to filter to, or None for the top values.
    """

    dimension: str
    revenue_mode: str
    start_date: str
    end_date: str
    value: str | None = None

    def params(self) -> dict[str, str]:
        """The query; a value that is not set is left out, as the vendor's own client does."""
        given = {"dimension": self.dimension, "value": self.value, "start_date": self.start_date}
        given |= {"end_date": self.end_date, "revenue_mode": self.revenue_mode}
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True)
class BentoCredentials:
    """What opens one site. Nothing of it is shown or stored.

    Attributes:
        publishable_key: User name of HTTP Basic.
        secret_key: Its password.
        site_uuid: Which site; goes into the query of every request.
        variables: Names of the environment variables the three come from, for messages.
    """

    publishable_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    site_uuid: str = field(repr=False)
    variables: tuple[str, ...] = field(
        default=("BENTO_PUBLISHABLE_KEY", "BENTO_SECRET_KEY", "BENTO_SITE_UUID"), kw_only=True
    )

    def headers(self) -> dict[str, str]:
        """Authorization, and a User-Agent with the site as the vendor's own clients have it; a generic one is blocked."""
        return {
            "Authorization": f"Basic {self._token()}",
            "User-Agent": f"analytics_assets/0.1 (+{self.site_uuid})",
        }

    def secrets(self) -> tuple[str, ...]:
        """Everything that must appear in no message and no file."""
        return (self._token(), self.secret_key, self.publishable_key, self.site_uuid)

    def _token(self) -> str:
        return base64.b64encode(f"{self.publishable_key}:{self.secret_key}".encode()).decode()


def bento_session(
    *,
    credentials: BentoCredentials,
    destination: Destination,
    clock: Clock,
    rate_limiter: RateLimiter | None = None,
    meter: Meter | None = None,
    retries: RetryPolicy | None = None,
) -> Session:
    """A session that requests one site; close it after use."""
    return Session(
        vendor=Vendor("Bento", ", ".join(credentials.variables), credentials.secrets()),
        base_url=destination.base_url,
        transport=destination.transport,
        headers=credentials.headers(),
        private_params={"site_uuid": credentials.site_uuid},
        clock=clock,
        retries=retries or RETRIES,
        rate_limiter=rate_limiter,
        meter=meter,
    )


class BentoClient:
    """Asks Bento about one site.

    Every method sends one request, decodes the response as the documented shape and returns both.

    Raises (all methods):
        AccessRefusedError: 401 (keys, or the site) and 403 (firewall or rights).
        PermanentError: Another refusal; a 404 names the segment or report.
        TransientError: 429 and 5xx after all retries.
        UnexpectedPayloadError: A response that is not of the documented shape.
    """

    def __init__(self, session: Session) -> None:
        self.session = session

    async def site(self) -> Response[Counts]:
        """Counts of the whole site as of now, `Counts`. Source: vendor's page, GET /v1/stats/site."""
        return decoded_counts(await self.session.get(SITE, SITE))

    async def segment(self, segment_id: str) -> Response[Counts]:
        """Counts of one segment as of now, `Counts`. Source: vendor's page, GET /v1/stats/segment."""
        return decoded_counts(await self._named(SEGMENT, "segment", segment_id))

    async def report(self, report_id: str) -> Response[ReportBody]:
        """One report as of now, `ReportBody`. Source: vendor's page, GET /v1/stats/report."""
        return decoded_report(await self._named(REPORT, "report", report_id))

    async def ads(self, query: AdsQuery) -> Response[Ads]:
        """Attribution of one window, `Ads`. Source: vendor's page, GET /v1/stats/ads."""
        return decoded_ads(await self.session.get(ADS, ADS, query.params()))

    async def _named(self, endpoint: str, kind: str, name: str) -> JsonResponse:
        try:
            return await self.session.get(endpoint, endpoint, {f"{kind}_id": name})
        except PermanentError as error:
            if error.status != NOT_FOUND:
                raise
            raise PermanentError(
                f"Bento GET {endpoint}: HTTP 404, no {kind} {name!r} at this site.",
                remedy=f"Check `{kind}s` in the YAML, and that the keys are those of the site it belongs to.",
                evidence=error.evidence,
            ) from error
