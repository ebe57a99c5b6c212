"""`analytics-assets lake`: whether the lake is whole and Dagster's record agrees with it, and which lake is the right one.

`verify` prints what is wrong and the loads that repair it; `accept` makes the lake that is set the one that the state database and the history belong to. What
is looked at and done is `analytics_assets.operations.verify`; here it is printed.
"""

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
from analytics_assets.operations.verify.repairs import TOO_EARLY, Repair, recorded, repairs, too_early
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
        description="Reads every file of the lake to its end, holds it against its table and its own footer, and Dagster's record against "
        "the files. Nothing is changed unless an option says so.",
    )
    verifying.add_argument("--select", metavar="ACCOUNT[/TABLE],...", help="accounts and tables; all by default")
    verifying.add_argument("--from", dest="first", type=day, metavar="DAY", help="first day, as 2026-03-01")
    verifying.add_argument("--to", dest="last", type=day, metavar="DAY", help="last day, itself included")
    verifying.add_argument("--json", type=Path, metavar="FILE", help="where the findings are also written to")
    verifying.add_argument(
        "--record-again",
        action="store_true",
        help="log a materialization of each file that Dagster does not know, as of a lake from a back-up",
    )
    verifying.set_defaults(carry_out=_verify)


def _accept(chosen: argparse.Namespace, _defs: Path, _clock: Clock) -> int:
    lake = LakeResource(root=chosen.lake).located()
    with opened_instance(creates=True) as instance:
        identity = accept(lake, state=None if chosen.lake else settings().state, instance=instance)
    if chosen.lake:
        print(f"{lake.files.address} is lake {identity[:8]}; Dagster's history knows it by this address from now on.")
        return 0
    print(
        f"{lake.files.address} is lake {identity[:8]}; the state database and Dagster's history belong to it from now on. "
        "`analytics-assets lake verify` lists the days that Dagster shows and this lake does not have."
    )
    return 0


def _verify(chosen: argparse.Namespace, defs: Path, _clock: Clock) -> int:
    if chosen.first and chosen.last and chosen.last < chosen.first:
        raise RefusedError(f"--to {chosen.last} is before --from {chosen.first}.")
    tables, resource = declared_tables(defs), LakeResource()
    names = _chosen(chosen.select, tables)
    lake = resource.located()
    with opened_instance(creates=chosen.record_again) as instance, quietly():
        (bind if chosen.record_again else known_identity)(lake, state=settings().state, instance=instance)
        steps = daily_tables(whole(defs))
        daily = frozenset((step.account, table) for step in steps for table in step.tables)
        place = LakeScope(lake, resource.is_sandbox(), instance, tables, daily, names, chosen.first, chosen.last)
        found = verify_tables(place, lambda words: print(words, file=sys.stderr, flush=True))
        loads = repairs(place, steps, found.wrong)
        for line in [*_told(found.wrong), *_expired(found), *_others(found.inventory), *_repairs(steps, found, loads)]:
            print(line)
        if chosen.json is not None:
            write_json(chosen.json, [_as_json(one, loads, steps) for one in found.wrong])
        if chosen.record_again:
            repaired = {id(finding) for finding in recorded(place, found.wrong)}
            found.wrong = [finding for finding in found.wrong if id(finding) not in repaired]
            print(f"Recorded in Dagster: {len(repaired)} files that stand.")
    print(_figures(place, found))
    if not found.files and not found.wrong:
        raise RefusedError(
            f"Nothing was verified: {lake.files.address} has no file of these tables and days, and Dagster shows none. Check ANALYTICS_LAKE, "
            "ANALYTICS_MODE, DAGSTER_HOME and the options."
        )
    return int(not found.is_well)


def _expired(found: Verification) -> Iterator[str]:
    for (account, table), days in found.expired.items():
        yield f"Expired, without a file, and their typed days are stored: {account}/{table} {in_words(days)}."


def _repairs(steps: Sequence[DailyTables], found: Verification, loads: Sequence[Repair]) -> Iterator[str]:
    if loads:
        yield "Repair with:"
        yield from (f"  {load.command}" for load in loads)
    if days := too_early(steps, found.wrong):
        yield f"{in_words(days)}: {TOO_EARLY}."


def declared_tables(defs: Path) -> dict[Name, Table]:
    """Every table of every account, by account and name."""
    return tables_of({account: component(defs / account, option="--select") for account in accounts(defs)})


def _chosen(select: str | None, tables: Mapping[Name, Table]) -> list[Name]:
    if select is None:
        return list(tables)
    names: list[Name] = []
    for wanted in select.split(","):
        meant = [name for name in tables if wanted in {name[0], "/".join(name)}]
        if not meant:
            account = wanted.partition("/")[0]
            there = ["/".join(name) for name in tables if name[0] == account] or sorted({name[0] for name in tables})
            raise RefusedError(f"--select {wanted}: there is no such account or table. There are: {', '.join(there)}.")
        names += meant
    return list(dict.fromkeys(names))


def _told(wrong: Sequence[TableProblem]) -> Iterator[str]:
    """A heading for each table, and a line for days with the same trouble."""
    for table, of_table in groupby(wrong, lambda one: (one.account, one.table)):
        yield "/".join(table)
        causes: dict[tuple[str, str, str], list[date]] = {}
        for one in of_table:
            causes.setdefault((one.kind.value, one.words, one.remedy), []).append(one.day)
        for (kind, words, remedy), days in list(causes.items())[:_SHOWN]:
            yield f"  {in_words(days)}: {kind}: {words}. {remedy[0].upper()}{remedy[1:]}."
        if len(causes) > _SHOWN:
            yield f"  and {len(causes) - _SHOWN} more causes; `--json FILE` has them all."


def _others(there: Inventory) -> Iterator[str]:
    """What is told and is no trouble."""
    if there.strangers:
        yield f"Of no table that a defs.yaml declares, so no load, check or reader uses them: {_some(_by_table(there.strangers))}."
    if there.leftovers:
        yield f"Left by writers that were killed, or of writers at work: {_some(there.leftovers)}."
    if there.quarantined:
        yield f"In the quarantine: {there.quarantined} files, kept for a person to read."


def _by_table(names: Sequence[str]) -> list[str]:
    """The files of a table's days as one entry with their number; other files by name."""
    counts = Counter(name if name.count("/") < _DEPTH else "/".join(name.split("/")[:2]) for name in names)
    return [name if name in names else f"{name} ({count} files)" for name, count in counts.items()]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _figures(place: LakeScope, found: Verification) -> str:
    kinds = Counter(one.kind.value for one in found.wrong)
    verdict = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    where = place.lake.files.named(place.lake.root)
    read = f"{where}: {found.files} files of {len(found.days)} days in {len(place.chosen)} tables, {found.size / 2**20:.1f} MiB"
    if not found.is_well:
        return f"{read}: {len(found.wrong)} findings ({verdict})."
    if found.wrong:
        return f"{read}: all well; {len(found.wrong)} were stored for an earlier definition."
    return f"{read}: {'all well.' if found.files else 'nothing has stored there yet.'}"


def _as_json(one: TableProblem, loads: Sequence[Repair], steps: Sequence[DailyTables]) -> dict[str, Any]:
    return {
        "account": one.account,
        "table": one.table,
        "day": one.day.isoformat(),
        "kind": one.kind.value,
        "words": one.words,
        "remedy": one.remedy,
        "command": next((load.command for load in loads if load.is_for(one, steps)), None),
    }
