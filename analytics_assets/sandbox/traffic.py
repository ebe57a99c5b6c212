"""What was asked of one app: counts by endpoint and a log of the last requests.

Here lives the bookkeeping the control paths show. Only path, query and status are kept: never a header, so never a
credential. Kept by one app object; several processes with an app each count for themselves.
"""

from collections import Counter, deque
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

_KEPT: Final = 10_000


@dataclass
class TrafficEntry:
    """One request; ``status`` is None until the response is known, and then the one meant, also where a fault spoils it."""

    vendor: str
    endpoint: str
    path: str
    query: str
    status: int | None
    at: str


class Traffic:
    """Counts every request on arrival, also those refused."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything counted so far."""
        self._counts: Counter[str] = Counter()
        self._entries: deque[TrafficEntry] = deque(maxlen=_KEPT)

    def arrive(self, vendor: str, endpoint: str, path: str, query: str, at: datetime) -> TrafficEntry:
        """Count a request and log it; ``endpoint`` is the method and the template."""
        self._counts[f"{vendor} {endpoint}"] += 1
        entry = TrafficEntry(vendor, endpoint, path, query, None, at.isoformat())
        self._entries.append(entry)
        return entry

    def counts(self) -> dict[str, int]:
        """Requests by "vendor METHOD template"."""
        return dict(sorted(self._counts.items()))

    def requests(self) -> list[dict[str, Any]]:
        """The last 10,000 requests, oldest first."""
        return [asdict(entry) for entry in self._entries]
