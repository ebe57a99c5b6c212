"""What is expected of every client when a vendor fails, refuses or answers badly: written by hand, before it was run.

`{keys}` stands for the names of the vendor's key variables. GET and POST differ where repeating could start work twice.
"""

from dataclasses import dataclass, field
from typing import Any

PERMANENT, REFUSED, TRANSIENT, AWAITED = "PermanentError", "AccessRefusedError", "TransientError", "AwaitedError"
UNREACHABLE, UNEXPECTED, ROWS = "UnreachableError", "UnexpectedPayloadError", "rows"
BLOCKED = "BlockedError"


@dataclass(frozen=True)
class Expected:
    """An outcome: class of the error or `rows`, requests made, and words the person reads."""

    kind: str
    requests: int
    words: str = ""


@dataclass(frozen=True)
class Fault:
    """What a vendor does, and what comes of it.

    Attributes:
        words: What the vendor does.
        rule: The sandbox's rule; None where nobody listens.
        get: What reading ends in.
        post: What requesting a report task ends in; None is as for reading.
        but: Operations that end otherwise.
        waits_s: Seconds the vendor asked to wait, which pass.
    """

    words: str
    rule: dict[str, Any] | None
    get: Expected
    post: Expected | None = None
    but: dict[str, Expected] = field(default_factory=dict)
    waits_s: float = 0.0

    def of(self, operation: str, *, is_post: bool) -> Expected:
        """What an operation ends in."""
        return self.but.get(operation) or (self.post if is_post and self.post else self.get)


def _status(status: int, **more: Any) -> dict[str, Any]:
    return {"kind": "status", "status": status, **more}


_APP = Expected(REFUSED, 1, "The app requested is 'shop'. Check its name, and that the token is of the same app.")
_TASK = Expected(PERMANENT, 1, "The vendor does not know the task")
_PARAMETERS = Expected(PERMANENT, 1, "The request is refused: check the parameters in the YAML.")
_IN_FRONT = "a proxy, a firewall or a bot wall in front of it. Requests are repeated with long pauses."
_NO_VALUES = Expected(
    PERMANENT, 1, "so there are no values for the day. If the project has no data that early, set `start_date`"
)
_MAY_PASS = "This may pass by itself."
_BROKEN = "the JSON answer is cut short or broken"
_DOCUMENTED = "is not as documented"

FAULTS = (
    Fault("400", _status(400), _PARAMETERS, but={"values": _NO_VALUES}),
    Fault("401", _status(401), Expected(REFUSED, 1, "The credentials are refused: check {keys}.")),
    Fault(
        "403 as JSON",
        _status(403),
        Expected(REFUSED, 1, "The credentials lack the permission: check the role behind {keys}."),
    ),
    Fault(
        "403 as an HTML page",
        {"kind": "html", "status": 403},
        Expected(BLOCKED, 1, _IN_FRONT),
    ),
    Fault("401 as an HTML page", {"kind": "html", "status": 401}, Expected(BLOCKED, 1, _IN_FRONT)),
    Fault("404 as an HTML page", {"kind": "html", "status": 404}, Expected(BLOCKED, 1, _IN_FRONT)),
    Fault("400 as an HTML page", {"kind": "html", "status": 400}, Expected(BLOCKED, 1, _IN_FRONT)),
    Fault(
        "404",
        _status(404),
        Expected(PERMANENT, 1, "The address names something unknown: check ids and names in the YAML."),
        but={
            "segment": Expected(PERMANENT, 1, "no segment 'segment_a' at this site. Check `segments` in the YAML"),
            "report": Expected(PERMANENT, 1, "no report 'report_a' at this site. Check `reports` in the YAML"),
            "event": Expected(PERMANENT, 1, "Event 'checkout': "),
            "values": _NO_VALUES,
            "look": _TASK,
            "pages": _TASK,
            **dict.fromkeys(("task", "metadata metrics", "metadata groupbys", "metadata events"), _APP),
        },
    ),
    Fault("422", _status(422), _PARAMETERS),
    Fault(
        "302",
        _status(302),
        Expected(PERMANENT, 1, "Redirects are not followed, so that keys go nowhere else: check base_url."),
    ),
    Fault("429 without Retry-After, for ever", _status(429), Expected(TRANSIENT, 3, _MAY_PASS)),
    Fault("429 without Retry-After, once", _status(429, times=1), Expected(ROWS, 2)),
    Fault(
        "429 with Retry-After in seconds, once", _status(429, times=1, retry_after=1), Expected(ROWS, 2), waits_s=1.0
    ),
    Fault(
        "429 with Retry-After as a date, once",
        _status(429, times=1, retry_after="Wed, 15 Jul 2026 22:00:01 GMT"),
        Expected(ROWS, 2),
        waits_s=1.0,
    ),
    Fault(
        "429 with Retry-After beyond all patience",
        _status(429, retry_after=3600),
        Expected(TRANSIENT, 1, f"{_MAY_PASS} Requests wait 3600 s (Retry-After)."),
    ),
    Fault("500, for ever", _status(500), Expected(TRANSIENT, 3, _MAY_PASS), Expected(TRANSIENT, 1, _MAY_PASS)),
    Fault("500, once", _status(500, times=1), Expected(ROWS, 2), Expected(TRANSIENT, 1, _MAY_PASS)),
    Fault("502, for ever", _status(502), Expected(TRANSIENT, 3, _MAY_PASS), Expected(TRANSIENT, 1, _MAY_PASS)),
    Fault("503, for ever", _status(503), Expected(TRANSIENT, 3, _MAY_PASS)),
    Fault("503, once", _status(503, times=1), Expected(ROWS, 2)),
    Fault(
        "silence",
        {"kind": "hang", "delay_s": 60},
        Expected(TRANSIENT, 3, "no complete answer"),
        Expected(TRANSIENT, 1, "no complete answer"),
    ),
    Fault("a body that comes slowly", {"kind": "slow", "delay_s": 0.1}, Expected(ROWS, 1)),
    Fault(
        "a connection cut in the body",
        {"kind": "cut"},
        Expected(TRANSIENT, 3, "no complete answer"),
        Expected(TRANSIENT, 1, "no complete answer"),
    ),
    Fault(
        "a connection cut in the body, once",
        {"kind": "cut", "times": 1},
        Expected(ROWS, 2),
        Expected(TRANSIENT, 1, "no complete answer"),
    ),
    Fault("half of the JSON", {"kind": "truncated"}, Expected(TRANSIENT, 3, _BROKEN), Expected(TRANSIENT, 1, _BROKEN)),
    Fault("an empty body", {"kind": "empty"}, Expected(TRANSIENT, 3, _BROKEN), Expected(TRANSIENT, 1, _BROKEN)),
    Fault(
        "200 with an HTML page",
        {"kind": "html"},
        Expected(BLOCKED, 1, "HTTP 200, not JSON: an HTML page"),
    ),
    Fault(
        "200 with JSON as text/plain",
        {"kind": "wrong_type"},
        Expected(UNEXPECTED, 1, "content type 'text/plain; charset=utf-8' where JSON belongs"),
    ),
    Fault("200 with `{}`", {"kind": "body", "body": {}}, Expected(UNEXPECTED, 1, _DOCUMENTED)),
    Fault("200 with `[]`", {"kind": "body", "body": []}, Expected(UNEXPECTED, 1, _DOCUMENTED)),
    Fault("no server listens", None, Expected(UNREACHABLE, 0, "no connection to 127.0.0.1")),
)
