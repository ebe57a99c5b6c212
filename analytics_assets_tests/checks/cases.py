"""For every check a lake that makes it fail, and one that must not: what is planted, and what is then found.

A case plants into the lake it is given and returns what the check finds there. Expectations are in `test_every_check.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from analytics_assets.checks.check import USUAL, Check, CheckResult
from analytics_assets.checks.comparison import Comparison, Side
from analytics_assets.checks.completeness import days_stored, latest_day_stored, snapshot_stored
from analytics_assets.checks.volume import Figure, volume_as_usual
from analytics_assets.sources.airbridge.checks import MASKED_SHARE, report_checks
from analytics_assets.sources.airbridge.restatements import restatements_table
from analytics_assets.sources.airbridge.tables import cohorts_table, report_raw_table
from analytics_assets.sources.airbridge.task_decisions import PollResult, TaskPolicy, judge
from analytics_assets.sources.bento.checks import ads_checks
from analytics_assets.sources.bento.streams import AdsSpec
from analytics_assets.sources.bento.tables import ADS_ATTRIBUTION, ADS_RAW, ADS_TOTALS
from analytics_assets.sources.statsig.checks import values_checks
from analytics_assets.sources.statsig.tables import METRIC_VALUES, VALUES_RAW
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.checks.planted import ACCOUNT, DAY, NOW, Planted, back
from analytics_assets_tests.lake.vendor import NUMBERS
from analytics_assets_tests.sources.airbridge.vendor import spec
from analytics_assets_tests.sources.bento.ads_rows import ATTRIBUTION_ROW, TOTALS_ROW

SPEC = spec()
COHORTS, RAW, RESTATEMENTS = cohorts_table(SPEC), report_raw_table(SPEC), restatements_table(SPEC)
Found = Mapping[Any, CheckResult]
# Two intervals after DAY, three days to settle, and the hours until the day after them is requested.
SETTLED = NOW.replace(day=8, hour=2)


@dataclass(frozen=True)
class Case:
    """What makes a check fail, with the level and words it fails with, and what does not."""

    fails: Callable[[Planted], Found]
    level: str
    words: str
    holds: Callable[[Planted], Found]


def own(checks: list[Check], name: str) -> Check:
    """The first check of that name."""
    return next(check for check in checks if check.name == name)


def of_report(name: str) -> Check:
    """A check of the report."""
    return own(report_checks(ACCOUNT, SPEC, USUAL, masked_share=MASKED_SHARE), name)


def of_ads(name: str) -> Check:
    """A check of Bento's ads."""
    return own(ads_checks(AdsSpec(), USUAL, truncated_share=0.0), name)


def cohort(*values: Any, masked: tuple[int, ...] = (), channel: str = "a") -> list[dict[str, Any]]:
    """Rows of a cohort, one an interval; an interval without a value is not reached, unless it is given as an empty text."""
    return [
        {
            "channel": channel,
            "days_since_start": number,
            "value": None if value in {None, ""} else Decimal(value),
            "currency": "EUR",
            "is_masked": number in masked,
            "is_reached": value is not None,
        }
        for number, value in enumerate(values)
    ]


def restated(*, was_mature: bool, is_masked: bool = False, to: int = 2) -> dict[str, Any]:
    """A value that was 1 and is another one."""
    values = {"old_value": Decimal(1), "new_value": Decimal(to)}
    return {"channel": "a", "days_since_start": 0, **values, "is_masked": is_masked, "was_mature": was_mature}


def read_days(*rows: dict[str, Any], at: datetime = SETTLED) -> Callable[[Planted], Found]:
    """A reading of a cohort's day that restated these rows."""

    def planted(lake: Planted) -> Found:
        lake.store_day(RAW, at=at)
        lake.store_day(COHORTS, *cohort(2, 2, 2))
        lake.store_day(RESTATEMENTS, *({**row, "seen_at": at} for row in rows))
        return lake.found(of_report("cohorts_stand"))

    return planted


def raw_rows(name: str, **columns: Any) -> Callable[[Planted], Found]:
    """A raw day of one group whose report has these columns."""

    def planted(lake: Planted) -> Found:
        same = {"group_values": '["a"]', "sub_row": "{}", "request_hash": "x", "task_id": "t-1", "notifications": "[]"}
        lake.store_day(RAW, {**same, "requested_at": NOW, **columns})
        return lake.found(of_report(name))

    return planted


