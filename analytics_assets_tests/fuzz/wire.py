"""The simulated vendors at the end of a wire that changes what they say: genuine answers are made once, then kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import httpx

from analytics_assets.http.rate_limiter import NoRateLimit
from analytics_assets.sandbox.app import create_app
from analytics_assets.sandbox.options import Options
from analytics_assets_tests.fuzz.log import Log, Question
from analytics_assets_tests.fuzz.sent import Sent


@dataclass(frozen=True)
class Flaw:
    """A bug in the way a client reads, for a test that plants one.

    Attributes:
        read: What the client reads in place of a response.
        paused: Seconds for which it pauses in place of those it should.
        accepts_losses: True if days are stored that lose most of their rows.
    """

    read: Callable[[Sent], Sent] = lambda sent: sent
    paused: Callable[[float], float] = lambda seconds: seconds
    accepts_losses: bool = False


class Vendors:
    """The sandbox in this process, its clock standing still."""

    def __init__(self, options: Options) -> None:
        self._way = httpx.ASGITransport(app=create_app(options))
        self._kept: dict[Question, Sent] = {}

    def wire(self, changed: Mapping[Question, Sent] | None = None, flaw: Flaw | None = None) -> "Wire":
        """A transport on which some questions are answered otherwise, for a client that may have a flaw."""
        return Wire(self, changed or {}, flaw or Flaw())

    async def answer(self, question: Question, request: httpx.Request) -> Sent:
        """What the vendor says, the same each time."""
        if question not in self._kept:
            response = await self._way.handle_async_request(request)
            sent = Sent(response.status_code, response.headers.get("content-type", ""), await response.aread())
            if not response.is_success:
                return sent
            self._kept[question] = sent
        return self._kept[question]


class Pauses(NoRateLimit):
    """No rate limit; keeps the seconds of every pause that a vendor requested."""

    def __init__(self, flaw: Flaw) -> None:
        self.seconds: list[float] = []
        self._flaw = flaw

    def pause_for(self, seconds: float, reason: str) -> None:
        """Keeps the pause."""
        self.seconds.append(self._flaw.paused(seconds))


class Wire(httpx.AsyncBaseTransport):
    """One trial's way to the vendors; `log` has what went over it."""

    def __init__(self, vendors: Vendors, changed: Mapping[Question, Sent], flaw: Flaw) -> None:
        self._vendors, self._changed, self.flaw = vendors, changed, flaw
        self.log = Log()
        self.rate_limiter = Pauses(flaw)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answers and remembers."""
        query = sorted((name, value) for name, value in request.url.params.multi_items() if name != "site_uuid")
        question = (request.method, request.url.raw_path.decode().partition("?")[0], tuple(query))
        sent = self._changed.get(question) or await self._vendors.answer(question, request)
        self.log.sent[question] = sent
        sent = self.flaw.read(sent)
        headers = {"content-type": sent.content_type}
        if sent.retry_after is not None:
            headers["retry-after"] = sent.retry_after
        return httpx.Response(
            sent.status, headers={name: value.encode() for name, value in headers.items()}, content=sent.body
        )


def options(now: datetime, *, envelope: str = "data") -> Options:
    """A small world: few entries a page, report tasks ready at once."""
    return Options(
        now=lambda: now,
        task_seconds=0,
        statsig_max_limit=9,
        airbridge_envelope="task" if envelope == "task" else "data",
    )
