"""The act `faults`: every fault of the table, one after the other, each over days of its own; what was seen becomes docs/faults.md."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from analytics_assets_tests.chaos.acts import FIRST_DAY, Outcome
from analytics_assets_tests.chaos.faults import FAULTS
from analytics_assets_tests.chaos.page import page
from analytics_assets_tests.chaos.scene import NUMBERS, scene
from analytics_assets_tests.chaos.seen import Seen
from analytics_assets_tests.chaos.trial import trial
from analytics_assets_tests.integration.running import days_from

DAYS = 4


def faults_of(
    root: Path, names: Sequence[str], *, seed: int, say: Callable[[str], None], page_file: Path | None
) -> Outcome:
    """Plays faults of the table.

    Args:
        root: An empty folder.
        names: Which; all if empty.
        seed: Of the business.
        say: Told what happens.
        page_file: Where the page of what was seen is written.
    """
    chosen = {name: fault for name, fault in FAULTS.items() if name in names or not names}
    seen: dict[str, Seen] = {}

    def note(name: str, what: Seen) -> None:
        seen[name] = what
        say(f"{name}: {what}")
        if page_file:
            page_file.write_text(
                page(seen, days=DAYS, cores=os.cpu_count() or 1, load=os.getloadavg()[2], numbers=NUMBERS)
            )

    days = days_from(FIRST_DAY, DAYS * len(chosen))
    with scene(root, days, seed=seed) as parts:
        for number, (name, fault) in enumerate(chosen.items()):
            note(name, trial(parts, fault, days[number * DAYS : (number + 1) * DAYS], say))
    broken = [f"{name}: {words}" for name, one in seen.items() for words in one.broken]
    return Outcome(f"{len(seen)} faults", broken)
