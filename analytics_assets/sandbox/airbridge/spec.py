"""What the simulated Airbridge knows: group-by fields, metrics, events, and the metadata answers that list them.

Here live the vocabularies of Airbridge's Revenue Report page, once, so that what the metadata endpoints say and what a
request may ask agree. The one difference is the vendor's own: for ``app_user_count`` its metadata says ``unique-cumulative``
where its request page says ``cumulative``; a request may say either. Requests are checked in ``airbridge_request``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

AGGREGATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "app_revenue": ("cumulative", "on-day"),
    "app_user_count": ("on-day", "unique-cumulative", "cumulative"),
    "app_event_count": ("cumulative", "on-day"),
    "app_roas": ("cumulative",),
    "app_arpu": ("cumulative",),
    "app_arppu": ("cumulative",),
}
_METRICS: Final = (
    ("app_revenue", "Revenue", "Sum of value generated from revenue events", "number"),
    ("app_user_count", "User Count", "The total number of unique users who performed revenue events", "integer"),
    ("app_event_count", "Event Count", "The total number of revenue events", "integer"),
    ("app_roas", "ROAS", "Return on ad spend<br>Revenue/Total Cost", "number"),
    ("app_arpu", "ARPU", "Average revenue per user who performed Start Event", "number"),
    ("app_arppu", "ARPPU", "Average revenue per paying user", "number"),
)
START_EVENTS: Final[Mapping[str, str]] = {
    "app_install": "Install (App)",
    "app_deeplink_open": "Deeplink Open (App)",
    "app_deeplink_pageview": "Deeplink Pageview (App)",
    "app_sign_up": "Sign-up (App)",
    "app_sign_in": "Sign-in (App)",
}
RETURN_EVENTS: Final[Mapping[str, str]] = {
    "app_order_complete": "Order Complete (App)",
    "app_first_order_complete": "First Order Complete (App)",
    "app_ad_impression": "Ad Impression (App)",
    "app_ad_click": "Ad Click (App)",
    "app_subscribe": "Subscribe (App)",
}
DEFAULT_INTERVALS: Final[Mapping[str, int]] = {"day": 30, "week": 11, "month": 5}
MAX_INTERVALS: Final[Mapping[str, int]] = {"day": 120, "week": 52, "month": 36}
FILTER_TYPES: Final = ("IN", "NOT IN", "LIKE", "NOT LIKE", "EXIST", "NOT EXIST")
SORT_FIELDS: Final = ("totalRevenue", "totalCost", "totalUniqueUsers")
COHORT_FIELD: Final = "cohort"


@dataclass(frozen=True)
class GroupBy:
    """A dimension of the report; cost exists only on those with ``is_cost``."""

    key: str
    name: str
    group: str
    description: str
    example: str
    type: str = "string"
    is_cost: bool = False


_FIELDS: Final = (
    GroupBy(
        "is_first_event_per_user_id",
        "Is First Event per User ID",
        "Event Details",
        "Boolean type data to show whether the event has happened in the past. (per user id)\n- true: First Event. \n- false: Not the First Event\n\n(Both Web/App Event Available)",
        "true",
        "boolean",
    ),
    GroupBy(
        "is_first_event_per_device_id",
        "Is First Event per Device ID",
        "Event Details",
        "Boolean type data to show whether the event has happened in the past. (per airbridge device id)\n- true: First Event. \n- false: Not the First Event\n\n(App Event Available Only)",
        "true",
        "boolean",
    ),
    GroupBy("channel", "Channel", "Touchpoint", "The media source of the touchpoint.", "moloco", is_cost=True),
    GroupBy(
        "campaign",
        "Campaign",
        "Touchpoint",
        "The campaign that generated the touchpoint. The campaign name entered in SAN or collected by the campaign parameter of the tracking link.",
        "2018_summer_campaign",
        is_cost=True,
    ),
    GroupBy("ad_creative", "Ad Creative", "Touchpoint", "The creative that generated the touchpoint.", "ad-1"),
    GroupBy("content", "Content", "Touchpoint", "The content parameter of the tracking link.", "banner"),
    GroupBy("medium", "Medium", "Touchpoint", "The medium parameter of the tracking link.", "cpc"),
    GroupBy("country", "Country", "Location", "The country of the user, by IP address.", "KR"),
)
GROUP_BYS: Final[Mapping[str, GroupBy]] = {field.key: field for field in _FIELDS}


def metrics_body() -> dict[str, Any]:
    """The response of ``revenue-report/metrics``; sub metrics cannot be requested and have no aggregation."""
    metrics = [
        {
            "key": key,
            "name": name,
            "description": description,
            "valueType": value_type,
            "aggregationType": [one for one in AGGREGATIONS[key] if key != "app_user_count" or one != "cumulative"],
        }
        for key, name, description, value_type in _METRICS
    ]
    sub_metrics = [
        {
            "key": "customer_acquisition_cost",
            "name": "CAC",
            "description": "Customer Acquisition Cost; the average cost to acquire a user who performed Start Event within the set date range<br>Total Cost/Users",
            "valueType": "number",
            "aggregationType": None,
        },
        {
            "key": "start_event_users",
            "name": "Users",
            "description": "The number of users who performed Start Event to open the app within the set date range",
            "valueType": "integer",
            "aggregationType": None,
        },
    ]
    return {"data": [{"name": "Metric", "metrics": metrics}, {"name": "Sub Metric", "metrics": sub_metrics}]}


def groupbys_body() -> dict[str, Any]:
    """The response of ``revenue-report/groupbys``."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for field in _FIELDS:
        groups.setdefault(field.group, []).append(
            {
                "key": field.key,
                "name": field.name,
                "description": field.description,
                "example": field.example,
                "isFilter": True,
                "type": field.type,
                "isCost": field.is_cost,
            }
        )
    return {"data": [{"name": name, "fields": fields} for name, fields in groups.items()]}


def events_body() -> dict[str, Any]:
    """The response of ``revenue-report/events``."""
    returns = [
        {
            "subGroup": "App Standard Event",
            "key": key,
            "name": name,
            "description": f"{name} event performed by users who performed the start event within the set date range",
        }
        for key, name in RETURN_EVENTS.items()
    ]
    starts = [
        {
            "subGroup": "",
            "key": key,
            "name": name,
            "description": f"{name.removesuffix(' (App)')} occurred within the set date range",
        }
        for key, name in START_EVENTS.items()
    ]
    return {"data": [{"name": "Return Event", "events": returns}, {"name": "Start Event", "events": starts}]}
