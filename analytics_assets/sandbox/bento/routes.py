"""The simulated Bento Stats API: who may ask, and the site, segment and report counts.

Here live authentication, errors and the snapshot endpoints, after Bento's stats page and its authentication and error pages.
The attribution numbers of ``/stats/ads`` are made in ``bento_ads``, its dates are read in ``bento_windows``.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo

from starlette.responses import HTMLResponse, JSONResponse, Response

from analytics_assets.sandbox.bento.ads import DIMENSIONS, REVENUE_MODES, ads_body
from analytics_assets.sandbox.bento.windows import UnreadableDateError, bucket_start, read_window
from analytics_assets.sandbox.credentials import BENTO_PUBLISHABLE_KEY, BENTO_SECRET_KEY
from analytics_assets.sandbox.endpoints import Call, Endpoint
from analytics_assets.sandbox.options import Options
from analytics_assets.sandbox.timeline import Timeline

_BLOCKED = "<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head><body><h1>Sorry, you have been blocked</h1></body></html>"
_MESSAGES = {401: "Unauthorized", 403: "Forbidden", 404: "Not found", 429: "Too many requests"}


def _invalid(field: str, message: str) -> Response:
    return JSONResponse({"errors": [{"field": field, "message": message}]}, status_code=400)


def _unsubscribed(person_id: str) -> bool:
    """About seven people in a hundred, the same in every process."""
    return crc32(person_id.encode()) % 100 < 7


def _in_segment(segment_id: str, person_id: str) -> bool:
    """A tenth to nine tenths of all people, by the segment's id."""
    share = 10 + crc32(segment_id.encode()) % 81
    return crc32(f"{segment_id}/{person_id}".encode()) % 100 < share


class Bento:
    """The vendor as the gateway sees it."""

    name = "bento"
    prefix = "/bento/api/v1"

    def __init__(self, options: Options, timeline: Timeline) -> None:
        self._options = options
        self._timeline = timeline
        self._whole_day = lru_cache(maxsize=50_000)(self._tally_of_day)
        self.endpoints = (
            Endpoint("GET", "/stats/site", self._site),
            Endpoint("GET", "/stats/segment", self._segment),
            Endpoint("GET", "/stats/report", self._report),
            Endpoint("GET", "/stats/ads", self._ads),
        )

    def admit(self, call: Call) -> Response | None:
        """403 HTML without a User-Agent (Cloudflare stands in front), 401 for wrong keys or a missing or unknown site."""
        if not call.headers.get("user-agent", "").strip():
            return HTMLResponse(_BLOCKED, status_code=403)
        site = call.query.get("site_uuid", "")
        if not _has_keys(call.headers.get("authorization", "")) or not site or site.startswith("unknown"):
            return self.refuse(401)
        return None

    def refuse(self, status: int) -> Response:
        """The short form of Bento's errors."""
        return JSONResponse({"error": _MESSAGES.get(status, "Something went wrong")}, status_code=status)

    def _site(self, call: Call) -> Response:
        return JSONResponse(self._counts(call.now, None))

    def _segment(self, call: Call) -> Response:
        segment_id = call.query.get("segment_id", "")
        if not segment_id:
            return _invalid("segment_id", "is required")
        if segment_id.startswith("unknown"):
            return JSONResponse({"error": "Segment not found"}, status_code=404)
        return JSONResponse(self._counts(call.now, segment_id))

    def _report(self, call: Call) -> Response:
        report_id = call.query.get("report_id", "")
        if not report_id:
            return _invalid("report_id", "is required")
        if report_id.startswith("unknown"):
            return JSONResponse({"error": "Report not found"}, status_code=404)
        counter = "counter" in report_id
        kind = "VisitorCountReport" if counter else "VisitorSourceReport"
        body: dict[str, Any] = {
            "data": self._counts(call.now, report_id)["user_count"] if counter else self._signups_by_source(call.now),
            "chart_style": "counter" if counter else "column_chart",
            "report_type": f"Reporting::Reports::{kind}",
            "report_name": "New subscribers" if counter else "Signups by source",
        }
        if "wrapped" in report_id:
            return JSONResponse({"report_data": body})
        return JSONResponse({**body, "report_id": report_id})

    def _ads(self, call: Call) -> Response:
        dimension = call.query.get("dimension", "") or "source"
        mode = call.query.get("revenue_mode", "") or "all_revenue"
        if dimension not in DIMENSIONS:
            return _invalid("dimension", f"must be one of {', '.join(DIMENSIONS)}")
        if mode not in REVENUE_MODES:
            return _invalid("revenue_mode", f"must be one of {', '.join(REVENUE_MODES)}")
        try:
            window = read_window(
                call.query.get("start_date", ""),
                call.query.get("end_date", ""),
                now=call.now,
                zone=self._options.bento_zone,
                end_rule=self._options.bento_end,
                dates=self._options.bento_dates,
            )
        except UnreadableDateError as error:
            return _invalid(error.field, "could not be parsed")
        body = ads_body(
            self._timeline,
            window,
            dimension=dimension,
            value=call.query.get("value", ""),
            mode=mode,
            currency=self._options.bento_currency,
            chart_key=self._options.bento_chart_key,
            bucket_of=bucket_start(window, zone=self._options.bento_zone, buckets=self._options.bento_buckets),
        )
        return JSONResponse(body)

    def _counts(self, now: datetime, segment_id: str | None) -> dict[str, int]:
        """People acquired until now, those who unsubscribed among them, and the rest."""
        today, day = now.date(), self._timeline.world.first_day
        users = gone = 0
        while day < today:
            of_day = self._whole_day(day, segment_id)
            users, gone = users + of_day[0], gone + of_day[1]
            day += timedelta(days=1)
        started = self._timeline.people(datetime.combine(today, time(), UTC), now)
        last = self._tally([person.id for person in started], segment_id)
        users, gone = users + last[0], gone + last[1]
        return {"user_count": users, "subscriber_count": users - gone, "unsubscriber_count": gone}

    def _tally_of_day(self, day: date, segment_id: str | None) -> tuple[int, int]:
        return self._tally(list(self._timeline.world.person_ids(day)), segment_id)

    @staticmethod
    def _tally(ids: list[str], segment_id: str | None) -> tuple[int, int]:
        chosen = [one for one in ids if segment_id is None or _in_segment(segment_id, one)]
        return len(chosen), sum(map(_unsubscribed, chosen))

    def _signups_by_source(self, now: datetime) -> list[dict[str, str | int]]:
        """Points of the last 14 days in Bento's zone, today included: every day for every source that had a signup."""
        tz = ZoneInfo(self._options.bento_zone)
        today = now.astimezone(tz).date()
        days = [today - timedelta(days=back) for back in range(13, -1, -1)]
        people = self._timeline.people(datetime.combine(days[0], time(), tz), now)
        counts = Counter((one.source, one.acquired_at.astimezone(tz).date()) for one in people)
        sources = sorted({source for source, _ in counts})
        return [{"g": g, "x": day.isoformat(), "y": counts[g, day]} for g in sources for day in days]


def _has_keys(authorization: str) -> bool:
    scheme, _, encoded = authorization.partition(" ")
    try:
        given = b64decode(encoded, validate=True).decode()
    except (Base64Error, ValueError):
        return False
    return scheme.lower() == "basic" and given == f"{BENTO_PUBLISHABLE_KEY}:{BENTO_SECRET_KEY}"
