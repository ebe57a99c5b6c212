"""`analytics-assets lake`: `verify` prints problems and the loads that repair them; `accept` binds the state database and the history to a lake."""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from analytics_assets.cli.accounts import RefusedError, accounts, component, day, opened_instance, write_json
from analytics_assets.clock import Clock
from analytics_assets.dates import in_words
from analytics_assets.lake.table import Table
from analytics_assets.operations.verify.files import Inventory, Name
from analytics_assets.operations.verify.repairs import BEFORE_START, Repair, days_before_start, record_files, repairs
from analytics_assets.operations.verify.verification import LakeScope, TableProblem, Verification, verify_tables
from analytics_assets.orchestration.asset_specs import DailyTables, daily_tables
from analytics_assets.orchestration.lake_binding import accept, bind, known_identity
from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets.orchestration.loading import quietly, whole
from analytics_assets.orchestration.source_component import tables_of
from analytics_assets.settings import settings

_SHOWN: Final = 10
# A file of a day: account, table, day, name.
_DEPTH: Final = 3


def add(subparsers: Any) -> None:
    """Adds the command's parser."""
    lake = subparsers.add_parser("lake", help="see whether the files of the lake are whole")
    verbs = lake.add_subparsers(title="what to do", required=True, metavar="WHAT")
    accepting = verbs.add_parser(
        "accept",
        help="make this lake the one that the state database and Dagster's history belong to",
        description="For a lake that was put in the place of another one deliberately. Runs refuse a lake that is missing or not the one they "
        "know; after this they know the lake that ANALYTICS_LAKE names. No table is touched. Run `lake verify` afterwards.",
    )
    accepting.add_argument(
        "lake",
        nargs="?",
        metavar="LAKE",
        help="a lake that code names, as LakeResource(root=...); else that of ANALYTICS_LAKE",
    )
    accepting.set_defaults(carry_out=_accept)
    verifying = verbs.add_parser(
        "verify",
        help="read every file, and compare with Dagster's record",
        description="Reads every file of the lake to its end and compares it with its table, its footer and Dagster's record. "
        "Nothing is changed unless an option says so.",
    )
    verifying.add_argument("--select", metavar="ACCOUNT[/TABLE],...", help="accounts and tables; all by default")
    verifying.add_argument("--from", dest="first", type=day, metavar="DAY", help="first day, as 2026-03-01")
    verifying.add_argument("--to", dest="last", type=day, metavar="DAY", help="last day, itself included")
    verifying.add_argument("--json", type=Path, metavar="FILE", help="also write the problems to this file")
    verifying.add_argument(
        "--record-again",
        action="store_true",
        help="log a materialization of each file that Dagster does not know, such as after restoring a back-up",
    )
    verifying.set_defaults(carry_out=_verify)


def _accept(arguments: argparse.Namespace, _defs: Path, _clock: Clock) -> int:
    lake = LakeResource(root=arguments.lake).located()
    with opened_instance(creates=True) as instance:
        identity = accept(lake, state=None if arguments.lake else settings().state, instance=instance)
    if arguments.lake:
        print(f"{lake.files.address} is lake {identity[:8]}; Dagster's history knows it by this address from now on.")
        return 0
    print(
        f"{lake.files.address} is lake {identity[:8]}; the state database and Dagster's history belong to it from now on. "
        "`analytics-assets lake verify` lists the days that Dagster shows and this lake does not have."
    )
    return 0


def _verify(arguments: argparse.Namespace, defs: Path, _clock: Clock) -> int:
    if arguments.first and arguments.last and arguments.last < arguments.first:
        raise RefusedError(f"--to {arguments.last} is before --from {arguments.first}.")
    tables, resource = declared_tables(defs), LakeResource()
    names = _selected_names(arguments.select, tables)
    lake = resource.located()
    with opened_instance(creates=arguments.record_again) as instance, quietly():
        (bind if arguments.record_again else known_identity)(lake, state=settings().state, instance=instance)
        steps = daily_tables(whole(defs))
        daily = frozenset((step.account, table) for step in steps for table in step.tables)
        scope = LakeScope(lake, resource.is_sandbox(), instance, tables, daily, names, arguments.first, arguments.last)
        result = verify_tables(scope, lambda text: print(text, file=sys.stderr, flush=True))
        loads = repairs(scope, steps, result.problems)
        for line in [
            *_problem_lines(result.problems),
            *_expired_problems(result),
            *_inventory_lines(result.inventory),
            *_repair_lines(steps, result, loads),
        ]:
            print(line)
        if arguments.json is not None:
            write_json(arguments.json, [_as_json(problem, loads, steps) for problem in result.problems])
        if arguments.record_again:
            repaired = {id(problem) for problem in record_files(scope, result.problems)}
            result.problems = [problem for problem in result.problems if id(problem) not in repaired]
            print(f"Recorded in Dagster: {len(repaired)} stored files.")
    print(_summary(scope, result))
    if not result.files and not result.problems:
        raise RefusedError(
            f"Nothing was verified: {lake.files.address} has no file of these tables and days, and Dagster shows none. Check ANALYTICS_LAKE, "
            "ANALYTICS_MODE, DAGSTER_HOME and the options."
        )
    return int(not result.is_sound)


