"""Statsig's rows of the world on paper, by UTC-8 day. Two events make seven metrics, three of them made by hand and older than the world."""

from datetime import UTC, datetime

from analytics_assets_tests.integration.hand_world import D10, D11, D12, DAYS, NOW, table

_VALUES = (
    # 10 June: ann, bob and cid sign up; checkouts of 10.00, 5.40 and 2.50 (ann, bob, cid). 17.90 / 3 = 5.966666...
    (D10, "sign_up", "event_count", 3.0, 3),
    (D10, "sign_up", "event_dau", 3.0, 3),
    (D10, "checkout", "event_count", 3.0, 3),
    (D10, "checkout", "event_dau", 3.0, 3),
    (D10, "purchase_value", "sum", 17.9, 3),
    (D10, "average_order_value", "mean", 5.966667, 3),
    (D10, "test funnel 1", "funnel", 1.0, 6),
    # 11 June: ann's 4.99 alone. Nobody enters the funnel.
    (D11, "sign_up", "event_count", 0.0, 0),
    (D11, "sign_up", "event_dau", 0.0, 0),
    (D11, "checkout", "event_count", 1.0, 1),
    (D11, "checkout", "event_dau", 1.0, 1),
    (D11, "purchase_value", "sum", 4.99, 1),
    (D11, "average_order_value", "mean", 4.99, 1),
    (D11, "test funnel 1", "funnel", 0.0, 1),
    # 12 June: dee and eve sign up, dee checks out for 10.79. One of two passes the funnel.
    (D12, "sign_up", "event_count", 2.0, 2),
    (D12, "sign_up", "event_dau", 2.0, 2),
    (D12, "checkout", "event_count", 1.0, 1),
    (D12, "checkout", "event_dau", 1.0, 1),
    (D12, "purchase_value", "sum", 10.79, 1),
    (D12, "average_order_value", "mean", 10.79, 1),
    (D12, "test funnel 1", "funnel", 0.5, 3),
)
# Each person has one user id and one device, so all unit types say the same.
METRIC_VALUES = [
    row | {"unit_type": unit, "is_overall": is_overall, "display_name": row["metric_name"]}
    for row in table(
        ("date", "metric_name", "metric_type", "value", "input_rows"), *_VALUES, numerator=None, denominator=None
    )
    for unit, is_overall in (("overall", True), ("userID", False), ("stableID", False))
]


def _when(year: int, month: int, day: int) -> datetime:
    """Metrics made by hand are created at 15:20:07.415 UTC."""
    return datetime(year, month, day, 15, 20, 7, 415_000, tzinfo=UTC)


_UNITS = ["userID", "stableID"]
_FUNNEL = [{"name": "sign_up", "type": "event_dau"}, {"name": "checkout", "type": "event_dau"}]
_FUNNEL_OF = ["sign_up::event_dau", "checkout::event_dau"]
_SUM_OF = '[{"name":"checkout","type":"value","metadataKey":"value","criteria":[]}]'
_MEAN_OF = '[{"name":"checkout","type":"value","criteria":[{"type":"value","condition":"non_null","values":[]}]}]'
# Automatic metrics: of the first event at 09:30 and 09:31, of the second seven hours later.
_FIRST, _FIRST_DAU, _SECOND, _SECOND_DAU = (
    datetime(2023, 1, 2, hour, minute, tzinfo=UTC) for hour in (9, 16) for minute in (30, 31)
)
# fmt: off
_DEFINITIONS = table(
    (
        "event_name",
        "metric_id",
        "metric_name",
        "metric_type",
        "description",
        "created_at",
        "is_verified",
        "tags",
        "unit_types",
        "lineage_events",
        "lineage_metrics",
        "is_indirect",
        "funnel_count_distinct",
        "funnel_events",
        "metric_events",
        "last_modified_at",
    ),
    ("sign_up", "sign_up::event_count", "sign_up", "event_count", "", _FIRST, False, [], None, ["sign_up"], [], False, None, None, None, None),
    ("sign_up", "sign_up::event_dau", "sign_up", "event_dau", "", _FIRST_DAU, False, [], None, ["sign_up"], [], False, None, None, None, None),
    # A funnel has no event in its lineage: both events have it through the metrics of its steps.
    ("sign_up", "test funnel 1::funnel", "test funnel 1", "funnel", "", _when(2023, 9, 20), False, ["Funnels"], None, [], _FUNNEL_OF, True, "users", _FUNNEL, None, None),
    ("checkout", "checkout::event_count", "checkout", "event_count", "", _SECOND, False, ["dashboard_test"], None, ["checkout"], [], False, None, None, None, None),
    ("checkout", "checkout::event_dau", "checkout", "event_dau", "", _SECOND_DAU, False, ["dashboard_test"], None, ["checkout"], [], False, None, None, None, None),
    ("checkout", "purchase_value::sum", "purchase_value", "sum", "Money in USD", _when(2023, 1, 3), True, ["Core"], _UNITS, ["checkout"], [], False, None, None, _SUM_OF, _when(2023, 1, 4)),
    ("checkout", "average_order_value::mean", "average_order_value", "mean", "", _when(2023, 2, 14), False, [], _UNITS, ["checkout"], [], False, None, None, _MEAN_OF, _when(2023, 2, 15)),
    ("checkout", "test funnel 1::funnel", "test funnel 1", "funnel", "", _when(2023, 9, 20), False, ["Funnels"], None, [], _FUNNEL_OF, True, "users", _FUNNEL, None, None),
    directionality="increase",
    is_permanent=False,
    is_read_only=False,
    is_hidden=False,
    team=None,
    rollup_time_window=None,
    custom_rollup_start=None,
    custom_rollup_end=None,
    component_metrics=None,
    warehouse_native=None,
    permalink=None,
    creator_name=None,
    creator_email=None,
    owner_name=None,
    owner_email=None,
    last_modifier_name=None,
    last_modifier_email=None,
    observed_at=NOW,
)
# fmt: on
# Read on the 13th (12:30 in UTC-8): that observes the 12th, and the days before it are rebuilt.
EVENT_METRICS = [row | {"date": day, "is_reconstructed": day != D12} for day in DAYS for row in _DEFINITIONS]
