"""The days of `event_metrics`, made from the observations in `listing_raw` without a request.

Statsig serves definitions without history. A day is observed if the definitions were read on the following day; otherwise it is
reconstructed from what the other observations prove (`reconstruction.py`). An observed day is never replaced by a reconstruction.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache

import pyarrow as pa

from analytics_assets.errors import PermanentError
from analytics_assets.lake.store import Lake
from analytics_assets.lake.stream import Typed
from analytics_assets.sources.statsig.reconstruction import created_before, first_of_each, keys, proven
from analytics_assets.sources.statsig.streams import ListingSpec, end_of_day
from analytics_assets.sources.statsig.tables import EVENT_METRICS, LISTING_RAW
from analytics_assets.sources.statsig.transform import DEFINITION, Definitions, definitions, event_metrics

_DAY = timedelta(days=1)


class DerivedDays:
    """Derives days of `event_metrics` from the observations in the lake, which are listed once."""

    def __init__(self, account: str, spec: ListingSpec, lake: Lake) -> None:
        self._account, self._spec, self._lake = account, spec, lake

    @cached_property
    def _observations(self) -> "_Observations":
        return _Observations(self._account, self._lake)

    def typed(self, day: date) -> Mapping[str, Typed]:
        """The typed table of a day.

        Raises:
            PermanentError: The lake has no observation in the day or after it.
        """
        offset, keep = self._spec.day_utc_offset_hours, self._spec.keep_personal_fields
        stored = self._lake.read(self._account, EVENT_METRICS, [day])
        observed = self._observations.of_day(day + _DAY)
        if is_kept(stored, observed[0] if observed else None):
            kept = Typed(stored, {"kept_observation_of": stored["observed_at"][0].as_py().isoformat()})
            return {EVENT_METRICS.name: kept}
        if observed is not None:
            made = event_metrics(day, observed[1], is_reconstructed=False, keep_personal_fields=keep)
            return {EVENT_METRICS.name: made}
        start, end = end_of_day(day - _DAY, offset), end_of_day(day, offset)
        seen, rows, unproven = self._observations.reconstructed(stored.select(DEFINITION.names), start=start, end=end)
        made = event_metrics(day, seen, rows, is_reconstructed=True, keep_personal_fields=keep)
        figures = {**made.figures, **({"unproven": unproven} if unproven else {})}
        return {EVENT_METRICS.name: Typed(made.content, figures)}


def is_kept(stored: pa.Table, observed_at: datetime | None) -> bool:
    """True if the stored day is an observation that the present one, if any, is not earlier than.

    Args:
        stored: The stored day of `event_metrics`; without rows if there is none.
        observed_at: When the observation of the following day was made, or None without one.
    """
    if not stored.num_rows or stored["is_reconstructed"][0].as_py():
        return False
    return observed_at is None or observed_at > stored["observed_at"][0].as_py()


class _Observations:
    """The observations in the lake, oldest first."""

    def __init__(self, account: str, lake: Lake) -> None:
        self._account, self._lake = account, lake
        stored = {day: lake.usable(account, LISTING_RAW.name, day) for day in lake.days(account, LISTING_RAW.name)}
        self._instants = {
            day: one.footer.requested_at
            for day, one in stored.items()
            if one is not None and one.footer.requested_at is not None
        }
        self._days = sorted(self._instants, key=lambda day: self._instants[day])
        self._returned = {len(self._days) - 1: DEFINITION.empty_table()}
        # Neighbours are read one after the other; a large project has tens of thousands of definitions.
        self._read = lru_cache(maxsize=4)(self._read_day)

    def of_day(self, day: date) -> tuple[datetime, Definitions] | None:
        """The observation made on a day and its instant, or None."""
        return (self._instants[day], self._read(day)) if day in self._instants else None

    def reconstructed(self, stored: pa.Table, *, start: datetime, end: datetime) -> tuple[Definitions, pa.Table, int]:
        """The rows of a day from `start` to `end`.

        Args:
            stored: The rows stored for the day so far; they prove as the observations do that they were taken from.
            start: First instant of the day.
            end: First instant after it.

        Returns:
            The first observation after the day, or else the last within it; the rows; and how many metrics the last observation before
            the day shows that are not among them.
        """
        instants = [self._instants[day] for day in self._days]
        before = [number for number, moment in enumerate(instants) if moment < start]
        within = [number for number, moment in enumerate(instants) if start <= moment < end]
        after = [number for number, moment in enumerate(instants) if moment >= end][:1]
        if not within and not after:
            raise PermanentError(
                "No observation of the definitions was made in the day or after it.",
                remedy=f"Materialize {self._account}/{LISTING_RAW.name} (the job `snapshots` does so every day), then this day again.",
            )
        # The later of two that are equally near knows all metrics created by then.
        nearest = sorted([*within, *after], key=lambda number: (abs(instants[number] - end), instants[number] < end))
        tables = [self._read(self._days[number]).content for number in nearest]
        tables += [self._returned_after(number) for number in after]
        rows = first_of_each([proven(table, start=start, end=end) for table in (*tables, stored)])
        unproven = 0
        if before:
            shown = set(self._read(self._days[before[-1]]).content["metric_id"].to_pylist())
            unproven = len(shown.difference(rows["metric_id"].to_pylist()))
        return self._read(self._days[(after or within)[-1]]), rows, unproven

    def _returned_after(self, number: int) -> pa.Table:
        """Definitions that an observation lacks although a later one shows that they had been created before it."""
        for later in range(min(self._returned), number, -1):
            earlier = self._days[later - 1]
            tables = [self._read(self._days[later]).content, self._returned[later]]
            older = [created_before(table, self._instants[earlier]) for table in tables]
            self._returned[later - 1] = first_of_each(older, keys(self._read(earlier).content))
        return self._returned[number]

    def _read_day(self, day: date) -> Definitions:
        return definitions(self._lake.read(self._account, LISTING_RAW, [day]), self._instants[day])
