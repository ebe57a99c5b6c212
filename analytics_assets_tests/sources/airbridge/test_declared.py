"""A declared number of groups that differs from those read: an error where it was right before, a warning of a check otherwise."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pyarrow as pa
import pytest

from analytics_assets.checks.check import USUAL
from analytics_assets.lake.load import DayResult
from analytics_assets.lake.loss import were_as_declared
from analytics_assets.lake.store import Lake
from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets.orchestration.partitions import daily_partitions
from analytics_assets.sources.airbridge.checks import MASKED_SHARE, report_checks
from analytics_assets.sources.airbridge.declared import stored_responses
from analytics_assets.sources.airbridge.report_loader import Waiting
from analytics_assets.sources.airbridge.report_spec import ReportSpec, spec_hash
from analytics_assets.sources.airbridge.source import report_stream
from analytics_assets.sources.airbridge.streams import App
from analytics_assets.sources.airbridge.tables import daily_tables, report_raw_table
from analytics_assets.sources.airbridge.task_decisions import TaskPolicy
from analytics_assets.sources.airbridge.transform import typed_days
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.checks.planted import Planted
from analytics_assets_tests.lake.vendor import brought
from analytics_assets_tests.opened import Project, assets_of, work
from analytics_assets_tests.sources.airbridge.days import DAY, read
from analytics_assets_tests.sources.airbridge.vendor import Scripted, group, report, spec, sub_row

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TABLE = report_raw_table(spec())
WAITING = Waiting(60, 92, 100, TaskPolicy(first_poll_s=0.01))
NEW = ["ended_at", "groups_declared", "groups_read", "group_total", "total_difference"]


def answered(request: httpx.Request, number: int, *, declared: int | None, day: date, groups: str = "a") -> Any:
    """What the vendor says of the task of a run."""
    if request.method == "POST":
        return {"data": {"taskId": f"t-{number}"}}
    sent = groups if int(request.url.params["skip"]) == 0 else ""
    return report([group([name], sub_row(str(day), 1)) for name in sent], total=declared, more=False)


async def load(
    tmp_path: Path,
    number: int,
    *,
    declared: int | None,
    day: date = DAY,
    groups: str = "a",
    accepts_totals: bool = False,
) -> DayResult:
    """What becomes of a day whose report has these groups and declares a number of them; `number` is that of the run."""
    now = NOW + timedelta(days=number)
    stream = report_stream("shop", App("shop", "UTC", "EUR", 4.0), spec(), WAITING)
    run = work(
        Scripted(lambda request: answered(request, number, declared=declared, day=day, groups=groups)).client(),
        Lake(str(tmp_path / "lake")),
        lambda: now,
        ledger=Ledger(f"sqlite:///{tmp_path}/state.db"),
        owner=f"run-{number}",
        accepts_by_tag=accepts_totals,
    )
    async with stream.open(run) as fetcher:
        selected = {table.name for table in daily_tables(spec())}
        [result] = await brought(run.lake, stream, [day], fetcher, attempt_group=str(number), selected=selected)
    return result


def found(tmp_path: Path, name: str, day: date = DAY) -> tuple[str, str]:
    """Level and words of a check of the raw day."""
    checks = report_checks("shop", spec(), USUAL, masked_share=MASKED_SHARE)
    check = next(one for one in checks if one.name == name)
    finding = Planted(Lake(str(tmp_path / "lake"))).found(check, [day])[day]
    return finding.level, finding.words


@pytest.mark.parametrize("declared", [3, 0])
async def test_a_first_report_with_another_number_of_groups_is_stored_with_a_warning(
    tmp_path: Path, declared: int
) -> None:
    """What the number counts is not certain, and nothing shows that it was ever right."""
    result = await load(tmp_path, 1, declared=declared)
    assert result.error is None
    assert {name: result.figures[TABLE.name][name] for name in ("groups_declared", "groups_read")} == {
        "groups_declared": declared,
        "groups_read": 1,
    }
    words = f"1 groups were read and {declared} are declared"
    assert found(tmp_path, "groups_as_declared") == ("warning", words)


async def test_a_report_with_fewer_groups_than_declared_fails_where_the_last_three_were_right(tmp_path: Path) -> None:
    """The three days keep their rows, and the day of the fourth has none."""
    for number in range(1, 4):
        assert (await load(tmp_path, number, declared=1, day=DAY + timedelta(days=number))).error is None
    result = await load(tmp_path, 4, declared=2)
    assert str(result.error) == (
        "Airbridge task t-4: 1 groups were read and 2 are declared, which were equal in the last 3 stored responses of revenue. A new report "
        "may do better. If the numbers stay different and Airbridge's dashboard shows the same groups, set the tag analytics/accept_loss=true "
        "for the run or backfill."
    )
    assert Lake(str(tmp_path / "lake")).stored_day("shop", TABLE.name, DAY) is None
    # The same request is right again in its next task.
    assert found(tmp_path, "groups_as_declared", DAY + timedelta(days=3)) == ("fine", "")


@pytest.mark.parametrize("earlier", [[1, 1], [1, 2, 1], [1, None, 1], [2, 1, 1]])
async def test_two_right_numbers_are_not_enough(tmp_path: Path, earlier: Sequence[int | None]) -> None:
    """Nor is one that was wrong, or not declared, among the last three."""
    for number, declared in enumerate(earlier, start=1):
        assert (await load(tmp_path, number, declared=declared, day=DAY + timedelta(days=number))).error is None
    assert (await load(tmp_path, 9, declared=2)).error is None
    assert found(tmp_path, "groups_as_declared") == ("warning", "1 groups were read and 2 are declared")


async def test_only_the_last_three_responses_count_and_days_of_one_response_count_once(tmp_path: Path) -> None:
    """Three days of one task are one response; an older wrong number is forgotten."""
    lake = Lake(str(tmp_path))
    store(lake, spec(), [(1, 2, 1), (2, 1, 1), (3, 1, 1), (4, 1, 1)])
    assert were_as_declared(stored_responses(lake, "shop", spec()))
    lake = Lake(str(tmp_path / "other"))
    store(lake, spec(), [(1, 1, 1), (2, 1, 1)])
    store(lake, spec(), [(2, 1, 1)], first=DAY + timedelta(days=9))
    assert not were_as_declared(stored_responses(lake, "shop", spec()))


async def test_a_damaged_file_is_no_response(tmp_path: Path) -> None:
    """The responses before it decide, and its day can be stored again."""
    lake = Lake(str(tmp_path / "lake"))
    store(lake, spec(), [(number, 1, 1) for number in range(1, 5)])
    damaged = DAY + timedelta(days=3)
    damage(lake.path("shop", TABLE.name, damaged))
    assert were_as_declared(stored_responses(lake, "shop", spec()))
    assert "1 groups were read and 2 are declared" in str((await load(tmp_path, 9, declared=2, day=damaged)).error)
    assert (await load(tmp_path, 10, declared=1, day=damaged)).error is None


async def test_a_person_accepts_a_number_that_counts_something_else(tmp_path: Path) -> None:
    """The error names the tag; once a report is stored with it, the following days need no person."""
    store(Lake(str(tmp_path / "lake")), spec(), [(number, 1, 1) for number in range(1, 4)])
    later = DAY + timedelta(days=4)
    error = (await load(tmp_path, 5, declared=2, day=later)).error
    assert "set the tag analytics/accept_loss=true for the run or backfill" in str(error)
    assert (await load(tmp_path, 6, declared=2, day=later, accepts_totals=True)).error is None
    assert found(tmp_path, "groups_as_declared", later) == ("warning", "1 groups were read and 2 are declared")
    assert (await load(tmp_path, 7, declared=2, day=later + timedelta(days=1))).error is None


@pytest.mark.parametrize(("tags", "is_stored"), [({}, False), ({"analytics/accept_loss": "true"}, True)])
def test_a_run_accepts_by_its_tag(tmp_path: Path, tags: dict[str, str], *, is_stored: bool) -> None:
    """The last three reports had the groups that they declared, and this one has not."""
    lake, later = Lake(str(tmp_path / "lake")), DAY + timedelta(days=4)
    store(lake, spec(), [(number, 1, 1) for number in range(1, 4)], is_sandbox=True)

    client = Scripted(lambda request: answered(request, 9, declared=2, day=later)).client()
    project = Project(client, Ledger(f"sqlite:///{tmp_path}/state.db"))
    app, clock = App("shop", "UTC", "EUR", 4.0), lambda: NOW + timedelta(days=9)
    partitions = daily_partitions(DAY, app.final_at)
    assets = assets_of("airbridge", [report_stream("shop", app, spec(), WAITING)], clock, partitions=partitions)
    resources = {
        "shop": dg.ResourceDefinition.hardcoded_resource(project),
        "lake": LakeResource(root=lake.root, sandbox=True),
    }
    with dg.DagsterInstance.ephemeral() as instance:
        given = {"instance": instance, "resources": resources, "tags": tags, "raise_on_error": False}
        result = dg.materialize(assets, partition_key=str(later), **given)
    assert result.success is is_stored
    assert (later in lake.days("shop", TABLE.name)) is is_stored


async def test_responses_to_another_request_prove_nothing(tmp_path: Path) -> None:
    """Other filters may have another number."""
    lake = Lake(str(tmp_path))
    store(lake, spec(return_events=("app_subscribe",)), [(number, 1, 1) for number in range(1, 5)])
    assert not were_as_declared(stored_responses(lake, "shop", spec()))


async def test_a_report_without_groups_that_declares_some_is_never_stored(tmp_path: Path) -> None:
    """An empty day would replace a good one."""
    result = await load(tmp_path, 1, declared=3, groups="")
    assert "0 groups where 3 are announced" in str(result.error)


def test_raw_days_of_a_lake_without_these_columns_are_read_as_ever(tmp_path: Path) -> None:
    """Typed tables are derived from them, checks have nothing to say, and they are no proof."""
    lake = Lake(str(tmp_path / "lake"))
    old = replace(TABLE, columns=[column for column in TABLE.columns if column.name not in NEW])
    for number in range(3):
        day, moment = DAY + timedelta(days=number), NOW + timedelta(days=number)
        rows = [group(["a"], sub_row(str(day), 1, 2, 3))]
        raw = read([report(rows)], spec(), first=day, last=day, requested_at=moment)[day]
        content = raw.content.drop_columns(NEW)
        lake.store_day("shop", old, day, content, request_hash=spec_hash(spec()), requested_at=moment)
    stored = lake.read("shop", TABLE, [DAY])
    assert [stored[name].null_count for name in NEW] == [1] * len(NEW)
    derived = typed_days(DAY, stored, spec(), zone="UTC", currency="EUR")
    assert derived["revenue_cohorts"].content["value"].to_pylist() == [1, 2, 3]
    for name in ("groups_as_declared", "totals_add_up"):
        assert found(tmp_path, name) == ("fine", "")
    assert not were_as_declared(stored_responses(lake, "shop", spec()))


def damage(path: str) -> None:
    """Leaves a file of which a power cut has taken the end."""
    Path(path).write_bytes(b"PAR1" + bytes(40))


def store(
    lake: Lake,
    of: ReportSpec,
    counts: Sequence[tuple[int, int, int]],
    *,
    first: date = DAY,
    is_sandbox: bool = False,
) -> None:
    """A raw day for each run: its number, the groups declared and those read."""
    for offset, (number, declared, groups_read) in enumerate(counts):
        day, at = first + timedelta(days=offset), NOW + timedelta(days=number)
        content = read([report([group(["a"], sub_row(str(day), 1))])], of, first=day, last=day, requested_at=at)[
            day
        ].content
        for name, count in (("groups_declared", declared), ("groups_read", groups_read)):
            number_of = content.schema.get_field_index(name)
            content = content.set_column(number_of, content.schema.field(name), pa.array([count], pa.int64()))
        table, asked = report_raw_table(of), spec_hash(of)
        lake.store_day("shop", table, day, content, request_hash=asked, requested_at=at, is_sandbox=is_sandbox)
