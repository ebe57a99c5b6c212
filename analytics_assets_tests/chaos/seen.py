"""What was seen of one fault: times, words, and what it cost. Played in `trial.py`, written down by `page.py`."""

from dataclasses import dataclass, field


@dataclass
class Seen:
    """What was seen of one fault; seconds are counted from its beginning, and None is never.

    Attributes:
        fault: Its name.
        lasted_s: How long it lasted.
        page: What the web server said when asked, where that was no response.
        warning: What the daemons printed because of it.
        noticed_s: When a run first said something of it.
        words: What it said.
        resumed_s: When a day first landed after the fault had passed.
        done_s: When everything was stored.
        runs: Runs that failed.
        doubled: Runs that were launched for what another run of the backfill was launched for already.
        again: Days that were requested again although they were stored.
        clicks: How often a person had to re-execute from failure.
        cancelled: How often a person had to cancel the backfill first.
        tasks: Report tasks requested beyond the planned ones.
        broken: Promises that were not kept.
    """

    fault: str
    lasted_s: float = 0.0
    page: str | None = None
    warning: str | None = None
    noticed_s: float | None = None
    words: str | None = None
    resumed_s: float | None = None
    done_s: float | None = None
    runs: int = 0
    doubled: int = 0
    again: int = 0
    clicks: int = 0
    cancelled: int = 0
    tasks: int = 0
    broken: list[str] = field(default_factory=list)
