"""What is done about days that are not as they should be: files put into the quarantine, days asked for again, files recorded.

Days are asked for as backfills of the instance, as the UI makes them: the daemon carries them out, and they are seen, cancelled and re-executed
like any other. A typed day whose raw stands is made from it without a request. What is wrong is found in `looking.py`.
Dagster concept: backfills, https://docs.dagster.io/guides/build/partitions-and-backfills/backfilling-data
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.definitions.assets.graph.asset_graph_subset import AssetGraphSubset
from dagster._core.definitions.events import AssetKeyPartitionKey
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus, PartitionBackfill
from dagster._core.utils import make_new_backfill_id

from analytics_assets.catalogue import asset_key, materialization
from analytics_assets.verification.looking import (
    ASKED_AGAIN,
    RECORDED_AGAIN,
    Kind,
    Looked,
    Place,
    Wrong,
    is_still_wrong,
)

_TAGS: Final = {"analytics/asked_by": "lake verify"}


@dataclass(frozen=True)
class Asking:
    """Days of one step to ask for again, as one backfill.

    Attributes:
        step: Account and step, as `bento/ads`.
        keys: The tables to materialize.
        days: The days; none for a snapshot, whose reading is of the present day.
        asks_vendor: Whether requests are sent; else the tables are made from what stands.
        mends: What is wrong and will be right.
    """

    step: str
    keys: Sequence[dg.AssetKey]
    days: Sequence[date]
    asks_vendor: bool
    mends: Sequence[Wrong] = ()

    @property
    def title(self) -> str:
        """What the UI calls the backfill."""
        if not self.days:
            return f"{self.step} read anew after lake verify"
        return f"{self.step} {'asked again' if self.asks_vendor else 'made again'} after lake verify"


def askings(
    place: Place, graph: AssetGraph, found: Looked, under_way: Collection[AssetKeyPartitionKey]
) -> list[Asking]:
    """What has to be asked for so that damaged and missing days stand again: raw where there is none, and what is made from it."""
    bad: dict[dg.AssetsDefinition, dict[date, list[Wrong]]] = {}
    for one in found.wrong:
        if one.kind in ASKED_AGAIN and put_off(graph, one, under_way) is None:
            of_step = bad.setdefault(graph.assets_def_for_key(asset_key(one.account, one.table)), {})
            of_step.setdefault(one.day, []).append(one)
    return [asking for assets, days in bad.items() for asking in _of_step(place, assets, days)]


def _of_step(place: Place, assets: dg.AssetsDefinition, wrong: Mapping[date, Sequence[Wrong]]) -> Iterator[Asking]:
    step, keys = assets.node_def.name.replace("__", "/", 1), sorted(assets.keys)
    if assets.partitions_def is None:
        yield Asking(step, keys, (), asks_vendor=True, mends=_all(wrong, wrong))
        return
    raw = next((key for key in keys if assets.get_asset_spec(key).tags.get("layer") == "raw"), None)
    unread = [] if raw is None else [day for day in sorted(wrong) if not _is_whole(place, raw, wrong[day])]
    if unread:
        yield Asking(step, keys, unread, asks_vendor=True, mends=_all(wrong, unread))
    if typed := sorted(wrong.keys() - set(unread)):
        made = [key for key in keys if key != raw]
        yield Asking(step, made, typed, asks_vendor=False, mends=_all(wrong, typed))


def _is_whole(place: Place, raw: dg.AssetKey, wrong: Sequence[Wrong]) -> bool:
    """Whether typed tables of a day can be made from its raw one: it stands, with its rows."""
    account, table = raw.path
    if any(one.table == table for one in wrong):
        return False
    standing = place.lake.usable(account, table, wrong[0].day)
    return standing is not None and standing.footer.emptied_at is None


def _all(wrong: Mapping[date, Sequence[Wrong]], days: Iterable[date]) -> list[Wrong]:
    return [one for day in sorted(days) for one in wrong[day]]


def put_off(graph: AssetGraph, one: Wrong, under_way: Collection[AssetKeyPartitionKey]) -> str | None:
    """Why a day is not asked for now, or None."""
    key = asset_key(one.account, one.table)
    partitions = graph.get(key).partitions_def
    if partitions is not None and not partitions.has_partition_key(one.day.isoformat()):
        return "it is before the first day of its account. Set `start_date` in its YAML, or ANALYTICS_START_DATE, to an earlier day first"
    name = None if partitions is None else one.day.isoformat()
    return "a backfill that has not ended asks for it" if AssetKeyPartitionKey(key, name) in under_way else None


def under_way(instance: dg.DagsterInstance, graph: AssetGraph) -> set[AssetKeyPartitionKey]:
    """What backfills ask for that have not ended, whoever has made them."""
    unended = instance.get_backfills(filters=BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED]))
    return {
        wanted
        for backfill in unended
        if backfill.is_asset_backfill
        for wanted in backfill.get_asset_backfill_data(graph).target_subset.iterate_asset_partitions()
    }


def ask(place: Place, graph: AssetGraph, asking: Asking, *, now: datetime) -> tuple[str, list[str]]:
    """Puts damaged files into the quarantine and then a backfill into the instance, for the daemon; its id, and where the files are kept.

    Raises:
        LakeError: A file cannot be moved; nothing is asked for then.
    """
    kept = []
    for one in asking.mends:
        path = place.lake.path(one.account, one.table, one.day)
        if one.kind in (Kind.DAMAGED, Kind.FOREIGN) and is_still_wrong(place, one):
            with place.lake.files.locked([path]):
                if is_still_wrong(place, one):
                    kept.append(place.lake.quarantine.take(one.account, one.table, one.day, path, seen_at=now))
    backfill = make_new_backfill_id()
    names: list[str | None] = [day.isoformat() for day in asking.days] or [None]
    wanted = {AssetKeyPartitionKey(key, name) for key in asking.keys for name in names}
    made = PartitionBackfill.from_asset_graph_subset(
        backfill_id=backfill,
        backfill_timestamp=now.timestamp(),
        tags=_TAGS,
        dynamic_partitions_store=place.instance,
        asset_graph_subset=AssetGraphSubset.from_asset_partition_set(wanted, graph),
        title=asking.title,
        description="Days whose files were damaged or missing.",
        run_config=None,
    )
    place.instance.add_backfill(made)
    return backfill, kept


def recorded(place: Place, wrong: Iterable[Wrong]) -> Iterator[Wrong]:
    """Logs a materialization of each file that stands and that Dagster does not know so, as its landing would; yields each one logged."""
    for one in wrong:
        if one.kind not in RECORDED_AGAIN or one.landed is None:
            continue
        is_daily = (one.account, one.table) in place.daily
        figures = {"recorded": "from the file that stood", **({} if is_daily else {"observed_on": one.day.isoformat()})}
        event = materialization(
            asset_key(one.account, one.table),
            one.landed,
            figures,
            partition=one.day.isoformat() if is_daily else None,
            requested_at=one.landed.footer.requested_at,
        )
        place.instance.report_runless_asset_event(event)
        yield one
