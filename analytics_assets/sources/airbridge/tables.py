"""The tables of an Airbridge report and of the catalogue: columns, types, units and keys.

A report's tables carry its name and have its group-by fields as columns, so they are functions of a `ReportSpec`.
Source of fields: https://help.airbridge.io/en/references/revenue-report. How rows are made is in `transform.py`.
"""

import re
from typing import Final

import pyarrow as pa

from analytics_assets.errors import PermanentError
from analytics_assets.lake.table import DATE, MOMENT, MONEY, Column, Origin, Table
from analytics_assets.sources.airbridge.request import ReportSpec
from analytics_assets.sources.airbridge.wording import QUANTITIES, UNITS, asked, cohorts_by_age, span, totals_by_group

DOCS_URL: Final = "https://help.airbridge.io/en/references/revenue-report"
MONEY_METRICS: Final = frozenset({"app_revenue", "app_arpu", "app_arppu"})
COUNT_METRICS: Final = frozenset({"app_user_count", "app_event_count"})
# Sums over groups mean something for these; ratios of different groups cannot be added.
ADDITIVE_METRICS: Final = COUNT_METRICS | {"app_revenue"}
ROAS_SCALE: Final = "roas_scale"
_FIXED: Final = frozenset(
    {
        "date",
        "interval",
        "value",
        "currency",
        "is_masked",
        "is_reached",
        "cost",
        "cost_is_masked",
        "revenue",
        "revenue_is_masked",
        "users",
        "users_is_masked",
        "old_value",
        "new_value",
        "task_id",
        "seen_at",
        "dt",
    }
)


def daily_tables(spec: ReportSpec) -> tuple[Table, Table, Table]:
    """The tables of a report that have a partition a day: raw, cohorts, totals."""
    return report_raw_table(spec), cohorts_table(spec), cohort_totals_table(spec)


def group_columns(spec: ReportSpec) -> list[str]:
    """The columns of the group-by fields, in their order: small letters, digits and underscores.

    Raises:
        PermanentError: Two columns would have the same name.
    """
    names: list[str] = []
    for field in spec.group_by:
        name = re.sub(r"[^a-z0-9]+", "_", field.lower()).strip("_")
        name = f"_{name}" if not name or name[0].isdigit() else name
        if name in names or name in _FIXED:
            raise PermanentError(
                f"Airbridge report {spec.name!r}, group_by: the field {field!r} would be the column {name!r}, which there is already. "
                "Leave one of the two out, or make two reports."
            )
        names.append(name)
    return names


def report_raw_table(spec: ReportSpec) -> Table:
    """`<report>_raw`: what tasks answered, one row a group of a day."""
    return Table(
        name=f"{spec.name}_raw",
        description=(
            f"Airbridge report `{spec.name}` as sent: {asked(spec)}. One row for each group with a sub-row for the day; a group's own total "
            "is not kept, because it spans whatever days the task was asked for. Typed tables are made from it without a request."
        ),
        docs_url=DOCS_URL,
        key=("group_values",),
        columns=(
            Column(DATE, pa.date32(), "Start date of the cohort, in the app's zone."),
            Column(
                "group_values",
                pa.string(),
                f"Values of {', '.join(spec.group_by)}, a JSON array of text; empty where none was sent.",
            ),
            Column("sub_row", pa.large_string(), "The sub-row as sent, JSON text."),
            Column("request_hash", pa.string(), "Hash of what was asked, without the days."),
            Column("task_id", pa.string(), "The vendor's id of the task that answered.", is_observation=True),
            Column(
                "notifications",
                pa.large_string(),
                "What the vendor said of the report's numbers, a JSON array as sent.",
                is_observation=True,
            ),
            Column("requested_at", MOMENT, "Instant the task was asked for.", is_observation=True),
            *([_scale()] if spec.metric == "app_roas" else []),
        ),
    )


def cohorts_table(spec: ReportSpec) -> Table:
    """`<report>_cohorts`: the metric by group and days since the start."""
    currency = [_currency()] if spec.metric in MONEY_METRICS else []
    return Table(
        name=f"{spec.name}_cohorts",
        description=(
            f"Cohorts of the report `{spec.name}`: {asked(spec)}. Each group of a day has {spec.intervals + 1} rows, one an interval, reached "
            "or not. A cohort changes until all its intervals are reached, and a little longer while the vendor corrects. "
            f"Values may be added over groups: {'yes' if spec.metric in ADDITIVE_METRICS else 'no, they are ratios'}."
        ),
        docs_url=DOCS_URL,
        origin=Origin(report_raw_table(spec), "sub_row"),
        example=cohorts_by_age(group_columns(spec), is_additive=spec.metric in ADDITIVE_METRICS),
        key=(*group_columns(spec), "interval"),
        columns=(
            Column(DATE, pa.date32(), "Start date of the cohort, in the app's zone.", made_from=(DATE,)),
            *_group_columns(spec),
            Column("interval", pa.int16(), "Days since the start date; 0 is the start date itself.", unit="days"),
            Column(
                "value",
                _value_type(spec.metric),
                f"{QUANTITIES[spec.metric]}, {span(spec)}; null where not reached or not sent{_or_not_known(spec)}.",
                nullable=True,
                unit=UNITS[spec.metric],
            ),
            *currency,
            Column(
                "is_masked", pa.bool_(), "Whether the vendor masked the value for privacy; the number is kept as sent."
            ),
            Column(
                "is_reached",
                pa.bool_(),
                "Whether the day of the interval was over in the app's zone when the report was asked for; before that there is no figure.",
                made_from=(DATE, "requested_at"),
            ),
        ),
    )


