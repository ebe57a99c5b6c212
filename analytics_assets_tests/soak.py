"""`make soak`: simulated weeks of the shipped configuration. The last line is the figures; exit code 1 says that a promise was broken.

What happens in these weeks is in `integration/soak.py`, what must stand then in `integration/soak_truth.py`.
"""

import argparse
import logging
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from random import Random

import dagster as dg
import pytest
import stamina

import analytics_assets
from analytics_assets import AirbridgeRevenue, BentoStats, StatsigMetrics
from analytics_assets.settings import VARIABLES
from analytics_assets_tests.integration.conftest import pointed
from analytics_assets_tests.integration.running import Wishes
from analytics_assets_tests.integration.soak import FEWEST_DAYS, START_DATE, soaked


def shipped() -> Wishes:
    """What the YAML in `defs/` says."""
    tree = dg.ComponentTree.for_project(Path(analytics_assets.__file__).parent / "defs")
    bento, statsig, airbridge = (tree.load_component(one) for one in ("bento", "statsig", "airbridge"))
    assert isinstance(bento, BentoStats)
    assert isinstance(statsig, StatsigMetrics)
    assert isinstance(airbridge, AirbridgeRevenue)
    reports = bento.reports_spec()
    assert reports is not None
    return Wishes(
        ads=bento.ads_spec(),
        audience=bento.audience_spec(),
        bento_reports=reports,
        reports=tuple(one.spec() for one in airbridge.reports),
        wait_s=0,
        policy=airbridge.tasks.policy(),
        lookback_days={
            "bento": bento.schedule.lookback_days,
            "statsig": statsig.schedule.lookback_days,
            "airbridge": airbridge.schedule.lookback_days,
        },
    )


def main() -> int:
    """Runs them; the seed comes first, so that a soak that hangs can be run again."""
    parser = argparse.ArgumentParser(description="Simulated weeks of schedules and sensor over failing vendors.")
    parser.add_argument("--days", type=int, default=60, help=f"days, at least {FEWEST_DAYS}")
    parser.add_argument("--seed", type=int, default=None, help="without one it is drawn")
    chosen = parser.parse_args()
    if chosen.days < FEWEST_DAYS:
        parser.error(f"--days {chosen.days}: an outage and its fixing need {FEWEST_DAYS}")
    seed = Random().randint(1, 10_000) if chosen.seed is None else chosen.seed

    def say(words: str) -> None:
        sys.stdout.write(f"{words}\n")
        sys.stdout.flush()

    say(f"seed {seed}, {chosen.days} days")
    began = time.monotonic()
    # Runs that leave their days to the sensor end red: what they say would drown the figures.
    logging.disable(logging.CRITICAL)
    stamina.instrumentation.set_on_retry_hooks([])
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for name in VARIABLES:
            patch.delenv(name, raising=False)
        patch.setenv("ANALYTICS_START_DATE", START_DATE.isoformat())
        # Dagster's events are most of the work; in memory they cost half, and the test of a few days has them in files.
        with dg.DagsterInstance.ephemeral() as instance:
            told = soaked(chosen.days, seed, shipped(), pointed(patch, Path(folder)), instance, say=say)
    for words in told.broken:
        say(f"broken: {words}")
    took = timedelta(seconds=round(time.monotonic() - began))
    say(f"seed {seed}, {chosen.days} days in {took}: {told.line()}")
    return 1 if told.broken else 0


if __name__ == "__main__":
    sys.exit(main())
