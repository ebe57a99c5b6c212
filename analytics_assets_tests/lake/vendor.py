"""A vendor of one number a day, made by hand: it does what a test tells it to and remembers what it was asked.

Keep expectations in the tests.
"""

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from analytics_assets.errors import UnexpectedPayloadError
from analytics_assets.lake.load import DayLoader, DayResult
from analytics_assets.lake.raw import RawDay
from analytics_assets.lake.store import Lake
from analytics_assets.lake.stream import DayFetcher, Stream, Typed
from analytics_assets.lake.table import DATE, MOMENT, Column, Table

PATIENCE_S = 60.0
START = date(2026, 3, 1)
NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)

_DATE = Column(DATE, pa.date32(), "The day.")
RAW = Table(
    "numbers_raw",
    "Numbers as sent.",
    (
        _DATE,
        Column("part", pa.int32(), "Position.", nullable=False),
        Column("body", pa.string(), "As sent."),
        Column("requested_at", MOMENT, "Instant of the request.", is_observation=True),
    ),
    key=("part",),
)
NUMBERS = Table(
    "numbers",
    "One row a number.",
    (_DATE, Column("part", pa.int32(), "Position."), Column("number", pa.int64(), "The number.")),
    key=("part",),
    docs_url="https://vendor.example/numbers",
)
SUMS = Table("sums", "One row a day.", (_DATE, Column("sum", pa.int64(), "Sum of the numbers.")))


def days(count: int, start: date = START) -> list[date]:
    """That many adjacent days."""
    return [start + timedelta(days=number) for number in range(count)]


def numbers(day: date, content: pa.Table | None) -> Mapping[str, Typed]:
    """The typed tables of a day."""
    assert content is not None
    kept = list(zip(content["part"].to_pylist(), content["body"].to_pylist(), strict=True))
    if any(not body.lstrip("-").isdigit() for _, body in kept):
        raise UnexpectedPayloadError("numbers: not a number.", day=day)
    rows = [{DATE: day, "part": part, "number": int(body)} for part, body in kept]
    total = sum(int(body) for _, body in kept)
    return {
        "numbers": Typed(NUMBERS.rows(rows), {"biggest": max((int(body) for _, body in kept), default=0)}),
        "sums": Typed(SUMS.rows([{DATE: day, "sum": total}]), {"sum": total}),
    }


@dataclass(frozen=True)
class Opened(Stream):
    """A stream with what fetches its days."""

    fetcher: DayFetcher = field(default_factory=DayFetcher)


@dataclass
class Vendor:
    """What the vendor answers, and what it saw.

    Attributes:
        answers: Bodies of a day, or what is raised instead; a day not named answers with its day of the month.
        before: Waited for before a day is answered.
        requested_at: Instant each reading says it was asked at.
        asked: Days requested, in the order they came.
        answered: Days answered, in the order they were ready.
        announced: What was announced.
        stored: Days told to stand.
        most_held: The most days in memory at once.
    """

    answers: dict[date, list[str] | Exception] = field(default_factory=dict)
    before: Callable[[date], Awaitable[None]] = lambda _day: asyncio.sleep(0)
    requested_at: datetime = NOW
    asked: list[date] = field(default_factory=list)
    answered: list[date] = field(default_factory=list)
    announced: list[list[date]] = field(default_factory=list)
    stored: list[date] = field(default_factory=list)
    most_held: int = 0
    _held: list["weakref.ref[RawDay]"] = field(default_factory=list)

    async def fetch(self, day: date) -> RawDay:
        """Reads a day."""
        self.asked.append(day)
        await self.before(day)
        answer = self.answers.get(day, [str(day.day)])
        if isinstance(answer, Exception):
            raise answer
        rows = [
            {DATE: day, "part": part, "body": body, "requested_at": self.requested_at}
            for part, body in enumerate(answer)
        ]
        self.answered.append(day)
        read = RawDay(RAW.rows(rows), self.requested_at, {"bodies": len(rows)})
        self._held.append(weakref.ref(read))
        self.most_held = max(self.most_held, self.held())
        return read

    def held(self) -> int:
        """Days in memory now."""
        return sum(one() is not None for one in self._held)

    def stream(self, **changes: Any) -> Opened:
        """The stream, with what the test is about changed, `fetch` and `stored` included."""
        fetching: dict[str, Any] = {
            "fetch": self.fetch,
            "announce": lambda wanted: self.announced.append(list(wanted)),
            "on_stored": self.stored.append,
        }
        fetching |= {name: changes.pop(name) for name in fetching.keys() & changes.keys()}
        given: dict[str, Any] = {
            "account": "shop",
            "raw": RAW,
            "typed": (NUMBERS, SUMS),
            "request_hash": lambda _day: "v1",
            "transform": numbers,
            "final_at": lambda day: datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1, hours=2),
            "ahead": 3,
            "fetcher": DayFetcher(**fetching),
        }
        return Opened(**{**given, **changes})


def landing(lake: Lake, **changes: Any) -> DayLoader:
    """How days come in: everything selected, live, in the family `first`."""
    given: dict[str, Any] = {
        "selected": {"numbers_raw", "numbers", "sums"},
        "attempt_group": "first",
        "clock": lambda: NOW,
        "is_sandbox": False,
    }
    return DayLoader(lake=lake, **{**given, **changes})


async def brought(
    lake: Lake, stream: Stream, wanted: list[date], fetcher: DayFetcher | None = None, **changes: Any
) -> list[DayResult]:
    """What became of each day; a load that hangs fails the test that waits for it."""
    fetcher = fetcher or (stream.fetcher if isinstance(stream, Opened) else DayFetcher())
    results = landing(lake, **changes).load(stream, wanted, fetcher)
    async with asyncio.timeout(PATIENCE_S), aclosing(results):
        return [result async for result in results]


def outcomes(results: list[DayResult]) -> dict[str, str]:
    """Of each day the tables that stand, or the error."""
    return {
        str(result.day): f"{type(result.error).__name__}: {result.error}"
        if result.error
        else " ".join(sorted(result.tables))
        for result in results
    }
