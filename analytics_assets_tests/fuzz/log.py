"""What one trial has asked and been sent. The wire answers equal questions equally, so an oracle may walk over it by itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from analytics_assets_tests.fuzz.sent import Sent, refuse

Question = tuple[str, str, tuple[tuple[str, str], ...]]


@dataclass
class Log:
    """Answers by question: method, path below the vendor's prefix, and the query without what identifies the account."""

    sent: dict[Question, Sent] = field(default_factory=dict)

    def one(self, path_end: str, method: str = "GET", **params: Any) -> Sent:
        """The response to the question whose path ends so and whose query has these values; refuses where it was never asked."""
        found = self.all(path_end, method, params)
        return found[0][1] if found else refuse(f"{path_end} {params} was never asked")

    def all(self, path_end: str, method: str, params: Mapping[str, Any]) -> list[tuple[Question, Sent]]:
        """All such questions with their responses."""
        wanted = {(name, str(value)) for name, value in params.items()}
        return [
            (question, sent)
            for question, sent in self.sent.items()
            if question[0] == method and question[1].endswith(path_end) and wanted <= set(question[2])
        ]
