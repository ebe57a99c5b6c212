"""The table of metrics, figure by figure, against plain loops over the rows of a small project."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from analytics_assets.growth.build import MetricSource, build_growth
from analytics_assets.growth.freshness import read_freshness
from analytics_assets.growth.page import build_page
from analytics_assets.lake.store import Lake
from analytics_assets.sources.statsig.tables import EVENT_METRICS, METRIC_VALUES
from analytics_assets_tests.growth.small_lake import SmallLake, spec, written
from analytics_assets_tests.growth.test_page import AT, Reader

FIRST = date(2026, 3, 2)
DAYS = 16
SPEC = replace(spec(), metrics=(MetricSource("project"), MetricSource("other")))
METRICS = (("checkouts", "event_count"), ("checkouts", "ratio"), ("visitors", "event_dau"))
Row = dict[str, Any]


def value_rows(number: int) -> list[Row]:
    """Three metrics, two of one name, in two unit types; a value that is not known."""
    return [
        {
            "date": FIRST + timedelta(days=number),
            "metric_name": name,
            "metric_type": kind,
            "unit_type": unit,
            "is_overall": unit == "overall",
            "value": None if (kind, number) == ("event_dau", 3) else 10.0 * place + number,
            "numerator": 2.0 + number if kind == "ratio" else None,
            "denominator": 5.0 + place if kind == "ratio" else None,
            "input_rows": None,
            "display_name": f"{name}, {kind}",
        }
        for place, (name, kind) in enumerate(METRICS)
        for unit in ("overall", "userID")
    ]


def definition(kind: str, number: int) -> str | None:
    """What a metric is made of on a day: edited on day 10; nothing is known on days 5 and 9."""
    if number in {5, 9}:
        return None
    return f"{kind} of version {2 if kind == 'ratio' and number >= 10 else 1}"


def definition_rows(number: int) -> list[Row]:
    """A row for each event of a metric; the ratio is made of two. Its description changes on day 12."""
    return [
        {
            **dict.fromkeys(EVENT_METRICS.schema.names),
            "date": FIRST + timedelta(days=number),
            "event_name": event,
            "metric_id": f"{name}::{kind}",
            "metric_name": name,
            "metric_type": kind,
            "description": "new words" if number >= 12 else "words",
            "metric_events": text,
            "observed_at": datetime(2026, 4, 1, tzinfo=UTC),
            "is_reconstructed": number < 8,
        }
        for name, kind in METRICS
        if (text := definition(kind, number)) is not None
        for event in (["cart", "checkout"] if kind == "ratio" else ["checkout"])
    ]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The days of the project, and no day of another."""
    lake = written(SmallLake(), tmp_path_factory.mktemp("lake"))
    for number in range(DAYS):
        day = FIRST + timedelta(days=number)
        lake.store_day("project", METRIC_VALUES, day, METRIC_VALUES.rows(value_rows(number)))
        lake.store_day("project", EVENT_METRICS, day, EVENT_METRICS.rows(definition_rows(number)))
    return lake


def test_a_metric_of_several_events_has_one_row_a_day(lake: Lake) -> None:
    rows = build_growth(lake, SPEC).tables["metric_daily"].to_pylist()
    expected = []
    for number in range(DAYS):
        for row in value_rows(number):
            known = definition(row["metric_type"], number)
            earlier = [text for day in range(number) if (text := definition(row["metric_type"], day)) is not None]
            expected.append(
                {
                    "account": "project",
                    **{name: value for name, value in row.items() if name != "input_rows"},
                    "definition_is_reconstructed": None if known is None else number < 8,
                    "definition_changed": None if known is None or not earlier else known != earlier[-1],
                }
            )
    order = ("date", "metric_name", "metric_type", "unit_type")
    actual = [{name: value for name, value in row.items() if name != "definition_hash"} for row in rows]
    assert sorted(actual, key=lambda row: [str(row[name]) for name in order]) == sorted(
        expected, key=lambda row: [str(row[name]) for name in order]
    )
    assert [row["date"] for row in rows if row["definition_changed"] and row["is_overall"]] == [date(2026, 3, 12)]
    assert {row["definition_hash"] is None for row in rows if row["date"] == date(2026, 3, 7)} == {True}


def test_the_page_shows_what_moved_most(lake: Lake) -> None:
    growth = build_growth(lake, SPEC)
    page = Reader(build_page(growth.tables, SPEC, read_freshness(lake, SPEC), made_at=AT).html)
    [table] = page.tables["metrics"]
    ratios = [sum(2.0 + number for number in days) / (7 * 6) for days in (range(7), range(7, 14))]
    counts = [sum(float(number) for number in days) / 7 for days in (range(7), range(7, 14))]
    # The week before has a day of visitors that is not known.
    assert [(row[0], float(row[2]), float(row[3])) for row in table[1:]] == [
        ("checkouts, event_count", round(counts[0], 2), round(counts[1], 2)),
        ("checkouts, ratio definition changed", round(ratios[0], 2), round(ratios[1], 2)),
    ]


def test_without_projects_the_table_is_empty(lake: Lake) -> None:
    assert build_growth(lake, spec()).tables["metric_daily"].num_rows == 0
