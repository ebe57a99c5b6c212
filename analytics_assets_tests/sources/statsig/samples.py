"""The sample answers of Statsig's own pages, typed in.

`EVENT_METRICS` is the whole sample of https://docs.statsig.com/api-reference/events/get-metrics-using-event-name; `VALUES` and `SINGLE_VALUES` are
the two spellings of a value row. No test logic here.
"""

EVENT_METRICS = """
{
  "message": "Metrics listed successfully.",
  "data": [
    {
      "id": "add_to_cart::event_count",
      "name": "add_to_cart",
      "directionality": "increase",
      "type": "event_count",
      "description": "",
      "isPermanent": false,
      "isReadOnly": false,
      "isHidden": false,
      "isVerified": false,
      "tags": [
        "dashboard_test"
      ],
      "createdTime": 1678165878415,
      "lineage": {
        "events": [
          "add_to_cart"
        ],
        "metrics": []
      },
      "team": null
    },
    {
      "id": "add_to_cart::event_dau",
      "name": "add_to_cart",
      "directionality": "increase",
      "type": "event_dau",
      "description": "",
      "isPermanent": false,
      "isReadOnly": false,
      "isHidden": false,
      "isVerified": false,
      "tags": [
        "asdf",
        "dashboard_test"
      ],
      "createdTime": 1680128775716,
      "lineage": {
        "events": [
          "add_to_cart"
        ],
        "metrics": []
      },
      "team": null
    },
    {
      "id": "test funnel 1::funnel",
      "name": "test funnel 1",
      "directionality": "increase",
      "type": "funnel",
      "description": "",
      "isPermanent": false,
      "isReadOnly": false,
      "isHidden": false,
      "isVerified": false,
      "tags": [],
      "creatorName": "Test User",
      "creatorEmail": "test@statsig.com",
      "createdTime": 1695253296002,
      "owner": {
        "name": "Test User"
      },
      "lineage": {
        "events": [],
        "metrics": [
          "add_to_cart::event_count",
          "add_to_cart_games::event_count_custom"
        ]
      },
      "team": null,
      "funnelCountDistinct": "events",
      "funnelEventList": [
        {
          "name": "add_to_cart",
          "type": "event_count"
        },
        {
          "name": "add_to_cart_games",
          "type": "event_count_custom"
        }
      ]
    },
    {
      "id": "super_long_metric_nameeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee_thing::funnel",
      "name": "super_long_metric_nameeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee_thing",
      "directionality": "increase",
      "type": "funnel",
      "description": "test",
      "isPermanent": false,
      "isReadOnly": false,
      "isHidden": false,
      "isVerified": false,
      "tags": [
        "Funnels"
      ],
      "creatorName": "Test User ",
      "creatorEmail": "test@statsig.com",
      "createdTime": 1698427486777,
      "owner": {
        "name": "Test User"
      },
      "lineage": {
        "events": [],
        "metrics": [
          "add_to_cart::event_dau",
          "new_custom_metric::event_user"
        ]
      },
      "team": null,
      "funnelCountDistinct": "users",
      "funnelEventList": [
        {
          "name": "add_to_cart",
          "type": "event_dau"
        },
        {
          "name": "new_custom_metric",
          "type": "event_user"
        }
      ]
    },
    {
      "id": "test_funnel_metric::funnel",
      "name": "test_funnel_metric",
      "directionality": "decrease",
      "type": "funnel",
      "description": "",
      "isPermanent": false,
      "isReadOnly": false,
      "isHidden": false,
      "isVerified": false,
      "tags": [
        "Funnels"
      ],
      "creatorName": "Test User",
      "creatorEmail": "test@statsig.com",
      "createdTime": 1701984009755,
      "owner": {
        "name": "Test User"
      },
      "lineage": {
        "events": [],
        "metrics": [
          "add_to_cart::event_dau"
        ]
      },
      "team": null,
      "funnelCountDistinct": "users",
      "funnelEventList": [
        {
          "name": "add_to_cart",
          "type": "event_dau"
        }
      ]
    }
  ],
  "pagination": {
    "itemsPerPage": 5,
    "pageNumber": 1,
    "totalItems": 1254,
    "nextPage": "?page=2&limit=5",
    "previousPage": null,
    "all": ""
  }
}
"""

VALUES = """
{
  "message": "Metric values listed successfully.",
  "data": [
    {"value": 21377, "unitType": "overall", "numerator": null, "denominator": null,
     "metricName": "Page Loads", "metricType": "event_count_custom"},
    {"value": 21377, "unitType": "stableID", "numerator": null, "denominator": null,
     "metricName": "Page Loads", "metricType": "event_count_custom"},
    {"value": 21355, "unitType": "userID", "numerator": null, "denominator": null,
     "metricName": "Page Loads", "metricType": "event_count_custom"},
    {"value": 646524, "unitType": "stableID", "numerator": null, "denominator": null,
     "metricName": "Average Time Spent on Page", "metricType": "event_user"},
    {"value": 5676, "unitType": "stableID", "numerator": null, "denominator": null,
     "metricName": "Page Latency", "metricType": "mean"}
  ],
  "pagination": {
    "itemsPerPage": 5,
    "pageNumber": 1,
    "totalItems": 5767,
    "nextPage": "/console/v1/metrics/values?date=2024-02-04&page=2&limit=5",
    "previousPage": null
  }
}
"""

SINGLE_VALUES = """
{
  "message": "Metric values listed successfully.",
  "data": [
    {"value": "0.25", "unit_type": "userID", "numerator": 1, "denominator": "4", "row_count": 12.0,
     "metric_name": "checkout rate", "metric_type": "ratio"},
    {"value": null, "unit_type": "overall", "numerator": 0, "denominator": 0, "input_rows": 0,
     "metric_name": "checkout rate", "metric_type": "ratio"}
  ]
}
"""
