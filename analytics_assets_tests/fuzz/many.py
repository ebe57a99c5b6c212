"""Many trials in two processes, watched from outside: what hangs, dies or takes too much memory is told too.

The command line is in `__main__.py`, a single trial in `trial.py`.
"""

import logging
import multiprocessing
import queue
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from analytics_assets_tests.fuzz.trial import LONGEST_S, Bench, Verdict

PROCESSES = 2
# A process at rest has some hundred MiB, the largest mutated answer less than one.
MOST_MEMORY = 3 * 2**30


@dataclass
class Worker:
    """A process with its trials, where it tells of them, how many it has told, and why it stopped too soon.

    It is looked at each `look_s` seconds, and ended after `silent_s` without a word.
    """

    process: Any
    told: Any
    numbers: range
    done: int = 0
    stopped: str | None = None
    silent_s: float = 6 * LONGEST_S
    look_s: float = 2.0

    def messages(self) -> Iterator[Verdict | int]:
        """Its verdicts and at last its most memory in MiB; ends early where it dies or falls silent."""
        heard_at = time.monotonic()
        while self.done < len(self.numbers) or self.process.is_alive():
            try:
                message = self.told.get(timeout=self.look_s)
            except queue.Empty:
                if self.process.is_alive() and time.monotonic() - heard_at < self.silent_s:
                    continue
                self.stopped = "has no end" if self.process.is_alive() else f"ends it with {self.process.exitcode}"
                self.process.kill()
                return
            heard_at = time.monotonic()
            yield message
            if not isinstance(message, Verdict):
                self.process.join(LONGEST_S)
                return
            self.done += 1


def work(seed: int, numbers: range, told: Any) -> None:
    """Runs the trials and tells each verdict; the last message is the most memory used, in MiB."""
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
    # Each repaired text is logged.
    logging.disable(logging.WARNING)
    bench = Bench(seed)
    for number in numbers:
        told.put(bench.run(number))
    told.put(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


def fuzz(answers: int, seed: int) -> bool:
    """Runs the trials of a seed and prints the seed, what is not right, and the figures; whether all is right."""
    _say(f"seed {seed}")
    began, context = time.monotonic(), multiprocessing.get_context("spawn")
    workers = []
    for first in range(PROCESSES):
        told, numbers = context.Queue(), range(first, answers, PROCESSES)
        process = context.Process(target=work, args=(seed, numbers, told), daemon=True)
        process.start()
        workers.append(Worker(process, told, numbers))
    mutated = stored = wrong = hung = memory = 0
    for worker in workers:
        for message in worker.messages():
            if not isinstance(message, Verdict):
                memory = max(memory, message)
                continue
            mutated, stored, hung = mutated + 1, stored + (message.stored > 0), hung + message.is_hung
            if message.wrong is not None:
                wrong += not message.is_hung
                _say(f"{message.number} {message.scene}: {message.changes}\n  {message.wrong}")
        if worker.stopped is not None:
            hung += 1
            _say(f"trial {worker.numbers[worker.done]} of seed {seed} {worker.stopped}")
    took_s = time.monotonic() - began
    _say(f"{stored} landed, {mutated - stored} refused, {took_s:.0f} s, at most {memory} MiB a process")
    _say(f"{mutated} mutated, {wrong} silently wrong, {hung} hung")
    return mutated == answers and not wrong and not hung


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()
