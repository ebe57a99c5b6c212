"""The lake as a Dagster resource: steps write through it, and users read tables from it in their own assets.

Only this room of the lake knows Dagster.
Dagster concept: resources, https://docs.dagster.io/guides/build/external-resources
"""

import dagster as dg
from pydantic import Field, PrivateAttr

from analytics_assets.lake.store import Lake
from analytics_assets.orchestration.lake_binding import StateConfirmations, bind
from analytics_assets.places import lake_place
from analytics_assets.settings import project, settings


class LakeResource(dg.ConfigurableResource[Lake]):
    """Gives out the lake."""

    root: str | None = Field(
        default=None, description="Folder or fsspec URL; unset takes ANALYTICS_LAKE, or data/<mode> without it."
    )
    sandbox: bool | None = Field(
        default=None, description="Whether its numbers are invented; unset follows ANALYTICS_MODE."
    )

    _instance: dg.DagsterInstance | None = PrivateAttr(default=None)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Keeps the instance of the run or tick: its history has to be that of the lake."""
        self._instance = context.instance

    def located(self) -> Lake:
        """The lake, of which nothing is known yet; for looking only."""
        current = settings()
        lake = Lake(lake_place(self.root, project()) if self.root else current.lake)
        lake.confirmations = StateConfirmations(lake.files, current.state)
        return lake

    def open(self) -> Lake:
        """The lake, to read from and write to.

        Raises:
            LakeError: The lake that the state database or Dagster's history knows is not there, or another one is.
            TransientError: The state database does not work.
        """
        lake = self.located()
        # A lake that is not that of the setting has no part in the state database.
        state = None if self.root else settings().state
        bind(lake, state=state, instance=self._instance, is_named=bool(self.root))
        return lake

    def is_sandbox(self) -> bool:
        """True if what is stored now are invented numbers."""
        return settings().mode == "sandbox" if self.sandbox is None else self.sandbox