def cohort_totals_table(spec: ReportSpec) -> Table:
    """`<report>_cohort_totals`: cost, revenue and users by group, as of the reading."""
    masked = "Whether the vendor masked it for privacy; the number is kept as sent."
    return Table(
        name=f"{spec.name}_cohort_totals",
        description=(
            f"Totals of the cohorts of the report `{spec.name}` as of its last reading: {asked(spec)}. They run up to the moment of the "
            "reading, the unfinished day included, so they move until the cohort is older than its last interval."
        ),
        docs_url=DOCS_URL,
        origin=Origin(report_raw_table(spec), "sub_row"),
        example=totals_by_group(group_columns(spec)),
        key=tuple(group_columns(spec)),
        columns=(
            Column(DATE, pa.date32(), "Start date of the cohort, in the app's zone.", made_from=(DATE,)),
            *_group_columns(spec),
            Column(
                "cost",
                MONEY,
                "`totalCost` in units of `currency`; dimensions without cost have none. Null where not sent.",
                nullable=True,
                unit="major units of currency",
            ),
            Column("cost_is_masked", pa.bool_(), masked),
            Column(
                "revenue",
                MONEY,
                "`totalRevenue` in units of `currency`. Null where not sent.",
                nullable=True,
                unit="major units of currency",
            ),
            Column("revenue_is_masked", pa.bool_(), masked),
            Column(
                "users",
                pa.int64(),
                "`totalUniqueUsers`; whether of the start event or paying is not documented. Null where not sent.",
                nullable=True,
                unit="users",
            ),
            Column("users_is_masked", pa.bool_(), masked),
            _currency(),
        ),
    )


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
            Column("first_day", pa.date32(), "First start date asked for."),
            Column("last_day", pa.date32(), "Last start date asked for, included."),
            Column(
                "state",
                pa.string(),
                "The vendor's state of the present task, or ours: INTENT, POSTED, UNPOSTED, FORGOTTEN, OVERDUE, UNSEEN, UNUSABLE, REFUSED, "
                "LANDED, SUPERSEDED.",
            ),
            Column("is_open", pa.bool_(), "Whether some day of it has not landed."),
            Column("days_left", pa.int32(), "Days of it that have not landed.", unit="days"),
            Column("attempts", pa.int32(), "Tasks asked for so far.", unit="tasks"),
            Column(
                "landings", pa.int32(), "Runs the sensor has asked for since the present task was posted.", unit="runs"
            ),
            Column("task_id", pa.string(), "The vendor's id of the present task.", nullable=True),
            Column("opened_at", MOMENT, "Instant the request was opened."),
            Column("posted_at", MOMENT, "Instant the present task was asked for.", nullable=True),
            Column("seen_at", MOMENT, "Instant its state was seen last.", nullable=True),
            Column(
                "closed_at",
                MOMENT,
                "Instant its last day landed, or it was given up for another specification.",
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
            "Of a metric: its aggregations; null for a sub metric, which cannot be asked for.",
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
        Column("observed_at", MOMENT, "Instant the list was asked for.", is_observation=True),
    ),
)


def _value_type(metric: str) -> pa.DataType:
    """Money is decimal, counts are whole, and only a ratio is floating."""
    if metric in MONEY_METRICS:
        return MONEY
    return pa.int64() if metric in COUNT_METRICS else pa.float64()


def _group_columns(spec: ReportSpec) -> list[Column]:
    return [
        Column(
            name,
            pa.string(),
            f"Value of the group-by field `{field}` as sent; empty means organic or none.",
            made_from=("group_values",),
        )
        for name, field in zip(group_columns(spec), spec.group_by, strict=True)
    ]


def _or_not_known(spec: ReportSpec) -> str:
    is_roas = spec.metric == "app_roas"
    return ", or where nothing shows whether percent or a ratio was sent" if is_roas else ""


def _scale() -> Column:
    return Column(
        ROAS_SCALE,
        pa.string(),
        "`percent` or `ratio`: what all rows of the task's answer show ROAS to be sent in; null where they do not.",
        nullable=True,
        is_observation=True,
    )


def _currency() -> Column:
    return Column(
        "currency",
        pa.string(),
        "Currency of the money beside it, as configured; the vendor's answers never name it.",
        made_from=(),
    )
