"""One trial: some genuine answers are changed, what is stored is compared with what the oracle reads, and a verdict is given.

Right is only: all tables of a day stand and hold exactly the rows that the responses say, or none stands and an error of the package's own
tree names the place.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any

import fsspec
import pyarrow.parquet as pq

from analytics_assets.errors import SourceError
from analytics_assets.lake.load import DayResult
from analytics_assets.lake.store import Lake
from analytics_assets.lake.stream import Stream
from analytics_assets_tests.fuzz.lists import change_list, shrink_lists
from analytics_assets_tests.fuzz.log import Question
from analytics_assets_tests.fuzz.mutations import mutated
from analytics_assets_tests.fuzz.same import difference
from analytics_assets_tests.fuzz.scenes import Scene, Truth, scenes
from analytics_assets_tests.fuzz.sent import Refusal, Sent
from analytics_assets_tests.fuzz.wire import Flaw

LONGEST_S = 20.0
# Share of trials that change a whole list, and of those that store the genuine responses first.
_LISTS, _AGAIN, _SHRUNKEN = 0.1, 0.2, 0.5
# A day of so many rows is not replaced by one of less than half.
_LEAST_ROWS = 10
# No limit of the three vendors has a longer window.
_LONGEST_PAUSE_S = 3600.0
ROOT = "memory://fuzz"


Standing = Mapping[date, Mapping[str, list[dict[str, Any]]]]


def _as_it_is(stream: Stream) -> Stream:
    return stream


@dataclass(frozen=True)
class Verdict:
    """What came of a trial.

    Attributes:
        number: Its number; with the seed it tells everything.
        scene: Which stream.
        changes: What was changed, in words.
        wrong: What is wrong, in words; None where nothing is.
        is_hung: True if it did not end in time.
        stored: Days that stand.
    """

    number: int
    scene: str
    changes: Sequence[str]
    wrong: str | None = None
    is_hung: bool = False
    stored: int = 0


@dataclass
class Bench:
    """All scenes with their genuine answers, and a lake in memory that is emptied after each trial."""

    seed: int
    scenes: Sequence[Scene] = field(default_factory=scenes)
    genuine: dict[str, dict[Question, Sent]] = field(default_factory=dict)

    def run(
        self,
        number: int,
        *,
        only: str | None = None,
        spoil: Callable[[Stream], Stream] = _as_it_is,
        flaw: Flaw | None = None,
    ) -> Verdict:
        """One trial, bounded in time; `only` leaves other scenes out, `spoil` and `flaw` make a stream or a client wrong, which should be caught."""
        draw = Random(f"{self.seed}/{number}")
        chosen = draw.choice([scene for scene in self.scenes if only in (None, scene.name)])
        return asyncio.run(self._bounded(number, chosen, draw, spoil, flaw))

    async def _bounded(
        self, number: int, scene: Scene, draw: Random, spoil: Callable[[Stream], Stream], flaw: Flaw | None
    ) -> Verdict:
        lake = Lake(ROOT)
        if scene.name not in self.genuine:
            self.genuine[scene.name] = await scene.genuine(lake)
        genuine, is_again = self.genuine[scene.name], draw.random() < _AGAIN
        if is_again and draw.random() < _SHRUNKEN:
            changed, told, is_harmless = shrink_lists(draw, genuine)
        else:
            changed, told, is_harmless = changes(draw, scene, genuine)
        wire = scene.vendors.wire(changed, flaw)
        before: Standing = {}
        try:
            async with asyncio.timeout(LONGEST_S):
                account = scene.account()
                if is_again:
                    told = ["a day that is stored already", *told]
                    await scene.load(scene.vendors.wire(), lake, account, attempt_group="first", spoil=_as_it_is)
                    before = {day: standing(account, scene.tables, day) for day in scene.days}
                results = await scene.load(wire, lake, account, attempt_group="second", spoil=spoil)
        except TimeoutError:
            return Verdict(number, scene.name, told, f"not done after {LONGEST_S:.0f} s", is_hung=True)
        except Exception as error:  # noqa: BLE001 - that anything else than our errors comes out is what is looked for
            return Verdict(number, scene.name, told, f"{type(error).__name__} came out: {str(error)[:300]}")
        stands = {day: standing(account, scene.tables, day) for day in scene.days}
        _emptied()
        try:
            truth: Truth | Refusal = scene.truth(wire.log)
        except Refusal as refusal:
            truth = refusal
        wrong = judged(
            scene, {result.day: result for result in results}, stands, truth, before, is_harmless=is_harmless
        )
        if wrong is None and not isinstance(truth, Refusal):
            wrong = _unsaid(scene.notes(wire.log), results, scene.tables[0])
        longest = max(wire.rate_limiter.seconds, default=0.0)
        if wrong is None and not 0 <= longest <= _LONGEST_PAUSE_S:
            wrong = f"a Retry-After keeps every process from sending for {longest} s"
        return Verdict(number, scene.name, told, wrong, stored=sum(result.error is None for result in results))


def changes(
    draw: Random, scene: Scene, genuine: Mapping[Question, Sent]
) -> tuple[dict[Question, Sent], list[str], bool]:
    """One or two responses made other, what was done to them, and whether all of it is harmless."""
    changed: dict[Question, Sent] = {}
    told: list[str] = []
    is_harmless = True
    if draw.random() < _LISTS and (relisting := change_list(draw, genuine)) is not None:
        return relisting
    questions = sorted(genuine)
    for question in draw.sample(questions, min(len(questions), draw.choice((1, 1, 1, 2)))):
        place = f"{question[0]} {question[1][-30:]} {dict(question[2])}"
        if draw.random() < 0.08:
            other = draw.choice(questions)
            changed[question], notes, harmless = genuine[other], [f"answered as {other[1][-30:]} {other[2]}"], False
        else:
            changed[question], notes, harmless = mutated(draw, genuine[question], scene.free)
        told.append(f"{place}: {'; '.join(notes)}")
        is_harmless = is_harmless and harmless
    return changed, told, is_harmless


def standing(account: str, tables: Sequence[str], day: date) -> dict[str, list[dict[str, Any]]]:
    """Rows of the tables of which the day stands, read with Parquet's own reader."""
    files = fsspec.filesystem("memory")
    found = {}
    for table in tables:
        path = f"/fuzz/{account}/{table}/dt={day}/data.parquet"
        if files.exists(path):
            with files.open(path) as file:
                found[table] = pq.ParquetFile(file).read(use_threads=False).to_pylist()
    return found


