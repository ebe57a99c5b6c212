"""Which reading of the definitions a day is made from: Statsig tells them only as they stand, so a day is observed or rebuilt.

A true observation is never replaced by a reconstruction. Nothing is asked here: the readings are those of `listing_raw` (`streams.py`).
Keep rows out of here (`transform.py`).
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache

import pyarrow as pa

from analytics_assets.errors import PermanentError
from analytics_assets.lake.raw import RawDay
from analytics_assets.lake.store import Lake
from analytics_assets.lake.stream import Stream, Typed
from analytics_assets.sources.statsig.streams import UTC_MINUS_8, ListingSpec, end_of_day
from analytics_assets.sources.statsig.tables import EVENT_METRICS, LISTING_RAW
from analytics_assets.sources.statsig.transform import Definitions, definitions, event_metrics


def definitions_stream(account: str, spec: ListingSpec, lake: Lake) -> Stream:
    """The stream `definitions`: `event_metrics`, each day made from the readings of `listing_raw`; nothing is asked.

    Raises (for a day):
        PermanentError: No reading of the definitions stands in the lake yet.
    """
    offset = spec.day_utc_offset_hours
    read: dict[date, Definitions] = {}

    @cache
    def observed() -> Mapping[date, datetime]:
        """When each standing reading was made, by its day of observation."""
        standing = {day: lake.landed(account, LISTING_RAW.name, day) for day in lake.days(account, LISTING_RAW.name)}
        return {
            day: one.footer.requested_at
            for day, one in standing.items()
            if one is not None and one.footer.requested_at is not None
        }

    def transform(day: date, _raw: pa.Table | None) -> Mapping[str, Typed]:
        chosen = choose_observation(day, observed(), day_utc_offset_hours=offset)
        if chosen is None:
            raise PermanentError(
                f"{account}/{EVENT_METRICS.name} cannot be made: no reading of the definitions stands in the lake. "
                f"Materialize {account}/{LISTING_RAW.name} first; the job `snapshots` does so every day."
            )
        seen_on, is_reconstructed = chosen
        observed_at, end = observed()[seen_on], end_of_day(day, offset)
        standing = _standing(lake, account, day)
        if standing is not None and keeps_standing(*standing[1:], observed_at, is_reconstructed, end=end):
            return {EVENT_METRICS.name: Typed(standing[0], {"kept_observation_of": standing[1].isoformat()})}
        if seen_on not in read:
            read.clear()
            read[seen_on] = definitions(lake.read(account, LISTING_RAW, [seen_on]))
        made = event_metrics(
            day,
            read[seen_on],
            observed_at=observed_at,
            is_reconstructed=is_reconstructed,
            as_of=end,
            keep_personal_fields=spec.keep_personal_fields,
        )
        return {EVENT_METRICS.name: made}

    return Stream(
        account=account,
        raw=None,
        typed=(EVENT_METRICS,),
        asked=lambda _day: "",
        fetch=_nothing_to_fetch,
        transform=transform,
        final_at=lambda day: end_of_day(day, offset),
    )


async def _nothing_to_fetch(day: date) -> RawDay:
    raise AssertionError(day)


def _standing(lake: Lake, account: str, day: date) -> tuple[pa.Table, datetime, bool] | None:
    """The standing day of definitions, when its observation was made, and whether it is rebuilt; None without one or without rows."""
    content = lake.read(account, EVENT_METRICS, [day])
    if not content.num_rows:
        return None
    return content, content["observed_at"][0].as_py(), content["is_reconstructed"][0].as_py()


def choose_observation(
    day: date, observed: Mapping[date, datetime], *, day_utc_offset_hours: float = UTC_MINUS_8
) -> tuple[date, bool] | None:
    """The observation that a day of definitions is made from, and whether that is a reconstruction; None without any.

    The definitions of a day are those observed between its end and the end of the next day. Without such an observation it is rebuilt from
    the one nearest to its end; of two equally near ones the later, which knows all metrics created by then.

    Args:
        day: The metric day.
        observed: When the standing observation of each observation day was made.
        day_utc_offset_hours: Zone of the metric day.
    """
    if day + timedelta(days=1) in observed:
        return day + timedelta(days=1), False
    if not observed:
        return None
    end = end_of_day(day, day_utc_offset_hours)
    nearest = min(observed, key=lambda one: (abs(observed[one] - end), observed[one] < end))
    return nearest, True


def keeps_standing(
    standing_observed_at: datetime,
    standing_is_reconstructed: bool,
    chosen_observed_at: datetime,
    chosen_is_reconstructed: bool,
    *,
    end: datetime,
) -> bool:
    """Whether the standing day of definitions is kept although another observation could be used now.

    An observation is replaced neither by a reconstruction nor by a later observation; a reconstruction gives way to an observation, and to
    a reconstruction from one at least as near to the day's end. The same reading may always be made anew.

    Args:
        standing_observed_at: When the standing day's observation was made.
        standing_is_reconstructed: Whether the standing day is rebuilt.
        chosen_observed_at: When the other observation was made.
        chosen_is_reconstructed: Whether the day would be rebuilt from it.
        end: The end of the day, see `end_of_day`.
    """
    if not standing_is_reconstructed:
        return chosen_is_reconstructed or chosen_observed_at > standing_observed_at
    return chosen_is_reconstructed and abs(chosen_observed_at - end) > abs(standing_observed_at - end)
