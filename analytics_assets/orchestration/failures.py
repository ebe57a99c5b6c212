"""From our errors to Dagster's failure: one message that names every day that was not stored, and what to do.

The days that were stored were logged before, so exactly the others turn red. Retries within a request are done by then (`http/`), and a
re-execution asks only for what is missing; so a failure here is never retried by Dagster on its own.
Dagster concept: Failure, https://docs.dagster.io/guides/build/ops/op-retries
"""

from collections.abc import Mapping, Sequence
from datetime import date

import dagster as dg

from analytics_assets.dates import in_words
from analytics_assets.errors import AwaitedError, NotFinalError, SourceError, TransientError, composed

NEXT, DAYS_NOT_STORED = "next", "days_not_stored"
_SHOWN = 20


def failure(
    errors: Mapping[date, SourceError],
    *,
    count: int,
    what: str,
    quarantined: Mapping[date, str],
) -> dg.Failure:
    """The failure of a step some of whose days were not stored.

    Args:
        errors: The days that were not stored, with the reason.
        count: Days the step was for.
        what: What was to be stored, such as `bento/ads`.
        quarantined: Where the responses that could not be used are kept.
    """
    causes: dict[tuple[type[SourceError], str, str], list[date]] = {}
    for day, error in errors.items():
        causes.setdefault((type(error), error.message, error.remedy), []).append(day)
    lines = [
        f"{in_words(days)}: {composed(message, remedy)}" for (_, message, remedy), days in list(causes.items())[:_SHOWN]
    ]
    more = (
        f"\n... and {len(causes) - _SHOWN} more causes; all days are in the metadata." if len(causes) > _SHOWN else ""
    )
    advice = _advice(list(errors.values()))
    return dg.Failure(
        f"{what}: {len(errors)} of {count} days were not stored.\n" + "\n".join(lines) + f"{more}\n{advice}",
        metadata={
            NEXT: advice,
            DAYS_NOT_STORED: dg.MetadataValue.table(
                records=[
                    dg.TableRecord(
                        {
                            "day": str(day),
                            "kind": type(error).__name__,
                            "message": error.message,
                            "remedy": error.remedy,
                            "endpoint": error.endpoint,
                            "status": "" if error.status is None else str(error.status),
                            "response_kept_in": quarantined.get(day, ""),
                        }
                    )
                    for day, error in errors.items()
                ]
            ),
        },
        allow_retries=False,
    )


def _advice(errors: Sequence[SourceError]) -> str:
    """What to do, by what has to happen for all of the days to be stored."""
    if all(isinstance(error, AwaitedError) for error in errors):
        return "Nothing has to be done; who cannot wait re-executes from failure."
    if all(isinstance(error, TransientError | NotFinalError) for error in errors):
        return "Re-execute from failure: only these days are requested."
    return "Fix the cause, then re-execute from failure."


def told(error: SourceError, quarantine: str | None) -> str:
    """Why a day was not stored, and where the response that could not be used is kept."""
    return str(error) if quarantine is None else f"{error} The response is kept in {quarantine}."
