"""Pages to raw days and back to rows: whole rows, days without rows, what is refused, what is named."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from analytics_assets.errors import PermanentError, UnexpectedPayloadError
from analytics_assets.lake.content import content_hash
from analytics_assets.sources.airbridge.report_days import FinishedTask
from analytics_assets.sources.airbridge.report_spec import body, spec_hash
from analytics_assets.sources.airbridge.tables import cohorts_table, daily_tables, report_raw_table
from analytics_assets.sources.airbridge.transform import typed_days
from analytics_assets_tests.sources.airbridge.days import DAY, LATER, columns, read, split, typed, valid
from analytics_assets_tests.sources.airbridge.samples import NOTIFICATION, REPORT, SUB_ROW
from analytics_assets_tests.sources.airbridge.vendor import NOW, Sandboxed, days, group, page, report, spec, sub_row

SAMPLE_DAY = date(2021, 11, 1)


def test_the_sample_report_becomes_a_raw_day_with_the_sub_row_as_sent():
    """One group has a sub-row for the day, so there is one row; what was observed of the task is beside it."""
    of = spec(intervals=3)
    raw = read([REPORT], of, first=SAMPLE_DAY, last=SAMPLE_DAY)[SAMPLE_DAY]
    assert raw.content.to_pylist() == [
        {
            "date": SAMPLE_DAY,
            "group_values": '["<groupBy>"]',
            "sub_row": msgspec.json.encode(SUB_ROW).decode(),
            "request_hash": spec_hash(of),
            "task_id": "t-1",
            "notifications": msgspec.json.encode([NOTIFICATION]).decode(),
            "requested_at": LATER,
            "ended_at": datetime(2022, 1, 17, 10, 10, 0, 286939, tzinfo=UTC),
            "groups_declared": 48,
            "groups_read": 1,
            "group_total": msgspec.json.encode(REPORT["data"]["stats"]["rows"][0]["total"]).decode(),
            "total_difference": "revenue 10.45 in its own total and 10 in its sub-rows",
        }
    ]
    assert (raw.requested_at, raw.notes) == (
        LATER,
        {
            "task_id": "t-1",
            "notifications": ["AGG_DATA_MASKING_BY_FACEBOOK"],
            "groups_declared": 48,
            "groups_read": 1,
        },
    )


def test_the_sample_report_becomes_cohorts_and_totals_row_for_row():
    """Every number of the sub-row, none of the group's own total (10.45), and a missing flag means not masked."""
    of = spec(intervals=3)
    raw = read([REPORT], of, first=SAMPLE_DAY, last=SAMPLE_DAY)[SAMPLE_DAY]
    made = typed_days(SAMPLE_DAY, raw.content, of, zone="Asia/Seoul", currency="KRW")
    same: dict[str, Any] = {"date": SAMPLE_DAY, "channel": "<groupBy>", "currency": "KRW"}
    assert made["revenue_cohorts"].content.to_pylist() == [
        {**same, "days_since_start": number, "value": Decimal(number + 1), "is_masked": False, "is_reached": True}
        for number in range(4)
    ]
    assert made["revenue_cohort_totals"].content.to_pylist() == [
        {
            **same,
            "cost": Decimal(0),
            "cost_is_masked": False,
            "revenue": Decimal(10),
            "revenue_is_masked": False,
            "users": 1,
            "users_is_masked": True,
        }
    ]
    codes = {"notifications": ["AGG_DATA_MASKING_BY_FACEBOOK"]}
    assert made["revenue_cohorts"].figures == {
        "groups": 1,
        "masked_share": 0.0,
        "missing_values": 0,
        "complete_through_interval": 3,
        "is_mature": True,
        "mature_since": "2021-11-05",
        "d0": 1.0,
        **codes,
    }
    assert made["revenue_cohort_totals"].figures == {"groups": 1, "cost": 0.0, "revenue": 10.0, **codes}


def test_each_day_of_a_task_gets_its_own_rows_and_a_day_without_rows_is_one_too():
    """Groups of several pages meet in a day; the vendor leaves out dates on which nobody began."""
    pages = [
        report([group(["a"], sub_row("2026-03-01", 1), sub_row("2026-03-03", 2))]),
        report([group(["b"], sub_row("2026-03-01", 3))]),
    ]
    raw = read(pages, spec(), last=date(2026, 3, 3))
    assert {day: one.content["group_values"].to_pylist() for day, one in raw.items()} == {
        date(2026, 3, 1): ['["a"]', '["b"]'],
        date(2026, 3, 2): [],
        date(2026, 3, 3): ['["a"]'],
    }


def test_only_the_days_wanted_are_handed_out():
    """Others of the task are stored already."""
    of = spec()
    answered = page(report([group(["a"], sub_row("2026-03-01", 1), sub_row("2026-03-02", 2))]))
    task = FinishedTask("t-1", LATER, DAY, date(2026, 3, 2))
    raw = split([answered], of, task, wanted=[date(2026, 3, 2)])
    assert {day: one.content["date"].to_pylist() for day, one in raw.items()} == {date(2026, 3, 2): [date(2026, 3, 2)]}


