"""Failed runs as issues: an occurrence for each failed step, whatever the number of its days.

Days that were stored since are left out, and so are days that a report task still works at, because its sensor stores them. A failed run
names its step's errors in the failure's metadata (`failures.py`); other exceptions are quoted in their own words.
Dagster concept: run status events, https://docs.dagster.io/guides/automate/sensors
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import dagster as dg
from dagster import DagsterEventType

from analytics_assets.alerts.issue import FAILURE, Reason, Redact, error_key, reason_lines
from analytics_assets.failures import DAYS_NOT_LANDED, NEXT, without_day
from analytics_assets.lake.stream import NOT_ASKED
from analytics_assets.state.alert_log import Kind, Missing, Occurrence, Sighting

_PAGE = 200
_NO_DAY = ""
_OF_THE_RUN = "RunFailure"
_MEND = "Mend the cause, then re-execute the run from failure."

# The days of an account's report that its sensor will land.
Awaited = Callable[[str, str], Collection[date]]


@dataclass
class Step:
    """A step of a failed run, or all of a run that failed outside of its steps.

    Attributes:
        account: The account.
        name: Name of the step within the account.
        asked: Of each table the days the run was for.
        missing: Of each table those that have not landed.
        reasons: Why, with what the failure says of it.
        next: What to do.
    """

    account: str
    name: str
    asked: dict[str, set[str]] = field(default_factory=dict)
    missing: dict[str, set[str]] = field(default_factory=dict)
    reasons: list[Reason] = field(default_factory=list)
    next: str = _MEND

    @property
    def about(self) -> str:
        """The step as people know it."""
        return f"{self.account}/{self.name}" if self.name else self.account


def new_failures(
    instance: dg.DagsterInstance,
    since: datetime,
    known: Collection[str],
    *,
    is_ours: Callable[[dg.DagsterRun], bool],
    awaited: Awaited,
    redact: Redact,
    has_time: Callable[[], bool],
) -> tuple[list[Sighting], dict[str, datetime]]:
    """What the new failed runs show, and the instants these runs failed.

    Args:
        instance: Dagster's.
        since: Runs that failed before are skipped.
        known: Runs that were taken in before.
        is_ours: Whether a run is one of this project.
        awaited: The days that report tasks still work at.
        redact: Takes secrets out of a text.
        has_time: Whether another run can be read in this tick; the others are left to the next.
    """
    sightings: list[Sighting] = []
    runs: dict[str, datetime] = {}
    for record in _failure_events(instance, since, known):
        if not has_time():
            break
        run = instance.get_run_by_id(record.run_id)
        runs[record.run_id] = datetime.fromtimestamp(record.timestamp, UTC)
        # Dagster starts a run again whose process was killed; only the last attempt counts.
        if run is None or not is_ours(run) or run.tags.get("dagster/will_retry") == "true":
            continue
        for step in _steps(instance, run, record):
            sighting = _sighting(instance, run, step, after=record.storage_id, awaited=awaited, redact=redact)
            if sighting is not None:
                sightings.append(sighting)
    return sightings, runs


def still_missing(instance: dg.DagsterInstance, missing: Missing) -> dict[str, set[str]]:
    """What of it has not landed since."""
    found = {table: _not_landed(instance, table, days) for table, days in missing.items()}
    return {table: days for table, days in found.items() if days}


def _not_landed(instance: dg.DagsterInstance, table: str, days: Mapping[str, int]) -> set[str]:
    key = dg.AssetKey(table.split("/"))
    if _NO_DAY in days:
        [*records] = instance.get_asset_records([key])
        landed = {_NO_DAY: records[0].asset_entry.last_materialization_storage_id} if records else {}
    else:
        storage = instance.event_log_storage
        landed = dict(
            storage.get_latest_storage_id_by_partition(
                key, DagsterEventType.ASSET_MATERIALIZATION, partitions=set(days)
            )
        )
    return {day for day, after in days.items() if (landed.get(day) or -1) <= after}


def _failure_events(
    instance: dg.DagsterInstance, since: datetime, known: Collection[str]
) -> Iterator[dg.EventLogRecord]:
    """The events of runs that failed and are not known, oldest first."""
    chosen = dg.RunStatusChangeRecordsFilter(DagsterEventType.RUN_FAILURE, after_timestamp=since.timestamp())
    cursor, has_more = None, True
    while has_more:
        page = instance.fetch_run_status_changes(chosen, limit=_PAGE, cursor=cursor, ascending=True)
        yield from (record for record in page.records if record.run_id not in known)
        cursor, has_more = page.cursor, page.has_more


def _steps(instance: dg.DagsterInstance, run: dg.DagsterRun, failed: dg.EventLogRecord) -> list[Step]:
    """The failed steps of a run; the run as one step where it failed outside of them."""
    asked: dict[str, dict[str, set[str]]] = {}
    landed: dict[str, set[str]] = {}
    failures: dict[str, dg.DagsterEvent] = {}
    wanted = {
        DagsterEventType.STEP_FAILURE,
        DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
        DagsterEventType.ASSET_MATERIALIZATION,
    }
    for entry in instance.all_logs(run.run_id, of_type=wanted):
        event = entry.dagster_event
        assert event is not None
        if event.is_step_failure:
            failures[entry.step_key or ""] = event
            continue
        assert event.asset_key is not None
        table, day = event.asset_key.to_user_string(), event.partition or _NO_DAY
        if event.is_asset_materialization_planned:
            asked.setdefault(entry.step_key or "", {}).setdefault(table, set()).add(day)
        else:
            landed.setdefault(table, set()).add(day)
    if not failures:
        tables = {table: days for of_step in asked.values() for table, days in of_step.items()}
        step = _step(run.job_name, tables, landed)
        event = failed.event_log_entry.dagster_event
        words = (event.message if event else None) or "The run failed and Dagster does not say why."
        step.reasons = [Reason(_OF_THE_RUN, words)]
        return [step]
    steps = []
    for key, event in failures.items():
        step = _step(key, asked.get(key, {}), landed)
        _explain(step, event)
        steps.append(step)
    return steps


def _step(key: str, asked: dict[str, set[str]], landed: Mapping[str, set[str]]) -> Step:
    account, _, name = key.partition("__")
    missing = {table: days - landed.get(table, set()) for table, days in asked.items()}
    return Step(account, name, asked, {table: days for table, days in missing.items() if days})


def _explain(step: Step, event: dg.DagsterEvent) -> None:
    """Puts the reasons into a step: the days that the failure names, or the exception's own words."""
    data = event.step_failure_data
    said = data.user_failure_data
    if said is not None and isinstance(table := said.metadata.get(DAYS_NOT_LANDED), dg.TableMetadataValue):
        days: dict[tuple[str, str], list[date]] = {}
        for record in table.records:
            row = record.data
            day = date.fromisoformat(str(row["day"]))
            words = str(row["reason"]).removeprefix(NOT_ASKED)
            days.setdefault((str(row["kind"]), without_day(day, words)), []).append(day)
        step.reasons = [Reason(kind, words, tuple(of_words)) for (kind, words), of_words in days.items()]
        advice = said.metadata.get(NEXT)
        step.next = str(advice.value) if advice is not None else _MEND
    elif said is not None and said.description:
        step.reasons = [Reason("Failure", said.description)]
    else:
        error = data.error
        while error is not None and error.cause is not None:
            error = error.cause
        words = error.message.strip() if error else "The step failed and Dagster does not say why."
        step.reasons = [Reason((error.cls_name if error else None) or "Error", words)]


