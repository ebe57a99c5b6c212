"""The report tasks of the simulated Airbridge: their ids and their lives.

Here lives the id, which carries everything about a task, so that any app of the same seed can answer it: app name, request
body, time of creation and fate, as url-safe base64 of compressed JSON. Statuses are those of the vendor's page. What a finished
task answers is in ``airbridge_report``.
"""

import json
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any, Final, Literal, cast

from analytics_assets.sandbox.options import Options

Outcome = Literal["SUCCESS", "FAILURE", "CANCELED", "FORGOTTEN"]
_FATES: Final = ("SUCCESS", "FAILURE", "CANCELED", "FORGOTTEN")


@dataclass(frozen=True)
class SandboxTask:
    """A task as its id tells it; ``created_at`` is UTC to the millisecond."""

    app: str
    body: dict[str, Any]
    created_at: datetime
    outcome: Outcome

    def ended_at(self, task_seconds: float) -> datetime:
        """When it reaches its fate; the report's numbers are those of this instant, whenever they are read."""
        return self.created_at + timedelta(seconds=task_seconds)

    def status(self, now: datetime, task_seconds: float) -> str | None:
        """PENDING, RUNNING or the fate's status at ``now``; None once it is forgotten."""
        age = (now - self.created_at).total_seconds()
        if age >= task_seconds:
            return None if self.outcome == "FORGOTTEN" else self.outcome
        return "PENDING" if age < task_seconds / 3 else "RUNNING"


class OutcomeCounter:
    """Deals out fates by the options' every-n-th rules; the first rule that applies wins."""

    def __init__(self, options: Options) -> None:
        self._rules: tuple[tuple[int, Outcome], ...] = (
            (options.fail_every, "FAILURE"),
            (options.cancel_every, "CANCELED"),
            (options.forget_every, "FORGOTTEN"),
        )
        self._dealt = 0

    def next(self) -> Outcome:
        """The fate of the task that is accepted now."""
        self._dealt += 1
        for every, outcome in self._rules:
            if every and self._dealt % every == 0:
                return outcome
        return "SUCCESS"


def encode_task(task: SandboxTask, seed: int) -> str:
    """The id of a task. Two equal requests of the same millisecond get different ids, as tasks do."""
    milliseconds = round(task.created_at.timestamp() * 1000)
    parts = [token_hex(4), seed, task.app, task.body, milliseconds, task.outcome]
    packed = zlib.compress(json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode(), 9)
    return urlsafe_b64encode(packed).decode().rstrip("=")


def decode_task(task_id: str, app: str, seed: int) -> SandboxTask | None:
    """The task of an id; None for an id of another app or seed, and for text that is no id."""
    try:
        packed = urlsafe_b64decode(task_id + "=" * (-len(task_id) % 4))
        _, its_seed, its_app, body, milliseconds, outcome = json.loads(zlib.decompress(packed))
        created_at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, TypeError, OverflowError, zlib.error):
        return None
    if (its_seed, its_app) != (seed, app) or outcome not in _FATES or not isinstance(body, dict):
        return None
    return SandboxTask(app, body, created_at, cast("Outcome", outcome))