def test_a_day_without_rows_becomes_tables_without_rows():
    """Nothing is said of what is reached, and no sum is made up: there is no cohort."""
    of = spec()
    content = read([report([])], of)[DAY].content
    cohorts, totals = valid(typed_days(DAY, content, of, zone="UTC", currency="EUR"), of)
    assert (cohorts.content.num_rows, totals.content.num_rows) == (0, 0)
    assert (cohorts.figures, totals.figures) == ({"groups": 0, "masked_share": 0.0, "missing_values": 0}, {"groups": 0})


def test_an_absent_group_value_is_empty():
    """The list may be shorter than the fields, have nulls, or be missing; each field is a column all the same."""
    of = spec(group_by=("channel", "campaign"), intervals=0)
    groups = [
        group(["a", "b"], sub_row("2026-03-01", 1)),
        group(["a"], sub_row("2026-03-01", 2)),
        group(None, sub_row("2026-03-01", 3)),
    ]
    content = read([report(groups)], of)[DAY].content
    cohorts, _ = valid(typed_days(DAY, content, of, zone="UTC", currency="EUR"), of)
    assert columns(cohorts, "channel", "campaign", "value") == [("", "", 3), ("a", "", 2), ("a", "b", 1)]


def test_groups_that_are_one_only_after_filling_up_are_refused():
    """`["a"]` and `["a", ""]` would be two rows of one key."""
    of = spec(group_by=("channel", "campaign"))
    groups = [group(["a", ""], sub_row("2026-03-01", 1)), group(["a"], sub_row("2026-03-01", 2))]
    with pytest.raises(UnexpectedPayloadError, match="1 keys occur more than once"):
        report_raw_table(of).validated(read([report(groups)], of)[DAY].content, DAY)


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (group(["a", "b"], sub_row("2026-03-01", 1)), r"a group has the values \['a', 'b'\] for \['channel'\]"),
        (group(["a"], sub_row("2026-02-28", 1)), r"has 2026-02-28, requested was 2026-03-01 to 2026-03-01"),
        (group(["a"], sub_row("2026-03-02", 1)), r"has 2026-03-02, requested was 2026-03-01 to 2026-03-01"),
    ],
)
def test_groups_that_do_not_fit_what_was_asked_are_refused(one: Any, said: str):
    """Such a response belongs to another question."""
    with pytest.raises(UnexpectedPayloadError, match=said):
        read([report([one])], spec())


def test_more_values_than_intervals_are_refused():
    """The vendor documents at most one more than the last interval."""
    with pytest.raises(UnexpectedPayloadError, match=r'sub-row of \["a"\].*it has 4 values for the intervals 0 to 2'):
        typed(sub_row("2026-03-01", 1, 2, 3, 4))


def test_a_raw_day_of_another_specification_is_refused():
    """Its columns may mean something else; numbers of old filters do not become numbers of new ones."""
    old, new = spec(), spec(return_events=("app_subscribe",))
    content = read([report([group(["a"], sub_row("2026-03-01", 1))])], old)[DAY].content
    with pytest.raises(PermanentError, match="revenue_raw was read with another specification"):
        typed_days(DAY, content, new, zone="UTC", currency="EUR")


def test_tables_without_a_raw_day_are_refused():
    """Derived tables need their raw rows, whatever called for them."""
    with pytest.raises(PermanentError, match=r"no raw day of revenue.*Materialize revenue_raw"):
        typed_days(DAY, None, spec(), zone="UTC", currency="EUR")


def test_a_sub_row_filed_under_another_day_is_refused():
    """A raw file that was moved by hand, for one."""
    content = read([report([group(["a"], sub_row("2026-03-01", 1))])], spec())[DAY].content
    with pytest.raises(UnexpectedPayloadError, match="it is of 2026-03-01"):
        typed_days(date(2026, 3, 2), content, spec(), zone="UTC", currency="EUR")


def test_two_tasks_that_say_the_same_are_the_same_day():
    """Task, notifications, span and instant are observations; a group's own total is in no table."""
    of, one = spec(), sub_row("2026-03-01", 1)
    first = read([report([group(["a"], one)])], of)[DAY]
    other = group(["a"], one, sub_row("2026-03-02", 9)) | {"total": {"rows": [{"value": 5}]}}
    told = report([other]) | {"notification": [NOTIFICATION]}
    second = read([told], of, last=date(2026, 3, 2), task_id="t-2", requested_at=LATER + timedelta(days=1))[DAY]
    table = report_raw_table(of)
    assert content_hash(table, first.content) == content_hash(table, second.content)
    assert first.content["task_id"].to_pylist() != second.content["task_id"].to_pylist()


