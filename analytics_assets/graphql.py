"""The API that Dagster's UI uses, as the demo asks it: whether the definitions are loaded, runs launched and followed.

Keep what is asked for, and when, out of here (`demo.py`).
Dagster concept: GraphQL, https://docs.dagster.io/api/graphql
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
import httpx


@dataclass(frozen=True)
class Load:
    """The days of one account's daily job."""

    job: str
    first: str
    last: str


class GraphQL:
    """The API that Dagster's UI uses."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=30.0, trust_env=False)

    def is_ready(self) -> bool:
        """Whether the definitions are loaded."""
        try:
            asked = self.ask(
                "{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError { __typename } } } } }"
            )
        except (httpx.HTTPError, RuntimeError):
            return False
        entries = asked["workspaceOrError"].get("locationEntries", [])
        return bool(entries) and all(
            (entry["locationOrLoadError"] or {}).get("__typename") == "RepositoryLocation" for entry in entries
        )

    def launch(self, job: str, load: Load | None = None, assets: Sequence[dg.AssetKey] | None = None) -> str:
        """Queues a run of a job, for a range of days or some of its assets; returns its id."""
        days = {} if load is None else {"start": load.first, "end": load.last}
        asked = self.ask(
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
        if asked["__typename"] != "LaunchRunSuccess":
            raise RuntimeError(f"Dagster did not take the run of {job}: {asked.get('message', asked)}")
        return str(asked["run"]["runId"])

    def run(self, run_id: str) -> tuple[str, int]:
        """Status of a run, and how many tables have landed in it so far, a day of a table counted once."""
        asked = self.ask(
            "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status assetMaterializations { partition } } } }",
            id=run_id,
        )["runOrError"]
        return asked["status"], len(asked["assetMaterializations"])

    def unfinished(self) -> int:
        """Runs that are queued or at work."""
        asked = self.ask(
            "{ runsOrError(filter: { statuses: [QUEUED, NOT_STARTED, STARTING, STARTED] }) { ... on Runs { results { runId } } } }"
        )
        return len(asked["runsOrError"]["results"])

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of an answer; what is refused is raised."""
        answer = self._http.post("/graphql", json={"query": query, "variables": variables})
        answer.raise_for_status()
        body = answer.json()
        if body.get("errors"):
            raise RuntimeError(body["errors"][0]["message"])
        return body["data"]
