"""Which materialization of a run has the pictures, and that a run does not depend on them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.lake.store import Lake
from analytics_assets.orchestration.charts.content import Caption, Content, Curve, Curves
from analytics_assets.orchestration.charts.metadata import Pictures
from analytics_assets_tests.lake.vendor import NUMBERS
from analytics_assets_tests.shop import Shop, span


def read(lake: Lake, day: date) -> Mapping[str, Content]:
    """A curve of all numbers of the lake; a seven cannot be drawn."""
    numbers = [float(number) for number in lake.read("shop", NUMBERS)["number"].to_pylist()]
    if 7.0 in numbers:
        raise ZeroDivisionError("seven")
    return {"trend": Curves(Caption(f"to {day}", "shop", "numbers", day, day), "place", [Curve("all", numbers)])}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """An account whose table of numbers has a picture."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield Shop(tmp_path / "lake", instance, charts=[Pictures("numbers", read)])


def pictured(events: Sequence[dg.AssetMaterialization]) -> list[tuple[str, str, str]]:
    """Day, table and title of each picture that is shown."""
    return [
        (str(event.partition)[-2:], event.asset_key.path[-1], str(event.metadata["trend"].value).split("]")[0][2:])
        for event in events
        if "trend" in event.metadata
    ]


def test_the_newest_day_of_a_run_has_the_pictures_of_its_tables(shop: Shop) -> None:
    """Drawn when that day stands in the lake; once a run, whatever the number of its days."""
    events = shop.materializations(shop.run(span("01", "03")))
    assert pictured(events) == [("03", "numbers", "to 2026-03-03")]
    assert len(events) == 9


def test_a_table_that_is_not_selected_is_not_drawn(shop: Shop) -> None:
    """Its picture would be of nothing that the run landed."""
    assert pictured(shop.materializations(shop.run(span("01", "03"), tables=["numbers_raw", "sums"]))) == []


def test_where_the_last_day_does_not_land_the_newest_that_did_is_told_again_with_its_pictures(shop: Shop) -> None:
    """With the data version and the figures it had; tables without pictures are not told again."""
    shop.vendor.answers = {date(2026, 3, 3): ["<html>"], date(2026, 3, 2): ["5"]}
    run = shop.run(span("01", "03"))
    events = shop.materializations(run)
    assert run.status == dg.DagsterRunStatus.FAILURE
    assert pictured(events) == [("02", "numbers", "to 2026-03-02")]
    first, again = [
        event for event in events if event.partition == "2026-03-02" and event.asset_key.path[-1] == "numbers"
    ]
    assert {name: value for name, value in again.metadata.items() if name != "trend"} == first.metadata
    assert (first.tags or {})["dagster/data_version"] == (again.tags or {})["dagster/data_version"]
    assert len(events) == 7
    assert shop.statuses("numbers") == {"01": "MATERIALIZED", "02": "MATERIALIZED", "03": "FAILED"}


def test_a_picture_that_fails_costs_no_row_and_no_run(shop: Shop) -> None:
    """It is a note on the day and a line in the log."""
    shop.vendor.answers = {date(2026, 3, 2): ["7"]}
    run = shop.run(span("01", "02"))
    assert run.status == dg.DagsterRunStatus.SUCCESS
    assert shop.lake.days("shop", "numbers") == [date(2026, 3, 1), date(2026, 3, 2)]
    [note] = [
        event.metadata["pictures_not_drawn"].value
        for event in shop.materializations(run)
        if "pictures_not_drawn" in event.metadata
    ]
    assert note == {"all": "ZeroDivisionError: seven"}
    said = [record.user_message for record in shop.instance.all_logs(run.run_id)]
    line = "Picture not drawn (all of numbers, 2026-03-02): ZeroDivisionError: seven. The rows are stored."
    assert said.count(line) == 1
