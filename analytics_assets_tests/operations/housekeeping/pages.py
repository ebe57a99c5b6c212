"""What Dagster's pages show of every asset, asked as they ask: through GraphQL, over definitions loaded in this process.

No assertions here.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget

# Parts of the queries of the catalog, the partitions tab and the plots.
ASSETS = """
query Assets { assetNodes {
  assetKey { path }
  partitionStats { numMaterialized numPartitions numFailed numMaterializing }
  assetPartitionStatuses { ... on TimePartitionStatuses { ranges { status startKey endKey } } }
} }
"""
DAYS = """
query Days($keys: [AssetKeyInput!]!, $days: [String!]!) { assetNodes(assetKeys: $keys) {
  assetKey { path }
  latestMaterializationByPartition(partitions: $days) { ...Landed }
} }
"""
RUNS = "query Runs { runsOrError(limit: 25) { ... on Runs { results { runId status } } } }"
_LANDED = """
fragment Landed on MaterializationEvent {
  partition tags { key value } metadataEntries { ...Said }
  runOrError { __typename }
}
fragment Said on MetadataEntry { label
  ... on IntMetadataEntry { intValue }
  ... on FloatMetadataEntry { floatValue }
  ... on BoolMetadataEntry { boolValue }
  ... on TextMetadataEntry { text }
  ... on PathMetadataEntry { path }
  ... on TableMetadataEntry { table { records } }
}
"""


class Pages:
    """The pages over one instance."""

    def __init__(self, context: WorkspaceProcessContext) -> None:
        from dagster_graphql.schema import create_schema  # noqa: PLC0415 - a second in each process that collects the tests

        self._context, self._schema = context, create_schema()

    def ask(self, query: str, **variables: Any) -> Any:
        """The response to a query; an error of GraphQL is raised."""
        used = query + (_LANDED if "...Landed" in query else "")
        context = self._context.create_request_context()
        answer = asyncio.run(self._schema.execute_async(used, context=context, variables=variables))
        if answer.errors:
            raise RuntimeError(str(answer.errors))
        return answer.data

    def shown(self, days: list[str]) -> dict[str, Any]:
        """Squares of every asset, and figures and data version of each day; not when or by which run it was reported."""
        nodes = self.ask(ASSETS)["assetNodes"]
        keys = [{"path": node["assetKey"]["path"]} for node in nodes if node["partitionStats"]]
        return _plain({"assets": nodes, "days": self.ask(DAYS, keys=keys, days=days)["assetNodes"]})


def _plain(shown: Any) -> Any:
    """What is shown, without what differs in an event that is reported again."""
    if isinstance(shown, dict):
        return {name: _plain(value) for name, value in shown.items() if name != "runOrError"}
    if isinstance(shown, list):
        return [_plain(one) for one in shown if not (isinstance(one, dict) and one.get("label") == "came_from")]
    return shown


@contextmanager
def pages(instance: dg.DagsterInstance, module: str, attribute: str) -> Iterator[Pages]:
    """The pages of an instance over the definitions that a module holds."""
    target = LoadableTargetOrigin(module_name=module, attribute=attribute)
    origin = InProcessCodeLocationOrigin(target, location_name="analytics_assets")
    with WorkspaceProcessContext(instance, InProcessWorkspaceLoadTarget([origin])) as context:
        yield Pages(context)
