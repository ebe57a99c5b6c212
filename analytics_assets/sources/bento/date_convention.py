"""The ways in which Bento may read a window, and which of them fit what it answered. Pure.

A reading is a zone, a rule for the end, and what a date without a time means. It says which instants a question covers, so a response can
contradict it in two ways: a point of the chart lies where the question does not reach, or the sums of two overlapping answers disagree
where the reading says that both cover the same instants. The second needs traffic; the first needs it at the edges of a day only.
Zones that begin every day of the last year at the same instants are one here: no response can tell them apart, and no table depends on it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise, permutations, product
from typing import Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

from analytics_assets.dates import days_between
from analytics_assets.sources.bento.streams import Format, as_text

End = Literal["exclusive", "inclusive"]
Meaning = Literal["midnight", "noon"]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_ENDS: tuple[End, ...] = get_args(End)
_MEANINGS: tuple[Meaning, ...] = get_args(Meaning)
_REGIONS = ("Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")
# Which name speaks for zones with the same days; elsewhere the first of the alphabet.
_USUAL = (
    *("UTC", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Sao_Paulo"),
    *("Europe/London", "Europe/Berlin", "Europe/Athens", "Asia/Dubai", "Asia/Kolkata", "Asia/Singapore"),
    *("Asia/Tokyo", "Australia/Sydney", "Pacific/Auckland"),
)
_PROOF_OF_DAILY = 3
_BUSY = 10  # signups of a day that are not all made in one half of it
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Question:
    """A window that was requested.

    Attributes:
        format: How the two dates were written.
        start: What `start_date` names; for words, as counted from the UTC day of `asked_at`.
        end: What `end_date` names.
        asked_at: Instant of the request, in UTC.
    """

    format: Format
    start: date
    end: date
    asked_at: datetime

    def texts(self) -> tuple[str, str]:
        """`start_date` and `end_date` as sent."""
        today = self.asked_at.date()
        return as_text(self.start, self.format, today), as_text(self.end, self.format, today)


@dataclass(frozen=True)
class Point:
    """A point of a chart: the instant it begins, in UTC, and its counts."""

    at: datetime
    signups: float
    revenue: float


@dataclass(frozen=True)
class Observation:
    """A response: its question, its chart, how long a point of the chart is (an hour or a day), and the currency of its revenue if named."""

    question: Question
    points: tuple[Point, ...]
    bucket: timedelta
    currency: str | None = None


@dataclass(frozen=True)
class DateConvention:
    """One way to read a window.

    Attributes:
        zone: Where dates are read; speaks for all zones with the same days.
        end: True if the end is the first instant left out or the last day taken in.
        date_means: What an ISO date without a time means. With a time it is that time, and words mean midnight, in every reading.
    """

    zone: str
    end: End
    date_means: Meaning

    def window(self, question: Question) -> tuple[datetime, datetime]:
        """First instant and first instant after, in UTC."""
        zone = ZoneInfo(self.zone)
        behind = timedelta()
        if question.format == "words":
            behind = question.asked_at.astimezone(zone).date() - question.asked_at.date()
        at = time(12) if question.format == "iso" and self.date_means == "noon" else time()
        start, end = question.start + behind, question.end + behind
        if self.end == "inclusive":
            return _instant(start, at, zone), _instant(end + DAY, time(), zone)
        return _instant(start, at, zone), _instant(end, at, zone)


@lru_cache(maxsize=8)
def zones(first: date, last: date) -> Mapping[str, tuple[str, ...]]:
    """Zones by one name for all that begin every day from `first` to `last` at the same instants."""
    days = days_between(first, last)
    names = {name for name in available_timezones() if name == "UTC" or name.startswith(_REGIONS)}
    same: dict[tuple[timedelta | None, ...], list[str]] = {}
    for name in sorted(names):
        zone = ZoneInfo(name)
        offsets = tuple(datetime.combine(day, time(), zone).utcoffset() for day in days)
        same.setdefault(offsets, []).append(name)
    return {next((name for name in _USUAL if name in alike), alike[0]): tuple(alike) for alike in same.values()}


def all_conventions(first: date, last: date) -> list[DateConvention]:
    """Every reading that can be told apart by days from `first` to `last`."""
    return [DateConvention(zone, end, means) for zone, end, means in product(zones(first, last), _ENDS, _MEANINGS)]


def bucket_of(points: Sequence[Point], otherwise: timedelta = HOUR) -> timedelta:
    """How long a point is: a day where all of at least three begin whole days apart, give or take the hour of a clock change."""
    if len(points) < _PROOF_OF_DAILY:
        return otherwise
    gaps = [later.at - earlier.at for earlier, later in pairwise(sorted(points, key=lambda point: point.at))]
    return DAY if all(gap >= DAY - HOUR and (gap + HOUR) % DAY <= 2 * HOUR for gap in gaps) else HOUR


def fits(reading: DateConvention, seen: Sequence[Observation]) -> bool:
    """True if a reading contradicts none of the responses."""
    windows = [(one, reading.window(one.question)) for one in seen]
    if not all(_is_inside(reading, one, *window) for one, window in windows):
        return False
    return all(
        _add_up(reading, *whole, *part) and _are_less(reading, *whole, *part)
        for whole, part in permutations(windows, 2)
    )


def _is_inside(reading: DateConvention, seen: Observation, start: datetime, end: datetime) -> bool:
    """True if all points are some of the window's: hours counted from its start, or days of the zone that it touches."""
    if seen.bucket == HOUR:
        return all(start <= point.at < end and not (point.at - start) % HOUR for point in seen.points)
    zone = ZoneInfo(reading.zone)
    times = {time(), start.astimezone(zone).time()}
    return all(
        start - DAY < point.at < end
        and any(point.at == _instant(point.at.astimezone(zone).date(), at, zone) for at in times)
        for point in seen.points
    )


