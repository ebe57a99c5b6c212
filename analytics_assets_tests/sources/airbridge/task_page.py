"""The tables of `docs/report-tasks.md` that are made from the code: what comes of each state, and how pauses grow.

`make docs` writes them; `test_task_page.py` fails when page and code differ. What a state means is written here by hand, once for each.
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from analytics_assets.sources.airbridge.source import TasksConfig
from analytics_assets.sources.airbridge.task_decisions import (
    Collect,
    Decision,
    PollResult,
    RequestStop,
    Resubmit,
    Wait,
    decide,
    has_issue,
)
from analytics_assets_tests.readme import with_parts

PAGE = Path(__file__).parents[3] / "docs" / "report-tasks.md"
POLICY = TasksConfig().policy()
MEANINGS: Mapping[PollResult, str] = {
    PollResult.PENDING: "the vendor has taken it",
    PollResult.RUNNING: "the vendor is at it",
    PollResult.UNKNOWN: "the vendor says a word its page does not have",
    PollResult.SUCCESS: "the report is there",
    PollResult.FAILURE: "the vendor could not make it (FAILED is read as this)",
    PollResult.CANCELED: "the vendor gave it up",
    PollResult.FORGOTTEN: "404: the vendor no longer knows the task",
    PollResult.UNPOSTED: "the request for it met 429, 503 or no connection, or something in front of Airbridge answered, so there is no task",
    PollResult.UNREAD: "the response to the request for it was lost or not JSON, so there may be a task; the eighth in a row pauses the report",
    PollResult.TROUBLE: "looking at it met 429, 5xx, a time-out, no connection, or a response that is no JSON",
    PollResult.BLOCKED: "looking at it did not reach Airbridge: a proxy, a firewall or a bot wall answered in its place",
    PollResult.UNSEEN: "looking has met nothing but these two since the deadline",
    PollResult.OVERDUE: "no end within its time",
    PollResult.UNUSABLE: "rows of other days or groups than were requested, or six runs that stored nothing",
    PollResult.REFUSED: "400, 401 or 403 as JSON, an app that does not exist, or eight responses in a row that could not be read",
}


def states_part() -> str:
    """Each state with what is done about it when young, at the deadline and after a day, and who hears of it."""
    ages = f"of a task {_long(POLICY.deadline_s)} old | {_long(POLICY.patience_s)} old"
    lines = [
        f"| state | what has been seen | what comes of it | {ages} | the check warns |",
        "|---|---|---|---|---|---|",
    ]
    for seen, meaning in MEANINGS.items():
        young, old, ancient = (
            _words(decide(seen, age_s=age_s, attempts=1, policy=POLICY))
            for age_s in (0, POLICY.deadline_s, POLICY.patience_s)
        )
        cells = (f"`{seen}`", meaning, young, _unless(old, young), _unless(ancient, old), _warns(seen))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def pauses_part() -> str:
    """The pause before each next task."""
    tasks = range(1, 11)
    found = [decide(PollResult.FAILURE, age_s=0, attempts=number, policy=POLICY) for number in tasks]
    pauses = [_long(one.seconds) for one in found if isinstance(one, Resubmit)]
    heads = " | ".join(f"{number}" for number in tasks)
    return f"| tasks that went wrong | {heads} and more |\n|{'---|' * 11}\n| pause before the next | {' | '.join(pauses)} |"


PARTS = {"states": states_part, "pauses": pauses_part}


def _words(decision: Decision) -> str:
    match decision:
        case Wait():
            return "looked at again"
        case Collect():
            return "read and stored"
        case Resubmit():
            return "a new task, after a pause"
        case RequestStop():
            return "nothing until it is fixed"


def _unless(words: str, before: str) -> str:
    return "the same" if words == before else words


def _warns(seen: PollResult) -> str:
    first = next((tasks for tasks in range(1, 100) if has_issue(seen, tasks, POLICY)), None)
    return {None: "", 1: "at once"}.get(first, f"when {first} tasks have gone wrong")


def _long(seconds: float) -> str:
    length = timedelta(seconds=seconds)
    if length >= timedelta(days=1):
        return "a day" if length == timedelta(days=1) else f"{length.days} days"
    if length >= timedelta(hours=1):
        return f"{length / timedelta(hours=1):g} h"
    return f"{length / timedelta(minutes=1):g} min" if length >= timedelta(minutes=1) else f"{seconds:g} s"


if __name__ == "__main__":
    PAGE.write_text(with_parts(PAGE.read_text(), PARTS))
