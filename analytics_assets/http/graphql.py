"""GraphQL over HTTP with a Dagster web server. No keys are sent, and the environment's proxy is not used."""

from collections.abc import Mapping
from typing import Any

import httpx

_TIMEOUT_S = 30.0


class GraphQLError(RuntimeError):
    """A query without data: no connection, an HTTP error, a response that is not JSON, or an error of the server."""


class GraphQLSession:
    """A session with one server; close it after use."""

    def __init__(self, url: str) -> None:
        """Sends nothing.

        Raises:
            GraphQLError: `url` is not an address.
        """
        try:
            self._client = httpx.Client(base_url=url, timeout=_TIMEOUT_S, trust_env=False)
        except httpx.InvalidURL as error:
            raise GraphQLError(str(error)) from error

    def close(self) -> None:
        """Closes its connections."""
        self._client.close()

    def query(self, query: str, variables: Mapping[str, Any]) -> Any:
        """The data of a query or mutation.

        Raises:
            GraphQLError: There is none.
        """
        try:
            response = self._client.post("/graphql", json={"query": query, "variables": variables})
            response.raise_for_status()
            body = response.json()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise GraphQLError(str(error) or type(error).__name__) from error
        except ValueError as error:
            raise GraphQLError("the response is not JSON, so something else may answer at this address") from error
        if not isinstance(body, dict) or not (body.get("errors") or "data" in body):
            raise GraphQLError("the response is not one of GraphQL, so something else may answer at this address")
        if body.get("errors"):
            raise GraphQLError(body["errors"][0]["message"])
        return body["data"]
