"""The page `docs/what-vendors-do.md`, made from what was observed. No assertions here; they are in `test_page.py`."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from analytics_assets_tests.contract.expected_faults import FAULTS, ROWS
from analytics_assets_tests.contract.expected_forms import FORMS as EXPECTED
from analytics_assets_tests.contract.expected_refusals import REFUSALS
from analytics_assets_tests.contract.observed_faults import Cells, Observed, in_short
from analytics_assets_tests.contract.observed_forms import Readings
from analytics_assets_tests.contract.observed_refusals import Refused
from analytics_assets_tests.contract.operations import KEYS, OPERATIONS
from analytics_assets_tests.vendors.registry import FORMS

PAGE = Path(__file__).parents[2] / "docs" / "what-vendors-do.md"
_HEAD = """\
# What vendors do, and what comes of it

Made from a run of the contract suite against the sandbox server over real sockets, three attempts a request;
`python -m analytics_assets_tests.contract` writes it anew, and a test compares it. What is expected was written by hand first:
`expected_faults.py`, `expected_refusals.py` and `expected_*_forms.py` in `analytics_assets_tests/contract/`.

`TransientError` may pass by itself and is retried within bounds. `AwaitedError` is seen through by the sensor. `PermanentError` and `AccessRefusedError` need a person.
`UnexpectedPayloadError` keeps the response in the lake's `_quarantine` folder, and nothing is stored. A POST is repeated only where the vendor certainly did
not take it.
"""


def page(faults: Cells, refusals: Refused, forms: Readings) -> str:
    """The whole page."""
    parts = [
        _HEAD,
        "## Faults, each met by every request of every client\n",
        _table(("The vendor", "Asked", "Outcome", "Requests", "The person reads"), _fault_rows(faults)),
        "\n## Wrong keys and names, and lists that move while they are read\n",
        _table(("Vendor", "What", "Outcome", "The person reads"), _refusal_rows(refusals)),
        "\n## Forms of responses\n",
        "A stream that is not named has the rows, the figures and the number of requests of the usual form.\n",
        _table(("The vendor", "Stream", "Outcome", "Named in the metadata, or read by the person"), _form_rows(forms)),
    ]
    return "\n".join(parts)


def _fault_rows(cells: Cells) -> Iterator[tuple[str, ...]]:
    """One row for all operations of equal outcome; the message is told once where it is the same but for the vendor."""
    for fault in FAULTS:
        alike: dict[tuple[str, str, str], list[str]] = {}
        for one in OPERATIONS:
            cell = cells[fault.words, one.name]
            outcome = (_kind(cell.kind), str(cell.requests), _shown(cell, one.vendor))
            alike.setdefault((outcome[0], outcome[1], _stem(outcome[2])), []).append(f"{one.vendor} {one.name}")
        for (kind, requests, words), names in alike.items():
            asked = "everything" if len(names) == len(OPERATIONS) else _names(names)
            yield fault.words, asked, kind, requests, words


def _names(names: list[str]) -> str:
    if names == ["Airbridge task"]:
        return "POST"
    everything = [f"{one.vendor} {one.name}" for one in OPERATIONS]
    if names == [one for one in everything if one != "Airbridge task"]:
        return "every GET"
    return ", ".join(names) if len(names) <= len(everything) // 2 else "everything else"


def _shown(cell: Observed, vendor: str) -> str:
    return in_short(cell.message).replace(KEYS[vendor], "<the variables of the keys>")


def _stem(message: str) -> str:
    """A message without what the parser says of each body."""
    return re.sub(r"(is not as documented): .*?(\. The body|\. Compare|$)", r"\1\2", message).replace(
        ". Compare it with https://bentonow.com/stats.", "."
    )


def _refusal_rows(cells: Refused) -> Iterator[tuple[str, ...]]:
    for one in REFUSALS:
        cell = cells[one.vendor, one.words]
        yield one.vendor, one.words, _kind(cell.kind), _shown(cell, one.vendor)


def _form_rows(readings: Readings) -> Iterator[tuple[str, ...]]:
    for form in FORMS:
        changes = EXPECTED[form.vendor].get(form.name, {})
        doing = f"{form.vendor.capitalize()} {form.words}"
        told = [(stream, change) for stream, change in changes.items() if (form.vendor, form.name, stream) in readings]
        if form.of_errors:
            continue
        if not told:
            yield doing, "all", "the same rows", ""
        for stream, change in told:
            read = readings[form.vendor, form.name, stream]
            if change.kind == "(any)":
                continue
            if read.kind != ROWS:
                yield doing, stream, _kind(read.kind), in_short(re.sub(r"eN[\w-]+\.\.\.", "<task>", read.message))
            else:
                named = sorted({f"`{name}`" for figures in change.named.values() for name in figures})
                outcome = "rows as sent; what was not sent is null" if change.rows else "the same rows"
                yield doing, stream, outcome, ", ".join(named)


def _kind(kind: str) -> str:
    return "rows as usual" if kind == ROWS else f"`{kind}`"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)
