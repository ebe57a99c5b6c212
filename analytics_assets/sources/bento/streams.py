"""What a YAML can wish from Bento, and how its days are fetched.

A day of `/stats/ads` is one request per dimension and revenue mode. Bento's page names neither the zone of its dates nor whether the end
is taken in nor which spellings it reads beside words (https://bentonow.com/stats), so all three are settings, and every response is checked
against its chart before it is kept. `calibration.py` finds the settings; `docs/bento-day.md` says what the check sees and what it does not.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from analytics_assets.dates import hours_after
from analytics_assets.errors import FieldError, PermanentError, TransientError
from analytics_assets.http.response import Response
from analytics_assets.http.session import IN_FLIGHT
from analytics_assets.http.together import together
from analytics_assets.lake.raw import RawDay, raw_day, request_hash
from analytics_assets.sources.bento.ads_chart import bucket_starts, is_proof
from analytics_assets.sources.bento.client import ADS, DIMENSIONS, REVENUE_MODES, AdsQuery, BentoClient
from analytics_assets.sources.bento.responses import Ads
from analytics_assets.sources.bento.tables import ADS_RAW, AUDIENCE_RAW, REPORTS_RAW

Format = Literal["iso", "iso_time", "words"]


@dataclass(frozen=True)
class WindowSpec:
    """How a day is put to Bento.

    Attributes:
        zone: Zone in which Bento reads dates.
        end: True if `end_date` is the first day left out or the last day taken in. With the default a wrong guess shows: points of a
            second day appear. The other wrong guess gives empty days, which cannot be told from quiet ones.
        format: How dates are written. `iso` is 2026-03-01; `iso_time` is 2026-03-01 00:00, for a Bento to which a date alone means
            its noon; `words` are the page's own, such as 3 days ago, counted from the present day in `zone` when the request is made.
    """

    zone: str = "UTC"
    end: Literal["exclusive", "inclusive"] = "exclusive"
    format: Format = "iso"

    def __post_init__(self) -> None:
        """Refuses what cannot be used."""
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise FieldError(
                f"Bento ads, `window.zone`: {self.zone!r} is no time zone.",
                "window",
                "zone",
                remedy="Use a name such as America/New_York.",
            ) from error
        _refuse_unknown("Bento ads, `window.end`", [self.end], ("exclusive", "inclusive"))
        _refuse_unknown("Bento ads, `window.format`", [self.format], ("iso", "iso_time", "words"))

    def dates(self, day: date, today: date) -> tuple[str, str]:
        """`start_date` and `end_date` of a day, as sent on the day `today`."""
        end = day + timedelta(days=1) if self.end == "exclusive" else day
        return as_text(day, self.format, today), as_text(end, self.format, today)

    def today(self, now: datetime) -> date:
        """The calendar day in the zone."""
        return now.astimezone(ZoneInfo(self.zone)).date()


def as_text(day: date, text_format: Format, today: date) -> str:
    """A day as Bento is told it; words count back from `today`."""
    if text_format == "words":
        ago = (today - day).days
        return {0: "today", 1: "yesterday"}.get(ago, f"{ago} days ago")
    return day.isoformat() if text_format == "iso" else f"{day.isoformat()} 00:00"


@dataclass(frozen=True)
class AdsSpec:
    """Which attribution to read each day.

    Attributes:
        dimensions: What to group by; one request each and revenue mode.
        revenue_modes: Which revenue events to count.
        value: One exact value to filter to, or None for the top values.
        window: How a day is put to Bento.
        final_after_hours: Hours after the day's end in the window's zone before it is requested.
    """

    dimensions: tuple[str, ...] = ("source",)
    revenue_modes: tuple[str, ...] = ("all_revenue",)
    value: str | None = None
    window: WindowSpec = field(default_factory=WindowSpec)
    final_after_hours: float = 1

    def __post_init__(self) -> None:
        """Refuses what cannot be used."""
        for name, given, known in (
            ("dimensions", self.dimensions, DIMENSIONS),
            ("revenue_modes", self.revenue_modes, REVENUE_MODES),
        ):
            _refuse_empty_or_double(f"Bento ads, `{name}`", given)
            _refuse_unknown(f"Bento ads, `{name}`", given, known)
        if self.value == "":
            raise PermanentError(
                "Bento ads, `value`: it is empty, which Bento reads as no filter.", remedy="Leave it out."
            )
        if self.value is not None and len(self.dimensions) > 1:
            raise PermanentError(
                f"Bento ads, `value`: {self.value!r} is a value of one dimension, but {len(self.dimensions)} are requested.",
                remedy="Name one dimension, or leave `value` out.",
            )
        if not (math.isfinite(self.final_after_hours) and self.final_after_hours >= 0):
            raise PermanentError(
                f"Bento ads, `final_after_hours`: {self.final_after_hours!r} is no time after the day's end.",
                remedy="Use hours from 0.",
            )

    def queries(self, day: date, today: date | None = None) -> list[AdsQuery]:
        """What is requested a day on the day `today`, in the order it is kept; by default, on the day after it."""
        start, end = self.window.dates(day, today or day + timedelta(days=1))
        return [
            AdsQuery(dimension, mode, start, end, self.value)
            for dimension in self.dimensions
            for mode in self.revenue_modes
        ]

    def request_hash(self, day: date) -> str:
        """Hash of what is requested for a day; the same whenever it is requested, although words change from day to day."""
        params = [query.params() for query in self.queries(day)]
        return request_hash(ADS, params, *([day.isoformat()] if self.window.format == "words" else []))

    def request_count(self, days: Sequence[date]) -> dict[str, int]:
        """Requests for some days, by endpoint."""
        return {f"GET {ADS}": sum(len(self.queries(day)) for day in days)}

    def days_at_once(self) -> int:
        """Enough days that all connections are in use while as many days wait to be stored."""
        return 2 * math.ceil(IN_FLIGHT / (len(self.dimensions) * len(self.revenue_modes)))

    def final_at(self, day: date) -> datetime:
        """Instant from which the day is requested, in UTC."""
        return hours_after(day, self.final_after_hours, ZoneInfo(self.window.zone))


@dataclass(frozen=True)
class AudienceSpec:
    """Whose counts to read: the site's always, and those of segments by id."""

    segments: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuses what cannot be used."""
        _refuse_blank_or_double("Bento audience, `segments`", self.segments)


@dataclass(frozen=True)
class ReportsSpec:
    """Which reports to read, by id."""

    reports: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuses what cannot be used."""
        _refuse_empty_or_double("Bento reports, `reports`", self.reports)