def judged(
    scene: Scene,
    results: Mapping[date, DayResult],
    stands: Standing,
    truth: Truth | Refusal,
    before: Standing,
    *,
    is_harmless: bool,
) -> str | None:
    """What is wrong with a trial, in words; None where nothing is."""
    if set(results) != set(scene.days) and not any(result.error for result in results.values()):
        return f"nothing was said of {set(scene.days) - set(results)}"
    for day, result in results.items():
        held = stands.get(day, {})
        if result.error is not None:
            wrong = _refused(scene, result.error, held, before.get(day, {}), is_harmless=is_harmless)
        else:
            wrong = _landed(scene, held, truth if isinstance(truth, Refusal) else truth[day])
            wrong = wrong or _lost(scene, held, before.get(day, {}))
        if wrong is not None:
            return f"{day} {wrong}"
    return None


def _refused(
    scene: Scene, error: object, held: Mapping[str, Any], before: Mapping[str, Any], *, is_harmless: bool
) -> str | None:
    """What is wrong with a day that was refused; what was stored before has to be as it was."""
    if is_harmless:
        return f"is refused although it is as documented: {error}"
    if held != before:
        return f"is refused and stands in {sorted(held)}, before in {sorted(before)}: {error}"
    if not isinstance(error, SourceError) or not any(word in str(error) for word in scene.words):
        return f"is refused with an error that names no place: {error}"
    return None


def _landed(
    scene: Scene, held: Mapping[str, list[dict[str, Any]]], truth: Mapping[str, list[dict[str, Any]]] | Refusal
) -> str | None:
    """What is wrong with a day that is stored."""
    if isinstance(truth, Refusal):
        return f"is stored although {truth}"
    if set(held) != set(scene.tables):
        return f"stands in {sorted(held)} of {sorted(scene.tables)}"
    unlike = ((table, difference(rows, held[table])) for table, rows in truth.items())
    return next((f"{table}: {words}" for table, words in unlike if words is not None), None)


def _lost(scene: Scene, held: Mapping[str, Sequence[Any]], before: Mapping[str, Sequence[Any]]) -> str | None:
    """A table that has lost most of its rows to another response to the same request, though no person accepted it."""
    for table in scene.kept:
        was, now = len(before.get(table, ())), len(held.get(table, ()))
        if was >= _LEAST_ROWS and now < was / 2:
            return f"{table}: {was} rows have become {now}"
    return None


def _unsaid(notes: Mapping[str, Any], results: Sequence[DayResult], raw: str) -> str | None:
    """What a day that was stored does not say of itself."""
    for result in results:
        said = result.figures.get(raw, {})
        missing = {name: value for name, value in notes.items() if said.get(name) != value}
        if result.error is None and missing:
            return f"{result.day} does not say {missing}"
    return None


def _emptied() -> None:
    """Takes away what a trial has left."""
    files = fsspec.filesystem("memory")
    if files.exists("/fuzz"):
        files.rm("/fuzz", recursive=True)
