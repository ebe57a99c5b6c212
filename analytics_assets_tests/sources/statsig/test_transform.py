"""Rows of values made from the sample answers of Statsig's pages, compared whole."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest

from analytics_assets.errors import UnexpectedPayloadError
from analytics_assets.lake.raw import raw_day
from analytics_assets.lake.table import DATE
from analytics_assets.sources.statsig.tables import EVENT_METRICS, LISTING_RAW, METRIC_VALUES, VALUES_RAW
from analytics_assets.sources.statsig.transform import metric_values
from analytics_assets_tests.sources.statsig import samples
from analytics_assets_tests.sources.statsig.vendor import kept, page, value

DAY = date(2024, 2, 4)
SEEN = datetime(2024, 2, 5, 20, 0, tzinfo=UTC)
END = datetime(2024, 2, 5, 8, 0, tzinfo=UTC)


def values(*pages: Any, asked: str = "2024-02-04") -> pa.Table:
    """A raw day of values."""
    answers = [kept("GET /metrics/values", "/metrics/values", body, date=asked) for body in pages]
    return raw_day(VALUES_RAW, DAY, answers).content


def value_row(name: str, kind: str, unit: str, number: float | None, **more: Any) -> dict[str, Any]:
    """A whole row of `metric_values`."""
    return {
        "date": DAY,
        "metric_name": name,
        "metric_type": kind,
        "unit_type": unit,
        "is_overall": unit == "overall",
        "value": number,
        "numerator": None,
        "denominator": None,
        "input_rows": None,
        "display_name": None,
        **more,
    }


def test_the_sample_of_values_becomes_a_row_per_metric_and_unit_type():
    """The vendor's own page of values, key for key; rows carry no date, so it is the day requested."""
    typed = metric_values(DAY, values(samples.VALUES))["metric_values"]
    assert METRIC_VALUES.validated(typed.content, DAY).to_pylist() == [
        value_row("Average Time Spent on Page", "event_user", "stableID", 646524.0),
        value_row("Page Latency", "mean", "stableID", 5676.0),
        value_row("Page Loads", "event_count_custom", "overall", 21377.0),
        value_row("Page Loads", "event_count_custom", "stableID", 21377.0),
        value_row("Page Loads", "event_count_custom", "userID", 21355.0),
    ]
    assert typed.figures == {"metrics": 3, "unit_types": 3}


def test_the_other_spelling_numbers_as_text_and_nulls_are_read_too():
    """Snake case, text and 12.0 are what they mean; null stays null and zero stays zero."""
    typed = metric_values(DAY, values(samples.SINGLE_VALUES))["metric_values"]
    assert METRIC_VALUES.validated(typed.content, DAY).to_pylist() == [
        value_row("checkout rate", "ratio", "overall", None, numerator=0.0, denominator=0.0, input_rows=0),
        value_row("checkout rate", "ratio", "userID", 0.25, numerator=1.0, denominator=4.0, input_rows=12),
    ]


def test_rows_of_all_pages_land_together_with_label_and_input_rows():
    """The newest spelling adds displayName and inputRows."""
    first, second = {**value("b"), "inputRows": "7", "displayName": "B"}, value("null", 0)
    typed = metric_values(DAY, values(page([first], more=True), page([second])))["metric_values"]
    assert METRIC_VALUES.validated(typed.content, DAY).to_pylist() == [
        value_row("b", "sum", "overall", 1.0, input_rows=7, display_name="B"),
        value_row("null", "sum", "overall", 0.0),
    ]


def test_a_day_without_rows_says_that_it_is_empty():
    """An empty day is a statement, so it stands out in the figures."""
    typed = metric_values(DAY, values(page([])))["metric_values"]
    assert (METRIC_VALUES.validated(typed.content, DAY).num_rows, typed.figures) == (
        0,
        {"metrics": 0, "unit_types": 0, "is_empty": True},
    )


def test_fields_of_values_that_are_not_known_are_named_by_path():
    """Neither fatal nor dropped in silence; raw has them."""
    body = page([{**value("a"), "p90": 3}, {**value("b"), "p10": 1}])
    body |= {"warnings": [], "pagination": {**body["pagination"], "cursor": "x"}}
    typed = metric_values(DAY, values(body))["metric_values"]
    assert typed.figures["unknown_fields"] == ["data[].p10", "data[].p90", "pagination.cursor", "warnings"]


def test_numbers_no_reader_can_hold_are_no_matter_in_fields_not_known_here():
    """They are named like other unknown fields."""
    body = '{"data": [{"value": 1, "unitType": "overall", "metricName": "a", "metricType": "sum", "rank": 1e400}], "took": -1e999}'
    typed = metric_values(DAY, values(body))[METRIC_VALUES.name]
    assert typed.content.to_pylist() == [value_row("a", "sum", "overall", 1.0)]
    assert typed.figures["unknown_fields"] == ["data[].rank", "took"]


def test_a_page_that_was_asked_for_another_day_is_refused():
    """The rows themselves cannot tell."""
    with pytest.raises(UnexpectedPayloadError, match="stored for the day was requested with date 2024-02-03"):
        metric_values(DAY, values(samples.VALUES, asked="2024-02-03"))


def test_a_metric_with_two_values_for_one_unit_type_is_refused():
    """Which of the two holds cannot be told, so the day is not stored."""
    typed = metric_values(DAY, values(page([value("a", 1), value("a", 2)])))["metric_values"]
    with pytest.raises(UnexpectedPayloadError, match="occur more than once, the first is metric_name='a'"):
        METRIC_VALUES.validated(typed.content, DAY)


def test_every_table_starts_with_the_day_and_describes_every_column():
    """One declaration feeds the files, the catalogue and the checks."""
    tables: Sequence[Any] = (VALUES_RAW, METRIC_VALUES, LISTING_RAW, EVENT_METRICS)
    assert [table.columns[0].name for table in tables] == [DATE] * 4
    assert [column.name for table in tables for column in table.columns if len(column.description) < 8] == []
    assert [set(table.key) <= set(table.schema.names) for table in tables] == [True] * 4
