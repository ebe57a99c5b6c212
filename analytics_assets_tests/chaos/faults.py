"""The table of faults: what is taken away from a deployment while a backfill is half-way, for how long, and what it may cost.

What comes of each is looked at by `trial.py`. Killed processes are in `storm.py` and in `make production`.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from analytics_assets_tests.chaos.scene import Scene


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        name: What happens, in words.
        strike: Begins with the block and passes with its end.
        lasts_s: How long.
        kills: How many report tasks may have lost the answer to their request.
        tasks: Report tasks that it may cost besides.
    """

    name: str
    strike: Callable[[Scene], AbstractContextManager[None]]
    lasts_s: float
    kills: int = 0
    tasks: int = 0


@contextmanager
def _without_database(scene: Scene) -> Iterator[None]:
    scene.database.stop()
    try:
        yield
    finally:
        scene.database.start()


@contextmanager
def _without_broker(scene: Scene) -> Iterator[None]:
    scene.broker.stop()
    try:
        yield
    finally:
        scene.broker.start()


@contextmanager
def _without_vendors(scene: Scene) -> Iterator[None]:
    scene.vendors.stop()
    try:
        yield
    finally:
        scene.vendors.start()


FAULTS = {
    "database": Fault("PostgreSQL is gone for 20 s", _without_database, 20.0, kills=1, tasks=2),
    "bucket": Fault("the bucket answers 503 for 30 s", lambda scene: scene.bucket.closed(status=503), 30.0),
    "vendors": Fault("the vendors refuse connections for 30 s", _without_vendors, 30.0),
    "broker": Fault("Redis is gone for 20 s, and has forgotten everything", _without_broker, 20.0),
}
