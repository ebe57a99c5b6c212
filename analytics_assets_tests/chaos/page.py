"""docs/faults.md, made from what the act `faults` saw: `python -m analytics_assets_tests.chaos faults --page docs/faults.md`."""

import re
from collections.abc import Mapping

from analytics_assets_tests.chaos.seen import Seen

_HEAD = """# What happens when a part fails

Written by `make chaos CHAOS_ARGS="faults --page docs/faults.md"`, from what was seen. A deployment as in `deploy/` (PostgreSQL, Redis, an S3 server,
code server, web server, daemon, two Celery workers) backfills {days} days of all accounts; half-way a part fails. Afterwards every typed file
was compared byte by byte with that of one undisturbed machine, every day was green, nothing that had landed was asked for again, and nothing
had to be cleaned up by hand.

Single runs on {cores} cores that carried all parts, at a load of {load:.0f} over the last quarter of an hour. Seconds are counted from the beginning of
the fault. {numbers} Everything else is as shipped.

| fault | what the user sees | what recovers it | measured |
|---|---|---|---|
"""
# What tests assert word by word, in `chaos/test_faults.py`, `state/test_clocks.py`, `state/test_database.py` and `production/test_deployment.py`.
_TAIL = """
A run that dies with PostgreSQL is begun anew by itself. One whose event meets PostgreSQL's absence and whose failure meets its return is
a failed step to Dagster, which its run retries leave to a person. A bucket is asked again for 5 to 40 seconds by its own client; what has not
landed by then is named by the run.

## The same, as tests

`make test` and `make production` hold these; the seconds depend on no machine, or are those of the settings.

| fault | what the user sees | what recovers it |
|---|---|---|
| the bucket refuses (403) | `... cannot be read (Forbidden). Check ANALYTICS_LAKE, its rights and its space.`; the other days say they were not tried | a person: *Re-execute from failure*; no vendor was asked |
| the disk of the lake is full | `... cannot be written (No space left on device). Check ANALYTICS_LAKE, its rights and its space.` | a person: *Re-execute from failure*; no vendor was asked, what stood stays, nothing is left aside |
| the state database alone is gone | `The state database of ANALYTICS_STATE does not work (...). Report tasks and budgets are kept there: see that it runs, can be reached and has space.` | a person: *Re-execute from failure*; whoever asks next is answered, and nothing has to be started anew |
| a machine's clock is an hour off | `The clock of this machine is 3600 s ahead of that of the state database. ... set both by NTP, then start again.` | a person: sets the clock. Each vendor's day is over an hour before it is asked for, so a lone machine asks for no day that goes on |
| a Celery worker is killed | the run: `No answer from worker-N@host that it is at the run.`, within two polls of the run monitoring (as shipped, two minutes) | by itself: Dagster begins the runs anew on another worker |
"""
_MACHINE = (
    (r"worker-\d+@[\w.-]+", "worker-N@host"),
    (r'"?127\.0\.0\.1"?', "HOST"),
    (r"(?<=HOST:)\d+|(?<=port )\d+", "PORT"),
    (r"^dagster\.[\w.]+: ", ""),
)


def page(seen: Mapping[str, Seen], *, days: int, cores: int, load: float, numbers: Mapping[str, int]) -> str:
    """The whole page."""
    changed = "; ".join(f"`{key}` is {value}" for key, value in numbers.items())
    head = _HEAD.format(days=days, cores=cores, load=load, numbers=f"In the instance file {changed}.")
    return (
        head
        + "".join(f"| {' | '.join(cell.replace('|', '/') for cell in _row(one))} |\n" for one in seen.values())
        + _TAIL
    )


def _row(one: Seen) -> tuple[str, ...]:
    sights = [f"web page: {_anywhere(one.page)}"] if one.page else []
    sights += [f"run: {_anywhere(one.words)}"] if one.words else []
    failed = "1 run" if one.runs == 1 else f"{one.runs} runs"
    again = f"Dagster by itself, after {failed} had failed" if one.runs else "nothing has to: no run failed"
    clicks = {0: "", 1: " once", 2: " twice"}.get(one.clicks, f" {one.clicks} times")
    recovers = f"a person: *Re-execute from failure*{clicks} ({failed} had failed)" if one.clicks else again
    times = (("a run says so", one.noticed_s), ("days land again", one.resumed_s), ("all has landed", one.done_s))
    measured = ", ".join(f"{what} after {seconds:.0f} s" for what, seconds in times if seconds is not None)
    tasks = {0: "no report task more than planned"}.get(one.tasks, f"{one.tasks} report tasks more than planned")
    return one.fault, "<br>".join(sights) or "nothing but slower work", recovers, f"{measured}; {tasks}"


def _anywhere(words: str) -> str:
    """Words without what is true of one machine only."""
    for pattern, instead in _MACHINE:
        words = re.sub(pattern, instead, words)
    return words
