"""One sandbox in the same process, a clock that tests move, and a world small enough to count on paper."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest

from analytics_assets.sandbox import credentials
from analytics_assets.sandbox.app import create_app
from analytics_assets.sandbox.options import Options
from analytics_assets.sandbox.world import Event, Person, Purchase, World
from analytics_assets_tests.fixed_world import FixedWorld

NOON = datetime(2026, 7, 15, 12, tzinfo=UTC)


class Sandbox:
    """One app with valid credentials; ``now`` is its clock."""

    def __init__(self, options: Options, world: World | None) -> None:
        self.now = NOON
        app = create_app(replace(options, now=lambda: self.now), world)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox")

    async def bento(self, endpoint: str, **query: str) -> httpx.Response:
        """Ask a stats endpoint."""
        keys = (credentials.BENTO_PUBLISHABLE_KEY, credentials.BENTO_SECRET_KEY)
        site = {"site_uuid": credentials.BENTO_SITE_UUID}
        return await self.http.get(f"/bento/api/v1/stats/{endpoint}", params={**site, **query}, auth=keys)

    async def statsig(self, path: str) -> httpx.Response:
        """Ask a path with its query below the console API."""
        key = {"STATSIG-API-KEY": credentials.STATSIG_CONSOLE_KEY}
        return await self.http.get(f"/statsig/console/v1{path}", headers=key)

    async def airbridge(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Ask a path below the API's host."""
        token = {"Authorization": f"Bearer {credentials.AIRBRIDGE_API_TOKEN}"}
        return await self.http.request(method, f"/airbridge{path}", json=body, headers=token)

    async def post_report(self, body: dict[str, Any]) -> str:
        """Create a report task and return its id."""
        answer = await self.airbridge("POST", "/reports/api/v3/apps/demo/revenue/query", body)
        assert answer.status_code == 200, answer.text
        task_id = answer.json()["data"]["taskId"]
        assert answer.json() == {"data": {"taskId": task_id}}
        return str(task_id)

    async def read_report(self, task_id: str, query: str = "") -> httpx.Response:
        """Ask for a report task."""
        return await self.airbridge("GET", f"/reports/api/v3/apps/demo/revenue/query/{task_id}{query}")


@pytest.fixture
async def open_sandbox() -> AsyncIterator[Callable[..., Sandbox]]:
    """A function that opens a sandbox with given options and world."""
    opened: list[Sandbox] = []

    def open_one(options: Options | None = None, world: World | None = None) -> Sandbox:
        opened.append(Sandbox(options or Options(), world))
        return opened[-1]

    yield open_one
    for sandbox in opened:
        await sandbox.http.aclose()


def instant(day: int, hour: int) -> datetime:
    """An hour of a day of July 2026, UTC."""
    return datetime(2026, 7, day, hour, tzinfo=UTC)


def person(name: str, acquired_at: datetime, labels: tuple[str, str, str], *purchases: Purchase) -> Person:
    """A person with (source, channel, campaign), a sign-up, and a checkout for each purchase."""
    source, channel, campaign = labels
    checkouts = (Event("checkout", bought.at, bought.amount_cents / 100) for bought in purchases)
    return Person(
        id=name,
        acquired_at=acquired_at,
        source=source,
        campaign=campaign,
        medium="",
        content="",
        ad="",
        channel=channel,
        purchases=purchases,
        events=(Event("sign_up", acquired_at), *checkouts),
    )


@pytest.fixture
def hand_world() -> FixedWorld:
    """Three people in July 2026: Ann bought for 10.00 and 2.50, Bob for 5.00, Cid nothing; 7.00 were spent."""
    google, facebook = ("google", "google.adwords", "brand"), ("facebook", "facebook.business", 'é"/%')
    ann = person(
        "ann",
        instant(1, 10),
        google,
        Purchase(instant(1, 12), 1_000, "USD", is_first=True, is_subscription=False),
        Purchase(instant(3, 9), 250, "USD", is_first=False, is_subscription=True),
    )
    bob = person(
        "bob", instant(2, 11), facebook, Purchase(instant(2, 20), 500, "USD", is_first=True, is_subscription=False)
    )
    cid = person("cid", instant(2, 15), ("", "unattributed", ""))
    spend = {
        (date(2026, 7, 1), "google.adwords", "brand"): 400,
        (date(2026, 7, 2), "google.adwords", "brand"): 300,
    }
    return FixedWorld([ann, bob, cid], spend)


@pytest.fixture
def report_body() -> dict[str, Any]:
    """A cumulative revenue report of the hand-made people, by channel."""
    return {
        "from": "2026-07-01",
        "to": "2026-07-02",
        "groupBy": {"fields": ["channel"]},
        "granularity": "day",
        "intervalsPeriod": 2,
        "startEvents": ["app_install"],
        "returnEvents": ["app_order_complete"],
        "metric": "app_revenue",
        "aggregationType": "cumulative",
        "filters": [],
        "sorts": [],
    }
