"""Days of definitions made from the observations in a lake: what they hold is what some observation proves."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from analytics_assets.lake.load import DayResult
from analytics_assets.lake.raw import raw_day
from analytics_assets.lake.store import Lake
from analytics_assets.lake.table import Table
from analytics_assets.sources.statsig.client import EVENT_METRICS_ENDPOINT
from analytics_assets.sources.statsig.source import definitions_stream
from analytics_assets.sources.statsig.streams import ListingSpec, day_of, end_of_day
from analytics_assets.sources.statsig.tables import EVENT_METRICS, LISTING_RAW
from analytics_assets_tests.lake.vendor import brought
from analytics_assets_tests.sources.statsig.vendor import kept, metric, page

DAY = date(2026, 9, 1)
START = datetime(2026, 9, 1, 8, tzinfo=UTC)
LATER = datetime(2026, 12, 1, tzinfo=UTC)


def at(days: float) -> datetime:
    """An instant so many days after the start of the day; the day ends at 1."""
    return START + timedelta(days=days)


def defined(name: str, created: float | None = -100, **more: Any) -> dict[str, Any]:
    """A metric created so many days after the start of the day, or at an unknown time."""
    return metric(name, createdTime=None if created is None else int(at(created).timestamp() * 1000), **more)


@dataclass(frozen=True)
class Project:
    """A project whose definitions are observed and whose days are made."""

    lake: Lake

    def observe(self, when: float, *metrics: dict[str, Any], event: str = "checkout") -> date:
        """Stores an observation; the last one of a metric day stays."""
        now = at(when)
        day = day_of(now)
        answers = [kept(EVENT_METRICS_ENDPOINT, f"/events/{event}/metrics", page(metrics))]
        content = raw_day(LISTING_RAW, day, answers).content
        self.lake.store_day("statsig", LISTING_RAW, day, content, requested_at=now)
        return day

    async def make(self, *days: date) -> list[DayResult]:
        """The days of definitions, made now."""
        stream = definitions_stream("statsig", ListingSpec(), final_at=end_of_day)
        return await brought(
            self.lake, stream, list(days), selected={EVENT_METRICS.name}, clock=lambda: LATER, attempt_group="f"
        )

    async def made(self, day: date = DAY) -> tuple[list[str], Mapping[str, Any]]:
        """Names of the metrics of a day made now, and its figures."""
        [result] = await self.make(day)
        assert result.error is None, result.error
        return [row["metric_name"] for row in self.rows(day)], result.figures[EVENT_METRICS.name]

    def remove(self, table: Table, day: date) -> None:
        """Deletes a stored day."""
        Path(self.lake.path("statsig", table.name, day)).unlink()

    def rows(self, day: date = DAY) -> list[dict[str, Any]]:
        """The stored rows of a day."""
        return list(self.lake.read("statsig", EVENT_METRICS, [day]).to_pylist())


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A lake without observations."""
    return Project(Lake(str(tmp_path / "lake")))


async def test_an_observation_within_the_day_and_one_after_it_prove_together(project: Project) -> None:
    """Observed on the day and two days later: what was deleted between is in the day, and what was created in the evening too."""
    project.observe(0.5, defined("old"), defined("deleted"))
    project.observe(2.5, defined("old"), defined("evening", 0.9), defined("next day", 1.5))
    names, figures = await project.made()
    assert names == ["deleted", "evening", "old"]
    assert (figures["metrics"], figures["metrics_created_later"]) == (3, 1)
    assert "unproven" not in figures
    assert {row["is_reconstructed"] for row in project.rows()} == {True}


async def test_any_later_observation_proves_a_metric_created_before(project: Project) -> None:
    """Hidden from the first observation after the day and back in a later one: it existed all the time."""
    project.observe(5, defined("old"))
    project.observe(9, defined("old"), defined("back"), defined("young", 7))
    project.observe(12, defined("old"))
    assert (await project.made())[0] == ["back", "old"]


async def test_a_metric_gone_after_the_day_is_unproven(project: Project) -> None:
    """Seen before the day and not in or after it: nothing shows when it was deleted. One that was gone before the day is known to be."""
    project.observe(-9, defined("old"), defined("gone long ago"), defined("gone"))
    project.observe(-4, defined("old"), defined("gone"))
    project.observe(5, defined("old"))
    names, figures = await project.made()
    assert (names, figures["unproven"]) == (["old"], 1)


async def test_the_last_instant_before_the_day_proves_nothing_and_its_first_does(project: Project) -> None:
    """The end of the day belongs to the next one, for observations as for creation."""
    project.observe(-1e-6, defined("before"))
    project.observe(3, defined("old"), defined("at the end", 1), defined("just before", 1 - 1e-6))
    names, figures = await project.made()
    assert (names, figures["unproven"]) == (["just before", "old"], 1)
    project.observe(0, defined("first instant"))
    assert (await project.made())[0] == ["first instant", "just before", "old"]


async def test_a_metric_of_unknown_creation_is_taken_from_the_first_observation_after_the_day_alone(
    project: Project,
) -> None:
    """Where the first one does not show it, it may have been created since."""
    project.observe(3, defined("unknown", None))
    project.observe(6, defined("unknown", None), defined("unknown and later", None), defined("known"))
    assert (await project.made())[0] == ["known", "unknown"]


