"""What is expected of Statsig's streams when it answers in another form: written by hand, before it was run.

A stream that is not named has the same rows, the same figures and as many requests as with the usual form.
"""

from analytics_assets_tests.contract.expected_faults import PERMANENT
from analytics_assets_tests.contract.form_changes import ADDED, Change, refused, setting, unknown

_EVENTS = (
    "sign_up",
    "page%20view",
    "add_to_cart",
    "checkout",
    "a%2Fb%20l%C3%A4uft",
    "sign_in",
    "deeplink_open",
    "deeplink_pageview",
    "ad_impression",
    "ad_click",
)
_PATHS = ("/metrics/list", *(f"/events/{event}/metrics" for event in _EVENTS))
_NOTHING = dict.fromkeys(
    (
        *(
            "directionality",
            "description",
            "created_at",
            "is_permanent",
            "is_read_only",
            "is_hidden",
            "is_verified",
            "tags",
        ),
        *(
            "unit_types",
            "lineage_events",
            "lineage_metrics",
            "is_indirect",
            "team",
            "funnel_count_distinct",
            "funnel_events",
        ),
        *("rollup_time_window", "custom_rollup_start", "custom_rollup_end", "metric_events", "component_metrics"),
        *("warehouse_native", "last_modified_at", "permalink"),
    )
)
STATSIG_BARE = {
    "values": Change(
        rows={"metric_values": setting(numerator=None, denominator=None, input_rows=None, display_name=None)}
    ),
    "definitions": Change(
        rows={"event_metrics": setting(**_NOTHING)}, named={"event_metrics": {"indirect_metrics": 0}}
    ),
}
NO_READING = Change(
    PERMANENT,
    0,
    words="No observation of the definitions was made in the day or after it. Materialize statsig/listing_raw",
)
STATSIG: dict[str, dict[str, Change]] = {
    **{
        key: {}
        for key in (
            *(
                "statsig-next-query",
                "statsig-next-path",
                "statsig-next-full",
                "statsig-next-absolute",
                "statsig-total-absent",
            ),
            *(
                "statsig-reversed",
                "statsig-snake-case",
                "statsig-seconds",
                "statsig-numbers-as-text",
                "statsig-people",
                "statsig-pagination-absent",
            ),
        )
    },
    "statsig-pagination-absent": {"values": Change(requests=14), "listing": Change(requests=22)},
    "statsig-next-beyond": {"values": Change(requests=63), "listing": Change(requests=99)},
    "statsig-total-wrong": {
        "values": Change(most=56, named={"values_raw": {"total_items_declared": 1254}}),
        "listing": Change(most=15, named={"listing_raw": {"total_items_declared": dict.fromkeys(_PATHS, 1254)}}),
    },
    "statsig-extra-fields": {
        "values": Change(named={"metric_values": unknown(ADDED, f"pagination.{ADDED}", f"data[].{ADDED}")}),
        "definitions": Change(named={"event_metrics": unknown(ADDED, f"pagination.{ADDED}", f"data[].{ADDED}")}),
    },
    "statsig-optional-missing": STATSIG_BARE,
    "statsig-optional-null": STATSIG_BARE,
    "statsig-odd-types": {
        "values": Change(rows={"metric_values": setting(metric_type=lambda row: f"{row['metric_type']} 2030")}),
        "definitions": Change(rows={"event_metrics": setting(metric_type=lambda row: f"{row['metric_type']} 2030")}),
    },
    "statsig-odd-ids": {
        "definitions": Change(
            rows={
                "event_metrics": setting(metric_id=lambda row: f"___RENAME_FAILED___ {row['metric_id']}::composite_sum")
            }
        )
    },
    "statsig-required-missing": {
        "values": refused("a value needs metricName, metricType and unitType", 1),
        "listing": refused("missing required field `type`", 1),
        "definitions": NO_READING,
    },
    "statsig-data-missing": {
        "values": refused("missing required field `data`", 1),
        "listing": refused("missing required field `data`", 1),
        "definitions": NO_READING,
    },
    "statsig-key-twice": {
        "values": refused("1 entries stand more than once on one page", 1),
        "listing": refused("1 entries stand more than once on one page", 1),
        "definitions": NO_READING,
    },
    "statsig-next-elsewhere": {
        "values": refused("the next page is said to be on another host, 'elsewhere.example'", 1),
        "listing": refused("the next page is said to be on another host, 'elsewhere.example'", 1),
        "definitions": NO_READING,
    },
}
