"""What the tables of a report say of themselves: what was asked, what the numbers are measured in, and a query to begin with.

Source of the meanings: https://help.airbridge.io/en/references/revenue-report
"""

from collections.abc import Sequence
from typing import Final

from analytics_assets.sources.airbridge.report_spec import ReportSpec

QUANTITIES: Final = {
    "app_revenue": "Revenue in units of `currency`",
    "app_arpu": "Revenue per user of the start event, in units of `currency`",
    "app_arppu": "Revenue per paying user, in units of `currency`",
    "app_user_count": "Number of users",
    "app_event_count": "Number of events",
    "app_roas": "Revenue per cost in percent: 250 means 2.5 times the cost",
}
UNITS: Final = {
    "app_revenue": "major units of currency",
    "app_arpu": "major units of currency",
    "app_arppu": "major units of currency",
    "app_user_count": "users",
    "app_event_count": "events",
    "app_roas": "percent",
}


def asked(spec: ReportSpec) -> str:
    """What the constants of the report are: they are no columns."""
    return (
        f"`{spec.metric}`, aggregation `{spec.aggregation}`, of {', '.join(spec.return_events)} after {', '.join(spec.start_events)}, "
        f"by {', '.join(spec.group_by)}"
        + (f", {len(spec.filters)} filters" if spec.filters else "")
        + (", of a cohort" if spec.cohort else "")
    )


def span(spec: ReportSpec) -> str:
    """Which days a value is of."""
    return (
        "of the day `days_since_start` alone"
        if spec.aggregation == "on-day"
        else "from the start date up to and including the day `days_since_start`"
    )


def cohorts_by_age(labels: Sequence[str], *, is_additive: bool, is_money: bool) -> str:
    """Each cohort by age: one number a cohort where groups may be added and each has one, one a group where not."""
    currency = ", currency" if is_money else ""
    if is_additive:
        return f"""
select date, days_since_start{currency}, {_whole_sum("value")}, count(*) filter (is_masked) as masked_groups
from days where is_reached group by all order by date desc, days_since_start"""  # noqa: S608 - for a person to copy; no value goes in
    groups = _quoted(labels)
    return f"""
select date, {groups}, days_since_start, value{currency}, is_masked
from days where is_reached order by date desc, {groups}, days_since_start"""  # noqa: S608 - for a person to copy; the names are columns


def totals_by_group(labels: Sequence[str]) -> str:
    """What each group cost and brought in, over the days that are stored; a sum that lacks a number is none."""
    sums = ",\n       ".join(map(_whole_sum, ("users", "cost", "revenue")))
    return f"""
select {_quoted(labels)}, currency,
       {sums},
       count(*) filter (users_is_masked or cost_is_masked or revenue_is_masked) as masked_days
from days group by all order by users desc nulls last"""  # noqa: S608 - the same


def _whole_sum(column: str) -> str:
    return f"if(count({column}) = count(*), sum({column}), null) as {column}"


def _quoted(labels: Sequence[str]) -> str:
    return ", ".join(f'"{label}"' for label in labels)
