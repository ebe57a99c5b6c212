"""Whether the daemon lives, and whether what the project needs is switched on and went well the last time.

Dagster concept: the daemon, https://docs.dagster.io/deployment/execution/dagster-daemon
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import dagster as dg

from analytics_assets.operations.doctor.line import Line, ago
from analytics_assets.settings import Mode

# A heart beats every 30 s; one thread of the daemon may be at work for longer, all of them together are not.
_ALIVE: Final = timedelta(minutes=2)
# What Dagster itself tolerates of one thread.
_HANGS: Final = timedelta(minutes=30)
_LONGEST_WORDS: Final = 200
_START: Final = "Start it: `dagster-daemon run` with this DAGSTER_HOME, or `make dev`."
_RUNNING: Final = dg.DefaultScheduleStatus.RUNNING.value
_STOPPED: Final = dg.DefaultScheduleStatus.STOPPED.value
Switched = dg.SensorDefinition | dg.ScheduleDefinition


@dataclass(frozen=True)
class Heartbeat:
    """The last heartbeat of a thread of the daemon.

    Attributes:
        at: When it was sent.
        daemon_id: The process that sent it.
        errors: What failed in the last round of the thread.
    """

    at: datetime
    daemon_id: str | None
    errors: Sequence[str] = ()


@dataclass(frozen=True)
class DaemonTick:
    """The last finished tick of a schedule or sensor.

    Attributes:
        at: When it began.
        failure: Why it failed; None if it did not.
    """

    at: datetime
    failure: str | None = None


def heartbeats(instance: dg.DagsterInstance) -> dict[str, Heartbeat]:
    """The last heartbeat of each thread of the daemon, by the name of the thread."""
    return {
        name: Heartbeat(
            datetime.fromtimestamp(beat.timestamp, UTC), beat.daemon_id, [_words(error) for error in beat.errors or ()]
        )
        for name, beat in instance.get_daemon_heartbeats().items()
    }


def hearts(needed: Sequence[str], beats: Mapping[str, Heartbeat], now: datetime) -> Iterator[Line]:
    """Whether the daemon lives, by the heartbeats of its threads.

    Args:
        needed: The threads that the instance needs.
        beats: The last heartbeat of each.
        now: The present instant.
    """
    ages = {name: now - beats[name].at for name in needed if name in beats}
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
        for error in beats[name].errors:
            yield Line("daemon", name, "wrong", f"its last round failed: {error}", "Read the daemon's log.")
    if len({beats[name].daemon_id for name in alive}) > 1:
        remedy = "Stop all but one: two would start each schedule and sensor twice."
        yield Line("daemon", "processes", "warning", "more than one daemon sends heartbeats", remedy)


def switches(instance: dg.DagsterInstance, defined: Iterable[Switched], mode: Mode) -> Iterator[Line]:
    """Each schedule and sensor of the project: whether it runs, and whether its last tick failed."""
    states = instance.all_instigator_state()
    for defined_switch in sorted(defined, key=lambda switch: (isinstance(switch, dg.SensorDefinition), switch.name)):
        # A code location that was renamed leaves its states behind: the one that ticked last is in use.
        ticked = [
            (state.status.value, _last_tick(instance, state.instigator_origin_id, state.selector_id))
            for state in states
            if state.name == defined_switch.name
        ]
        status, tick = (
            max(ticked, key=lambda pair: pair[1].at.timestamp() if pair[1] else 0.0) if ticked else (None, None)
        )
        yield switched(defined_switch, status, tick, mode)


def _last_tick(instance: dg.DagsterInstance, origin: str, selector: str) -> DaemonTick | None:
    for tick in instance.get_ticks(origin, selector, limit=2):
        if tick.is_completed:
            return DaemonTick(
                datetime.fromtimestamp(tick.timestamp, UTC), _words(tick.error) if tick.is_failure else None
            )
    return None


def switched(switch: Switched, status: str | None, tick: DaemonTick | None, mode: Mode) -> Line:
    """A schedule or sensor, by what was chosen in the UI and its last finished tick.

    Args:
        switch: The schedule or sensor.
        status: RUNNING or STOPPED as chosen in the UI; anything else leaves the choice to the code.
        tick: Its last finished tick.
        mode: Sandbox or live.
    """
    is_sensor = isinstance(switch, dg.SensorDefinition)
    kind, subject = ("sensor", "sensors") if is_sensor else ("schedule", "schedules")
    is_on_by_itself = switch.default_status.value == _RUNNING
    is_on = status == _RUNNING if status in {_RUNNING, _STOPPED} else is_on_by_itself
    if is_on:
        if tick is not None and tick.failure is not None:
            state = f"on; its last tick failed at {tick.at:%Y-%m-%d %H:%M} UTC: {tick.failure}"
            return Line(
                subject,
                switch.name,
                "wrong",
                state,
                f"Fix what it names; the tick of the {kind} in the UI has all of it.",
            )
        return Line(subject, switch.name, "ok", "on" if tick else "on; no tick yet")
    if is_on_by_itself:
        return Line(
            subject,
            switch.name,
            "wrong",
            f"switched off, though the project needs this {kind}",
            "Switch it on in the UI under Automation.",
        )
    if not is_sensor and mode == "live":
        remedy = "Switch it on in the UI under Automation, or all with ANALYTICS_SCHEDULES=on."
        return Line(subject, switch.name, "warning", "off: no day is requested by itself", remedy)
    return Line(
        subject,
        switch.name,
        "ok",
        "off, as it is without a destination" if is_sensor else "off, as schedules are in the sandbox",
    )


def _words(error: Any) -> str:
    """The first line of the innermost error, or its class; `error` is one as Dagster stores it, or None."""
    while error is not None and error.cause is not None:
        error = error.cause
    if error is None:
        return "without a reason"
    first_line: str = next(iter(error.message.strip().splitlines()), error.cls_name or "")
    return first_line[:_LONGEST_WORDS]
