"""A group's own total beside its sub-rows: which numbers are compared, by which rule, and what is said of a difference."""

from typing import Any

import msgspec
import pytest

from analytics_assets.sources.airbridge.report_days import relevant_differences
from analytics_assets.sources.airbridge.report_spec import ReportSpec, body
from analytics_assets.sources.airbridge.responses import GroupRow, group_of
from analytics_assets_tests.sources.airbridge.days import DAY, read
from analytics_assets_tests.sources.airbridge.vendor import Sandboxed, days, report, spec, sub_row

MASKED = {"value": 5, "isMasked": True}
ON_DAY = spec(aggregation="on-day")
EVENTS = spec(metric="app_event_count")


def group_with(total: Any, *rows: Any) -> dict[str, Any]:
    """A group with a total of its own."""
    return {"metadata": ["a"], "rows": list(rows), "total": total}


def said(total: Any, *rows: Any, of: ReportSpec | None = None) -> list[str]:
    """The differences of such a group in a report, in words."""
    sent = msgspec.json.decode(msgspec.json.encode(group_with(total, *rows)), type=GroupRow)
    return [one.words() for one in relevant_differences(group_of(sent).differences, of or spec())]


def own(*values: Any, **totals: Any) -> dict[str, Any]:
    """A total of these intervals, and of cost and revenue."""
    row = sub_row("", *values, **totals)
    return {"rows": row["values"], **row["total"]}


def test_totals_of_the_vendors_rule_differ_in_nothing() -> None:
    """The worked example of the vendor's guide: 238000 + 203000 + 104000, and the last values 98000 and 200000 of younger cohorts."""
    rows = [
        sub_row("2026-03-01", 200000, 238000, cost=1, revenue=238000),
        sub_row("2026-03-02", 200000, 203000, cost=2, revenue=203000),
        sub_row("2026-03-03", 100000, 104000, cost=3, revenue=104000),
        sub_row("2026-03-04", 98000, cost=4, revenue=98000),
        sub_row("2026-03-05", 200000, cost=5, revenue=200000),
    ]
    assert said(own(798000, 843000, cost=15, revenue=843000), *rows) == []
    # The plain column sum lacks the young cohorts.
    assert said(own(798000, 545000, cost=15, revenue=843000), *rows) == [
        "interval 1 545000 in its own total and 843000 in its sub-rows"
    ]


def test_cost_and_revenue_that_differ_show_both_numbers() -> None:
    """A start date that is missing shows in both."""
    rows = [sub_row("2026-03-01", cost=40, revenue="150.10"), sub_row("2026-03-02", cost=20, revenue="70.05")]
    assert said(own(cost=70, revenue="220.15"), *rows) == ["cost 70 in its own total and 60 in its sub-rows"]
    assert said(own(cost=60, revenue="230.15"), *rows) == ["revenue 230.15 in its own total and 220.15 in its sub-rows"]


@pytest.mark.parametrize("column", ["cost", "revenue"])
@pytest.mark.parametrize("where", ["total", "sub-row"])
@pytest.mark.parametrize("cell", [MASKED, {"value": None}, None, {"value": "NaN"}, {"value": "1e999999999"}])
def test_masked_missing_and_impossible_numbers_are_not_compared(column: str, where: str, cell: Any) -> None:
    """Of what is masked nobody knows what the number means."""
    rows = [sub_row("2026-03-01", **{column: cell if where == "sub-row" else 1})]
    assert said(own(**{column: cell if where == "total" else 99}), *rows) == []


@pytest.mark.parametrize(
    ("total", "parts", "is_different"),
    [
        # Three amounts of two decimal places and their total, each rounded: up to 0.02 apart.
        ("1.02", ["0.33", "0.33", "0.34"], False),
        ("1.03", ["0.33", "0.33", "0.34"], True),
        # Sums of binary floats.
        ("0.30000000000000004", ["0.1", "0.2"], False),
        ("0.3", ["0.10000000000000001", "0.2"], False),
        # Unrounded amounts leave no room.
        ("1.00002", ["0.333333", "0.333333", "0.333334"], True),
        ("1.000001", ["0.333333", "0.333333", "0.333334"], False),
        # A currency without decimal places.
        ("1002", ["333", "333", "334"], False),
        ("1003", ["333", "333", "334"], True),
    ],
)
def test_amounts_may_differ_by_what_their_rounding_explains(total: str, parts: list[str], is_different: bool) -> None:
    """Half a unit of the last decimal place sent, for each amount."""
    rows = [sub_row(f"2026-03-0{number}", cost=part) for number, part in enumerate(parts, start=1)]
    assert bool(said(own(cost=total), *rows)) == is_different


