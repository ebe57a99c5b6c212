"""The daily tables of an Airbridge report: columns, types, units and keys.

A report's tables carry its name and have its group-by fields as columns, so they are functions of a `ReportSpec`.
Source of fields: https://help.airbridge.io/en/references/revenue-report. How rows are made is in `transform.py`.
"""

import re
from typing import Final

import pyarrow as pa

from analytics_assets.errors import PermanentError
from analytics_assets.lake.parquet_reader import EARLIER_NAMES
from analytics_assets.lake.table import DATE, MOMENT, MONEY, Column, Origin, Table
from analytics_assets.sources.airbridge.report_spec import ReportSpec
from analytics_assets.sources.airbridge.wording import QUANTITIES, UNITS, asked, cohorts_by_age, span, totals_by_group

DOCS_URL: Final = "https://help.airbridge.io/en/references/revenue-report"
MONEY_METRICS: Final = frozenset({"app_revenue", "app_arpu", "app_arppu"})
COUNT_METRICS: Final = frozenset({"app_user_count", "app_event_count"})
# Sums over groups mean something for these; ratios of different groups cannot be added.
ADDITIVE_METRICS: Final = COUNT_METRICS | {"app_revenue"}
ROAS_SCALE: Final = "roas_scale"
_SCALE: Final = Column(
    ROAS_SCALE,
    pa.string(),
    "`percent` or `ratio`: what all rows of the task's answer show ROAS to be sent in; null where they do not.",
    nullable=True,
    is_observation=True,
)
_UNKNOWN_SCALE: Final = ", or where nothing shows whether percent or a ratio was sent"
_FIXED: Final = frozenset(
    {
        "date",
        "days_since_start",
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
        "was_mature",
        "dt",
    }
)


def is_sum_up_to_interval(spec: ReportSpec) -> bool:
    """True if a value adds up what has happened by its interval, so that neither age nor a later reading should lower it."""
    return spec.aggregation != "on-day" and spec.metric in ADDITIVE_METRICS


def daily_tables(spec: ReportSpec) -> tuple[Table, Table, Table]:
    """The tables of a report that have a partition a day: raw, cohorts, totals."""
    return report_raw_table(spec), cohorts_table(spec), cohort_totals_table(spec)


def group_columns(spec: ReportSpec) -> list[str]:
    """The columns of the group-by fields, in their order: small letters, digits and underscores.

    One that begins with a digit, or is a name that only an earlier version wrote, gets an underscore in front.

    Raises:
        PermanentError: Two columns would have the same name.
    """
    names: list[str] = []
    for field in spec.group_by:
        name = re.sub(r"[^a-z0-9]+", "_", field.lower()).strip("_")
        name = f"_{name}" if not name or name[0].isdigit() or name in EARLIER_NAMES else name
        if name in names or name in _FIXED:
            raise PermanentError(
                f"Airbridge report {spec.name!r}, group_by: the field {field!r} would be the column {name!r}, which there is already.",
                remedy="Leave one of the two out, or make two reports.",
            )
        names.append(name)
    return names


def report_raw_table(spec: ReportSpec) -> Table:
    """`<report>_raw`: what tasks answered, one row a group of a day."""
    return Table(
        name=f"{spec.name}_raw",
        description=(
            f"Airbridge report `{spec.name}` as sent: {asked(spec)}. One row for each group with a sub-row for the day. "
            "Typed tables are made from it without a request. A later task that returns the same rows leaves them as they are."
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
            Column("requested_at", MOMENT, "Instant the task was requested.", is_observation=True),
            *([_SCALE] if spec.metric == "app_roas" else []),
            Column(
                "ended_at",
                MOMENT,
                "Instant the task ended, as sent. Null where not sent.",
                nullable=True,
                is_observation=True,
            ),
            Column(
                "groups_declared",
                pa.int64(),
                "`totalCount` of the response: groups of the whole report as the vendor declares them. Null where not sent.",
                nullable=True,
                is_observation=True,
                unit="groups",
            ),
            Column(
                "groups_read",
                pa.int64(),
                "Groups of the whole report that were read.",
                nullable=True,
                is_observation=True,
                unit="groups",
            ),
            Column(
                "group_total",
                pa.large_string(),
                "The group's own total as sent, JSON text. It spans all days of the task, so it is in the row of the group's last start date "
                "and null in the others.",
                nullable=True,
                is_observation=True,
            ),
            Column(
                "total_difference",
                pa.string(),
                "Where that total is not the sum of the group's sub-rows in the task: both numbers, for people. Null where they agree or a "
                "number is masked or missing.",
                nullable=True,
                is_observation=True,
            ),
        ),
    )


def cohorts_table(spec: ReportSpec) -> Table:
    """`<report>_cohorts`: the metric by group and days since the start."""
    currency = [_currency()] if spec.metric in MONEY_METRICS else []
    unknown = _UNKNOWN_SCALE if spec.metric == "app_roas" else ""
    return Table(
        name=f"{spec.name}_cohorts",
        description=(
            f"Cohorts of the report `{spec.name}`: {asked(spec)}. Each group of a day has {spec.intervals + 1} rows, one for each day since the start, "
            f"reached or not. A cohort changes until all its days are reached. The schedule requests it for {spec.settle_days} more days, because vendors "
            "correct late. "
            f"Values may be added over groups: {'yes' if spec.metric in ADDITIVE_METRICS else 'no, they are ratios'}."
        ),
        docs_url=DOCS_URL,
        origin=Origin(report_raw_table(spec), "sub_row"),
        example=cohorts_by_age(
            group_columns(spec),
            is_additive=spec.metric in ADDITIVE_METRICS,
            is_money=spec.metric in MONEY_METRICS,
        ),
        key=(*group_columns(spec), "days_since_start"),
        columns=(
            Column(DATE, pa.date32(), "Start date of the cohort, in the app's zone.", made_from=(DATE,)),
            *_group_columns(spec),
            Column(
                "days_since_start", pa.int16(), "Days since the start date; 0 is the start date itself.", unit="days"
            ),
            Column(
                "value",
                _value_type(spec.metric),
                f"{QUANTITIES[spec.metric]}, {span(spec)}; null where not reached or not sent{unknown}.",
                nullable=True,
                unit=UNITS[spec.metric],
            ),
            *currency,
            Column(
                "is_masked", pa.bool_(), "True if the vendor masked the value for privacy; the number is kept as sent."
            ),
            Column(
                "is_reached",
                pa.bool_(),
                "True if the day `days_since_start` was over in the app's zone when the report was requested; before that there is no figure.",
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


def _currency() -> Column:
    return Column(
        "currency",
        pa.string(),
        "Currency of the money beside it, as configured; the vendor's responses never name it.",
        made_from=(),
    )
