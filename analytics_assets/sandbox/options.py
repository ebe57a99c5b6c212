"""What can be chosen about a sandbox: seed, speed, fates of report tasks, and how each vendor reads dates and pages.

Here live the choices and the clock that a running app can freeze. What the choices do is in the vendors' modules. Where a
vendor's page leaves something open (Bento's zone and end of a window, Airbridge's envelope), there is an option for it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal


def utc_now() -> datetime:
    """The real clock, timezone-aware in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Options:
    """Choices for one app.

    Attributes:
        seed: Seed of the synthetic world; apps of one seed answer each other's report tasks.
        latency_s: Seconds every vendor answer is delayed.
        task_seconds: Seconds an Airbridge report task takes: PENDING for the first third, RUNNING until the end.
        fail_every: Every n-th accepted task ends FAILURE; 0 is never. Counted by one app object.
        cancel_every: Every n-th accepted task ends CANCELED; 0 is never.
        forget_every: Every n-th accepted task answers 404 from the moment it would have succeeded; 0 is never.
        now: The clock; must give timezone-aware datetimes.
        until: Nothing happens in the world from this instant on; None lets it go on. The clock runs all the same.
        bento_zone: Zone in which Bento reads its dates.
        bento_end: True if the end date of a Bento window is the first instant left out or the last day taken in.
        bento_dates: True if a date without time means midnight or noon, or only natural words are read.
        bento_buckets: Length of a point of Bento's chart.
        bento_currency: Currency of Bento's ``revenueCents``.
        bento_chart_key: The vendor's page says ``chart``, its newest client says ``chartData``.
        statsig_default_limit: Page size when the request names none.
        statsig_max_limit: Larger pages are cut to this.
        airbridge_zone: The app's zone: dates of requests and rows.
        airbridge_currency: The app's standard currency, into which purchases are converted.
        airbridge_default_size: Page size when the request names none (the page says 50).
        airbridge_max_size: Larger pages are cut to this.
        airbridge_envelope: ``data`` is the page's sample, ``task`` what its prose and the sibling reports have.
    """

    seed: int = 1
    latency_s: float = 0.0
    task_seconds: float = 2.0
    fail_every: int = 0
    cancel_every: int = 0
    forget_every: int = 0
    now: Callable[[], datetime] = utc_now
    until: datetime | None = None
    bento_zone: str = "UTC"
    bento_end: Literal["exclusive", "inclusive"] = "exclusive"
    bento_dates: Literal["midnight", "noon", "words"] = "midnight"
    bento_buckets: Literal["hourly", "daily"] = "hourly"
    bento_currency: str = "USD"
    bento_chart_key: Literal["chartData", "chart"] = "chartData"
    statsig_default_limit: int = 100
    statsig_max_limit: int = 100
    airbridge_zone: str = "Asia/Seoul"
    airbridge_currency: str = "USD"
    airbridge_default_size: int = 50
    airbridge_max_size: int = 500
    airbridge_envelope: Literal["data", "task"] = "data"


class Clock:
    """The clock of one app: follows ``now`` until it is frozen, and again once it is let go."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._frozen: datetime | None = None

    def __call__(self) -> datetime:
        """The present instant in UTC."""
        return self._frozen or self._now().astimezone(UTC)

    def freeze(self, at: datetime | None) -> None:
        """Stand still at a timezone-aware instant, or run again with None."""
        self._frozen = at.astimezone(UTC) if at else None