def test_counts_are_exact() -> None:
    """Events are whole, so a difference of one is one."""
    rows = [sub_row("2026-03-01", 3, 4), sub_row("2026-03-02", 5)]
    assert said(own(8, 9), *rows, of=EVENTS) == []
    assert said(own(8, 10), *rows, of=EVENTS) == ["interval 1 10 in its own total and 9 in its sub-rows"]


def test_on_day_columns_are_plain_sums() -> None:
    """A young cohort adds nothing to a column that it has not reached."""
    rows = [sub_row("2026-03-01", 3, 4), sub_row("2026-03-02", 5, None)]
    assert said(own(8, 4), *rows, of=ON_DAY) == []
    assert said(own(8, 9), *rows, of=ON_DAY) == ["interval 1 9 in its own total and 4 in its sub-rows"]


@pytest.mark.parametrize("end", [[], [None], [{"value": None}], [0]])
def test_young_cohorts_are_carried_forward_however_their_lists_end(end: list[Any]) -> None:
    """Whether they are short or filled up is not documented."""
    rows = [sub_row("2026-03-01", 3, 4), sub_row("2026-03-02", 5, *end)]
    assert said(own(8, 9), *rows) == []
    assert said(own(8, 30), *rows) != []


def test_a_zero_that_was_meant_is_as_good_as_one_that_fills_up() -> None:
    """Everything was refunded: the column sum with the zero is the vendor's total."""
    assert said(own(8, 4), sub_row("2026-03-01", 3, 4), sub_row("2026-03-02", 5, 0)) == []


@pytest.mark.parametrize("rows", [[sub_row("2026-03-01", 3, MASKED)], [sub_row("2026-03-01", 3, None, 5)]])
def test_a_column_with_a_masked_or_missing_value_is_not_compared(rows: list[Any]) -> None:
    """Nor is one whose own total is masked."""
    assert said(own(3, 99), *rows) == []
    assert said(own(3, MASKED), sub_row("2026-03-01", 3, 4)) == []


@pytest.mark.parametrize("metric", ["app_roas", "app_arpu", "app_arppu"])
def test_ratios_are_not_added(metric: str) -> None:
    """Their top row is weighted."""
    of = spec(metric=metric)
    assert said(own(99, cost=99, revenue=99), sub_row("2026-03-01", 1, cost=1, revenue=1), of=of) == []


def test_columns_of_users_are_not_compared() -> None:
    """Nothing says how young cohorts count in them; cost and revenue are compared as ever."""
    of = spec(metric="app_user_count", aggregation="unique-cumulative")
    assert said(own(99, cost=9), sub_row("2026-03-01", 1, cost=1), of=of) != []
    assert said(own(99, cost=1), sub_row("2026-03-01", 1, cost=1), of=of) == []


@pytest.mark.parametrize("total", [None, 5, "total", [], {"rows": 5}, {"totalCost": []}, {"rows": [[]]}])
def test_a_total_of_another_shape_is_not_compared_and_never_refused(total: Any) -> None:
    """No table is made from it."""
    assert said(total, sub_row("2026-03-01", 1, cost=1)) == []


def test_total_and_difference_are_stored_with_the_last_start_date_of_the_group() -> None:
    """The total spans all days of the task, so it is stored once."""
    total = own(3, cost=5)
    rows = [sub_row("2026-03-01", 1, cost=1), sub_row("2026-03-02", 2, cost=2)]
    raw = read([report([group_with(total, *rows)])], spec(), last=days(DAY, DAY)[0].replace(day=3))
    stored = [one.content.select(["group_total", "total_difference"]).to_pylist() for one in raw.values()]
    difference = "cost 5 in its own total and 3 in its sub-rows"
    assert stored == [
        [{"group_total": None, "total_difference": None}],
        [{"group_total": msgspec.json.encode(total).decode(), "total_difference": difference}],
        [],
    ]


@pytest.mark.parametrize("aggregation", ["cumulative", "on-day"])
@pytest.mark.parametrize("metric", ["app_revenue", "app_event_count"])
async def test_reports_of_the_sandbox_add_up(metric: str, aggregation: str) -> None:
    """Its totals follow the vendor's guide, with cohorts as young as today's."""
    of, first = spec(metric=metric, aggregation=aggregation, intervals=10), DAY.replace(day=8)
    sandbox = Sandboxed()
    handle = await sandbox.client.request_report(body(of, first, first.replace(day=20)))
    sandbox.wait(2)
    pages = await sandbox.client.report_pages(handle.task_id, 4)
    groups = [group for page in pages for group in page.groups]
    assert len(groups) > 1
    assert [relevant_differences(group.differences, of) for group in groups] == [[] for _ in groups]
