"""A process that spends a budget as fast as its gate lets it: `python -m ... URL REQUESTS PER_S SECONDS`.

Waits for a line before it begins.
"""

import asyncio
import faulthandler
import sys
from datetime import timedelta

from analytics_assets.clock import utc_now
from analytics_assets.state.rate_limit import Budget, RequestOrigin, SharedRateLimiter

LONGEST_S = 60


async def spend(url: str, budget: Budget, seconds: float) -> None:
    """Requests one request after the other for so many seconds."""
    rate_limiter = SharedRateLimiter(url, "shop", budget, RequestOrigin(), clock=utc_now)
    until = utc_now() + timedelta(seconds=seconds)
    while utc_now() < until:
        await rate_limiter.acquire("GET /stats")


def main(url: str, requests: str, per_s: str, seconds: str) -> None:
    """Says that it is ready, waits, and spends."""
    faulthandler.dump_traceback_later(LONGEST_S, exit=True)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    asyncio.run(spend(url, Budget(int(requests), float(per_s), late_s=0.1), float(seconds)))


if __name__ == "__main__":
    main(*sys.argv[1:])
