"""Fields of a Kiosk account in `defs.yaml`, its connection, and its streams."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Final

from pydantic import Field, field_validator

from analytics_assets.dates import hours_after
from analytics_assets.lake.raw import RawDay, raw_day, request_hash
from analytics_assets.orchestration.source_component import AccountComponent
from analytics_assets.orchestration.source_resource import SessionOptions, SourceResource
from analytics_assets.orchestration.state_resource import BudgetSettings
from analytics_assets.orchestration.stream import SourceStream, with_client
from analytics_assets.orchestration.yaml_component import variable_name
from analytics_assets.sources.kiosk.checks import campaign_checks, sales_checks
from analytics_assets.sources.kiosk.client import BASE_URL, SALES_PATH, KioskClient
from analytics_assets.sources.kiosk.tables import CAMPAIGNS, CAMPAIGNS_RAW, SALES, SALES_RAW
from analytics_assets.sources.kiosk.transform import campaign_rows, sales_rows

# https://docs.kiosk.example/api/limits: 60 requests a minute, counted by host.
RATE_LIMIT: Final = BudgetSettings(requests=60, per_seconds=60)


class KioskResource(SourceResource[KioskClient]):
    """One shop at Kiosk."""

    vendor = "kiosk"
    documented_url = BASE_URL
    secret_fields = ("token_variable",)

    token_variable: str = Field(default="KIOSK_TOKEN", description="Environment variable of the token.")
    base_url: str = Field(default=BASE_URL, description="Address of the API.")
    budget: BudgetSettings = Field(default=RATE_LIMIT, description="Requests that the host may get.")

    def client(self, secrets: Sequence[str], options: SessionOptions) -> KioskClient:
        """A client of the shop."""
        headers = {"Authorization": f"Bearer {secrets[0]}"}
        return KioskClient(self.session(secrets, options, headers=headers))

    async def send_cheapest_request(self, client: KioskClient) -> None:
        """Reads the campaigns."""
        await client.campaigns()


class KioskSales(AccountComponent):
    """A shop at Kiosk: sales by day, and its campaigns as of now."""

    token: str = Field(default="KIOSK_TOKEN", description="Environment variable of the token; never the token itself.")
    final_after_hours: float = Field(default=2.0, description="Hours after the end of a day before it is requested.")

    _names = field_validator("token")(variable_name)

    def resource(self) -> KioskResource:
        """The connection to the shop."""
        return KioskResource(token_variable=self.token, **self.connection(RATE_LIMIT))

    def not_found(self) -> str:
        """The shop, with the variable of its token."""
        return f"the shop of {self.token}"

    def streams(self, account: str) -> list[SourceStream]:
        """The sales by day, and the campaigns as of now."""
        return [
            SourceStream(
                account=account,
                name="sales",
                raw=SALES_RAW,
                typed=(SALES,),
                open=with_client(lambda client, _work: partial(fetch_sales, client)),
                transform=sales_rows,
                request_hash=lambda day: request_hash(SALES_PATH, day),
                final_at=partial(hours_after, hours=self.final_after_hours),
                request_count=lambda days: {f"GET {SALES_PATH}": len(days)},
                checks=sales_checks(self.checks.limits()),
            ),
            SourceStream(
                account=account,
                name="campaigns",
                raw=CAMPAIGNS_RAW,
                typed=(CAMPAIGNS,),
                open=with_client(lambda client, _work: partial(fetch_campaigns, client)),
                transform=campaign_rows,
                request_hash=lambda _day: "campaigns",
                checks=campaign_checks(),
            ),
        ]


async def fetch_sales(client: KioskClient, day: date) -> RawDay:
    """The sales of a day as sent."""
    return raw_day(SALES_RAW, day, await client.sales(day))


async def fetch_campaigns(client: KioskClient, day: date) -> RawDay:
    """The campaigns as sent, under the day on which they were read."""
    return raw_day(CAMPAIGNS_RAW, day, [await client.campaigns()])
