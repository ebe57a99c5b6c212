"""What can go wrong between a vendor and the lake, and what that means for the one who waits.

    SourceError
    |-- TransientError           may pass by itself: time-out, cut connection, 429, 5xx. Retried in bounds, then by a later run
    |   |-- UnreachableError     no connection at all. No other day will fare better now
    |   |   `-- BlockedError     something in front of the vendor answered: a proxy, a firewall, a bot wall
    |   `-- AwaitedError         another process sees it through; nobody has to do anything
    |-- PermanentError           will not pass by itself: a parameter, a day without history, a wrong setting
    |   |-- AccessRefusedError   the whole account is refused: key, address, app. No other day will fare better
    |   |-- LakeError            the lake itself cannot be read or written. No other day will fare better
    |   |-- FieldError           a value in the YAML of an account does not fit; names its field
    |   |-- UnusableFileError    the file of one day of one table is damaged, or belongs elsewhere. A load replaces it
    |   |   `-- EarlierSchemaError  it has the columns of an earlier version. A load replaces it only from its own raw day
    |   `-- NotFinalError        the day is not over yet where the vendor counts; says when it will be
    `-- UnexpectedPayloadError   the response is not what the vendor documents, or its rows do not belong to the day
        `-- LossError            the response would take most of its rows from a day, and nobody has accepted that

The class decides what happens next, never the text. An error carries its parts as fields; text is composed where people read it.
Message and remedy hold no secret.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True)
class Evidence:
    """What was received when a response could not be used, kept aside for a person to read.

    Attributes:
        endpoint: Method and path template, such as `GET /stats/ads`.
        status: HTTP status; None where no response came.
        body: The response as text with secrets removed; empty where there was none.
        trace_id: The vendor's own id of the request, where the response names one.
    """

    endpoint: str
    status: int | None = None
    body: str = ""
    trace_id: str | None = None


def composed(message: str, remedy: str) -> str:
    """The text of an error for people."""
    return f"{message} {remedy}" if remedy else message


class SourceError(Exception):
    """Anything that keeps a day of a source from being stored.

    `str(error)` is the message and the remedy. The day is in neither: who prints the error puts the days in front.

    Attributes:
        message: What happened, one sentence that names the thing.
        remedy: What to do; empty where there is nothing to do.
        day: The day it concerns, where it concerns one.
        evidence: The response that led here, where there is one.
    """

    def __init__(
        self, message: str, *, remedy: str = "", day: date | None = None, evidence: Evidence | None = None
    ) -> None:
        super().__init__(composed(message, remedy))
        self.message = message
        self.remedy = remedy
        self.day = day
        self.evidence = evidence

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles the fields instead of calling the class with the composed text."""
        return type(self).__new__, (type(self), *self.args), vars(self)

    @property
    def endpoint(self) -> str:
        """Method and path template of the request; empty where no request was sent."""
        return self.evidence.endpoint if self.evidence else ""

    @property
    def status(self) -> int | None:
        """HTTP status; None where no response came."""
        return self.evidence.status if self.evidence else None

    @property
    def dated(self) -> str:
        """The text with its day in front, for a place that shows no day of its own."""
        return f"{self.day}: {self}" if self.day else str(self)


class TransientError(SourceError):
    """May pass by itself.

    Attributes:
        retry_after_s: Seconds the vendor asked to wait, where it did.
    """

    def __init__(
        self,
        message: str,
        *,
        remedy: str = "",
        day: date | None = None,
        evidence: Evidence | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, remedy=remedy, day=day, evidence=evidence)
        self.retry_after_s = retry_after_s


class UnreachableError(TransientError):
    """The vendor cannot be reached at all, so requesting other days now would only repeat the wait."""


class BlockedError(UnreachableError):
    """The path to the vendor is blocked: a proxy, a firewall or a bot wall answered in its place. Repeated with long pauses."""


class AwaitedError(TransientError):
    """Is seen through by another process, as report tasks are by their sensor; the message says which, and how."""


class PermanentError(SourceError):
    """Will not pass by itself: somebody has to change a setting, a parameter or the request."""


class AccessRefusedError(PermanentError):
    """The account as a whole is refused, so requesting its other days would only repeat the response."""


class LakeError(PermanentError):
    """The lake cannot be read or written, so what is requested now could not be kept."""


class FieldError(PermanentError, ValueError):
    """A value in the YAML of an account does not fit. A `ValueError` too, because pydantic collects those.

    Attributes:
        field: Path of the field, below what was checked.
    """

    def __init__(self, message: str, *field: str | int, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.field = field


class UnusableFileError(PermanentError):
    """A file of the lake is empty, damaged, or belongs to another table or day.

    Attributes:
        table: Name of the table in whose folder it is.
    """

    def __init__(self, message: str, *, table: str, remedy: str = "", day: date | None = None) -> None:
        super().__init__(message, remedy=remedy, day=day)
        self.table = table


class EarlierSchemaError(UnusableFileError):
    """A file of the lake has columns that an earlier version named or typed otherwise.

    Attributes:
        rows: Rows of the file.
    """

    def __init__(self, message: str, *, table: str, rows: int, remedy: str = "", day: date | None = None) -> None:
        super().__init__(message, table=table, remedy=remedy, day=day)
        self.rows = rows


class NotFinalError(PermanentError):
    """The day is not over, or not computed, where the vendor counts it."""


class UnexpectedPayloadError(SourceError):
    """The response is not what the vendor documents, or its rows do not belong to the day that was requested."""


class LossError(UnexpectedPayloadError):
    """The response to the same request has so few rows that the stored day is kept, until a person accepts the loss."""


# After one of these, requesting other days would only repeat it, or bring what cannot be kept.
STOPS_REQUESTS = (AccessRefusedError, UnreachableError, LakeError)
