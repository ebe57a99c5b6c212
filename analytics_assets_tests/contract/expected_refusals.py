"""What is expected where the fault lies with what was asked or how: keys, names, lists that move while they are read. Written by hand."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from analytics_assets_tests.contract.clients import Clients, Keys
from analytics_assets_tests.contract.expected_faults import BLOCKED, PERMANENT, REFUSED, ROWS, TRANSIENT, Expected
from analytics_assets_tests.contract.operations import KEYS, OPERATIONS

ONE = {one.name: one for one in OPERATIONS}
_DAY = date(2026, 7, 13)


@dataclass(frozen=True)
class Refusal:
    """One thing that is asked amiss, or a list that moves.

    Attributes:
        words: What the vendor does, or is asked.
        vendor: The vendor's name.
        ask: What is asked; the text is the id of a finished task.
        expected: What it ends in; `requests` counts all of the vendor's endpoints.
        keys: What the clients are opened with.
        rules: Faults of the server.
        forms: Forms of responses.
        is_nameless: True if the User-Agent says nothing.
        most: Requests may be up to so many: of pages requested at once, some are given up while they travel.
    """

    words: str
    vendor: str
    ask: Callable[[Clients, str], Awaitable[Any]]
    expected: Expected
    keys: Keys = field(default_factory=Keys)
    rules: tuple[dict[str, Any], ...] = ()
    forms: tuple[str, ...] = ()
    is_nameless: bool = False
    most: int | None = None


def _pages(vendor: str, kind: str, later: str, *, is_for_ever: bool) -> tuple[dict[str, Any], ...]:
    limits = {} if is_for_ever else {"times": 1}
    return ({"kind": kind, "vendor": vendor, "contains": later, **limits},)


_KEYS = {name: Expected(REFUSED, 1, f"The credentials are refused: check {keys}.") for name, keys in KEYS.items()}
_NO_TASK = Expected(PERMANENT, 1, "The vendor does not know the task")
_NO_APP = Expected(
    REFUSED, 1, "The app requested is 'unknown-app'. Check its name, and that the token is of the same app."
)
_MOVES = "the list changes while being read"
_UNFIT = "the pages do not fit together in 4 readings"
_LOST = ({"kind": "status", "status": 404},)

REFUSALS = (
    Refusal(
        "no User-Agent: 403 as an HTML page",
        "Bento",
        ONE["ads"].ask,
        Expected(BLOCKED, 1, "allow this machine's address and User-Agent there"),
        is_nameless=True,
    ),
    Refusal(
        "no `site_uuid`: 401, which looks like wrong keys", "Bento", ONE["site"].ask, _KEYS["Bento"], Keys(site="")
    ),
    Refusal("a wrong key: 401", "Bento", ONE["ads"].ask, _KEYS["Bento"], Keys(secret="sk-never-shown")),
    Refusal(
        "a wrong key: 401 that echoes it",
        "Statsig",
        ONE["values"].ask,
        _KEYS["Statsig"],
        Keys(console="console-never-shown"),
    ),
    Refusal("a wrong key: 401", "Airbridge", ONE["task"].ask, _KEYS["Airbridge"], Keys(token="token-never-shown")),
    Refusal(
        "an unknown segment",
        "Bento",
        lambda to, _: to.bento.segment("unknown-1"),
        Expected(PERMANENT, 1, "no segment 'unknown-1' at this site. Check `segments` in the YAML"),
    ),
    Refusal(
        "an unknown report",
        "Bento",
        lambda to, _: to.bento.report("unknown-1"),
        Expected(PERMANENT, 1, "no report 'unknown-1' at this site. Check `reports` in the YAML"),
    ),
    Refusal(
        "an unknown event: 200 without metrics",
        "Statsig",
        lambda to, _: to.statsig.event_metrics("nobody did this"),
        Expected(ROWS, 1),
    ),
    Refusal(
        "an unknown event: 404",
        "Statsig",
        lambda to, _: to.statsig.event_metrics("gone"),
        Expected(PERMANENT, 1, "Event 'gone': "),
        rules=_LOST,
    ),
    Refusal("an unknown app", "Airbridge", ONE["task"].ask, _NO_APP, Keys(app="unknown-app")),
    Refusal(
        "an unknown app, requested its metadata",
        "Airbridge",
        ONE["metadata events"].ask,
        _NO_APP,
        Keys(app="unknown-app"),
    ),
    Refusal("an unknown or expired task", "Airbridge", lambda to, _: to.airbridge.report_state("gone"), _NO_TASK),
    *(
        Refusal(
            f"a problem titled {shown}",
            "Airbridge",
            lambda to, _: to.airbridge.report_state("gone"),
            _NO_TASK,
            forms=(f"airbridge-problem-{form}",),
        )
        for form, shown in (
            ("title", "`Not Found`"),
            ("upper", "`NOT_FOUND`"),
            ("lower", "`not found`"),
            ("empty", "in no way: `{}`"),
        )
    ),
    Refusal(
        "a validation error as a list",
        "Bento",
        ONE["ads"].ask,
        Expected(PERMANENT, 1, 'HTTP 400 ([{"field":"base","message":"Something went wrong"}])'),
        rules=({"kind": "status", "status": 400},),
        forms=("bento-error-list",),
    ),
    Refusal(
        "a validation error as an object",
        "Statsig",
        ONE["values"].ask,
        Expected(PERMANENT, 1, '"errorMessage":{"isDate":"must be a date"}'),
        rules=({"kind": "status", "status": 400},),
        forms=("statsig-error-object",),
    ),
    *(
        Refusal(
            f"pages that {words} once",
            "Statsig",
            ONE["values"].ask,
            Expected(ROWS, 6),
            rules=_pages("statsig", kind, "page=2", is_for_ever=False),
            most=8,
        )
        for kind, words in (("overlap", "overlap"), ("shrink", "shrink while being read"), ("repeat", "repeat"))
    ),
    *(
        Refusal(
            f"pages that {words} each time",
            "Statsig",
            ONE["values"].ask,
            Expected(TRANSIENT, 6, _MOVES),
            rules=_pages("statsig", kind, "page=2", is_for_ever=True),
            most=9,
        )
        for kind, words in (("overlap", "overlap"), ("shrink", "shrink while being read"), ("repeat", "repeat"))
    ),
    *(
        Refusal(
            f"pages that {words} once",
            "Airbridge",
            lambda to, task: to.airbridge.report_pages(task, 4),
            Expected(ROWS, 6),
            rules=_pages("airbridge", kind, "skip=4", is_for_ever=False),
        )
        for kind, words in (("overlap", "overlap"), ("shrink", "shrink while being read"), ("repeat", "repeat"))
    ),
    *(
        Refusal(
            f"pages that {words} each time",
            "Airbridge",
            lambda to, task: to.airbridge.report_pages(task, 4),
            Expected(TRANSIENT, 12, _UNFIT),
            rules=_pages("airbridge", kind, "skip=4", is_for_ever=True),
        )
        for kind, words in (("overlap", "overlap"), ("shrink", "shrink while being read"), ("repeat", "repeat"))
    ),
    Refusal(
        "a report in one page",
        "Airbridge",
        lambda to, task: to.airbridge.report_pages(task, 100),
        Expected(ROWS, 1),
    ),
    Refusal("a day in pages of 25", "Statsig", lambda to, _: to.statsig.metric_values(_DAY), Expected(ROWS, 4)),
)
