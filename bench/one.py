"""One way of one work in a process of its own: `python -m bench.one`. It prints what it took as one line of JSON.

Imports and definitions are loaded before the clock starts. Peak memory is the process's own, imports included.
"""

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path

BARE, A_TASK_A_DAY, LAKE, DAGSTER, DLT, PLAIN = (
    "bare loop",
    "bare, a task a day",
    "lake",
    "dagster",
    "dlt",
    "plain loop",
)
WAYS = (BARE, A_TASK_A_DAY, LAKE, DAGSTER, DLT, PLAIN)


def ready(work: str, way: str, today: date, *, is_small: bool, url: str, folder: Path) -> Callable[[], int]:
    """The way, loaded: called, it does the work and gives the rows of the typed tables."""
    os.environ |= {
        "ANALYTICS_MODE": "sandbox",
        "ANALYTICS_SANDBOX_URL": url,
        "ANALYTICS_LAKE": str(folder / "lake"),
        "ANALYTICS_STATE": f"sqlite:///{folder}/state.db",
        "ANALYTICS_START_DATE": f"{today - timedelta(days=800)}",
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }
    from bench.works import of_work, sizes  # noqa: PLC0415 - a way loads what it needs and nothing else

    work, chosen = of_work(work, sizes(today, is_small=is_small))
    if way in (BARE, A_TASK_A_DAY):
        from bench import bare  # noqa: PLC0415

        return partial(bare.run if way == BARE else bare.run_a_task_a_day, work, chosen, url, folder)
    if way == LAKE:
        from bench import lake  # noqa: PLC0415

        return partial(lake.run, work, chosen, url, folder)
    if way == DAGSTER:
        from bench import orchestrated  # noqa: PLC0415

        return orchestrated.prepared(work, chosen, folder)
    if way == DLT:
        from bench import tuned_dlt  # noqa: PLC0415

        return tuned_dlt.prepared(work, chosen, url, folder)
    from bench import plain  # noqa: PLC0415

    return partial(plain.run, work, chosen, url, folder)


def main() -> None:
    """Does it once."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.one", description="Do one work one way, and say what it took."
    )
    add = parser.add_argument
    add("--work", required=True)
    add("--way", required=True, choices=WAYS)
    add("--url", required=True, help="address of the benchmark's server")
    add("--folder", required=True, type=Path, help="an empty folder for what is written")
    add("--today", required=True, type=date.fromisoformat, help="the day the works count from")
    add("--small", action="store_true", help="small works")
    chosen = parser.parse_args()
    do = ready(
        chosen.work, chosen.way, chosen.today, is_small=chosen.small, url=chosen.url, folder=chosen.folder.resolve()
    )
    wall, cpu = time.perf_counter(), time.process_time()
    rows = do()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    # Linux counts in KiB, macOS in bytes.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    print(json.dumps({"wall_s": wall, "cpu_s": cpu, "peak_mb": peak, "rows": rows}), flush=True)


if __name__ == "__main__":
    main()
