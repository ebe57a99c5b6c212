"""Repairs of problems: loads of exactly these days, and materializations of files that Dagster does not know.

A typed day whose raw day is whole is made from it, without a request.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from analytics_assets.dates import spans
from analytics_assets.operations.verify.verification import (
    LOADED_AGAIN,
    RECORDED_AGAIN,
    LakeScope,
    ProblemKind,
    TableProblem,
    is_sound,
)
from analytics_assets.orchestration.asset_specs import DailyTables, asset_key, materialization

BEFORE_START = "before the first day of its account, so it cannot be loaded. Set `start_date` in its YAML, or ANALYTICS_START_DATE, to an earlier day first"


@dataclass(frozen=True)
class Repair:
    """A load of adjacent days of one account.

    Attributes:
        account: The account.
        first: The first day.
        last: The last day.
        tables: Tables to name; a raw table includes all tables made from it.
        replaces_other_mode: True if files of the other mode are among them.
    """

    account: str
    first: date
    last: date
    tables: Sequence[str]
    replaces_other_mode: bool = False

    @property
    def command(self) -> str:
        """The command line."""
        option = " --replace-other-mode" if self.replaces_other_mode else ""
        return f"analytics-assets load {self.account} --from {self.first} --to {self.last} --tables {','.join(self.tables)}{option}"

    def is_for(self, problem: TableProblem, steps: Sequence[DailyTables]) -> bool:
        """True if this load repairs the problem."""
        is_in_range = problem.account == self.account and self.first <= problem.day <= self.last
        derived = {
            table for step in steps if step.account == self.account and step.raw in self.tables for table in step.typed
        }
        return is_in_range and problem.kind in LOADED_AGAIN and problem.table in {*self.tables, *derived}


def repairs(scope: LakeScope, steps: Sequence[DailyTables], problems: Sequence[TableProblem]) -> list[Repair]:
    """The loads that repair the problems, account by account."""
    tables_of: dict[tuple[str, date], tuple[list[str], bool]] = {}
    for step in steps:
        for day, of_day in _problems_by_day(step, problems).items():
            tables, is_foreign = tables_of.get((step.account, day), ([], False))
            is_foreign = is_foreign or any(problem.kind is ProblemKind.FOREIGN for problem in of_day)
            tables_of[step.account, day] = [*tables, *_tables_to_load(scope, step, day, of_day)], is_foreign
    days: dict[tuple[str, tuple[str, ...], bool], list[date]] = {}
    for (account, day), (tables, is_foreign) in sorted(tables_of.items()):
        days.setdefault((account, tuple(tables), is_foreign), []).append(day)
    return [
        Repair(account, span[0], span[-1], tables, is_foreign)
        for (account, tables, is_foreign), of_tables in days.items()
        for span in spans(of_tables, longest=len(of_tables))
    ]


def days_before_start(steps: Sequence[DailyTables], problems: Sequence[TableProblem]) -> list[date]:
    """The days that could be loaded again if their account began earlier."""
    first = {(step.account, table): step.first for step in steps for table in step.tables}
    return sorted(
        {
            problem.day
            for problem in problems
            if problem.kind in LOADED_AGAIN and problem.day < first.get((problem.account, problem.table), date.min)
        }
    )


def _problems_by_day(step: DailyTables, problems: Sequence[TableProblem]) -> Mapping[date, Sequence[TableProblem]]:
    """Problems of a step's tables that a load repairs, by day."""
    days: dict[date, list[TableProblem]] = {}
    for problem in problems:
        is_of_step = problem.account == step.account and problem.table in step.tables
        if is_of_step and problem.kind in LOADED_AGAIN and problem.day >= step.first:
            days.setdefault(problem.day, []).append(problem)
    return days


def _tables_to_load(scope: LakeScope, step: DailyTables, day: date, problems: Sequence[TableProblem]) -> Sequence[str]:
    """The raw table if it is not whole, otherwise the tables to make from it."""
    bad = {problem.table for problem in problems}
    if step.raw is not None and (step.raw in bad or not _is_raw_whole(scope, step.account, step.raw, day)):
        return [step.raw]
    return [table for table in step.typed if table in bad]


def _is_raw_whole(scope: LakeScope, account: str, raw: str, day: date) -> bool:
    """True if the raw day is stored with its rows, so that typed tables can be made from it."""
    if not is_sound(scope, (account, raw), day):
        return False
    stored = scope.lake.usable(account, raw, day)
    return stored is not None and stored.footer.emptied_at is None


def record_files(scope: LakeScope, problems: Iterable[TableProblem]) -> Iterator[TableProblem]:
    """Logs a materialization of each stored file that Dagster does not know; yields the problems that it repaired."""
    for problem in problems:
        if problem.kind not in RECORDED_AGAIN or problem.stored is None:
            continue
        is_daily = (problem.account, problem.table) in scope.daily
        figures = {
            "recorded": "from the stored file",
            **({} if is_daily else {"observed_on": problem.day.isoformat()}),
        }
        footer = scope.lake.last_request(problem.account, problem.table, problem.day, problem.stored.footer)
        event = materialization(
            asset_key(problem.account, problem.table),
            problem.stored,
            figures,
            partition=problem.day.isoformat() if is_daily else None,
            requested_at=footer.requested_at,
        )
        scope.instance.report_runless_asset_event(event)
        yield problem
