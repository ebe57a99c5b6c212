"""Checks of the growth tables. Each gives the sentences of what is wrong; a table without sentences passes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from analytics_assets.growth.build import GrowthSpec, GrowthTables, Report
from analytics_assets.lake.reader import LakeReader

_Key = tuple[Any, ...]
_SHOWN: Final = 5


@dataclass(frozen=True)
class GrowthCheck:
    """A check of a growth table.

    Attributes:
        table: The table.
        name: Name of the check.
        description: What a failure means, and what to do.
        is_error: True if the figures are wrong; otherwise people only have to know.
        find: The sentences of what is wrong.
    """

    table: str
    name: str
    description: str
    is_error: bool
    find: Callable[[LakeReader, GrowthSpec, GrowthTables], list[str]]


def unmapped_channels(_lake: LakeReader, _spec: GrowthSpec, growth: GrowthTables) -> list[str]:
    """Raw names with spend that no rule of the channel map maps."""
    rows = growth.tables["channels"].to_pylist()
    return [
        f"{row['account']}: {row['source_system']} name {row['raw_name']!r} has spend, {row['first_date']} to {row['last_date']}"
        for row in rows
        if row["has_spend"] and not row["is_mapped"]
    ]


def different_sums(lake: LakeReader, spec: GrowthSpec, growth: GrowthTables) -> list[str]:
    """Spend and installs of a date that are not the sums of the daily tables, counted apart from the SQL."""
    channels = {(row["account"], row["raw_name"]): row["channel"] for row in growth.tables["channels"].to_pylist()}
    expected: dict[_Key, dict[str, Any]] = {}
    for report in spec.reports:
        _add_totals(expected, lake, report, channels)
    columns = ["account", "date", "channel", "campaign", "currency", "spend", "installs"]
    actual = {
        tuple(row[name] for name in columns[:5]): {"spend": row["spend"], "installs": row["installs"]}
        for row in growth.tables["acquisition_daily"].select(columns).to_pylist()
    }
    wrong = sorted(key for key in expected.keys() | actual.keys() if expected.get(key) != actual.get(key))
    return [
        f"{' '.join(map(str, key))}: {_words(actual.get(key))} here, {_words(expected.get(key))} in the lake"
        for key in wrong
    ]


def _add_totals(
    sums: dict[_Key, dict[str, Any]], lake: LakeReader, report: Report, channels: Mapping[tuple[str, str], str]
) -> None:
    names = ["date", report.channel, *([report.campaign] if report.campaign else []), "currency", "cost", "users"]
    for row in _rows(lake.read(report.account, report.totals, columns=names)):
        campaign = row[report.campaign] if report.campaign else ""
        # A name that the table lacks shows as a difference.
        channel = channels.get((report.account, row[report.channel]), row[report.channel])
        key = (report.account, row["date"], channel, campaign, row["currency"])
        sum_of_key = sums.setdefault(key, {"spend": Decimal(0), "installs": 0})
        for name, value in (("spend", row["cost"]), ("installs", row["users"])):
            before = sum_of_key[name]
            sum_of_key[name] = None if value is None or before is None else before + value


def _rows(content: pa.Table) -> Iterable[dict[str, Any]]:
    for batch in content.to_batches():
        yield from batch.to_pylist()


def _words(sums: Mapping[str, Any] | None) -> str:
    return "no row" if sums is None else f"spend {sums['spend']}, installs {sums['installs']}"


def unexplained_falls(_lake: LakeReader, _spec: GrowthSpec, growth: GrowthTables) -> list[str]:
    """Points of complete curves that are lower than the point before, by more than the cells of the lake fell."""
    return [
        f"{row['account']} {row['week']} {row['channel']} {row['currency']}: day {row['days_since_start']} is {row['fall']} lower than the "
        f"day before, and its cohorts are {row['cell_fall']} lower"
        for row in growth.falls
    ]


def in_words(sentences: list[str]) -> str:
    """The first of the sentences, and how many more there are."""
    rest = len(sentences) - _SHOWN
    return "; ".join([*sentences[:_SHOWN], *([f"and {rest} more"] if rest > 0 else [])])


CHECKS: Final = (
    GrowthCheck(
        "channels",
        "channels_are_mapped",
        "**What a failure means.** Raw names that have spend are in no rule, so each is a channel of its own.\n\n"
        "**What to do.** Add a rule for each of them to `channels` of the growth `defs.yaml`.",
        is_error=False,
        find=unmapped_channels,
    ),
    GrowthCheck(
        "acquisition_daily",
        "sums_equal_the_lake",
        "**What a failure means.** Spend or installs are not the sums of the report's daily table.\n\n"
        "**What to do.** Run the job `growth_tables` again. If they still differ, the SQL is wrong.",
        is_error=True,
        find=different_sums,
    ),
    GrowthCheck(
        "cohort_ltv",
        "curves_fall_by_refunds",
        "**What a failure means.** A curve of a complete week falls though its cohorts do not, so its points rest on different cohorts.\n\n"
        "**What to do.** Load the days of the week again, then run the job `growth_tables`.",
        is_error=True,
        find=unexplained_falls,
    ),
)