def cohorts(name: str, *rows: dict[str, Any]) -> Callable[[Planted], Found]:
    """A day of cohorts, old enough for both its intervals."""

    def planted(lake: Planted) -> Found:
        lake.store_day(COHORTS, *rows)
        return lake.found(of_report(name), newest=DAY + timedelta(days=2))

    return planted


def ads(name: str, attribution: dict[str, Any], totals: dict[str, Any]) -> Callable[[Planted], Found]:
    """Bento's sample day, changed as told."""

    def planted(lake: Planted) -> Found:
        lake.store_day(ADS_ATTRIBUTION, {**ATTRIBUTION_ROW, **attribution})
        lake.store_day(ADS_TOTALS, {**TOTALS_ROW, **totals})
        return lake.found(of_ads(name))

    return planted


def units(*names: str) -> Callable[[Planted], Found]:
    """One metric with these unit types."""

    def planted(lake: Planted) -> Found:
        about = {"metric_name": "sign_up", "metric_type": "event_count", "value": 7.0}
        lake.store_day(
            METRIC_VALUES, *({**about, "unit_type": name, "is_overall": name == "overall"} for name in names)
        )
        return lake.found(own(values_checks(USUAL), "unit_types_apart"))

    return planted


def bodies(last: str) -> Callable[[Planted], Found]:
    """Three raw days whose responses have a label, and a last one."""

    def planted(lake: Planted) -> Found:
        answer = {"part": 0, "endpoint": "GET /stats/ads", "path": "/", "params": "{}", "status": 200, "attempts": 1}
        moments = {"requested_at": NOW, "answered_at": NOW}
        usual = '{"dimension":"source","totals":{"signups":1},"breakdown":[{"key":"google","label":"Google"}]}'
        for day in back(3, 2, 1):
            lake.store_day(ADS_RAW, {**answer, **moments, "body": usual}, day=day)
        lake.store_day(ADS_RAW, {**answer, **moments, "body": last})
        return lake.found(of_ads("fields_as_known"))

    return planted


def lists(**totals: int) -> Callable[[Planted], Found]:
    """A day of values whose two pages of one item each declare these totals."""

    def planted(lake: Planted) -> Found:
        answer = {"endpoint": "GET /metrics/values", "path": "/metrics/values", "params": "{}", "status": 200}
        moments = {"requested_at": NOW, "answered_at": NOW, "attempts": 1}
        bodies = [f'{{"data":[{{}}],"pagination":{{"totalItems":{total}}}}}' for total in totals.values()]
        lake.store_day(
            VALUES_RAW, *({**answer, **moments, "part": part, "body": body} for part, body in enumerate(bodies))
        )
        return lake.found(own(values_checks(USUAL), "totals_as_read"))

    return planted


def volumes(*rows: int, limits: Any = USUAL) -> Callable[[Planted], Found]:
    """Days of so many rows, a week apart, the last of them `DAY`."""

    def planted(lake: Planted) -> Found:
        for day, count in zip(back(*(7 * number for number in range(len(rows)))), rows, strict=True):
            lake.store_day(NUMBERS, *({"part": part, "number": part} for part in range(count)), day=day)
        return lake.found(volume_as_usual(Figure(NUMBERS.name), limits))

    return planted


def stand(check: Callable[[Any], Check], *days_before: int) -> Callable[[Planted], Found]:
    """A table of which these days stand, so many before `DAY`."""

    def planted(lake: Planted) -> Found:
        for day in back(*days_before):
            lake.store_day(NUMBERS, {"part": 0, "number": 1}, day=day)
        return lake.found(check(NUMBERS))

    return planted


def damaged(lake: Planted) -> Found:
    """A file that another program wrote."""
    path = lake.store_day(NUMBERS, {"part": 0, "number": 1})
    Path(path).write_bytes(b"not Parquet")
    return lake.found(days_stored(NUMBERS))


def compared(right: int) -> Callable[[Planted], Found]:
    """Ten rows' sum of one account against a number of another, which may differ by a tenth."""

    def planted(lake: Planted) -> Found:
        lake.store_day(NUMBERS, {"part": 0, "number": 100}, account="left")
        lake.store_day(NUMBERS, {"part": 0, "number": right}, account="right")
        figure = Figure(NUMBERS.name, "sum", "number")
        return lake.found(Comparison("numbers", Side("left", figure), Side("right", figure), relative=0.1).check())

    return planted


