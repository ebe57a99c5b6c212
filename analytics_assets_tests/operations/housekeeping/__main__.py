"""`python -m analytics_assets_tests.operations.housekeeping`: two years of nightly runs over the tables of an account, then the housekeeping of history.

Prints what the pages cost and how large the storage is before and after, that no page shows anything else, and that an old day that is
restated lands and is shown; then what the days themselves cost a reader. The last line has all figures.
Ends with 1 where something is not as it was.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from analytics_assets.clock import utc_now
from analytics_assets.definitions import defs
from analytics_assets.lake.footer import Footer
from analytics_assets.lake.store import Lake, StoredDay
from analytics_assets.operations.housekeeping.history import prune
from analytics_assets_tests.operations.housekeeping.files import read_costs
from analytics_assets_tests.operations.housekeeping.pages import ASSETS, DAYS, RUNS, Pages, pages
from analytics_assets_tests.operations.housekeeping.years import Nightly, data_version, write_night

ACCOUNT = "bento"

JOB = f"{ACCOUNT}_daily"
KEEP = timedelta(days=90)
# Nights whose run fails for its newest day, which the next night's lands.
FAILS_EVERY = 30


class AsRecorded(Lake):
    """A lake that holds every day with the content that the last night of its lookback recorded."""

    def __init__(self, lookback: int) -> None:
        super().__init__("memory://as-recorded")
        self._lookback = lookback

    def stored_day(self, account: str, table: str, day: date) -> StoredDay:
        """The day, without a file."""
        footer = Footer(content_hash=data_version(day, self._lookback, self._lookback))
        return StoredDay(self.path(account, table, day), 1, 1, footer, is_changed=False)


def main() -> int:
    """Writes, measures, prunes, measures again."""
    parser = argparse.ArgumentParser(
        prog="python -m analytics_assets_tests.operations.housekeeping", description=__doc__
    )
    parser.add_argument("--days", type=int, default=730, help="nights that are simulated")
    parser.add_argument("--lookback", type=int, default=7, help="days of a run")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="upkeep") as folder:
        newest = utc_now().date() - timedelta(days=3)
        start = newest - timedelta(days=chosen.days - 1)
        given = {
            "LAKE": f"{folder}/lake",
            "STATE": f"sqlite:///{folder}/state.db",
            "START_DATE": start.isoformat(),
            "MODE": "sandbox",
        }
        # Before the definitions are loaded, also by the pages.
        os.environ.update({f"ANALYTICS_{name}": value for name, value in given.items()})  # noqa: TID251 - sets the stage
        with (
            dg.instance_for_test(temp_dir=folder, set_dagster_home=False) as instance,
            pages(instance, "analytics_assets.definitions", "defs") as ui,
        ):
            return _simulate(instance, ui, Path(folder), start=start, newest=newest, lookback=chosen.lookback)


def _simulate(
    instance: dg.DagsterInstance, ui: Pages, folder: Path, *, start: date, newest: date, lookback: int
) -> int:
    definitions = defs()
    graph = definitions.resolve_asset_graph()
    keys = sorted(node.key for node in graph.asset_nodes if node.key.path[0] == ACCOUNT and node.partitions_def)
    checks = sorted(key for key in graph.asset_check_keys if key.asset_key in keys)
    metadata = {"bytes": 20_000, "path": "a/path/of/the/lake/data.parquet", "content_changed": True, "figure": 1.5}
    nightly = Nightly(JOB, keys, checks, lookback, metadata)
    days = [start + timedelta(days=number) for number in range((newest - start).days + 1)]
    began = time.monotonic()
    for number, day in enumerate(days, start=1):
        # The last failure is of a day that no later run has requested.
        failed = [day] if number % FAILS_EVERY == 0 else [days[number - lookback]] if number == len(days) // 2 else []
        write_night(instance, nightly, day, start=start, failed=failed)
    _say(f"{len(days)} nights written in {time.monotonic() - began:.0f} s: {len(keys)} tables, {len(checks)} checks")

    before, shown = _figures(instance, ui, folder, keys, days), _shown(ui, keys, days)
    began = time.monotonic()
    graph = definitions.resolve_asset_graph()
    pruned = prune(instance, graph, AsRecorded(lookback), lambda _run: True, before=utc_now() - KEEP, say=_say)
    seconds = round(time.monotonic() - began, 1)
    instance.wipe_asset_cached_status(keys)
    same = _shown(ui, keys, days) == shown
    after = _figures(instance, ui, folder, keys, days)

    restated = days[10].isoformat()
    run = definitions.resolve_job_def(JOB).execute_in_process(
        instance=instance,
        tags={"dagster/asset_partition_range_start": restated, "dagster/asset_partition_range_end": restated},
        raise_on_error=False,
    )
    [node, *_] = ui.ask(DAYS, keys=[{"path": keys[0].path}], days=[restated])["assetNodes"]
    is_shown = run.success and node["latestMaterializationByPartition"][0]["runOrError"]["__typename"] == "Run"

    for name in before:
        _say(f"{name}: {before[name]} before, {after[name]} after")
    _say(
        f"the pages show {'the same' if same else 'SOMETHING ELSE'}; a restated old day is {'shown' if is_shown else 'NOT SHOWN'}"
    )
    reading = read_costs(definitions, JOB, ACCOUNT, Lake(f"{folder}/lake"), days)
    _say(f"a reader of day files: {reading['costs']}; the rows are {'right' if reading['is_right'] else 'NOT RIGHT'}")
    figures = {"nights": len(days), "lookback": lookback, "before": before, "after": after, "prune_s": seconds}
    print(json.dumps({**figures, **vars(pruned), "same": same, "restated_day_shown": is_shown, "reading": reading}))  # noqa: T201 - the figures
    return 0 if same and is_shown and reading["is_right"] else 1


def _shown(ui: Pages, keys: list[dg.AssetKey], days: list[date]) -> dict[str, Any]:
    """What the pages of the account show."""
    shown = ui.shown([day.isoformat() for day in days])
    paths = [key.path for key in keys]
    return {name: [node for node in nodes if node["assetKey"]["path"] in paths] for name, nodes in shown.items()}


def _figures(
    instance: dg.DagsterInstance, ui: Pages, folder: Path, keys: list[dg.AssetKey], days: list[date]
) -> dict[str, float]:
    """Runs, files, bytes and seconds a page takes."""
    files = [path for name in ("history", "storage") for path in (folder / name).rglob("*") if path.is_file()]
    wanted = [{"path": key.path} for key in keys]

    def squares_anew() -> None:
        instance.wipe_asset_cached_status(keys)
        ui.ask(ASSETS)

    return {
        "runs": instance.get_runs_count(),
        "files of runs": sum(
            path.suffix == ".db" and path.name not in {"index.db", "runs.db", ".db"} for path in files
        ),
        "MB": round(sum(path.stat().st_size for path in files) / 1e6, 1),
        "s for all squares, worked out anew": _seconds(squares_anew),
        "s for the catalog": _seconds(lambda: ui.ask(ASSETS)),
        "s for the newest landing of each day": _seconds(
            lambda: ui.ask(DAYS, keys=wanted, days=[day.isoformat() for day in days])
        ),
        "s for the list of runs": _seconds(lambda: ui.ask(RUNS)),
    }


def _seconds(ask: Callable[[], Any]) -> float:
    """CPU seconds, the best of three: other work on the machine does not count."""
    taken = []
    for _ in range(3):
        began = time.process_time()
        ask()
        taken.append(time.process_time() - began)
    return round(min(taken), 2)


def _say(words: str) -> None:
    print(words, flush=True)  # noqa: T201 - what a person reads on the terminal


if __name__ == "__main__":
    sys.exit(main())
