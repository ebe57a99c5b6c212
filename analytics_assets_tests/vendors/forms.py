"""Forms of responses: what no vendor page settles, as switches that change a response on its way out.

Here live the switches, the names of all there are, and which are on in one app. A harmless form tells the same facts in another
spelling; the others leave something out, say something else or break what the vendor's page promises. What a form does to a body
is in ``bento_forms``, ``statsig_forms`` and ``airbridge_forms``; broken connections and statuses are ``faults``' affair.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import Response

Change = Callable[[Any], Any]
_FIRST_ERROR: Final = 400


@dataclass(frozen=True)
class Form:
    """One switch.

    Attributes:
        vendor: bento, statsig or airbridge.
        name: What it is switched on by; begins with the vendor.
        words: What the vendor then does, to be read after its name.
        changes: What is done to a body, by endpoint template without the method.
        is_harmless: True if the response still tells the same facts.
        of_errors: True if refusals are changed, not successes; endpoints do not matter then.
    """

    vendor: str
    name: str
    words: str
    changes: Mapping[str, Change]
    is_harmless: bool = False
    of_errors: bool = False


class Forms:
    """The forms that are on in one app, applied in the order they are registered in."""

    def __init__(self, known: Iterable[Form], first: Iterable[str] = ()) -> None:
        self.known = {form.name: form for form in known}
        self._first = tuple(first)
        self._on: set[str] = set()
        self.reset()

    def switch_on(self, names: Iterable[str]) -> None:
        """Switch on forms by name; ValueError names one that there is not, and then none is."""
        wanted = set(names)
        if unknown := sorted(wanted - self.known.keys()):
            raise ValueError(f"unknown forms: {', '.join(unknown)}")
        self._on |= wanted

    def switch_off(self) -> None:
        """Every answer is in its usual form."""
        self._on.clear()

    def reset(self) -> None:
        """Only the forms that the app began with are on."""
        self.switch_off()
        self.switch_on(self._first)

    def listed(self) -> list[dict[str, Any]]:
        """All forms, in words, and whether they are on."""
        return [
            {"name": one.name, "words": one.words, "is_harmless": one.is_harmless, "is_on": one.name in self._on}
            for one in self.known.values()
        ]

    def applied(self, vendor: str, endpoint: str, response: Response) -> Response:
        """The response in the forms that are on; itself where none concerns it, and where it is no JSON."""
        template, is_error = endpoint.partition(" ")[2], response.status_code >= _FIRST_ERROR
        changes = [
            change
            for form in self.known.values()
            if form.name in self._on and form.vendor == vendor and form.of_errors == is_error
            for where, change in form.changes.items()
            if is_error or where == template
        ]
        kind = response.headers.get("content-type", "")
        if not changes or "json" not in kind:
            return response
        body = json.loads(bytes(response.body))
        for change in changes:
            body = change(body)
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        return Response(text.encode(), response.status_code, headers={"content-type": kind})