class Books:
    """An account's resource whose ledger a test has written."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def ledger(self) -> Ledger:
        """The ledger."""
        return self._ledger


def tasks(*, refused: bool) -> Callable[[Planted], Found]:
    """An open request whose task the vendor has refused, or has just been requested."""

    def planted(lake: Planted) -> Found:
        ledger = Ledger(f"sqlite:///{lake.lake.root}/state.db")
        [request] = ledger.join_or_open(ACCOUNT, SPEC.name, "hash", [DAY], longest=92, now=NOW)
        if refused:
            ledger.begin_attempt(request.id, now=NOW)
            judge(ledger.get(request.id), PollResult.REFUSED, "HTTP 401", now=NOW, policy=TaskPolicy()).record(ledger)
        return lake.found(of_report("reports_arrive"), resource=Books(ledger))

    return planted


KNOWN = '{"dimension":"source","totals":{"signups":1},"breakdown":[{"key":"google","label":"Google"}]}'
RENAMED = '{"dimension":"source","totals":{"signups":1},"breakdown":[{"key":"google","title":"Google"}]}'
CASES = {
    "days_stored": Case(damaged, "error", "cannot be used: it cannot be read to its end", stand(days_stored, 0)),
    "latest_day_stored": Case(
        stand(latest_day_stored, 2, 1),
        "error",
        "missing; could be stored since 2026-03-02 02:00 UTC",
        stand(latest_day_stored, 2, 1, 0),
    ),
    "snapshot_stored": Case(
        stand(snapshot_stored, 1),
        "error",
        "no reading was taken, and none can be taken any more",
        stand(snapshot_stored, 0),
    ),
    "volume_as_usual": Case(
        volumes(40, 44, 36, 40, 8), "warning", "8 instead of about 40", volumes(40, 44, 36, 40, 30)
    ),
    "fields_as_known": Case(
        bodies(RENAMED), "warning", "unknown: breakdown[].title; vanished: breakdown[].label", bodies(KNOWN)
    ),
    "totals_as_read": Case(
        lists(first=3, second=3),
        "warning",
        "/metrics/values declares 3 items and holds 2",
        lists(first=2, second=2),
    ),
    "breakdown_within_totals": Case(
        ads("breakdown_within_totals", {"signups": 11}, {}),
        "error",
        "signups of source all_revenue over the total by 1",
        ads("breakdown_within_totals", {"signups": 9}, {}),
    ),
    "revenue_complete": Case(
        ads("revenue_complete", {}, {"revenue_truncated": True}),
        "warning",
        "Bento says that revenue is incomplete in 100% of the rows",
        ads("revenue_complete", {}, {"revenue_truncated": None}),
    ),
    "unit_types_apart": Case(
        units("overall", "userID", "user_id"),
        "warning",
        "sign_up (event_count) with one unit type under two spellings",
        units("overall", "userID", "stableID"),
    ),
    "groups_as_declared": Case(
        raw_rows("groups_as_declared", groups_declared=3, groups_read=1),
        "warning",
        "1 groups were read and 3 are declared",
        raw_rows("groups_as_declared", groups_declared=1, groups_read=1),
    ),
    "totals_add_up": Case(
        raw_rows("totals_add_up", total_difference="cost 70 in its own total and 60 in its sub-rows"),
        "warning",
        '1 groups differ from their own total: ["a"]: cost 70 in its own total and 60 in its sub-rows',
        raw_rows("totals_add_up", group_total="{}"),
    ),
    "curves_do_not_fall": Case(
        cohorts("curves_do_not_fall", *cohort(3, 2, 4)),
        "warning",
        "1 cumulative values are lower than the interval before",
        # What is masked may fall, and another group begins anew.
        cohorts("curves_do_not_fall", *cohort(3, 2, 4, masked=(1,)), *cohort(1, 1, None, channel="b")),
    ),
    "intervals_present": Case(
        cohorts("intervals_present", *cohort(1, "", None)),
        "warning",
        "1 reached values were not sent; read up to interval 1, old enough for 2",
        cohorts("intervals_present", *cohort(1, "", 3, masked=(1,))),
    ),
    "few_masked": Case(
        cohorts("few_masked", *cohort(1, 2, None, masked=(0, 1))),
        "warning",
        "100% of the reached values are masked",
        cohorts("few_masked", *cohort(1, 2, None, masked=(0,))),
    ),
    "cohorts_stand": Case(
        read_days(restated(was_mature=True)),
        "warning",
        "1 values of a mature cohort moved",
        read_days(restated(was_mature=True), at=SETTLED - timedelta(seconds=1)),
    ),
    "reports_arrive": Case(tasks(refused=True), "warning", "REFUSED in attempt 1 (HTTP 401).", tasks(refused=False)),
    "figures_agree": Case(compared(80), "warning", "100 against 80", compared(95)),
}
