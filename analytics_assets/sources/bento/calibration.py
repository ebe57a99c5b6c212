"""Finds out how Bento reads dates: zone, end and spelling, from a handful of overlapping windows.

First five days around a busy day as a map of its traffic, then the day itself; where a date may mean noon, the day again with a time of
day or in words; then single days at which the zones still possible differ, such as a summer day; at last the day exactly as production
will request it. What each response rules out is `date_convention.py`'s affair. At most `LONGEST` requests; the vendor allows about 30 an hour.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NoReturn

from analytics_assets.clock import Clock
from analytics_assets.errors import PermanentError
from analytics_assets.sources.bento.ads_chart import instant
from analytics_assets.sources.bento.client import AdsQuery, BentoClient
from analytics_assets.sources.bento.date_convention import (
    DAY,
    HOUR,
    Observation,
    Point,
    Question,
    all_conventions,
    bucket_of,
    fits,
    zones,
)
from analytics_assets.sources.bento.responses import AdsTotals
from analytics_assets.sources.bento.streams import Format, WindowSpec

LONGEST = 12
REACH_DAYS = 400
_REFUSED = (400, 422)
_MARGIN_DAYS = 4  # the map reaches two days past the day, and those must be over in every zone and with either end
_NAMED = 6


@dataclass(frozen=True)
class CalibrationResult:
    """What a calibration came to.

    Attributes:
        window: How a day is to be requested, or None where that stays open.
        same_days: All zones that begin the days of the last year as `window.zone` does, itself included.
        seen: What was asked and what came, a line each.
        verdict: What was found in words; where it stays open, why, and what to try.
    """

    window: WindowSpec | None
    same_days: tuple[str, ...]
    seen: tuple[str, ...]
    verdict: str


class _OpenError(Exception):
    """It stays open; says why and what to try."""


def newest_day(now: datetime) -> date:
    """The newest day that can be asked about: the days around it are over in every zone."""
    return now.astimezone(UTC).date() - timedelta(days=_MARGIN_DAYS)


async def calibrate(client: BentoClient, *, day: date, clock: Clock) -> CalibrationResult:
    """Asks until one reading is left, or until asking on is of no use.

    Args:
        client: Opens the site.
        day: A day with much traffic, as are those beside it; at most `newest_day`.
        clock: The present instant.

    Raises:
        SourceError: A request failed for another reason than its dates.
    """
    inquiry = _Inquiry(client, day, clock)
    try:
        window = await inquiry.settled()
    except _OpenError as error:
        return CalibrationResult(None, (), tuple(inquiry.lines), str(error))
    alike = inquiry.alike[window.zone]
    others = [name for name in alike if name != window.zone]
    same = f" (or {_list(others)}, whose days are the same)" if others else ""
    end = "leaves the end out" if window.end == "exclusive" else "takes the last day in"
    takes = {
        "iso": "takes ISO dates for midnight",
        "iso_time": "takes an ISO date for noon, so that a time of day has to go with it",
        "words": "is to be asked in words",
    }[window.format]
    return CalibrationResult(
        window, alike, tuple(inquiry.lines), f"Bento reads dates in {window.zone}{same}, {end} and {takes}."
    )


class _Inquiry:
    """What was asked so far, and the readings that are left."""

    def __init__(self, client: BentoClient, day: date, clock: Clock) -> None:
        self.lines: list[str] = []
        self._client, self._day, self._clock = client, day, clock
        self._seen: list[Observation] = []
        reach = (day - timedelta(days=REACH_DAYS), day + 3 * DAY)
        self.alike = zones(*reach)
        self._left = all_conventions(*reach)

    async def settled(self) -> WindowSpec:
        """The one way left in which days can be requested."""
        spelling = await self._map()
        await self._ask(spelling, self._day, self._day)
        if spelling == "iso" and any(one.date_means == "noon" for one in self._left):
            spelling = await self._without_noon()
        await self._tell_zones_apart(spelling)
        if len(self._left) > 1:
            self._give_up_between()
        found = self._left[0]
        if found.date_means == "midnight":
            spelling = self._seen[0].question.format
        elif spelling == "iso":
            raise _OpenError(
                f"To Bento a date means noon in {found.zone}, and it reads neither a time of day behind the date nor words: no window "
                "covers a calendar day. Ask Bento how a window is to begin at midnight."
            )
        window = WindowSpec(found.zone, found.end, spelling)
        if window.end == "inclusive":
            await self._ask(spelling, self._day, self._day - DAY)
            if not self._seen[-1].points:
                raise _OpenError(f"{self._day} requested alone has no chart points. Try a busier day with --day.")
        return window

    async def _map(self) -> Format:
        """Requests the days around the day in the first spelling that is not refused, and returns that."""
        spellings: tuple[Format, ...] = ("iso", "iso_time", "words")
        for spelling in spellings:
            if not await self._ask(spelling, self._day - 2 * DAY, self._day + DAY):
                continue
            if not self._seen[0].points:
                raise _OpenError(
                    f"There are no chart points around {self._day}, so nothing shows which days were counted. "
                    "Try a day with signups and purchases with --day."
                )
            if spelling != "iso":
                self._left = [one for one in self._left if one.date_means == "midnight"]
            return spelling
        raise _OpenError(
            "Bento refused dates as 2026-03-01, as 2026-03-01 00:00 and as 3 days ago, the words of its own page. "
            "Try with `curl` which dates it reads."
        )

    async def _without_noon(self) -> Format:
        """Requests the day in the first spelling that cannot mean noon; ISO dates stay where there is none."""
        spellings: tuple[Format, ...] = ("iso_time", "words")
        for spelling in spellings:
            if await self._ask(spelling, self._day, self._day):
                return spelling
        return "iso"

    async def _tell_zones_apart(self, spelling: Format) -> None:
        """Requests days at which the zones still possible begin at different instants, while there are such."""
        asked = {self._day}
        while len({one.zone for one in self._left}) > 1 and len(self.lines) < LONGEST - 1:
            day = self._telling_day(spelling, asked)
            if day is None:
                return
            asked.add(day)
            await self._ask(spelling, day, day)

    def _telling_day(self, spelling: Format, asked: set[date]) -> date | None:
        """The newest of the days that leave the fewest readings whatever the response; None where no day helps."""
        now, best, fewest = self._clock().astimezone(UTC), None, len(self._left)
        for back in range(1, REACH_DAYS):
            day = self._day - timedelta(days=back)
            question = Question(spelling, day, day + DAY, now)
            most = max(Counter(one.window(question)[0] for one in self._left).values())
            if most < fewest and day not in asked:
                best, fewest = day, most
        return best

    async def _ask(self, spelling: Format, first: date, last: date) -> bool:
        """Asks from `first` to the day after `last`, and strikes out what the response rules out; False where its dates are refused.

        Raises:
            _OpenError: The chart cannot be used, or nothing is left.
        """
        question = Question(spelling, first, last + DAY, self._clock().astimezone(UTC))
        query = AdsQuery("source", "all_revenue", *question.texts())
        asked = f"start_date={query.start_date!r} end_date={query.end_date!r}"
        try:
            answer = await self._client.ads(query)
        except PermanentError as error:
            if error.status not in _REFUSED:
                raise
            self.lines.append(f"{asked}: refused, HTTP {error.status}")
            return False
        stats = answer.data
        points = list[Point]()
        for point in stats.points:
            at = instant(point.x, None)
            if at is None:
                self.lines.append(f"{asked}: a chart point at x {point.x!r}")
                raise _OpenError(
                    f"A chart point is at x {point.x!r}, which names no instant, so no response can show the zone. "
                    "Compare a day with Bento's own screens and write `window` by hand."
                )
            points.append(Point(at, point.signups or 0, point.revenue or 0))
        usual = self._seen[0].bucket if self._seen else HOUR
        self._seen.append(Observation(question, tuple(points), bucket_of(points, usual), _currency(stats.totals)))
        self._left = [one for one in self._left if fits(one, self._seen)]
        self.lines.append(f"{asked}: {_in_words(points)}; readings left: {len(self._left)}")
        if not self._left:
            raise _OpenError(
                "No reading known here (a zone, the end in or out, a date as midnight or noon) fits all responses. The numbers may have "
                "changed between two requests: ask again, or about an older day with --day. If it stays so, no `window` is right."
            )
        return True

    def _give_up_between(self) -> NoReturn:
        named = Counter(
            f"{one.zone}, end {one.end}, a date means {one.date_means}"
            if one.date_means == "noon"
            else f"{one.zone}, end {one.end}"
            for one in self._left
        )
        raise _OpenError(
            f"{len(self._left)} readings fit all responses: {_list(sorted(named), '; ')}. There is too little traffic at the hours or on the days "
            "that would tell them apart. Try a busier day with --day, or write the one you know to be right into the YAML by hand."
        )


def _currency(totals: AdsTotals) -> str | None:
    """The currency of the revenue of a response; None if it is not named."""
    only = list(totals.revenue_by_currency or ())
    return totals.revenue_currency or (only[0] if len(only) == 1 else None) or None


def _in_words(points: list[Point]) -> str:
    if not points:
        return "no chart points"
    first, last = (pick(point.at for point in points) for pick in (min, max))
    signups = sum(point.signups for point in points)
    return f"{len(points)} chart points, {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC, {signups:g} signups"


def _list(names: list[str], between: str = ", ") -> str:
    more = len(names) - _NAMED
    return between.join(names[:_NAMED]) + (f"{between}and {more} more" if more > 0 else "")