def _sighting(
    instance: dg.DagsterInstance, run: dg.DagsterRun, step: Step, *, after: int, awaited: Awaited, redact: Redact
) -> Sighting | None:
    """The occurrence of a failed step; None if nothing of it is left for a person to know."""
    reasons, missing = step.reasons, step.missing
    if missing:
        missing = still_missing(instance, {table: dict.fromkeys(days, after) for table, days in missing.items()})
        # Of an exception it is not known whether the sensor's next run would fare better.
        others = {str(day) for day in awaited(step.account, step.name)} if reasons[0].days else set()
        missing = {table: days - others for table, days in missing.items() if days - others}
        if not missing:
            return None
    left = set().union(*missing.values())
    if left and _NO_DAY not in left:
        reasons = [
            Reason(one.kind, one.words, days)
            for one in reasons
            if (days := tuple(day for day in one.days if str(day) in left)) or not one.days
        ]
    reasons = sorted(reasons, key=lambda one: -len(one.days)) or step.reasons
    occurrence = Occurrence(
        severity=FAILURE,
        about=step.about,
        headline=_headline(step, left),
        reasons=reason_lines(reasons, redact),
        next=_next(run, step),
        path=f"/runs/{run.run_id}",
        tables=tuple(sorted(missing or step.asked)),
    )
    return Sighting(
        error_key(Kind.FAILURE, step.account, step.name, reasons[0].kind),
        occurrence,
        run.run_id,
        {table: dict.fromkeys(sorted(days), after) for table, days in missing.items()},
    )


def _headline(step: Step, left: Collection[str]) -> str:
    asked = set().union(*step.asked.values())
    if not left or step.reasons[0].kind == _OF_THE_RUN:
        return "the run failed"
    if _NO_DAY not in left:
        return f"{len(left)} of {len(asked)} days did not land"
    return f"{len(step.missing)} of {len(step.asked)} tables were not read"


def _next(run: dg.DagsterRun, step: Step) -> str:
    schedule = run.tags.get("dagster/schedule_name")
    return step.next + (f" The schedule {schedule} asks for its days again with its next run." if schedule else "")
