"""What a range will cost, on paper and as the command tells it."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from analytics_assets import SOURCES
from analytics_assets.__main__ import main
from analytics_assets.dates import spans
from analytics_assets.orchestration.backfill_plan import NO_HISTORY, AccountPlan, Plan, planned
from analytics_assets.orchestration.stream import SourceStream
from analytics_assets.state.rate_limit import Budget

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
START = date(2026, 3, 2)
QUERY = "/reports/api/v3/apps/{app_name}/revenue/query"


def final_at(day: date) -> datetime:
    """Three o'clock in the night after the next."""
    return datetime(day.year, day.month, day.day, 3, tzinfo=UTC) + timedelta(days=2)


def two_a_day(days: Sequence[date]) -> dict[str, int]:
    """Two requests for each day."""
    return {"GET /ads": 2 * len(days)}


def a_task_for_four(days: Sequence[date]) -> dict[str, int]:
    """One task for up to four days."""
    tasks = len(list(spans(days, longest=4)))
    return {"POST /tasks": tasks, "GET /tasks": 2 * tasks}


def stream(name: str, **fields: Any) -> SourceStream:
    """A stream without tables."""
    return SourceStream(account="shop", raw=None, name=name, **fields)


def account(*streams: SourceStream, days_per_run: int = 3, start_date: date | None = None) -> AccountPlan:
    """An account of four requests a minute."""
    return AccountPlan(streams, days_per_run, Budget(4, 60), "shop", final_at, start_date)


def plan_of(**accounts: AccountPlan) -> Plan:
    """The first to the eleventh of March, planned at noon of the tenth."""
    return planned(accounts, date(2026, 3, 1), date(2026, 3, 11), start=START, now=NOON)


def test_days_that_cannot_be_asked_for_are_refused_with_the_reason() -> None:
    """Before the first day, not final yet, never there; the six others cost two requests each.

    A stream that sends no requests is not in the plan.
    """
    ads = stream("ads", request_count=two_a_day, final_at=final_at, is_exact=True)
    counts = stream("audience", request_count=lambda _days: {"GET /site": 1})
    derived = stream("derived", final_at=final_at, sends_requests=False)
    plan = plan_of(bento=account(ads, counts, derived))
    assert plan.as_json() == {
        "from": "2026-03-01",
        "to": "2026-03-11",
        "requests": {"bento": {"GET /ads": 14}},
        "at_least": [],
        "report_tasks": {},
        "runs": {"bento": 3},
        "refused": {
            "bento/ads": {
                "before the first day of the account, 2026-03-02": "2026-03-01",
                "not final yet: 2026-03-09 can be loaded from 2026-03-11 03:00 UTC on": "2026-03-09 to 2026-03-11",
            },
            "bento/audience": {NO_HISTORY: "2026-03-01 to 2026-03-11"},
        },
        "seconds": 183.6,
    }


def test_an_account_with_a_later_first_day_costs_nothing_before_it() -> None:
    """Neither runs nor requests; an earlier one changes nothing."""
    ads = stream("ads", request_count=two_a_day, final_at=final_at, is_exact=True)
    late = plan_of(bento=account(ads, start_date=date(2026, 3, 6)))
    assert (late.requests, late.runs) == ({"bento": {"GET /ads": 6}}, {"bento": 1})
    assert late.as_json()["refused"]["bento/ads"]["before the first day of the account, 2026-03-06"] == (
        "2026-03-01 to 2026-03-05"
    )
    assert plan_of(bento=account(ads, start_date=date(2026, 3, 1))) == plan_of(bento=account(ads))


def test_a_report_task_covers_days_of_one_run_only() -> None:
    """Seven days in runs of three are three tasks, although one covers four days."""
    plan = plan_of(
        airbridge=account(stream("revenue", request_count=a_task_for_four, final_at=final_at, is_exact=False))
    )
    assert (plan.requests, plan.tasks, plan.at_least) == (
        {"airbridge": {"GET /tasks": 6, "POST /tasks": 3}},
        {"airbridge": 3},
        ["airbridge"],
    )


def test_accounts_that_a_vendor_counts_together_wait_for_each_other() -> None:
    """Two sites of fourteen requests are twenty-eight: a full window and six more."""
    ads = stream("ads", request_count=two_a_day, final_at=final_at, is_exact=True)
    assert plan_of(one=account(ads), other=account(ads)).seconds == 367.2


