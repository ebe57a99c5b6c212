"""The component of `defs/shared/defs.yaml`: the lake, and the jobs that all accounts of a project have in common.

Dagster concept: components, https://docs.dagster.io/guides/build/components
"""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg
from pydantic import Field, field_validator

from analytics_assets.clock import utc_now
from analytics_assets.operations.backfill_asset import backfill_asset, ready_sensor
from analytics_assets.operations.housekeeping.history import Owned
from analytics_assets.operations.housekeeping.job import housekeeping
from analytics_assets.orchestration.asset_checks import checks_daily
from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets.orchestration.loading import UnloadableError
from analytics_assets.orchestration.partitions import SNAPSHOT_TAG
from analytics_assets.orchestration.schedules import snapshots
from analytics_assets.orchestration.source_component import AccountComponent, account_in
from analytics_assets.orchestration.source_resource import without_sandbox
from analytics_assets.orchestration.yaml_component import YamlComponent, cron_line
from analytics_assets.settings import settings


class Shared(YamlComponent):
    """What all accounts of a project have in common: the lake, and the jobs for snapshots, daily checks and housekeeping. One folder of a project has it."""

    snapshots_cron: str = Field(
        default="30 9 * * *",
        description="Cron line, in UTC, of the job `snapshots`. Once in each of Statsig's days, which begin at 08:00 UTC.",
    )
    checks_cron: str = Field(
        default="30 4 * * *",
        description="Cron line, in UTC, of the job `checks_daily`. After the daily loads of all accounts and `checks.grace_hours`.",
    )
    housekeeping_cron: str = Field(
        default="0 4 * * *",
        description="Cron line, in UTC, of the job `housekeeping`. Before the checks: it reports old days again, and Dagster shows a check for the latest "
        "materialization only.",
    )

    _crons = field_validator("snapshots_cron", "checks_cron", "housekeeping_cron")(cron_line)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The lake, and the jobs with their schedules.

        Raises:
            UnloadableError: The project has another `Shared`.
        """
        components = list(_components(context))
        places = [
            f"defs/{loc.file_path.relative_to(context.defs_module_path)}"
            for loc, kind in components
            if issubclass(kind, Shared)
        ]
        if len(places) > 1:
            raise UnloadableError(
                f"{', '.join(places)}: each has a `Shared`, and a project takes one.",
                remedy="Delete all but one of them.",
            )
        account_definitions = [context.build_defs(loc) for loc, kind in components if not issubclass(kind, Shared)]
        specs = [spec for definitions in account_definitions for spec in _specs(definitions)]
        current = settings()
        # In sandbox mode nothing can be loaded from them.
        left_out = (
            {name for part in account_definitions for name in without_sandbox(part)}
            if current.mode == "sandbox"
            else set[str]()
        )
        observed = [spec for spec in specs if spec.tags.get(SNAPSHOT_TAG[0]) == SNAPSHOT_TAG[1]]
        taken = [spec for spec in observed if spec.key.path[0] not in left_out]
        loaded = {
            account_in(loc.file_path): part
            for loc, _ in components
            if isinstance(part := context.component_tree.load_component(loc), AccountComponent)
        }
        with_days = {account: part for account, part in loaded.items() if part.has_days(account)}
        is_on = current.schedules_on
        keys, jobs = (
            frozenset(spec.key for spec in specs),
            {job.name for part in account_definitions for job in part.jobs or ()},
        )
        owned = Owned(keys, frozenset({*jobs, "snapshots", "checks_daily", "housekeeping"}))
        schedules = [
            snapshots(_selected(taken), self.snapshots_cron, is_on=is_on),
            checks_daily(_selected(specs), self.checks_cron, is_on=is_on),
            housekeeping(owned, self.housekeeping_cron, utc_now, is_on=is_on),
        ]
        return dg.Definitions(
            assets=[backfill_asset(with_days, utc_now)] if with_days else [],
            resources={"lake": LakeResource()},
            jobs=[schedule.job for schedule in schedules],
            schedules=schedules,
            sensors=[ready_sensor()] if with_days else [],
        )


def _components(context: dg.ComponentLoadContext) -> Iterator[tuple[Any, type[dg.Component]]]:
    """The components of this package that the project loads, in YAML or Python, with their places."""
    root = context.component_tree.find_decl_at_path(context.defs_module_path)
    for loc, decl in root.iterate_loc_component_decl_pairs():
        kind = decl.component_type
        if not (isinstance(kind, type) and issubclass(kind, dg.Component)):
            # Made by a function whose annotation does not say.
            kind = type(context.load_structural_component_at_loc(loc))
        if issubclass(kind, YamlComponent):
            yield loc, kind


def _specs(definitions: dg.Definitions) -> Iterator[dg.AssetSpec]:
    for assets in definitions.assets or ():
        if isinstance(assets, dg.AssetsDefinition):
            yield from assets.specs
        elif isinstance(assets, dg.AssetSpec):
            yield assets


def _selected(specs: Sequence[dg.AssetSpec]) -> dg.AssetSelection:
    return dg.AssetSelection.assets(*[spec.key for spec in specs])
