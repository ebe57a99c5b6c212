"""The lake as a Dagster resource: steps write through it, and users read tables from it in their own assets.

Only this room of the lake knows Dagster.
Dagster concept: resources, https://docs.dagster.io/guides/build/external-resources
"""

import dagster as dg
from pydantic import Field

from analytics_assets.lake.store import Lake
from analytics_assets.settings import settings


class LakeResource(dg.ConfigurableResource[Lake]):
    """Gives out the lake."""

    root: str | None = Field(
        default=None, description="Folder or fsspec URL; unset takes ANALYTICS_LAKE, or data/<mode> without it."
    )
    sandbox: bool | None = Field(
        default=None, description="Whether its numbers are invented; unset follows ANALYTICS_MODE."
    )

    def open(self) -> Lake:
        """The lake."""
        return Lake(self.root or settings().lake)

    def is_sandbox(self) -> bool:
        """Whether what lands now are invented numbers."""
        return settings().mode == "sandbox" if self.sandbox is None else self.sandbox
