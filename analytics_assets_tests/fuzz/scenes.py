"""What is tried: a stream each, the tables that must stand for a day, what its errors may speak of, and the oracle that reads its responses.

How its clients and streams are opened is in `asked.py`.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import count
from typing import Any

from analytics_assets.lake.load import DayLoader, DayResult
from analytics_assets.lake.loss import LossPolicy
from analytics_assets.lake.store import Lake
from analytics_assets.lake.stream import Stream
from analytics_assets.sources.airbridge.report_spec import ReportSpec
from analytics_assets_tests.fuzz import oracle_airbridge, oracle_bento, oracle_statsig
from analytics_assets_tests.fuzz.asked import (
    APP,
    ASKED,
    DAY,
    DAYS,
    NOW,
    REPORTS,
    SEGMENTS,
    TODAY,
    VALUES_DAY,
    Report,
    Trial,
    ads,
    audience,
    catalog,
    definitions,
    report_points,
    values,
)
from analytics_assets_tests.fuzz.log import Log, Question
from analytics_assets_tests.fuzz.sent import Refusal, Sent
from analytics_assets_tests.fuzz.wire import Vendors, Wire, options

Rows = list[dict[str, Any]]
Truth = Mapping[date, Mapping[str, Rows] | Refusal]
Spoil = Callable[[Stream], Stream]
_numbers = count(1)
_WHOLE = ("0", "7", "1234567", "-3", "1099511627776", "null")
_MONEY = ("0", "12.505", "1234567.891", "-3", "99999999.123456789", "10.455", "0.000000001", "null")
_BINARY = ("0", "0.1", "12.5", "1e-7", "123456789.123456789", "-2.5")
_LABELS = ('"a b"', '"\u05e9\u05dc\u05d5\u05dd"', '"null"', '"$$default$$"', '"007"')


@dataclass(frozen=True)
class Scene:
    """One stream under trial.

    Attributes:
        name: Its name.
        days: The days requested.
        tables: The tables that stand for a day that is stored; all or none.
        words: An error names its place by one of these.
        free: By field, JSON texts the vendor may well send.
        streams: Opens the streams to be stored, one after the other.
        truth: The rows of each day, by table, read from the responses; raises `Refusal` where nothing may be stored.
        envelope: Which of Airbridge's envelopes is sent.
        earlier: Days that are stored before, as they were sent.
        notes: What the raw table has to say of a day.
    """

    name: str
    days: Sequence[date]
    tables: Sequence[str]
    words: Sequence[str]
    free: Mapping[str, Sequence[str]]
    streams: Callable[[str, Wire, Lake], AsyncIterator[Trial]]
    truth: Callable[[Log], Truth]
    envelope: str = "data"
    earlier: Sequence[date] = ()
    notes: Callable[[Log], Mapping[str, Any]] = lambda _log: {}

    @property
    def kept(self) -> Sequence[str]:
        """The tables whose rows are not given up to a smaller response."""
        return self.tables[1:]

    @cached_property
    def vendors(self) -> Vendors:
        """Where its responses come from."""
        return Vendors(options(NOW, envelope=self.envelope))

    async def genuine(self, lake: Lake) -> dict[Question, Sent]:
        """Every answer of an undisturbed landing."""
        wire = self.vendors.wire()
        await self.load(wire, lake, self.account(), attempt_group="genuine", spoil=lambda stream: stream)
        earlier = {str(day) for day in self.earlier}
        return {
            question: sent for question, sent in wire.log.sent.items() if dict(question[2]).get("date") not in earlier
        }

    def account(self) -> str:
        """Name of an account that holds nothing yet."""
        return f"trial{next(_numbers)}"

    async def load(self, wire: Wire, lake: Lake, account: str, *, attempt_group: str, spoil: Spoil) -> list[DayResult]:
        """Lands all days in an account; returns what became of them."""
        results: dict[date, DayResult] = {}
        streams = self.streams(account, wire, lake)
        async with aclosing(streams):  # type: ignore[type-var] - it is a generator
            async for trial in streams:
                stream = trial.stream.of_lake(lake)
                chosen = {table.name for table in (stream.raw, *stream.typed) if table is not None}
                loss = LossPolicy(is_accepted=wire.flaw.accepts_losses)
                landing = DayLoader(lake, chosen, attempt_group, lambda: NOW, is_sandbox=True, loss=loss)
                if self.earlier:
                    async for result in landing.load(stream, self.earlier, trial.fetcher):
                        if result.error is not None:
                            raise AssertionError(f"{result.day} is as it was sent: {result.error}")
                async for result in landing.load(spoil(stream), trial.days, trial.fetcher):
                    results[self.days[0] if len(self.days) == 1 else result.day] = result
                if any(result.error for result in results.values()):
                    break
        return list(results.values())


def _cells(numbers: Sequence[str]) -> list[str]:
    """Cells of an Airbridge report with and without their flag."""
    masked = [f'{{"value": {number}, "isMasked": true}}' for number in numbers]
    return [*masked, *(f'{{"value": {number}}}' for number in numbers)]


def _report_scene(report: Report, *, is_money: bool, envelope: str) -> Scene:
    """A report as a scene."""
    name, fields = report.spec.name, list(report.spec.group_by)

    def truth(log: Log) -> Truth:
        return oracle_airbridge.report(
            log,
            name,
            fields=fields,
            intervals=report.spec.intervals,
            is_money=is_money,
            days=DAYS,
            today=APP.day_of(NOW),
        )

    return Scene(
        name=f"airbridge {name}",
        days=DAYS,
        tables=(f"{name}_raw", f"{name}_cohorts", f"{name}_cohort_totals"),
        words=("/revenue/query", f"{name}_", "Airbridge task", f"report {name!r}", f"report {name}", f"{name}: "),
        free={
            "isMasked": ("true", "false"),
            "totalCost": _cells(_MONEY),
            "totalRevenue": _cells(_MONEY),
            "totalUniqueUsers": _cells(_WHOLE),
            "values": [f"[{cell}, null, {cell}]" for cell in _cells(_MONEY if is_money else _WHOLE)],
        },
        streams=report.streams,
        truth=truth,
        envelope=envelope,
    )


def _spec(name: str, metric: str, group_by: tuple[str, ...], aggregation: str) -> ReportSpec:
    return ReportSpec(
        name=name,
        group_by=group_by,
        metric=metric,
        aggregation=aggregation,
        start_events=("app_install",),
        return_events=("app_order_complete",),
        intervals=2,
    )


def scenes() -> list[Scene]:
    """Every stream of every vendor."""
    revenue = Report(_spec("revenue", "app_revenue", ("channel",), "cumulative"))
    buyers = Report(_spec("buyers", "app_user_count", ("channel", "campaign"), "on-day"))
    counts = dict.fromkeys(("signups", "customers", "revenueVisitorCount"), _WHOLE)
    rates = dict.fromkeys(("customerRate", "revenuePerSignupCents", "revenue"), _BINARY)
    people = dict.fromkeys(("user_count", "subscriber_count", "unsubscriber_count"), _WHOLE)
    fractions = dict.fromkeys(("value", "numerator", "denominator"), (*_BINARY, "null"))
    words = dict.fromkeys(("description", "team", "directionality"), (*_LABELS, "null"))
    named = dict.fromkeys(("name", "description", "example"), _LABELS)
    return [
        Scene(
            "bento ads",
            [DAY],
            ("ads_raw", "ads_attribution", "ads_totals", "ads_chart"),
            ("/stats/ads", "ads_"),
            counts | rates | {"topSource": _LABELS, "revenueTruncated": ("true", "false")},
            ads,
            lambda log: {DAY: oracle_bento.ads(log, DAY, ASKED)},
        ),
        Scene(
            "bento audience",
            [TODAY],
            ("audience_raw", "audience_counts"),
            ("/stats/site", "/stats/segment", "audience_"),
            people,
            audience,
            lambda log: {TODAY: oracle_bento.audience(log, TODAY, SEGMENTS)},
        ),
        Scene(
            "bento reports",
            [TODAY],
            ("reports_raw", "report_points"),
            ("/stats/report", "report"),
            {"y": (*_BINARY, "null"), "g": _LABELS, "report_name": _LABELS},
            report_points,
            lambda log: {TODAY: oracle_bento.reports(log, TODAY, REPORTS)},
        ),
        Scene(
            "statsig values",
            [VALUES_DAY],
            ("values_raw", "metric_values"),
            ("/metrics/values", "metric_values", "values_raw"),
            fractions | {"inputRows": _WHOLE, "displayName": _LABELS},
            values,
            lambda log: {VALUES_DAY: oracle_statsig.values(log, VALUES_DAY)},
            notes=lambda log: oracle_statsig.miscount(log, VALUES_DAY),
        ),
        Scene(
            "statsig values after others",
            [VALUES_DAY],
            ("values_raw", "metric_values"),
            ("/metrics/values", "metric_values", "values_raw"),
            fractions | {"inputRows": _WHOLE, "displayName": _LABELS},
            values,
            lambda log: {VALUES_DAY: oracle_statsig.values(log, VALUES_DAY, is_total_reliable=True)},
            earlier=[VALUES_DAY - timedelta(days=number) for number in (3, 2, 1)],
        ),
        Scene(
            "statsig definitions",
            [VALUES_DAY],
            ("event_metrics",),
            ("/metrics/list", "/events/", "event_metrics", "listing_raw"),
            words,
            definitions,
            lambda log: {VALUES_DAY: oracle_statsig.definitions(log, VALUES_DAY)},
        ),
        Scene(
            "airbridge catalog",
            [TODAY],
            ("catalog",),
            ("/revenue-report/", "catalog"),
            named,
            catalog,
            lambda log: {TODAY: oracle_airbridge.catalog(log, TODAY)},
        ),
        _report_scene(revenue, is_money=True, envelope="data"),
        _report_scene(buyers, is_money=False, envelope="task"),
    ]
