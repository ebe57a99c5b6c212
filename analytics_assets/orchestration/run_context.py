"""What a run is for, told to whoever opens its stream, and how it brings days in: its lake, its attempts, whose requests its are.

Dagster concept: re-execution, https://docs.dagster.io/guides/build/ops/op-retries
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from logging import Logger
from typing import Any

import dagster as dg

from analytics_assets.clock import Clock, utc_now
from analytics_assets.errors import SourceError
from analytics_assets.lake.load import REPLACE_TAG, DayLoader
from analytics_assets.lake.loss import ACCEPT_TAG, MOST_DAYS_OF_A_PERSON, LossPolicy
from analytics_assets.lake.store import Lake
from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets.orchestration.state_resource import kind_of
from analytics_assets.state.rate_limit import RequestOrigin, RequestPriority


@dataclass(frozen=True)
class Work:
    """What a run is for, told to whoever opens its stream.

    Attributes:
        resource: The account's resource.
        lake: The lake that the run stores in.
        attempt_group: The attempts that belong together: a run with its re-executions, or a backfill with its own.
        owner: The run's id.
        log: The run's log.
        tags: The run's tags.
        accepts_by_tag: True if the run, or the first of its attempts, has the tag that accepts losses and totals that differ.
        clock: The present instant.
        origin: Whose requests the run's are, told to the budget, and what has been spent.
    """

    resource: Any
    lake: Lake
    attempt_group: str
    owner: str
    log: Logger
    tags: Mapping[str, str]
    accepts_by_tag: bool = False
    clock: Clock = utc_now
    origin: RequestOrigin = field(default_factory=RequestOrigin)


def open_loader(
    context: dg.AssetExecutionContext, account: str, clock: Clock, *, days: int = 0, loss_most: float = LossPolicy.share
) -> tuple[DayLoader, Work]:
    """How a run brings days in, and what it tells whoever opens its stream.

    Args:
        context: The step's.
        account: The account.
        clock: The present instant.
        days: How many days the run is for.
        loss_most: Share of its rows that a day may lose to another response to the same request.

    Raises:
        dg.Failure: The lake cannot be opened, or is another one than before; the message says what to do.
    """
    resources = context.resources
    lake: LakeResource = resources.lake
    root = context.instance.get_run_by_id(context.run.root_run_id) if context.run.root_run_id else None
    group = attempt_group(root or context.run)
    try:
        opened = lake.open()
    except SourceError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    tags = (root or context.run).tags
    by_tag = "true" in (tags.get(ACCEPT_TAG), context.run.tags.get(ACCEPT_TAG))
    is_accepted = by_tag or (kind_of(tags) is RequestPriority.PERSON and days <= MOST_DAYS_OF_A_PERSON)
    loader = DayLoader(
        lake=opened,
        selected={key.path[-1] for key in context.selected_asset_keys},
        attempt_group=group,
        clock=clock,
        is_sandbox=lake.is_sandbox(),
        since=_began(context.instance, root, context.run.tags),
        loss=LossPolicy(loss_most, is_accepted),
        replaces_other_mode="true" in (tags.get(REPLACE_TAG), context.run.tags.get(REPLACE_TAG)),
    )
    return loader, Work(
        resource=getattr(resources, account),
        lake=loader.lake,
        attempt_group=group,
        owner=context.run.run_id,
        log=context.log,
        tags=context.run.tags,
        accepts_by_tag=by_tag,
        clock=clock,
        origin=RequestOrigin(kind_of(tags), context.log.info),
    )


def _began(instance: dg.DagsterInstance, root: dg.DagsterRun | None, tags: Mapping[str, str]) -> datetime | None:
    """When the first of the attempts that a re-execution belongs to was requested; None for a first attempt."""
    backfill = tags.get("dagster/root_backfill_id")
    if backfill is not None:
        first = instance.get_backfill(backfill)
        return None if first is None else datetime.fromtimestamp(first.backfill_timestamp, UTC)
    record = None if root is None else instance.get_run_record_by_id(root.run_id)
    return None if record is None else record.create_timestamp.astimezone(UTC)


def attempt_group(run: dg.DagsterRun) -> str:
    """The attempts that belong together: a backfill with its re-executions, or a run with its own.

    Args:
        run: The first of a run's attempts. Dagster takes the backfill's tags away from a run that is re-executed after its backfill has
            ended, so only the first attempt is sure to name it.
    """
    tags = run.tags
    return tags.get("dagster/root_backfill_id") or tags.get("dagster/backfill") or run.root_run_id or run.run_id


def code_location(run: dg.DagsterRun) -> str | None:
    """The code location that a run was launched from; None for a run that a program has created itself."""
    origin = run.remote_job_origin
    return origin.repository_origin.code_location_origin.location_name if origin else None
