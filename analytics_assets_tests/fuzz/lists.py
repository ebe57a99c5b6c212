"""Ways in which a whole list can be other than expected: an empty page in the middle, a total that disagrees, far fewer rows than before.

Changes the responses of one list together, as a vendor would, so that they fit together. A single response is changed in `mutations.py`.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

from analytics_assets_tests.fuzz.drafts import parsed, places, written
from analytics_assets_tests.fuzz.log import Question
from analytics_assets_tests.fuzz.sent import Sent

Responses = Mapping[Question, Sent]
Changed = tuple[dict[Question, Sent], list[str], bool]
_TOTALS = ("totalItems", "totalCount")
# Lists of one response that become rows, beside the entries of a page.
_ROWS = ("breakdown", "chart", "chartData")
_SHARES = (0.0, 0.05, 0.2, 0.4, 0.6, 0.9)


def change_list(draw: Random, genuine: Responses) -> Changed | None:
    """One list of several pages changed; None where the stream has none."""
    lists = sorted(_lists(genuine).items())
    if not lists:
        return None
    _, pages = draw.choice(lists)
    return draw.choice((_empty_between, _empty_between, _emptied, _miscounted))(draw, genuine, pages)


def shrink_lists(draw: Random, genuine: Responses) -> Changed:
    """Every response with a share of its rows, its totals to match."""
    share = draw.choice(_SHARES)
    changed = {}
    for question, sent in genuine.items():
        body = parsed(sent.body)
        for held in (_entries(body), *(holder[name] for holder, name in places(body) if name in _ROWS)):
            if isinstance(held, list):
                del held[int(len(held) * share) :]
        for holder, name in places(body):
            if name in _TOTALS and isinstance(holder[name], int):
                holder[name] = _count(genuine, question, share)
        changed[question] = replace(sent, body=written(body).encode())
    return changed, [f"{share:.0%} of all rows"], False


def _count(genuine: Responses, question: Question, share: float) -> int:
    """Entries that are left of the list that a response belongs to."""
    pages = next((pages for pages in _lists(genuine).values() if question in pages), [question])
    return sum(int(len(_entries(parsed(genuine[page].body))) * share) for page in pages)


def _lists(genuine: Responses) -> dict[tuple[Any, ...], list[Question]]:
    """The pages of each list that has several, in order."""
    found: dict[tuple[Any, ...], list[Question]] = {}
    for question in genuine:
        method, path, params = question
        if _number(question) is not None:
            rest = tuple(param for param in params if param[0] not in _PAGING)
            found.setdefault((method, path, rest), []).append(question)
    return {about: sorted(pages, key=_number) for about, pages in found.items() if len(pages) > 1}


_PAGE = re.compile(r"\bpage=\d+")
_PAGING = ("page", "skip", "size")


def _number(question: Question) -> int | None:
    """Number of a page, or of the groups before it; None for what is not a page."""
    params = dict(question[2])
    # The poll of a report's status has this form.
    if params.get("size") == "1" and params.get("skip") == "0":
        return None
    number = params.get("page", params.get("skip"))
    return None if number is None else int(number)


def _entries(body: Any) -> list[Any]:
    """The entries of a page: Statsig's `data`, or Airbridge's groups in either envelope."""
    data = body.get("data")
    if isinstance(data, list):
        return data
    for holder in (body, body.get("revenue") or {}):
        inner = holder.get("data") if isinstance(holder.get("data"), dict) else {}
        rows = (inner.get("stats") or {}).get("rows", inner.get("rows"))
        if isinstance(rows, list):
            return rows
    return []


def _without_entries(sent: Sent) -> Any:
    body = parsed(sent.body)
    _entries(body).clear()
    return body


def _page_after(question: Question) -> Question:
    method, path, params = question
    steps = {"page": 1, "skip": int(dict(params).get("size", 0))}
    return (
        method,
        path,
        tuple((name, str(int(value) + steps[name]) if name in steps else value) for name, value in params),
    )


def _empty_between(draw: Random, genuine: Responses, pages: list[Question]) -> Changed:
    """A page without entries that names a next one, and behind it all that was there before. Nothing is lost, so all must be stored."""
    if "page" not in dict(pages[0][2]):
        return _no_groups_between(draw, genuine, pages)
    at = draw.randrange(len(pages))
    body = _without_entries(genuine[pages[at]])
    first = parsed(genuine[pages[0]].body)["pagination"]["nextPage"]
    body["pagination"]["nextPage"] = _PAGE.sub(f"page={at + 2}", first)
    changed = {pages[at]: replace(genuine[pages[at]], body=written(body).encode())}
    for number, question in enumerate(pages[at:], start=at + 2):
        body = parsed(genuine[question].body)
        if body["pagination"]["nextPage"]:
            body["pagination"]["nextPage"] = _PAGE.sub(f"page={number + 1}", first)
        changed[_page_after(question)] = replace(genuine[question], body=written(body).encode())
    return changed, [f"{pages[at][1][-30:]}: an empty page before page {at + 1} of {len(pages)}"], True


def _no_groups_between(draw: Random, genuine: Responses, pages: list[Question]) -> Changed:
    """The same in a report of groups, whose pages are named by the groups before them."""
    at = draw.randrange(len(pages))
    body = _without_entries(genuine[pages[at]])
    for holder, name in places(body):
        if name == "hasNext" and holder[name] is not None:
            holder[name] = True
    changed = {pages[at]: replace(genuine[pages[at]], body=written(body).encode())}
    for question in pages[at:]:
        changed[_page_after(question)] = genuine[question]
    return changed, [f"{pages[at][1][-30:]}: an empty page before page {at + 1} of {len(pages)}"], True


def _emptied(draw: Random, genuine: Responses, pages: list[Question]) -> Changed:
    """A page that has lost its entries and still names a next one."""
    question = draw.choice(pages)
    body = _without_entries(genuine[question])
    return (
        {question: replace(genuine[question], body=written(body).encode())},
        [f"{question[1][-30:]} {question[2]}: emptied"],
        False,
    )


def _miscounted(draw: Random, genuine: Responses, pages: list[Question]) -> Changed:
    """Another total on all pages of a list."""
    totals = [holder[name] for holder, name in places(parsed(genuine[pages[0]].body)) if name in _TOTALS]
    total = int(next((one for one in totals if isinstance(one, int)), 0))
    told = draw.choice((total + 1, total - 1, 0, total * 10, total + 100))
    return (
        {question: replace(genuine[question], body=_with_total(genuine[question], told)) for question in pages},
        [f"{pages[0][1][-30:]}: {told} in all"],
        False,
    )


def _with_total(sent: Sent, total: int) -> bytes:
    body = parsed(sent.body)
    for holder, name in places(body):
        if name in _TOTALS and holder[name] is not None:
            holder[name] = total
    return written(body).encode()
