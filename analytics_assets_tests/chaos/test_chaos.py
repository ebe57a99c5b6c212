"""The short form of `make chaos`: what is killed twice comes back by itself, and nothing is asked twice or lands otherwise."""

from pathlib import Path

import pytest

from analytics_assets_tests.chaos.acts import storm_over
from analytics_assets_tests.chaos.promises import most_tasks

pytestmark = pytest.mark.proof(3)

LONGEST_S = 600.0


def test_a_backfill_of_sixty_days_survives_two_kills(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A code server and the process of a run, while every third report task fails: the lake is the undisturbed one."""
    outcome = storm_over(
        tmp_path,
        days=60,
        kills=2,
        kinds=("code server", "run"),
        fail_every=3,
        seed=1,
        longest_s=LONGEST_S,
        say=print,
        longest_runs=True,
    )
    assert outcome.broken == [], f"{outcome.figures}\n{capsys.readouterr().out}"


@pytest.mark.parametrize(
    ("fail_every", "kills", "most"), [(0, 0, 12), (0, 2, 14), (3, 0, 17), (3, 2, 20), (1000, 1, 13)]
)
def test_each_kill_may_cost_one_task_and_each_that_fails_another(fail_every: int, kills: int, most: int) -> None:
    """Twelve are planned; the twelfth good one of three in which one fails is the seventeenth."""
    assert most_tasks(12, fail_every=fail_every, kills=kills) == most