def _add_up(
    reading: DateConvention,
    whole: Observation,
    whole_window: tuple[datetime, datetime],
    part: Observation,
    part_window: tuple[datetime, datetime],
) -> bool:
    """True if a part has at least what the whole shows within the part's window, and at most what it shows up to its edges."""
    if not (whole_window[0] <= part_window[0] and part_window[1] <= whole_window[1]):
        return True
    within, touching = list[Point](), list[Point]()
    for point, (start, end) in _spans(reading, whole, whole_window):
        if start < part_window[1] and part_window[0] < end:
            touching.append(point)
            if part_window[0] <= start and end <= part_window[1]:
                within.append(point)
    same_grid = whole.bucket == part.bucket == HOUR and not (whole_window[0] - part_window[0]) % HOUR
    measures: list[Callable[[Point], float]] = [lambda point: point.signups]
    # The vendor's main currency is that of the window, so the same purchases may be in one chart and not in the other.
    measures += [lambda point: point.revenue] if whole.currency is not None and whole.currency == part.currency else []
    measures += [lambda _: 1.0] if same_grid else []
    return all(_is_between(measure, within, part.points, touching) for measure in measures)


def _are_less(
    reading: DateConvention,
    whole: Observation,
    whole_window: tuple[datetime, datetime],
    part: Observation,
    part_window: tuple[datetime, datetime],
) -> bool:
    """True if each busy day that the part covers in part only counts less there than in the whole."""
    if not whole.bucket == part.bucket == DAY:
        return True
    spans = {point.at: (point, span) for point, span in _spans(reading, whole, whole_window)}
    for point, (start, end) in _spans(reading, part, part_window):
        full, (first, last) = spans.get(point.at, (point, (start, end)))
        is_part = first <= start and end <= last and end - start < last - first
        if is_part and point.signups >= full.signups >= _BUSY:
            return False
    return True


def _is_between(
    measure: Callable[[Point], float], least: Iterable[Point], given: Iterable[Point], most: Iterable[Point]
) -> bool:
    """True if the sum of `given` lies between the others; sums with negative parts say nothing about it."""
    values = [[measure(point) for point in points] for points in (least, given, most)]
    if any(value < 0 for part in values for value in part):
        return True
    low, middle, high = map(sum, values)
    return low - _ROUNDING <= middle <= high + _ROUNDING


def _spans(
    reading: DateConvention, seen: Observation, window: tuple[datetime, datetime]
) -> Iterator[tuple[Point, tuple[datetime, datetime]]]:
    """Each point with the instants it counts: its bucket, as far as the window covers it."""
    zone = ZoneInfo(reading.zone)
    for point in seen.points:
        end = point.at + HOUR
        if seen.bucket == DAY:
            local = point.at.astimezone(zone)
            end = _instant(local.date() + DAY, local.time(), zone)
        yield point, (max(point.at, window[0]), min(end, window[1]))


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)
