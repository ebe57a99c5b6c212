"""What is drawn of a project's metrics, from a lake planted by hand, and the numbers counted of a day."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from analytics_assets.lake.raw import raw_day
from analytics_assets.lake.store import Lake
from analytics_assets.orchestration.charts.content import Trends
from analytics_assets.sources.statsig.charts import MOST, value_pictures
from analytics_assets.sources.statsig.streams import counted_values
from analytics_assets.sources.statsig.tables import METRIC_VALUES, VALUES_RAW
from analytics_assets_tests.sources.statsig.vendor import kept, page, value

LAST = date(2026, 3, 10)


def plant(lake: Lake, day: date, rows: list[tuple[str, str, float | None, int | None]]) -> None:
    """A day of (metric, unit type, value, input rows)."""
    told = [
        {
            "date": day,
            "metric_name": name,
            "metric_type": "sum",
            "unit_type": unit,
            "is_overall": unit == "overall",
            "value": number,
            "numerator": None,
            "denominator": None,
            "input_rows": input_rows,
            "display_name": None,
        }
        for name, unit, number, input_rows in rows
    ]
    lake.store_day("project", METRIC_VALUES, day, METRIC_VALUES.rows(told))


def trends(lake: Lake) -> Trends:
    """The picture of the last day."""
    found = value_pictures("project", lake, LAST)["metric_trends"]
    assert isinstance(found, Trends)
    return found


def test_each_metric_is_drawn_in_one_unit_type_with_gaps_where_no_value_was_sent(tmp_path: Path) -> None:
    """Overall where it is; a day that is not stored is marked, and a metric that is gone today is not drawn."""
    lake = Lake(str(tmp_path))
    plant(
        lake, LAST - timedelta(days=2), [("a", "overall", 1.0, 5), ("b", "userID", 0.0, 9), ("old", "overall", 4.0, 99)]
    )
    plant(
        lake,
        LAST,
        [("a", "overall", None, 5), ("a", "userID", 7.0, 50), ("b", "stableID", 2.0, 9), ("b", "userID", 3.0, 9)],
    )
    found = trends(lake)
    assert {name: values[-3:] for name, values in found.panels.items()} == {
        "a (sum)": [1.0, None, None],
        "b (sum, stableID)": [None, None, 2.0],
    }
    assert found.absent == set(found.days) - {LAST, LAST - timedelta(days=2)}
    assert (len(found.days), found.days[-1], found.caption.of) == (7, LAST, "project")


def test_the_metrics_with_the_most_rows_are_drawn_in_the_order_of_their_names(tmp_path: Path) -> None:
    """So many and no more; those that do not say how many come last."""
    lake = Lake(str(tmp_path))
    plant(lake, LAST, [(f"m{number:02}", "overall", 1.0, number or None) for number in range(30)])
    assert list(trends(lake).panels) == [f"m{number:02} (sum)" for number in range(30 - MOST, 30)]


def test_a_project_without_a_day_has_no_picture(tmp_path: Path) -> None:
    """There is nothing to draw."""
    assert value_pictures("project", Lake(str(tmp_path)), LAST) == {}


def test_values_are_counted_and_those_that_were_not_sent_too() -> None:
    """Rows with a number, and only where there are any, rows without."""

    def counted(*rows: Any) -> dict[str, Any]:
        day = LAST.isoformat()
        raw = raw_day(VALUES_RAW, LAST, [kept("GET /metrics/values", "/metrics/values", page([*rows]), date=day)])
        return dict(counted_values(LAST, raw.content)["metric_values"].figures)

    assert counted(value("a"), value("b", 0)) == {"metrics": 2, "unit_types": 1, "values": 2}
    assert counted(value("a"), {**value("b"), "value": None}) == {
        "metrics": 2,
        "unit_types": 1,
        "values": 1,
        "missing_values": 1,
    }
