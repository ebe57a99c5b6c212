"""Checks as Dagster sees them: one row in an asset's tab, evaluated at the end of each run over its days, and daily over the last ones.

Both happen in the step that the asset belongs to: a run that selects checks alone reads the lake, asks no vendor and materializes nothing.
So a check is declared once and has one history.
Dagster concept: asset checks, https://docs.dagster.io/guides/test/asset-checks
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final

import dagster as dg
import pyarrow as pa
from dagster import DailyPartitionsDefinition
from pydantic import Field, model_validator

from analytics_assets.checks.check import Check, CheckContext, CheckResult, CheckResults, Limits
from analytics_assets.dates import days_between, in_words
from analytics_assets.errors import SourceError
from analytics_assets.lake.store import Lake
from analytics_assets.orchestration.asset_specs import asset_key
from analytics_assets.orchestration.partitions import newest_final_day
from analytics_assets.orchestration.run_context import Work
from analytics_assets.orchestration.schedules import once_a_day
from analytics_assets.orchestration.stream import AssetOptions, SourceStream

# Of the causes in the words of an evaluation, and of the days in its table; the newest stay.
_SHOWN: Final = 5
_ROWS: Final = 400


class ChecksConfig(dg.Model):
    """From where on the checks warn, and how far back the daily job looks."""

    days: int = Field(
        default=Limits.days,
        description="Days the job `checks_daily` looks at; of cohorts, at least those that are not settled.",
    )
    grace_hours: float = Field(
        default=Limits.grace_hours, description="Hours after a day is final before it counts as missing."
    )
    volume_least: float = Field(
        default=Limits.volume_least, description="Share of its usual volume a day has at least; 0 never warns."
    )
    volume_most: float = Field(
        default=Limits.volume_most, description="Multiple of its usual volume a day has at most."
    )
    loss_most: float = Field(
        default=Limits.loss_most,
        description="Share of its rows, of at least 10, that a stored day may lose to another response to the same request. A schedule, a sensor or a "
        "backfill keeps a day that would lose more, and fails; 1 never keeps it.",
    )

    @model_validator(mode="after")
    def _can_be_held(self) -> "ChecksConfig":
        if not 0 <= self.loss_most <= 1:
            raise ValueError("checks: use `loss_most` from 0 to 1.")
        if self.days < 1 or self.grace_hours < 0 or not 0 <= self.volume_least <= 1 <= self.volume_most:
            raise ValueError(
                "checks: use `days` from 1, `grace_hours` from 0, `volume_least` from 0 to 1 and `volume_most` from 1."
            )
        return self

    def limits(self) -> Limits:
        """The limits of the account's checks."""
        return Limits(self.days, self.grace_hours, self.volume_least, self.volume_most, self.loss_most)


def share(value: float) -> float:
    """A share from 0 to 1, as YAML gives it.

    Raises:
        ValueError: It is none.
    """
    if not 0 <= value <= 1:
        raise ValueError(f"{value} is no share: use 0 to 1.")
    return value


def check_specs(account: str, checks: Sequence[Check]) -> list[dg.AssetCheckSpec]:
    """The checks of a step, each with what its failure means and what to do then."""
    return [
        dg.AssetCheckSpec(
            check.name,
            asset=asset_key(account, check.table),
            description=f"**What a failure means.** {check.means}\n\n**What to do.** {check.remedy}",
        )
        for check in checks
    ]


def evaluations(
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext,
    checks: Sequence[Check],
    check_context: CheckContext,
) -> Iterator[dg.AssetCheckResult]:
    """The selected checks of a step, evaluated one after the other; one that cannot be evaluated fails alone and says why."""
    for check in checks:
        key = asset_key(check_context.account, check.table)
        if dg.AssetCheckKey(key, check.name) not in context.selected_asset_check_keys:
            continue
        try:
            evaluation = verdict(check, check.find(check_context))
        except SourceError as error:
            evaluation = _not_evaluated(check, error.dated)
        except (pa.ArrowException, OSError) as error:
            evaluation = _not_evaluated(check, f"a file of the lake cannot be read: {error}")
        except Exception as error:
            context.log.exception("The check %s of %s cannot be evaluated.", check.name, key.to_user_string())
            message = f"the check failed with {type(error).__name__} ({error}); the run's log has the traceback"
            evaluation = _not_evaluated(check, message)
        yield dg.AssetCheckResult(asset_key=key, check_name=check.name, **evaluation)


def _not_evaluated(check: Check, message: str) -> dict[str, Any]:
    return verdict(check, {"not evaluated": CheckResult(message, "error")})


def verdict(check: Check, results: CheckResults) -> dict[str, Any]:
    """What an evaluation says: whether it passed, how badly it failed, in words and as a table with a row a day."""
    failures = {day: finding for day, finding in results.items() if finding.is_failure}
    is_error = any(finding.level == "error" for finding in failures.values())
    description = _in_words(failures) or _in_words({day: result for day, result in results.items() if result.words})
    return {
        "passed": not failures,
        "severity": dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
        "description": f"{description}. {check.remedy}" if failures else description or None,
        "metadata": {
            "days_looked_at": dg.MetadataValue.int(len(results)),
            **({"days": dg.MetadataValue.table(_records(results))} if results else {}),
        },
    }


def _in_words(results: Mapping[Any, CheckResult]) -> str:
    """Days with equal words share them."""
    by_words: dict[str, list[Any]] = {}
    for day, finding in results.items():
        by_words.setdefault(finding.words, []).append(day)
    lines = [f"{_days(days)}: {message.rstrip('.')}" for message, days in by_words.items()]
    more = [f"and {len(lines) - _SHOWN} more, see `days`"] if len(lines) > _SHOWN else []
    return "; ".join([*lines[-_SHOWN:], *more])


