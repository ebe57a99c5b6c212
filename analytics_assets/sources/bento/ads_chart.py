"""The proof that a response of `/stats/ads` belongs to its day: the instants of its chart.

Bento's page (https://bentonow.com/stats) says neither where its days begin nor how long a point of the chart is, so a day is believed only
as far as the chart shows it. `docs/bento-day.md` says what that does not show.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from analytics_assets.errors import Evidence, UnexpectedPayloadError
from analytics_assets.http.response import Response
from analytics_assets.sources.bento.responses import Ads

_LARGEST_EPOCH_S = 1e11  # as seconds the year 5138, so a larger x can only mean milliseconds


def bucket_starts(response: Response[Ads], day: date, *, zone: ZoneInfo) -> list[datetime]:
    """Instants of the chart's points, in UTC, in the order sent. Nothing says where Bento's days begin, so the chart has to show it.

    Args:
        response: The response; its body is the evidence.
        day: The day that was requested.
        zone: Where it begins and ends.

    Raises:
        UnexpectedPayloadError: A point lies outside the day, or its x is no instant.
    """
    stats, params = response.data, dict(response.params)
    first, end = _midnight(day, zone), _midnight(day + timedelta(days=1), zone)
    starts = _instants([point.x for point in stats.points], zone)
    inside = [start for start in starts if start is not None and first <= start < end]
    if len(inside) == len(starts):
        return inside
    at, start = next((at, start) for at, start in enumerate(starts) if start is None or not first <= start < end)
    what = "which is no instant" if start is None else f"{start:%Y-%m-%d %H:%M} UTC, which is not in it"
    raise UnexpectedPayloadError(
        f"Bento GET /stats/ads ({params['dimension']}, {params['revenue_mode']}): the answer for the day in {zone.key} "
        f"({first:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC) has a chart point at x {stats.points[at].x!r}, {what}.",
        remedy="Check `window` in the YAML: zone, end, format; `analytics-assets calibrate bento` finds them.",
        day=day,
        evidence=Evidence("GET /stats/ads", body=response.body.decode()),
    )


def _instants(given: Sequence[float | str], zone: ZoneInfo) -> list[datetime | None]:
    """The instants of the points. Local times that come again are the hour that the clocks repeat, if that puts all points in order."""
    first = [instant(x, zone) for x in given]
    if len(set(first)) == len(first) or None in first:
        return first
    told: list[datetime | None] = []
    for x, start in zip(given, first, strict=True):
        is_again = bool(told) and not _is_later(start, told[-1])
        told.append(instant(x, zone, is_second=True) if is_again else start)
    return told if all(_is_later(later, earlier) for earlier, later in pairwise(told)) else first


def _is_later(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and one > other


def instant(x: float | str, zone: ZoneInfo | None, *, is_second: bool = False) -> datetime | None:
    """The instant of epoch seconds, milliseconds or ISO text, numbers as text included; None for anything else.

    Args:
        x: As sent.
        zone: Where text without a zone is read; None refuses such text.
        is_second: True if a local time that comes twice is the second one.
    """
    try:
        try:
            number = float(x)
        except ValueError:
            read = datetime.fromisoformat(str(x))
            if read.tzinfo is None and zone is None:
                return None
            return (read if read.tzinfo else read.replace(tzinfo=zone, fold=int(is_second))).astimezone(UTC)
        return datetime.fromtimestamp(number / 1000 if abs(number) > _LARGEST_EPOCH_S else number, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def is_proof(starts: Sequence[datetime], day: date, zone: ZoneInfo) -> bool:
    """True if points that lie inside a day show that it is this day.

    Either one point that begins with the day, for a chart by the day, or points on both sides of noon. A lone point elsewhere may be a whole
    day of another zone, and points of one half only are what a window that begins or ends at noon would show.
    """
    noon = datetime.combine(day, time(12), zone).astimezone(UTC)
    return list(starts) == [_midnight(day, zone)] or len({start < noon for start in starts}) > 1


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
