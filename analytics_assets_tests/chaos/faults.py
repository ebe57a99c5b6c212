"""The table of faults: what is taken away from a deployment during a backfill, for how long, and what it may cost.

What comes of each is looked at by `trial.py`. A killed process is started again, as by a supervisor. A full disk and clocks that are off
are in `test_faults.py`.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from operator import attrgetter
from typing import Protocol

from analytics_assets_tests.chaos.scene import Scene

_RESTART_S = 5.0


class Moment(Enum):
    """When a fault begins."""

    BEFORE = auto()  # before the backfill is launched
    STARTING = auto()  # as the backfill starts its runs
    HALF_WAY = auto()  # once days are stored


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        name: What happens, in words.
        strike: Begins with the block and passes with its end.
        lasts_s: How long.
        kills: How many report tasks may have lost the response to their request.
        tasks: Report tasks that it may cost besides.
        doubles: True if it may have runs launched twice; two that work side by side may request the same day.
        moment: When it begins.
        warning: What the daemons print because of it, as a pattern.
    """

    name: str
    strike: Callable[[Scene], AbstractContextManager[None]]
    lasts_s: float
    kills: int = 0
    tasks: int = 0
    doubles: bool = False
    moment: Moment = Moment.HALF_WAY
    warning: str | None = None


class _Part(Protocol):
    def start(self) -> None:
        """Starts it again."""

    def stop(self) -> None:
        """Takes it away."""


def _without(part: Callable[[Scene], _Part]) -> Callable[[Scene], AbstractContextManager[None]]:
    @contextmanager
    def strike(scene: Scene) -> Iterator[None]:
        part(scene).stop()
        try:
            yield
        finally:
            part(scene).start()

    return strike


def _killed(victim: Callable[[Scene], str], line: str) -> Callable[[Scene], AbstractContextManager[None]]:
    """A process is killed and started again by its line of the Procfile."""

    @contextmanager
    def strike(scene: Scene) -> Iterator[None]:
        name = victim(scene)
        scene.deployment.kill(name)
        try:
            yield
        finally:
            scene.deployment.start(name, of=line)

    return strike


@contextmanager
def _run_killed(scene: Scene) -> Iterator[None]:
    scene.kill_run()
    yield


@contextmanager
def _vendors_failing(scene: Scene) -> Iterator[None]:
    scene.vendors.sandbox.spoil(kind="status", status=503)
    try:
        yield
    finally:
        scene.vendors.sandbox.mend()


@contextmanager
def _second_daemon(scene: Scene) -> Iterator[None]:
    # Begun at once, both look at the same things at the same time.
    scene.deployment.kill("daemon")
    scene.deployment.start("daemon", "daemon-2", of="daemon")
    try:
        yield
    finally:
        scene.deployment.kill("daemon-2")


FAULTS = {
    "run": Fault("the process of a run is killed", _run_killed, 0.0, kills=1),
    "worker": Fault("a Celery worker is killed, and back after 30 s", _killed(Scene.busy, "worker"), 30.0, kills=2),
    "daemon": Fault(
        "the daemon is killed as it starts runs, and back after 5 s",
        _killed(lambda _: "daemon", "daemon"),
        _RESTART_S,
        moment=Moment.STARTING,
    ),
    "daemons": Fault(
        "two daemons are started at once by mistake, and one is killed after 60 s",
        _second_daemon,
        60.0,
        doubles=True,
        moment=Moment.BEFORE,
        warning=r"Another \w+ daemon is still sending heartbeats\..*? not supported\.",
    ),
    "code": Fault(
        "the code server is killed as runs start, and back after 5 s",
        _killed(lambda _: "code", "code"),
        _RESTART_S,
        moment=Moment.STARTING,
    ),
    "web": Fault("the web server is killed, and back after 5 s", _killed(lambda _: "web", "web"), _RESTART_S),
    "database": Fault("PostgreSQL is gone for 20 s", _without(attrgetter("database")), 20.0, kills=1, tasks=2),
    "broker": Fault(
        "Redis is gone for 20 s as runs start, and has forgotten everything",
        _without(attrgetter("broker")),
        20.0,
        moment=Moment.STARTING,
    ),
    "bucket-503": Fault("the bucket answers 503 for 30 s", lambda scene: scene.bucket.closed(status=503), 30.0),
    "bucket-403": Fault("the bucket answers 403 for 30 s", lambda scene: scene.bucket.closed(status=403), 30.0),
    "bucket-slow": Fault(
        "the bucket takes 5 s a response for 30 s", lambda scene: scene.bucket.closed(delay_s=5), 30.0
    ),
    "vendors-503": Fault(
        "the vendors answer 503 for 30 s as runs start", _vendors_failing, 30.0, moment=Moment.STARTING
    ),
    "vendors-gone": Fault(
        "the vendors refuse connections for 30 s as runs start",
        _without(attrgetter("vendors")),
        30.0,
        moment=Moment.STARTING,
    ),
}
