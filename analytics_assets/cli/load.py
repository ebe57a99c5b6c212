"""`analytics-assets load`: loads a range of days of an account, in this process or through a running deployment.

Status: 0 all days stored, 1 some failed, 2 refused. The plan is printed first.
"""

import argparse
import logging
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import dagster as dg

from analytics_assets import errors
from analytics_assets.cli.accounts import RefusedError, component, day, opened_instance
from analytics_assets.cli.graphql import Backfill, GraphQL
from analytics_assets.cli.plan import account_plan
from analytics_assets.clock import Clock
from analytics_assets.dates import days_between, in_words
from analytics_assets.lake.load import REPLACE_TAG
from analytics_assets.orchestration.asset_specs import DailyTables, asset_key, daily_tables
from analytics_assets.orchestration.backfill_plan import AccountPlan, Plan, planned
from analytics_assets.orchestration.failures import DAYS_NOT_STORED
from analytics_assets.orchestration.loading import quietly, whole
from analytics_assets.orchestration.state_resource import LOAD_TAG
from analytics_assets.settings import settings

_POLL_S: Final = 2.0


def add(subparsers: Any) -> None:
    """Adds the command's parser."""
    loading = subparsers.add_parser(
        "load",
        help="load a range of days of an account",
        description="Prints the plan, then loads the days in runs of `days_per_run` days, one after the other. Files that cannot be read move to the "
        "quarantine. Days that fail are named with the reason, and the others are stored.",
    )
    loading.add_argument("account", metavar="ACCOUNT", help="its folder under defs/")
    loading.add_argument(
        "--from", dest="first", type=day, required=True, metavar="DAY", help="first day, as 2026-03-01"
    )
    loading.add_argument("--to", dest="last", type=day, required=True, metavar="DAY", help="last day, itself included")
    loading.add_argument(
        "--tables",
        metavar="TABLE,...",
        help="tables of the account; all daily ones by default. A raw table is requested anew, with all tables made from it. Typed tables "
        "alone are made from the stored raw days, without a request",
    )
    loading.add_argument("--yes", action="store_true", help="load without a question")
    loading.add_argument(
        "--url",
        metavar="URL",
        help="address of Dagster's UI, as http://localhost:3000: its daemon loads the days, as one backfill",
    )
    loading.add_argument(
        "--replace-other-mode",
        action="store_true",
        help="move sandbox files of a live lake, or live files of a sandbox lake, to the quarantine and load their days",
    )
    loading.set_defaults(carry_out=_load)


def _load(arguments: argparse.Namespace, defs: Path, clock: Clock) -> int:
    if arguments.last < arguments.first:
        raise RefusedError(f"--to {arguments.last} is before --from {arguments.first}.")
    account = arguments.account
    plan_of = account_plan(component(defs / account, option="load"), account, option="load")
    definitions = dg.Definitions.merge(whole(defs), dg.Definitions(loggers={"console": _progress_lines}))
    with quietly():
        steps = [step for step in daily_tables(definitions) if step.account == account]
    selected = _selected(account, steps, arguments.tables)
    plan = _plan(account, plan_of, selected, (arguments.first, arguments.last), clock())
    print("\n".join([*plan.lines(), f"Tables: {', '.join(table for step in selected for table in step.tables)}."]))
    if not arguments.yes and not _is_confirmed():
        print("Nothing was loaded.")
        return 2
    keys = [asset_key(account, table) for step in selected for table in step.tables]
    tags = {LOAD_TAG: "analytics-assets load", **({REPLACE_TAG: "true"} if arguments.replace_other_mode else {})}
    if arguments.url is not None:
        return _load_through(arguments.url, account, keys, (arguments.first, arguments.last), tags)
    days = days_between(arguments.first, arguments.last)
    runs = [days[number : number + plan_of.days_per_run] for number in range(0, len(days), plan_of.days_per_run)]
    with quietly():
        job = definitions.resolve_job_def(f"{account}_daily")
        with opened_instance(creates=True) as instance:
            return _load_here(instance, job, keys, runs, tags)


