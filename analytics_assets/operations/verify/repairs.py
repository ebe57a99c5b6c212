"""What repairs the days that `verification.py` finds: loads of exactly these days, and records of files that Dagster does not know.

A typed day whose raw day is whole is loaded from it, without a request.
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

TOO_EARLY = "before the first day of its account, so it cannot be loaded. Set `start_date` in its YAML, or ANALYTICS_START_DATE, to an earlier day first"


@dataclass(frozen=True)
class Repair:
    """A load of adjacent days of one account.

    Attributes:
        account: The account.
        first: The first day.
        last: The last day.
        tables: The tables to name; a raw table brings all tables made from it.
        replaces_other_mode: Whether files of the other mode are among them.
    """

    account: str
    first: date
    last: date
    tables: Sequence[str]
    replaces_other_mode: bool = False

    @property
    def command(self) -> str:
        """What a person types."""
        option = " --replace-other-mode" if self.replaces_other_mode else ""
        return f"analytics-assets load {self.account} --from {self.first} --to {self.last} --tables {','.join(self.tables)}{option}"

    def is_for(self, wrong: TableProblem, steps: Sequence[DailyTables]) -> bool:
        """Whether this load repairs a day."""
        is_in_range = wrong.account == self.account and self.first <= wrong.day <= self.last
        made = {
            table for step in steps if step.account == self.account and step.raw in self.tables for table in step.typed
        }
        return is_in_range and wrong.kind in LOADED_AGAIN and wrong.table in {*self.tables, *made}


def repairs(place: LakeScope, steps: Sequence[DailyTables], wrong: Sequence[TableProblem]) -> list[Repair]:
    """The loads that repair what is wrong, account by account."""
    wanted: dict[tuple[str, date], tuple[list[str], bool]] = {}
    for step in steps:
        for day, of_day in _by_day(step, wrong).items():
            tables, is_foreign = wanted.get((step.account, day), ([], False))
            is_foreign = is_foreign or any(one.kind is ProblemKind.FOREIGN for one in of_day)
            wanted[step.account, day] = [*tables, *_tables(place, step, day, of_day)], is_foreign
    days: dict[tuple[str, tuple[str, ...], bool], list[date]] = {}
    for (account, day), (tables, is_foreign) in sorted(wanted.items()):
        days.setdefault((account, tuple(tables), is_foreign), []).append(day)
    return [
        Repair(account, span[0], span[-1], tables, is_foreign)
        for (account, tables, is_foreign), of_tables in days.items()
        for span in spans(of_tables, longest=len(of_tables))
    ]


def too_early(steps: Sequence[DailyTables], wrong: Sequence[TableProblem]) -> list[date]:
    """The days that could be loaded again if their account began earlier."""
    first = {(step.account, table): step.first for step in steps for table in step.tables}
    return sorted(
        {
            one.day
            for one in wrong
            if one.kind in LOADED_AGAIN and one.day < first.get((one.account, one.table), date.min)
        }
    )


def _by_day(step: DailyTables, wrong: Sequence[TableProblem]) -> Mapping[date, Sequence[TableProblem]]:
    """What is wrong with the tables of a step and can be loaded again."""
    days: dict[date, list[TableProblem]] = {}
    for one in wrong:
        is_of_step = one.account == step.account and one.table in step.tables
        if is_of_step and one.kind in LOADED_AGAIN and one.day >= step.first:
            days.setdefault(one.day, []).append(one)
    return days


def _tables(place: LakeScope, step: DailyTables, day: date, wrong: Sequence[TableProblem]) -> Sequence[str]:
    """The raw table where it is not whole; else the tables to make from it."""
    bad = {one.table for one in wrong}
    if step.raw is not None and (step.raw in bad or not _is_raw_whole(place, step.account, step.raw, day)):
        return [step.raw]
    return [table for table in step.typed if table in bad]


def _is_raw_whole(place: LakeScope, account: str, raw: str, day: date) -> bool:
    """Whether typed tables of a day can be made from its raw one: it is there, with its rows."""
    if not is_sound(place, (account, raw), day):
        return False
    stored = place.lake.usable(account, raw, day)
    return stored is not None and stored.footer.emptied_at is None


def recorded(place: LakeScope, wrong: Iterable[TableProblem]) -> Iterator[TableProblem]:
    """Logs a materialization of each file that stands and that Dagster does not know so, as its landing would; yields each one logged."""
    for one in wrong:
        if one.kind not in RECORDED_AGAIN or one.stored is None:
            continue
        is_daily = (one.account, one.table) in place.daily
        figures = {"recorded": "from the file that stood", **({} if is_daily else {"observed_on": one.day.isoformat()})}
        footer = place.lake.last_request(one.account, one.table, one.day, one.stored.footer)
        event = materialization(
            asset_key(one.account, one.table),
            one.stored,
            figures,
            partition=one.day.isoformat() if is_daily else None,
            requested_at=footer.requested_at,
        )
        place.instance.report_runless_asset_event(event)
        yield one
