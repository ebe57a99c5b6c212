"""Mutated answers, eighteen planted bugs, and the scales the oracles weigh with."""

from collections.abc import Iterator

import pytest

from analytics_assets.state.database import engine
from analytics_assets_tests.fuzz.asked import LEDGER
from analytics_assets_tests.fuzz.planted import BUGS, CLIENT_BUGS, Bug
from analytics_assets_tests.fuzz.trial import Bench

SEED, MOST_PER_BUG = 20250305, 300


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """The scenes, their genuine answers made once; their ledger is closed afterwards."""
    yield Bench(SEED)
    engine(LEDGER).dispose()
    engine.cache_clear()


@pytest.mark.parametrize(
    "trials", [range(500), pytest.param(range(500, 5_000), marks=pytest.mark.proof(3))], ids=["first 500", "next 4500"]
)
def test_mutated_answers_give_right_rows_or_an_error_that_names_the_place(bench: Bench, trials: range) -> None:
    """None lands wrong, in part or without end; enough land, and enough are refused, for both to mean something."""
    verdicts = [bench.run(number) for number in trials]

    assert [verdict for verdict in verdicts if verdict.wrong or verdict.is_hung] == []
    stored = sum(verdict.stored > 0 for verdict in verdicts)
    assert len(trials) / 4 < stored < len(trials) * 3 / 4
    assert {verdict.scene for verdict in verdicts} == {scene.name for scene in bench.scenes}


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.words)
def test_a_planted_bug_is_caught(bench: Bench, bug: Bug) -> None:
    """The same answers that are right with the true transform are not with the wrong one."""
    caught = next(
        (
            number
            for number in range(MOST_PER_BUG)
            if bench.run(number, only=bug.scene, spoil=bug.plant).wrong and not bench.run(number, only=bug.scene).wrong
        ),
        None,
    )
    assert caught is not None, f"not caught in {MOST_PER_BUG} answers"


@pytest.mark.parametrize("bug", CLIENT_BUGS)
def test_a_client_that_reads_wrong_is_caught(bench: Bench, bug: str) -> None:
    """Of empty pages, half characters, byte order marks and totals, losses and absurd waits."""
    scene, flaw = CLIENT_BUGS[bug]
    caught = next(
        (
            number
            for number in range(MOST_PER_BUG)
            if bench.run(number, only=scene, flaw=flaw).wrong and not bench.run(number, only=scene).wrong
        ),
        None,
    )
    assert caught is not None, f"not caught in {MOST_PER_BUG} answers"
