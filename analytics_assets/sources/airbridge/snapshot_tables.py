"""The tables of an Airbridge app that are snapshots: what reports may name, and the requests of a report as the ledger has them.

Source of fields: https://help.airbridge.io/en/references/revenue-report. The daily tables are in `tables.py`.
"""

from typing import Final

import pyarrow as pa

from analytics_assets.lake.table import DATE, MOMENT, Column, Table
from analytics_assets.sources.airbridge.report_spec import ReportSpec
from analytics_assets.sources.airbridge.tables import DOCS_URL


def tasks_table(spec: ReportSpec) -> Table:
    """`<report>_tasks`: the requests of the report as the ledger has them."""
    return Table(
        name=f"{spec.name}_tasks",
        description=(
            f"Requests of the report `{spec.name}` as the ledger has them on the day of observation: what was asked, how far it is, and why "
            "not further. The sensor sees each open one through to the end."
        ),
        docs_url=DOCS_URL,
        key=("request_id",),
        columns=(
            Column(DATE, pa.date32(), "Day of the observation, in the app's zone."),
            Column("request_id", pa.int64(), "Number of the request in the ledger.", unit="serial number"),
            Column("first_day", pa.date32(), "First start date requested."),
            Column("last_day", pa.date32(), "Last start date requested, included."),
            Column(
                "state",
                pa.string(),
                "The vendor's state of the present task, or ours: INTENT, POSTED, UNPOSTED, UNREAD, FORGOTTEN, OVERDUE, BLOCKED, UNSEEN, UNUSABLE, "
                "REFUSED, STORED, SUPERSEDED, REMOVED.",
            ),
            Column("is_open", pa.bool_(), "True if some day of it is not stored."),
            Column("days_left", pa.int32(), "Days of it that are not stored.", unit="days"),
            Column("attempts", pa.int32(), "Tasks requested so far.", unit="tasks"),
            Column(
                "store_runs",
                pa.int32(),
                "Runs the sensor has requested since the present task was posted.",
                unit="runs",
            ),
            Column("task_id", pa.string(), "The vendor's id of the present task.", nullable=True),
            Column("opened_at", MOMENT, "Instant the request was opened."),
            Column("posted_at", MOMENT, "Instant the present task was requested.", nullable=True),
            Column("polled_at", MOMENT, "Instant its state was polled last.", nullable=True),
            Column(
                "closed_at",
                MOMENT,
                "Instant its last day was stored, or it was closed because the report was changed or removed in the YAML.",
                nullable=True,
            ),
            Column("reason", pa.string(), "Words of the vendor or ours for the last trouble.", nullable=True),
        ),
    )


CATALOG: Final = Table(
    name="catalog",
    description=(
        "Metrics, dimensions and events that Airbridge offers for revenue reports, as they stood on the day of observation. One row an entry of "
        "one heading. There is no history before the first observation."
    ),
    docs_url=DOCS_URL,
    key=("kind", "section", "key"),
    columns=(
        Column(DATE, pa.date32(), "Day of the observation, in the app's zone."),
        Column("kind", pa.string(), "`metric`, `group_by` or `event`."),
        Column("section", pa.string(), "The heading the entry stands under, such as `Touchpoint`."),
        Column("key", pa.string(), "What a report spec names it by."),
        Column("name", pa.string(), "Its name for people, in English.", nullable=True),
        Column("description", pa.string(), "The vendor's description; it may hold markup.", nullable=True),
        Column("value_type", pa.string(), "Of a metric: `number` or `integer`.", nullable=True),
        Column(
            "aggregations",
            pa.list_(pa.string()),
            "Of a metric: its aggregations; null for a sub metric, which cannot be requested.",
            nullable=True,
        ),
        Column("sub_group", pa.string(), "Of an event: its sub-group; may be empty.", nullable=True),
        Column("example", pa.string(), "Of a dimension: an example of a value.", nullable=True),
        Column("is_filter", pa.bool_(), "Of a dimension: whether it can be filtered by.", nullable=True),
        Column(
            "is_cost",
            pa.bool_(),
            "Of a dimension: whether cost is known by it; without, cost and ROAS mean nothing.",
            nullable=True,
        ),
        Column("type", pa.string(), "Of a dimension: `string`, `boolean` and so on.", nullable=True),
        Column("entry", pa.string(), "The entry as sent, JSON text."),
        Column("observed_at", MOMENT, "Instant the list was requested.", is_observation=True),
    ),
)
