"""The tables made from Statsig: values by day, definitions by event and day, and both kinds of answers as sent.

Declarations only; rows are made in `transform.py`. Columns follow the vendor's fields, described from
https://docs.statsig.com/api-reference/events/get-metrics-using-event-name and the page "List All Metric Values".
"""

import pyarrow as pa

from analytics_assets.lake.raw import raw_table
from analytics_assets.lake.table import DATE, MOMENT, Column, Origin, Table

DEFINITIONS_URL = "https://docs.statsig.com/api-reference/events/get-metrics-using-event-name"
VALUES_URL = "https://docs.statsig.com/api-reference/metrics/list-all-metric-values"
_TEXTS = pa.list_(pa.string())
_STEPS = pa.list_(pa.struct([pa.field("name", pa.string(), nullable=False), pa.field("type", pa.string())]))
_DAY = "The metric day: a fixed UTC-8 day all year round, unless the company has moved it."
_PERSONAL = "Personal; null unless `keep_personal_fields` is set."

VALUES_RAW = raw_table(
    "values_raw",
    "Pages of all metric values of one day. Equal pages of a later request leave the day as it is.",
    VALUES_URL,
)

METRIC_VALUES = Table(
    name="metric_values",
    description=(
        "The value of each metric on one day, one row per metric and unit type. The rows of a metric say the same thing in different units: "
        "never sum them; filter by `is_overall` or by one `unit_type`. Values have no metric id, and an id built as "
        "`metric_name::metric_type` can differ from `event_metrics.metric_id`: join on name and type."
    ),
    docs_url=VALUES_URL,
    origin=Origin(VALUES_RAW, "body"),
    example="""
select date, metric_name, metric_type, value
from days where is_overall order by date desc, metric_name, metric_type""",
    key=("metric_name", "metric_type", "unit_type"),
    columns=(
        Column(DATE, pa.date32(), _DAY, made_from=(DATE,)),
        Column("metric_name", pa.string(), "Name of the metric; free text, blanks included."),
        Column(
            "metric_type", pa.string(), "Type of the metric, such as event_count, event_dau, sum, mean, ratio, funnel."
        ),
        Column("unit_type", pa.string(), "What is counted by: `overall`, userID, stableID or a custom id."),
        Column("is_overall", pa.bool_(), "True if `unit_type` is `overall`; at most one row of a metric."),
        Column(
            "value",
            pa.float64(),
            "The value, in the metric's own unit (a count, a sum, a ratio).",
            nullable=True,
            unit="the metric's own",
        ),
        Column(
            "numerator",
            pa.float64(),
            "Numerator of a ratio; null where none was sent.",
            nullable=True,
            unit="the metric's own",
        ),
        Column(
            "denominator",
            pa.float64(),
            "Denominator of a ratio; null where none was sent.",
            nullable=True,
            unit="the metric's own",
        ),
        Column(
            "input_rows",
            pa.int64(),
            "Rows the value was computed from; null where not sent.",
            nullable=True,
            unit="rows",
        ),
        Column("display_name", pa.string(), "The metric's label; null where not sent.", nullable=True),
    ),
)

LISTING_RAW = raw_table(
    "listing_raw",
    "One walk over the definitions: pages of `/metrics/list` where events are discovered, then pages of every event. "
    "Names and e-mail addresses of people are removed from the bodies unless `keep_personal_fields` is set.",
    DEFINITIONS_URL,
)

