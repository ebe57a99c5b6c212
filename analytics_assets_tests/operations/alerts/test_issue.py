"""Which failures are the same issue, and how reasons read."""

from datetime import date, timedelta

import pytest

from analytics_assets.operations.alerts.issue import Reason, error_key, reason_lines
from analytics_assets.state.alert_log import IssueKey, IssueKind

FIRST = date(2026, 3, 1)


@pytest.mark.parametrize(
    "error",
    ["AccessRefusedError", "AwaitedError", "BlockedError", "LakeError", "TransientError", "UnreachableError"],
)
def test_an_error_of_the_whole_account_has_no_stream(error: str) -> None:
    """One issue, whichever streams meet it; another account has its own."""
    assert error_key(IssueKind.FAILURE, "shop", "ads", error) == error_key(IssueKind.FAILURE, "shop", "site", error)
    assert error_key(IssueKind.FAILURE, "shop", "ads", error) == IssueKey("shop", "", IssueKind.FAILURE, error)
    assert error_key(IssueKind.FAILURE, "other", "ads", error) != error_key(IssueKind.FAILURE, "shop", "ads", error)


@pytest.mark.parametrize("error", ["PermanentError", "NotFinalError", "UnexpectedPayloadError", "KeyError"])
def test_any_other_error_is_an_issue_of_its_stream(error: str) -> None:
    """The same class elsewhere has another reason."""
    assert error_key(IssueKind.FAILURE, "shop", "ads", error) == IssueKey("shop", "ads", IssueKind.FAILURE, error)


def test_reasons_are_counted_and_cut() -> None:
    """Three reasons of 500 characters; many scattered days as first and last."""
    scattered = tuple(FIRST + timedelta(2 * number) for number in range(40))
    reasons = [Reason("E", f"{number} " + "x" * 600, scattered) for number in range(5)]
    assert reason_lines(reasons, str) == (
        *(f"between 2026-03-01 and 2026-05-18 (40 days): {number} {'x' * 498}..." for number in range(3)),
        "... and 2 more reasons.",
    )


def test_a_key_at_the_place_of_the_cut_is_redacted_first() -> None:
    """Half a key would be found by no search."""
    reason = Reason("E", "x" * 495 + "KEY-OF-THE-ACCOUNT")
    [line] = reason_lines([reason], lambda text: text.replace("KEY-OF-THE-ACCOUNT", "[redacted]"))
    assert line == "x" * 495 + "[reda..."