def _expired_problems(result: Verification) -> Iterator[str]:
    for (account, table), days in result.expired.items():
        yield f"Expired raw days, without a file, whose typed days are stored: {account}/{table} {in_words(days)}."


def _repair_lines(steps: Sequence[DailyTables], result: Verification, loads: Sequence[Repair]) -> Iterator[str]:
    if loads:
        yield "Repair with:"
        yield from (f"  {load.command}" for load in loads)
    if days := days_before_start(steps, result.problems):
        yield f"{in_words(days)}: {BEFORE_START}."


def declared_tables(defs: Path) -> dict[Name, Table]:
    """Every table of every account, by account and name."""
    return tables_of({account: component(defs / account, option="--select") for account in accounts(defs)})


def _selected_names(select: str | None, tables: Mapping[Name, Table]) -> list[Name]:
    if select is None:
        return list(tables)
    names: list[Name] = []
    for pattern in select.split(","):
        meant = [name for name in tables if pattern in {name[0], "/".join(name)}]
        if not meant:
            account = pattern.partition("/")[0]
            known = ["/".join(name) for name in tables if name[0] == account] or sorted({name[0] for name in tables})
            raise RefusedError(f"--select {pattern}: there is no such account or table. There are: {', '.join(known)}.")
        names += meant
    return list(dict.fromkeys(names))


def _problem_lines(problems: Sequence[TableProblem]) -> Iterator[str]:
    """A heading for each table, and a line for days with the same problem."""
    for table, of_table in groupby(problems, lambda problem: (problem.account, problem.table)):
        yield "/".join(table)
        causes: dict[tuple[str, str, str], list[date]] = {}
        for problem in of_table:
            causes.setdefault((problem.kind.value, problem.description, problem.remedy), []).append(problem.day)
        for (kind, description, remedy), days in list(causes.items())[:_SHOWN]:
            yield f"  {in_words(days)}: {kind}: {description}. {remedy[0].upper()}{remedy[1:]}."
        if len(causes) > _SHOWN:
            yield f"  and {len(causes) - _SHOWN} more problems; `--json FILE` has them all."


def _inventory_lines(listing: Inventory) -> Iterator[str]:
    """Files besides those of declared tables, which are no problem."""
    if listing.strangers:
        yield f"Files of no declared table, which no load, check or reader uses: {_first_names(_by_table(listing.strangers))}."
    if listing.leftovers:
        yield f"Temporary files of writers, killed or running: {_first_names(listing.leftovers)}."
    if listing.quarantined:
        yield f"In the quarantine: {listing.quarantined} files."


def _by_table(names: Sequence[str]) -> list[str]:
    """Files by name; those of a table's days as one entry with their number."""
    counts = Counter(name if name.count("/") < _DEPTH else "/".join(name.split("/")[:2]) for name in names)
    return [name if name in names else f"{name} ({count} files)" for name, count in counts.items()]


def _first_names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _summary(scope: LakeScope, result: Verification) -> str:
    kinds = Counter(problem.kind.value for problem in result.problems)
    verdict = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    where = scope.lake.files.named(scope.lake.root)
    read = f"{where}: {result.files} files of {len(result.days)} days in {len(scope.selected)} tables, {result.size / 2**20:.1f} MiB"
    if not result.is_sound:
        return f"{read}: {len(result.problems)} problems ({verdict})."
    if result.problems:
        return f"{read}: all correct; {len(result.problems)} were stored for an earlier definition."
    return f"{read}: {'all correct.' if result.files else 'nothing is stored there yet.'}"


def _as_json(problem: TableProblem, loads: Sequence[Repair], steps: Sequence[DailyTables]) -> dict[str, Any]:
    return {
        "account": problem.account,
        "table": problem.table,
        "day": problem.day.isoformat(),
        "kind": problem.kind.value,
        "description": problem.description,
        "remedy": problem.remedy,
        "command": next((load.command for load in loads if load.is_for(problem, steps)), None),
    }