EVENT_METRICS = Table(
    name="event_metrics",
    description=(
        "Definitions of the metrics of each event on a day, one row per event and metric; a metric of several events has a row for each. Statsig "
        "serves definitions without history. A day is observed if the definitions were read on the following day; it then holds what that "
        "observation shows. Any other day is reconstructed (`is_reconstructed`). It holds a metric if an observation within the day shows it, or if "
        "the metric was created before the end of the day and an observation at or after that end shows it. A metric of unknown creation time "
        "counts as created before if the first observation after the day shows it. Each row is as the nearest of these observations shows it "
        "(`observed_at`), so it can hold later edits. A metric that the last observation before the day shows, and that none in or after it proves, is "
        "left out; the materialization counts such metrics as `unproven`. Materializing a reconstructed day again adds what newer observations prove."
    ),
    docs_url=DEFINITIONS_URL,
    origin=Origin(LISTING_RAW, "body"),
    key=("event_name", "metric_id"),
    columns=(
        Column(DATE, pa.date32(), _DAY, made_from=()),
        Column("event_name", pa.string(), "The event whose metrics were requested.", made_from=("path",)),
        Column("metric_id", pa.string(), "Statsig's id; usually, not always, `name::type`: do not build or split it."),
        Column("metric_name", pa.string(), "Name; free text, blanks included."),
        Column(
            "metric_type", pa.string(), "Type, such as event_count, event_dau, sum, ratio, funnel; new ones may come."
        ),
        Column("directionality", pa.string(), "Which way is better: increase or decrease.", nullable=True),
        Column("description", pa.string(), "Description; may be empty.", nullable=True),
        Column("created_at", MOMENT, "When the metric was created.", nullable=True),
        Column("is_permanent", pa.bool_(), "True if it is marked permanent.", nullable=True),
        Column("is_read_only", pa.bool_(), "True if it cannot be edited.", nullable=True),
        Column("is_hidden", pa.bool_(), "True if the console hides it.", nullable=True),
        Column("is_verified", pa.bool_(), "True if it is marked verified.", nullable=True),
        Column("tags", _TEXTS, "Tags; null where not sent.", nullable=True),
        Column("unit_types", _TEXTS, "Unit types it is computed for; null where not sent.", nullable=True),
        Column("lineage_events", _TEXTS, "Names of the events it is made from; null where not sent.", nullable=True),
        Column("lineage_metrics", _TEXTS, "Ids of the metrics it is made from; null where not sent.", nullable=True),
        Column(
            "is_indirect",
            pa.bool_(),
            "True if the event is not in `lineage_events`: it is made from the event through other metrics. Null without lineage.",
            nullable=True,
        ),
        Column("team", pa.string(), "Owning team.", nullable=True),
        Column("funnel_count_distinct", pa.string(), "What a funnel counts: events or users.", nullable=True),
        Column("funnel_events", _STEPS, "Steps of a funnel in order: name and type of a metric.", nullable=True),
        Column("rollup_time_window", pa.string(), "Window the metric is rolled up over.", nullable=True),
        Column(
            "custom_rollup_start",
            pa.float64(),
            "Start of a custom window, as sent (no page says the unit).",
            nullable=True,
            unit="not documented",
        ),
        Column(
            "custom_rollup_end",
            pa.float64(),
            "End of a custom window, as sent (no page says the unit).",
            nullable=True,
            unit="not documented",
        ),
        Column("metric_events", pa.string(), "Events with aggregation and criteria, JSON text as sent.", nullable=True),
        Column("component_metrics", pa.string(), "Metrics it is composed of, JSON text as sent.", nullable=True),
        Column("warehouse_native", pa.string(), "Warehouse Native settings, JSON text as sent.", nullable=True),
        Column("last_modified_at", MOMENT, "When it was last edited; null where not sent.", nullable=True),
        Column("permalink", pa.string(), "Address in the console.", nullable=True),
        Column("creator_name", pa.string(), f"Who created it. {_PERSONAL}", nullable=True),
        Column("creator_email", pa.string(), f"Who created it. {_PERSONAL}", nullable=True),
        Column("owner_name", pa.string(), f"Who owns it. {_PERSONAL}", nullable=True),
        Column("owner_email", pa.string(), f"Who owns it. {_PERSONAL}", nullable=True),
        Column("last_modifier_name", pa.string(), f"Who edited it last. {_PERSONAL}", nullable=True),
        Column("last_modifier_email", pa.string(), f"Who edited it last. {_PERSONAL}", nullable=True),
        Column(
            "observed_at",
            MOMENT,
            "When the definition of this row was read.",
            is_observation=True,
            made_from=("requested_at",),
        ),
        Column(
            "is_reconstructed",
            pa.bool_(),
            "True if the definitions were not read on the following day.",
            made_from=(DATE, "requested_at"),
        ),
    ),
)
