"""`make chaos`: `python -m analytics_assets_tests.chaos`, which kills what works and says whether every promise held.

Four acts: the processes of runs are killed while sixty days of all accounts are backfilled; then code servers, daemons and runs, while
every third report task fails; then parts of a deployment are taken away in turn (`faults.py`); then a year is backfilled, planned before it starts. The last line holds figures and seed; the status is 1
when a promise broke. What an act needs stands in a temporary folder, which is kept only then.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from analytics_assets_tests.chaos.acts import Outcome, storm_over
from analytics_assets_tests.chaos.faults import FAULTS
from analytics_assets_tests.chaos.table import faults_of
from analytics_assets_tests.chaos.year import year_of

YEAR = 365
_SHOWN = 20
_LONGEST_S = 900.0


def main() -> int:
    """Plays the acts that were requested."""
    chosen = _parser().parse_args()
    began = time.monotonic()

    def say(words: str) -> None:
        sys.stdout.write(f"{time.monotonic() - began:6.0f} s  {words}\n")
        sys.stdout.flush()

    storm = partial(storm_over, days=chosen.days, kills=chosen.kills, seed=chosen.seed, longest_s=_LONGEST_S, say=say)
    acts: dict[str, Callable[[Path], Outcome]] = {
        "runs": lambda root: storm(root, kinds=("run",), fail_every=0),
        "everything": lambda root: storm(root, kinds=("run", "code server", "daemon"), fail_every=3),
        "faults": lambda root: faults_of(root, chosen.fault, seed=chosen.seed, say=say, page_file=chosen.page),
        "year": lambda root: year_of(root, days=YEAR, seed=chosen.seed, longest_s=_LONGEST_S, say=say),
    }
    figures, broken = [], 0
    for name in chosen.act or acts:
        say(f"act {name}")
        root = Path(tempfile.mkdtemp(prefix=f"chaos-{name}-"))
        outcome = acts[name](root)
        figures.append(f"{name}: {outcome.figures}")
        broken += len(outcome.broken)
        for words in outcome.broken[:_SHOWN]:
            say(f"BROKEN: {words}")
        if outcome.broken:
            say(f"{len(outcome.broken)} promises broke; lake, state and instance are kept in {root}")
        else:
            shutil.rmtree(root)
    sys.stdout.write(f"seed {chosen.seed}; {'; '.join(figures)}; {broken} promises broken\n")
    return 1 if broken else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m analytics_assets_tests.chaos",
        description="Kill what works, and see that everything lands and nothing is asked twice.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "act", nargs="*", choices=["runs", "everything", "faults", "year"], help="which acts; all by default"
    )
    parser.add_argument("--kills", type=int, default=10, help="kills in each of the first two acts")
    parser.add_argument(
        "--fault", action="append", default=[], choices=[*FAULTS], help="of the act faults; all by default"
    )
    parser.add_argument("--page", type=Path, help="file for what the act faults has seen, such as docs/faults.md")
    parser.add_argument("--days", type=int, default=60, help="days backfilled in each of the first two acts")
    parser.add_argument("--seed", type=int, default=1, help="of the invented business, the moments and the victims")
    return parser


if __name__ == "__main__":
    sys.exit(main())
