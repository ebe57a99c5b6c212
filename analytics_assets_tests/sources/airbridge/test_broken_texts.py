"""A group whose value ends in half an emoji costs one text, or is refused by name; the report of 92 days is not lost to it."""

import json
from datetime import date
from typing import Any

import pytest

from analytics_assets.errors import UnexpectedPayloadError
from analytics_assets.sources.airbridge.report_days import FinishedTask
from analytics_assets.sources.airbridge.transform import typed_days
from analytics_assets_tests.sources.airbridge.days import DAY, LATER, split
from analytics_assets_tests.sources.airbridge.vendor import Scripted, always, group, report, spec, sub_row

HALF, OTHER_HALF = "spring \ud83d", "spring \ud83e"


def sent(body: Any) -> str:
    """JSON as Python writes it, with an escape for each half."""
    return json.dumps(body)


async def test_a_report_keeps_every_group_and_counts_the_repaired_value():
    """Sub-rows stay parts of the body, which Arrow reads for the typed rows."""
    row, of = sub_row("2026-03-01", 1, 2, 3, cost=1, revenue=2, users=3), spec()
    body = {
        **report([group([HALF], row), group(["b"], row)], total=2, more=False),
        "notification": [{"code": "X", "message": "cut \ude00"}],
    }
    pages = await always(sent(body)).client().report_pages("t-1")
    raw = split(pages, of, FinishedTask("t-1", LATER, DAY, DAY))[DAY]
    assert raw.notes == {"task_id": "t-1", "notifications": ["X"], "repaired_texts": 2}
    cohorts = typed_days(DAY, raw.content, of, zone="UTC", currency="EUR")["revenue_cohorts"].content
    assert sorted(set(cohorts["channel"].to_pylist())) == ["b", "spring \ufffd"]


@pytest.mark.parametrize("more", [{}, {"broken": "\ud83d"}], ids=["in the value", "in a field that is not known"])
async def test_the_status_of_a_task_is_read_past_a_broken_text(more: dict[str, str]):
    """Otherwise the look would fail for a day, and a new task would be requested."""
    body = {**report([group([HALF], sub_row("2026-03-01", 1))]), **more}
    state = await always(sent(body)).client().report_state("t-1")
    assert state.status == "SUCCESS"


@pytest.mark.parametrize(
    ("pages", "words"),
    [
        ([[HALF, OTHER_HALF]], "1 groups come more than once on one page, the first is ['spring \ufffd']"),
        ([[HALF], [OTHER_HALF]], "the group ['spring \ufffd'] comes twice in each of 4 readings"),
    ],
    ids=["one page", "two pages"],
)
async def test_two_groups_that_become_equal_are_refused_by_name(pages: list[list[str]], words: str):
    """Neither added up nor left out, and not requested again as if they could come apart."""
    bodies = [
        sent(
            report(
                [group([name], sub_row(date(2026, 3, 1).isoformat(), 1)) for name in names],
                total=2,
                more=names is not pages[-1],
            )
        )
        for names in pages
    ]
    vendor = Scripted(lambda request: bodies[int(request.url.params["skip"])])
    with pytest.raises(UnexpectedPayloadError) as caught:
        await vendor.client().report_pages("t-1", 2 if len(pages) == 1 else 1)
    assert words in str(caught.value)
