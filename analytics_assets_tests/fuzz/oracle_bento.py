"""What Bento's tables must hold, read in plain loops from the answers as sent; see `sent.py`.

Facts: https://bentonow.com/stats and the vendor's own client, bento-node-sdk 2.0.0.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from analytics_assets_tests.fuzz.log import Log
from analytics_assets_tests.fuzz.same import Near
from analytics_assets_tests.fuzz.sent import (
    Refusal,
    document,
    flag,
    floating,
    is_nothing,
    label,
    needed,
    part,
    refuse,
    stored_body,
    text,
    thing,
    things,
    whole,
)

Rows = list[dict[str, Any]]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS_FROM = 100_000_000_000


def ads(log: Log, day: date, asked: list[tuple[str, str]]) -> dict[str, Rows]:
    """`ads_attribution`, `ads_totals`, `ads_chart` and the bodies of `ads_raw` for pairs of dimension and revenue mode."""
    tables: dict[str, Rows] = {"ads_attribution": [], "ads_totals": [], "ads_chart": [], "ads_raw": []}
    for dimension, mode in asked:
        sent = log.one("/stats/ads", dimension=dimension, revenue_mode=mode)
        body = thing(document(sent), "the body")
        if needed(body.get("dimension"), "dimension") != dimension:
            refuse("another dimension")
        if text(part(body, "revenueMode").get("mode"), "mode") not in (None, mode):
            refuse("another revenue mode")
        about = {
            "date": day,
            "dimension": dimension,
            "revenue_mode": mode,
            "revenue_truncated": flag(body.get("revenueTruncated"), "revenueTruncated"),
        }
        tables["ads_raw"].append({"body": stored_body(sent)})
        tables["ads_totals"] += [about | row for row in _totals(body)]
        tables["ads_attribution"] += [about | row for row in _breakdown(body)]
        tables["ads_chart"] += [about | row for row in _chart(body, day)]
    _no_doubles(tables["ads_attribution"], ("dimension", "revenue_mode", "key", "currency"))
    _no_doubles(tables["ads_chart"], ("dimension", "revenue_mode", "bucket_start"))
    return tables


def _amounts(held: dict[str, Any], what: str) -> Rows:
    """Each currency with its cents. One currency alone has one sum; a sum in a currency that is not listed would be lost."""
    currency = text(held.get("revenueCurrency"), "revenueCurrency") or ""
    cents = whole(held.get("revenueCents"), "revenueCents")
    sums = {name: whole(one, name) for name, one in part(held, "revenueByCurrency").items()}
    if None in sums.values():
        refuse(f"{what}: a currency without a sum")
    for name in sums:
        text(name, "a currency")
    if not sums:
        return [{"currency": currency, "revenue_cents": cents, "is_main_currency": True}]
    if cents is not None and len(sums) == 1 and currency in {"", *sums} and cents not in sums.values():
        refuse(f"{what}: two sums of one currency")
    if cents and currency and currency not in sums:
        refuse(f"{what}: {cents} {currency} are in no sum")
    main = currency if currency in sums else min(sums)
    return [{"currency": name, "revenue_cents": one, "is_main_currency": name == main} for name, one in sums.items()]


def _counts(held: dict[str, Any]) -> dict[str, Any]:
    return {
        "signups": whole(held.get("signups"), "signups"),
        "customers": whole(held.get("customers"), "customers"),
        "customer_rate_percent": floating(held.get("customerRate"), "customerRate"),
    }


def _totals(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    totals, attribution = thing(body.get("totals"), "totals"), part(body, "attribution")
    about = _counts(totals) | {
        "value_filter": None,
        "revenue_visitor_count": whole(totals.get("revenueVisitorCount"), "revenueVisitorCount"),
        "top_source": text(totals.get("topSource"), "topSource"),
        "attribution_mode": text(attribution.get("mode"), "mode"),
        "attribution_window_days": whole(attribution.get("windowDays"), "windowDays"),
        "attribution_applies_to_ad_revenue": flag(attribution.get("appliesToAdRevenue"), "appliesToAdRevenue"),
    }
    for amount in _amounts(totals, "totals"):
        yield about | amount


def _breakdown(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for one in things(body.get("breakdown"), "breakdown"):
        row = thing(one, "a row")
        if "key" not in row:
            refuse("a row without key")
        about = _counts(row) | {"key": label(row["key"], "key"), "label": label(row.get("label"), "label")}
        rate = floating(row.get("revenuePerSignupCents"), "revenuePerSignupCents")
        own = row.get("revenueCurrency") or ""
        cents = whole(row.get("revenueCents"), "revenueCents")
        for amount in _amounts(row, "a row"):
            is_of_it = amount["currency"] == own and (cents is None or cents == amount["revenue_cents"])
            yield about | amount | {"revenue_per_signup_cents": rate if is_of_it else None}


def _chart(body: dict[str, Any], day: date) -> Iterator[dict[str, Any]]:
    points = body.get("chart") if is_nothing(body.get("chartData")) else body["chartData"]
    first = datetime.combine(day, time(), UTC)
    for one in things(points, "the chart"):
        point = thing(one, "a point")
        start = _instant(point.get("x"))
        if not first <= start < first + timedelta(days=1):
            refuse(f"a point at {start}")
        yield {
            "bucket_start": start,
            "signups": whole(point.get("signups"), "signups"),
            "customers": whole(point.get("customers"), "customers"),
            "revenue_as_sent": floating(point.get("revenue"), "revenue"),
        }


def _instant(x: Any) -> datetime:
    """Epoch seconds or milliseconds, or ISO text, in UTC."""
    if isinstance(x, bool) or not isinstance(x, int | Decimal | str):
        refuse("x is no instant")
    try:
        try:
            number = float(x)
        except ValueError:
            read = datetime.fromisoformat(str(x))
            return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
        return _EPOCH + timedelta(seconds=number / 1000 if abs(number) > _MILLISECONDS_FROM else number)
    except (ValueError, OverflowError):
        refuse("x is no instant")


def audience(log: Log, day: date, segments: list[str]) -> dict[str, Rows]:
    """`audience_counts`."""
    asked = [("site", "", log.one("/stats/site"))]
    asked += [("segment", one, log.one("/stats/segment", segment_id=one)) for one in segments]
    rows = []
    for kind, name, sent in asked:
        body = thing(document(sent), "the body")
        counts = {}
        for field in ("user_count", "subscriber_count", "unsubscriber_count"):
            if field not in body:
                refuse(f"{field} is missing")
            counts[field] = whole(body[field], field)
        rows.append({"date": day, "kind": kind, "id": name, **counts})
    return {"audience_counts": rows, "audience_raw": [{"body": stored_body(sent)} for *_, sent in asked]}


def reports(log: Log, day: date, names: list[str]) -> dict[str, Rows]:
    """`report_points`; a report whose data has no known shape has none."""
    tables: dict[str, Rows] = {"report_points": [], "reports_raw": []}
    for name in names:
        sent = log.one("/stats/report", report_id=name)
        body = thing(document(sent), "the body")
        body = body if "data" in body else thing(body.get("report_data"), "report_data")
        if "data" not in body:
            refuse("no data")
        about = {
            "date": day,
            "report_id": name,
            "report_name": text(body.get("report_name"), "report_name"),
            "chart_style": text(body.get("chart_style"), "chart_style"),
            "report_type": text(body.get("report_type"), "report_type"),
        }
        points = _points(body["data"])
        tables["report_points"] += [about | {"point_no": number, **point} for number, point in enumerate(points)]
        tables["reports_raw"].append({"body": stored_body(sent)})
    return tables


def _points(data: Any) -> Rows:
    try:
        if not isinstance(data, list):
            if isinstance(data, dict) or is_nothing(data):
                return []
            return [{"series": None, "x": None, "y": floating(data, "data")}]
        return [_point(thing(one, "a point")) for one in data]
    except Refusal:
        return []


def _point(point: dict[str, Any]) -> dict[str, Any]:
    if "x" not in point or "y" not in point:
        refuse("a point without x or y")
    return {"series": _spelt(point.get("g")), "x": _spelt(point["x"]), "y": floating(point["y"], "y")}


def _spelt(value: Any) -> Any:
    """Text, or a number in any spelling of its nearest binary one."""
    if isinstance(value, bool):
        refuse("a truth where a text belongs")
    if isinstance(value, Decimal):
        return Near(floating(value, "x") or 0.0)
    return str(value) if isinstance(value, int) else text(value, "x")


def _no_doubles(rows: Rows, key: tuple[str, ...]) -> None:
    keys = [tuple(row[name] for name in key) for row in rows]
    if len(set(keys)) < len(keys):
        refuse("a key stands twice")
