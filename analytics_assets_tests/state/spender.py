"""A process that spends a budget as fast as its gate lets it: `python -m ... URL REQUESTS PER_S SECONDS`.

Waits for a line before it begins, then prints the instant of each request, in seconds since 1970.
"""

import asyncio
import faulthandler
import sys
from datetime import timedelta

from analytics_assets.clock import utc_now
from analytics_assets.state.budget import Budget, Caller, SharedGate

LONGEST_S = 60


async def spend(url: str, budget: Budget, seconds: float) -> list[float]:
    """The instants of the requests that were let through in so many seconds."""
    gate = SharedGate(url, "shop", budget, Caller(), clock=utc_now)
    until = utc_now() + timedelta(seconds=seconds)
    sent = []
    while utc_now() < until:
        await gate.enter("GET /stats")
        sent.append(utc_now().timestamp())
    return sent


def main(url: str, requests: str, per_s: str, seconds: str) -> None:
    """Says that it is ready, waits, and spends."""
    faulthandler.dump_traceback_later(LONGEST_S, exit=True)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sent = asyncio.run(spend(url, Budget(int(requests), float(per_s)), float(seconds)))
    sys.stdout.write("".join(f"{at:.6f}\n" for at in sent))


if __name__ == "__main__":
    main(*sys.argv[1:])
