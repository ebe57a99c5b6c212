"""What makes two troubles the same cause."""

import pytest

from analytics_assets.alerts.cause import Kind, same_key

OUTAGE = "Bento GET /stats/ads: HTTP 503 (Back soon) [trace 7f]. This may pass by itself."


def key(words: str, error: str = "TransientError", account: str = "bento") -> str:
    """The key of a failed run."""
    return same_key(Kind.FAILURE, account, error, words)


@pytest.mark.parametrize(
    ("words", "again"),
    [
        (OUTAGE, OUTAGE.replace("7f", "a-9")),
        (OUTAGE, OUTAGE.replace("/stats/ads", "/stats/site")),
        ("No answer for 2026-03-01 to 2026-03-04.", "No answer for 2026-03-09 to 2026-03-12."),
        ("It ends at 2026-03-01 08:00 UTC.", "It ends at 2026-03-02 08:00 UTC."),
        ("Task 4f6e2a1b-77aa has ended.", "Task 99aa3c1b-00ff has ended."),
        ("It asks to wait 37 s.", "It asks to wait 5.5 s."),
        ("Days 1, 2 and 3 are missing.", "Days 4 and 5 are missing."),
    ],
)
def test_days_traces_ids_and_counts_make_no_other_cause(words: str, again: str) -> None:
    """They differ each time; the endpoint does where the account as a whole is down."""
    assert key(words) == key(again)


@pytest.mark.parametrize(
    "other",
    [
        key(OUTAGE.replace("503", "500")),
        key(OUTAGE.replace("Back soon", "Gone")),
        key(OUTAGE, error="PermanentError"),
        key(OUTAGE, account="bento_eu"),
        same_key(Kind.TASK, "bento", "TransientError", OUTAGE),
    ],
)
def test_another_status_word_class_account_or_kind_is_another_cause(other: str) -> None:
    """Each is told."""
    assert other != key(OUTAGE)


def test_a_request_that_is_refused_keeps_its_endpoint() -> None:
    """The same words mean another parameter elsewhere."""
    words = "Bento GET /stats/ads: HTTP 400. The request is refused."
    assert key(words, "PermanentError") != key(words.replace("ads", "site"), "PermanentError")
