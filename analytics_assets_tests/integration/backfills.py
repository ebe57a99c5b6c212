"""What Dagster's pages send when a person launches, continues or cancels a backfill, and what they are answered. No assertions here."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from analytics_assets.dates import spans
from analytics_assets.orchestration.backfill_guard import CONFIRM_TAG

LAUNCH = """
    mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
        __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }
"""
CONTINUE = """
    mutation ($params: ReexecutionParams!) { reexecutePartitionBackfill(reexecutionParams: $params) {
        __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }
"""
CANCEL = """
    mutation ($id: String!) { cancelPartitionBackfill(backfillId: $id) { __typename ... on PythonError { message } } }
"""


def launching(tables: Sequence[str], days: Sequence[str]) -> dict[str, Any]:
    """The variables of `LAUNCH`, for tables named as `account/table`; a backfill of many days is confirmed."""
    found = spans(map(date.fromisoformat, days), longest=len(days))
    ranges = [{"start": str(span[0]), "end": str(span[-1])} for span in found]
    selected = [{"assetKey": {"path": table.split("/")}, "partitions": {"ranges": ranges}} for table in tables]
    return {"params": {"partitionsByAssets": selected, "tags": [{"key": CONFIRM_TAG, "value": "true"}]}}


def continuing(backfill: str) -> dict[str, Any]:
    """The variables of `CONTINUE`: what is not stored, and no more."""
    return {"params": {"parentRunId": backfill, "strategy": "FROM_FAILURE"}}


def backfill_of(answer: Mapping[str, Mapping[str, str]]) -> str:
    """The id of the backfill that was launched or continued.

    Raises:
        RuntimeError: It was refused.
    """
    [told] = answer.values()
    if "backfillId" not in told:
        raise RuntimeError(f"the backfill was not taken: {told}")
    return told["backfillId"]