def _days(days: list[Any]) -> str:
    dates = [day for day in days if isinstance(day, date)]
    return ", ".join([*([in_words(dates)] if dates else []), *(day for day in days if isinstance(day, str))])


def _records(results: Mapping[Any, CheckResult]) -> list[dg.TableRecord]:
    return [
        dg.TableRecord(
            {
                "day": str(day),
                "level": finding.level,
                "finding": finding.words,
                "measured": ", ".join(f"{name} {_number(value)}" for name, value in finding.numbers.items()),
            }
        )
        for day, finding in list(results.items())[-_ROWS:]
    ]


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.10g}"


def daily_check_context(
    context: dg.AssetExecutionContext,
    lake: Lake,
    account: str,
    partitions: DailyPartitionsDefinition,
    limits: Limits,
    *,
    resource: Any,
    final_at: Callable[[date], datetime],
    now: datetime,
    of_run: tuple[Sequence[date], Mapping[date, str]] | None,
) -> CheckContext:
    """What is looked at of daily tables.

    Args:
        context: The step's, which knows the days that are red.
        lake: Where the tables stand.
        account: The account they belong to.
        partitions: Their days.
        limits: How far back is looked, and the hours of grace.
        resource: The account's resource.
        final_at: From when on a day can be requested.
        now: The present instant.
        of_run: The days of a run, and why some of them were not stored; None looks at the last days of the lake.
    """
    newest, begins = newest_due_day(partitions, final_at, limits, now), partitions.start.date()
    if of_run is not None:
        days, errors = of_run
        return CheckContext(
            lake, account, days, newest, final_at, lambda _table: errors, is_run=True, resource=resource, begins=begins
        )
    last = [] if newest is None else [day for day in days_until(newest, limits.days) if day >= begins]

    def red(table: str) -> Mapping[date, str]:
        keys = [day.isoformat() for day in last]
        statuses = context.instance.get_status_by_partition(asset_key(account, table), keys, partitions) or {}
        message = "the last run that requested it did not store it; its error names the reason"
        return {
            date.fromisoformat(key): message
            for key, status in statuses.items()
            if status == dg.AssetPartitionStatus.FAILED
        }

    return CheckContext(lake, account, last, newest, final_at, red, resource=resource, begins=begins)


async def evaluated(
    context: dg.AssetExecutionContext,
    stream: SourceStream,
    options: AssetOptions,
    work: Work,
    *,
    of_run: tuple[Sequence[date], Mapping[date, str]] | None,
) -> list[dg.AssetCheckResult]:
    """The selected checks of a stream, over the days of a run with why some did not load, or over the last days of the lake."""
    limits = replace(options.limits, days=max(options.limits.days, stream.check_days))

    def evaluate() -> list[dg.AssetCheckResult]:
        now = options.clock()
        if stream.final_at is None:
            check_context = snapshot_check_context(
                work.lake,
                stream.account,
                limits,
                resource=work.resource,
                day_of=stream.day_of,
                now=now,
                of_run=of_run,
            )
        else:
            check_context = daily_check_context(
                context,
                work.lake,
                stream.account,
                options.partitions,
                limits,
                resource=work.resource,
                final_at=stream.final_at,
                now=now,
                of_run=of_run,
            )
        return list(evaluations(context, stream.all_checks(), check_context))

    return await asyncio.to_thread(evaluate)


def newest_due_day(
    partitions: DailyPartitionsDefinition, final_at: Callable[[date], datetime], limits: Limits, now: datetime
) -> date | None:
    """The newest day that ought to stand: final, and its hours of grace over."""
    return newest_final_day(partitions, lambda day: final_at(day) + timedelta(hours=limits.grace_hours), now)


def snapshot_check_context(
    lake: Lake,
    account: str,
    limits: Limits,
    *,
    resource: Any,
    day_of: Callable[[datetime], date],
    now: datetime,
    of_run: tuple[Sequence[date], Mapping[date, str]] | None,
) -> CheckContext:
    """What is looked at of a snapshot: as `daily_check_context`, but a run has one day, and days of readings are the vendor's.

    The newest reading that can be missed is of the last day that was over before the hours of grace.
    """
    due = day_of(now - timedelta(hours=limits.grace_hours)) - timedelta(days=1)
    if of_run is None:
        return CheckContext(
            lake, account, days_until(day_of(now), limits.days), due, lambda _day: now, resource=resource
        )
    days, errors = of_run
    return CheckContext(
        lake, account, days, due, lambda _day: now, lambda _table: errors, is_run=True, resource=resource
    )


def days_until(newest: date, count: int) -> list[date]:
    """So many days, the newest last."""
    return days_between(newest - timedelta(days=count - 1), newest)


def checks_daily(selection: dg.AssetSelection, cron: str, *, is_on: bool) -> dg.ScheduleDefinition:
    """The schedule that evaluates all checks of the selected assets once a day, with its job."""
    job = dg.define_asset_job(
        "checks_daily",
        selection=dg.AssetSelection.all_asset_checks() & selection,
        description="Evaluates every check over the last days of the lake, the missing ones included. Nothing is asked or materialized.",
        executor_def=dg.in_process_executor,
    )
    description = "Evaluates every check once a day, when all loads of the day before have had their time."
    return once_a_day(job, cron, description, is_on=is_on)
