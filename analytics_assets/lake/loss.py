"""Days that would lose most of their rows to another response to the same request, and days whose vendor leaves more out than before.

An empty response, once, must not replace what is stored. Only days of at least ten rows are judged, by the rows of the tables made from the
response: raw rows are responses. The history of a table only grows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Final

from analytics_assets.errors import LossError

ACCEPT_TAG: Final = "analytics/accept_loss"
MOST_DAYS_OF_A_PERSON: Final = 3
RESPONSES: Final = 3
_LEAST_ROWS: Final = 10


@dataclass(frozen=True)
class LossPolicy:
    """What a load does about a day that would lose rows.

    Attributes:
        share: Share of its rows that a day may lose; more is a loss.
        is_accepted: True if this load stores the day all the same.
    """

    share: float = 0.5
    is_accepted: bool = False

    def losses(self, before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
        """The rows that were stored, of each table that would lose too many of them."""
        return {
            table: rows
            for table, rows in before.items()
            if rows >= _LEAST_ROWS and rows - after[table] > self.share * rows
        }

    def refuse(self, account: str, day: date, losses: Mapping[str, int], after: Mapping[str, int]) -> None:
        """Refuses a loss that this load does not accept.

        Raises:
            LossError: It has one.
        """
        if not losses or self.is_accepted:
            return
        told = ", ".join(
            f"{account}/{table} has {rows} rows and would have {after[table]}" for table, rows in losses.items()
        )
        raise LossError(
            f"{told}, from a response to the same request. The day was kept as it was.",
            remedy=f"If the rows are really gone, materialize up to {MOST_DAYS_OF_A_PERSON} such days by hand, or set the tag {ACCEPT_TAG}=true for the run or backfill; `checks.loss_most` in defs.yaml is "
            "the share that a day may lose.",
            day=day,
        )


def were_as_declared(responses: Iterable[tuple[int | None, int | None]]) -> bool:
    """True if each of the last `RESPONSES` stored responses had as many items as it declared.

    A vendor's total may count something else, so one that differs proves that items are missing only where it was right before.

    Args:
        responses: Items declared and items read, newest first; read no further than needed.
    """
    right = 0
    for declared, items in islice(responses, RESPONSES):
        # Responses of an earlier version have neither number.
        if declared is None or declared != items:
            return False
        right += 1
    return right == RESPONSES
