"""One message for all days that were not stored."""

from datetime import date, timedelta

import dagster as dg
import pytest

from analytics_assets.errors import (
    AccessRefusedError,
    AwaitedError,
    Evidence,
    NotFinalError,
    PermanentError,
    SourceError,
    TransientError,
    UnexpectedPayloadError,
    UnreachableError,
)
from analytics_assets.orchestration.failures import failure

AGAIN = "Re-execute from failure: only these days are requested."
FIX = "Fix the cause, then re-execute from failure."
MARCH = [date(2026, 3, 1) + timedelta(days=number) for number in range(31)]


def of(errors: dict[date, SourceError], quarantined: dict[date, str] | None = None) -> dg.Failure:
    """The failure of a step of ten days."""
    return failure(errors, count=10, what="shop/numbers", quarantined=quarantined or {})


def test_days_with_one_cause_share_a_line() -> None:
    """Days with the same class, message and remedy; the day of each error is a field, and a path keeps its day."""
    errors: dict[date, SourceError] = {
        day: UnexpectedPayloadError("numbers: not a number.", day=day) for day in (MARCH[0], MARCH[1], MARCH[4])
    }
    errors[MARCH[2]] = TransientError("numbers: not a number.")
    errors[MARCH[7]] = AccessRefusedError("Not with this key.", remedy="Check KEY.")
    errors[MARCH[8]] = AccessRefusedError("Not with this key.", remedy="Check SHOP_KEY.")
    errors[MARCH[9]] = PermanentError("/lake/dt=2026-03-10/data.parquet is damaged.")
    assert of(errors).description == (
        "shop/numbers: 7 of 10 days were not stored.\n"
        "2026-03-01 to 2026-03-02, 2026-03-05: numbers: not a number.\n"
        "2026-03-03: numbers: not a number.\n"
        "2026-03-08: Not with this key. Check KEY.\n"
        "2026-03-09: Not with this key. Check SHOP_KEY.\n"
        "2026-03-10: /lake/dt=2026-03-10/data.parquet is damaged.\n"
        "Fix the cause, then re-execute from failure."
    )


@pytest.mark.parametrize(
    ("kinds", "advice"),
    [
        ([AwaitedError, AwaitedError], "Nothing has to be done; who cannot wait re-executes from failure."),
        ([AwaitedError, TransientError], AGAIN),
        ([TransientError], AGAIN),
        ([TransientError, UnreachableError, NotFinalError], AGAIN),
        ([TransientError, PermanentError], FIX),
        ([AwaitedError, UnexpectedPayloadError], FIX),
        ([UnexpectedPayloadError], FIX),
        ([AccessRefusedError], FIX),
    ],
)
def test_the_advice_follows_from_the_classes(kinds: list[type[SourceError]], advice: str) -> None:
    """What another process sees through needs nothing, what passes by itself or with time another attempt."""
    told = of({day: kind("Words.") for day, kind in zip(MARCH, kinds, strict=False)})
    assert str(told.description).splitlines()[-1] == advice


def test_all_days_are_in_the_metadata_with_the_answer_that_was_kept() -> None:
    """A table in the UI, one row a day."""
    told = of(
        {
            MARCH[0]: UnexpectedPayloadError(
                "No JSON.", remedy="Ask the vendor.", day=MARCH[0], evidence=Evidence("GET /numbers", 200, "<p>")
            ),
            MARCH[1]: TransientError("Timed out."),
        },
        {MARCH[0]: "/lake/_quarantine/shop/1.txt"},
    )
    assert told.metadata == {
        "next": dg.MetadataValue.text("Fix the cause, then re-execute from failure."),
        "days_not_stored": dg.MetadataValue.table(
            records=[
                dg.TableRecord(
                    {
                        "day": "2026-03-01",
                        "kind": "UnexpectedPayloadError",
                        "message": "No JSON.",
                        "remedy": "Ask the vendor.",
                        "endpoint": "GET /numbers",
                        "status": "200",
                        "response_kept_in": "/lake/_quarantine/shop/1.txt",
                    }
                ),
                dg.TableRecord(
                    {
                        "day": "2026-03-02",
                        "kind": "TransientError",
                        "message": "Timed out.",
                        "remedy": "",
                        "endpoint": "",
                        "status": "",
                        "response_kept_in": "",
                    }
                ),
            ]
        ),
    }


def test_dagster_never_retries_it_by_itself() -> None:
    """Retries within a request are done by then."""
    assert of({MARCH[0]: TransientError("Timed out.")}).allow_retries is False


def test_many_causes_are_cut_short_in_the_message_only() -> None:
    """Twenty lines are read, thirty are not."""
    told = of({day: TransientError(f"Trouble number {number}.") for number, day in enumerate(MARCH[:22])})
    lines = str(told.description).splitlines()
    assert lines[20:] == [
        "2026-03-20: Trouble number 19.",
        "... and 2 more causes; all days are in the metadata.",
        "Re-execute from failure: only these days are requested.",
    ]
    table = told.metadata["days_not_stored"]
    assert isinstance(table, dg.TableMetadataValue)
    assert len(table.records) == 22
