"""The report as people and programs read it, without any secret. Keep what is looked at out of here."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

from analytics_assets.doctor.line import Line
from analytics_assets.http.statuses import Vendor

# What is shorter is no key, and would be found in any word.
_SHORTEST: Final = 6


def without_secrets(lines: Iterable[Line], secrets: Iterable[str]) -> list[Line]:
    """The lines with every secret taken out, whatever has brought it there."""
    redact = Vendor("", "", [secret for secret in secrets if len(secret) >= _SHORTEST]).redact
    return [
        replace(line, what=redact(line.what), found=redact(line.found), remedy=redact(line.remedy)) for line in lines
    ]


def table(lines: Sequence[Line]) -> list[str]:
    """The lines by subject, each remedy beneath what it is for, and how many of each verdict there are."""
    told: list[str] = []
    for subject in dict.fromkeys(line.subject for line in lines):
        told.append(subject)
        for line in (one for one in lines if one.subject == subject):
            told.append(f"  {line.verdict:<11}  {line.what}: {line.found}")
            told += [f"  {'':<11}  -> {line.remedy}"] if line.remedy else []
    counts = Counter(line.verdict for line in lines)
    told.append(", ".join(f"{counts[one]} {one}" for one in ("wrong", "warning", "not checked", "ok") if counts[one]))
    return told


def as_json(lines: Iterable[Line]) -> list[dict[str, Any]]:
    """The lines for programs: subject, what, verdict, found, remedy."""
    return [asdict(line) for line in lines]


def is_wrong(lines: Iterable[Line]) -> bool:
    """Whether something is wrong; warnings are not."""
    return any(line.verdict == "wrong" for line in lines)
