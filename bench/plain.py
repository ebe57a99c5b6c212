"""A plain sequential loop with requests: one request after the other, rows as dictionaries, a Parquet file a day and table.

What is written first when a load is needed by tomorrow. It asks Airbridge for the same few tasks as the others and keeps no answers as sent.
"""

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import requests

from analytics_assets.lake.table import Table
from analytics_assets.sources.airbridge.report_spec import body
from analytics_assets.sources.airbridge.tables import cohort_totals_table, cohorts_table
from analytics_assets.sources.bento.tables import ADS_ATTRIBUTION, ADS_CHART, ADS_TOTALS
from analytics_assets.sources.statsig.tables import EVENT_METRICS
from bench.works import AIRBRIDGE, APP, BENTO, LOOK_S, STATSIG, WAITING, Sizes, tasks

_TASK = f"/airbridge/reports/api/v3/apps/{APP.name}/revenue/query"
_Rows = list[dict[str, Any]]


def run(work: str, sizes: Sizes, url: str, folder: Path) -> int:
    """Does a work; returns the rows written."""
    with requests.Session() as session:
        days = {STATSIG: _statsig, BENTO: _bento, AIRBRIDGE: _airbridge}[work](session, sizes, url)
        return sum(_write(folder, table, day, rows) for table, day, rows in days)


def _write(folder: Path, table: Table, day: date, rows: _Rows) -> int:
    target = folder / table.name / f"dt={day}" / "data.parquet"
    target.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), target, compression="zstd")
    return len(rows)


def _statsig(session: requests.Session, sizes: Sizes, url: str) -> Iterator[tuple[Table, date, _Rows]]:
    day, seen_at, rows = sizes.metric_day(), datetime.now(UTC), []
    for event in sizes.event_names():
        page, more = 1, True
        while more:
            path = f"{url}/statsig/console/v1/events/{event}/metrics"
            answer = session.get(path, params={"limit": 100, "page": page}, timeout=60).json()
            rows += [
                {
                    "date": day,
                    "event_name": event,
                    "metric_id": metric["id"],
                    "metric_name": metric["name"],
                    "metric_type": metric["type"],
                    "directionality": metric["directionality"],
                    "description": metric["description"],
                    "created_at": datetime.fromtimestamp(metric["createdTime"] / 1000, UTC),
                    "is_permanent": metric["isPermanent"],
                    "is_read_only": metric["isReadOnly"],
                    "is_hidden": metric["isHidden"],
                    "is_verified": metric["isVerified"],
                    "tags": metric["tags"],
                    "unit_types": metric["unitTypes"],
                    "lineage_events": metric["lineage"]["events"],
                    "lineage_metrics": metric["lineage"]["metrics"],
                    "is_indirect": event not in metric["lineage"]["events"],
                    "team": metric["team"],
                    "observed_at": seen_at,
                    "is_reconstructed": True,
                }
                for metric in answer["data"]
            ]
            more, page = bool(answer["pagination"]["nextPage"]), page + 1
    yield EVENT_METRICS, day, rows


def _bento(session: requests.Session, sizes: Sizes, url: str) -> Iterator[tuple[Table, date, _Rows]]:
    for day in sizes.bento_days():
        held: dict[str, _Rows] = {table.name: [] for table in (ADS_ATTRIBUTION, ADS_TOTALS, ADS_CHART)}
        for query in sizes.ads().queries(day):
            answer = session.get(f"{url}/bento/api/v1/stats/ads", params=query.params(), timeout=60).json()
            about = {"date": day, "dimension": query.dimension, "revenue_mode": query.revenue_mode}
            for row in answer["breakdown"]:
                is_named = {"key": row["key"], "label": row["label"]}
                held[ADS_ATTRIBUTION.name] += [{**about, **is_named, **money} for money in _money(row)]
            told = {
                "revenue_visitor_count": answer["totals"]["revenueVisitorCount"],
                "top_source": answer["totals"]["topSource"],
                "attribution_mode": answer["attribution"]["mode"],
                "attribution_window_days": answer["attribution"]["windowDays"],
                "attribution_applies_to_ad_revenue": answer["attribution"]["appliesToAdRevenue"],
            }
            held[ADS_TOTALS.name] += [{**about, **told, **money} for money in _money(answer["totals"])]
            held[ADS_CHART.name] += [
                {
                    **about,
                    "bucket_start": datetime.fromtimestamp(point["x"], UTC),
                    "signups": point["signups"],
                    "customers": point["customers"],
                    "revenue_as_sent": float(point["revenue"]),
                }
                for point in answer["chartData"]
            ]
        yield from ((table, day, held[table.name]) for table in (ADS_ATTRIBUTION, ADS_TOTALS, ADS_CHART))


def _money(figures: dict[str, Any]) -> _Rows:
    return [
        {
            "currency": currency,
            "is_main_currency": currency == figures["revenueCurrency"],
            "revenue_cents": cents,
            "signups": figures["signups"],
            "customers": figures["customers"],
            "customer_rate_percent": float(figures["customerRate"]),
        }
        for currency, cents in figures["revenueByCurrency"].items()
    ]


def _airbridge(session: requests.Session, sizes: Sizes, url: str) -> Iterator[tuple[Table, date, _Rows]]:
    spec = sizes.report()
    cohorts, totals = cohorts_table(spec), cohort_totals_table(spec)
    for first, last in tasks(sizes.cohort_days(), each=WAITING.days_per_task):
        sent = session.post(f"{url}{_TASK}", json=body(spec, first, last), timeout=60).json()
        path = f"{url}{_TASK}/{sent['data']['taskId']}"
        while (head := session.get(path, params={"skip": 0, "size": 1}, timeout=60).json())["data"][
            "status"
        ] != "SUCCESS":
            time.sleep(LOOK_S)
        held: dict[tuple[str, str], _Rows] = {}
        for skip in range(0, head["data"]["metadata"]["totalCount"], WAITING.page_size):
            params = {"skip": skip, "size": WAITING.page_size}
            page = session.get(path, params=params, timeout=60).json(parse_float=Decimal)
            for group in page["data"]["stats"]["rows"]:
                for row in group["rows"]:
                    _report_row(held, row, dict(zip(spec.group_by, group["metadata"], strict=True)))
        for (name, day), rows in held.items():
            yield cohorts if name == "cohorts" else totals, date.fromisoformat(day), rows


def _report_row(held: dict[tuple[str, str], _Rows], row: dict[str, Any], group: dict[str, str]) -> None:
    day = row["date"]
    about = {"date": date.fromisoformat(day), **group, "currency": APP.currency}
    held.setdefault(("cohorts", day), []).extend(
        {
            **about,
            "days_since_start": at,
            "value": Decimal(cell["value"]),
            "is_masked": cell["isMasked"],
            "is_reached": True,
        }
        for at, cell in enumerate(row["values"])
    )
    total = row["total"]
    held.setdefault(("totals", day), []).append(
        {
            **about,
            "cost": Decimal(total["totalCost"]["value"]),
            "cost_is_masked": False,
            "revenue": Decimal(total["totalRevenue"]["value"]),
            "revenue_is_masked": False,
            "users": total["totalUniqueUsers"]["value"],
            "users_is_masked": total["totalUniqueUsers"]["isMasked"],
        }
    )
