"""Whether the daemon lives, and whether what the project needs is switched on and went well the last time.

Dagster concept: the daemon, https://docs.dagster.io/deployment/execution/dagster-daemon
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import dagster as dg
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, InstigatorTick, TickStatus
from dagster._daemon.types import DaemonHeartbeat
from dagster._utils.error import SerializableErrorInfo  # type: ignore[attr-defined]

from analytics_assets.operations.doctor.line import Line, ago
from analytics_assets.settings import Mode

# A heart beats every 30 s; one thread of the daemon may be at work for longer, all of them together are not.
_ALIVE: Final = timedelta(minutes=2)
# What Dagster itself tolerates of one thread.
_HANGS: Final = timedelta(minutes=30)
_LONGEST_WORDS: Final = 200
_START: Final = "Start it: `dagster-daemon run` with this DAGSTER_HOME, or `make dev`."
Switched = dg.SensorDefinition | dg.ScheduleDefinition


def hearts(needed: Sequence[str], beats: Mapping[str, DaemonHeartbeat], now: datetime) -> Iterator[Line]:
    """Whether the daemon lives, by the heartbeats of its threads.

    Args:
        needed: The threads that the instance needs.
        beats: The last heartbeat of each.
        now: The present instant.
    """
    ages = {name: now - datetime.fromtimestamp(beats[name].timestamp, UTC) for name in needed if name in beats}
    if not ages:
        yield Line("daemon", "heartbeats", "wrong", "none has ever been seen", _START)
        return
    youngest = min(ages.values())
    if youngest > _ALIVE:
        yield Line("daemon", "heartbeats", "wrong", f"the last one is {ago(youngest)} old", _START)
        return
    late = {name: age for name, age in ages.items() if age > _ALIVE}
    silent = [name for name in needed if name not in ages]
    alive = [name for name in ages if name not in late]
    yield Line("daemon", "heartbeats", "ok", f"within {ago(max(ages[name] for name in alive))}: {', '.join(alive)}")
    for name, age in late.items():
        remedy = "Read the daemon's log; if it stays, start the daemon anew."
        yield Line(
            "daemon", name, "wrong" if age > _HANGS else "warning", f"its last heartbeat is {ago(age)} old", remedy
        )
    for name in silent:
        yield Line(
            "daemon",
            name,
            "warning",
            "no heartbeat yet",
            "If it stays, start the daemon anew: it may be older than dagster.yaml.",
        )
    for name in alive:
        for error in beats[name].errors or ():
            yield Line("daemon", name, "wrong", f"its last round failed: {_words(error)}", "Read the daemon's log.")
    if len({beats[name].daemon_id for name in alive}) > 1:
        remedy = "Stop all but one: two would start each schedule and sensor twice."
        yield Line("daemon", "processes", "warning", "more than one daemon sends heartbeats", remedy)


def switches(instance: dg.DagsterInstance, defined: Iterable[Switched], mode: Mode) -> Iterator[Line]:
    """Each schedule and sensor of the project: whether it runs, and whether its last tick failed."""
    held: dict[str, list[InstigatorState]] = {}
    for state in instance.all_instigator_state():
        held.setdefault(state.name, []).append(state)
    for one in sorted(defined, key=lambda switch: (isinstance(switch, dg.SensorDefinition), switch.name)):
        # A code location that was renamed leaves its states behind: the one that ticked last is in use.
        ticked = [(state.status, _last_tick(instance, state)) for state in held.get(one.name, [])]
        status, tick = max(ticked, key=lambda pair: pair[1].timestamp if pair[1] else 0.0) if ticked else (None, None)
        yield switched(one, status, tick, mode)


def _last_tick(instance: dg.DagsterInstance, state: InstigatorState) -> InstigatorTick | None:
    ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=2)
    return next((tick for tick in ticks if tick.status is not TickStatus.STARTED), None)


def switched(one: Switched, status: InstigatorStatus | None, tick: InstigatorTick | None, mode: Mode) -> Line:
    """A schedule or sensor, by what was chosen in the UI and its last finished tick."""
    is_sensor = isinstance(one, dg.SensorDefinition)
    kind, subject = ("sensor", "sensors") if is_sensor else ("schedule", "schedules")
    is_on_by_itself = one.default_status.value == InstigatorStatus.RUNNING.value
    is_on = (
        is_on_by_itself if status in (None, InstigatorStatus.DECLARED_IN_CODE) else status is InstigatorStatus.RUNNING
    )
    if is_on:
        if tick is not None and tick.status is TickStatus.FAILURE:
            at = datetime.fromtimestamp(tick.timestamp, UTC)
            found = f"on; its last tick failed at {at:%Y-%m-%d %H:%M} UTC: {_words(tick.error)}"
            return Line(
                subject,
                one.name,
                "wrong",
                found,
                f"Mend what it names; the tick of the {kind} in the UI has all of it.",
            )
        return Line(subject, one.name, "ok", "on" if tick else "on; no tick yet")
    if is_on_by_itself:
        return Line(
            subject,
            one.name,
            "wrong",
            f"switched off, though the project needs this {kind}",
            "Switch it on in the UI under Automation.",
        )
    if not is_sensor and mode == "live":
        remedy = "Switch it on in the UI under Automation, or all with ANALYTICS_SCHEDULES=on."
        return Line(subject, one.name, "warning", "off: no day is asked for by itself", remedy)
    return Line(
        subject,
        one.name,
        "ok",
        "off, as it is without a destination" if is_sensor else "off, as schedules are in the sandbox",
    )


def _words(error: SerializableErrorInfo | None) -> str:
    """The innermost error's class and first line, which are what people can act on."""
    while error is not None and error.cause is not None:
        error = error.cause
    if error is None:
        return "without a reason"
    return next(iter(error.message.strip().splitlines()), error.cls_name or "")[:_LONGEST_WORDS]
