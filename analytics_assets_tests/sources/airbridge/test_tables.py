"""Tables of a report: names, columns, keys and types follow from its spec, and no group-by field hides a column."""

import pyarrow as pa
import pytest

from analytics_assets.errors import PermanentError
from analytics_assets.lake.table import MOMENT, MONEY, Table
from analytics_assets.sources.airbridge.cohort_filter import AndClause, Cohort, CohortEvent, OrClause, Segment
from analytics_assets.sources.airbridge.report_spec import AGGREGATIONS, Filter
from analytics_assets.sources.airbridge.snapshot_tables import CATALOG
from analytics_assets.sources.airbridge.tables import (
    cohort_totals_table,
    cohorts_table,
    daily_tables,
    group_columns,
    report_raw_table,
)
from analytics_assets_tests.sources.airbridge.vendor import spec

TWO = spec(group_by=("channel", "campaign"))


def layout(table: Table) -> dict[str, tuple[pa.DataType, bool, bool]]:
    """Columns of a table: type, whether null is allowed, whether it is an observation."""
    return {column.name: (column.type, column.nullable, column.is_observation) for column in table.columns}


def test_the_raw_table_keeps_what_was_sent_and_by_whom():
    """One row a group; task, notifications and instant say how it was read, not what."""
    table = report_raw_table(TWO)
    assert (table.name, table.key) == ("revenue_raw", ("group_values",))
    assert layout(table) == {
        "date": (pa.date32(), False, False),
        "group_values": (pa.string(), False, False),
        "sub_row": (pa.large_string(), False, False),
        "request_hash": (pa.string(), False, False),
        "task_id": (pa.string(), False, True),
        "notifications": (pa.large_string(), False, True),
        "requested_at": (MOMENT, False, True),
        "ended_at": (MOMENT, True, True),
        "groups_declared": (pa.int64(), True, True),
        "groups_read": (pa.int64(), True, True),
        "group_total": (pa.large_string(), True, True),
        "total_difference": (pa.string(), True, True),
    }


def test_cohorts_have_a_column_for_each_dimension_and_a_row_for_each_interval():
    """Money has its currency beside it; only the value can be null."""
    table = cohorts_table(TWO)
    assert (table.name, table.key) == ("revenue_cohorts", ("channel", "campaign", "days_since_start"))
    assert layout(table) == {
        "date": (pa.date32(), False, False),
        "channel": (pa.string(), False, False),
        "campaign": (pa.string(), False, False),
        "days_since_start": (pa.int16(), False, False),
        "value": (MONEY, True, False),
        "currency": (pa.string(), False, False),
        "is_masked": (pa.bool_(), False, False),
        "is_reached": (pa.bool_(), False, False),
    }


def test_totals_have_each_number_beside_its_flag():
    """Cost, revenue and users; the currency is that of both amounts."""
    table = cohort_totals_table(TWO)
    assert (table.name, table.key) == ("revenue_cohort_totals", ("channel", "campaign"))
    assert layout(table) == {
        "date": (pa.date32(), False, False),
        "channel": (pa.string(), False, False),
        "campaign": (pa.string(), False, False),
        "cost": (MONEY, True, False),
        "cost_is_masked": (pa.bool_(), False, False),
        "revenue": (MONEY, True, False),
        "revenue_is_masked": (pa.bool_(), False, False),
        "users": (pa.int64(), True, False),
        "users_is_masked": (pa.bool_(), False, False),
        "currency": (pa.string(), False, False),
    }


@pytest.mark.parametrize(
    ("metric", "kind", "unit"),
    [
        ("app_revenue", MONEY, "Revenue in units of `currency`"),
        ("app_arpu", MONEY, "Revenue per user of the start event, in units of `currency`"),
        ("app_arppu", MONEY, "Revenue per paying user, in units of `currency`"),
        ("app_user_count", pa.int64(), "Number of users"),
        ("app_event_count", pa.int64(), "Number of events"),
        ("app_roas", pa.float64(), "Revenue per cost in percent"),
    ],
)
def test_the_metric_decides_type_unit_and_currency(metric: str, kind: pa.DataType, unit: str):
    """Money is decimal, counts are whole, and only a ratio is floating."""
    table = cohorts_table(spec(metric=metric))
    value = next(column for column in table.columns if column.name == "value")
    assert (value.type, "currency" in table.schema.names) == (kind, kind == MONEY)
    assert value.description.startswith(unit)


@pytest.mark.parametrize(
    ("aggregation", "span"),
    [
        ("cumulative", "from the start date up to and including the day `days_since_start`"),
        ("on-day", "of the day `days_since_start` alone"),
    ],
)
def test_the_value_says_what_it_spans(aggregation: str, span: str):
    """Cumulative and on-day numbers look alike and must not be added alike."""
    value = cohorts_table(spec(aggregation=aggregation)).columns[3]
    assert (value.name, span in value.description) == ("value", True)


def test_what_is_the_same_in_all_rows_is_told_in_the_description():
    """Metric, aggregation, events and filters are constants of the report and no columns."""
    cohort = Cohort((AndClause((OrClause(Segment(CohortEvent("any-event", "equals", 1))),)),))
    of = spec(filters=(Filter("channel", "EXIST"),), cohort=cohort, start_events=("app_install", "app_sign_up"))
    told = (
        "`app_revenue`, aggregation `cumulative`, of app_order_complete after app_install, app_sign_up, by channel, "
        "1 filters, of a cohort"
    )
    assert [told in table.description for table in daily_tables(of)] == [True, True, True]


@pytest.mark.parametrize("metric", AGGREGATIONS)
def test_every_column_is_described_and_the_date_comes_first(metric: str):
    """The catalogue shows these texts, and every table links to the vendor's page."""
    tables = [*daily_tables(spec(metric=metric)), CATALOG]
    assert all(column.description for table in tables for column in table.columns)
    assert {table.columns[0].name for table in tables} == {"date"}
    assert {table.docs_url for table in tables} == {"https://help.airbridge.io/en/references/revenue-report"}


def test_names_of_fields_become_names_of_columns():
    """Small letters, digits and underscores; a digit does not come first."""
    fields = ("Ad Group", "utm.source", "7day-bucket", "is_first_event_per_user_id", "캠페인")
    assert group_columns(spec(group_by=fields)) == [
        "ad_group",
        "utm_source",
        "_7day_bucket",
        "is_first_event_per_user_id",
        "_",
    ]


@pytest.mark.parametrize(
    "fields",
    [
        ("value",),
        ("Days since start",),
        ("date",),
        ("dt",),
        ("currency",),
        ("cost",),
        ("is masked",),
        ("ad.group", "ad_group"),
    ],
)
def test_a_field_that_would_hide_a_column_is_refused(fields: tuple[str, ...]):
    """Of the tables, of the lake's folders, or of another field."""
    with pytest.raises(PermanentError, match=r"'revenue', group_by: the field .* which there is already. Leave one"):
        daily_tables(spec(group_by=fields))


def test_the_catalogue_is_keyed_by_kind_heading_and_key():
    """A key may stand under two headings; the instant of observation is no content."""
    assert CATALOG.key == ("kind", "section", "key")
    assert [column.name for column in CATALOG.columns if column.is_observation] == ["observed_at"]
