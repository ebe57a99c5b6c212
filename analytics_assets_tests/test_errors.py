"""Errors carry their parts as fields, and the text is composed of them once."""

import copy
import pickle
from datetime import date

import pytest

from analytics_assets.errors import (
    BlockedError,
    Evidence,
    FieldError,
    NotFinalError,
    PermanentError,
    SourceError,
    TransientError,
    UnexpectedPayloadError,
    UnusableFileError,
)

DAY = date(2026, 3, 1)
EVIDENCE = Evidence("GET /stats/ads", status=503, body="busy")


def test_the_text_is_message_and_remedy() -> None:
    """A day is put in front only by who shows no days."""
    error = PermanentError("Bento has no such day.", remedy="Set `start_date`.", day=DAY)
    assert (str(error), error.dated) == (
        "Bento has no such day. Set `start_date`.",
        "2026-03-01: Bento has no such day. Set `start_date`.",
    )
    assert (str(PermanentError("No.")), PermanentError("No.").dated) == ("No.", "No.")


def test_endpoint_and_status_are_those_of_the_evidence() -> None:
    """Where nothing was sent there are none."""
    error = TransientError("HTTP 503.", evidence=EVIDENCE)
    assert (error.endpoint, error.status) == ("GET /stats/ads", 503)
    assert (NotFinalError("Later.").endpoint, NotFinalError("Later.").status) == ("", None)


@pytest.mark.parametrize(
    "error",
    [
        UnexpectedPayloadError("No JSON.", remedy="Ask the vendor.", day=DAY, evidence=EVIDENCE),
        BlockedError("HTTP 403.", remedy="Allow it.", evidence=EVIDENCE, retry_after_s=61.0),
        UnusableFileError("It is cut off.", table="ads", remedy="Load the day.", day=DAY),
        FieldError("It is unknown.", "schedule", "cron", remedy="Correct it."),
    ],
)
@pytest.mark.parametrize("passed", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_no_field_is_lost_where_an_error_is_copied_or_sent_to_another_process(error, passed) -> None:
    """The text is not composed twice either."""
    other: SourceError = passed(error)
    assert (type(other), str(other), vars(other)) == (type(error), str(error), vars(error))
