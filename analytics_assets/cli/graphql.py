"""The API that Dagster's UI uses: whether the definitions are loaded, and runs and backfills launched and followed.

Dagster concept: GraphQL, https://docs.dagster.io/api/graphql
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from analytics_assets.http.graphql import GraphQLError, GraphQLSession


@dataclass(frozen=True)
class Load:
    """The days of one account's daily job."""

    job: str
    first: str
    last: str


@dataclass(frozen=True)
class Backfill:
    """How far a backfill is.

    Attributes:
        status: Dagster's word for it, such as `REQUESTED`.
        stored: Days stored so far, by table.
        failed: Days that failed so far, by table.
    """

    status: str
    stored: Mapping[tuple[str, ...], int]
    failed: Mapping[tuple[str, ...], int]

    @property
    def is_over(self) -> bool:
        """True if nothing more comes."""
        return self.status.startswith("COMPLETED") or self.status in {"FAILED", "CANCELED"}


class GraphQL:
    """The API that Dagster's UI uses."""

    def __init__(self, url: str) -> None:
        self._session = GraphQLSession(url)

    def close(self) -> None:
        """Closes its connections."""
        self._session.close()

    def is_ready(self) -> bool:
        """True if the definitions are loaded."""
        try:
            response = self.ask(
                "{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError { __typename } } } } }"
            )
        except GraphQLError:
            return False
        entries = response["workspaceOrError"].get("locationEntries", [])
        return bool(entries) and all(
            (entry["locationOrLoadError"] or {}).get("__typename") == "RepositoryLocation" for entry in entries
        )

    def launch(self, job: str, load: Load | None = None, assets: Sequence[dg.AssetKey] | None = None) -> str:
        """Queues a run of a job, for a range of days or some of its assets; returns its id."""
        days = {} if load is None else {"start": load.first, "end": load.last}
        response = self.ask(
            "mutation ($run: ExecutionParams!) { launchRun(executionParams: $run) "
            "{ __typename ... on LaunchRunSuccess { run { runId } } ... on Error { message } } }",
            run={
                "selector": {
                    "repositoryLocationName": "analytics_assets",
                    "repositoryName": "__repository__",
                    "jobName": job,
                    "assetSelection": None if assets is None else [{"path": key.path} for key in assets],
                },
                "mode": "default",
                "executionMetadata": {
                    "tags": [{"key": f"dagster/asset_partition_range_{end}", "value": day} for end, day in days.items()]
                },
            },
        )["launchRun"]
        if response["__typename"] != "LaunchRunSuccess":
            raise RuntimeError(f"Dagster did not take the run of {job}: {response.get('message', response)}")
        return str(response["run"]["runId"])

    def launch_backfill(
        self, assets: Sequence[dg.AssetKey], first: str, last: str, tags: Mapping[str, str], title: str
    ) -> str:
        """Requests one backfill for a range of days of some tables, for the daemon; returns its id."""
        days = {"range": {"start": first, "end": last}}
        response = self.ask(
            "mutation ($backfill: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $backfill) "
            "{ __typename ... on LaunchBackfillSuccess { backfillId } ... on Error { message } } }",
            backfill={
                "partitionsByAssets": [{"assetKey": {"path": key.path}, "partitions": days} for key in assets],
                "tags": [{"key": name, "value": value} for name, value in tags.items()],
                "title": title,
            },
        )["launchPartitionBackfill"]
        if response["__typename"] != "LaunchBackfillSuccess":
            raise RuntimeError(f"Dagster refused the backfill: {response.get('message', response)}")
        return str(response["backfillId"])

    def backfill(self, backfill_id: str) -> Backfill:
        """How far a backfill is."""
        response = self.ask(
            "query ($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status assetBackfillData "
            "{ assetBackfillStatuses { ... on AssetPartitionsStatusCounts { assetKey { path } numPartitionsMaterialized numPartitionsFailed } } } } "
            "... on Error { message } } }",
            id=backfill_id,
        )["partitionBackfillOrError"]
        if "status" not in response:
            raise RuntimeError(f"Dagster cannot show the backfill {backfill_id}: {response.get('message', response)}")
        counts = (response["assetBackfillData"] or {}).get("assetBackfillStatuses", [])
        tables = {tuple(status["assetKey"]["path"]): status for status in counts if status}
        return Backfill(
            response["status"],
            {key: status["numPartitionsMaterialized"] for key, status in tables.items()},
            {key: status["numPartitionsFailed"] for key, status in tables.items()},
        )

    def failures(self, backfill_id: str) -> list[str]:
        """What the failed steps of a backfill's runs say, oldest run first."""
        runs = self.ask(
            "query ($filter: RunsFilter!) { runsOrError(filter: $filter) { ... on Runs { results { runId } } } }",
            filter={"tags": [{"key": "dagster/backfill", "value": backfill_id}], "statuses": ["FAILURE"]},
        )["runsOrError"]
        return [message for run in reversed(runs["results"]) for message in self._failures_of_run(run["runId"])]

    def _failures_of_run(self, run_id: str) -> list[str]:
        messages: list[str] = []
        cursor, has_more = None, True
        while has_more:
            events = self.ask(
                "query ($id: ID!, $after: String) { logsForRun(runId: $id, afterCursor: $after) { ... on EventConnection { cursor hasMore events { "
                "... on ExecutionStepFailureEvent { failureMetadata { description } error { message } } "
                "... on RunFailureEvent { error { message } } } } } }",
                id=run_id,
                after=cursor,
            )["logsForRun"]
            for event in events.get("events", []):
                message = (event.get("failureMetadata") or {}).get("description") or (event.get("error") or {}).get(
                    "message"
                )
                messages += [message] if message else []
            cursor, has_more = events.get("cursor"), events.get("hasMore", False)
        return messages

    def run(self, run_id: str) -> tuple[str, int]:
        """Status of a run, and how many tables are stored in it so far, a day of a table counted once."""
        response = self.ask(
            "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status assetMaterializations { partition } } } }",
            id=run_id,
        )["runOrError"]
        return response["status"], len(response["assetMaterializations"])

    def unfinished(self) -> int:
        """Runs that are queued or at work."""
        response = self.ask(
            "{ runsOrError(filter: { statuses: [QUEUED, NOT_STARTED, STARTING, STARTED] }) { ... on Runs { results { runId } } } }"
        )
        return len(response["runsOrError"]["results"])

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of a query or mutation; raises `GraphQLError` without one."""
        return self._session.query(query, variables)
