"""Everything the three clients can ask, each as one operation with a result that can be compared. No assertions here."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from analytics_assets.http.response import JsonResponse
from analytics_assets.sources.airbridge.report_spec import ReportSpec, body
from analytics_assets.sources.bento.client import AdsQuery
from analytics_assets.sources.statsig.client import FullList
from analytics_assets_tests.contract.clients import Clients

DAY = date(2026, 7, 13)
REPORT = ReportSpec(
    name="revenue",
    group_by=("channel", "campaign"),
    metric="app_revenue",
    aggregation="cumulative",
    start_events=("app_install",),
    return_events=("app_order_complete",),
    intervals=7,
)
KEYS = {
    "Bento": "BENTO_PUBLISHABLE_KEY, BENTO_SECRET_KEY, BENTO_SITE_UUID",
    "Statsig": "STATSIG_CONSOLE_KEY (an active Console API key of the project)",
    "Airbridge": "AIRBRIDGE_API_TOKEN (the app's API token)",
}
_QUERY = "/reports/api/v3/apps/{app}/revenue/query"
_SPEC = "/dataspec/v1/apps/{app}/revenue-report"


@dataclass(frozen=True)
class Operation:
    """One thing a client asks.

    Attributes:
        name: In words, as in the docs.
        vendor: The vendor's name.
        endpoint: Method and template as the sandbox counts it.
        ask: Asks it; the text is the id of a finished report task.
        is_second: True if another operation is counted under the same endpoint, so that the two cannot run at once.
    """

    name: str
    vendor: str
    endpoint: str
    ask: Callable[[Clients, str], Awaitable[Any]]
    is_second: bool = False

    @property
    def is_post(self) -> bool:
        """True if it starts work at the vendor."""
        return self.endpoint.startswith("POST")

    @property
    def counted(self) -> str:
        """Its name in the sandbox's counts."""
        return f"{self.vendor.lower()} {self.endpoint}"


async def _post(to: Clients, _: str) -> Any:
    return (await to.airbridge.request_report(body(REPORT, DAY, DAY))).task_id


OPERATIONS = (
    Operation(
        "ads",
        "Bento",
        "GET /stats/ads",
        lambda to, _: to.bento.ads(AdsQuery("source", "all_revenue", "2026-07-13", "2026-07-14")),
    ),
    Operation("site", "Bento", "GET /stats/site", lambda to, _: to.bento.site()),
    Operation("segment", "Bento", "GET /stats/segment", lambda to, _: to.bento.segment("segment_a")),
    Operation("report", "Bento", "GET /stats/report", lambda to, _: to.bento.report("report_a")),
    Operation("values", "Statsig", "GET /metrics/values", lambda to, _: to.statsig.metric_values(DAY)),
    Operation("metrics", "Statsig", "GET /metrics/list", lambda to, _: to.statsig.metrics()),
    Operation(
        "event", "Statsig", "GET /events/{eventName}/metrics", lambda to, _: to.statsig.event_metrics("checkout")
    ),
    Operation("task", "Airbridge", f"POST {_QUERY}", _post),
    Operation("look", "Airbridge", f"GET {_QUERY}/{{task_id}}", lambda to, task: to.airbridge.report_state(task)),
    Operation(
        "pages",
        "Airbridge",
        f"GET {_QUERY}/{{task_id}}",
        lambda to, task: to.airbridge.report_pages(task),
        is_second=True,
    ),
    Operation("metadata metrics", "Airbridge", f"GET {_SPEC}/metrics", lambda to, _: to.airbridge.metrics()),
    Operation("metadata groupbys", "Airbridge", f"GET {_SPEC}/groupbys", lambda to, _: to.airbridge.group_bys()),
    Operation("metadata events", "Airbridge", f"GET {_SPEC}/events", lambda to, _: to.airbridge.events()),
)


def facts(result: Any) -> Any:
    """What a result says of the vendor, without instants and attempts; a task's id is different each time."""
    match result:
        case JsonResponse():
            return result.body
        case FullList():
            return [answer.body for answer in result.answers]
        case list():
            return [page.answer.body for page in result]
        case str():
            return bool(result)
        case _:
            return result.answer.body


def items(result: Any) -> Any:
    """The entries of a list whatever its pages were; otherwise as `facts`."""
    match result:
        case FullList():
            return result.items
        case list():
            return [group.values for page in result for group in page.groups]
        case Exception():
            return None
        case _:
            return facts(result)