async def fetch_ads(client: BentoClient, spec: AdsSpec, day: date) -> RawDay:
    """A day of `/stats/ads`: `ads_raw`. Every chart has to lie inside the day; a note says so where none of them proves it."""
    zone = ZoneInfo(spec.window.zone)

    async def answered(number: int) -> Response[Ads]:
        """The response to one query of the day; words that midnight has overtaken mean another day and are sent anew."""
        for _ in range(2):
            today = spec.window.today(client.session.clock())
            answer = await client.ads(spec.queries(day, today)[number])
            if spec.window.format != "words" or spec.window.today(answer.answered_at) == today:
                return answer
        raise TransientError(
            f"Bento GET {ADS}: twice midnight in {zone.key} passed between question and answer, so the words in which the day was requested "
            "have come to mean another day.",
            remedy="Ask again.",
            day=day,
        )

    async def ask(number: int) -> tuple[Response[Ads], bool]:
        """One answer whose chart lies inside the day, and whether the chart proves it."""
        answer = await answered(number)
        return answer, is_proof(bucket_starts(answer, day, zone=zone), day, zone)

    read = await together([ask(number) for number in range(len(spec.queries(day)))])
    notes = {} if any(is_proved for _, is_proved in read) else {"window_unverified": True}
    return raw_day(ADS_RAW, day, [answer for answer, _ in read], notes)


async def fetch_audience(client: BentoClient, spec: AudienceSpec, day: date) -> RawDay:
    """The counts of the site and its segments as of now: `audience_raw`."""
    requests = [client.site(), *(client.segment(segment) for segment in spec.segments)]
    return raw_day(AUDIENCE_RAW, day, await together(requests))


async def fetch_reports(client: BentoClient, spec: ReportsSpec, day: date) -> RawDay:
    """The reports as of now: `reports_raw`."""
    return raw_day(REPORTS_RAW, day, await together([client.report(report) for report in spec.reports]))


def _refuse_empty_or_double(place: str, given: Sequence[str]) -> None:
    if not given:
        raise PermanentError(f"{place}: nothing is named, so nothing would be read.", remedy="Name at least one.")
    _refuse_blank_or_double(place, given)


def _refuse_blank_or_double(place: str, given: Sequence[str]) -> None:
    if any(not one.strip() for one in given):
        raise PermanentError(f"{place}: one entry is empty.", remedy="Remove it or write the name.")
    doubles = sorted({one for one in given if given.count(one) > 1})
    if doubles:
        raise PermanentError(
            f"{place}: {', '.join(doubles)} named more than once, each costs a request.", remedy="Name it once."
        )


def _refuse_unknown(place: str, given: Sequence[str], known: Sequence[str]) -> None:
    unknown = [one for one in given if one not in known]
    if unknown:
        raise PermanentError(
            f"{place}: {', '.join(map(repr, unknown))} is not known.", remedy=f"Use {' or '.join(known)}."
        )