async def test_a_definition_is_that_of_the_observation_nearest_to_the_end(project: Project) -> None:
    """Each row says which observation it is of."""
    project.observe(0.1, defined("edited", description="morning"), defined("deleted"))
    project.observe(2.5, defined("edited", description="next week"), defined("evening", 0.9))
    await project.made()
    rows = [(row["metric_name"], row["description"], row["observed_at"]) for row in project.rows()]
    assert rows == [("deleted", None, at(0.1)), ("edited", "morning", at(0.1)), ("evening", None, at(2.5))]


async def test_a_reconstructed_day_is_made_again_with_a_better_observation(project: Project) -> None:
    """From the day's own observation first, then with one after it, at last from that of the following day."""
    project.observe(0.5, defined("old"), defined("deleted"))
    assert (await project.made())[0] == ["deleted", "old"]
    project.observe(20, defined("old"), defined("evening", 0.9))
    assert (await project.made())[0] == ["deleted", "evening", "old"]
    project.observe(1.5, defined("old"), defined("morning", 1.2))
    assert (await project.made())[0] == ["morning", "old"]
    assert {row["is_reconstructed"] for row in project.rows()} == {False}


async def test_what_a_replaced_or_removed_observation_proved_stays_proved(project: Project) -> None:
    """A later observation of the same day replaces the earlier one in the lake, and a folder may be deleted."""
    morning = project.observe(0.1, defined("deleted at noon"))
    late = project.observe(9, defined("old"))
    await project.made()
    project.observe(0.6, defined("old"))
    assert (await project.made())[0] == ["deleted at noon", "old"]
    for day in (morning, late):
        project.remove(LISTING_RAW, day)
    project.observe(30, defined("other"))
    assert (await project.made())[0] == ["deleted at noon", "old", "other"]


async def test_a_row_taken_from_before_the_day_is_no_proof_when_the_day_is_made_again(project: Project) -> None:
    """Files written by earlier versions hold such rows."""
    project.observe(0.5, defined("gone"))
    [result] = await project.make(DAY)
    stored = project.lake.read("statsig", EVENT_METRICS, [DAY])
    before = stored.set_column(
        stored.schema.get_field_index("observed_at"),
        stored.schema.field("observed_at"),
        [[at(-3)] * stored.num_rows],
    )
    for table in (EVENT_METRICS, LISTING_RAW):
        project.remove(table, DAY)
    project.lake.store_day("statsig", EVENT_METRICS, DAY, before)
    project.observe(5, defined("old"))
    assert result.error is None
    assert (await project.made())[0] == ["old"]


async def test_a_day_that_only_earlier_observations_precede_fails_with_the_remedy(project: Project) -> None:
    """Nothing shows what the day held; an observation made now is one after it."""
    project.observe(-3, defined("old"))
    [result] = await project.make(DAY)
    assert str(result.error) == (
        "No observation of the definitions was made in the day or after it. "
        "Materialize statsig/listing_raw (the job `snapshots` does so every day), then this day again."
    )
    assert project.lake.days("statsig", EVENT_METRICS.name) == []


async def test_a_metric_of_several_events_is_proved_for_each_of_them(project: Project) -> None:
    """The rows are of an event and a metric, so a metric may be added to an event by the other observation."""
    project.observe(0.5, defined("a"), event="cart")
    project.observe(4, defined("a"), event="checkout")
    await project.made()
    assert [(row["event_name"], row["metric_name"]) for row in project.rows()] == [("cart", "a"), ("checkout", "a")]


async def test_a_gap_of_four_weeks_keeps_every_metric_that_an_edge_shows(project: Project) -> None:
    """Two observations 28 days apart, and a month of metrics that come and go."""
    last = 28
    metrics = [defined(f"m{number:02}", number) for number in range(-1, last)]
    project.observe(0.5, *metrics[:2], defined("deleted"))
    project.observe(last + 0.5, *metrics)
    days = [DAY + timedelta(days=number) for number in range(last - 1)]
    assert [result.error for result in await project.make(*days)] == [None] * len(days)
    held = {day: {row["metric_name"] for row in project.rows(day)} for day in days}
    assert held == {
        day: {f"m{created:02}" for created in range(-1, number + 1)} | ({"deleted"} if number == 0 else set())
        for number, day in enumerate(days)
    }


@pytest.mark.parametrize(("again", "hours"), [(2, 1), (0.5, 0.5)], ids=["a later one", "an earlier one"])
async def test_an_observed_day_gives_way_to_an_earlier_observation_alone(
    project: Project, again: float, hours: float
) -> None:
    """Both were made on the following day; the earlier one is nearer to the end."""
    for after, name in ((1, "first"), (again, "second")):
        project.observe(1 + after / 24, defined(name))
        await project.made()
    assert {row["observed_at"] for row in project.rows()} == {at(1 + hours / 24)}
    project.remove(LISTING_RAW, DAY + timedelta(days=1))
    project.observe(9, defined("other"))
    _, figures = await project.made()
    assert figures == {"kept_observation_of": at(1 + hours / 24).isoformat()}