class _Lines(logging.Formatter):
    """What a run logs, without what Dagster adds."""

    def format(self, record: logging.LogRecord) -> str:
        """The message as the run gave it."""
        return str(_logged(record).get("orig_message", record.getMessage()))


@dg.logger(None, "The progress of a run on the terminal.")
def _progress_lines(_context: dg.InitLoggerContext) -> logging.Logger:
    """Errors are printed when the run has ended."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Lines())
    handler.addFilter(lambda record: record.levelno < logging.ERROR and _logged(record).get("dagster_event") is None)
    logger = logging.getLogger("analytics_assets.load")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.handlers = [handler]
    return logger


def _logged(record: logging.LogRecord) -> Mapping[str, Any]:
    """What Dagster says of a log record."""
    meta: Mapping[str, Any] = getattr(record, "dagster_meta", {})
    return meta


def _selected(account: str, steps: Sequence[DailyTables], tables: str | None) -> list[DailyTables]:
    """The steps with the tables to load; a step without its raw table sends no request."""
    if tables is None:
        return list(steps)
    names = dict.fromkeys(tables.split(","))
    known = [table for step in steps for table in step.tables]
    for name in names:
        if name not in known:
            raise RefusedError(
                f"--tables {name}: {account} has no such daily table. There are: {', '.join(known)}. The job `snapshots` loads what has no "
                "past days."
            )
    selected: list[DailyTables] = []
    for step in steps:
        if step.raw in names:
            selected.append(step)
        elif typed := [table for table in step.typed if table in names]:
            selected.append(replace(step, raw=None, typed=typed))
    return selected


def _plan(
    account: str, plan_of: AccountPlan, selected: Sequence[DailyTables], span: tuple[date, date], now: datetime
) -> Plan:
    """The plan of the selected tables.

    Raises:
        RefusedError: A day cannot be loaded.
    """
    current, streams_by_name = settings(), {stream.name: stream for stream in plan_of.streams}
    streams = []
    for step in selected:
        stream = streams_by_name[step.name]
        # Days that are derived are refused like days that are requested.
        counted = stream if step.raw else replace(stream, request_count=lambda _days: {}, is_exact=True)
        streams.append(replace(counted, sends_requests=True))
    reduced = replace(plan_of, streams=streams)
    plan = planned({account: reduced}, *span, start=current.start_date, now=now)
    if plan.refused:
        reasons = {
            f"{in_words(days)}: {reason}": None
            for of_stream in plan.refused.values()
            for reason, days in of_stream.items()
        }
        raise RefusedError(f"These days cannot be loaded: {'; '.join(reasons)}. Choose other days; nothing was loaded.")
    return plan


def _is_confirmed() -> bool:
    """True if a person agrees to the plan.

    Raises:
        RefusedError: There is no terminal to ask at.
    """
    if not sys.stdin.isatty():
        raise RefusedError("Add --yes to load these days without a question; nothing was loaded.")
    return input("Load these days? [y/N] ").strip().lower() in {"y", "yes"}


def _load_here(
    instance: dg.DagsterInstance,
    job: dg.JobDefinition,
    keys: Sequence[dg.AssetKey],
    runs: Sequence[Sequence[date]],
    tags: Mapping[str, str],
) -> int:
    """Loads run by run; the status of the command."""
    failed: list[date] = []
    stored = 0
    for number, days in enumerate(runs, start=1):
        print(f"Run {number} of {len(runs)}: {in_words(days)}.", flush=True)
        result = job.execute_in_process(
            instance=instance,
            tags={
                **tags,
                "dagster/asset_partition_range_start": days[0].isoformat(),
                "dagster/asset_partition_range_end": days[-1].isoformat(),
            },
            asset_selection=list(keys),
            # Without it Dagster uses its own.
            run_config={"loggers": {"console": {}}},
            raise_on_error=False,
        )
        stored_day = {(event.asset_key, event.partition) for event in result.get_asset_materialization_events()}
        missing = [day for day in days if any((key, day.isoformat()) not in stored_day for key in keys)]
        failed += missing
        stored += len(days) - len(missing)
        print(f"Run {number} of {len(runs)}: stored {len(days) - len(missing)} of {len(days)} days.", flush=True)
        for reason in _reasons(result):
            print(reason, flush=True)
        if missing and _ends_load(result):
            failed += [day for later in runs[number:] for day in later]
            print("The other runs would fail in the same way and were not started.")
            break
    return _verdict(stored, sum(map(len, runs)), failed)


def _verdict(stored: int, number: int, failed: Sequence[date]) -> int:
    print(f"Stored {stored} of {number} days.")
    if failed:
        print(f"Failed: {in_words(failed)}. Load them again when the cause is fixed.")
    return int(bool(failed))


def _failures(result: dg.ExecuteInProcessResult) -> Iterator[tuple[str, Mapping[str, dg.MetadataValue]]]:
    """Message and metadata of each step that failed."""
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data.user_failure_data
            error = event.step_failure_data.error
            reason = (data.description if data else None) or (error.message if error else None) or "a step failed"
            yield reason, data.metadata if data else {}


def _reasons(result: dg.ExecuteInProcessResult) -> list[str]:
    return [reason for reason, _ in _failures(result)]


def _ends_load(result: dg.ExecuteInProcessResult) -> bool:
    """True if each failed day says that the account, the vendor or the lake as a whole is the cause."""
    kinds: list[str] = []
    for _, metadata in _failures(result):
        table = metadata.get(DAYS_NOT_STORED)
        records = table.records if isinstance(table, dg.TableMetadataValue) else []
        kinds += [str(record.data["kind"]) for record in records] or [""]
    return bool(kinds) and all(issubclass(getattr(errors, kind, object), errors.STOPS_REQUESTS) for kind in kinds)


def _load_through(
    url: str, account: str, keys: Sequence[dg.AssetKey], span: tuple[date, date], tags: Mapping[str, str]
) -> int:
    """Requests a backfill of a deployment and follows it; the status of the command."""
    days = days_between(*span)
    try:
        with closing(GraphQL(url)) as graphql:
            title = f"{account} {in_words(days)}"
            backfill_id = graphql.launch_backfill(keys, str(span[0]), str(span[1]), tags, title)
            print(f"Backfill {backfill_id}: {url.rstrip('/')}/runs/b/{backfill_id}", flush=True)
            backfill = _followed(graphql, backfill_id, len(days))
            reasons = [] if backfill.status == "COMPLETED_SUCCESS" else graphql.failures(backfill_id)
    except RuntimeError as error:
        raise RefusedError(f"--url {url}: {error}. Check the address and that the deployment runs.") from error
    for reason in reasons:
        print(reason)
    # A table that the backfill does not show has nothing stored.
    stored = min((backfill.stored.get(tuple(key.path), 0) for key in keys), default=0)
    print(f"Stored {stored} of {len(days)} days; the backfill is {backfill.status}.")
    return int(backfill.status != "COMPLETED_SUCCESS" or stored < len(days))


def _followed(graphql: GraphQL, backfill_id: str, days: int) -> Backfill:
    """The backfill once it is over; each change is printed."""
    before = ""
    while True:
        backfill = graphql.backfill(backfill_id)
        stored, failed = min(backfill.stored.values(), default=0), max(backfill.failed.values(), default=0)
        now = f"{backfill.status}: stored {stored} of {days} days, {failed} failed"
        if now != before:
            print(now, flush=True)
        if backfill.is_over:
            return backfill
        before = now
        time.sleep(_POLL_S)
