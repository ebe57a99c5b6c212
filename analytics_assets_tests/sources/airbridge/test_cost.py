"""A metric made of cost is refused on dimensions by which the vendor knows no cost, before a task is requested."""

from dataclasses import replace

import httpx
import pytest

from analytics_assets.errors import PermanentError
from analytics_assets.http.destination import Destination
from analytics_assets.sandbox.app import Options, create_app
from analytics_assets.sandbox.credentials import AIRBRIDGE_API_TOKEN
from analytics_assets.sources.airbridge.client import AirbridgeClient, AirbridgeCredentials, airbridge_session
from analytics_assets.sources.airbridge.report_spec import ReportSpec
from analytics_assets_tests.sources.airbridge.vendor import NOW

ROAS = ReportSpec(
    name="roas",
    group_by=("channel",),
    metric="app_roas",
    aggregation="cumulative",
    start_events=("app_install",),
    return_events=("app_order_complete",),
)


def sandbox_client() -> AirbridgeClient:
    """A client of the simulated vendor."""
    transport = httpx.ASGITransport(app=create_app(Options(now=lambda: NOW)))
    destination = Destination("http://sandbox/airbridge", transport)
    session = airbridge_session(
        credentials=AirbridgeCredentials(AIRBRIDGE_API_TOKEN), destination=destination, clock=lambda: NOW
    )
    return AirbridgeClient(session, "shop")


async def test_roas_by_a_dimension_without_cost_is_refused_in_words() -> None:
    """The metadata says that cost is not known by country; one request finds that out and no task is requested."""
    client = sandbox_client()

    with pytest.raises(PermanentError) as caught:
        await client.refuse_without_cost(replace(ROAS, group_by=("channel", "country")))

    assert str(caught.value) == (
        "Airbridge report 'roas', group_by: cost is not known by country, so app_roas has no meaning there. "
        "Leave the field out, or choose another metric."
    )
    assert dict(client.session.meter.requests) == {"GET /dataspec/v1/apps/{app_name}/revenue-report/groupbys": 1}


async def test_roas_by_dimensions_with_cost_or_unknown_ones_is_left_to_the_vendor() -> None:
    """Channel has cost; a dimension the metadata does not list is no reason to refuse."""
    await sandbox_client().refuse_without_cost(replace(ROAS, group_by=("channel", "not_listed")))


async def test_a_metric_without_cost_asks_nothing() -> None:
    """Revenue means something by any dimension, so the metadata is not read."""
    client = sandbox_client()

    await client.refuse_without_cost(replace(ROAS, metric="app_revenue", group_by=("country",)))

    assert not client.session.meter.requests
