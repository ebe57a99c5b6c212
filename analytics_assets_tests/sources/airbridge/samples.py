"""The sample payloads of the vendor's Revenue Report page, typed in from https://help.airbridge.io/en/references/revenue-report.

No test logic here.
"""

from typing import Any

REQUEST: dict[str, Any] = {
    "from": "2022-11-04",
    "to": "2022-11-11",
    "groupBy": {"fields": ["channel"]},
    "granularity": "day",
    "intervalsPeriod": 30,
    "startEvents": ["app_install"],
    "returnEvents": ["app_order_complete"],
    "metric": "app_revenue",
    "aggregationType": "cumulative",
    "filters": [{"field": "campaign", "filterType": "IN", "values": ["App"]}],
    "sorts": [{"fieldName": "totalRevenue", "isAscending": True}],
    "resultSpec": {"csv": {"includesTotal": True}},
}

CREATED: dict[str, Any] = {"data": {"taskId": "5e286bd4-b4b1-4c04-8f6a-asdf1234zxcv"}}

SUB_ROW: dict[str, Any] = {
    "date": "2021-11-01",
    "total": {
        "totalCost": {"value": 0},
        "totalRevenue": {"value": 10},
        "totalUniqueUsers": {"value": 1, "isMasked": True},
    },
    "values": [
        {"value": 1, "isMasked": False},
        {"value": 2, "isMasked": False},
        {"value": 3, "isMasked": False},
        {"value": 4, "isMasked": False},
    ],
}

NOTIFICATION: dict[str, Any] = {
    "code": "AGG_DATA_MASKING_BY_FACEBOOK",
    "type": "info",
    "message": "some data is masked by facebook privacy policy.",
}

# The page shows one of its 48 rows.
REPORT: dict[str, Any] = {
    "data": {
        "stats": {
            "rows": [
                {
                    "rows": [SUB_ROW],
                    "total": {
                        "rows": [
                            {"value": 1, "isMasked": False},
                            {"value": 2, "isMasked": False},
                            {"value": 3, "isMasked": False},
                            {"value": 4, "isMasked": False},
                        ],
                        "totalCost": {"value": 0},
                        "totalRevenue": {"value": 10.45},
                        "totalUniqueUsers": {"value": 1, "isMasked": False},
                    },
                    "metadata": ["<groupBy>"],
                }
            ]
        },
        "status": "SUCCESS",
        "taskId": "5e286bd4-b4b1-4c04-8f6a-670dc7ce637d",
        "endedAt": "2022-01-17T19:10:00.286939+09:00",
        "hasNext": False,
        "metadata": {"totalCount": 48},
    },
    "notification": [NOTIFICATION],
}

NOT_FOUND: dict[str, Any] = {
    "type": "about:blank",
    "title": "Not Found",
    "status": 404,
    "traceId": "1-000000-000000000000000",
}

METRICS: dict[str, Any] = {
    "data": [
        {
            "name": "Metric",
            "metrics": [
                {
                    "key": "app_revenue",
                    "name": "Revenue",
                    "description": "Sum of value generated from revenue events",
                    "valueType": "number",
                    "aggregationType": ["cumulative", "on-day"],
                },
                {
                    "key": "app_user_count",
                    "name": "User Count",
                    "description": "The total number of unique users who performed revenue events",
                    "valueType": "integer",
                    "aggregationType": ["on-day", "unique-cumulative"],
                },
            ],
        },
        {
            "name": "Sub Metric",
            "metrics": [
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
            ],
        },
    ]
}

GROUP_BYS: dict[str, Any] = {
    "data": [
        {
            "name": "Event Details",
            "fields": [
                {
                    "key": "is_first_event_per_user_id",
                    "name": "Is First Event per User ID",
                    "description": "Boolean type data to show whether the event has happened in the past. (per user id)\n- true: First Event. \n- false: Not the First Event\n\n(Both Web/App Event Available)",
                    "example": "true",
                    "isFilter": True,
                    "type": "boolean",
                    "isCost": False,
                },
                {
                    "key": "is_first_event_per_device_id",
                    "name": "Is First Event per Device ID",
                    "description": "Boolean type data to show whether the event has happened in the past. (per airbridge device id)\n- true: First Event. \n- false: Not the First Event\n\n(App Event Available Only)",
                    "example": "true",
                    "isFilter": True,
                    "type": "boolean",
                    "isCost": False,
                },
            ],
        },
        {
            "name": "Touchpoint",
            "fields": [
                {
                    "key": "channel",
                    "name": "Channel",
                    "description": "The media source of the touchpoint.",
                    "example": "moloco",
                    "isFilter": True,
                    "type": "string",
                    "isCost": True,
                },
                {
                    "key": "campaign",
                    "name": "Campaign",
                    "description": "The campaign that generated the touchpoint. The campaign name entered in SAN or collected by the campaign parameter of the tracking link.",
                    "example": "2018_summer_campaign",
                    "isFilter": True,
                    "type": "string",
                    "isCost": True,
                },
            ],
        },
    ]
}

EVENTS: dict[str, Any] = {
    "data": [
        {
            "name": "Return Event",
            "events": [
                {
                    "subGroup": "App Standard Event",
                    "key": "app_first_order_complete",
                    "name": "First Order Complete (App)",
                    "description": "First Order Complete (App) event performed by users who performed the start event within the set date range",
                },
                {
                    "subGroup": "App Standard Event",
                    "key": "app_order_complete",
                    "name": "Order Complete (App)",
                    "description": "Order Complete (App) event performed by users who performed the start event within the set date range",
                },
            ],
        },
        {
            "name": "Start Event",
            "events": [
                {
                    "subGroup": "",
                    "key": "app_install",
                    "name": "Install (App)",
                    "description": "Install occurred within the set date range",
                },
                {
                    "subGroup": "",
                    "key": "app_deeplink_open",
                    "name": "Deeplink Open (App)",
                    "description": "Deeplink Open occurred within the set date range",
                },
            ],
        },
    ]
}
