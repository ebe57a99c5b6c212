"""What the benchmark's server answers: bodies of the vendors' shapes, made before the first request, from seeded numbers.

The shapes are those of the sandbox's answers (`analytics_assets.sandbox`); the numbers mean nothing.
"""

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

import msgspec

from bench.works import ITEMS_PER_PAGE, WAITING, Sizes

_KEYS = 10
_HOURS = 24


class Bodies:
    """All answers of one size."""

    def __init__(self, sizes: Sizes) -> None:
        self._random = random.Random(1)
        self._ads = {
            (dimension, day.isoformat()): _encoded(self._ads_body(dimension, day))
            for day in sizes.bento_days()
            for dimension in sizes.ads().dimensions
        }
        self._metrics = {
            (event, page): _encoded(_metrics_body(event, page, sizes.pages))
            for event in sizes.event_names()
            for page in range(1, sizes.pages + 1)
        }
        self._days = [day.isoformat() for day in sizes.cohort_days()]
        self._cells = sizes.intervals + 1
        self._sub_rows = [{day: _encoded(self._sub_row(day)) for day in self._days} for _group in range(sizes.groups)]
        self.page = lru_cache(maxsize=None)(self._page)

    def ads(self, query: Mapping[str, str]) -> bytes:
        """`GET /stats/ads`."""
        return self._ads[query["dimension"], query["start_date"]]

    def metrics(self, event: str, query: Mapping[str, str]) -> bytes:
        """`GET /events/{eventName}/metrics`."""
        return self._metrics[event, int(query["page"])]

    def task(self, asked: bytes) -> bytes:
        """`POST .../revenue/query`: the task's id says which days it covers."""
        body = msgspec.json.decode(asked)
        return _encoded({"data": {"taskId": f"{body['from']}_{body['to']}"}})

    def ready(self) -> None:
        """Makes the pages that the ways will request, so that none of them waits for that."""
        for first, last in ((self._days[0], self._days[-1]), *((day, day) for day in self._days)):
            for skip, size in _steps(len(self._sub_rows)):
                self.page(f"{first}_{last}", skip, size)

    def _page(self, task_id: str, skip: int, size: int) -> bytes:
        """`GET .../revenue/query/{task_id}`."""
        first, last = task_id.split("_")
        days = [day for day in self._days if first <= day <= last]
        groups = [
            b'{"rows":[%b],"total":{"totalCost":{"value":1.5}},"metadata":["channel.%d","campaign_%d"]}'
            % (b",".join(rows[day] for day in days), number % 7, number)
            for number, rows in enumerate(self._sub_rows)
        ][skip : skip + size]
        return (
            b'{"data":{"stats":{"rows":[%b]},"status":"SUCCESS","taskId":"%b","hasNext":%b,"metadata":{"totalCount":%d}},"notification":[]}'
            % (
                b",".join(groups),
                task_id.encode(),
                b"true" if skip + size < len(self._sub_rows) else b"false",
                len(self._sub_rows),
            )
        )

    def _sub_row(self, day: str) -> dict[str, Any]:
        value, values = 0, []
        for _ in range(self._cells):
            value += self._random.randrange(5000)
            values.append({"value": value / 100, "isMasked": False})
        total = {
            "totalCost": {"value": self._random.randrange(100000) / 100},
            "totalRevenue": {"value": value / 100},
            "totalUniqueUsers": {"value": self._random.randrange(500), "isMasked": False},
        }
        return {"date": day, "total": total, "values": values}

    def _ads_body(self, dimension: str, day: date) -> dict[str, Any]:
        midnight = int(datetime.combine(day, time(), UTC).timestamp())
        chart = [
            {
                "x": midnight + hour * 3600,
                "signups": self._random.randrange(9),
                "customers": self._random.randrange(4),
                "revenue": self._random.randrange(10000),
            }
            for hour in range(_HOURS)
        ]
        return {
            "dimension": dimension,
            "dimensionLabel": dimension.title(),
            "attribution": {
                "mode": "last_click",
                "modeLabel": "Last Click",
                "windowDays": 7,
                "settingsPath": "/account/sites/1/attribution_settings",
                "appliesToAdRevenue": False,
            },
            "revenueMode": {"mode": "all_revenue", "label": "All revenue", "description": "Every revenue event"},
            "totals": {**self._figures(), "revenueVisitorCount": self._random.randrange(90), "topSource": "key_0"},
            "chartData": chart,
            "breakdown": [
                {"key": f"key_{number}", "label": f"Key {number}", **self._figures(), "revenuePerSignupCents": 100}
                for number in range(_KEYS)
            ],
        }

    def _figures(self) -> dict[str, Any]:
        cents = self._random.randrange(100000)
        return {
            "signups": self._random.randrange(90),
            "customers": self._random.randrange(40),
            "customerRate": self._random.randrange(100),
            "revenueCents": cents,
            "revenueCurrency": "USD",
            "revenueByCurrency": {"EUR": self._random.randrange(100000), "USD": cents},
        }


def _steps(groups: int) -> Iterator[tuple[int, int]]:
    yield 0, 1
    for skip in range(0, groups, WAITING.page_size):
        yield skip, WAITING.page_size


def _metrics_body(event: str, page: int, pages: int) -> dict[str, Any]:
    first = (page - 1) * ITEMS_PER_PAGE
    created = int((datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=page)).timestamp()) * 1000
    data = [
        {
            "id": f"{event}_{number}::event_count",
            "name": f"{event}_{number}",
            "directionality": "increase",
            "type": "event_count",
            "description": f"Number {number} of the metrics made from {event}",
            "isPermanent": False,
            "isReadOnly": False,
            "isHidden": False,
            "isVerified": False,
            "tags": ["Core"],
            "createdTime": created + number,
            "lineage": {"events": [event], "metrics": []},
            "team": None,
            "creatorName": "Example Person",
            "creatorEmail": "person@example.com",
            "owner": {"name": "Example Person"},
            "unitTypes": ["userID", "stableID"],
        }
        for number in range(first, first + ITEMS_PER_PAGE)
    ]
    paging = {
        "itemsPerPage": ITEMS_PER_PAGE,
        "pageNumber": page,
        "totalItems": pages * ITEMS_PER_PAGE,
        "nextPage": f"/console/v1/events/{event}/metrics?page={page + 1}" if page < pages else None,
        "previousPage": None,
    }
    return {"message": "Metrics listed successfully.", "data": data, "pagination": paging}


def _encoded(body: Any) -> bytes:
    return msgspec.json.encode(body)
