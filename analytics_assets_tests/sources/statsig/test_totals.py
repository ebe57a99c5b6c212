"""When a declared total refuses a list: where it was right in the last three stored responses of that list."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest

from analytics_assets.errors import LossError, UnexpectedPayloadError
from analytics_assets.lake.load import DayLoader, DayResult
from analytics_assets.lake.store import Lake
from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets.orchestration.partitions import daily_partitions
from analytics_assets.sources.statsig.source import values_stream
from analytics_assets.sources.statsig.streams import ListingSpec, ValuesSpec, fetch_listing
from analytics_assets.sources.statsig.tables import LISTING_RAW, VALUES_RAW
from analytics_assets.sources.statsig.totals import ListTotals
from analytics_assets_tests.opened import Project, assets_of, work
from analytics_assets_tests.sources.statsig.vendor import NOW, Scripted, clock, metric, page, value

FIRST = date(2026, 6, 1)
# Items read and items declared, of a day each.
Response = tuple[int, int | None]


def days(count: int) -> list[date]:
    """Adjacent days, all of them long final."""
    return [FIRST + timedelta(days=number) for number in range(count)]


def answering(responses: Sequence[Response]) -> Scripted:
    """A project whose days have these lists of values."""

    def answer(request: httpx.Request) -> Any:
        items, declared = responses[(date.fromisoformat(request.url.params["date"]) - FIRST).days]
        return page([value(f"m{number}") for number in range(items)], total=declared)

    return Scripted(answer)


async def load(lake: Lake, responses: Sequence[Response], *, accepts_totals: bool = False) -> list[DayResult]:
    """The days, one after the other."""
    landing = DayLoader(lake, {VALUES_RAW.name, "metric_values"}, "run", clock, is_sandbox=False)
    spans = [[day] for day in days(len(responses))]
    return await load_days(landing, answering(responses), *spans, accepts_totals=accepts_totals)


async def load_days(
    landing: DayLoader, vendor: Scripted, *spans: Sequence[date], accepts_totals: bool = False
) -> list[DayResult]:
    """What became of each day; one client serves all spans."""
    stream = values_stream("statsig", ValuesSpec())
    results: list[DayResult] = []
    async with stream.open(work(vendor.client(), landing.lake, clock, accepts_by_tag=accepts_totals)) as fetcher:
        for span in spans:
            results += [result async for result in landing.load(stream, span, fetcher)]
    return results


def damage(path: str) -> None:
    """Leaves a file of which a power cut has taken the end."""
    Path(path).write_bytes(b"PAR1" + bytes(40))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """An empty lake."""
    return Lake(str(tmp_path / "lake"))


@pytest.mark.parametrize("wrong", [(150, 250), (250, 249)], ids=["fewer", "more"])
async def test_a_total_that_was_right_three_times_refuses_a_list_that_differs(lake: Lake, wrong: Response) -> None:
    """The day fails with both numbers and what to do; the last page is kept as evidence, and nothing is stored."""
    *_, last = await load(lake, [(250, 250)] * 3 + [wrong])
    assert isinstance(last.error, UnexpectedPayloadError)
    assert str(last.error) == (
        f"Statsig GET /metrics/values: its pages declare {wrong[1]} items and hold {wrong[0]}. The two were equal in the last 3 stored "
        "responses of this list, so items may be missing. Re-execute from failure. If the numbers stay different and Statsig's console shows "
        "the same items, set the tag analytics/accept_loss=true for the run or backfill."
    )
    assert last.quarantine is not None
    assert lake.days("statsig", VALUES_RAW.name) == days(3)


@pytest.mark.parametrize(
    "before",
    [
        [],
        [(5, 5)] * 2,
        [(5, 5), (5, 1254), (5, 5)],
        [(5, 1254)] * 3,
        [(5, None), (5, 5), (5, 5)],
        [(5, 5)] * 3 + [(5, None)],
    ],
    ids=["never", "twice", "wrong once", "wrong always", "not declared once", "not declared at last"],
)
async def test_a_total_that_was_not_right_three_times_decides_nothing(lake: Lake, before: Sequence[Response]) -> None:
    """The list is stored, and the number is noted."""
    *_, last = await load(lake, [*before, (5, 9)])
    assert last.error is None
    assert last.figures[VALUES_RAW.name] == {"total_items_declared": 9}


async def test_a_total_that_is_not_declared_is_not_missed(lake: Lake) -> None:
    """A list without a total is as complete as its pages say."""
    *_, last = await load(lake, [(5, 5)] * 3 + [(4, None)])
    assert last.error is None


async def test_a_damaged_file_is_no_response_and_its_day_can_be_loaded(lake: Lake) -> None:
    """The responses before it decide; otherwise no day could be stored, the damaged one included, while its file is there."""
    responses = [(5, 5)] * 3 + [(5, 9)] * 2
    await load(lake, responses[:3])
    lake.store_day("statsig", VALUES_RAW, days(5)[-1], lake.read("statsig", VALUES_RAW, days(1)).slice(0, 0))
    damage(lake.path("statsig", VALUES_RAW.name, days(5)[-1]))
    *_, last = await load(lake, responses[:4])
    assert "declare 9 items and hold 5" in str(last.error)
    assert [result.error for result in await load(lake, [(5, 5)] * 5)] == [None] * 5


async def test_a_person_accepts_totals_that_count_something_else(lake: Lake) -> None:
    """Once one is stored, the following days need no person."""
    responses = [(5, 5)] * 3 + [(5, 9)]
    await load(lake, responses)
    assert [result.error for result in await load(lake, responses, accepts_totals=True)] == [None] * 4
    assert [result.error for result in (await load(lake, [*responses, (5, 9)]))[4:]] == [None]


async def test_pages_are_counted_together(lake: Lake) -> None:
    """The stored responses have pages, an empty one among them, and only one declares the total."""

    def answer(request: httpx.Request) -> Any:
        day, number = date.fromisoformat(request.url.params["date"]), int(request.url.params["page"])
        if number == 3:
            return page([value("c")] if day < days(4)[-1] else [])
        return page([value("a")], more="?page=2", total=2) if number == 1 else page([], more="?page=3")

    landing = DayLoader(lake, {VALUES_RAW.name}, "run", clock, is_sandbox=False)
    errors = [result.error for result in await load_days(landing, Scripted(answer), days(3), days(4)[-1:])]
    assert errors[:3] == [None] * 3
    assert "declare 2 items and hold 1" in str(errors[3])


async def observe(lake: Lake, day: date, answer: Callable[[str], Any]) -> None:
    """An observation of the definitions, stored as of a day."""
    vendor = Scripted(lambda request: answer(request.url.path.removeprefix("/console/v1")))
    raw = await fetch_listing(vendor.client(), ListingSpec(), ListTotals(lake, "statsig", LISTING_RAW), day)
    lake.store_day("statsig", LISTING_RAW, day, raw.content, requested_at=NOW)


@pytest.mark.parametrize("path", ["/metrics/list", "/events/checkout/metrics", "/events/cart/metrics"])
async def test_each_list_of_an_observation_is_judged_by_its_own_past(lake: Lake, path: str) -> None:
    """The total of `cart` always counts something else, so a gap in another list alone is refused."""
    metrics = [metric(name, lineage={"events": ["checkout", "cart"], "metrics": []}) for name in ("a", "b")]

    def complete(asked: str) -> Any:
        return page(metrics, total=1254 if "cart" in asked else 2)

    def cut(asked: str) -> Any:
        return page(metrics[:1], total=2) if asked == path else complete(asked)

    for day in days(3):
        await observe(lake, day, complete)
    if "cart" in path:
        await observe(lake, days(4)[-1], cut)
        return
    with pytest.raises(UnexpectedPayloadError, match=f"Statsig GET {path}: its pages declare 2 items and hold 1"):
        await observe(lake, days(4)[-1], cut)


async def test_an_event_that_was_not_requested_every_day_has_a_past_too(lake: Lake) -> None:
    """Days without a response of the list are passed over."""

    def of(*events: str) -> Callable[[str], Any]:
        return lambda asked: page([metric("a", lineage={"events": list(events), "metrics": []})], total=1)

    for day, events in zip(days(6), [("x",), ("x",), ("x",), ("y",), ("y",), ("y",)], strict=True):
        await observe(lake, day, of(*events))
    with pytest.raises(UnexpectedPayloadError, match="/events/x/metrics"):
        await observe(lake, days(7)[-1], lambda asked: page([], total=1) if "/x/" in asked else of("x")(asked))


@pytest.mark.parametrize(("tags", "is_stored"), [({}, False), ({"analytics/accept_loss": "true"}, True)])
def test_a_run_accepts_by_its_tag(lake: Lake, tags: dict[str, str], is_stored: bool) -> None:
    """And warns by its check, which a day without a gap passes."""
    responses = [(5, 5)] * 3 + [(5, 9)]
    partitions = daily_partitions(FIRST, ValuesSpec().final_at)
    assets = assets_of("statsig", [values_stream("statsig", ValuesSpec())], clock, partitions=partitions)
    resources = {
        "statsig": dg.ResourceDefinition.hardcoded_resource(Project(answering(responses).client())),
        "lake": LakeResource(root=lake.root, sandbox=True),
    }
    passed = {}
    with dg.DagsterInstance.ephemeral() as instance:
        for day in days(4):
            given = {"instance": instance, "resources": resources, "tags": tags, "raise_on_error": False}
            result = dg.materialize(assets, partition_key=str(day), **given)
            checks = [one for one in result.get_asset_check_evaluations() if one.check_name == "totals_as_read"]
            passed[day] = [one.passed for one in checks]
    assert result.success is is_stored
    assert lake.days("statsig", VALUES_RAW.name) == days(4 if is_stored else 3)
    assert list(passed.values()) == [[True]] * 3 + [[not is_stored]]


async def test_an_empty_list_does_not_empty_a_stored_day(lake: Lake) -> None:
    """Eighty values are stored; the same request is answered with none, and with a total that agrees."""
    await load(lake, [(80, 80)])
    landing = DayLoader(lake, {VALUES_RAW.name, "metric_values"}, "again", clock, is_sandbox=False)
    [result] = await load_days(landing, answering([(0, 0)]), days(1))
    assert isinstance(result.error, LossError)
    assert "statsig/metric_values has 80 rows and would have 0" in str(result.error)
    stored = lake.stored_day("statsig", "metric_values", FIRST)
    assert stored is not None
    assert stored.rows == 80
    assert result.quarantine is not None