def test_fields_not_known_here_are_named_where_they_occur():
    """In the response with the raw day, in cells with the cohorts, in totals with the totals; the rows are as without them."""
    plain = sub_row("2026-03-01", 1, 2, 3, cost=1, revenue=3, users=1)
    more = sub_row(
        "2026-03-01",
        {"value": 1, "rate": 0.1},
        {"value": 2, "isIncomplete": True},
        3,
        cost={"value": 1, "unit": "x"},
        revenue=3,
        users=1,
    )
    more["total"]["totalTax"] = {"value": 1}
    body = report([group(["a"], more | {"label": "x"}) | {"rank": 1}], total=1) | {"took": 5}
    raw = read([body], spec())[DAY]
    cohorts, totals = valid(typed_days(DAY, raw.content, spec(), zone="UTC", currency="EUR"), spec())
    assert (cohorts.content, totals.content) == tuple(table.content for table in typed(plain))
    assert [one["unknown_fields"] for one in (raw.notes, cohorts.figures, totals.figures)] == [
        ["data.stats.rows[].rank", "took"],
        ["label", "values[].isIncomplete", "values[].rate"],
        ["total.totalCost.unit", "total.totalTax"],
    ]


def test_notifications_of_all_pages_are_kept_once():
    """The page names `notification[0]`, but the list may hold several, and each page repeats them."""
    other = {"code": "SAN_PERIOD_LIMIT", "type": "info"}
    first = report([group(["a"], sub_row("2026-03-01", 1))]) | {"notification": [NOTIFICATION, other, "odd"]}
    second = report([group(["b"], sub_row("2026-03-01", 1))]) | {"notification": [NOTIFICATION]}
    raw = read([first, second], spec())[DAY]
    codes = ["AGG_DATA_MASKING_BY_FACEBOOK", "SAN_PERIOD_LIMIT", "odd"]
    assert msgspec.json.decode(raw.content["notifications"][1].as_py()) == [NOTIFICATION, other, "odd"]
    assert raw.notes["notifications"] == codes
    cohorts, totals = valid(typed_days(DAY, raw.content, spec(), zone="UTC", currency="EUR"), spec())
    assert (cohorts.figures["notifications"], totals.figures["notifications"]) == (codes, codes)


@pytest.mark.parametrize(
    "metric", ["app_revenue", "app_user_count", "app_event_count", "app_roas", "app_arpu", "app_arppu"]
)
async def test_reports_of_the_sandbox_become_valid_days(metric: str):
    """From the request to rows for a fortnight of every metric; only days that are over are reached."""
    of = spec(metric=metric, group_by=("channel", "campaign"), intervals=7)
    first, last = date(2026, 3, 6), date(2026, 3, 19)
    sandbox = Sandboxed()
    handle = await sandbox.client.request_report(body(of, first, last))
    sandbox.wait(2)
    pages = await sandbox.client.report_pages(handle.task_id, 4)
    raw_of, cohorts_of, totals_of = daily_tables(of)
    wanted = days(first, last)
    raw = split(pages, of, FinishedTask(handle.task_id, NOW, first, last), zone="Asia/Seoul")
    for day in wanted:
        content = raw_of.validated(raw[day].content, day)
        made = typed_days(day, content, of, zone="Asia/Seoul", currency="USD")
        rows = cohorts_of.validated(made[cohorts_of.name].content, day).num_rows
        assert (rows, content.num_rows) == (
            8 * content.num_rows,
            totals_of.validated(made[totals_of.name].content, day).num_rows,
        )
        assert made[cohorts_of.name].figures["complete_through_interval"] == min(7, (last - day).days)
        assert made[cohorts_of.name].figures["missing_values"] == 0


async def test_the_last_cumulative_value_of_a_mature_cohort_is_its_revenue():
    """Cohorts and totals are two readings of the same people: they agree where nothing is open any more."""
    of = replace(spec(), intervals=3)
    sandbox = Sandboxed()
    handle = await sandbox.client.request_report(body(of, DAY, DAY))
    sandbox.wait(2)
    read_page = await sandbox.client.report_page(handle.task_id)
    raw = split([read_page], of, FinishedTask("t-1", NOW, DAY, DAY), zone="Asia/Seoul")
    cohorts, totals = valid(typed_days(DAY, raw[DAY].content, of, zone="Asia/Seoul", currency="USD"), of)
    last = [row for row in columns(cohorts, "days_since_start", "channel", "value") if row[0] == 3]
    revenue = columns(totals, "channel", "revenue")
    assert [row[1:] for row in last] == revenue
    assert sum(amount for _, amount in revenue) > 0


def test_the_instant_of_the_request_is_in_utc_in_every_row():
    """Reached or not is decided by it again whenever typed tables are made from raw."""
    asked = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
    raw = read([report([group(["a"], sub_row("2026-03-01", 1))])], spec(), requested_at=asked)[DAY]
    assert raw.content["requested_at"].to_pylist() == [asked]
    assert cohorts_table(spec()).key == ("channel", "days_since_start")
