"""What the checks of a report's cohorts warn of: numbers that move or fall though they should stand, and days that will not come.

Keep how a check becomes a Dagster event out of here (`daily.py`), and what makes a task's trouble loud too (`report_tasks.py`).
Dagster concept: asset checks, https://docs.dagster.io/guides/test/asset-checks
"""

from collections.abc import Mapping, Sequence
from typing import Any

from analytics_assets.daily import StepCheck, Work
from analytics_assets.lake.landing import DayResult
from analytics_assets.sources.airbridge.report_tasks import TaskPolicy, troubles
from analytics_assets.sources.airbridge.request import ReportSpec
from analytics_assets.sources.airbridge.tables import cohorts_table

ARRIVE = "reports_arrive"
_WORDS = {
    "mature_values_moved": "values of a mature cohort moved",
    "values_fell": "cumulative values are lower than they were",
    "falling_values": "cumulative values are lower than the interval before",
}


def report_checks(account: str, spec: ReportSpec, policy: TaskPolicy) -> list[StepCheck]:
    """The checks of `<report>_cohorts`."""
    table = cohorts_table(spec).name

    def moves(_work: Work, results: Sequence[DayResult]) -> Mapping[str, str]:
        found = {str(result.day): _moves(result.figures.get(table, {})) for result in results}
        return {day: words for day, words in found.items() if words}

    def missing(work: Work, _results: Sequence[DayResult]) -> Mapping[str, str]:
        return troubles(work.resource.ledger().open_requests(account, spec.name), policy)

    return [
        StepCheck(
            "cohorts_stand",
            table,
            "Warns when a mature cohort moves or a cumulative value falls; masked values are ignored.",
            moves,
        ),
        StepCheck(
            ARRIVE,
            table,
            "Warns of days whose report is refused or has failed often, with the vendor's reason.",
            missing,
        ),
    ]


def _moves(figures: Mapping[str, Any]) -> str:
    return ", ".join(f"{figures[name]} {words}" for name, words in _WORDS.items() if figures.get(name))
