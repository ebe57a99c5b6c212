"""docs/faults.md, made from what the act `faults` saw: `python -m analytics_assets_tests.chaos faults --page docs/faults.md`."""

import re
from collections.abc import Mapping

from analytics_assets_tests.chaos.seen import Seen

_HEAD = """# What happens when a part fails

Written by `make chaos CHAOS_ARGS="faults --page docs/faults.md"`, from what was seen. A deployment as in `deploy/` (PostgreSQL, Redis, an S3 server,
code server, web server, daemon, two Celery workers) backfills {days} days of all accounts for each row. The part fails once days are stored,
or as soon as the backfill has started a run, where the row says so; two daemons are there before it. Processes are killed with -9, and
PostgreSQL is stopped as by a crash.
{kept}

Single runs on {cores} cores that carried all parts, at a load of {load:.0f} over the last quarter of an hour. Seconds are counted from the beginning of
the fault to the end of the backfill; Dagster's daemon looks at a backfill every 30 s or so. {numbers} Everything else is as shipped.

| fault | what the user sees | what recovers it | measured |
|---|---|---|---|
"""
_KEPT = """\
Afterwards every typed file was compared byte by byte with that of one undisturbed machine, every day was green, nothing that was stored was asked
for again but where the row says so, and nothing had to be cleaned up by hand."""
# What tests assert word by word, in `chaos/test_faults.py`, `state/test_clocks.py` and `state/test_database.py`.
_TAIL = """
A run that dies with PostgreSQL is begun anew by itself. One whose event meets PostgreSQL's absence and whose failure meets its return is
a failed step to Dagster, which its run retries leave to a person. A bucket that answers 503 is asked again for 5 to 40 seconds by its own
client, one that refuses is not; a vendor is asked five times within about ten seconds. What is not stored by then is named by the run.
A launch waits half a minute for Redis; then the run says that the broker cannot be reached, and is begun anew up to two times.

A backfill whose code server is away when the daemon looks at it waits, and goes on once the code server is back: the daemon logs
`The backfill will resume once it is available again`. That needs `DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR=1` in the daemon's environment,
as `make dev`, `make demo`, the Procfile and the compose file set it. Without it the backfill fails for good, with every day missing: launch it
again. A backfill whose tables really are gone fails in both cases. The code server is one process: when it is killed it ends, and its
supervisor starts it again. `make proof` holds both.

Two daemons may launch a run twice, or not, as it happens. Where they were seen to launch all three runs of a backfill twice there was no report
task more either, and no stored day was requested again: runs for the same days share their report requests in the ledger, and find what the other
is stored. A run that both have put into Celery's queue is worked at by one worker only.

## Others, as tests

`make test` holds these, and a bucket that refuses.

| fault | what the user sees | what recovers it |
|---|---|---|
| the disk of the lake is full | `... cannot be written (No space left on device). Check ANALYTICS_LAKE, its rights and its space.` | a person: *Re-execute from failure*; no vendor was asked, what stood stays, nothing is left aside |
| the state database alone is gone | `The state database of ANALYTICS_STATE does not work (...). Report tasks and budgets are kept there: see that it runs, can be reached and has space.` | a person: *Re-execute from failure*; whoever asks next is answered, and nothing has to be started anew |
| a machine's clock is an hour off | `The clock of this machine is 3600 s ahead of that of the state database. ... set both by NTP, then start again.` | a person: sets the clock. Each vendor's day is over an hour before it is requested, so a lone machine requests no day that goes on |
| the clock of a lone machine is set back | nothing but slower work | nothing has to: what was stamped by the clock from before counts as of now, so a budget, a pause, a lease or a poll waits no longer than its own length |
"""
_MACHINE = (
    (r"worker-\d+@[\w.-]+", "worker-N@host"),
    (r'"?127\.0\.0\.1"?', "HOST"),
    (r"(?<=HOST:)\d+|(?<=HOST', )\d+|(?<=port )\d+", "PORT"),
    (r"^dagster\.[\w.]+: ", ""),
    (r"\[Errno \d+\] ", ""),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "RUN"),
)


def page(seen: Mapping[str, Seen], *, days: int, cores: int, load: float, numbers: Mapping[str, int]) -> str:
    """The whole page."""
    changed = "; ".join(f"`{key}` is {value}" for key, value in numbers.items())
    broken = "; ".join(words for one in seen.values() for words in one.broken)
    kept = f"Promises that broke: {broken}." if broken else _KEPT
    head = _HEAD.format(days=days, cores=cores, load=load, numbers=f"In the instance file {changed}.", kept=kept)
    return (
        head
        + "".join(f"| {' | '.join(cell.replace('|', '/') for cell in _row(one))} |\n" for one in seen.values())
        + _TAIL
    )


def _row(one: Seen) -> tuple[str, ...]:
    sights = [f"web page: {_anywhere(one.page)}"] if one.page else []
    sights += [f"daemon: {one.warning}"] if one.warning else []
    sights += [f"run: {_anywhere(one.words)}"] if one.words else []
    failed = _number(one.runs, "run")
    again = f"Dagster by itself, after {failed} had failed" if one.runs else "nothing has to: no run failed"
    clicks = [("*Cancel*", one.cancelled), ("*Re-execute from failure*", one.clicks)]
    clicked = ", then ".join(f"{what} {_often(number)}" for what, number in clicks if number)
    recovers = f"a person: {clicked} ({failed} had failed)" if clicked else again
    times = (("a run says so", one.noticed_s), ("days are stored again", one.resumed_s), ("all is done", one.done_s))
    measured = ", ".join(f"{what} after {seconds:.0f} s" for what, seconds in times if seconds is not None)
    measured += f"; {_number(one.doubled, 'run')} launched twice" if one.doubled else ""
    measured += f"; {_number(one.again, 'day')} requested twice" if one.again else ""
    tasks = f"{_number(one.tasks, 'report task')} more than planned"
    return one.fault, "<br>".join(sights) or "nothing but slower work", recovers, f"{measured}; {tasks}"


def _number(number: int, thing: str) -> str:
    return {0: f"no {thing}", 1: f"1 {thing}"}.get(number, f"{number} {thing}s")


def _often(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def _anywhere(words: str) -> str:
    """Words without what is true of one machine only."""
    for pattern, instead in _MACHINE:
        words = re.sub(pattern, instead, words)
    return words