def test_the_plan_for_people_has_a_line_for_each_number() -> None:
    """Runs, tasks, requests, refusals, time."""
    plan = plan_of(
        airbridge=account(stream("revenue", request_count=a_task_for_four, final_at=final_at, is_exact=False))
    )
    assert plan.lines() == [
        "Plan for 2026-03-01 to 2026-03-11, all days asked anew:",
        "airbridge: 3 runs, 3 report tasks",
        "  at least 6 GET /tasks",
        "  at least 3 POST /tasks",
        "refused: airbridge/revenue 2026-03-01: before the first day of the account, 2026-03-02",
        "refused: airbridge/revenue 2026-03-09 to 2026-03-11: not final yet: 2026-03-09 can be loaded from 2026-03-11 03:00 UTC on",
        "The budgets leave this at least 0:02:03.",
    ]


def test_the_command_plans_a_year_of_the_shipped_accounts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """730 requests of Bento at 30 an hour are a day; a year of each Airbridge report is four tasks."""
    file = tmp_path / "plan.json"
    accounts = "airbridge,bento,statsig"
    arguments = ["plan", "--from", "2025-01-01", "--to", "2025-12-31", "--select", accounts, "--json", str(file)]
    assert main(arguments, clock=lambda: NOON) == 0
    told = json.loads(file.read_text())
    assert told == {
        "from": "2025-01-01",
        "to": "2025-12-31",
        "requests": {
            "airbridge": {f"GET {QUERY}/{{task_id}}": 16, f"POST {QUERY}": 8},
            "bento": {"GET /stats/ads": 730},
            "statsig": {"GET /metrics/values": 365},
        },
        "at_least": ["airbridge", "statsig"],
        "report_tasks": {"airbridge": 8},
        "runs": {"airbridge": 4, "bento": 31, "statsig": 12},
        "refused": {
            stream: {NO_HISTORY: "2025-01-01 to 2025-12-31"}
            for stream in ("airbridge/catalog", "bento/audience", "bento/reports", "statsig/listing")
        },
        "seconds": 88128.0,
    }
    out = capsys.readouterr().out.splitlines()
    assert out[-2:] == [
        "The budgets leave this at least 1 day, 0:28:48.",
        "In sandbox mode as set here, budgets are off: nothing waits.",
    ]


def test_a_file_that_cannot_be_written_is_refused_after_the_plan(tmp_path: Path, capsys) -> None:
    """In words, with status 2; what was planned is not lost."""
    file = tmp_path / "none/plan.json"
    arguments = ["plan", "--from", "2026-03-01", "--to", "2026-03-02", "--select", "bento", "--json", str(file)]
    assert main(arguments, clock=lambda: NOON) == 2
    out, err = capsys.readouterr()
    words = f"analytics-assets: --json {file}: it cannot be written (No such file or directory).\n"
    assert ("bento" in out, err) == (True, words)


def test_the_shipped_lookbacks_fit_the_budgets(tmp_path: Path) -> None:
    """What the schedules request each day passes at once: the longest of them, and Bento's lookback with the whole week before it, were it red."""
    file = tmp_path / "plan.json"
    assert main(["plan", "--from", "2026-02-03", "--to", "2026-03-06", "--json", str(file)], clock=lambda: NOON) == 0
    long = json.loads(file.read_text())
    arguments = ["plan", "--from", "2026-02-20", "--to", "2026-03-06", "--select", "bento", "--json", str(file)]
    assert main(arguments, clock=lambda: NOON) == 0
    assert (long["requests"]["airbridge"], json.loads(file.read_text())["requests"]) == (
        {f"GET {QUERY}/{{task_id}}": 4, f"POST {QUERY}": 2},
        {"bento": {"GET /stats/ads": 30}},
    )
    assert json.loads(file.read_text())["seconds"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--to", "2026-02-28"), "--to 2026-02-28 is before --from 2026-03-01."),
        (
            ("--to", "2026-03-01", "--select", "bento/ads"),
            "--select bento/ads: a plan is of whole accounts. Use --select bento, or leave it out.",
        ),
        (
            ("--to", "2026-03-01", "--select", "bento,shop"),
            f"--select shop: there is no such folder with a defs.yaml. There are: {', '.join(sorted(SOURCES))}.",
        ),
    ],
)
def test_a_plan_that_cannot_be_made_says_why(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """On stderr, with status 2."""
    assert main(["plan", "--from", "2026-03-01", *arguments], clock=lambda: NOON) == 2
    assert capsys.readouterr() == ("", f"analytics-assets: {message}\n")
