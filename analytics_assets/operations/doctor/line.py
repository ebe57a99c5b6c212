"""A line of the report, how a check that fails or does not end becomes one, and the report for people and programs, without secrets.

Every check runs in a thread of its own that nothing waits for longer than its bound, so that a dead mount or database delays the report and
does not stop it. What an unexpected exception says may hold a secret, so its class and place stand for it.
"""

import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal

from analytics_assets.errors import SourceError
from analytics_assets.http.statuses import Vendor

Verdict = Literal["ok", "warning", "wrong", "not checked"]
WITHIN_S: Final = 30.0
# A shorter text is not a key, and is a part of many words.
_SHORTEST: Final = 6


@dataclass(frozen=True)
class Line:
    """One thing that was looked at.

    Attributes:
        subject: What it belongs to, such as `keys`.
        what: What was looked at.
        verdict: What is thought of it.
        found: What was found.
        remedy: What to do, a sentence; empty only where the verdict is ok.
    """

    subject: str
    what: str
    verdict: Verdict
    found: str
    remedy: str = ""


def examined(subject: str, what: str, check: Callable[[], Iterable[Line]], *, within_s: float = WITHIN_S) -> list[Line]:
    """The lines of a check, or the one that says why there are none."""
    lines: list[list[Line]] = []

    def look() -> None:
        try:
            lines.append(list(check()))
        except SourceError as error:
            lines.append([refused(subject, what, error)])
        except Exception as error:  # noqa: BLE001 - whatever it is, the other checks go on
            remedy = "This is a fault of the doctor: report class and place; the other lines stand."
            lines.append([Line(subject, what, "wrong", f"the check itself failed: {_placed(error)}", remedy)])

    thread = threading.Thread(target=look, name=f"doctor {subject}", daemon=True)
    thread.start()
    thread.join(within_s)
    late = Line(
        subject,
        what,
        "wrong",
        f"no response within {within_s:g} s",
        "See whether what it looks at (a mount, a bucket, a database) hangs.",
    )
    return lines[0] if lines else [late]


def refused(subject: str, what: str, error: SourceError) -> Line:
    """The line of a check that ended with one of our errors."""
    return Line(subject, what, "wrong", happened(error), error.remedy or "See the message.")


def happened(error: SourceError) -> str:
    """The message of an error, to be continued."""
    return error.message.removesuffix(".")


def ago(span: timedelta) -> str:
    """A length of time for people, such as `3 min`."""
    seconds = max(0.0, span.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _placed(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(last.filename).parent.name}/{Path(last.filename).name}:{last.lineno}"


def without_secrets(lines: Iterable[Line], secrets: Iterable[str]) -> list[Line]:
    """The lines with every secret taken out, whatever has brought it there."""
    redact = Vendor("", "", [secret for secret in secrets if len(secret) >= _SHORTEST]).redact
    return [
        replace(line, what=redact(line.what), found=redact(line.found), remedy=redact(line.remedy)) for line in lines
    ]


def table(lines: Sequence[Line]) -> list[str]:
    """The lines by subject, each remedy beneath what it is for, and how many of each verdict there are."""
    rows: list[str] = []
    for subject in dict.fromkeys(line.subject for line in lines):
        rows.append(subject)
        for line in (candidate for candidate in lines if candidate.subject == subject):
            rows.append(f"  {line.verdict:<11}  {line.what}: {line.found}")
            rows += [f"  {'':<11}  -> {line.remedy}"] if line.remedy else []
    counts = Counter(line.verdict for line in lines)
    rows.append(
        ", ".join(
            f"{counts[candidate]} {candidate}"
            for candidate in ("wrong", "warning", "not checked", "ok")
            if counts[candidate]
        )
    )
    return rows


def as_json(lines: Iterable[Line]) -> list[dict[str, Any]]:
    """The lines for programs: subject, what, verdict, found, remedy."""
    return [asdict(line) for line in lines]


def is_wrong(lines: Iterable[Line]) -> bool:
    """True if something is wrong; warnings are not."""
    return any(line.verdict == "wrong" for line in lines)
